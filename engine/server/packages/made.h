/* SPDX-License-Identifier: Apache-2.0 */
/* What a builder says that it has made. Builders are hostile: they have run a package manager on
 * whatever an index sent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    MADE_PIECE_MAX = 1 << 20, /* bytes of the layer that are requested at once */
    MADE_LINE_MAX = 256,      /* bytes of its last line that are shown, with a NUL */
};

/* The largest layer in bytes: the rest of the guests' spare disk stays empty. */
#define MADE_LAYER_MAX (UINT64_C(2) << 30)

/* A lock is text that clients may ask for: at most GB_PACKAGES_LOCK_MAX bytes of lines that
 * requirement_check() takes, each with its newline. */
bool made_check_lock(struct gb_bytes text);

enum made_layer {
    MADE_MORE,      /* the next piece is to be asked for */
    MADE_WHOLE,     /* nothing is missing */
    MADE_TOO_LARGE, /* it is, or says that it will be */
    MADE_NONSENSE,  /* what it says contradicts what it sends */
};

/* A piece of the layer with @piece bytes has come, of a file that is said to have @size bytes and,
 * with @eof, ends there; @before: bytes of the pieces before it; @said: their @size, 0 for the
 * first piece. */
enum made_layer made_take_piece(uint64_t before, uint64_t said, uint64_t piece, uint64_t size,
                                bool eof);

/* The last line that is not empty, without what could move a cursor: "" if there is none. */
void made_last_line(struct gb_bytes text, char ret_line[MADE_LINE_MAX]);
