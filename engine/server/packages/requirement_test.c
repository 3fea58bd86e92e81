/* SPDX-License-Identifier: Apache-2.0 */
#include "server/packages/requirement.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "check_run.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(packages_are_taken)
{
    static const char *const good[] = {
        "six",
        "six==1.16.0",
        "Six >= 1.16, < 2",
        "zope.interface~=5.0",
        "requests[socks,security]==2.31.0",
        "ruamel-yaml!=0.17; python_version < \"3.12\"",
        "six==1.16.0 --hash=sha256:" SHA,
        "six==1.16.0    --hash=sha256:" SHA " --hash=sha256:" SHA,
        "left-pad@1.3.0",
        "left-pad@^1.3",
        "left-pad@latest",
        "@scope/name",
        "@scope/name@~2.0.0 --hash=sha512:ab+/cd==",
        "six==1.0.*",
        "a",
        "torch==2.0+cpu",
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct gb_err err = {0};

        ck_assert_msg(requirement_check(gb_bytes_str(good[i]), &err) == 0, "%s: %s", good[i],
                      err.message);
    }
}
END_TEST

START_TEST(everything_else_is_refused)
{
    static const char *const bad[] = {
        "",
        " ",
        " six",
        "-e .",
        "-r other.txt",
        "--index-url https://a.example/",
        "--pre",
        "six --index-url=x",
        "six==1.0 --pre",
        "six==1.0 -e",
        "six; python_version < \"3\" --pre",
        "six==1.16.0 --hash=sha256:" SHA " --pre",
        "six --hash=" SHA,
        "six --hash=sha256:",
        "six@https://a.example/six.whl",
        "six @ file:///etc/passwd",
        "git+https://a.example/six",
        "./six",
        "../six",
        "/etc/passwd",
        "user/repo",
        "npm:six",
        "file:six",
        "six\nother",
        "six\\",
        "six#egg",
        "six`id`",
        "six$(id)",
        "six 1.0",
        "@scope",
        "@/name",
        "@scope/",
        "six[",
        "six[a",
        ".six",
        "six-",
        "s\xc3\xafx",
        "six==1.0\t--pre",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct gb_err err = {0};

        ck_assert_msg(requirement_check(gb_bytes_str(bad[i]), &err) == -GB_EINVALID, "%s", bad[i]);
    }
    ck_assert_int_eq(requirement_check((struct gb_bytes){(const uint8_t *)"six\0a", 5}, NULL),
                     -GB_EINVALID);
}
END_TEST

START_TEST(the_length_has_a_limit)
{
    char line[GB_PACKAGE_MAX + 2];

    memset(line, 'a', sizeof(line));
    ck_assert_int_eq(
        requirement_check((struct gb_bytes){(const uint8_t *)line, GB_PACKAGE_MAX}, NULL), 0);
    ck_assert_int_eq(
        requirement_check((struct gb_bytes){(const uint8_t *)line, GB_PACKAGE_MAX + 1}, NULL),
        -GB_EINVALID);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("requirement");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, packages_are_taken);
    tcase_add_test(tests, everything_else_is_refused);
    tcase_add_test(tests, the_length_has_a_limit);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
