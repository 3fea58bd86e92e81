/* SPDX-License-Identifier: Apache-2.0 */
/* Packages of sessions, which are long: they fill no segment that begins, and outlive those that
 * are removed. */
#include "journal/testing.h"

#include "base/limits.h"

enum { SESSIONS = 20, CELLS = 100 };

static char packages[GB_PACKAGES_LOCK_MAX + 1];

static const char *name(int i)
{
    static char id[16];

    (void)snprintf(id, sizeof(id), "s-%d", i);
    return id;
}

static void tell(const char *id, enum gb_record_state state, size_t size)
{
    const struct gb_record_session record = {
        .state = (uint8_t)state,
        .image = gb_bytes_str("python"),
        .language = gb_bytes_str("python"),
        .packages = {(const uint8_t *)packages, size},
    };

    gb_journal_session(journal, id, 1, &record);
}

static void start(uint64_t size)
{
    memset(packages, 'p', sizeof(packages) - 1);
    close_journal();
    config.size = size;
    open_journal();
}

static int segments(void)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    int count = 0;

    ck_assert_ptr_nonnull(entries);
    while ((entry = readdir(entries)) != NULL)
        count += strstr(entry->d_name, ".gbj") != NULL;
    (void)closedir(entries);
    return count;
}

START_TEST(segments_are_not_filled_by_them)
{
    const size_t large = sizeof(packages) - 1;

    start(4 << 20);
    for (int i = 0; i < SESSIONS; i++)
        tell(name(i), GB_RECORD_OPEN, large);
    for (uint32_t cell = 1; cell <= CELLS; cell++)
        run_cell(name(7), cell, "x", gb_bytes_str("y"));
    ck_assert_uint_le(gb_journal_figures(journal).bytes, (SESSIONS + 2) * large);
    for (int again = 0; again < 2; again++) {
        ck_assert_uint_eq(look(name(7), 0, 60).count, 60);
        ck_assert_uint_eq(look(name(7), 60, 60).count, CELLS - 60);
        for (int i = 0; i < SESSIONS; i++)
            ck_assert_uint_eq(strlen(find(name(i))->packages), large);
        ck_assert_int_le(segments(), 4);
        reopen();
    }
}
END_TEST

/* Also after the segment with their first record has gone, and whatever was told in between. */
START_TEST(they_outlive_their_segment)
{
    static uint8_t block[256 << 10];
    const char *others = "another==1\n";

    start(4 << 20);
    tell("s-kept", GB_RECORD_OPEN, 1000);
    begin("s-without", "key");
    for (uint32_t cell = 1; cell <= 60; cell++) {
        run_cell("s-without", cell, "x", (struct gb_bytes){block, sizeof(block)});
        tell("s-kept", GB_RECORD_OPEN, cell % 2 == 0 ? 1000 : 0);
    }
    memcpy(packages, others, strlen(others));
    tell("s-changed", GB_RECORD_OPEN, 1000);
    tell("s-changed", GB_RECORD_OPEN, strlen(others));
    reopen();
    ck_assert_uint_eq(strlen(find("s-kept")->packages), 1000);
    ck_assert_str_eq(find("s-changed")->packages, others);
    ck_assert_str_eq(find("s-without")->packages, "");
    ck_assert_uint_eq(look("s-without", 0, 60).numbers[0] > 1, 1);
}
END_TEST

/* More than the journal can carry: it still has room for cells, and an end tells them again. */
START_TEST(more_than_can_be_carried)
{
    static uint8_t block[256 << 10];
    const size_t large = sizeof(packages) - 1;
    struct seen seen;

    start(4 << 20);
    for (int i = 0; i < 3 * SESSIONS; i++)
        tell(name(i), GB_RECORD_OPEN, large);
    for (uint32_t cell = 1; cell <= 60; cell++)
        run_cell(name(7), cell, "x", (struct gb_bytes){block, sizeof(block)});
    ck_assert_uint_le(gb_journal_figures(journal).bytes, 2 * config.size);
    seen = look(name(7), 0, 60);
    ck_assert_uint_ge(seen.count, 4);
    ck_assert_uint_eq(seen.numbers[seen.count - 1], 60);
    tell(name(3 * SESSIONS - 1), GB_RECORD_CLOSED, large);
    reopen();
    ck_assert_uint_eq(strlen(find(name(0))->packages), large);
    ck_assert_uint_eq(strlen(find(name(3 * SESSIONS - 1))->packages), large);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("carry");
    TCase *cases = tcase_create("all");

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, segments_are_not_filled_by_them);
    tcase_add_test(cases, they_outlive_their_segment);
    tcase_add_test(cases, more_than_can_be_carried);
    suite_add_tcase(suite, cases);
    return check_run(suite);
}
