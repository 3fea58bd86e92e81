/* SPDX-License-Identifier: Apache-2.0 */
/* What a code point of a guest's output is on a screen.
 *
 * A unit is what fills one place of a screen: a base of one or two columns and at most a few marks
 * without width. Terminals and curses disagree about everything beyond that, and a disagreement
 * moves the rest of the line; so of a joined emoji the base is kept, variation selectors, skin
 * tones and tags are dropped, a flag is its two letters, what has no sign of its own (unassigned,
 * controls of the direction of writing, other controls) is a symbol that is marked as hidden.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { UNIT_BYTES_MAX = 14, UNIT_MARKS_MAX = 2 };

struct unit {
    char bytes[UNIT_BYTES_MAX]; /* UTF-8; no NUL behind it */
    uint8_t size : 4;           /* 1–14 */
    uint8_t width : 2;          /* 1 or 2 columns */
    uint8_t marks : 2;
    bool hidden; /* stands for something that is not to be seen; draw it so that it shows */
};

/* Cuts a stream of code points into units. Zeroed at first. */
struct unit_cutter {
    bool joined; /* the last one was a joiner: a pictograph that follows is a part of the unit */
};

enum unit_effect {
    UNIT_BEGINS,  /* *unit is a new one */
    UNIT_EXTENDS, /* it was added to *unit, the one before, if there was room */
    UNIT_NOTHING, /* it is not seen */
};

/* Takes the next code point (a NUL and surrogates are hidden units too). */
enum unit_effect unit_add(struct unit_cutter *cutter, uint32_t code, struct unit *unit);

/* The next unit of text that has passed through here already (the lines of struct text): quicker,
 * no rule is applied again. Returns the bytes it takes, 0 at the end. */
size_t unit_next(struct gb_bytes text, struct unit *ret_unit);

/* The code point of 1–4 well-formed bytes. */
uint32_t unit_decode(const uint8_t *bytes, size_t size);
