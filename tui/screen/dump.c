/* The grid as text: for golden screens, and for people without a screen. */
#include "screen/sgr.h"

static int used_columns(const struct grid *grid, int y, bool colours)
{
    const struct cell *row = &grid->cells[(size_t)y * (size_t)grid->width];
    int used = grid->width;

    while (used > 0 && row[used - 1].size == 1 && row[used - 1].text[0] == ' ' &&
           (!colours || row[used - 1].style.role == ROLE_TEXT))
        used--;
    return used;
}

void dump_text(const struct grid *grid, struct gb_buf *out)
{
    for (int y = 0; y < grid->height; y++) {
        int used = used_columns(grid, y, false);

        for (int x = 0; x < used; x++) {
            const struct cell *cell = &grid->cells[(size_t)y * (size_t)grid->width + (size_t)x];

            gb_buf_add(out, cell->text, cell->size);
        }
        gb_buf_adds(out, "\n");
    }
}

void dump_ansi(const struct grid *grid, const struct looks *looks, enum colour_depth depth,
               struct gb_buf *out)
{
    struct sgr sgr = {0};

    for (int y = 0; y < grid->height; y++) {
        int used = used_columns(grid, y, true);

        for (int x = 0; x < used; x++) {
            const struct cell *cell = &grid->cells[(size_t)y * (size_t)grid->width + (size_t)x];

            if (cell->size == 0)
                continue;
            sgr_change(&sgr, sgr_resolve(looks, cell->style, depth), out);
            gb_buf_add(out, cell->text, cell->size);
        }
        sgr_change(&sgr, (struct look){0}, out);
        gb_buf_adds(out, "\n");
    }
}
