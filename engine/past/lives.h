/* SPDX-License-Identifier: Apache-2.0 */
/* Which cells made a session what it is, and which are undone.
 *
 * Theory of operation. Between two rewinds a session has one *life*: its epoch. A life goes on from
 * a moment of an earlier one, and has the cells with the numbers behind all that there were when it
 * began. So a moment is a life and a number of cells, its cells are those of its life up to that
 * number, then those of the life before up to where this one began, and so on; and what is in none
 * of them is undone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Those of a session but the first, which follows nothing. All zero at first. */
struct gb_lives {
    struct gb_life {
        uint64_t from_epoch;
        uint32_t from_cell;    /* it went on behind this one */
        uint32_t cells_before; /* all that there were when it began */
    } * all;
    size_t count;
};

/* A life more, of a session that has had so many cells, behind one of an earlier life (0: before
 * the first). */
void gb_lives_begin(struct gb_lives *lives, uint64_t from_epoch, uint32_t from_cell,
                    uint32_t cells);
void gb_lives_release(struct gb_lives *lives);

/* The last cell of a moment at which there were so many; 0: it has none. */
uint32_t gb_lives_last_cell(const struct gb_lives *lives, uint64_t epoch, uint32_t cells);
/* Adds those that are undone at it (model/undone.h); when they are too many, the newest. */
void gb_lives_undone(const struct gb_lives *lives, uint64_t epoch, uint32_t cells,
                     struct gb_buf *text);
