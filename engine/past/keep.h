/* SPDX-License-Identifier: Apache-2.0 */
/* Which checkpoints to keep if there are too many: the more recent, the denser.
 *
 * Pinned ones are kept, and so is the session's current one. Of the others, counted from the
 * newest: the first KEEP_ALL are all kept, then every fifth, and after KEEP_FIFTH every 25th. If
 * that is not enough, the oldest are removed, undone branches before the current one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "past/chain.h"

enum { KEEP_ALL = 20, KEEP_FIFTH = 120 };

struct keep_limits {
    uint64_t bytes; /* of the remaining records */
    size_t count;   /* > 0 */
};

/* Sets stays[i] for each entry (by number, as returned by gb_chain_entries()); pinned[i] is
 * borrowed, @here is the session's current checkpoint. Returns whether any is to be removed. */
bool keep_choose(const struct gb_chain_entry *entries, size_t count, const bool *pinned,
                 uint64_t here, struct keep_limits limits, bool *stays);
