/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting with a context argument. */
#pragma once

#include <stddef.h>

/* qsort() with an argument for @compare. */
void gb_sort(void *items, size_t count, size_t size,
             int (*compare)(const void *a, const void *b, void *arg), void *arg);
