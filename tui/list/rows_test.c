/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of sessions of two servers, which have the same ids. */
#include "list/rows.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"

static struct store here = {.name = "near", .rank = 0}, there = {.name = "far", .rank = 1};

/* s-1 and its fork s-2 on both, and one that runs there. */
static struct session sessions[] = {
    {.store = &there, .id = "s-1", .label = "b", .state = SESSION_IDLE, .order = 1},
    {.store = &there,
     .id = "s-2",
     .label = "d",
     .parent = "s-1",
     .state = SESSION_IDLE,
     .order = 2},
    {.store = &there, .id = "s-3", .label = "e", .state = SESSION_RUNNING, .order = 3},
    {.store = &here, .id = "s-1", .label = "a", .state = SESSION_IDLE, .order = 1},
    {.store = &here, .id = "s-2", .label = "c", .parent = "s-1", .state = SESSION_IDLE, .order = 2},
};

static struct rows rows;

static void teardown(void)
{
    rows_release(&rows);
    for (size_t i = 0; i < ARRAY_SIZE(sessions); i++)
        sessions[i].offline = false;
}

/* The labels in their order; the name of a group in brackets. */
static const char *built(const struct rows_config *config)
{
    static char text[256];
    struct session *all[ARRAY_SIZE(sessions)];

    for (size_t i = 0; i < ARRAY_SIZE(sessions); i++)
        all[i] = &sessions[i];
    rows_build(&rows, all, ARRAY_SIZE(sessions), config, 1000);
    text[0] = '\0';
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *row = &rows.rows[i];

        if (row->session == NULL)
            (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "[%s]", row->group);
        else
            (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s",
                           row->session->label);
    }
    return text;
}

START_TEST(test_sorted_by_host)
{
    struct rows_config config = {.sort = COLUMN_HOST};

    ck_assert_str_eq(built(&config), "acbde");
    config.reverse = true;
    ck_assert_str_eq(built(&config), "edbca");
}
END_TEST

START_TEST(test_one_list_of_all)
{
    const struct rows_config by_name = {.sort = COLUMN_NAME}, by_state = {.sort = COLUMN_STATE};

    ck_assert_str_eq(built(&by_name), "abcde");
    ck_assert_str_eq(built(&by_state), "eabcd"); /* what runs, then as they came */
}
END_TEST

/* A fork belongs to the session of its own host, not to that with the same id on the other. */
START_TEST(test_in_groups)
{
    struct rows_config config = {.sort = COLUMN_NAME, .grouping = GROUP_HOST};

    ck_assert_str_eq(built(&config), "[near]ac[far]bde");
    ck_assert_uint_eq(rows.rows[2].depth, 2);
    config.grouping = GROUP_IMAGE; /* one group */
    ck_assert_str_eq(built(&config), "[]acbde");
    ck_assert_uint_eq(rows.rows[4].depth, 2);
}
END_TEST

START_TEST(test_filter_by_host)
{
    static const struct {
        const char *filter, *rows;
    } cases[] = {
        {"host:near", "ac"},       {"host=far", "bde"},   {"host=fa", "bde"}, {"host!=far", "ac"},
        {"host=near or b", "abc"}, {"!host=near", "bde"}, {"far", "bde"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct rows_config config = {.sort = COLUMN_NAME};

        ck_assert_int_eq(filter_parse(gb_bytes_str(cases[i].filter), &config.filter, NULL), 0);
        ck_assert_str_eq(built(&config), cases[i].rows);
    }
}
END_TEST

/* They stay, behind those that can be used, and can be looked for. */
START_TEST(test_a_lost_link)
{
    struct rows_config config = {.sort = COLUMN_STATE};

    for (size_t i = 0; i < 3; i++)
        sessions[i].offline = true;
    ck_assert_str_eq(built(&config), "acbde");
    ck_assert_int_eq(filter_parse(gb_bytes_str("state=offline"), &config.filter, NULL), 0);
    ck_assert_str_eq(built(&config), "bde");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list");
    TCase *tests = tcase_create("rows");

    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_add_test(tests, test_sorted_by_host);
    tcase_add_test(tests, test_one_list_of_all);
    tcase_add_test(tests, test_in_groups);
    tcase_add_test(tests, test_filter_by_host);
    tcase_add_test(tests, test_a_lost_link);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
