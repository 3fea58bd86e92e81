/* SPDX-License-Identifier: Apache-2.0 */
/* Follows an HTTP/1.1 server's responses, to one request at a time (RFC 9112), and masks secrets in
 * heads and bodies (mask.h). Chunked bodies are divided into new chunks, so that a text split
 * across two chunks is found. Pure, incremental.
 *
 * The last bytes received of a body are kept back (mask.h) until more arrives, or the body ends. So
 * that a stream of small messages does not lag by one, gb_answer_pass() passes them on when nothing
 * has arrived for a while. A text that has just come in part is then not found. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "edge/mask.h"

enum { GB_ANSWER_HEAD_MAX = 64 * 1024 };

/* Embed it; zero it, and set the mask. */
struct gb_answer {
    const struct gb_mask *mask; /* borrowed; its texts may change during its use */
    uint32_t owners;            /* of the texts that are masked */
    int state;
    struct gb_buf line;       /* an unfinished head, or line of a chunked body */
    struct gb_mask_tail tail; /* of a body */
    uint64_t left;
    bool is_head;        /* the request was HEAD: no body follows */
    bool may_upgrade;    /* the request asked for it */
    bool is_plain;       /* the body must not be encoded, which would hide texts */
    unsigned status;     /* of the last final head, or 101; 0: none since gb_answer_begin() */
    const char *refused; /* why it cannot be followed; static */
};

/* A request is being sent, after the answer to the last one. */
void gb_answer_begin(struct gb_answer *answer, bool is_head, bool may_upgrade, bool is_plain);
/* Takes what the server has sent, and adds to @out what the client gets. False: break the
 * connection, the answer is none (see `refused`). */
bool gb_answer_feed(struct gb_answer *answer, struct gb_bytes bytes, struct gb_buf *out);
/* Whether bytes are kept back of a body whose end only the server knows. */
bool gb_answer_keeps(const struct gb_answer *answer);
/* Adds them to @out. */
void gb_answer_pass(struct gb_answer *answer, struct gb_buf *out);
/* The server has closed. False if that cuts the answer. */
bool gb_answer_end(struct gb_answer *answer, struct gb_buf *out);
/* The answer is complete, or none was expected. */
bool gb_answer_is_done(const struct gb_answer *answer);
/* The connection now carries another protocol. */
bool gb_answer_is_upgraded(const struct gb_answer *answer);
void gb_answer_release(struct gb_answer *answer);
