/* SPDX-License-Identifier: Apache-2.0 */
/* Which cells of a session are undone: it was taken back to before them. As a text, for the journal
 * and whoever is told: "4-12,15", numbers that rise, ranges with something between them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Of one text; and the bytes that so many take at most. */
enum { GB_UNDONE_RANGES_MAX = 1000, GB_UNDONE_TEXT_MAX = GB_UNDONE_RANGES_MAX * 22 };

/* A walk through the ranges of a text. */
struct gb_undone {
    struct gb_bytes rest;
    uint32_t first, last; /* the range */
    bool is_bad;          /* the text is none, from here on */
};

struct gb_undone gb_undone_of(struct gb_bytes text);
/* On to the next range; false: there is none. */
bool gb_undone_next(struct gb_undone *at);

bool gb_undone_is_text(struct gb_bytes text);
bool gb_undone_has(struct gb_bytes text, uint32_t cell);
/* Adds a range behind those that there are. */
void gb_undone_add(struct gb_buf *text, uint32_t first, uint32_t last);
