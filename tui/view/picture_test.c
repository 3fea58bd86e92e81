/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

#include <string.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"
#include "screen/render.h"

/* 2 by 2 pixels: red, green, blue, white. */
static const uint8_t image[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
    0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x08, 0x02, 0x00, 0x00, 0x00, 0xfd,
    0xd4, 0x9a, 0x73, 0x00, 0x00, 0x00, 0x12, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8,
    0xcf, 0xc0, 0xc0, 0x00, 0xc2, 0x0c, 0xff, 0x81, 0x00, 0x00, 0x1f, 0xee, 0x05, 0xfb, 0x0b,
    0xd9, 0x68, 0x8b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};

static const char *painted(struct card_display *display, const struct picture_look *look,
                           struct grid *grid)
{
    static struct gb_buf text;
    size_t rows = picture_rows(display, look);

    grid_resize(grid, 40, 24);
    for (size_t row = 0; row < rows; row++)
        picture_draw(display, region_part(region_all(grid), 0, (int)row, -1, -1), row, look, 1);
    gb_buf_clear(&text);
    dump_text(grid, &text);
    return gb_buf_str(&text);
}

START_TEST(test_modes)
{
    static const struct picture_look blocks = {PICTURE_BLOCKS, 30, 8, 16};
    static const struct picture_look kitty = {PICTURE_KITTY, 30, 8, 16};
    static const struct picture_look named = {PICTURE_NAMED, 30, 0, 0};
    struct card_display display = {.mime = "image/png", .bytes = sizeof(image)};
    struct grid grid = {0};
    const struct cell *cell;

    gb_buf_add(&display.data, image, sizeof(image));
    ck_assert_uint_eq(picture_rows(&display, &named), 1);
    ck_assert_ptr_nonnull(strstr(painted(&display, &named, &grid), "1: image/png"));
    ck_assert_uint_eq(picture_rows(&display, &blocks), 2); /* no larger than it is */
    (void)painted(&display, &blocks, &grid);
    ck_assert_uint_eq(grid.picture_count, 0);
    cell = &grid.cells[0];
    ck_assert(cell->style.fg != COLOUR_NONE || cell->style.bg != COLOUR_NONE);
    /* The same bytes as graphics: made anew, and taken off again by name. */
    (void)painted(&display, &kitty, &grid);
    ck_assert_uint_eq(grid.picture_count, 1);
    ck_assert(memmem(grid.pictures[0].bytes.data, grid.pictures[0].bytes.size, "\033_G", 3) !=
              NULL);
    ck_assert_uint_gt(grid.pictures[0].remove.size, 0);
    picture_free(display.picture);
    gb_buf_release(&display.data);
    grid_release(&grid);
}
END_TEST

START_TEST(test_refused)
{
    static const struct picture_look blocks = {PICTURE_BLOCKS, 30, 8, 16};
    struct card_display display = {.mime = "image/png", .bytes = 3};
    struct card_display other = {.mime = "image/svg+xml", .bytes = sizeof(image)};

    gb_buf_adds(&display.data, "not");
    ck_assert_uint_eq(picture_rows(&display, &blocks), 1);
    gb_buf_add(&other.data, image, sizeof(image));
    ck_assert_uint_eq(picture_rows(&other, &blocks), 1);
    picture_free(display.picture);
    gb_buf_release(&display.data);
    gb_buf_release(&other.data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("picture");
    TCase *tests = tcase_create("picture");

    tcase_add_test(tests, test_modes);
    tcase_add_test(tests, test_refused);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
