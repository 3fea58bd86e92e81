/* SPDX-License-Identifier: Apache-2.0 */
/* What the line editor writes to a scrolling terminal, read by a model of one. */
#include "redisplay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"
#include "glyph/glyph.h"

enum { LINES_MAX = 160, COLUMNS_MAX = 60, CELL_BYTES = 24 };

/* A terminal with all that has scrolled out of it. It wraps lines that are too long, knows which
 * rows it has joined so, and wraps them anew when its width changes. */
static struct {
    int columns, rows;
    char cells[LINES_MAX][COLUMNS_MAX]
              [CELL_BYTES]; /* "": nothing, or the right half of a wide one */
    bool joined[LINES_MAX]; /* with the next one */
    int count;              /* lines so far */
    int x, y;               /* y: of all lines */
    bool pending;           /* the next character goes to the next row */
    int narrow;             /* columns that uncertain characters take less here than we think */
    size_t bytes;           /* written so far */
    bool reverse, dim;
} term;

static struct redisplay shown;
static struct redisplay_look look;
static struct gb_buf out;

static int term_top(void)
{
    return MAX(term.count - term.rows, 0);
}

static void term_open(int columns, int rows)
{
    memset(&term, 0, sizeof(term));
    term.columns = columns;
    term.rows = rows;
    term.count = 1;
    look =
        (struct redisplay_look){.columns = columns, .rows = rows, .first = ">>> ", .more = "... "};
}

static void term_down(void)
{
    term.y++;
    ck_assert_int_lt(term.y, LINES_MAX);
    term.count = MAX(term.count, term.y + 1);
}

static void term_put(const char *text, const struct glyph *glyph)
{
    int width = glyph->width - (glyph->uncertain ? term.narrow : 0);

    if (term.pending || term.x + width > term.columns) {
        term.joined[term.y] = term.pending;
        term_down();
        term.x = 0;
    }
    term.pending = false;
    for (int i = 0; i < width; i++)
        term.cells[term.y][term.x + i][0] = '\0';
    memcpy(term.cells[term.y][term.x], text, glyph->size);
    term.cells[term.y][term.x][glyph->size] = '\0';
    term.x += width;
    if (term.x >= term.columns) {
        term.x = term.columns - 1;
        term.pending = true;
    }
}

static void term_clear_from(int x, int y)
{
    for (int i = x; i < COLUMNS_MAX; i++)
        term.cells[y][i][0] = '\0';
    term.joined[y] = false;
}

static size_t term_escape(const char *text)
{
    char *end;
    long number = strtol(text + 2, &end, 10), count = MAX(number, 1);

    ck_assert_int_eq(text[1], '[');
    if (*end == ';' || *end == 'm') { /* looks: 0, and what is on again */
        term.dim = term.reverse = false;
        for (; *end != 'm'; end++) {
            term.dim |= end[0] == ';' && end[1] == '2' && (end[2] == 'm' || end[2] == ';');
            term.reverse |= end[0] == ';' && end[1] == '7';
        }
        return (size_t)(end - text) + 1;
    }
    term.pending = false;
    if (*end == 'A') {
        ck_assert_int_ge(term.y - (int)count, term_top()); /* never above the screen */
        term.y -= (int)count;
    } else if (*end == 'C') {
        term.x = MIN(term.x + (int)count, term.columns - 1);
    } else if (*end == 'K') {
        term_clear_from(term.x, term.y);
    } else if (*end == 'J') {
        term_clear_from(term.x, term.y);
        for (int y = term.y + 1; y < term.count; y++)
            term_clear_from(0, y);
    } else {
        ck_abort_msg("CSI %c", *end);
    }
    return (size_t)(end - text) + 1;
}

static void term_feed(struct gb_bytes bytes)
{
    const char *text = (const char *)bytes.data;

    term.bytes += bytes.size;
    for (size_t at = 0; at < bytes.size;) {
        struct glyph glyph;

        if (text[at] == '\033') {
            at += term_escape(text + at);
        } else if (text[at] == '\r') {
            term.x = 0;
            term.pending = false;
            at++;
        } else if (text[at] == '\n') {
            term.pending = false;
            term_down();
            at++;
        } else {
            size_t size = glyph_next((struct gb_bytes){bytes.data + at, bytes.size - at}, &glyph);

            ck_assert(!glyph.hidden); /* a control character, or no UTF-8 */
            term_put(text + at, &glyph);
            at += size;
        }
    }
}

/* As terminals do that wrap anew: joined rows are one line. */
static void term_resize(int columns, int rows)
{
    static char lines[LINES_MAX][COLUMNS_MAX][CELL_BYTES];
    static bool joined[LINES_MAX];
    int count = term.count, old = term.columns, cursor_y = term.y;
    int cursor_x = term.x + (term.pending ? 1 : 0);

    memcpy(lines, term.cells, sizeof(lines));
    memcpy(joined, term.joined, sizeof(joined));
    memset(term.cells, 0, sizeof(term.cells));
    memset(term.joined, 0, sizeof(term.joined));
    term.columns = columns;
    term.rows = rows;
    term.x = term.y = 0;
    term.pending = false;
    term.count = 1;
    for (int y = 0; y < count; y++) {
        int end = old;

        while (end > 0 && lines[y][end - 1][0] == '\0')
            end--;
        for (int x = 0; x <= (y == cursor_y ? MAX(end, cursor_x) : end); x++) {
            struct glyph glyph = {.text = " ", .size = 1, .width = 1};

            if (y == cursor_y && x == cursor_x)
                cursor_x = -1 - (term.x + (term.pending ? 1 : 0)), cursor_y = -1 - term.y;
            if (x < end) {
                ck_assert_msg(lines[y][x][0] != '\0', "the model wraps no wide characters anew");
                (void)glyph_next(gb_bytes_str(lines[y][x]), &glyph);
                term_put(lines[y][x], &glyph);
            }
        }
        if (!joined[y] && y + 1 < count) {
            term.pending = false;
            term_down();
            term.x = 0;
        }
    }
    ck_assert_int_lt(cursor_y, 0);
    term.y = -1 - cursor_y;
    term.x = -1 - cursor_x;
    if (term.x >= columns) {
        term.y += term.x / columns;
        term.x %= columns;
        term.count = MAX(term.count, term.y + 1);
    }
    term.pending = false;
}

/* Line @y of all, without what is empty behind it. */
static const char *term_line(int y)
{
    static struct gb_buf text;
    int end = term.columns;

    gb_buf_clear(&text);
    while (end > 0 && (term.cells[y][end - 1][0] == '\0' || term.cells[y][end - 1][0] == ' '))
        end--;
    for (int x = 0; x < end; x++) {
        bool half = x > 0 && term.cells[y][x][0] == '\0' && term.cells[y][x - 1][0] != '\0';

        gb_buf_adds(&text, term.cells[y][x][0] != '\0' ? term.cells[y][x] : half ? "" : " ");
    }
    return gb_buf_str(&text);
}

/* All lines that are not empty at the end, each with a newline. */
static const char *term_text(void)
{
    static struct gb_buf text;

    gb_buf_clear(&text);
    for (int y = 0; y < term.count; y++)
        gb_buf_addf(&text, "%s\n", term_line(y));
    while (text.size > 1 && gb_buf_data(&text)[text.size - 2] == '\n')
        text.size--;
    return gb_buf_str(&text);
}

static struct prompt_view view_of(const char *text, size_t cursor)
{
    return (struct prompt_view){.text = text, .size = strlen(text), .cursor = cursor};
}

static size_t feed(void)
{
    size_t size = out.size;

    term_feed(gb_buf_bytes(&out));
    gb_buf_clear(&out);
    return size;
}

static size_t paint_view(const struct prompt_view *view)
{
    redisplay_paint(&shown, &look, view, &out);
    return feed();
}

/* The cursor is where @text has a '^', which is not a part of it. Gives the bytes written. */
static size_t paint(const char *text)
{
    size_t cursor = strcspn(text, "^"), size;
    char *plain =
        xasprintf("%.*s%s", (int)cursor, text, text[cursor] == '^' ? text + cursor + 1 : "");
    struct prompt_view view = view_of(plain, cursor);

    size = paint_view(&view);
    free(plain);
    return size;
}

static void finish(const char *text)
{
    struct prompt_view view = view_of(text, 0);

    redisplay_finish(&shown, &look, &view, &out);
    (void)feed();
}

static void is_shown(const char *text, int x, int y)
{
    ck_assert_str_eq(term_text(), text);
    ck_assert_int_eq(term.x, x);
    ck_assert_int_eq(term.y, y);
}

static void setup(void)
{
    term_open(20, 8);
}

static void teardown(void)
{
    redisplay_release(&shown);
    gb_buf_release(&out);
}

START_TEST(test_what_differs_is_written)
{
    (void)paint("^");
    is_shown(">>>\n", 4, 0);
    (void)paint("a^");
    ck_assert_uint_eq(paint("ab^"), 1);
    ck_assert_uint_eq(paint("ab^"), 0);
    is_shown(">>> ab\n", 6, 0);
    (void)paint("a^b");
    is_shown(">>> ab\n", 5, 0);
    (void)paint("aXY^b");
    is_shown(">>> aXYb\n", 7, 0);
    (void)paint("a^");
    is_shown(">>> a\n", 5, 0);
}
END_TEST

START_TEST(test_lines_have_prompts)
{
    (void)paint("def f(x):\n    return x^");
    is_shown(">>> def f(x):\n...     return x\n", 16, 1);
    (void)paint("def^ f(x):\n    return x");
    is_shown(">>> def f(x):\n...     return x\n", 7, 0);
    (void)paint("def f(x):\n\n  y\n  return x^");
    is_shown(">>> def f(x):\n...\n...   y\n...   return x\n", 14, 3);
    (void)paint("x^");
    is_shown(">>> x\n", 5, 0);
    finish("x");
    is_shown(">>> x\n", 0, 1);
}
END_TEST

START_TEST(test_long_lines_wrap)
{
    (void)paint("0123456789012345^"); /* a full row: the cursor is in the next one */
    is_shown(">>> 0123456789012345\n", 0, 1);
    (void)paint("01234567890123456^");
    is_shown(">>> 0123456789012345\n6\n", 1, 1);
    ck_assert(term.joined[0]); /* one line, for who copies it */
    (void)paint("012345678901234^56");
    is_shown(">>> 0123456789012345\n6\n", 19, 0);
    (void)paint("^01234567890123456");
    (void)paint("x^01234567890123456");
    is_shown(">>> x012345678901234\n56\n", 5, 0);
    (void)paint("x^");
    is_shown(">>> x\n", 5, 0);
    finish("0123456789012345");
    is_shown(">>> 0123456789012345\n", 0, 1);
}
END_TEST

START_TEST(test_wide_characters_and_clusters)
{
    (void)paint("日本^語");
    is_shown(">>> 日本語\n", 8, 0);
    (void)paint("012345678901234日^"); /* no half of it at the edge */
    is_shown(">>> 012345678901234\n日\n", 2, 1);
    (void)paint("^日本");
    (void)paint("a^日本");
    is_shown(">>> a日本\n", 5, 0);
    (void)paint("e\xcc\x81^x"); /* e and its accent are one */
    ck_assert_int_eq(term.x, 5);
    (void)paint("a\tb^");
    is_shown(">>> a   b\n", 9, 0);
    (void)paint("a\x1b[2J\xc3(\x07^"); /* what cannot be shown */
    is_shown(">>> a␛[2J�(␇\n", 12, 0);
}
END_TEST

/* Terminals that take some characters for narrower than we do show what follows where we think. */
START_TEST(test_uncertain_widths)
{
    term.narrow = 1;
    (void)paint("a\xf0\x9f\x8e\x89"
                "bc^");
    ck_assert_int_eq(term.x, 4 + 1 + 2 + 2);
    ck_assert_str_eq(term.cells[0][7], "b");
    (void)paint("a\xf0\x9f\x8e\x89"
                "b^c");
    (void)paint("a\xf0\x9f\x8e\x89"
                "bX^c");
    ck_assert_str_eq(term.cells[0][8], "X");
    ck_assert_int_eq(term.x, 9);
}
END_TEST

START_TEST(test_a_search_takes_the_place_of_the_prompt)
{
    struct prompt_view view = view_of("def f():\n  pass", 4);

    view.search = "(reverse-i-search)`f': ";
    look.columns = term.columns = 40;
    (void)paint_view(&view);
    is_shown("(reverse-i-search)`f': def f():\n...   pass\n", 27, 0);
    (void)paint("def f():\n  pass^");
    is_shown(">>> def f():\n...   pass\n", 10, 1);
}
END_TEST

START_TEST(test_a_suggestion_stands_behind_the_text)
{
    struct prompt_view view = view_of("imp", 3);

    view.suggestion = "ort os";
    (void)paint_view(&view);
    is_shown(">>> import os\n", 7, 0);
    view.suggestion = "ort something of that kind";
    (void)paint_view(&view);
    is_shown(">>> import something\n", 7, 0); /* never more than the row */
    view.suggestion = "ort a\nimport b";
    (void)paint_view(&view);
    is_shown(">>> import a ↵…\n", 7, 0);
    finish("imp");
    is_shown(">>> imp\n", 0, 1);
}
END_TEST

static struct prompt_match matches[30];

static struct prompt_view matching(const char *text, size_t count, size_t selected)
{
    struct prompt_view view = view_of(text, strlen(text));
    static char names[ARRAY_SIZE(matches)][32];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "name%02zu", i);
        matches[i] = (struct prompt_match){names[i], i == 1 ? "module" : ""};
    }
    view.matches = matches;
    view.match_count = count;
    view.selected = selected;
    return view;
}

START_TEST(test_matches_stand_below)
{
    struct prompt_view view = matching("na", 3, 1);

    (void)paint_view(&view);
    is_shown(">>> na\n  name00\n  name01  module\n  name02\n", 6, 0);
    view.selected = 2;
    ck_assert_uint_gt(paint_view(&view), 0);
    is_shown(">>> na\n  name00\n  name01  module\n  name02\n", 6, 0);
    (void)paint("name02^");
    is_shown(">>> name02\n", 10, 0);
    view = matching("na", 30, 9); /* half of the screen at most, and the selected one is there */
    (void)paint_view(&view);
    is_shown(">>> na\n  name07\n  name08\n  name09\n  10 of 30\n", 6, 0);
    finish("na");
    is_shown(">>> na\n", 0, 1);
}
END_TEST

START_TEST(test_a_description_stands_below_the_matches)
{
    struct prompt_view view = matching("na", 2, 0);

    view.describes = true;
    view.signature = "(a, b=1)";
    view.summary = "Adds them.";
    (void)paint_view(&view);
    is_shown(">>> na\n  name00\n  name01  module\n  name00(a, b=1)\n  Adds them.\n", 6, 0);
    view.selected = 1;
    view.signature = "FILE [more]"; /* of a shell */
    view.summary = "\033[31mred\a"; /* shown, not obeyed */
    (void)paint_view(&view);
    is_shown(">>> na\n  name00\n  name01  module\n  name01 FILE [more]\n  ␛[31mred␇\n", 6, 0);
    view.signature = "(漢字, 漢字!)";
    view.summary = "More of it than there is room for.";
    (void)paint_view(&view);
    is_shown(">>> na\n  name00\n  name01  module\n  name01(漢字, 漢字…\n"
             "  More of it than t…\n",
             6, 0);
    view.signature = view.summary = ""; /* not known yet: its room is kept */
    (void)paint_view(&view);
    is_shown(">>> na\n  name00\n  name01  module\n", 6, 0);
    (void)paint("na^");
    is_shown(">>> na\n", 6, 0);
    finish("na");
    is_shown(">>> na\n", 0, 1);
    /* Not where the rows are few. */
    term_open(20, 6);
    view = matching("na", 2, 0);
    view.describes = true;
    view.signature = "()";
    view.summary = "Does it.";
    redisplay_forget(&shown);
    (void)paint_view(&view);
    is_shown(">>> na\n  name00\n  name01  module\n", 6, 0);
}
END_TEST

/* Below everything, and gone without a trace. */
START_TEST(test_a_note)
{
    struct prompt_view view = matching("na", 3, 1);

    look.note = "starting, 0.2 s";
    (void)paint_view(&view);
    is_shown(">>> na\n  name00\n  name01  module\n  name02\nstarting, 0.2 s\n", 6, 0);
    (void)paint("na^");
    is_shown(">>> na\nstarting, 0.2 s\n", 6, 0);
    look.note = "starting, 0.3 s";
    ck_assert_uint_lt(paint("na^"), 40); /* only what differs */
    is_shown(">>> na\nstarting, 0.3 s\n", 6, 0);
    (void)paint("na\nb^");
    is_shown(">>> na\n... b\nstarting, 0.3 s\n", 5, 1);
    look.note = NULL;
    (void)paint("na\nb^");
    is_shown(">>> na\n... b\n", 5, 1);
    look.note = "starting, 0.4 s";
    (void)paint("na\nb^");
    finish("na\nb");
    is_shown(">>> na\n... b\n", 0, 2);
}
END_TEST

/* At the bottom of the screen, what is shown below the text moves up what is above it. */
START_TEST(test_at_the_bottom)
{
    struct prompt_view view = matching("na", 3, 0);

    term_feed(gb_bytes_str("1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n"));
    (void)paint_view(&view);
    is_shown("1\n2\n3\n4\n5\n6\n7\n>>> na\n  name00\n  name01  module\n  name02\n", 6, 7);
    ck_assert_int_eq(term_top(), 3);
    (void)paint("na^");
    is_shown("1\n2\n3\n4\n5\n6\n7\n>>> na\n", 6, 7);
    (void)paint("na\nb\nc^");
    is_shown("1\n2\n3\n4\n5\n6\n7\n>>> na\n... b\n... c\n", 5, 9);
}
END_TEST

static char *numbers(int count)
{
    struct gb_buf text = {0};

    for (int i = 0; i < count; i++)
        gb_buf_addf(&text, "%s%d", i > 0 ? "\n" : "", i);
    return gb_buf_take_str(&text);
}

START_TEST(test_more_lines_than_the_screen_has)
{
    _cleanup_(freep) char *text = numbers(30);
    struct prompt_view view = view_of(text, strlen(text));
    struct gb_buf whole = {0};

    term_feed(gb_bytes_str("before\r\n"));
    (void)paint_view(&view);
    ck_assert_str_eq(term_line(term.count - 1), "... 29");
    ck_assert_int_le(term.count, 1 + term.rows); /* what is not in sight has not scrolled by */
    view.cursor = 0;
    (void)paint_view(&view);
    ck_assert_str_eq(term_line(term.y), ">>> 0");
    view.cursor = strlen(text);
    (void)paint_view(&view);
    finish(text); /* and then all of it does */
    gb_buf_adds(&whole, "before\n");
    for (int i = 0; i < 30; i++)
        gb_buf_addf(&whole, "%s %d\n", i == 0 ? ">>>" : "...", i);
    is_shown(gb_buf_str(&whole), 0, 31);
    gb_buf_release(&whole);
}
END_TEST

START_TEST(test_others_write_between)
{
    (void)paint("one\ntwo^");
    redisplay_erase(&shown, &out);
    gb_buf_adds(&out, "output\r\n");
    (void)feed();
    is_shown("output\n", 0, 1);
    (void)paint("one\ntwo^");
    is_shown("output\n>>> one\n... two\n", 7, 2);
}
END_TEST

/* Wherever the cursor stands, at each width after each other one. */
START_TEST(test_a_window_of_another_size)
{
    static const char text[] =
        "first line that is rather long\nsecond\n\nthe last one is long, too";
    const int width = _i + 6;

    for (int other = 6; other < 50; other += 7) {
        for (size_t cursor = 0; cursor < sizeof(text); cursor += 9) {
            struct prompt_view view = view_of(text, cursor);
            char *alone;

            redisplay_forget(&shown);
            term_open(other, 40);
            (void)paint_view(&view);
            alone = xstrdup(term_text());
            redisplay_forget(&shown);
            term_open(width, 40);
            term_feed(gb_bytes_str("above\r\n"));
            (void)paint_view(&view);
            term_resize(other, 40);
            look.columns = other;
            redisplay_resized(&shown, &look, &out);
            (void)feed();
            (void)paint_view(&view);
            ck_assert_str_eq(strchr(term_text(), '\n') + 1, alone);
            ck_assert_str_eq(term_line(0), "above");
            free(alone);
        }
    }
}
END_TEST

/* The rows of @view, by the rules and without regard to what was there. */
static char *rows_of(const struct prompt_view *view)
{
    struct gb_buf rows = {0};
    int x = 4;

    gb_buf_adds(&rows, look.first);
    for (size_t at = 0; at < view->size;) {
        struct glyph glyph;
        size_t size;

        if (view->text[at] == '\n') {
            if (at == view->cursor && x == look.columns) /* the cursor has a row of its own */
                gb_buf_adds(&rows, "\n");
            gb_buf_addf(&rows, "\n%s", look.more);
            x = 4;
            at++;
            continue;
        }
        size = glyph_next((struct gb_bytes){(const uint8_t *)view->text + at, view->size - at},
                          &glyph);
        if (x + glyph.width > look.columns) {
            gb_buf_adds(&rows, "\n");
            x = 0;
        }
        gb_buf_add(&rows, glyph.text, glyph.size);
        x += glyph.width;
        at += size;
    }
    gb_buf_adds(&rows, "\n");
    return gb_buf_take_str(&rows);
}

static void trim_ends(char *text)
{
    char *to = text;

    for (char *at = text; *at != '\0'; at++) {
        if (*at == '\n')
            while (to > text && to[-1] == ' ')
                to--;
        *to++ = *at;
    }
    *to = '\0';
    while (to - text > 1 && to[-2] == '\n')
        *--to = '\0';
}

/* Whatever is inserted and removed wherever: the screen is that of the text painted alone. */
START_TEST(test_any_sequence_of_texts)
{
    static const char *const pieces[] = {"a", "bc", " ", "\n", "日", "x\ny", "0123456789012345678"};
    char text[400] = "";
    size_t size = 0;

    srandom((unsigned)_i + 1);
    term_open(11 + _i, 60);
    for (int step = 0; step < 150; step++) {
        const char *piece = pieces[(size_t)random() % ARRAY_SIZE(pieces)];
        size_t at = (size_t)random() % (size + 1), count = strlen(piece);
        struct prompt_view view;
        char *expected;

        while (at < size && ((unsigned char)text[at] & 0xc0) == 0x80)
            at++;
        if (size + count < 150 && random() % 5 != 0) {
            memmove(text + at + count, text + at, size - at + 1);
            memcpy(text + at, piece, count);
            size += count;
            at += count;
        } else {
            size = at;
            text[size] = '\0';
        }
        view = view_of(text, at);
        (void)paint_view(&view);
        expected = rows_of(&view);
        trim_ends(expected);
        ck_assert_str_eq(term_text(), expected);
        free(expected);
    }
}
END_TEST

START_TEST(test_a_terminal_without_sequences)
{
    struct prompt_view view = matching("na", 2, 0);

    look.dumb = true;
    (void)paint("abc^");
    (void)paint("a^bc");
    is_shown(">>> abc\n", 5, 0);
    (void)paint("a^");
    is_shown(">>> a\n", 5, 0);
    (void)paint("a:^");
    (void)paint("a:\n  b^");
    is_shown(">>> a:\n...   b\n", 7, 1);
    finish("a:\n  b");
    is_shown(">>> a:\n...   b\n", 0, 2);
    (void)paint_view(&view);
    is_shown(">>> a:\n...   b\n\nname00  name01\n>>> na\n", 6, 4);
}
END_TEST

START_TEST(test_colours)
{
    char *words[] = {(char[]){"if"}};
    const struct gb_language language = {
        .highlight = {.lexer = (char[]){"python"}, .keywords = {words, 1}}};
    struct prompt_view view = view_of("if x:", 5);

    look.language = &language;
    look.colour = true;
    redisplay_paint(&shown, &look, &view, &out);
    ck_assert_str_eq(gb_buf_str(&out), ">>> \033[0;35mif\033[0m x:");
    gb_buf_clear(&out);
    redisplay_forget(&shown);
    look.colour = false;
    view.suggestion = " y";
    redisplay_paint(&shown, &look, &view, &out);
    ck_assert_str_eq(gb_buf_str(&out), ">>> if x:\033[0;2m y\033[0m\r\033[9C");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("editor/redisplay");
    TCase *tc = tcase_create("redisplay");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_what_differs_is_written);
    tcase_add_test(tc, test_lines_have_prompts);
    tcase_add_test(tc, test_long_lines_wrap);
    tcase_add_test(tc, test_wide_characters_and_clusters);
    tcase_add_test(tc, test_uncertain_widths);
    tcase_add_test(tc, test_a_search_takes_the_place_of_the_prompt);
    tcase_add_test(tc, test_a_suggestion_stands_behind_the_text);
    tcase_add_test(tc, test_matches_stand_below);
    tcase_add_test(tc, test_a_description_stands_below_the_matches);
    tcase_add_test(tc, test_a_note);
    tcase_add_test(tc, test_at_the_bottom);
    tcase_add_test(tc, test_more_lines_than_the_screen_has);
    tcase_add_test(tc, test_others_write_between);
    tcase_add_loop_test(tc, test_a_window_of_another_size, 0, 40);
    tcase_add_loop_test(tc, test_any_sequence_of_texts, 0, 12);
    tcase_add_test(tc, test_a_terminal_without_sequences);
    tcase_add_test(tc, test_colours);
    suite_add_tcase(suite, tc);
    return check_run(suite);
}
