/* SPDX-License-Identifier: Apache-2.0 */
/* The server's state, shared by the core and its parts. Parts read it, and change it only through
 * functions of the core.
 *
 * Theory of operation. A *connection* splits its input into lines; dispatch.c turns a line into a
 * *request* and passes it, with its parameters, to the handler of its method, which answers at once
 * or keeps the request (request.h). A session as managed by the server (its names, the requests
 * that wait for it) is a *hosted* session (hosted.h). All further features are *parts* (part.h).
 *
 * Limits: lines (GB_LINE_MAX), requests in flight and the bytes that they use, unsent bytes per
 * connection (above GB_UNSENT_HIGH reading from it pauses), sessions, ended sessions.
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
    SERVER_OPEN,     /* accepts everything */
    SERVER_DRAINING, /* no new sessions and cells; waits for existing cells */
    SERVER_SAVING,   /* the same; waits for parts that save something */
    SERVER_CLOSING,  /* no new connections; sessions are being closed */
    SERVER_ENDED,
};

/* A method of this server. */
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
    char *cast_folder;  /* for recordings of terminals; NULL: none */
    char *past_folder;  /* for checkpoints; NULL: none */
    char *state_folder; /* for the journal, unless the settings name one; NULL: none */
    enum server_state state;
    struct gb_list connections, sessions; /* struct connection, struct hosted */
    size_t connection_count, session_count;
    size_t cell_count;    /* in progress in all sessions */
    size_t line_bytes;    /* bytes of incomplete lines in all connections */
    size_t request_bytes; /* bytes used by requests in progress */
    uint64_t connections_numbered;
    uint64_t started_ns, opened;
    struct histogram open_times;
    struct ended_ring ended;

    /* The parts and what they provide. */
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
    struct gb_timer *accept_timer; /* after accept() ran out of descriptors */
    struct gb_timer *drain_timer;  /* the time for what it waits for then, in any state */
    size_t savers;                 /* parts that save something */
    struct gb_timer *idle_timer;   /* runs while the server is unused */
    char *path;
    int lock_fd, fd;
    int handed_fd; /* from a service manager, which owns the socket file; −1: none */
    struct gb_watch *watch;
    bool is_preparing; /* clients are not accepted yet: server_prepare() */
    const struct connection_handlers *connection_handlers;

    /* sample.c */
    struct gb_timer *pass_timer;
    uint64_t pass_ns; /* when the current pass over all VMs began (monotonic) */
};

/* GB_EBUSY while the server is ending. */
int server_check_open(const struct gb_server *server, struct gb_err *err);

/* A part that has started prepares what clients are to find: they wait; or no more. */
void server_prepare(struct gb_server *server, bool on);

/* A cell, session or connection has ended: a shutdown may proceed, and a client may be accepted. */
void server_changed(struct gb_server *server);
/* The part for which the shutdown waits has finished, or given up. Possibly too late. */
void server_saved(struct gb_server *server);
