/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <string.h>

#include "check_run.h"

static struct gb_bytes bytes(const char *s)
{
    return gb_bytes_str(s);
}

START_TEST(valid_text)
{
    static const char *const good[] = {"", "a", "naïve", "€", "😀", "\xf4\x8f\xbf\xbf", "12345678é"};
    static const char *const bad[] = {"\xff",     "\xc0\x80",    "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe2\x82", "1234567\x80", "\xc3("};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        ck_assert_msg(gb_utf8_valid(bytes(good[i])), "good %zu", i);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!gb_utf8_valid(bytes(bad[i])), "bad %zu", i);
}
END_TEST

START_TEST(unfinished_tail)
{
    ck_assert_uint_eq(gb_utf8_unfinished(bytes("abc")), 0);
    ck_assert_uint_eq(gb_utf8_unfinished(bytes("abc\xe2")), 1);
    ck_assert_uint_eq(gb_utf8_unfinished(bytes("abc\xe2\x82")), 2);
    ck_assert_uint_eq(gb_utf8_unfinished(bytes("abc€")), 0);
    ck_assert_uint_eq(gb_utf8_unfinished(bytes("\xf0\x9f\x98")), 3);
    ck_assert_uint_eq(gb_utf8_unfinished(bytes("\x80\x80\x80")), 0);
    ck_assert_uint_eq(gb_utf8_unfinished(bytes("a\xed\xa0")), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("utf8");
    TCase *all = tcase_create("all");

    tcase_add_test(all, valid_text);
    tcase_add_test(all, unfinished_tail);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
