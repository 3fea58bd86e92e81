/* SPDX-License-Identifier: Apache-2.0 */
#include "model/undone.h"

#include "base/mem.h"
#include "check_run.h"

static const char *const right[] = {
    "", "1", "7", "4-12", "4-12,15", "1,3,5-6,4294967295", "1-4294967294", "4294967294-4294967295",
};

START_TEST(takes_ranges_that_rise)
{
    struct gb_undone at = gb_undone_of(gb_bytes_str(right[_i]));
    struct gb_buf again = {0};

    ck_assert(gb_undone_is_text(gb_bytes_str(right[_i])));
    while (gb_undone_next(&at))
        gb_undone_add(&again, at.first, at.last);
    ck_assert(!at.is_bad);
    ck_assert_str_eq(gb_buf_str(&again), right[_i]);
    gb_buf_release(&again);
}
END_TEST

static const char *const wrong[] = {
    "0",
    "01",
    "-",
    "1-",
    "-1",
    "1-1",
    "2-1",
    ",",
    "1,",
    ",1",
    "1,,3",
    "1,2",
    "1-3,4",
    "3,1",
    "1-3,2",
    "1 ",
    " 1",
    "+1",
    "1-2-3",
    "1;3",
    "0-3",
    "1-03",
    "1\n",
    "a",
    "1,a",
    "4294967296",
    "1-4294967296",
    "5,5",
    "99999999999999999999999999",
};

START_TEST(refuses_all_else)
{
    ck_assert_msg(!gb_undone_is_text(gb_bytes_str(wrong[_i])), "%s", wrong[_i]);
}
END_TEST

START_TEST(has_what_is_in_it)
{
    const struct gb_bytes text = gb_bytes_str("2-4,7,9-10");

    for (uint32_t cell = 0; cell < 12; cell++)
        ck_assert_int_eq(gb_undone_has(text, cell),
                         (cell >= 2 && cell <= 4) || cell == 7 || cell == 9 || cell == 10);
    ck_assert(!gb_undone_has(gb_bytes_str(""), 1));
}
END_TEST

START_TEST(is_bounded)
{
    struct gb_buf text = {0};

    for (uint32_t i = 1; i <= GB_UNDONE_RANGES_MAX; i++)
        gb_undone_add(&text, 2 * i, 2 * i);
    ck_assert(gb_undone_is_text(gb_buf_bytes(&text)));
    gb_undone_add(&text, UINT32_MAX, UINT32_MAX);
    ck_assert(!gb_undone_is_text(gb_buf_bytes(&text)));
    gb_buf_release(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("undone");
    TCase *tests = tcase_create("undone");

    tcase_add_loop_test(tests, takes_ranges_that_rise, 0, (int)ARRAY_SIZE(right));
    tcase_add_loop_test(tests, refuses_all_else, 0, (int)ARRAY_SIZE(wrong));
    tcase_add_test(tests, has_what_is_in_it);
    tcase_add_test(tests, is_bounded);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
