/* SPDX-License-Identifier: Apache-2.0 */
/* The undone cells of a session: those after the moment to which it was rewound. As text, for the
 * journal and for clients: "4-12,15", increasing numbers, ranges that do not touch. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Limits of one text, and its maximum size in bytes. */
enum { GB_UNDONE_RANGES_MAX = 1000, GB_UNDONE_TEXT_MAX = GB_UNDONE_RANGES_MAX * 22 };

/* Iterates over the ranges of a text. */
struct gb_undone {
    struct gb_bytes rest;
    uint32_t first, last; /* the current range */
    bool is_bad;          /* the text is invalid from here on */
};

struct gb_undone gb_undone_of(struct gb_bytes text);
/* Moves to the next range; false: no more. */
bool gb_undone_next(struct gb_undone *at);

bool gb_undone_is_text(struct gb_bytes text);
bool gb_undone_has(struct gb_bytes text, uint32_t cell);
/* Adds a range after the existing ones. */
void gb_undone_add(struct gb_buf *text, uint32_t first, uint32_t last);
