#include "view/picture.h"

#include "cli/app.h"

size_t picture_rows(struct card_display *display, int columns, bool draw)
{
    (void)display;
    (void)columns;
    (void)draw;
    return 1;
}

void picture_draw(struct card_display *display, struct region region, size_t row, bool draw,
                  size_t ordinal)
{
    char size[32];

    (void)row;
    (void)draw;
    format_size(size, sizeof(size), (double)display->bytes);
    (void)paint_f(region, 0, 0, STYLE(ROLE_CELL_NOTE), "▦ %zu: %s, %s", ordinal, display->mime,
                  size);
}

void picture_free(void *picture)
{
    free(picture);
}
