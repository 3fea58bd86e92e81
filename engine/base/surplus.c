/* SPDX-License-Identifier: Apache-2.0 */
#include "base/surplus.h"

#include <stdlib.h>

static int compare_use(const void *a, const void *b)
{
    const struct gb_surplus_item *left = a, *right = b;

    return (left->used > right->used) - (left->used < right->used);
}

void gb_surplus(struct gb_surplus_item *items, size_t count, const struct gb_surplus_limits *limits,
                time_t now, gb_surplus_remove *remove, void *arg)
{
    uint64_t total = 0;

    if (count > 1)
        qsort(items, count, sizeof(*items), compare_use);
    for (size_t i = 0; i < count; i++)
        total += items[i].bytes;
    for (size_t i = 0; i < count; i++) {
        bool old = items[i].used <= now && (uint64_t)(now - items[i].used) > limits->max_age_s;

        if ((old || total > limits->max_bytes) && remove(&items[i], old, arg))
            total -= items[i].bytes;
    }
}
