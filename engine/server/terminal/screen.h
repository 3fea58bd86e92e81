/* SPDX-License-Identifier: Apache-2.0 */
/* A program at a terminal with the clients that see it; what they are told. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "model/terminal.h"
#include "server/core/connection.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "session/session.h"
#include "vt/vt.h"

enum screen_state { SCREEN_STARTING, SCREEN_RUNNING, SCREEN_ENDED };

struct screen {
    struct gb_list link; /* in the session's */
    struct hosted *hosted;
    uint32_t number;
    enum screen_state state;
    struct gb_buf argv; /* each argument and its NUL */
    const char **args;  /* into it */
    size_t arg_count;
    struct gb_vt *vt;
    struct gb_terminal *terminal; /* NULL: it has ended */
    struct request *request;      /* that started it, until it has */
    struct gb_list viewers;
    struct gb_list typing; /* requests that wait for room, by `wait` */
    struct gb_timer *timer;
    struct gb_deferred paint, lost;
    /* Of whoever keeps it, from the loop, when all were told of its end; may free it. */
    void (*ended)(struct screen *screen);
    uint64_t painted_ns, started_at_ns;
    size_t held; /* bytes in the grid that were not given back */
    bool told;   /* of its end: clients and watchers */
    struct gb_terminal_end end;
    struct gb_err why; /* of the end, when the program's own is not known */
};

struct viewer {
    struct gb_list of_screen, of_connection;
    struct screen *screen;
    struct connection *connection;
    struct gb_vt_view *view;
    unsigned rows, columns;
    bool types;
    bool due; /* its screen lacks something, and it was not the time to send it */
};

enum { SCREEN_VIEWERS_MAX = 32 };

/* Starts the program for @request, which is answered when it has begun or cannot. 0, or the request
 * is still the caller's. */
int screen_start(struct request *request, struct hosted *hosted, uint32_t number,
                 const struct gb_terminal_config *config, struct screen **ret_screen,
                 struct gb_err *err);
/* Its clients hear why it has ended, if they do not know; frees it. */
void screen_free(struct screen *screen, const struct gb_err *why);

/* Fills in what is told of it; borrows from it. */
void screen_describe(const struct screen *screen, struct gb_terminal_info *ret_info);

/* Tells watchers of it, unless its client does not know of it yet: `terminal.opened`, `.changed` or
 * `.closed`. */
void screen_tell(const struct screen *screen, const char *kind);

/* A client that sees it from now on. */
struct viewer *viewer_new(struct screen *screen, struct connection *connection, unsigned rows,
                          unsigned columns, bool types);
void viewer_free(struct viewer *viewer);
struct viewer *viewer_find(const struct screen *screen, const struct connection *connection);
void viewer_take_over(struct viewer *viewer);
void viewer_resize(struct viewer *viewer, unsigned rows, unsigned columns);
/* Sends what its screen lacks, unless it has not read what it got. */
void viewer_paint(struct viewer *viewer);

/* Tells a client of one that has ended what it showed last and how it ended; frees @viewer. */
void screen_show_end(struct viewer *viewer);
/* Leaves the client's screen as it was met, with what it shows on it. */
void viewer_leave(struct viewer *viewer);

/* Types for it. Answers the request, now or when there is room. */
void screen_type(struct screen *screen, struct request *request, struct gb_bytes bytes);
