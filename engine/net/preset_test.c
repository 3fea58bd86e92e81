/* SPDX-License-Identifier: Apache-2.0 */
#include "net/preset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"

enum { PYTHON, NODE };

static const struct {
    const char *file, *rules; /* NULL: an address is none */
} pip[] = {
    {"", ""},
    {"index-url = https://a.example/\n", ""}, /* in no section */
    {"[global]\nindex-url = https://a.example/simple\n", "allow a.example :443 tls\n"},
    {"[install]\r\nindex_url=http://A.example:8080\r\n", "allow a.example :8080 http\n"},
    {"[list]\nindex-url = https://a.example/\n", ""},
    {"[global]\n# index-url = https://a.example/\ntimeout = 5\n", ""},
    {"[global]\nindex-url = https://me:p@ss@a.example/\n", "allow a.example :443 tls\n"},
    {"[global]\nextra-index-url =\n    https://a.example\n    http://b.example/x\ntimeout = 3\n",
     "allow a.example :443 tls\nallow b.example :80 http\n"},
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
    ck_assert_str_eq(gb_buf_str(&rules), "allow a.example :443 tls\n"
                                         "allow b.example :4873 http\n");
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
    const struct gb_preset_known known = {0};
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
    ck_assert_int_eq(gb_preset_rules(PYTHON, &known, &rules, &err), 0);
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&rules), "allow a.example :443 tls\n"));
    gb_buf_clear(&rules);
    ck_assert_int_eq(setenv("PIP_INDEX_URL", "ftp://a.example", 1), 0);
    ck_assert_int_eq(gb_preset_rules(PYTHON, &known, &rules, &err), -GB_EINVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "pip"));
    ck_assert_int_eq(gb_preset_number(gb_bytes_str("ruby")), -1);
    ck_assert_int_eq(gb_preset_number(gb_bytes_str("python")), PYTHON);
    ck_assert_int_eq(gb_preset_number(gb_bytes_str("node")), NODE);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(remove(folder), 0);
    gb_buf_release(&rules);
}
END_TEST

/* A host with no configuration, or with that of a variable. */
static void configure(const char *pip_index, const char *npm_index)
{
    static const char *const variables[] = {"PIP_INDEX_URL",       "PIP_EXTRA_INDEX_URL",
                                            "PIP_CONFIG_FILE",     "NPM_CONFIG_REGISTRY",
                                            "npm_config_registry", "NPM_CONFIG_USERCONFIG"};

    ck_assert_int_eq(setenv("HOME", "/nonexistent", 1), 0);
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        ck_assert_int_eq(unsetenv(variables[i]), 0);
    if (pip_index != NULL)
        ck_assert_int_eq(setenv("PIP_INDEX_URL", pip_index, 1), 0);
    if (npm_index != NULL)
        ck_assert_int_eq(setenv("NPM_CONFIG_REGISTRY", npm_index, 1), 0);
}

static const char pip_says[] =
    "\n"
    "Package Index Options:\n"
    "  -i, --index-url <url>       Base URL of the Index (default https://a.example/simple). This "
    "should point to a repository (default http://not.example/).\n"
    "  --extra-index-url <url>     Extra URLs (default http://nor.example/)\n"
    "1 location(s) to search for versions of pip:\n"
    "* https://a.example/simple/pip/\n"
    "  Found link https://files.example/1/pip-1.tar.gz (from https://a.example/simple/pip/), "
    "version: 1\n"
    "  Found link https://files.example/2/pip-2.tar.gz (from https://a.example/simple/pip/), "
    "version: 2\n"
    "  Found link http://a.example:8080/pip-3.tar.gz (from https://a.example/simple/pip/)\n"
    "  Found link file:///etc/passwd (from https://a.example/simple/pip/)\n"
    "  Skipping link: no: https://skipped.example/pip (from https://a.example/simple/pip/)\n";

START_TEST(what_pip_says)
{
    const struct gb_preset_known known = {.said = gb_bytes_str(pip_says)};
    struct gb_buf text = {0};
    struct gb_err err = {0};

    configure(NULL, NULL);
    ck_assert_int_eq(gb_preset_rules(PYTHON, &known, &text, &err), 0);
    if (access("/etc/pip.conf", F_OK) < 0)
        ck_assert_str_eq(gb_buf_str(&text),
                         "allow a.example :443 tls\nallow files.example :443 tls\n"
                         "allow a.example :8080 http\n");
    gb_buf_clear(&text);
    ck_assert_int_eq(gb_preset_index(PYTHON, gb_bytes_str(pip_says), &text, &err), 0);
    ck_assert_str_eq(gb_buf_str(&text), "https://a.example/simple");
    gb_buf_clear(&text);
    configure("https://own.example/simple", NULL); /* comes first; its files are where it says */
    ck_assert_int_eq(gb_preset_index(PYTHON, gb_bytes_str(pip_says), &text, &err), 0);
    ck_assert_str_eq(gb_buf_str(&text), "https://own.example/simple");
    gb_buf_clear(&text);
    ck_assert_int_eq(gb_preset_rules(PYTHON, &known, &text, &err), 0);
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&text), "allow own.example :443 tls\n"));
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&text), "allow files.example :443 tls\n"));
    gb_buf_release(&text);
}
END_TEST

START_TEST(what_npm_says)
{
    const struct gb_bytes said = gb_bytes_str("https://a.example/x/\n"
                                              "https://files.example:8443/npm.tgz\nundefined\n");
    const struct gb_preset_known known = {.said = said};
    struct gb_buf text = {0};
    struct gb_err err = {0};

    configure(NULL, NULL);
    ck_assert_int_eq(gb_preset_rules(NODE, &known, &text, &err), 0);
    ck_assert_str_eq(gb_buf_str(&text),
                     "allow a.example :443 tls\nallow files.example :8443 tls\n");
    gb_buf_clear(&text);
    ck_assert_int_eq(gb_preset_index(NODE, said, &text, &err), 0);
    ck_assert_str_eq(gb_buf_str(&text), "https://a.example/x/");
    gb_buf_release(&text);
}
END_TEST

/* Indexes that have no public address are to be had at the one that they have, and so are hosts of
 * files that are at the same address and port. */
START_TEST(an_index_at_a_private_address)
{
    struct gb_preset_known known = {.said = gb_bytes_str(pip_says),
                                    .places = gb_bytes_str("a.example.org 10.0.0.9\n"
                                                           "files.example 10.0.0.1\n"
                                                           "a.example 10.0.0.1 fd00::1\n")};
    struct gb_buf rules = {0};
    struct gb_err err = {0};

    if (access("/etc/pip.conf", F_OK) == 0)
        return;
    configure(NULL, NULL);
    ck_assert_int_eq(gb_preset_rules(PYTHON, &known, &rules, &err), 0);
    ck_assert_str_eq(gb_buf_str(&rules),
                     "allow a.example :443 tls private\nresolve a.example 10.0.0.1 fd00::1\n"
                     "allow files.example :443 tls private\nresolve files.example 10.0.0.1\n"
                     "allow a.example :8080 http\n"); /* named by the index only, another port */
    gb_buf_clear(&rules);
    known.places = gb_bytes_str("a.example 10.0.0.1\nfiles.example 10.0.0.1 10.0.0.2\n");
    ck_assert_int_eq(gb_preset_rules(PYTHON, &known, &rules, &err), 0);
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&rules), "allow files.example :443 tls\n"));
    gb_buf_clear(&rules);
    known.places = gb_bytes_str("files.example 10.0.0.1\n"); /* the index is a public one */
    ck_assert_int_eq(gb_preset_rules(PYTHON, &known, &rules, &err), 0);
    ck_assert_ptr_null(strstr(gb_buf_str(&rules), "private"));
    gb_buf_clear(&rules);
    configure(NULL, "http://own.example:4873/");
    known = (struct gb_preset_known){.places = gb_bytes_str("own.example 192.168.1.2\n")};
    ck_assert_int_eq(gb_preset_rules(NODE, &known, &rules, &err), 0);
    ck_assert_str_eq(gb_buf_str(&rules), "allow own.example :4873 http private\n"
                                         "resolve own.example 192.168.1.2\n");
    gb_buf_release(&rules);
}
END_TEST

/* An index that says that its files are everywhere, and one that nobody knows. */
START_TEST(an_index_has_its_bounds)
{
    struct gb_preset_known known = {0};
    struct gb_buf said = {0}, rules = {0};
    struct gb_bytes line, rest;
    struct gb_err err = {0};
    int count = 0;

    configure(NULL, NULL);
    for (int i = 0; i < 1000; i++)
        gb_buf_addf(&said, "  Found link https://f%d.example/x (from y)\n", i);
    known.said = gb_buf_bytes(&said);
    ck_assert_int_eq(gb_preset_rules(PYTHON, &known, &rules, &err), 0);
    rest = gb_buf_bytes(&rules);
    while (gb_bytes_line(&rest, &line))
        count++;
    ck_assert_int_eq(count, 8);
    gb_buf_clear(&rules);
    gb_buf_clear(&said);
    known.said = gb_buf_bytes(&said);
    ck_assert_int_eq(gb_preset_rules(NODE, &known, &rules, &err), -GB_EINVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "npm"));
    ck_assert_int_eq(gb_preset_index(NODE, gb_buf_bytes(&said), &rules, &err), -GB_ENOTFOUND);
    configure(NULL, "https://me:word@a.example/");
    ck_assert_int_eq(gb_preset_index(NODE, gb_buf_bytes(&said), &rules, &err), -GB_EUNSUPPORTED);
    gb_buf_release(&rules);
    gb_buf_release(&said);
}
END_TEST

static int add_variable(void *arg, const char *name, struct gb_bytes value)
{
    gb_buf_addf(arg, "%s=%.*s\n", name, (int)value.size, (const char *)value.data);
    return 0;
}

START_TEST(variables_of_a_guest)
{
    struct gb_buf text = {0};

    (void)gb_preset_variables(PYTHON, gb_bytes_str("https://a.example/s"), add_variable, &text);
    (void)gb_preset_variables(PYTHON, gb_bytes_str("http://a.example:81/s"), add_variable, &text);
    (void)gb_preset_variables(NODE, gb_bytes_str("http://a.example/"), add_variable, &text);
    ck_assert_str_eq(gb_buf_str(&text), "PIP_INDEX_URL=https://a.example/s\n"
                                        "PIP_INDEX_URL=http://a.example:81/s\n"
                                        "PIP_TRUSTED_HOST=a.example:81\n"
                                        "NPM_CONFIG_REGISTRY=http://a.example/\n");
    gb_buf_release(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("preset");
    TCase *tests = tcase_create("all");

    tcase_add_loop_test(tests, files_of_pip, 0, (int)ARRAY_SIZE(pip));
    tcase_add_test(tests, files_of_npm);
    tcase_add_test(tests, this_host);
    tcase_add_test(tests, what_pip_says);
    tcase_add_test(tests, what_npm_says);
    tcase_add_test(tests, an_index_at_a_private_address);
    tcase_add_test(tests, an_index_has_its_bounds);
    tcase_add_test(tests, variables_of_a_guest);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
