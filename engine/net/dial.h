/* SPDX-License-Identifier: Apache-2.0 */
/* Connects to a name or an address from this host. A name is resolved each time; only addresses of
 * an allowed class are tried, one after the other with a short delay (RFC 8305), and the first that
 * answers is used. */
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
    const char *name; /* borrowed for the call; NULL: the addresses are given */
    uint16_t port;
    bool is_private; /* also allow addresses of this host and its networks */
    const struct gb_address *addresses;
    size_t count;
};

struct gb_dial_result {
    enum gb_connected answer;
    const char *why;           /* a keyword for events; static. NULL: connected */
    uv_tcp_t *socket;          /* gives; NULL unless connected. Close it with gb_dial_close() */
    struct gb_address address; /* of the peer; set if there is a socket */
};

/* Calls @done once, from the loop, unless it is freed before; @done may free it. Gives. */
struct gb_dial *gb_dial_new(struct gb_loop *loop, const struct gb_dial_target *target,
                            void (*done)(void *arg, const struct gb_dial_result *result),
                            void *arg);
/* No-op on NULL. */
void gb_dial_free(struct gb_dial *dial);

/* Closes a socket and frees it; @reset: sends a reset, so that the peer sees an error. */
void gb_dial_close(uv_tcp_t *socket, bool reset);
