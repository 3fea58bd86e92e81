/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/grid.h"

#include <string.h>
#include <utf8proc.h>

#include "check_run.h"
#include "base/hidden.h"
#include "base/mem.h"
#include "screen/render.h"

static struct grid grid;

static void setup(void)
{
    grid_resize(&grid, 20, 4);
}

static void teardown(void)
{
    grid_release(&grid);
}

static void shows(const char *text)
{
    struct gb_buf out = {0};

    dump_text(&grid, &out);
    ck_assert_str_eq(gb_buf_str(&out), text);
    gb_buf_release(&out);
}

START_TEST(text_is_cut_at_the_edge)
{
    struct region region = region_part(region_all(&grid), 5, 1, 6, 2);

    ck_assert_int_eq(paint_str(region, 2, 0, STYLE(ROLE_TEXT), "abcdefgh"), 4);
    ck_assert_int_eq(paint_str(region, -2, 1, STYLE(ROLE_TEXT), "abc"), 1);
    ck_assert_int_eq(paint_str(region, 0, 2, STYLE(ROLE_TEXT), "never"), 0);
    ck_assert_int_eq(paint_str(region, 9, 0, STYLE(ROLE_TEXT), "never"), 0);
    shows("\n       abcd\n     c\n\n");
}
END_TEST

START_TEST(wide_signs_are_never_halved)
{
    struct region all = region_all(&grid);

    /* The last one would stick out. */
    ck_assert_int_eq(paint_str(region_part(all, 0, 0, 5, 1), 0, 0, STYLE(ROLE_TEXT), "日本語"), 4);
    (void)paint_str(all, 0, 1, STYLE(ROLE_TEXT), "日本");
    (void)paint_str(all, 1, 1, STYLE(ROLE_TEXT), "x"); /* over the right half of the first */
    (void)paint_str(all, 0, 2, STYLE(ROLE_TEXT), "日本");
    (void)paint_str(all, 2, 2, STYLE(ROLE_TEXT), "x"); /* over the left half of the second */
    shows("日本\n x本\n日x\n\n");
}
END_TEST

START_TEST(what_cannot_be_shown_is_made_visible)
{
    struct region all = region_all(&grid);

    (void)paint_text(all, 0, 0, STYLE(ROLE_TEXT),
                     (struct gb_bytes){(const uint8_t *)"a\x1b[31m\xff\n\xc2\x9b", 10});
    (void)paint_str(all, 0, 1, STYLE(ROLE_TEXT),
                    "a\xe2\x80\xae"
                    "b\xe2\x80\x8b"
                    "c");
    /* A family joined by invisible joiners is its first member; a flag is its letters. */
    (void)paint_str(all, 0, 2, STYLE(ROLE_TEXT), "👩‍👩‍👧|🇩🇪|e\xcc\x81|");
    shows("a␛[31m\xef\xbf\xbd␊·\na·b·c\n👩|DE|e\xcc\x81|\n\n");
    ck_assert_int_eq(grid.cells[1].style.role, ROLE_HIDDEN);
    ck_assert_int_eq(grid.cells[2].style.role, ROLE_TEXT);
}
END_TEST

/* The engine has a table of its own, because it is linked to no Unicode library: it has at least
 * what this one knows. */
START_TEST(the_list_of_what_hides_is_whole)
{
    for (utf8proc_int32_t c = 0; c < 0x110000; c++) {
        utf8proc_category_t category = utf8proc_category(c);
        bool hides = category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CC ||
                     category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_ZL ||
                     category == UTF8PROC_CATEGORY_ZP || category == UTF8PROC_CATEGORY_CS;

        if (hides && !gb_hidden((uint32_t)c))
            ck_abort_msg("U+%04X", (unsigned)c);
    }
}
END_TEST

/* Nothing of it is painted, alone or behind anything. */
START_TEST(what_hides_is_never_painted)
{
    static const char *const before[] = {"", "a", "e\xcc\x81", "👩", "日"};

    for (uint32_t c = 0x80; c < 0x110000; c++) {
        struct gb_buf text = {0};
        uint8_t bytes[4];
        utf8proc_ssize_t n;

        /* Of those without a meaning a few are enough. */
        if (!gb_hidden(c) || (c >= 0xd800 && c < 0xe000) ||
            (utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_CN && c % 0x3fd != 0))
            continue;
        n = utf8proc_encode_char((utf8proc_int32_t)c, bytes);
        for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
            struct gb_bytes rest;

            gb_buf_clear(&text);
            gb_buf_adds(&text, before[i]);
            gb_buf_add(&text, bytes, (size_t)n);
            gb_buf_adds(&text, "z");
            rest = gb_buf_bytes(&text);
            while (rest.size > 0) {
                struct glyph glyph;
                size_t used = glyph_next(rest, &glyph);

                ck_assert_msg(memmem(glyph.text, glyph.size, bytes, (size_t)n) == NULL, "U+%04X",
                              c);
                rest.data += used;
                rest.size -= used;
            }
        }
        gb_buf_release(&text);
    }
}
END_TEST

START_TEST(cuts_with_an_ellipsis)
{
    struct region all = region_all(&grid);

    (void)paint_cut(all, 0, 0, 6, STYLE(ROLE_TEXT), gb_bytes_str("abcdefgh"));
    (void)paint_cut(all, 0, 1, 8, STYLE(ROLE_TEXT), gb_bytes_str("abcdefgh"));
    (void)paint_cut(all, 0, 2, 4, STYLE(ROLE_TEXT), gb_bytes_str("日本語"));
    paint_right(all, 10, 3, 8, STYLE(ROLE_TEXT), gb_bytes_str("12"));
    shows("abcde…\nabcdefgh\n日…\n                12\n");
}
END_TEST

START_TEST(colours_by_depth)
{
    ck_assert_uint_eq(colour_reduce(COLOUR_RGB(0x5f87af), DEPTH_256), COLOUR_INDEX(67));
    ck_assert_uint_eq(colour_reduce(COLOUR_RGB(0xff0000), DEPTH_16), COLOUR_INDEX(9));
    ck_assert_uint_eq(colour_reduce(COLOUR_INDEX(196), DEPTH_16), COLOUR_INDEX(9));
    ck_assert_uint_eq(colour_reduce(COLOUR_INDEX(3), DEPTH_16), COLOUR_INDEX(3));
    ck_assert_uint_eq(colour_reduce(COLOUR_RGB(0xff0000), DEPTH_MONO), COLOUR_NONE);
    ck_assert_uint_eq(colour_reduce(COLOUR_NONE, DEPTH_RGB), COLOUR_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("screen");
    TCase *tests = tcase_create("grid");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, text_is_cut_at_the_edge);
    tcase_add_test(tests, wide_signs_are_never_halved);
    tcase_add_test(tests, what_cannot_be_shown_is_made_visible);
    tcase_add_test(tests, the_list_of_what_hides_is_whole);
    tcase_add_test(tests, what_hides_is_never_painted);
    tcase_add_test(tests, cuts_with_an_ellipsis);
    tcase_add_test(tests, colours_by_depth);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
