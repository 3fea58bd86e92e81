/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/sort.h"

#include <stdlib.h>

void gb_sort(void *items, size_t count, size_t size,
             int (*compare)(const void *a, const void *b, void *arg), void *arg)
{
    qsort_r(items, count, size, compare, arg);
}
