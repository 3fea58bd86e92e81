/* SPDX-License-Identifier: Apache-2.0 */
/* Output of programs at terminals that has not been interpreted yet.
 *
 * A few bytes can make the emulator change its whole grid, so output is interpreted within a bound
 * on the work per turn of the loop, shared by all terminals of the server; they take turns. What is
 * left waits, in order, and costs its program credit: at most a window (GB_TERMINAL_WINDOW) per
 * terminal waits. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "loop/loop.h"

struct screen;

/* Of one server. */
struct backlog {
    struct gb_loop *loop;
    struct gb_list waiting; /* screens that have uninterpreted output */
    struct gb_deferred next;
    uint64_t turn, work; /* the work done in that turn of the loop */
};

enum {
    BACKLOG_WORK = 250000,            /* per turn, as counted by gb_vt_feed_some() */
    BACKLOG_SLICE = BACKLOG_WORK / 4, /* for one screen before the next one gets its turn */
};

void backlog_init(struct backlog *backlog, struct gb_loop *loop);
void backlog_release(struct backlog *backlog);
/* Interprets the bytes, now or when it is their turn; calls screen_fed() each time. */
void backlog_add(struct backlog *backlog, struct screen *screen, struct gb_bytes bytes);
/* The screen is going to be freed: interprets what fits into one slice, drops the rest. */
void backlog_remove(struct screen *screen);
