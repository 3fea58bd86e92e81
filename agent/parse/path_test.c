/* SPDX-License-Identifier: Apache-2.0 */
#include "parse/path.h"

#include <string.h>

#include "check_run.h"

static struct path path;

static int parse(const char *text)
{
    return path_parse(gb_bytes_str(text), "/home/user", &path, NULL);
}

START_TEST(test_accepted)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"a", "a"},
        {"a/b", "a/b"},
        {".", "."},
        {"/home/user", "."},
        {"/home/user/", "."},
        {"/home/user/a", "a"},
        {"/home/user//a/b", "a/b"},
        {"a/../b", "a/../b"}, /* the kernel's to judge */
        {"a..b/..c", "a..b/..c"},
        {" ", " "},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_int_eq(parse(cases[i].from), 0);
        ck_assert_str_eq(path.text, cases[i].to);
        ck_assert_uint_eq(path.size, strlen(cases[i].to));
    }
}
END_TEST

START_TEST(test_refused)
{
    char text[GB_PATH_MAX + 2];

    ck_assert_int_eq(parse(""), -GB_EINVALID);
    ck_assert_int_eq(parse("/"), -GB_EPOLICY);
    ck_assert_int_eq(parse("/etc/passwd"), -GB_EPOLICY);
    ck_assert_int_eq(parse("/home/user2"), -GB_EPOLICY);
    ck_assert_int_eq(parse("//home/user"), -GB_EPOLICY);
    ck_assert_int_eq(parse(".."), -GB_EPOLICY);
    ck_assert_int_eq(parse("../a"), -GB_EPOLICY);
    ck_assert_int_eq(parse("a/../../b"), -GB_EPOLICY);
    ck_assert_int_eq(parse("./.."), -GB_EPOLICY);
    ck_assert_int_eq(parse("/home/user/../x"), -GB_EPOLICY);
    ck_assert_int_eq(
        path_parse((struct gb_bytes){(const uint8_t *)"a\0b", 3}, "/home/user", &path, NULL),
        -GB_EPOLICY);
    memset(text, 'n', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ck_assert_int_eq(parse(text), -GB_ETOOLARGE);
    text[256] = '\0';
    ck_assert_int_eq(parse(text), -GB_ETOOLARGE);
    text[255] = '\0';
    ck_assert_int_eq(parse(text), 0);
}
END_TEST

START_TEST(test_longest)
{
    char text[GB_PATH_MAX + 1];

    for (size_t i = 0; i < GB_PATH_MAX; i++)
        text[i] = i % 2 == 0 ? 'd' : '/';
    text[GB_PATH_MAX - 1] = 'f';
    text[GB_PATH_MAX] = '\0';
    ck_assert_int_eq(parse(text), 0);
    ck_assert_uint_eq(path.size, GB_PATH_MAX);
    ck_assert_str_eq(path_split(&path), "df");
}
END_TEST

START_TEST(test_split)
{
    ck_assert_int_eq(parse("a/b/c"), 0);
    ck_assert_str_eq(path_split(&path), "c");
    ck_assert_str_eq(path.text, "a/b");
    ck_assert_int_eq(parse("c"), 0);
    ck_assert_str_eq(path_split(&path), "c");
    ck_assert_str_eq(path.text, ".");
    ck_assert_int_eq(parse("a/.."), 0);
    ck_assert_ptr_null(path_split(&path));
    ck_assert_int_eq(parse("a/"), 0);
    ck_assert_ptr_null(path_split(&path));
    ck_assert_int_eq(parse("."), 0);
    ck_assert_ptr_null(path_split(&path));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("path");
    TCase *all = tcase_create("all");

    tcase_add_test(all, test_accepted);
    tcase_add_test(all, test_refused);
    tcase_add_test(all, test_longest);
    tcase_add_test(all, test_split);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
