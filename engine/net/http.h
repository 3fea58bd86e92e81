/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of HTTP/1.1 sends (RFC 9112), strictly: every request of a connection has to be for
 * one host, and there is one way only to read where it ends. Pure, incremental. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"

enum { GB_HTTP_HEAD_MAX = 64 * 1024 };

/* Embed it, zeroed but for the name. */
struct gb_http {
    char name[GB_HOST_NAME_MAX + 1]; /* that requests have to be for */
    uint16_t port;                   /* that Host may add */
    int state;
    struct gb_buf head;  /* of the request that is being read */
    uint64_t left;       /* bytes of a body, or of a piece of one */
    const char *refused; /* why not; static. NULL: it may go on */
};

void gb_http_release(struct gb_http *http);

/* Looks at the next bytes. Adds to @pass what may be sent on: heads go in one piece, when they have
 * been read to their end. False: the connection is to be broken (`refused`). */
bool gb_http_feed(struct gb_http *http, struct gb_bytes bytes, struct gb_buf *pass);
