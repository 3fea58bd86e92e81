/* SPDX-License-Identifier: Apache-2.0 */
/* What the package managers of this host say about their indexes, and where those are, for the
 * presets (net/preset.h).
 *
 * Theory of operation. Whoever needs a preset asks. The preset's command runs in the background, at
 * most once at a time, for all who wait, and then the hosts of its rules are looked up. What has
 * been found is kept for a while, and only as long as what is configured for it remains the same. A
 * command that cannot be run, or is slow, has simply printed nothing, or less; likewise with
 * lookups. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/list.h"
#include "loop/loop.h"
#include "net/preset.h"

struct gb_indexes;

/* Borrows @loop. Gives. */
struct gb_indexes *gb_indexes_new(struct gb_loop *loop);
/* Nobody may wait any more. Ends commands that run. */
void gb_indexes_free(struct gb_indexes *indexes);

/* Someone who waits. Zeroed: does not. */
struct gb_index_wait {
    struct gb_list link;
    void (*done)(void *arg);
    void *arg;
    bool waits;
};

/* True: gb_indexes_known() is as of now. False: it will be when @done is called, which is not
 * before this returns. @wait must not wait yet. */
bool gb_indexes_ask(struct gb_indexes *indexes, int preset, struct gb_index_wait *wait,
                    void (*done)(void *arg), void *arg);
/* No-op if it does not wait. */
void gb_indexes_forget(struct gb_index_wait *wait);

/* What was found; nothing if nobody has asked. Borrowed. */
struct gb_preset_known gb_indexes_known(const struct gb_indexes *indexes, int preset);
