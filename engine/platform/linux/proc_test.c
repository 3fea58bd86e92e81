/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from the texts of proc(5). */
#include "platform/linux/proc.h"

#include <unistd.h>

#include "check_run.h"

START_TEST(finds_numbers_behind_any_name)
{
    const struct gb_bytes stat =
        gb_bytes_str("1 (a) b) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99 5\n");
    uint64_t value;

    ck_assert(proc_stat_number(stat, STAT_START, &value));
    ck_assert_uint_eq(value, 99);
    ck_assert(proc_stat_number(stat, STAT_USER, &value));
    ck_assert_uint_eq(value, 5);
    ck_assert(!proc_stat_number(stat, 8, &value)); /* -1 */
    ck_assert(!proc_stat_number(gb_bytes_str("1 (a) S 0 1"), STAT_START, &value));
    ck_assert(!proc_stat_number(gb_bytes_str(""), STAT_START, &value));
}
END_TEST

START_TEST(finds_kilobytes_at_the_start_of_a_line)
{
    const struct gb_bytes text =
        gb_bytes_str("55d-7ff ---p [rollup]\nRss:  8 kB\nSwapPss: 9 kB\n"
                     "Pss:\t 4 kB\nPss: 7 kB\nBig: 99999999999999999999 kB\n"
                     "Last: 3");

    ck_assert_uint_eq(proc_kilobytes(text, "Rss"), 8192);
    ck_assert_uint_eq(proc_kilobytes(text, "Pss"), 4096);
    ck_assert_uint_eq(proc_kilobytes(text, "Last"), 3072);
    ck_assert_uint_eq(proc_kilobytes(text, "Big"), 0);
    ck_assert_uint_eq(proc_kilobytes(text, "Anonymous"), 0);
    ck_assert_uint_eq(proc_kilobytes(gb_bytes_str(""), "Rss"), 0);
}
END_TEST

START_TEST(reads_files_of_a_process)
{
    struct gb_buf own = {0}, named = {0};

    ck_assert_int_eq(proc_read(0, "comm", &own, NULL), 0);
    ck_assert_int_eq(proc_read(getpid(), "comm", &named, NULL), 0);
    ck_assert_str_eq(gb_buf_str(&own), gb_buf_str(&named));
    ck_assert_int_lt(proc_read(0, "none", &own, NULL), 0);
    gb_buf_release(&own);
    gb_buf_release(&named);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proc");
    TCase *tests = tcase_create("proc");

    tcase_add_test(tests, finds_numbers_behind_any_name);
    tcase_add_test(tests, finds_kilobytes_at_the_start_of_a_line);
    tcase_add_test(tests, reads_files_of_a_process);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
