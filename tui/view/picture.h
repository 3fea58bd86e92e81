/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures in cells: PNG, drawn with half blocks or, if the terminal supports it, with its own
 * graphics.
 *
 * The data comes from a guest: libpng decodes it, within limits, and what is sent to the terminal
 * is encoded anew from the pixels, never the guest's own bytes. Other formats are only named.
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
    int cell_width, cell_height; /* pixels; 0: unknown */
};

/* The number of rows of a display: 1 if it is only named. */
size_t picture_rows(struct card_display *display, const struct picture_look *look);
/* Draws its row @row on the first row of @region, which extends below as far as there is room.
 * @ordinal: its number in the cell, from 1. */
void picture_draw(struct card_display *display, struct region region, size_t row,
                  const struct picture_look *look, size_t ordinal);
/* For cells_init(). No-op on NULL. */
void picture_free(void *picture);
