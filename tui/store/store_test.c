/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"
#include "store/question.h"

static struct store store;

static void setup(void)
{
    store_init(&store);
    store.subscription = 1;
}

static void teardown(void)
{
    store_release(&store);
}

static void event(const char *kind, const char *rest)
{
    struct gb_json_doc doc = {0};
    char text[1024];

    (void)snprintf(text, sizeof(text), "{\"subscription\":1,\"kind\":\"%s\"%s}", kind, rest);
    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)text, strlen(text), 1000, NULL), 0);
    ck_assert(store_notified(&store, "event", doc.nodes));
    gb_json_release(&doc);
}

static void sample(double at, unsigned megabytes, bool replay)
{
    char rest[256];

    (void)snprintf(rest, sizeof(rest),
                   ",\"at\":%.1f,\"replay\":%s,\"sessions\":[{\"session\":\"s-1\","
                   "\"memory_bytes\":%u,\"cpu_ms\":%.1f}]",
                   at, replay ? "true" : "false", megabytes << 20, at * 100);
    event("sample", rest);
}

static const char one_session[] = ",\"sessions\":[{\"session\":\"s-1\",\"state\":\"idle\","
                                  "\"cells\":%d}],\"cells\":[%s]";

static void snapshot(int cells, const char *running)
{
    char rest[512];

    (void)snprintf(rest, sizeof(rest), one_session, cells, running);
    event("snapshot", rest);
}

/* What is told again after the connection was lost is added once, and at one scale. */
START_TEST(test_figures_after_a_loss)
{
    const struct session *session;

    snapshot(0, "");
    sample(100, 10, true);
    sample(110, 20, true);
    sample(111, 30, false);
    session = store_find(&store, "s-1");
    ck_assert_uint_eq(session->memory.count, 12);
    ck_assert_uint_eq(store.host.memory.count, 12);
    snapshot(0, "");
    sample(100, 10, true);
    sample(110, 20, true);
    sample(120, 40, true);
    sample(121, 50, false);
    ck_assert_uint_eq(session->memory.count, 22);
    ck_assert_uint_eq(store.host.memory.count, 22);
    ck_assert_uint_eq(session->memory_bytes, 50 << 20);
    ck_assert_float_eq(store.host.memory.values[21], 50 << 20);
    ck_assert_float_eq(store.host.memory.values[20], 40 << 20);
    ck_assert_float_eq(store.host.memory.values[11], 30 << 20);
}
END_TEST

/* The end of a cell was among the events that were dropped. */
START_TEST(test_end_in_a_gap)
{
    struct session *session;

    snapshot(0, "");
    event("cell.started", ",\"session\":\"s-1\",\"cell\":1,\"info\":{\"code\":\"f()\"}");
    session = store_find(&store, "s-1");
    ck_assert(session->last.running);
    snapshot(1, "{\"session\":\"s-1\",\"cell\":1,\"state\":\"running\"}");
    ck_assert(session->last.running);
    ck_assert(!store_wants_history(session));
    event("gap", ",\"dropped\":1");
    snapshot(1, "");
    ck_assert(!session->last.running);
    ck_assert(store_wants_history(session));
}
END_TEST

/* What is of another type than the protocol says is passed over, whole, and harms nothing else. */
START_TEST(test_refuses_what_is_wrong)
{
    const struct session *session;

    event("snapshot", ",\"sessions\":[{\"session\":\"s-1\",\"state\":\"idle\"},"
                      "{\"session\":\"s-2\",\"state\":\"dreaming\"},"
                      "{\"session\":\"s-3\",\"cells\":-1},{\"session\":4}]");
    ck_assert_ptr_nonnull(store_find(&store, "s-1"));
    ck_assert_uint_eq(store.session_count, 1);
    event("session.changed", ",\"session\":\"s-1\",\"info\":{\"session\":\"s-1\",\"state\":"
                             "\"running\",\"cells\":\"7\"}");
    session = store_find(&store, "s-1");
    ck_assert_int_eq(session->state, SESSION_IDLE);
    event("cell.finished", ",\"session\":\"s-1\",\"cell\":1,\"info\":{\"exit_code\":300}");
    ck_assert_uint_eq(session->last.number, 0);
    event("cell.finished", ",\"session\":\"s-1\",\"cell\":1,\"info\":{\"exit_code\":3}");
    ck_assert(session->last.failed);
    event("lease.changed", ",\"session\":\"s-1\",\"lease\":{\"holder\":7}");
    ck_assert(!session->lease.held);
    event("lease.changed", ",\"session\":\"s-1\",\"lease\":{\"holder\":\"me\",\"human\":true}");
    ck_assert(session->lease.held && session->lease.human);
}
END_TEST

/* Of another version's words nothing is shown as something else, and it is told once. */
START_TEST(test_what_is_not_understood_is_told)
{
    static const char *const wrong[][2] = {
        {"session.changed", ",\"info\":{\"session\":\"s-1\",\"state\":\"dreaming\"}"},
        {"session.opened", ",\"info\":{\"session\":7}"},
        {"cell.started",
         ",\"session\":\"s-1\",\"cell\":9,\"info\":{\"cell\":9,\"mode\":\"dream\"}"},
        {"cell.finished", ",\"session\":\"s-1\",\"cell\":9,\"info\":{\"exit_code\":\"0\"}"},
        {"lease.changed", ",\"session\":\"s-1\",\"lease\":{\"human\":1}"},
        {"pool.changed", ",\"pool\":{\"pools\":[{\"ready\":-1}]}"},
        {"sample", ",\"at\":5,\"sessions\":[{\"session\":\"s-1\",\"memory_bytes\":\"much\"}]"},
    };
    const struct session *session;

    snapshot(3, "");
    ck_assert_ptr_null(store_new_trouble(&store));
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        event(wrong[i][0], wrong[i][1]);
        ck_assert_ptr_nonnull(strstr(store_new_trouble(&store), "the server's answer: "));
        ck_assert_ptr_null(store_new_trouble(&store));
        event(wrong[i][0], wrong[i][1]);
        ck_assert_ptr_null(store_new_trouble(&store)); /* the same again is no news */
    }
    session = store_find(&store, "s-1");
    ck_assert_ptr_nonnull(session);
    ck_assert_int_eq(session->state, SESSION_IDLE);
    ck_assert_uint_eq(session->cells, 3);
    ck_assert_uint_eq(session->memory_bytes, 0);
    ck_assert(!session->last.running && !session->lease.held);
    ck_assert_uint_eq(store.pool_count, 0);
    ck_assert_uint_eq(store.session_count, 1);
}
END_TEST

/* ---- questions ---- */

static void question(const char *kind, unsigned number, const char *name, unsigned connections)
{
    char rest[512];

    (void)snprintf(
        rest, sizeof(rest),
        ",\"session\":\"s-1\",\"question\":%u,\"info\":{\"question\":%u,\"name\":\"%s\","
        "\"address\":null,\"port\":443,\"cell\":3,\"connections\":%u,\"at\":1,\"until\":61}",
        number, number, name, connections);
    event(kind, rest);
}

START_TEST(test_questions)
{
    const struct session *session;
    char text[STORE_MESSAGE_MAX];

    snapshot(3, "");
    session = store_find(&store, "s-1");
    question("network.question", 1, "one.test", 1);
    question("network.question", 2, "two.test", 1);
    question("network.question", 1, "one.test", 2); /* again: one question */
    ck_assert_int_eq(session_attention(session, 0), ATTENTION_CONNECTION);
    ck_assert_uint_eq(session->question->number, 1);
    ck_assert_uint_eq(session->question->connections, 2);
    question_text(session->question, text, sizeof(text));
    ck_assert_str_eq(text,
                     "cell 3 asks to connect to one.test port 443, and there are more questions");
    question("network.answered", 1, "one.test", 2);
    question("network.answered", 7, "none", 0);
    ck_assert_uint_eq(session->question->number, 2);
    ck_assert_ptr_null(session->question->next);
    snapshot(3, ""); /* has none */
    ck_assert_ptr_null(session->question);
    ck_assert_int_eq(session_attention(session, 0), ATTENTION_NONE);
}
END_TEST

START_TEST(test_the_network_is_followed)
{
    const struct session *session;

    snapshot(3, "");
    session = store_find(&store, "s-1");
    event("network.changed", ",\"session\":\"s-1\",\"network\":\"rules\",\"client\":null");
    ck_assert(session_has_network(session));
    event("network.changed", ",\"session\":\"s-1\",\"network\":7");
    ck_assert_str_eq(session->network, "rules");
    event("network.changed", ",\"session\":\"s-1\",\"network\":\"none\",\"client\":\"me\"");
    ck_assert(!session_has_network(session));
}
END_TEST

START_TEST(test_questions_are_bounded)
{
    const struct session *session;
    const struct question *at;
    unsigned count = 0;

    snapshot(3, "");
    session = store_find(&store, "s-1");
    for (unsigned i = 1; i <= 3 * QUESTIONS_MAX; i++)
        question("network.question", i, "x", 1);
    for (at = session->question; at != NULL; at = at->next)
        ck_assert_uint_eq(at->number, ++count);
    ck_assert_uint_eq(count, QUESTIONS_MAX);
    event("session.closed", ",\"session\":\"s-1\",\"reason\":\"closed\"");
    ck_assert_ptr_null(session->question);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_questions);
    tcase_add_test(tests, test_questions_are_bounded);
    tcase_add_test(tests, test_the_network_is_followed);
    tcase_add_test(tests, test_figures_after_a_loss);
    tcase_add_test(tests, test_what_is_not_understood_is_told);
    tcase_add_test(tests, test_end_in_a_gap);
    tcase_add_test(tests, test_refuses_what_is_wrong);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
