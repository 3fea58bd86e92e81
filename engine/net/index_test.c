/* SPDX-License-Identifier: Apache-2.0 */
#include "net/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"

enum { PYTHON, NODE };

static char folder[64];
static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_indexes *indexes;
static int told;

/* Made-up programs in place of the host's, which notes that it was called. */
static void make_program(const char *name, const char *script)
{
    _cleanup_(freep) char *path = xasprintf("%s/%s", folder, name);
    _cleanup_(freep) char *text =
        xasprintf("#!/bin/sh\necho called >>%s/calls\n%s\n", folder, script);

    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(text), 0700, NULL), 0);
}

static int calls(void)
{
    _cleanup_(freep) char *path = xasprintf("%s/calls", folder);
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_bytes rest, line;
    int count = 0;

    (void)gb_fd_read_file(path, 4096, &text, NULL);
    rest = gb_buf_bytes(&text);
    while (gb_bytes_line(&rest, &line))
        count++;
    return count;
}

static void setup(void)
{
    _cleanup_(freep) char *path = NULL;

    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-index-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = xasprintf("%s:/usr/bin:/bin", folder);
    ck_assert_int_eq(setenv("PATH", path, 1), 0);
    ck_assert_int_eq(setenv("HOME", folder, 1), 0);
    ck_assert_int_eq(unsetenv("PIP_INDEX_URL") | unsetenv("PIP_CONFIG_FILE"), 0);
    uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    indexes = gb_indexes_new(loop);
    told = 0;
}

static void teardown(void)
{
    static const char *const names[] = {"pip", "npm", "calls"};

    gb_indexes_free(indexes);
    gb_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_(freep) char *path = xasprintf("%s/%s", folder, names[i]);

        (void)unlink(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}

static void on_told(void *arg)
{
    (void)arg;
    told++;
}

/* Asks, and waits if that is needed. */
static bool ask(int preset)
{
    struct gb_index_wait wait = {0};
    const int before = told;

    if (gb_indexes_ask(indexes, preset, &wait, on_told, NULL))
        return true;
    ck_assert_int_eq(told, before);
    while (told == before)
        (void)uv_run(&uv, UV_RUN_ONCE);
    return false;
}

static struct gb_bytes said(int preset)
{
    return gb_indexes_known(indexes, preset).said;
}

START_TEST(one_command_for_all_who_ask)
{
    struct gb_index_wait waits[3] = {0};

    make_program("npm", "echo https://a.example/");
    for (int i = 0; i < 3; i++)
        ck_assert(!gb_indexes_ask(indexes, NODE, &waits[i], on_told, NULL));
    gb_indexes_forget(&waits[1]);
    while (told < 2)
        (void)uv_run(&uv, UV_RUN_ONCE);
    ck_assert_int_eq(calls(), 2); /* the command calls it twice */
    ck_assert(gb_bytes_equal(said(NODE), "https://a.example/\nhttps://a.example/\n"));
    ck_assert_uint_eq(said(PYTHON).size, 0);
    ck_assert(ask(NODE)); /* it is known */
    gb_indexes_forget(&waits[0]);
    ck_assert_int_eq(told, 2);
    ck_assert_int_eq(calls(), 2);
}
END_TEST

START_TEST(another_configuration_is_asked_for_anew)
{
    make_program("pip", "echo $1");
    ck_assert(!ask(PYTHON));
    ck_assert(gb_bytes_equal(said(PYTHON), "download\nindex\n"));
    ck_assert(ask(PYTHON));
    ck_assert_int_eq(setenv("PIP_INDEX_URL", "https://other.example/", 1), 0);
    ck_assert(!ask(PYTHON));
    ck_assert(ask(PYTHON));
    ck_assert_int_eq(calls(), 4);
}
END_TEST

/* Programs that fail, that are not there, and that print without end. */
START_TEST(programs_that_say_nothing_useful)
{
    make_program("npm", "exit 3");
    ck_assert(!ask(NODE));
    ck_assert_uint_eq(said(NODE).size, 0);
    make_program("pip", "while :; do echo 0123456789012345678901234567890123456789; done");
    ck_assert(!ask(PYTHON));
    ck_assert_uint_gt(said(PYTHON).size, 1 << 20);
    ck_assert_uint_lt(said(PYTHON).size, 2 << 20);
}
END_TEST

/* The hosts of what was found are looked up, and those that have no public address are noted. */
START_TEST(where_an_index_is)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_bytes places, line;
    int lines = 0;

    make_program("npm", "case $1 in config) echo http://localhost:4873/;; "
                        "*) echo http://nowhere.invalid/x.tgz;; esac");
    ck_assert(!ask(NODE));
    places = gb_indexes_known(indexes, NODE).places;
    gb_buf_add(&text, places.data, places.size);
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&text), "localhost "));
    ck_assert(strstr(gb_buf_str(&text), " 127.0.0.1") != NULL ||
              strstr(gb_buf_str(&text), " ::1") != NULL);
    ck_assert_ptr_null(strstr(gb_buf_str(&text), "nowhere"));
    while (gb_bytes_line(&places, &line))
        lines++;
    ck_assert_int_eq(lines, 1);
}
END_TEST

START_TEST(freed_while_hosts_are_looked_up)
{
    struct gb_index_wait wait = {0};

    make_program("npm", "echo http://localhost/");
    ck_assert(!gb_indexes_ask(indexes, NODE, &wait, on_told, NULL));
    while (gb_indexes_known(indexes, NODE).said.size == 0)
        (void)uv_run(&uv, UV_RUN_ONCE);
    gb_indexes_forget(&wait);
}
END_TEST

/* Whoever frees it while a command runs ends the command. */
START_TEST(freed_while_it_runs)
{
    struct gb_index_wait wait = {0};

    make_program("npm", "exec sleep 1000");
    ck_assert(!gb_indexes_ask(indexes, NODE, &wait, on_told, NULL));
    gb_indexes_forget(&wait);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("index");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, one_command_for_all_who_ask);
    tcase_add_test(tests, another_configuration_is_asked_for_anew);
    tcase_add_test(tests, programs_that_say_nothing_useful);
    tcase_add_test(tests, where_an_index_is);
    tcase_add_test(tests, freed_while_hosts_are_looked_up);
    tcase_add_test(tests, freed_while_it_runs);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
