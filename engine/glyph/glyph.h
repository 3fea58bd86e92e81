/* SPDX-License-Identifier: Apache-2.0 */
/* Splits text into the glyphs that a terminal displays, one at a time, with their widths.
 *
 * Terminals disagree about which sequences combine into one glyph (emoji with joiners, skin tones,
 * flags), so we never send anything that could: of a cluster only the base and its combining marks
 * are kept. What cannot or must not be shown (controls, bidirectional overrides, invalid UTF-8) is
 * replaced by a visible sign. So any bytes can be painted safely.
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
    bool hidden;    /* replaces something that cannot be shown */
    bool uncertain; /* terminals may disagree about its width */
};

/* Takes the next glyph from @text, which must not be empty. Returns the number of bytes
 * consumed. */
size_t glyph_next(struct gb_bytes text, struct glyph *ret_glyph);

/* The width of the whole text in columns. */
size_t text_columns(struct gb_bytes text);
/* The number of bytes of @text that fit on a line of @columns, broken at a space where there is
 * one; *ret_next is where the next line starts. */
size_t text_wrap(struct gb_bytes text, size_t columns, size_t *ret_next);
/* The number of bytes of @text that fit into @columns; *ret_columns (may be NULL) is their
 * width. */
size_t text_fit(struct gb_bytes text, size_t columns, size_t *ret_columns);
