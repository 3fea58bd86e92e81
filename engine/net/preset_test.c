/* SPDX-License-Identifier: Apache-2.0 */
#include "net/preset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"

static const struct {
    const char *file, *rules; /* NULL: an address is none */
} pip[] = {
    {"", ""},
    {"index-url = https://a.example/\n", ""}, /* in no section */
    {"[global]\nindex-url = https://a.example/simple\n", "allow a.example :443 tls private\n"},
    {"[install]\r\nindex_url=http://A.example:8080\r\n", "allow a.example :8080 http private\n"},
    {"[list]\nindex-url = https://a.example/\n", ""},
    {"[global]\n# index-url = https://a.example/\ntimeout = 5\n", ""},
    {"[global]\nindex-url = https://me:p@ss@a.example/\n", "allow a.example :443 tls private\n"},
    {"[global]\nextra-index-url =\n    https://a.example\n    http://b.example/x\ntimeout = 3\n",
     "allow a.example :443 tls private\nallow b.example :80 http private\n"},
    {"[global]\nindex-url = file:///srv\n", NULL},
    {"[global]\nindex-url = https://a.example:0/\n", NULL},
    {"[global]\nindex-url = https://a.example:99999/\n", NULL},
    {"[global]\nindex-url = https://\n", NULL},
    {"[global]\nindex-url = https://a b\n", NULL},
};

START_TEST(files_of_pip)
{
    struct gb_buf rules = {0};
    bool good = gb_preset_read_pip(gb_bytes_str(pip[_i].file), &rules);

    ck_assert_msg(good == (pip[_i].rules != NULL), "%s", pip[_i].file);
    if (good)
        ck_assert_str_eq(gb_buf_str(&rules), pip[_i].rules);
    gb_buf_release(&rules);
}
END_TEST

START_TEST(files_of_npm)
{
    struct gb_buf rules = {0};

    ck_assert(gb_preset_read_npm(gb_bytes_str("; mine\nregistry=https://a.example/x/\n"
                                              "@own:registry = \"http://b.example:4873\"\n"
                                              "//a.example/:_authToken=https://c.example\n"
                                              "audit-registry=https://d.example/\n"),
                                 &rules));
    ck_assert_str_eq(gb_buf_str(&rules), "allow a.example :443 tls private\n"
                                         "allow b.example :4873 http private\n");
    ck_assert(!gb_preset_read_npm(gb_bytes_str("registry=a.example\n"), &rules));
    gb_buf_release(&rules);
}
END_TEST

/* What the host says, each time anew. */
START_TEST(this_host)
{
    static const char *const variables[] = {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL",
                                            "PIP_CONFIG_FILE"};
    char folder[] = "/tmp/glassbell-preset-test-XXXXXX";
    _cleanup_(freep) char *path = NULL;
    struct gb_buf rules = {0};
    struct gb_err err = {0};

    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = xasprintf("%s/pip.conf", folder);
    ck_assert_int_eq(setenv("HOME", folder, 1), 0);
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        ck_assert_int_eq(unsetenv(variables[i]), 0);
    ck_assert_int_eq(setenv("PIP_CONFIG_FILE", path, 1), 0);
    ck_assert_int_eq(gb_fd_replace_file(path,
                                        gb_bytes_str("[global]\nindex-url = https://a.example/\n"),
                                        0600, &err),
                     0);
    ck_assert_int_eq(gb_preset_rules(gb_bytes_str("python"), &rules, &err), 1);
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&rules), "allow a.example :443 tls private\n"));
    gb_buf_clear(&rules);
    ck_assert_int_eq(setenv("PIP_INDEX_URL", "ftp://a.example", 1), 0);
    ck_assert_int_eq(gb_preset_rules(gb_bytes_str("python"), &rules, &err), -GB_EINVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "pip"));
    ck_assert_int_eq(gb_preset_rules(gb_bytes_str("ruby"), &rules, &err), 0);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(remove(folder), 0);
    gb_buf_release(&rules);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("preset");
    TCase *tests = tcase_create("all");

    tcase_add_loop_test(tests, files_of_pip, 0, (int)ARRAY_SIZE(pip));
    tcase_add_test(tests, files_of_npm);
    tcase_add_test(tests, this_host);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
