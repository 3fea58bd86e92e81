/* SPDX-License-Identifier: Apache-2.0 */
#include "show/filter.h"

#include <stdlib.h>
#include <string.h>

#include "check_run.h"

/* Whole, and byte by byte: the same must come out. */
static void check_filter(const char *input, size_t size, const char *expected)
{
    for (size_t piece = 1; piece <= size + 1; piece++) {
        struct filter filter = {0};
        struct gb_buf out = {0};

        for (size_t at = 0; at < size; at += piece) {
            size_t n = size - at < piece ? size - at : piece;

            filter_add(&filter, &out, (struct gb_bytes){(const uint8_t *)input + at, n});
        }
        filter_end(&filter, &out);
        ck_assert_str_eq(gb_buf_str(&out), expected);
        gb_buf_release(&out);
    }
}

#define CHECK(input, expected) check_filter(input, sizeof(input) - 1, expected)

START_TEST(plain_text_passes)
{
    CHECK("", "");
    CHECK("hello\tworld\r\n\b", "hello\tworld\r\n\b");
    CHECK("grün 你好 🎉 e\xcc\x81", "grün 你好 🎉 e\xcc\x81");
}
END_TEST

START_TEST(colours_pass_and_are_turned_off)
{
    CHECK("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m");
    CHECK("\x1b[31mred\x1b[m", "\x1b[31mred\x1b[m");
    CHECK("\x1b[1;38:2:1:2:3mx", "\x1b[1;38:2:1:2:3mx\x1b[0m");
}
END_TEST

START_TEST(other_sequences_are_shown)
{
    CHECK("\x1b[2J", "\\x1b[2J");
    CHECK("\x1b]0;title\x07", "\\x1b]0;title\\x07");
    CHECK("\x1b[?25l", "\\x1b[?25l");
    CHECK("\x1b[>4;1m", "\\x1b[>4;1m");
    CHECK("\x1b", "\\x1b");
    CHECK("\x1b[3", "\\x1b[3");
    CHECK("\x1b\x1b[31mx", "\\x1b\x1b[31mx\x1b[0m");
    CHECK("\x1b[31\x1b[32mx", "\\x1b[31\x1b[32mx\x1b[0m");
}
END_TEST

START_TEST(controls_and_bad_bytes_are_shown)
{
    CHECK("a\0b", "a\\x00b");
    CHECK("\x07\x0e\x7f", "\\x07\\x0e\\x7f");
    CHECK("\xc2\x9b"
          "31m",
          "\\u009b31m");
    CHECK("\xff\xfe", "\\xff\\xfe");
    CHECK("\xe4\xbd", "\\xe4\\xbd");
    CHECK("\xe4\xbd"
          "x",
          "\\xe4\\xbdx");
    CHECK("\xe2\x80\xae", "\\u202e");
    CHECK("a\u200bb\u2066c\U000e0041\u00ad", "a\\u200bb\\u2066c\\U000e0041\\u00ad");
    CHECK("👩\u200d🚀\ufe0f", "👩\u200d🚀\ufe0f");
    CHECK("a\u200d", "a\\u200d");
}
END_TEST

START_TEST(endless_sequences_do_not_wait)
{
    char input[300] = "\x1b[";
    struct filter filter = {0};
    struct gb_buf out = {0};

    memset(input + 2, '1', sizeof(input) - 2);
    for (size_t i = 0; i < sizeof(input); i++)
        filter_add(&filter, &out, (struct gb_bytes){(const uint8_t *)input + i, 1});
    ck_assert_uint_ge(out.size, sizeof(input) - FILTER_SGR_MAX);
    ck_assert_int_eq(memcmp(gb_buf_str(&out), "\\x1b[1111", 9), 0);
    gb_buf_release(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("filter");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, plain_text_passes);
    tcase_add_test(tests, colours_pass_and_are_turned_off);
    tcase_add_test(tests, other_sequences_are_shown);
    tcase_add_test(tests, controls_and_bad_bytes_are_shown);
    tcase_add_test(tests, endless_sequences_do_not_wait);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
