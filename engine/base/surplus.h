/* SPDX-License-Identifier: Apache-2.0 */
/* Eviction by age and total size, shared by all stores. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define GB_SURPLUS_NAME_MAX 48

/* UINT64_MAX: no limit. */
struct gb_surplus_limits {
    uint64_t max_age_s; /* since an item was last used */
    uint64_t max_bytes; /* all items together */
};

struct gb_surplus_item {
    char name[GB_SURPLUS_NAME_MAX + 1];
    uint64_t bytes;
    time_t used; /* last use; a time in the future counts as now */
};

/* Removes an item; returns false if it has to stay, for example because it is in use. @old: it is
 * too old; otherwise the store is too large. */
typedef bool gb_surplus_remove(const struct gb_surplus_item *item, bool old, void *arg);

/* Calls @remove for items not used within the allowed age at @now, then for the least recently used
 * ones until the rest fits. Sorts @items by last use. */
void gb_surplus(struct gb_surplus_item *items, size_t count, const struct gb_surplus_limits *limits,
                time_t now, gb_surplus_remove *remove, void *arg);
