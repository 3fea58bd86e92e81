/* SPDX-License-Identifier: Apache-2.0 */
/* What of a store goes because of its age or its size: one rule for all of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define GB_SURPLUS_NAME_MAX 32

/* UINT64_MAX: no limit. */
struct gb_surplus_limits {
    uint64_t max_age_s; /* since an item was last used */
    uint64_t max_bytes; /* of all together */
};

struct gb_surplus_item {
    char name[GB_SURPLUS_NAME_MAX + 1];
    uint64_t bytes;
    time_t used; /* last; later than now: just now */
};

/* Removes an item; false when it stays, because somebody uses it, say. @old: for its age, else for
 * the room that all take. */
typedef bool gb_surplus_remove(const struct gb_surplus_item *item, bool old, void *arg);

/* Calls @remove for items that were not used for longer than is allowed at @now, and for others as
 * long as those that are left take too much, beginning with what was not used for the longest.
 * Sorts @items so. */
void gb_surplus(struct gb_surplus_item *items, size_t count, const struct gb_surplus_limits *limits,
                time_t now, gb_surplus_remove *remove, void *arg);
