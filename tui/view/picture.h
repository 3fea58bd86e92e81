/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of cells: PNG, drawn with half blocks or, where the terminal can, with its own graphics.
 *
 * The bytes come from a guest: they are decoded here by libpng, within limits, and what goes to the
 * terminal is made anew from the pixels; never the guest's own bytes. Other kinds are only named.
 */
#pragma once

#include "screen/grid.h"
#include "view/cells.h"

enum {
    PICTURE_ROWS_MAX = 20,
    PICTURE_SIDE_MAX = 4096, /* pixels; larger ones are only named */
};

enum picture_mode { PICTURE_NAMED, PICTURE_BLOCKS, PICTURE_SIXEL, PICTURE_KITTY };

struct picture_look {
    enum picture_mode mode;
    int columns;
    int cell_width, cell_height; /* pixels; 0: not known */
};

/* Rows that a display takes: 1 when it is only named. */
size_t picture_rows(struct card_display *display, const struct picture_look *look);
/* Row @row of it into the first row of @region, which goes on below as far as there is room.
 * @ordinal: its number in the cell, from 1. */
void picture_draw(struct card_display *display, struct region region, size_t row,
                  const struct picture_look *look, size_t ordinal);
/* For cells_init(). Accepts NULL. */
void picture_free(void *picture);
