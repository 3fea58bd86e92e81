/* SPDX-License-Identifier: Apache-2.0 */
/* The server: sessions behind a Unix socket. docs/protocol.md is its contract.
 *
 * Life: new → listen → shutdown (asked for here, by a client, or after a signal) → `ended` → free.
 * All functions: loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"
#include "settings/settings.h"
#include "vm/host.h"

struct gb_part;
struct gb_server;

struct gb_server_config {
    const struct gb_part *const *parts; /* what it can do: gb_server_parts, of server/parts.h */
    const char *socket;                 /* path; NULL: as gb_socket_path() */
    struct gb_settings *settings;       /* NULL: the standards; takes the content */
    int listen_fd;     /* a listening socket at that path, which stays when the server ends (takes);
                        * 0 or less: it makes one */
    const char *state; /* folder of the journal, unless the settings name one; NULL: no journal */
    const char *past; /* folder for the checkpoints of sessions, of this server alone; NULL: none */
    /* Once: no session is left, replies have been handed to the sockets and the socket's file is
     * gone. Free the server now or later; let the loop run on until the last bytes have left. */
    void (*ended)(void *arg);
    void *arg;
};

/* Borrows @loop and @host, which must outlive it. Gives. */
struct gb_server *gb_server_new(struct gb_loop *loop, struct gb_host *host,
                                const struct gb_server_config *config);

/* Makes the directory (0700), takes the lock beside the socket, replaces a socket that nobody
 * answers on, and accepts clients of the own uid. GB_EBUSY: another server runs there; GB_EPOLICY:
 * the directory belongs to somebody else or others may write to it; GB_EINVALID: the path is no
 * good. */
int gb_server_listen(struct gb_server *server, struct gb_err *err);

/* Ends the server: with @drain only when running and queued cells have ended, but after @limit_ms
 * (0: no limit) in any case. May be called again to be less patient. */
void gb_server_shutdown(struct gb_server *server, bool drain, uint64_t limit_ms);

/* Brings what may change in a running server over from @fresh (takes the content), and logs what
 * has changed and what waits for the next start. */
void gb_server_reload(struct gb_server *server, struct gb_settings *fresh);
/* As they are now. Borrows. */
const struct gb_settings *gb_server_settings(const struct gb_server *server);

/* The path that it listens on. */
const char *gb_server_socket(const struct gb_server *server);

/* Only after `ended`, or when it never listened. Accepts NULL. */
void gb_server_free(struct gb_server *server);
