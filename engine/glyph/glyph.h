/* SPDX-License-Identifier: Apache-2.0 */
/* Text cut into what takes a place on the screen: one glyph at a time, with its width.
 *
 * Terminals disagree about what joins into one picture (emoji with joiners, skin tones, flags), so
 * nothing that could join is ever sent: of a cluster only its base and the marks that stack on it
 * are kept. What cannot or must not be shown (controls, overrides of direction, bytes that are no
 * UTF-8) becomes a visible sign. So any bytes may be painted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { GLYPH_BYTES = 16, GLYPH_MARKS_MAX = 4 };

struct glyph {
    char text[GLYPH_BYTES]; /* UTF-8, not terminated */
    uint8_t size;
    uint8_t width;  /* 1 or 2 columns; 0: nothing to draw (an orphaned joiner) */
    bool hidden;    /* stands for something that cannot be shown */
    bool uncertain; /* terminals may think otherwise about its width */
};

/* Takes the next glyph from @text, which has at least one byte. Returns the bytes used. */
size_t glyph_next(struct gb_bytes text, struct glyph *ret_glyph);

/* Columns of the whole text. */
size_t text_columns(struct gb_bytes text);
/* How many bytes of @text make the first of several lines of @columns: up to a space where there is
 * one, which *ret_next is behind. */
size_t text_wrap(struct gb_bytes text, size_t columns, size_t *ret_next);
/* How many bytes of @text fit into @columns; *ret_columns (may be NULL): how many they take. */
size_t text_fit(struct gb_bytes text, size_t columns, size_t *ret_columns);
