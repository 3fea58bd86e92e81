/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of byte strings in one run of bytes: of a guest frame, of a record of the journal, and of a
 * cell in memory, so that they go from one to the next as they are.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { GB_PAIR_HEAD = 8 }; /* bytes that a pair takes beside its key and value */

/* count × (key, value), each as u32 length and bytes. Whoever reads them from outside checks all
 * lengths, so that walking needs no further check. */
struct gb_pairs {
    uint32_t count;
    struct gb_bytes encoded; /* without the count */
};

/* Builds pairs: begin with an empty buffer, add, and point a struct gb_pairs at it. */
void gb_pairs_add(struct gb_buf *encoded, uint32_t *count, struct gb_bytes key,
                  struct gb_bytes value);

/* Walks checked pairs: *@at begins at 0. Returns 1 with a pair, 0 at the end. */
int gb_pairs_next(const struct gb_pairs *pairs, size_t *at, struct gb_bytes *ret_key,
                  struct gb_bytes *ret_value);
