/* SPDX-License-Identifier: Apache-2.0 */
/* Lines around those that match, compared with what looking at every line gives: while a text
 * grows, while a cursor moves back in it, and while its oldest lines are dropped. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"

static struct text *text;

static bool finds(const void *arg, struct gb_bytes line, size_t from, size_t *ret_start)
{
    const uint8_t *hit =
        from > line.size ? NULL : memmem(line.data + from, line.size - from, arg, strlen(arg));

    *ret_start = hit == NULL ? 0 : (size_t)(hit - line.data);
    return hit != NULL;
}

static struct text_filter filter;

static void setup(void)
{
    text = text_new(256 << 10);
    filter = (struct text_filter){.finds = finds, .arg = "needle", .key = 1, .budget = SIZE_MAX};
}

static void teardown(void)
{
    text_free(text);
}

static void out(const char *s)
{
    text_feed(text, TEXT_STDOUT, gb_bytes_str(s));
}

static unsigned every; /* so many lines from the first one ever, one matches; 0: look at them */

/* @index may be negative: a line that is no longer kept. */
static bool matches(int64_t index)
{
    struct text_line line;
    size_t start;

    if (every > 0)
        return (index + (int64_t)text_dropped(text)) % every == 0;
    return index >= 0 && text_line(text, (size_t)index, &line) &&
           finds("needle", line.bytes, 0, &start);
}

static void check(unsigned around)
{
    size_t lines = text_lines(text), count = 0, line;

    for (size_t i = 0; i < lines; i++) {
        bool near = false;

        for (int64_t j = (int64_t)i - around; j <= (int64_t)i + around && j < (int64_t)lines; j++)
            near = near || matches(j);
        if (!near)
            continue;
        ck_assert_msg(text_shown_line(text, &filter, around, count, &line) && line == i,
                      "line %zu of %zu, %u around", i, lines, around);
        count++;
    }
    ck_assert_uint_eq(text_shown(text, &filter, around), count);
    ck_assert(!text_shown_line(text, &filter, around, count, &line));
}

START_TEST(edges)
{
    check(3);
    out("needle\n1\n2\n3\n4\n5\n6\nneedle");
    check(1);
    ck_assert_uint_eq(text_shown(text, &filter, 1), 4);
    check(2);
    check(3); /* all of them */
    ck_assert_uint_eq(text_shown(text, &filter, 3), 8);
    check(0);
    check(50);
    out("\rno      \n"); /* what was there is overwritten */
    check(1);
    ck_assert_uint_eq(text_shown(text, &filter, 1), 2);
    text_clear(text);
    ck_assert_uint_eq(text_shown(text, &filter, 1), 0);
    out("x\nneedle\n");
    check(1);
}
END_TEST

START_TEST(as_it_grows)
{
    unsigned around = 2;

    srand(7);
    for (int i = 0; i < 400; i++) {
        char piece[64];

        (void)snprintf(piece, sizeof(piece), "%s %d%s", rand() % 9 == 0 ? "needle" : "hay", i,
                       rand() % 5 > 0 ? "\n" : "\n\n");
        out(piece);
        if (rand() % 7 == 0)
            out("\033[3A\rneedle\033[3B"); /* lines that were there change */
        if (rand() % 11 == 0)
            out("\033[2A\rnothing\033[2B");
        if (rand() % 20 == 0)
            around = (unsigned)rand() % 5;
        if (rand() % 40 == 0)
            text_feed(text, TEXT_STDERR, gb_bytes_str("needle of the other"));
        check(around);
    }
    text_end(text);
    check(around);
}
END_TEST

START_TEST(as_the_oldest_are_dropped)
{
    every = 97;
    for (int i = 0; i < 30; i++) {
        for (int j = 0; j < 400; j++) {
            char line[128];

            (void)snprintf(line, sizeof(line), "%s %d %060d\n",
                           (i * 400 + j) % 97 == 0 ? "needle" : "", j, i);
            out(line);
        }
        if (i % 5 == 4)
            check(2);
    }
    ck_assert_uint_gt(text_dropped(text), 0);
    text_trim(text, 100 << 10);
    check(2);
    every = 0;
}
END_TEST

/* With little budget each, it ends, and has everything then. */
START_TEST(bit_by_bit)
{
    size_t rounds = 0, shown;

    for (int i = 0; i < 2000; i++) {
        char line[64];

        (void)snprintf(line, sizeof(line), "%s %040d\n", i % 31 == 0 ? "needle" : "hay", i);
        out(line);
    }
    do {
        filter.budget = 5000;
        filter.rest = false;
        shown = text_shown(text, &filter, 1);
        ck_assert_uint_lt(rounds++, 1000);
    } while (filter.rest);
    ck_assert_uint_gt(rounds, 1);
    filter.budget = SIZE_MAX;
    ck_assert_uint_eq(shown, text_shown(text, &filter, 1));
    check(1);
    filter.budget = 0; /* all of it is known */
    ck_assert_uint_eq(shown, text_shown(text, &filter, 1));
    ck_assert(!filter.rest);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("around");
    TCase *cases = tcase_create("around");

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, edges);
    tcase_add_test(cases, as_it_grows);
    tcase_add_test(cases, as_the_oldest_are_dropped);
    tcase_add_test(cases, bit_by_bit);
    suite_add_tcase(suite, cases);
    return check_run(suite);
}
