/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "check_run.h"

START_TEST(add_and_consume)
{
    struct gb_buf buf = {0};
    uint8_t next = 0, expected = 0;

    /* A queue that is filled and emptied in odd pieces keeps its bytes in order. */
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < round % 37; i++)
            gb_buf_add_u8(&buf, next++);
        for (int i = 0; i < round % 23 && buf.size > 0; i++) {
            ck_assert_uint_eq(gb_buf_data(&buf)[0], expected++);
            gb_buf_consume(&buf, 1);
        }
    }
    gb_buf_release(&buf);
}
END_TEST

START_TEST(limit_is_held)
{
    struct gb_buf buf = {0};

    ck_assert(gb_buf_try_add(&buf, "12345678", 8, 10));
    ck_assert(!gb_buf_try_add(&buf, "123", 3, 10));
    ck_assert_uint_eq(buf.size, 8);
    ck_assert(gb_buf_try_add(&buf, "12", 2, 10));
    ck_assert_ptr_null(gb_buf_reserve(&buf, SIZE_MAX, SIZE_MAX));
    ck_assert_str_eq(gb_buf_str(&buf), "1234567812");
    gb_buf_release(&buf);
}
END_TEST

START_TEST(take_string_after_consume)
{
    struct gb_buf buf = {0};
    char *s;

    gb_buf_adds(&buf, "hello world");
    gb_buf_consume(&buf, 6);
    s = gb_buf_take_str(&buf);
    ck_assert_str_eq(s, "world");
    ck_assert_uint_eq(buf.size, 0);
    free(s);
}
END_TEST

START_TEST(escape_hides_nothing)
{
    struct gb_buf buf = {0};

    gb_escape(&buf, gb_bytes_str("a\n\x1b[31m\\\xc2\x9bü\xff"), 100);
    ck_assert_str_eq(gb_buf_str(&buf), "a\\x0a\\x1b[31m\\\\\\u009bü\\xff");
    gb_buf_clear(&buf);
    gb_escape(&buf, gb_bytes_str("abcdef"), 3);
    ck_assert_str_eq(gb_buf_str(&buf), "abc…");
    gb_buf_clear(&buf);
    gb_escape(&buf, gb_bytes_str("größe"), 3); /* in the middle of the ö */
    ck_assert_str_eq(gb_buf_str(&buf), "gr…");
    gb_buf_clear(&buf);
    gb_escape(&buf, (struct gb_bytes){(const uint8_t *)"gr\xc3", 3}, 3); /* nothing was cut */
    ck_assert_str_eq(gb_buf_str(&buf), "gr\\xc3");
    gb_buf_release(&buf);
}
END_TEST

START_TEST(text_of_a_fixed_form)
{
    struct gb_bytes text = gb_bytes_str("at 18446744073709551615;7"), rest = gb_bytes_str("300x");
    uint64_t number = 5;

    ck_assert(!gb_bytes_skip(&text, "at  "));
    ck_assert(!gb_bytes_number(&text, UINT64_MAX, &number));
    ck_assert(gb_bytes_skip(&text, "at "));
    ck_assert(!gb_bytes_number(&text, UINT64_MAX - 1, &number));
    ck_assert_uint_eq(number, 5);
    ck_assert(gb_bytes_number(&text, UINT64_MAX, &number));
    ck_assert_uint_eq(number, UINT64_MAX);
    ck_assert(gb_bytes_equal(text, ";7"));
    ck_assert(!gb_bytes_skip(&text, ";7 and more"));
    ck_assert(!gb_bytes_number(&rest, 299, &number));
    ck_assert(gb_bytes_number(&rest, 300, &number));
    ck_assert(gb_bytes_equal(rest, "x"));
    rest = gb_bytes_str("18446744073709551616");
    ck_assert(!gb_bytes_number(&rest, UINT64_MAX, &number));
    rest.size = 0;
    ck_assert(!gb_bytes_number(&rest, UINT64_MAX, &number));
}
END_TEST

START_TEST(errors_keep_their_words)
{
    struct gb_err err = {0};
    char longer[600];

    ck_assert_int_eq(gb_err_set(&err, GB_EPOLICY, "no %s", "way"), -GB_EPOLICY);
    ck_assert_int_eq(gb_err_wrap(&err, -GB_EPOLICY, "opening %s", "x"), -GB_EPOLICY);
    ck_assert_str_eq(err.message, "opening x: no way");
    ck_assert_str_eq(gb_code_kind(GB_EPOLICY), "policy");
    ck_assert_int_eq(gb_code_from_kind("policy"), GB_EPOLICY);
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    (void)gb_err_wrap(&err, -1, "%s", longer);
    (void)gb_err_wrap(&err, -1, "%s", longer);
    ck_assert_uint_lt(strlen(err.message), sizeof(err.message));
    for (int code = GB_OK; code < GB_CODE_COUNT; code++)
        ck_assert_uint_gt(strlen(gb_code_meaning((enum gb_code)code)), 5);
}
END_TEST

START_TEST(lines)
{
    struct gb_bytes text = gb_bytes_str("a\n\nbc\n\n d"), line;
    static const char *const expected[] = {"a", "", "bc", "", " d"};

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        ck_assert(gb_bytes_line(&text, &line));
        ck_assert_uint_eq(line.size, strlen(expected[i]));
        ck_assert(memcmp(line.data, expected[i], line.size) == 0);
    }
    ck_assert(!gb_bytes_line(&text, &line));
    text = gb_bytes_str("last\n");
    ck_assert(gb_bytes_line(&text, &line) && line.size == 4 && !gb_bytes_line(&text, &line));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buf");
    TCase *all = tcase_create("all");

    tcase_add_test(all, lines);
    tcase_add_test(all, add_and_consume);
    tcase_add_test(all, limit_is_held);
    tcase_add_test(all, take_string_after_consume);
    tcase_add_test(all, escape_hides_nothing);
    tcase_add_test(all, text_of_a_fixed_form);
    tcase_add_test(all, errors_keep_their_words);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
