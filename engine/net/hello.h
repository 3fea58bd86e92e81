/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a TLS client's first message (RFC 8446, 4.1.2) as far as needed to find the server name.
 * Pure; the bytes may come in any pieces. */
#pragma once

#include "base/buf.h"
#include "base/limits.h"

enum { GB_HELLO_MAX = 64 * 1024 };

enum gb_hello_verdict {
    GB_HELLO_MORE,    /* valid so far: more bytes are needed */
    GB_HELLO_NAMED,   /* with a name, normalised */
    GB_HELLO_UNNAMED, /* without a name */
    GB_HELLO_BAD,     /* not a ClientHello */
};

/* @seen: everything that the client has sent. */
enum gb_hello_verdict gb_hello_read(struct gb_bytes seen, char name[GB_HOST_NAME_MAX + 1]);
