/* SPDX-License-Identifier: Apache-2.0 */
/* Which cells are undone, against a tree of moments that remember their cells themselves. */
#include "past/lives.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"
#include "model/undone.h"

static void is_undone(const struct gb_lives *lives, uint64_t epoch, uint32_t cells,
                      const char *expected)
{
    struct gb_buf text = {0};

    gb_lives_undone(lives, epoch, cells, &text);
    ck_assert_str_eq(gb_buf_str(&text), expected);
    ck_assert(gb_undone_is_text(gb_buf_bytes(&text)));
    gb_buf_release(&text);
}

START_TEST(back_and_forth)
{
    struct gb_lives lives = {0};

    is_undone(&lives, 1, 0, "");
    is_undone(&lives, 1, 12, "");
    gb_lives_begin(&lives, 1, 3, 12); /* undo to behind 3 */
    is_undone(&lives, 2, 12, "4-12");
    ck_assert_uint_eq(gb_lives_last_cell(&lives, 2, 12), 3);
    is_undone(&lives, 2, 14, "4-12");
    ck_assert_uint_eq(gb_lives_last_cell(&lives, 2, 14), 14);
    gb_lives_begin(&lives, 1, 12, 14); /* redo what was left */
    is_undone(&lives, 3, 14, "13-14");
    ck_assert_uint_eq(gb_lives_last_cell(&lives, 3, 14), 12);
    gb_lives_begin(&lives, 2, 13, 15); /* and the other branch again */
    is_undone(&lives, 4, 16, "4-12,14-15");
    gb_lives_begin(&lives, 1, 0, 16); /* before the first */
    is_undone(&lives, 5, 16, "1-16");
    ck_assert_uint_eq(gb_lives_last_cell(&lives, 5, 16), 0);
    gb_lives_begin(&lives, 5, 0, 16); /* a moment at which there was nothing new */
    is_undone(&lives, 6, 17, "1-16");
    gb_lives_release(&lives);
}
END_TEST

/* Back from a moment by one cell after the other, through the lives that led to it. */
START_TEST(cell_by_cell)
{
    struct gb_lives lives = {0};
    static const uint32_t expected[] = {15, 13, 3, 2, 1, 0};
    uint64_t epoch = 4;
    uint32_t cell = 15;

    gb_lives_begin(&lives, 1, 3, 12);  /* 13 and 14 follow 3 */
    gb_lives_begin(&lives, 2, 13, 14); /* 15 follows 13 */
    gb_lives_begin(&lives, 3, 15, 15); /* nothing new follows it */
    ck_assert(gb_lives_before(&lives, true, &epoch, &cell));
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        ck_assert_uint_eq(cell, expected[i]);
        ck_assert_int_eq(gb_lives_before(&lives, false, &epoch, &cell),
                         i + 1 < ARRAY_SIZE(expected));
    }
    gb_lives_release(&lives);
}
END_TEST

enum { CELLS = 200, MOMENTS = 120 };

/* A moment, as a session would be at it. */
struct moment {
    uint64_t epoch;
    uint32_t cell;
    bool has[CELLS + 1];
};

static void compare(const struct gb_lives *lives, const struct moment *now, uint32_t cells)
{
    struct gb_buf text = {0};
    uint32_t last = 0, wrong = 0;

    gb_lives_undone(lives, now->epoch, cells, &text);
    ck_assert(gb_undone_is_text(gb_buf_bytes(&text)));
    for (uint32_t cell = 1; cell <= cells; cell++) {
        wrong += gb_undone_has(gb_buf_bytes(&text), cell) == now->has[cell];
        last = now->has[cell] ? cell : last;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(gb_lives_last_cell(lives, now->epoch, cells), last);
    gb_buf_release(&text);
}

START_TEST(random_walks_in_a_tree)
{
    struct moment *moments = xcalloc(MOMENTS, sizeof(*moments)), now = {.epoch = 1};
    struct gb_lives lives = {0};
    uint32_t cells = 0;

    srand((unsigned)_i);
    for (size_t count = 0; count < MOMENTS && cells < CELLS - 5;) {
        for (int more = rand() % 4; more > 0; more--)
            now.has[++cells] = true;
        compare(&lives, &now, cells);
        now.cell = gb_lives_last_cell(&lives, now.epoch, cells);
        moments[count++] = now;
        if (rand() % 2 == 0) {
            const uint64_t epoch = lives.count + 2;

            now = moments[(size_t)rand() % count];
            gb_lives_begin(&lives, now.epoch, now.cell, cells);
            now.epoch = epoch;
            compare(&lives, &now, cells);
        }
    }
    gb_lives_release(&lives);
    free(moments);
}
END_TEST

START_TEST(too_many_are_the_newest)
{
    struct gb_lives lives = {0};
    struct gb_buf text = {0};
    uint64_t epoch = 1;
    uint32_t cells = 0;

    /* Of two cells the second is undone, again and again. */
    for (int i = 0; i < GB_UNDONE_RANGES_MAX + 50; i++, epoch++, cells += 2)
        gb_lives_begin(&lives, epoch, cells + 1, cells + 2);
    gb_lives_undone(&lives, epoch, cells, &text);
    ck_assert(gb_undone_is_text(gb_buf_bytes(&text)));
    ck_assert_uint_le(text.size, GB_UNDONE_TEXT_MAX);
    ck_assert(gb_undone_has(gb_buf_bytes(&text), cells));
    ck_assert(!gb_undone_has(gb_buf_bytes(&text), cells - 1));
    ck_assert(gb_undone_has(gb_buf_bytes(&text), 102));
    ck_assert(!gb_undone_has(gb_buf_bytes(&text), 100));
    gb_buf_release(&text);
    gb_lives_release(&lives);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lives");
    TCase *tests = tcase_create("lives");

    tcase_add_test(tests, back_and_forth);
    tcase_add_test(tests, cell_by_cell);
    tcase_add_loop_test(tests, random_walks_in_a_tree, 0, 12);
    tcase_add_test(tests, too_many_are_the_newest);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
