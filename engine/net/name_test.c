/* SPDX-License-Identifier: Apache-2.0 */
#include "net/name.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"

START_TEST(names_are_brought_to_one_form)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"example.com", "example.com"},
        {"EXAMPLE.Com.", "example.com"},
        {"_srv._tcp.example", "_srv._tcp.example"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"localhost", "localhost"},
        {"3com.com", "3com.com"},
        {"a-b.c1", "a-b.c1"},
        {"1.2.3.com", "1.2.3.com"},
    };
    static const char *const none[] = {"",           ".",          "..",        "a..b",
                                       ".a",         "a b",        "a/b",       "b\xc3\xbc.example",
                                       "-a.example", "a-.example", "127.0.0.1", "0x7f.1",
                                       "2130706433", "10.0x1",     "a.b:80",    "*.example"};
    char name[GB_HOST_NAME_MAX + 1];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ck_assert_msg(gb_name_normalise(gb_bytes_str(cases[i].from), name), "%s", cases[i].from);
        ck_assert_str_eq(name, cases[i].to);
    }
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        ck_assert_msg(!gb_name_normalise(gb_bytes_str(none[i]), name), "%s", none[i]);
}
END_TEST

START_TEST(lengths_have_their_limits)
{
    char text[300], name[GB_HOST_NAME_MAX + 1];

    memset(text, 'a', sizeof(text));
    ck_assert(gb_name_normalise((struct gb_bytes){(uint8_t *)text, 63}, name));
    ck_assert(!gb_name_normalise((struct gb_bytes){(uint8_t *)text, 64}, name));
    for (size_t i = 63; i < sizeof(text); i += 64)
        text[i] = '.';
    ck_assert(gb_name_normalise((struct gb_bytes){(uint8_t *)text, 253}, name));
    ck_assert(!gb_name_normalise((struct gb_bytes){(uint8_t *)text, 254}, name));
}
END_TEST

START_TEST(wildcards_cover_what_is_below)
{
    static const struct {
        const char *pattern, *name;
        bool covers;
    } cases[] = {
        {"example.com", "example.com", true},         {"example.com", "www.example.com", false},
        {"*.example.com", "www.example.com", true},   {"*.example.com", "a.b.example.com", true},
        {"*.example.com", "example.com", false},      {"*.example.com", "evil-example.com", false},
        {"*.example.com", "example.com.evil", false}, {"*", "anything.example", true},
        {"xn--exmple-cua.com", "example.com", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(gb_name_matches(cases[i].pattern, cases[i].name) == cases[i].covers, "%s %s",
                      cases[i].pattern, cases[i].name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("name");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, names_are_brought_to_one_form);
    tcase_add_test(tests, lengths_have_their_limits);
    tcase_add_test(tests, wildcards_cover_what_is_below);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
