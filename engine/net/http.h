/* SPDX-License-Identifier: Apache-2.0 */
/* Checks what an HTTP/1.1 client sends (RFC 9112), strictly: every request of a connection must be
 * for one host, and its end must be unambiguous. Pure, incremental. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"

enum { GB_HTTP_HEAD_MAX = 64 * 1024 };

/* Embed it; zero it, then set the name. */
struct gb_http {
    char name[GB_HOST_NAME_MAX + 1]; /* that requests must be for */
    uint16_t port;                   /* that Host may include */
    bool tls;                        /* a target with a scheme must have `https` */
    /* Adds to @pass what is forwarded in place of a head, which has been checked; NULL: the head
     * itself. False: refuse it, with `refused` set. */
    bool (*on_head)(struct gb_http *http, struct gb_bytes head, struct gb_buf *pass);
    void *arg; /* for on_head */
    int state;
    struct gb_buf head;  /* of the request that is being parsed */
    uint64_t left;       /* bytes left of a body or of a chunk */
    const char *refused; /* why it was refused; static. NULL: not refused */
};

void gb_http_release(struct gb_http *http);

/* Checks the next bytes. Adds to @pass what may be forwarded: a head only in one piece, once it is
 * complete. False: break the connection (see `refused`). */
bool gb_http_feed(struct gb_http *http, struct gb_bytes bytes, struct gb_buf *pass);

/* The same, up to the end of a request: consumes what it has checked. */
bool gb_http_take(struct gb_http *http, struct gb_bytes *bytes, struct gb_buf *pass);
/* Whether the last request has ended and no byte of another has come. */
bool gb_http_is_between(const struct gb_http *http);
/* Whether a head has been passed on and its body has not ended. */
bool gb_http_is_in_body(const struct gb_http *http);
