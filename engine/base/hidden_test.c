/* SPDX-License-Identifier: Apache-2.0 */
#include "hidden.h"

#include "check_run.h"
#include "log.h"
#include "mem.h"

START_TEST(what_hides)
{
    static const uint32_t hidden[] = {
        0,       '\n',   0x1b,    0x7f,    0x80,    0x9b,     0xad,     0x34f,
        0x378,   0x61c,  0x115f,  0x180e,  0x200b,  0x200d,   0x200e,   0x200f,
        0x2028,  0x2029, 0x202a,  0x202e,  0x2060,  0x2066,   0x2069,   0x3164,
        0xfe00,  0xfe0f, 0xfeff,  0xffa0,  0xfff9,  0xffff,   0x1d173,  0x2fffe,
        0x40000, 0xd800, 0xe0001, 0xe0041, 0xe01ef, 0x10ffff, 0x110000, UINT32_MAX,
    };
    static const uint32_t seen[] = {' ',    '~',     0xa0,   0xe9,   0x301,  0x3b1,
                                    0x5d0,  0x627,   0x4e2d, 0xac00, 0x2014, 0x2500,
                                    0x28ff, 0x1f600, 0xe000, 0xfffd};

    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
        ck_assert_msg(gb_hidden(hidden[i]), "U+%04X", hidden[i]);
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
        ck_assert_msg(!gb_hidden(seen[i]), "U+%04X", seen[i]);
}
END_TEST

START_TEST(pictures_stay_whole)
{
    struct gb_buf buf = {0};

    gb_escape(&buf, gb_bytes_str("👩\u200d🚀 ⚠\ufe0f ❤\ufe0f\u200d🔥"), SIZE_MAX);
    ck_assert_str_eq(gb_buf_str(&buf), "👩\u200d🚀 ⚠\ufe0f ❤\ufe0f\u200d🔥");
    gb_buf_clear(&buf);
    gb_escape(&buf, gb_bytes_str("a\u200db\ufe0fc\ufe0f\u200d ⚠\ufe0f\ufe0f \u200d"), SIZE_MAX);
    ck_assert_str_eq(gb_buf_str(&buf), "a\\u200db\\ufe0fc\\ufe0f\\u200d ⚠\ufe0f\\ufe0f \\u200d");
    gb_buf_release(&buf);
}
END_TEST

START_TEST(how_it_is_shown)
{
    struct gb_buf buf = {0};

    gb_escape(&buf,
              gb_bytes_str("lab\u202eel\xc2\x85"
                           "\U000e0041\r\ufeff"),
              SIZE_MAX);
    ck_assert_str_eq(gb_buf_str(&buf), "lab\\u202eel\\u0085\\U000e0041\\x0d\\ufeff");
    gb_buf_release(&buf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hidden");
    TCase *all = tcase_create("all");

    tcase_add_test(all, what_hides);
    tcase_add_test(all, pictures_stay_whole);
    tcase_add_test(all, how_it_is_shown);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
