/* SPDX-License-Identifier: Apache-2.0 */
/* How code points of a guest's output are displayed.
 *
 * A unit is what fills one place on a screen: a base character of one or two columns and a few
 * zero-width marks at most. Terminals and curses disagree about everything beyond that, and a
 * disagreement shifts the rest of the line; so only the base of a joined emoji is kept, variation
 * selectors, skin tones and tags are dropped, a flag becomes its two letters, and characters
 * without a glyph (unassigned, bidirectional and other controls) become a symbol marked as hidden.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { UNIT_BYTES_MAX = 14, UNIT_MARKS_MAX = 2 };

struct unit {
    char bytes[UNIT_BYTES_MAX]; /* UTF-8; not NUL-terminated */
    uint8_t size : 4;           /* 1–14 */
    uint8_t width : 2;          /* 1 or 2 columns */
    uint8_t marks : 2;
    bool hidden; /* replaces something invisible; draw it so that it stands out */
};

/* Splits a stream of code points into units. Zeroed at first. */
struct unit_cutter {
    bool joined; /* the last code point was a joiner: a pictograph that follows belongs to the same
                  * unit */
};

enum unit_effect {
    UNIT_BEGINS,  /* *unit is new */
    UNIT_EXTENDS, /* it was added to *unit, the previous one, if there was room */
    UNIT_NOTHING, /* it is invisible */
};

/* Takes the next code point (NUL and surrogates are hidden units too). */
enum unit_effect unit_add(struct unit_cutter *cutter, uint32_t code, struct unit *unit);

/* The next unit of text that has been processed before (the lines of struct text): faster, since no
 * rules are applied again. Returns its length in bytes, 0 at the end. */
size_t unit_next(struct gb_bytes text, struct unit *ret_unit);

/* Decodes a code point from 1–4 well-formed bytes. */
uint32_t unit_decode(const uint8_t *bytes, size_t size);
