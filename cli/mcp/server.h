/* SPDX-License-Identifier: Apache-2.0 */
/* The MCP server: lines of the client in, lines to the client out, and behind it the socket.
 *
 * Theory of operation. The server keeps nothing that would be missed: sessions live in the
 * Glassbell server, their handles travel as arguments, and each call of a tool has a connection of
 * its own to the socket, made when it begins and closed when it is answered. So a Glassbell server
 * that went away and came back is met by the next call, and to cancel a call is to close its
 * connection: the socket then interrupts the cell that came over it, or drops it when it still
 * waits for its turn, and closes a VM that nobody has heard of yet.
 *
 * Requests are served at the same time, up to CALLS_MAX of them. While the client does not read,
 * progress is not reported and, above a limit, the caller of mcp_server_input() is asked to wait.
 *
 * A process serves clients that begin with `initialize` (its revision then holds for all requests
 * without one of their own) and clients that name their revision in each request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "loop/loop.h"
#include "mcp/tools.h"

struct mcp_server;

struct mcp_config {
    const char *host;    /* an address (client/host.h); NULL: this machine */
    const char *socket;  /* NULL: by the rule of the protocol */
    const char *program; /* started as the server when none runs; NULL: never */
    struct tool_standards standards;
    uint64_t lease_wait_ms; /* how long `exec` waits while another client holds the session */
    /* A line for the client. Borrowed. */
    void (*send)(void *arg, struct gb_bytes line);
    /* Bytes of lines that the client has not taken yet. */
    size_t (*queued)(void *arg);
    void *arg;
};

/* Borrows the strings of @config. Gives. */
struct mcp_server *mcp_server_new(struct gb_loop *loop, const struct mcp_config *config);
/* What the client wrote, in any pieces. */
void mcp_server_input(struct mcp_server *server, struct gb_bytes bytes);
/* Cancels what is under way. Accepts NULL. */
void mcp_server_free(struct mcp_server *server);
