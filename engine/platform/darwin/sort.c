/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/sort.h"

#include <stdlib.h>

struct sort_order {
    int (*compare)(const void *a, const void *b, void *arg);
    void *arg;
};

/* This system's qsort_r() passes its argument first. */
static int sort_compare(void *arg, const void *a, const void *b)
{
    const struct sort_order *order = arg;

    return order->compare(a, b, order->arg);
}

void gb_sort(void *items, size_t count, size_t size,
             int (*compare)(const void *a, const void *b, void *arg), void *arg)
{
    struct sort_order order = {compare, arg};

    qsort_r(items, count, size, &order, sort_compare);
}
