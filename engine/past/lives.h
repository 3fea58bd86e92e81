/* SPDX-License-Identifier: Apache-2.0 */
/* Which cells led to the present state of a session, and which are undone.
 *
 * Theory of operation. Between two rewinds a session has one *life*: its epoch. A life continues
 * from a moment of an earlier one, and contains the cells with numbers above all that existed when
 * it began. So a moment is a life and a number of cells; its cells are those of its life up to that
 * number, then those of the previous life up to where this one began, and so on; all other cells
 * are undone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The lives of a session, except the first, which has no predecessor. All zero at first. */
struct gb_lives {
    struct gb_life {
        uint64_t from_epoch;
        uint32_t from_cell;    /* it continued after this one */
        uint32_t cells_before; /* how many there were when it began */
    } * all;
    size_t count;
};

/* Adds a life, of a session with this many cells so far, that continues after a cell of an earlier
 * life (0: before the first). */
void gb_lives_begin(struct gb_lives *lives, uint64_t from_epoch, uint32_t from_cell,
                    uint32_t cells);
void gb_lives_release(struct gb_lives *lives);

/* The last cell of a moment at which there were this many; 0: none. */
uint32_t gb_lives_last_cell(const struct gb_lives *lives, uint64_t epoch, uint32_t cells);
/* Goes back by one cell from the moment after @cell, in that life or the one that it continues;
 * with
 * @here only to the last cell of the moment itself. False: there is none before. */
bool gb_lives_before(const struct gb_lives *lives, bool here, uint64_t *epoch, uint32_t *cell);
/* Adds the cells undone at it (model/undone.h); if there are too many, the newest. */
void gb_lives_undone(const struct gb_lives *lives, uint64_t epoch, uint32_t cells,
                     struct gb_buf *text);
