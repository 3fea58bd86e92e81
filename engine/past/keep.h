/* SPDX-License-Identifier: Apache-2.0 */
/* Which checkpoints stay when there are too many: the nearer a moment, the more of its neighbours.
 *
 * Those that are pinned stay, and the one that the session stands on. Of the others, counted from
 * the newest: the first KEEP_ALL all, then every fifth, and behind KEEP_FIFTH every 25th. When that
 * is not enough, the oldest go, branches that were undone before what led here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "past/chain.h"

enum { KEEP_ALL = 20, KEEP_FIFTH = 120 };

struct keep_limits {
    uint64_t bytes; /* of the records that stay */
    size_t count;   /* > 0 */
};

/* Sets stays[i] for each entry (by number, as gb_chain_entries() gives them); pinned[i] is
 * borrowed,
 * @here is the checkpoint that the session stands on. Returns whether anything goes. */
bool keep_choose(const struct gb_chain_entry *entries, size_t count, const bool *pinned,
                 uint64_t here, struct keep_limits limits, bool *stays);
