/* SPDX-License-Identifier: Apache-2.0 */
/* What a program prints, and what of it is on the screen; and that a terminal which is sent what a
 * view paints shows the same. */
#include "vt/vt.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"
#include "vt/private.h"

static void feed(struct gb_vt *vt, const char *text)
{
    gb_vt_feed(vt, gb_bytes_str(text));
}

/* The grid of a fresh terminal that is sent @text. */
static void check_screen(unsigned rows, unsigned columns, const char *text, const char *expected)
{
    struct gb_vt *vt = gb_vt_new(rows, columns);
    struct gb_buf shown = {0};

    feed(vt, text);
    gb_vt_text(vt, &shown);
    ck_assert_str_eq(gb_buf_str(&shown), expected);
    gb_buf_release(&shown);
    gb_vt_free(vt);
}

static const struct {
    const char *text, *screen; /* of 3 rows of 8 columns */
} screens[] = {
    {"one\r\ntwo", "one\ntwo\n\n"},
    {"a\r\nb\r\nc\r\nd", "b\nc\nd\n"},
    {"12345678", "12345678\n\n\n"},
    {"123456789", "12345678\n9\n\n"},
    {"\033[?7l123456789", "12345679\n\n\n"},
    {"abc\b\bX", "aXc\n\n\n"},
    {"a\tb", "a      b\n\n\n"},
    {"\033[2;3Hx", "\n  x\n\n"},
    {"\033[99;99Hx", "\n\n       x\n"},
    {"abcdef\033[3D\033[K", "abc\n\n\n"},
    {"abcdef\033[3D\033[1K.", "   .ef\n\n\n"},
    {"abc\033[2J", "\n\n\n"},
    {"abcdef\r\033[2P", "cdef\n\n\n"},
    {"abcdef\r\033[2@x", "x abcdef\n\n\n"},
    {"abcdef\r\033[2X", "  cdef\n\n\n"},
    {"a\r\nb\r\nc\033[1;1H\033[L", "\na\nb\n"},
    {"a\r\nb\r\nc\033[1;1H\033[M", "b\nc\n\n"},
    {"a\r\nb\r\nc\033[2;3r\033[3;1H\n", "a\nc\n\n"},
    {"a\r\nb\r\nc\033[2S", "c\n\n\n"},
    {"a\r\nb\r\nc\033[9S", "\n\n\n"},
    {"a\r\nb\r\nc\033[2T", "\n\na\n"},
    {"a\r\nb\r\nc\033[9T", "\n\n\n"},
    {"a\r\nb\r\nc\033[1;1H\033[2M", "c\n\n\n"},
    {"a\r\nb\r\nc\033[2;1H\033[2L", "a\n\n\n"},
    {"a\033[3b", "aaaa\n\n\n"},
    {"\033(0lqk\033(B", "┌─┐\n\n\n"},
    {"中文", "中文\n\n\n"},
    {"1234567中", "1234567\n中\n\n"},
    {"中\b\bx", "x\n\n\n"},
    {"e\xcc\x81", "e\xcc\x81\n\n\n"},
    {"a\xff\x62", "a\xef\xbf\xbd\x62\n\n\n"},
    {"main\033[?1049h\033[Halt\033[?1049l", "main\n\n\n"},
    {"\0337ab\0338c", "cb\n\n\n"},
    /* Nothing of these is shown, and nothing of them gets stuck. */
    {"\033]0;title\007a", "a\n\n\n"},
    {"\033]52;c;Zm9v\033\\a", "a\n\n\n"},
    {"\033P$q m\033\\a", "a\n\n\n"},
    {"\033[38;2;1;2;3ma\033[4:3mb", "ab\n\n\n"},
    {"\033[>4;2ma", "a\n\n\n"},
    {"\033[1;2;3;4;5;6;7;8;9;1;2;3;4;5;6;7;8;9;1;2;3;4;5;6;7;8;9;1;2;3;4;5;6;7;8;9ma", "a\n\n\n"},
    {"\xc2\x96\033Ha", "a\n\n\n"}, /* what libvterm 0.3.3 wrote before its memory for */
    {"\xcc\x81\033[2b", "◌\xcc\x81◌\xcc\x81◌\xcc\x81\n\n\n"}, /* what it never came back from */
};

START_TEST(test_screens)
{
    check_screen(3, 8, screens[_i].text, screens[_i].screen);
}
END_TEST

START_TEST(test_pieces_make_no_difference)
{
    const char *text = screens[_i].text;
    struct gb_vt *vt = gb_vt_new(3, 8);
    struct gb_buf shown = {0};

    for (size_t i = 0; i < strlen(text); i++)
        gb_vt_feed(vt, (struct gb_bytes){(const uint8_t *)text + i, 1});
    gb_vt_text(vt, &shown);
    ck_assert_str_eq(gb_buf_str(&shown), screens[_i].screen);
    gb_buf_release(&shown);
    gb_vt_free(vt);
}
END_TEST

static void check_reply(const char *asked, const char *expected)
{
    struct gb_vt *vt = gb_vt_new(3, 8);

    feed(vt, asked);
    ck_assert_str_eq(gb_buf_str(gb_vt_replies(vt)), expected);
    gb_vt_free(vt);
}

START_TEST(test_replies)
{
    check_reply("\033[2;3H\033[6n", "\033[2;3R");
    check_reply("\033[5n", "\033[0n");
    check_reply("\033[c", "\033[?62;22c");
    check_reply("\033]11;?\007\033[21t\033P+q544e\033\\", "");
}
END_TEST

START_TEST(test_replies_are_bounded)
{
    struct gb_vt *vt = gb_vt_new(3, 8);

    for (unsigned i = 0; i < 100000; i++)
        feed(vt, "\033[6n");
    ck_assert_uint_le(gb_vt_replies(vt)->size, VT_REPLIES_MAX);
    gb_vt_free(vt);
}
END_TEST

/* A program, a view of its grid, and a terminal that gets what the view paints. */
struct pair {
    struct gb_vt *program, *terminal;
    struct gb_vt_view *view;
};

static struct pair pair_new(unsigned rows, unsigned columns)
{
    return (struct pair){gb_vt_new(rows, columns), gb_vt_new(rows, columns),
                         gb_vt_view_new(rows, columns)};
}

static void pair_paint(struct pair *pair)
{
    struct gb_buf out = {0}, want = {0}, have = {0};

    gb_vt_view_paint(pair->view, pair->program, &out);
    gb_vt_feed(pair->terminal, gb_buf_bytes(&out));
    gb_vt_text(pair->program, &want);
    gb_vt_text(pair->terminal, &have);
    ck_assert_str_eq(gb_buf_str(&have), gb_buf_str(&want));
    ck_assert_uint_eq(pair->terminal->cursor.row, pair->program->cursor.row);
    ck_assert_uint_eq(pair->terminal->cursor.column, pair->program->cursor.column);
    gb_buf_clear(&out);
    gb_vt_view_paint(pair->view, pair->program, &out);
    ck_assert_uint_eq(out.size, 0); /* it is shown */
    gb_buf_release(&out);
    gb_buf_release(&want);
    gb_buf_release(&have);
}

static void pair_free(struct pair *pair)
{
    gb_vt_free(pair->program);
    gb_vt_free(pair->terminal);
    gb_vt_view_free(pair->view);
}

START_TEST(test_a_view_shows_the_grid)
{
    struct pair pair = pair_new(3, 8);

    for (size_t i = 0; i < ARRAY_SIZE(screens); i++) {
        feed(pair.program, screens[(i * 7 + (size_t)_i) % ARRAY_SIZE(screens)].text);
        pair_paint(&pair);
    }
    pair_free(&pair);
}
END_TEST

START_TEST(test_what_scrolls_away_is_in_the_terminals_history)
{
    struct pair pair = pair_new(3, 8);
    uint64_t before;

    pair_paint(&pair);
    before = pair.terminal->scrolled;
    for (char c = 'a'; c <= 'z'; c++) {
        char line[] = {c, '\r', '\n', '\0'};

        feed(pair.program, line);
        if (c % 5 == 0)
            pair_paint(&pair);
    }
    pair_paint(&pair);
    ck_assert_uint_eq(pair.terminal->scrolled - before, pair.program->scrolled);
    for (uint64_t i = 0; i < pair.program->scrolled; i++)
        ck_assert_str_eq(pair.terminal->history[(before + i) % GB_VT_HISTORY].cells[0].text,
                         pair.program->history[i].cells[0].text);
    pair_free(&pair);
}
END_TEST

START_TEST(test_nothing_foreign_reaches_a_terminal)
{
    struct gb_vt *vt = gb_vt_new(3, 20);
    struct gb_vt_view *view = gb_vt_view_new(3, 20);
    struct gb_buf out = {0};
    const char *text;

    feed(vt, "\033]52;c;c2VjcmV0\007\033]0;title\007\033P1;2q#0~\033\\\033_Gf=100;AAAA\033\\"
             "\033[5i\033[21t\033[?1049hplain\033]8;;http://x\033\\link\033]8;;\033\\");
    gb_vt_view_paint(view, vt, &out);
    text = gb_buf_str(&out);
    ck_assert_ptr_nonnull(strstr(text, "plainlink"));
    for (const char *at = text; (at = strchr(at, '\033')) != NULL; at++)
        ck_assert_int_eq(at[1], '['); /* no string of any kind begins */
    ck_assert_ptr_null(strstr(text, "c2VjcmV0"));
    ck_assert_ptr_null(strstr(text, "title"));
    gb_buf_release(&out);
    gb_vt_view_free(view);
    gb_vt_free(vt);
}
END_TEST

START_TEST(test_modes_go_with_the_program)
{
    struct pair pair = pair_new(3, 8);
    struct gb_buf end = {0};

    feed(pair.program, "\033[?1;1000;1006;2004h\033[?25l\033=\033[4 q");
    pair_paint(&pair);
    ck_assert_uint_eq(pair.terminal->modes, pair.program->modes);
    ck_assert_uint_eq(pair.terminal->shape, 4);
    gb_vt_view_end(pair.view, &end);
    gb_vt_feed(pair.terminal, gb_buf_bytes(&end));
    ck_assert_uint_eq(pair.terminal->modes, VT_WRAP | VT_CURSOR);
    ck_assert_uint_eq(pair.terminal->shape, 0);
    gb_buf_release(&end);
    pair_free(&pair);
}
END_TEST

/* A view that is smaller than the grid shows the part with the cursor. */
START_TEST(test_a_smaller_terminal_follows_the_cursor)
{
    struct gb_vt *vt = gb_vt_new(10, 40), *terminal = gb_vt_new(3, 8);
    struct gb_vt_view *view = gb_vt_view_new(3, 8);
    struct gb_buf out = {0}, shown = {0};

    feed(vt, "\033[9;31Hhere");
    gb_vt_view_paint(view, vt, &out);
    gb_vt_feed(terminal, gb_buf_bytes(&out));
    gb_vt_text(terminal, &shown);
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&shown), "here"));
    gb_buf_release(&out);
    gb_buf_release(&shown);
    gb_vt_view_free(view);
    gb_vt_free(terminal);
    gb_vt_free(vt);
}
END_TEST

/* The most expensive things that a few bytes can ask for. */
static const char *const expensive[] = {
    "\033[999S",    "\033[999T", "\033c",  "\033[2J",     "\033[H\033[999L", "\033[H\033[999M",
    "\033[H\033[J", "\033[K",    "\033[@", "\033[?1049h", "\033[999b",       "\033[H\033M",
};

START_TEST(test_work_is_bounded)
{
    const uint64_t most = 10000, grid = 500 * 500;
    struct gb_vt *vt = gb_vt_new(500, 500);
    struct gb_buf text = {0};
    uint64_t total = 0;
    unsigned turns = 0;

    gb_buf_adds(&text, "x\r");
    for (unsigned i = 0; i < 100; i++)
        gb_buf_adds(&text, expensive[_i]);
    for (size_t at = 0; at < text.size; turns++) {
        const struct gb_bytes rest = {gb_buf_data(&text) + at, text.size - at};
        uint64_t work = 0;

        at += gb_vt_feed_some(vt, rest, most, &work);
        ck_assert_uint_gt(work, 0);
        ck_assert_uint_le(work, most + grid + 500 + 1);
        total += work;
    }
    ck_assert_uint_ge(total, text.size);
    ck_assert_uint_ge(turns, total / (most + grid + 501));
    /* Each of them changes or moves at least half a line, and that is counted. */
    ck_assert_uint_ge(total, 100 * 250);
    gb_buf_release(&text);
    gb_vt_free(vt);
}
END_TEST

START_TEST(test_parts_make_no_difference)
{
    const struct gb_bytes text = gb_bytes_str(screens[_i].text);
    struct gb_vt *vt = gb_vt_new(3, 8);
    struct gb_buf shown = {0};
    uint64_t work = 0;

    for (size_t at = 0; at < text.size;)
        at += gb_vt_feed_some(vt, (struct gb_bytes){text.data + at, text.size - at}, 2, &work);
    gb_vt_text(vt, &shown);
    ck_assert_str_eq(gb_buf_str(&shown), screens[_i].screen);
    gb_buf_release(&shown);
    gb_vt_free(vt);
}
END_TEST

START_TEST(test_lines_scrolled_at_once_are_kept_in_order)
{
    struct gb_vt *vt = gb_vt_new(3, 8);

    feed(vt, "a\r\nb\r\nc\033[2S");
    ck_assert_uint_eq(vt->scrolled, 2);
    ck_assert_str_eq(vt->history[0].cells[0].text, "a");
    ck_assert_str_eq(vt->history[1].cells[0].text, "b");
    feed(vt, "\033[H\033[2M");
    ck_assert_uint_eq(vt->scrolled, 2);
    gb_vt_free(vt);
}
END_TEST

START_TEST(test_a_cell_is_told_with_its_look)
{
    struct gb_vt *vt = gb_vt_new(3, 8);
    struct gb_vt_look look;
    unsigned row, column;

    feed(vt, "\033[1;3;38;5;9;48;2;1;2;3m\xe8\xa1\xa8\033[m.");
    gb_vt_look(vt, 0, 0, &look);
    ck_assert(gb_bytes_equal(look.text, "\xe8\xa1\xa8"));
    ck_assert_uint_eq(look.width, 2);
    ck_assert_uint_eq(look.fg, VT_INDEXED | 9);
    ck_assert_uint_eq(look.bg, VT_RGB | 0x010203);
    ck_assert_uint_eq(look.attributes, VT_BOLD | VT_ITALIC);
    gb_vt_look(vt, 0, 1, &look);
    ck_assert_uint_eq(look.width, 0);
    gb_vt_look(vt, 0, 2, &look);
    ck_assert(gb_bytes_equal(look.text, ".") && look.fg == 0 && look.attributes == 0);
    gb_vt_look(vt, 2, 7, &look);
    ck_assert_uint_eq(look.text.size, 0);
    ck_assert_uint_eq(look.width, 1);
    ck_assert(gb_vt_cursor(vt, &row, &column) && row == 0 && column == 3);
    feed(vt, "\033[?25l");
    ck_assert(!gb_vt_cursor(vt, &row, &column));
    gb_vt_free(vt);
}
END_TEST

START_TEST(test_sizes)
{
    static const unsigned sizes[][2] = {{1, 1}, {500, 500}, {1, 80}, {24, 1}, {3, 7}, {24, 80}};
    struct gb_vt *vt = gb_vt_new(24, 80);

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        feed(vt, "中文\033[99;99Hx中\033[L\033[M\033[5@\033[5P\033[?1049h");
        gb_vt_resize(vt, sizes[i][0], sizes[i][1]);
        feed(vt, "中文\r\n\r\n\033[99;99H中\033[?1049l");
        ck_assert_uint_lt(vt->cursor.row, sizes[i][0]);
        ck_assert_uint_lt(vt->cursor.column, sizes[i][1]);
    }
    gb_vt_free(vt);
}
END_TEST

START_TEST(test_a_lower_screen_keeps_what_was_printed_last)
{
    struct gb_vt *vt = gb_vt_new(5, 8);
    struct gb_buf shown = {0};

    feed(vt, "1\r\n2\r\n3\r\n4\r\n5");
    gb_vt_resize(vt, 2, 8);
    gb_vt_text(vt, &shown);
    ck_assert_str_eq(gb_buf_str(&shown), "4\n5\n");
    ck_assert_uint_eq(vt->scrolled, 3);
    gb_buf_release(&shown);
    gb_vt_free(vt);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vt");
    TCase *tcase = tcase_create("all");

    tcase_add_loop_test(tcase, test_screens, 0, ARRAY_SIZE(screens));
    tcase_add_loop_test(tcase, test_pieces_make_no_difference, 0, ARRAY_SIZE(screens));
    tcase_add_test(tcase, test_replies);
    tcase_add_test(tcase, test_replies_are_bounded);
    tcase_add_loop_test(tcase, test_a_view_shows_the_grid, 0, 5);
    tcase_add_test(tcase, test_what_scrolls_away_is_in_the_terminals_history);
    tcase_add_test(tcase, test_nothing_foreign_reaches_a_terminal);
    tcase_add_test(tcase, test_modes_go_with_the_program);
    tcase_add_test(tcase, test_a_smaller_terminal_follows_the_cursor);
    tcase_add_loop_test(tcase, test_work_is_bounded, 0, ARRAY_SIZE(expensive));
    tcase_add_loop_test(tcase, test_parts_make_no_difference, 0, ARRAY_SIZE(screens));
    tcase_add_test(tcase, test_lines_scrolled_at_once_are_kept_in_order);
    tcase_add_test(tcase, test_a_cell_is_told_with_its_look);
    tcase_add_test(tcase, test_sizes);
    tcase_add_test(tcase, test_a_lower_screen_keeps_what_was_printed_last);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
