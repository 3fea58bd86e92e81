/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a guest's figure: whatever it is, it is drawn within its place or only named. */
#include <assert.h>

#include "view/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct card_display display = {.mime = "image/png", .bytes = size};
    struct grid grid = {0};

    grid_resize(&grid, 40, PICTURE_ROWS_MAX + 4);
    gb_buf_add(&display.data, data, size);
    for (int mode = PICTURE_NAMED; mode <= PICTURE_KITTY; mode++) {
        struct picture_look look = {(enum picture_mode)mode, 36, 8, 16};
        size_t rows = picture_rows(&display, &look);

        assert(rows >= 1 && rows <= PICTURE_ROWS_MAX + 1);
        grid_clear(&grid);
        for (size_t row = 0; row < rows; row++)
            picture_draw(&display, region_part(region_all(&grid), 0, (int)row, -1, -1), row, &look,
                         1);
    }
    picture_free(display.picture);
    gb_buf_release(&display.data);
    grid_release(&grid);
    return 0;
}
