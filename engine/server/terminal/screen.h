/* SPDX-License-Identifier: Apache-2.0 */
/* A program at a terminal together with the clients that view it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "model/terminal.h"
#include "server/core/connection.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/terminal/backlog.h"
#include "server/terminal/recording.h"
#include "session/session.h"
#include "vt/vt.h"

enum screen_state { SCREEN_STARTING, SCREEN_RUNNING, SCREEN_ENDED };

struct screen {
    struct gb_list link; /* in the session's list */
    struct hosted *hosted;
    uint32_t number;
    enum screen_state state;
    struct gb_buf argv; /* each argument followed by a NUL */
    const char **args;  /* point into it */
    size_t arg_count;
    struct gb_vt *vt;
    struct backlog *backlog;             /* the server's */
    struct backlog_entry output;         /* in it */
    struct gb_terminal *terminal;        /* NULL: it has ended */
    struct request *request;             /* that started it, until it is answered */
    struct recording_folder *recordings; /* the server's */
    struct recording *recording;         /* its recording; NULL: none */
    struct gb_list viewers;
    struct gb_list typing; /* requests that wait for room, linked by `wait` */
    struct gb_timer *timer;
    struct gb_deferred paint, lost;
    /* Called from the loop, when the program's end has been reported to all clients; may free
     * it. */
    void (*ended)(struct screen *screen);
    uint64_t painted_ns, started_at_ns;
    uint64_t typed_ns; /* when somebody last typed; 0: never */
    size_t held;       /* bytes in the grid for which no credit has been granted */
    bool told;         /* its end has been reported to clients and watchers */
    struct gb_terminal_end end;
    struct gb_err why; /* the reason, if the program's own result is unknown */
};

struct viewer {
    struct gb_list of_screen, of_connection;
    struct screen *screen;
    struct connection *connection;
    struct gb_vt_view *view;
    unsigned rows, columns;
    bool types;
    bool due; /* its screen is out of date, but it was too early to send an update */
};

enum { SCREEN_VIEWERS_MAX = 32 };

/* Starts the program for @request, which is answered when it has started or failed to. 0, or the
 * request still belongs to the caller. */
int screen_start(struct request *request, struct hosted *hosted, uint32_t number,
                 const struct gb_terminal_config *config, struct screen **ret_screen,
                 struct gb_err *err);
/* Tells its clients why it ended, unless they know; frees it. */
void screen_free(struct screen *screen, const struct gb_err *why);

/* Fills in its description; borrows from it. */
void screen_describe(const struct screen *screen, struct gb_terminal_info *ret_info);

/* Tells watchers about it, unless its client has not been told yet: `terminal.opened`, `.changed`
 * or `.closed`. */
void screen_tell(const struct screen *screen, const char *kind);

/* Adds a client that views it from now on. */
struct viewer *viewer_new(struct screen *screen, struct connection *connection, unsigned rows,
                          unsigned columns, bool types);
void viewer_free(struct viewer *viewer);
struct viewer *viewer_find(const struct screen *screen, const struct connection *connection);
void viewer_take_over(struct viewer *viewer);
void viewer_resize(struct viewer *viewer, unsigned rows, unsigned columns);
/* Sends what its screen lacks, unless it has not read earlier updates. */
void viewer_paint(struct viewer *viewer);

/* Shows a client of an ended program its last screen and its result; frees @viewer. */
void screen_show_end(struct viewer *viewer);
/* Restores the client's terminal state, leaving the content on the screen. */
void viewer_leave(struct viewer *viewer);

/* Types for a client. Answers the request now or when there is room. */
void screen_type(struct screen *screen, struct request *request, struct gb_bytes bytes);
