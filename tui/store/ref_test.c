/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of two servers, which have the same ids. */
#include "store/ref.h"

#include <stdio.h>
#include <string.h>

#include "check_run.h"
#include "store/ended.h"

static struct store here, there;

static void setup(void)
{
    store_init(&here);
    store_init(&there);
    (void)snprintf(here.name, sizeof(here.name), "here");
    (void)snprintf(there.name, sizeof(there.name), "there");
    there.rank = 1;
    here.subscription = there.subscription = 1;
}

static void teardown(void)
{
    store_release(&here);
    store_release(&there);
}

static void tell(struct store *store, const char *kind, const char *rest)
{
    struct gb_json_doc doc = {0};
    char text[1024];

    (void)snprintf(text, sizeof(text), "{\"subscription\":1,\"kind\":\"%s\"%s}", kind, rest);
    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)text, strlen(text), 1000, NULL), 0);
    ck_assert(store_notified(store, "event", doc.nodes));
    gb_json_release(&doc);
}

static void open_both(void)
{
    tell(&here, "snapshot", ",\"sessions\":[{\"session\":\"s-1\",\"state\":\"running\"}]");
    tell(&there, "snapshot",
         ",\"sessions\":[{\"session\":\"s-1\",\"state\":\"idle\"},"
         "{\"session\":\"s-2\",\"state\":\"waiting_input\"},"
         "{\"session\":\"s-3\",\"state\":\"idle\"}]");
    tell(&there, "session.closed", ",\"session\":\"s-3\",\"reason\":\"closed\"");
}

START_TEST(test_one_id_on_two_servers)
{
    struct session_ref one, other;
    struct session *first, *second;

    open_both();
    first = store_find(&here, "s-1");
    second = store_find(&there, "s-1");
    ck_assert_ptr_ne(first, second);
    ref_set(&one, first);
    ref_set(&other, second);
    ck_assert_ptr_eq(ref_find(&one), first);
    ck_assert_ptr_eq(ref_find(&other), second);
    ck_assert(ref_is(&one, first) && !ref_is(&one, second));
    ck_assert(ref_is(&other, second) && !ref_is(&other, first));
    ck_assert_str_eq(session_host(first), "here");
    ck_assert_str_eq(session_host(second), "there");
}
END_TEST

START_TEST(test_a_session_that_is_gone_or_to_come)
{
    struct session_ref ref;

    ref_set(&ref, NULL);
    ck_assert_ptr_null(ref_find(&ref));
    ref_set_id(&ref, &here, "s-9");
    ck_assert_ptr_null(ref_find(&ref));
    open_both();
    ck_assert_ptr_null(ref_find(&ref));
    tell(&there, "snapshot", ",\"sessions\":[{\"session\":\"s-9\",\"state\":\"idle\"}]");
    ck_assert_ptr_null(ref_find(&ref));
    tell(&here, "snapshot", ",\"sessions\":[{\"session\":\"s-9\",\"state\":\"idle\"}]");
    ck_assert_ptr_nonnull(ref_find(&ref));
    tell(&here, "snapshot", ",\"sessions\":[]");
    ck_assert_ptr_null(ref_find(&ref));
}
END_TEST

/* Sessions of a lost link stay, as last known, and want nobody's attention; those of the other one
 * are as they were. What has ended stays ended. */
START_TEST(test_a_lost_link)
{
    open_both();
    ck_assert_int_eq(session_attention(store_find(&there, "s-2"), 0), ATTENTION_INPUT);
    store_set_offline(&there, true);
    ck_assert_int_eq(session_shown(store_find(&there, "s-1")), SESSION_OFFLINE);
    ck_assert_str_eq(session_state_word(store_find(&there, "s-2")), "offline");
    ck_assert(session_state_is(store_find(&there, "s-2"), "offline"));
    ck_assert_int_eq(session_attention(store_find(&there, "s-2"), 0), ATTENTION_NONE);
    ck_assert_int_eq(session_shown(store_find(&there, "s-3")), SESSION_CLOSED);
    ck_assert_int_eq(session_shown(store_find(&here, "s-1")), SESSION_RUNNING);
    store_set_offline(&there, false);
    ck_assert_int_eq(session_shown(store_find(&there, "s-2")), SESSION_WAITING);
    ck_assert_int_eq(session_attention(store_find(&there, "s-2"), 0), ATTENTION_INPUT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("ref");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_one_id_on_two_servers);
    tcase_add_test(tests, test_a_session_that_is_gone_or_to_come);
    tcase_add_test(tests, test_a_lost_link);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
