/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cell.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "cli/app.h"
#include "cli/language.h"
#include "kit/transfer.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/words.h"

static int status_of(const char *json)
{
    struct gb_json_doc doc = {0};
    char *text = strdup(json);
    struct gb_cell_info cell;
    int status;

    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)text, strlen(text), 100, NULL), 0);
    ck_assert_int_eq(gb_object_read(&gb_cell_object, doc.nodes, &cell, NULL), 0);
    status = cell_exit_status(&cell);
    gb_json_release(&doc);
    free(text);
    return status;
}

START_TEST(exit_statuses)
{
    ck_assert_int_eq(status_of("{\"exit_code\":0,\"signal\":null,\"timed_out\":false}"), 0);
    ck_assert_int_eq(status_of("{\"exit_code\":255}"), 255);
    ck_assert_int_eq(status_of("{\"exit_code\":124}"), 124);
    ck_assert_int_eq(status_of("{\"exit_code\":null,\"signal\":\"SIGKILL\"}"), 137);
    ck_assert_int_eq(status_of("{\"exit_code\":null,\"signal\":\"SIGSEGV\"}"), 139);
    ck_assert_int_eq(status_of("{\"exit_code\":130,\"timed_out\":true}"), 124);
    ck_assert_int_eq(status_of("{\"exit_code\":null,\"signal\":\"SIGKILL\",\"timed_out\":true}"),
                     124);
    ck_assert_int_eq(status_of("{\"exit_code\":130,\"interrupted\":true}"), 130);
    ck_assert_int_eq(status_of("{\"exit_code\":null,\"interrupted\":true}"), 130);
    ck_assert_int_eq(status_of("{\"exit_code\":null,\"oom\":true}"), 137);
    /* Nothing is known of its end. */
    ck_assert_int_eq(status_of("{}"), EXIT_GLASSBELL);
    ck_assert_int_eq(status_of("{\"result_lost\":true}"), EXIT_GLASSBELL);
}
END_TEST

START_TEST(languages)
{
}
END_TEST

static void check_name(const char *remote, const char *expected)
{
    char *name = transfer_local_name(remote);

    if (expected == NULL)
        ck_assert_ptr_null(name);
    else
        ck_assert_str_eq(name, expected);
    free(name);
}

START_TEST(local_names)
{
    check_name("a.txt", "a.txt");
    check_name("/home/user/x/plot.png", "plot.png");
    check_name("x/", "x");
    check_name("..", NULL);
    check_name("a/..", NULL);
    check_name(".", NULL);
    check_name("/", NULL);
    check_name("", NULL);
}
END_TEST

START_TEST(json_is_printed_as_it_was)
{
    static const char text[] = "{\"a\":[1,2.50,{\"b\":null},[]],\"c\":{},\"d\":\"\\u0000\xc3\xa4\","
                               "\"e\":true,\"f\":[[[]],false]}";
    struct gb_json_doc doc = {0};
    struct gb_buf printed = {0};
    struct gb_json_out out = {.buf = &printed};
    char *copy = strdup(text);

    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)copy, strlen(copy), 100, NULL), 0);
    json_print(&out, NULL, &doc.nodes[0]);
    ck_assert_str_eq(gb_buf_str(&printed), text);
    gb_json_release(&doc);
    gb_buf_release(&printed);
    free(copy);
}
END_TEST

START_TEST(sizes_and_ages)
{
    char text[32];

    words_size(text, sizeof(text), 999);
    ck_assert_str_eq(text, "999B");
    words_size(text, sizeof(text), 1500);
    ck_assert_str_eq(text, "1.5K");
    words_size(text, sizeof(text), 12345678);
    ck_assert_str_eq(text, "12M");
    words_size(text, sizeof(text), 999.0 * 1024 * 1024);
    ck_assert_str_eq(text, "999M");
    words_size(text, sizeof(text), 1000.0 * 1024 * 1024);
    ck_assert_str_eq(text, "1.0G");
    words_short_age(text, sizeof(text), -1);
    ck_assert_str_eq(text, "0s");
    words_short_age(text, sizeof(text), 59);
    ck_assert_str_eq(text, "55s");
    words_short_age(text, sizeof(text), 3599);
    ck_assert_str_eq(text, "59m");
    words_short_age(text, sizeof(text), 86399);
    ck_assert_str_eq(text, "23h");
    words_short_age(text, sizeof(text), 1e12);
    ck_assert_str_eq(text, "99999d");
    words_age(text, sizeof(text), 59);
    ck_assert_str_eq(text, "59 s");
    words_age(text, sizeof(text), 600);
    ck_assert_str_eq(text, "10 min");
    words_age(text, sizeof(text), -1);
    ck_assert_str_eq(text, "0 s");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cell");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, exit_statuses);
    tcase_add_test(tests, languages);
    tcase_add_test(tests, local_names);
    tcase_add_test(tests, json_is_printed_as_it_was);
    tcase_add_test(tests, sizes_and_ages);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
