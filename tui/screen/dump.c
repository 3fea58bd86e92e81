/* SPDX-License-Identifier: Apache-2.0 */
/* The grid as text, for golden screens. */
#include "screen/render.h"

static int dump_used_columns(const struct grid *grid, int y)
{
    const struct cell *row = &grid->cells[(size_t)y * (size_t)grid->width];
    int used = grid->width;

    while (used > 0 && row[used - 1].size == 1 && row[used - 1].text[0] == ' ')
        used--;
    return used;
}

void dump_text(const struct grid *grid, struct gb_buf *out)
{
    for (int y = 0; y < grid->height; y++) {
        int used = dump_used_columns(grid, y);

        for (int x = 0; x < used; x++) {
            const struct cell *cell = &grid->cells[(size_t)y * (size_t)grid->width + (size_t)x];

            gb_buf_add(out, cell->text, cell->size);
        }
        gb_buf_adds(out, "\n");
    }
}
