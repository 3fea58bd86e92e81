/* SPDX-License-Identifier: Apache-2.0 */
/* The programs at terminals of a session: a list, and the screen of the one under the cursor, which
 * is watched and never typed at. Does not paint.
 *
 * Theory of operation. While the tab is shown, our connection watches one terminal: the server
 * sends it what a screen of the size that we named lacks, and a terminal emulator (vt.h) keeps that
 * as the grid that is painted. Watching disturbs nobody: the program keeps the size of whoever
 * types. To type, `glassbell shell --attach` gets the whole terminal meanwhile, and the program all
 * keys.
 */
#pragma once

#include "app/tui.h"
#include "vt/vt.h"

enum { SHELLS_MAX = 64, SHELL_TEXT_MAX = 160 };

struct shell {
    uint32_t number, rows, columns, clients;
    char program[SHELL_TEXT_MAX];
    char typed_by[STORE_NAME_MAX]; /* empty: nobody, or an unnamed client */
    bool running, lost;
    int64_t exit_code; /* -1: did not exit */
    uint32_t signal;
    double started_at;
};

struct shells {
    struct shell shells[SHELLS_MAX]; /* by number */
    size_t count;
    uint64_t call; /* for the list; 0: none in progress */
    bool stale, known;
    char error[GB_ERR_MESSAGE_MAX]; /* why there is no list; empty: none */
    uint32_t at;                    /* the number of the one under the cursor; 0: the newest */
    uint32_t ending;                /* the one that the user is asked about */
    size_t top;
    unsigned rows, columns; /* room for its screen, as last arranged; 0: none */
    /* The one that is watched. */
    uint32_t watched;                     /* 0: none */
    uint64_t attaching;                   /* a request to watch it, or to resize; 0: none */
    char watch_error[GB_ERR_MESSAGE_MAX]; /* why it cannot be watched; empty: none */
    struct gb_vt *vt;                     /* what it shows; NULL: none is watched */
    struct uplink_listener listener;
};
