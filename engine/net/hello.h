/* SPDX-License-Identifier: Apache-2.0 */
/* The first message of a TLS client (RFC 8446, 4.1.2), as far as it says for whom it is. Pure; the
 * bytes may come in any pieces. */
#pragma once

#include "base/buf.h"
#include "base/limits.h"

enum { GB_HELLO_MAX = 64 * 1024 };

enum gb_hello_verdict {
    GB_HELLO_MORE,    /* so far it is one: more is needed */
    GB_HELLO_NAMED,   /* with a name, normalised */
    GB_HELLO_UNNAMED, /* without */
    GB_HELLO_BAD,     /* it is none */
};

/* @seen: all that the client has sent. */
enum gb_hello_verdict gb_hello_read(struct gb_bytes seen, char name[GB_HOST_NAME_MAX + 1]);
