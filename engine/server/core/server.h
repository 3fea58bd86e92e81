/* SPDX-License-Identifier: Apache-2.0 */
/* The server: sessions behind a Unix socket. docs/protocol.md is its contract.
 *
 * Life: new → listen, or start → shutdown (requested here, by a client, or by a signal) → `ended` →
 * free. All functions: loop thread only.
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
    const struct gb_part *const *parts; /* its features: gb_server_parts, from server/parts.h */
    const char *socket;                 /* path; NULL: from gb_socket_path() */
    struct gb_settings *settings;       /* NULL: the defaults; moves the content */
    int listen_fd;     /* a socket already listening at that path, which is left in place at the end
                        * (takes); 0 or less: create one */
    const char *state; /* folder for the journal, unless the settings name one; NULL: no journal */
    const char *casts; /* folder for recordings of terminals, of this server only; NULL: none */
    const char *past;  /* folder for checkpoints, which it locks; NULL: none */
    /* Called once: no session is left, replies have been passed to the sockets, and the socket file
     * is removed. Free the server now or later; keep the loop running until the last bytes have
     * been sent. */
    void (*ended)(void *arg);
    void *arg;
};

/* Borrows @loop and @host, which must outlive it. Gives. */
struct gb_server *gb_server_new(struct gb_loop *loop, struct gb_host *host,
                                const struct gb_server_config *config);

/* Creates the directory (0700), takes the lock next to the socket, replaces a socket on which
 * nobody answers, and accepts clients with our uid. GB_EBUSY: another server is running there;
 * GB_EPOLICY: the directory belongs to another user or is writable by others; GB_EINVALID: the path
 * is unusable. The same if something else that belongs to one server is another one's. */
int gb_server_listen(struct gb_server *server, struct gb_err *err);

/* Starts without a socket: its only clients are those of this process, which gb_server_connect()
 * connects. The failures of gb_server_listen() that are not about the socket. */
int gb_server_start(struct gb_server *server, struct gb_err *err);
/* A connection like one that was accepted, but not counted towards the limits on connections and on
 * their incomplete lines: gives the client's end (close-on-exec). What the client sends is read
 * when what an earlier server left is there. */
int gb_server_connect(struct gb_server *server, int *ret_fd, struct gb_err *err);

/* Ends the server; with @drain, only once running and queued cells have ended, but after @limit_ms
 * (0: no limit) in any case. Then parts have ten seconds to save something. May be called again to
 * shorten each wait. */
void gb_server_shutdown(struct gb_server *server, bool drain, uint64_t limit_ms);

/* Applies the reloadable settings from @fresh (moves the content), and logs what changed and what
 * needs a restart. */
void gb_server_reload(struct gb_server *server, struct gb_settings *fresh);
/* The current settings. Borrows. */
const struct gb_settings *gb_server_settings(const struct gb_server *server);

/* The path that it listens on. */
const char *gb_server_socket(const struct gb_server *server);

/* Only after `ended`, or if it did not start. No-op on NULL. */
void gb_server_free(struct gb_server *server);
/* The same; @freed is called from the loop once nothing uses the host any more, which may be freed
 * then. */
void gb_server_free_then(struct gb_server *server, void (*freed)(void *arg), void *arg);
