/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the watch part per server, connection and session. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/list.h"
#include "loop/loop.h"
#include "server/core/connection.h"
#include "server/core/hosted.h"
#include "server/core/part.h"

extern const struct part_state watch_state;

enum { EVENT_KINDS_MAX = 63 };

struct watch_server {
    struct gb_list subscriptions;
    const char *kinds[EVENT_KINDS_MAX]; /* of all parts; the bits below are indexes into it */
    size_t kind_count;
    uint64_t wanted; /* by any subscription */
    /* samples.c */
    struct gb_timer *sample_timer; /* runs while somebody wants samples */
    uint32_t ask_round;            /* of asking the guests */
    /* figures.c */
    struct gb_timer *figures_timer;
    bool figures_run;                   /* rounds are being made: there are sessions */
    uint32_t figures_round;             /* the last one; 0: none yet */
    uint64_t figures_at_ns[GB_FIGURES]; /* wall clock */
    /* log.c */
    struct gb_list log_lines;
    size_t log_count;
    struct gb_deferred log_deferred;
};

struct watch_connection {
    struct gb_list subscriptions;
    uint32_t numbered;
};

/* A session's resource usage at a past time. */
struct figure {
    uint32_t round; /* 0: none */
    uint32_t memory_kib;
    uint64_t cpu_ns;
};

struct watch_session {
    bool asked; /* its guest has not answered the request for its usage yet */
    uint32_t asked_round;
    struct figure figures[GB_FIGURES];
};

struct watch_server *watch_of_server(const struct gb_server *server);
struct watch_connection *watch_of_connection(struct connection *connection);
struct watch_session *watch_of_session(struct hosted *hosted);
