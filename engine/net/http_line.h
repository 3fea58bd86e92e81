/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of HTTP/1.1 messages (RFC 9112), as the readers of requests (net/http.h) and of
 * responses (edge/answer.h) need them. Pure.
 *
 * What can be refused returns why, as a static text; NULL: it is good. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum gb_http_line {
    GB_HTTP_LINE_MORE,     /* there is no line end yet: all bytes have been taken */
    GB_HTTP_LINE_WHOLE,    /* the line end has been taken, too */
    GB_HTTP_LINE_TOO_LONG, /* nothing has been taken */
};

/* Moves bytes from the front of @bytes to the end of @line, up to a line end; @line may get @most
 * bytes. */
enum gb_http_line gb_http_line_collect(struct gb_buf *line, struct gb_bytes *bytes, size_t most);
/* Whether collected lines are a whole head: they end with an empty one, even if malformed. */
bool gb_http_line_ends_head(const struct gb_buf *head);
/* Takes the next line, without its CR LF, from the front of a whole head. */
const char *gb_http_line_next(struct gb_bytes *head, struct gb_bytes *ret_line);
/* Divides the line of a field; the value is without white space around it. False: there is no
 * name. */
bool gb_http_line_field(struct gb_bytes line, struct gb_bytes *ret_name,
                        struct gb_bytes *ret_value);
/* Whether they are equal, with ASCII letters in either case. */
bool gb_http_line_same(struct gb_bytes text, const char *word);
/* A hexadecimal number at the front of the line, of 1 to 15 digits: how many; 0: it has fewer, or
 * more. */
size_t gb_http_line_hex(struct gb_bytes line, uint64_t *ret_number);

/* Where the body of a message ends, by its head. Zeroed: no field says so. */
struct gb_http_framing {
    bool length, pieces; /* Content-Length; Transfer-Encoding: chunked */
    uint64_t size;       /* with `length`: bytes */
};

/* Reads a field of a head, if it is one of these two. */
const char *gb_http_framing_take(struct gb_http_framing *framing, struct gb_bytes name,
                                 struct gb_bytes value);
