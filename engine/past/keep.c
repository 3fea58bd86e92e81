/* SPDX-License-Identifier: Apache-2.0 */
#include "past/keep.h"

#include "base/mem.h"

enum { KEEP_SPARSE = 5, KEEP_RARE = 25 };

/* The sums that are limited. */
struct keep_sum {
    uint64_t bytes;
    size_t count;
};

static bool keep_is_over(struct keep_sum sum, struct keep_limits limits)
{
    return sum.bytes > limits.bytes || sum.count > limits.count;
}

static void keep_drop(const struct gb_chain_entry *entry, bool *stays, struct keep_sum *sum)
{
    if (!*stays)
        return;
    *stays = false;
    sum->bytes -= past_record_size(&entry->head);
    sum->count--;
}

/* Of how many neighbouring numbers only one is kept, @rank places after the newest. */
static uint64_t keep_grid(size_t rank)
{
    if (rank < KEEP_ALL)
        return 1;
    return rank < KEEP_FIFTH ? KEEP_SPARSE : KEEP_RARE;
}

/* Marks those that lead to @here. */
static void keep_mark_path(const struct gb_chain_entry *entries, size_t count, uint64_t here,
                           bool *leads)
{
    for (size_t i = count; i-- > 0;) {
        leads[i] = entries[i].head.seq == here;
        if (leads[i])
            here = entries[i].head.parent; /* which has a lower number */
    }
}

bool keep_choose(const struct gb_chain_entry *entries, size_t count, const bool *pinned,
                 uint64_t here, struct keep_limits limits, bool *stays)
{
    _cleanup_(freep) bool *leads = xcalloc(count + 1, sizeof(*leads));
    struct keep_sum sum = {.count = count};

    for (size_t i = 0; i < count; i++) {
        stays[i] = true;
        sum.bytes += past_record_size(&entries[i].head);
    }
    if (!keep_is_over(sum, limits))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!pinned[i] && entries[i].head.seq != here &&
            entries[i].head.seq % keep_grid(count - 1 - i) != 0)
            keep_drop(entries + i, stays + i, &sum);
    }
    /* First the undone ones, then those that lead here. */
    keep_mark_path(entries, count, here, leads);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count && keep_is_over(sum, limits); i++) {
            if (!pinned[i] && entries[i].head.seq != here && (pass == 1 || !leads[i]))
                keep_drop(entries + i, stays + i, &sum);
        }
    }
    return sum.count < count;
}
