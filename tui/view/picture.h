/* Figures of cells, drawn with characters or, where the terminal can, with its own graphics. */
#pragma once

#include "screen/grid.h"
#include "view/cells.h"

enum {
    PICTURE_ROWS_MAX = 20,
    PICTURE_SIDE_MAX = 4096, /* pixels; larger ones are not decoded */
};

/* Rows that a display takes in @columns: 1 when it is only named. */
size_t picture_rows(struct card_display *display, int columns, bool draw);
/* Row @row of it into the first row of @region. @ordinal: its number in the cell, from 1. */
void picture_draw(struct card_display *display, struct region region, size_t row, bool draw,
                  size_t ordinal);
/* For cells_init(). */
void picture_free(void *picture);
