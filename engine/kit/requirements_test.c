/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/requirements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"

static char path[64];
static struct gb_err err;

static void begin(void)
{
    int fd;

    (void)snprintf(path, sizeof(path), "/tmp/requirementsXXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    (void)gb_close(fd);
    err = (struct gb_err){0};
}

static void end(void)
{
    (void)unlink(path);
}

/* What is put for @value, as JSON. */
static int put(const char *value, const char *wanted)
{
    struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};
    int r;

    gb_json_array(&out, NULL);
    r = requirements_put(value, &out, &err);
    gb_json_end(&out);
    ck_assert_str_eq(gb_buf_str(&text), wanted);
    gb_buf_release(&text);
    return r;
}

START_TEST(words)
{
    ck_assert_int_eq(put("alpha", "[\"alpha\"]"), 0);
    ck_assert_int_eq(put("  alpha==1  @types/node ", "[\"alpha==1\",\"@types/node\"]"), 0);
    ck_assert_int_eq(put("@types/node", "[\"@types/node\"]"), 0);
    ck_assert_int_eq(put("", "[]"), 0);
}
END_TEST

START_TEST(lines_of_a_file)
{
    static const char text[] = "# for a test\nalpha==1.0  # the old one\r\n\n \t\n"
                               "beta>=1,<2 \\\n    --hash=sha256:00 \\\n  --hash=sha256:11\n"
                               "gamma#1\n  delta";

    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(text), 0600, &err), 0);
    ck_assert_int_eq(put(path, "[\"alpha==1.0\",\"beta>=1,<2 --hash=sha256:00 --hash=sha256:11\","
                               "\"gamma#1\",\"delta\"]"),
                     0);
}
END_TEST

START_TEST(what_is_a_file)
{
    ck_assert(requirements_is_file("requirements.txt"));
    ck_assert(requirements_is_file("./requirements"));
    ck_assert(requirements_is_file("/a folder/b.txt"));
    ck_assert(!requirements_is_file(".txt"));
    ck_assert(!requirements_is_file("@types/node"));
    ck_assert(!requirements_is_file("alpha @types/node"));
    ck_assert(!requirements_is_file("alpha==1.0"));
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
    char *large = xcalloc(256 * 1024 + 2, 1);

    memset(large, 'x', 256 * 1024 + 1);
    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(large), 0600, &err), 0);
    free(large);
    ck_assert_int_eq(put(path, "[]"), -GB_ETOOLARGE);
    ck_assert_int_lt(put("/nonexistent/requirements.txt", "[]"), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent/requirements.txt"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("requirements");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, words);
    tcase_add_test(tests, lines_of_a_file);
    tcase_add_test(tests, what_is_a_file);
    tcase_add_test(tests, files_that_cannot_be_read);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
