/* SPDX-License-Identifier: Apache-2.0 */
/* Requests with typed answers, and answers that break the protocol. */
#include "session/query.h"

#include "guest/testing.h"
#include "session/session.h"
#include "wire/sync.h"

/* A session, and the last answer. */
struct user {
    struct gb_session *session;
    int opened, closed, answered;
    enum gb_code code; /* GB_OK: it was an answer */
    char text[GB_ERR_MESSAGE_MAX];
    uint64_t number;
    bool more;
};

static void on_opened(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->opened++;
}

static void on_closed(void *arg, const struct gb_err *why)
{
    (void)why;
    ((struct user *)arg)->closed++;
}

static void take(struct user *user, bool has_answer, const struct gb_err *err)
{
    ck_assert_int_eq(has_answer, err == NULL);
    user->answered++;
    user->code = err == NULL ? GB_OK : err->code;
    (void)snprintf(user->text, sizeof(user->text), "%s", err == NULL ? "" : err->message);
}

static void on_status(void *arg, const struct gb_status *status, const struct gb_err *err)
{
    take(arg, status != NULL, err);
    if (status != NULL)
        ((struct user *)arg)->number = status->memory_total;
}

static void on_completions(void *arg, const struct gb_completions *completions,
                           const struct gb_err *err)
{
    take(arg, completions != NULL, err);
}

static void on_page(void *arg, const struct gb_session_page *page, const struct gb_err *err)
{
    struct user *user = arg;

    take(user, page != NULL, err);
    if (page == NULL)
        return;
    user->number = page->count;
    user->more = page->more;
    for (uint32_t i = 0; i < page->count; i++)
        user->text[i] = (char)page->entries[i].name.data[0];
    user->text[page->count] = '\0';
}

static void on_entry(void *arg, const struct gb_file_entry *entry, const struct gb_err *err)
{
    take(arg, entry != NULL, err);
    if (entry != NULL)
        ((struct user *)arg)->text[0] = (char)entry->name.data[0];
}

static void on_done(void *arg, const struct gb_err *err)
{
    take(arg, err == NULL, err);
}

/* ---- the kit ---- */

static void begin(struct user *user, const char *script)
{
    static const struct gb_session_events events = {.opened = on_opened, .closed = on_closed};
    const struct gb_session_config config = {.image = &kit_image};

    *user = (struct user){0};
    kit_play(script);
    ck_assert_int_eq(gb_session_new(&kit_host, &config, &events, user, &user->session, NULL), 0);
    ck_assert_int_eq(gb_session_boot(user->session, NULL), 0);
    kit_wait_for(&user->opened, 1);
}

static void end(struct user *user)
{
    gb_session_close(user->session, "the test is over");
    kit_wait_for(&user->closed, 1);
    kit_settle();
    gb_session_free(user->session);
}

static void list(struct user *user, const char *path, const char *after, uint32_t limit)
{
    const struct gb_file_list what = {
        .path = gb_bytes_str(path), .after = gb_bytes_str(after), .limit = limit};

    user->answered = 0;
    ck_assert_int_eq(gb_session_list_folder(user->session, &what, on_page, user, NULL), 0);
    kit_wait_for(&user->answered, 1);
}

/* ---- tests ---- */

START_TEST(answers_have_types)
{
    const struct gb_file_change change = {.path = gb_bytes_str("x")};
    const uint8_t mark[GB_SYNC_BYTES] = {1};
    struct user user;

    begin(&user, "/honest/nothing/1");
    ck_assert_int_eq(gb_session_status(user.session, 0, on_status, &user, NULL), 0);
    kit_wait_for(&user.answered, 1);
    ck_assert_uint_eq(user.number, 1);
    list(&user, "abc", "", 3);
    ck_assert(user.number == 3 && !user.more);
    ck_assert_str_eq(user.text, "abc");
    list(&user, "bc+", "a", 3);
    ck_assert(user.number == 2 && user.more);
    list(&user, "", "a", 3);
    ck_assert(user.number == 0 && user.code == GB_OK && !user.more);
    ck_assert_int_eq(gb_session_stat_file(user.session, gb_bytes_str("f"), on_entry, &user, NULL),
                     0);
    kit_wait_for(&user.answered, 2);
    ck_assert(user.code == GB_OK && user.text[0] == 'f');
    ck_assert_int_eq(gb_session_remove_file(user.session, &change, on_done, &user, NULL), 0);
    ck_assert_int_eq(gb_session_make_folder(user.session, &change, on_done, &user, NULL), 0);
    for (int how = 0; how < GB_SESSION_NETWORK_COUNT; how++)
        ck_assert_int_eq(gb_session_network(user.session, (enum gb_session_network)how, mark,
                                            on_done, &user, NULL),
                         0);
    ck_assert_int_eq(gb_session_trust(user.session, gb_bytes_str(""), on_done, &user, NULL), 0);
    kit_wait_for(&user.answered, 8);
    ck_assert_int_eq(user.code, GB_OK);
    ck_assert_int_eq(user.closed, 0);
    end(&user);
}
END_TEST

/* What no folder can contain, or was not requested. */
static const struct bad_page {
    const char *path, *after, *message;
} bad_pages[] = {
    {"ba", "", "FILE_ENTRIES is not in order"},
    {"aa", "", "FILE_ENTRIES is not in order"},
    {"bc", "b", "FILE_ENTRIES is not in order"},
    {".", "", "FILE_ENTRIES: a folder is in itself"},
    {"abcd", "", "FILE_ENTRIES is not what was asked for"},
    {"+", "", "FILE_ENTRIES is not what was asked for"},
};

START_TEST(a_bad_page_ends_the_session)
{
    struct user user;

    begin(&user, "/honest/nothing/1");
    list(&user, bad_pages[_i].path, bad_pages[_i].after, 3);
    ck_assert_int_eq(user.code, GB_ECLOSED);
    ck_assert_ptr_nonnull(strstr(user.text, bad_pages[_i].message));
    kit_wait_for(&user.closed, 1);
    gb_session_free(user.session);
}
END_TEST

START_TEST(a_bad_entry_ends_the_session)
{
    struct user user;

    begin(&user, "/honest/nothing/1");
    ck_assert_int_eq(gb_session_stat_file(user.session, gb_bytes_str(_i == 0 ? "ab" : "a+"),
                                          on_entry, &user, NULL),
                     0);
    kit_wait_for(&user.closed, 1);
    ck_assert(user.answered == 1 && user.code == GB_ECLOSED);
    gb_session_free(user.session);
}
END_TEST

START_TEST(bad_fields_end_the_session)
{
    const struct gb_complete what = {.code = gb_bytes_str("x")};
    struct user user;

    begin(&user, "/lies/COMPLETE/1"); /* with a message that has none of its fields */
    ck_assert_int_eq(gb_session_complete(user.session, &what, on_completions, &user, NULL), 0);
    kit_wait_for(&user.closed, 1);
    ck_assert(user.answered == 1 && user.code == GB_ECLOSED);
    ck_assert_ptr_nonnull(strstr(user.text, "the guest broke the protocol"));
    gb_session_free(user.session);
}
END_TEST

START_TEST(errors_are_passed_on)
{
    struct user user;

    begin(&user, "/refuses/STAT/1");
    ck_assert_int_eq(gb_session_status(user.session, 0, on_status, &user, NULL), 0);
    kit_wait_for(&user.answered, 1);
    ck_assert(user.code == GB_EBUSY && user.closed == 0);
    end(&user);
}
END_TEST

/* Nobody is called for a request that was forgotten, or that waits when its session is freed. */
START_TEST(is_not_called_when_forgotten)
{
    struct user user, other = {0};

    begin(&user, "/honest/nothing/1");
    ck_assert_int_eq(gb_session_status(user.session, 0, on_status, &other, NULL), 0);
    ck_assert_int_eq(gb_session_status(user.session, 0, on_status, &user, NULL), 0);
    gb_session_forget(user.session, &other);
    kit_wait_for(&user.answered, 1);
    kit_settle();
    ck_assert_int_eq(other.answered, 0);
    end(&user);
}
END_TEST

START_TEST(fails_when_the_session_ends)
{
    struct user user;
    struct gb_err err = {0};

    begin(&user, "/silent/STAT/1");
    ck_assert_int_eq(gb_session_status(user.session, 0, on_status, &user, NULL), 0);
    gb_session_close(user.session, "enough");
    kit_wait_for(&user.closed, 1);
    ck_assert(user.answered == 1 && user.code == GB_ECLOSED);
    ck_assert_int_eq(gb_session_status(user.session, 0, on_status, &user, &err), -GB_ECLOSED);
    ck_assert_int_eq(user.answered, 1);
    gb_session_free(user.session);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("query");
    TCase *tests = tcase_create("query");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, answers_have_types);
    tcase_add_loop_test(tests, a_bad_page_ends_the_session, 0, (int)ARRAY_SIZE(bad_pages));
    tcase_add_loop_test(tests, a_bad_entry_ends_the_session, 0, 2);
    tcase_add_test(tests, bad_fields_end_the_session);
    tcase_add_test(tests, errors_are_passed_on);
    tcase_add_test(tests, is_not_called_when_forgotten);
    tcase_add_test(tests, fails_when_the_session_ends);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
