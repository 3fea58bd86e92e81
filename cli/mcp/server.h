/* SPDX-License-Identifier: Apache-2.0 */
/* The MCP server: lines from and to the client on one side, the socket on the other.
 *
 * Theory of operation. The server keeps no state that matters: sessions live in the Glassbell
 * server, their handles are arguments, and each tool call has its own connection to the socket,
 * opened when it begins and closed when it is answered. So after a Glassbell server has restarted,
 * the next call just works; and to cancel a call, its connection is closed: the socket then
 * interrupts the cell that came over it, or drops it if it is still queued, and closes a VM that
 * nobody knows about yet.
 *
 * Up to CALLS_MAX requests are served concurrently. While the client does not read, no progress is
 * reported and, above a limit, the caller of mcp_server_input() is asked to wait.
 *
 * One process serves both clients that start with `initialize` (its revision then applies to all
 * requests without their own) and clients that name their revision in each request.
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
    const char *host;    /* an address (client/remote.h); NULL: this machine */
    const char *socket;  /* NULL: found as the protocol defines it */
    const char *program; /* run to start the server if there is none; NULL: never */
    struct tool_standards standards;
    const struct gb_languages *languages; /* for the descriptions of tools; NULL: not known */
    uint64_t lease_wait_ms; /* how long `exec` waits while another client holds the session */
    /* Sends a line to the client. Borrowed. */
    void (*send)(void *arg, struct gb_bytes line);
    /* Bytes of lines that the client has not read yet. */
    size_t (*queued)(void *arg);
    void *arg;
};

/* Borrows the strings of @config. Gives. */
struct mcp_server *mcp_server_new(struct gb_loop *loop, const struct mcp_config *config);
/* Input from the client, in any pieces. */
void mcp_server_input(struct mcp_server *server, struct gb_bytes bytes);
/* Cancels calls in progress. No-op on NULL. */
void mcp_server_free(struct mcp_server *server);
