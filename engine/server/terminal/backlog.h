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
#include "vt/vt.h"

/* Of one terminal. Embed it. */
struct backlog_entry {
    struct gb_list waiting; /* in the server's */
    struct gb_buf bytes;    /* that @vt has not interpreted */
    struct gb_vt *vt;
    void (*fed)(struct backlog_entry *entry, size_t bytes); /* bytes interpreted so far */
};

/* Of one server. */
struct backlog {
    struct gb_loop *loop;
    struct gb_list waiting; /* entries with bytes */
    struct gb_deferred next;
    uint64_t turn, work; /* the work done in that turn of the loop */
};

enum {
    BACKLOG_WORK = 250000,            /* per turn, as counted by gb_vt_feed_some() */
    BACKLOG_SLICE = BACKLOG_WORK / 4, /* for one screen before the next one gets its turn */
};

void backlog_init(struct backlog *backlog, struct gb_loop *loop);
void backlog_release(struct backlog *backlog);
/* @vt: borrowed. */
void backlog_entry_init(struct backlog_entry *entry, struct gb_vt *vt,
                        void (*fed)(struct backlog_entry *entry, size_t bytes));
/* Interprets the bytes, now or when it is their turn. */
void backlog_add(struct backlog *backlog, struct backlog_entry *entry, struct gb_bytes bytes);
/* The terminal is going to be freed: interprets what fits into one slice, drops the rest. */
void backlog_remove(struct backlog_entry *entry);
