/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the server that its core shares with its parts. Parts read it; what they change,
 * they change by the functions of the core.
 *
 * Theory of operation. A *connection* cuts its input into lines; dispatch.c turns a line into a
 * *request* and hands it, with its parameters, to the handler of its method. A handler answers at
 * once or keeps the request; each request is answered exactly once, by reply_end() or
 * request_fail(), which free it. When the connection closes first, the request's `abandon` is
 * called and the request is gone.
 *
 * A session as the server keeps it (its names, the requests that wait for it) is a *hosted*
 * session. It lives from gb_session_new() to the session's `closed`, and is remembered for a while
 * after (ended.h).
 *
 * What the server does beyond that are its *parts* (part.h).
 *
 * Limits: lines (GB_LINE_MAX), requests in flight and the bytes that they hold, unsent bytes of a
 * connection (above GB_UNSENT_HIGH nothing more is read from it), sessions, ended sessions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/list.h"
#include "loop/loop.h"
#include "capacity/capacity.h"
#include "server/core/ended.h"
#include "server/core/histogram.h"
#include "server/core/part.h"
#include "settings/settings.h"

enum server_state {
    SERVER_NEW,
    SERVER_OPEN,     /* takes everything */
    SERVER_DRAINING, /* no new sessions and cells; waits for the cells that there are */
    SERVER_CLOSING,  /* no new connections; sessions are on their way out */
    SERVER_ENDED,
};

/* A method that this server has. */
struct method {
    const struct gb_method *row;
    handler_fn *handle;
};
enum { METHODS_MAX = 64 };

struct connection_handlers;

struct gb_server {
    struct gb_loop *loop;
    struct gb_host *host;
    struct gb_capacity *capacity;
    struct gb_settings settings;
    char *past_folder;  /* of checkpoints; NULL: none */
    char *state_folder; /* of the journal, unless the settings name one; NULL: none */
    enum server_state state;
    struct gb_list connections, sessions; /* struct connection, struct hosted */
    size_t connection_count, session_count;
    size_t cell_count;    /* under way in all sessions */
    size_t line_bytes;    /* what connections hold of lines that have no end yet */
    size_t request_bytes; /* what requests under way hold */
    uint64_t connections_numbered;
    uint64_t started_ns, opened;
    struct histogram open_times;
    struct ended_ring ended;

    /* The parts and what they offer. */
    const struct gb_part *const *parts;
    size_t part_count;
    struct part_state part_offsets[PARTS_MAX], part_sizes;
    char *part_memory;
    struct method methods[METHODS_MAX];
    size_t method_count;

    /* server.c */
    void (*on_changed)(struct gb_server *server); /* server_changed() */
    void (*on_ended)(void *arg);
    void *arg;
    struct gb_list shutdowns;      /* requests of server.shutdown */
    struct gb_deferred progress;   /* of the shutdown */
    struct gb_timer *accept_timer; /* after accept() found no descriptor left */
    struct gb_timer *drain_timer;
    struct gb_timer *idle_timer; /* runs while nobody needs the server */
    char *path;
    int lock_fd, fd;
    int handed_fd; /* by a service manager, whose the socket's file is; −1: none */
    struct gb_watch *watch;
    const struct connection_handlers *connection_handlers;

    /* sample.c */
    struct gb_timer *pass_timer;
    uint64_t pass_ns; /* when the pass over all VMs began (monotonic) */
};

/* GB_EBUSY while the server is ending. */
int server_check_open(const struct gb_server *server, struct gb_err *err);

/* A cell, a session or a connection has gone: a shutdown may go on, and a client may come in. */
void server_changed(struct gb_server *server);
