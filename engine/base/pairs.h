/* SPDX-License-Identifier: Apache-2.0 */
/* Key-value pairs of byte strings in one encoding, shared by guest frames, journal records and
 * cells in memory, so that they are passed on without conversion. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { GB_PAIR_HEAD = 8 }; /* overhead of a pair, beside its key and value */

/* count × (key, value), each as a u32 length and the bytes. Whoever receives them from outside
 * checks all lengths once; iterating then needs no further check. */
struct gb_pairs {
    uint32_t count;
    struct gb_bytes encoded; /* without the count */
};

/* Builds pairs: start with an empty buffer, add, then point a struct gb_pairs at it. */
void gb_pairs_add(struct gb_buf *encoded, uint32_t *count, struct gb_bytes key,
                  struct gb_bytes value);

/* Iterates over checked pairs; *@at starts at 0. Returns 1 with a pair, 0 at the end. */
int gb_pairs_next(const struct gb_pairs *pairs, size_t *at, struct gb_bytes *ret_key,
                  struct gb_bytes *ret_value);
