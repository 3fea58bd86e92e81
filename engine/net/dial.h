/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to a name or an address from this host. What a name leads to is looked at each time:
 * only addresses of a class that is allowed are tried, one after the other with a little time
 * between (RFC 8305), and the first that answers is taken. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "loop/loop.h"
#include "net/address.h"
#include "wire/stream_kinds.h"

enum { GB_DIAL_ADDRESSES_MAX = 32 };

struct gb_dial;

struct gb_dial_target {
    const char *name; /* borrowed for the call; NULL: the addresses are known */
    uint16_t port;
    bool is_private; /* addresses of this host and its networks are allowed, too */
    const struct gb_address *addresses;
    size_t count;
};

struct gb_dial_result {
    enum gb_connected answer;
    const char *why;           /* a word for what is told of it; static. NULL: connected */
    uv_tcp_t *socket;          /* given; NULL unless connected. Ends by gb_dial_close() */
    struct gb_address address; /* of the other end; with a socket */
};

/* @done once, from the loop, unless it is freed before; it may free it. Gives. */
struct gb_dial *gb_dial_new(struct gb_loop *loop, const struct gb_dial_target *target,
                            void (*done)(void *arg, const struct gb_dial_result *result),
                            void *arg);
/* Accepts NULL. */
void gb_dial_free(struct gb_dial *dial);

/* Closes a socket and frees it; @reset: the other end is to know that it broke. */
void gb_dial_close(uv_tcp_t *socket, bool reset);
