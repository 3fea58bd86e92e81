/* SPDX-License-Identifier: Apache-2.0 */
/* Built in place of ../picture.c without chafa and libpng (GB_PICTURES=OFF): pictures are named. */
#include "view/picture.h"

#include "show/words.h"

void picture_free(void *picture)
{
    (void)picture; /* there is none */
}

size_t picture_rows(struct card_display *display, const struct picture_look *look)
{
    (void)display;
    (void)look;
    return 1;
}

void picture_draw(struct card_display *display, struct region region, size_t row,
                  const struct picture_look *look, size_t ordinal)
{
    char size[16];

    (void)row;
    (void)look;
    words_size(size, sizeof(size), (double)display->bytes);
    (void)paint_f(region, 0, 0, STYLE(ROLE_CELL_NOTE), "▦ %zu: %s, %s", ordinal, display->mime,
                  size);
}
