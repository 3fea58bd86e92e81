/* SPDX-License-Identifier: Apache-2.0 */
/* A connection of the guest that ends here: TLS with the guest in the name of the host, TLS with
 * the host, and in between one request and its answer at a time. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "edge/authority.h"
#include "edge/protocol.h"
#include "edge/vault.h"

struct relay;

struct relay_world {
    struct gb_authority *authority;
    struct vault *vault;
    SSL_CTX *client; /* that believes the usual certificates; NULL: none */
    /* Sends the message. */
    void (*tell)(void *arg, const struct gb_edge_message *message);
    void *arg;
};

/* Takes both sockets. Gives; NULL: it failed, and they are closed. */
struct relay *relay_new(const struct relay_world *world, const struct gb_edge_message *connect,
                        int guest_fd, int server_fd);
/* What to poll for: the guest's socket, also for its end, and the server's; fd −1: nothing. */
void relay_poll(const struct relay *relay, struct pollfd fds[2]);
/* The monotonic time at which it has to run if nothing happens; UINT64_MAX: never. */
uint64_t relay_deadline_ns(const struct relay *relay);
/* Does what can be done now, but not more than others can wait for. False: it is over, free it. */
bool relay_run(struct relay *relay);
/* Breaks both connections. No-op on NULL. */
void relay_free(struct relay *relay);
/* Tells that a connection was refused before there was a relay for it. */
void relay_refuse_new(const struct relay_world *world, const struct gb_edge_message *connect,
                      enum gb_edge_reason reason);
