/* SPDX-License-Identifier: Apache-2.0 */
#include "net/policy.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"

static const char text[] = "# what a build needs\n"
                           "deny  secret.example.com\n"
                           "allow index.example files.index.example :443\n"
                           "allow *.example.com :443 :8000-8099\n"
                           "allow plain.example\n"
                           "deny  *.corp :25\n"
                           "allow db.corp :25 :5432 tcp private\n"
                           "allow ip 192.0.2.0/24 :80\n"
                           "deny  ip 198.51.100.7\n"
                           "allow ip 198.51.100.0/24 2001:db8::/32 :1-65535 private\n"
                           "ask   maybe.example\n"
                           "ask   ip 203.0.113.0/24 :22\n"
                           "resolve db.corp 10.0.0.7 fd00::7\n";

static const struct {
    const char *target;
    uint16_t port;
    unsigned line; /* of the rule that allows it; 0: none */
    enum gb_policy_mode mode;
    bool is_private;
} cases[] = {
    {"index.example", 443, 3, GB_POLICY_TLS, false},
    {"index.example", 80, 0, 0, false},
    {"files.index.example", 443, 3, GB_POLICY_TLS, false},
    {"other.index.example", 443, 0, 0, false},
    {"www.example.com", 443, 4, GB_POLICY_TLS, false},
    {"www.example.com", 8050, 4, GB_POLICY_TCP, false},
    {"www.example.com", 8100, 0, 0, false},
    {"example.com", 443, 0, 0, false},
    {"secret.example.com", 443, 0, 0, false},
    {"plain.example", 80, 5, GB_POLICY_HTTP, false},
    {"plain.example", 443, 5, GB_POLICY_TLS, false},
    {"plain.example", 22, 0, 0, false},
    {"db.corp", 25, 0, 0, false}, /* an earlier rule denies it */
    {"db.corp", 5432, 7, GB_POLICY_TCP, true},
    {"192.0.2.9", 80, 8, GB_POLICY_TCP, false},
    {"192.0.2.9", 443, 0, 0, false},
    {"192.0.3.9", 80, 0, 0, false},
    {"198.51.100.7", 80, 0, 0, false},
    {"198.51.100.8", 9, 10, GB_POLICY_TCP, true},
    {"maybe.example", 443, 11, GB_POLICY_TLS, false},
    {"maybe.example", 9999, 11, GB_POLICY_TCP, false}, /* no ports: all */
    {"203.0.113.1", 22, 12, GB_POLICY_TCP, false},
    {"203.0.113.1", 23, 0, 0, false},
    {"2001:db8::1", 9, 10, GB_POLICY_TCP, true},
};

static void check_cases(const struct gb_policy *policy, bool lines)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct gb_policy_rule *rule;
        struct gb_address address;

        rule = gb_address_parse(gb_bytes_str(cases[i].target), &address)
                   ? gb_policy_allows_address(policy, &address, cases[i].port)
                   : gb_policy_allows_name(policy, cases[i].target, cases[i].port);
        ck_assert_msg((rule != NULL) == (cases[i].line != 0), "%s:%u", cases[i].target,
                      cases[i].port);
        if (rule == NULL)
            continue;
        ck_assert_msg(!lines || rule->line == cases[i].line, "%s:%u", cases[i].target,
                      cases[i].port);
        ck_assert_msg(gb_policy_mode(rule, cases[i].port) == cases[i].mode, "%s:%u",
                      cases[i].target, cases[i].port);
        ck_assert(rule->is_private == cases[i].is_private);
    }
}

START_TEST(the_first_rule_decides)
{
    struct gb_policy policy;

    ck_assert_int_eq(gb_policy_parse(&policy, gb_bytes_str(text), NULL), 0);
    check_cases(&policy, true);
    gb_policy_release(&policy);
}
END_TEST

START_TEST(it_is_written_as_it_was_read)
{
    struct gb_policy policy;
    struct gb_buf written = {0}, again = {0};

    ck_assert_int_eq(gb_policy_parse(&policy, gb_bytes_str(text), NULL), 0);
    gb_policy_write(&policy, &written);
    gb_policy_release(&policy);
    ck_assert_int_eq(gb_policy_parse(&policy, gb_buf_bytes(&written), NULL), 0);
    check_cases(&policy, false);
    gb_policy_write(&policy, &again);
    ck_assert_str_eq(gb_buf_str(&written), gb_buf_str(&again));
    gb_policy_release(&policy);
    gb_buf_release(&written);
    gb_buf_release(&again);
}
END_TEST

START_TEST(names_are_known_when_some_port_is_allowed)
{
    struct gb_policy policy;

    ck_assert_int_eq(gb_policy_parse(&policy, gb_bytes_str(text), NULL), 0);
    ck_assert(gb_policy_knows_name(&policy, "index.example"));
    ck_assert(gb_policy_knows_name(&policy, "db.corp"));
    ck_assert(gb_policy_knows_name(&policy, "deep.www.example.com"));
    ck_assert(!gb_policy_knows_name(&policy, "secret.example.com"));
    ck_assert(!gb_policy_knows_name(&policy, "example.com"));
    ck_assert(!gb_policy_knows_name(&policy, "www.corp"));
    ck_assert_uint_eq(gb_policy_place(&policy, "db.corp")->count, 2);
    ck_assert_ptr_null(gb_policy_place(&policy, "index.example"));
    gb_policy_release(&policy);
}
END_TEST

START_TEST(an_empty_one_allows_nothing)
{
    static const char *const empty[] = {"", "\n\n", "# allow *\n", "deny *\n"};
    const struct gb_address address = gb_address_from_v4(0x08080808);

    for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
        struct gb_policy policy;

        ck_assert_int_eq(gb_policy_parse(&policy, gb_bytes_str(empty[i]), NULL), 0);
        ck_assert_ptr_null(gb_policy_allows_name(&policy, "a.example", 80));
        ck_assert_ptr_null(gb_policy_allows_address(&policy, &address, 80));
        ck_assert(!gb_policy_knows_name(&policy, "a.example"));
        gb_policy_release(&policy);
    }
}
END_TEST

START_TEST(allowing_all_names_allows_no_address)
{
    const struct gb_address address = gb_address_from_v4(0x08080808);
    struct gb_policy policy;

    ck_assert_int_eq(gb_policy_parse(&policy, gb_bytes_str("allow *\n"), NULL), 0);
    ck_assert_ptr_nonnull(gb_policy_allows_name(&policy, "a.example", 443));
    ck_assert_ptr_null(gb_policy_allows_address(&policy, &address, 443));
    gb_policy_release(&policy);
}
END_TEST

START_TEST(mistakes_name_their_line)
{
    static const char *const wrong[] = {
        "allow",
        "allow :80",
        "allow a b:80",
        "allow a :0",
        "allow a :65536",
        "allow a :90-80",
        "allow a :80-",
        "allow a tls http",

        "allow ip",
        "allow ip example.com",
        "allow ip 10.0.0.1/8",
        "allow ip 10.0.0.0/8 tls",
        "deny a private",
        "permit a",
        "allow a udp",
        "allow tls",
        "allow a ip 10.0.0.1",
        "allow *.",
        "allow *.*.example",
        "allow **",
        "allow ex*.example",
        "resolve a",
        "resolve a b",
        "resolve * 10.0.0.1",
        "allow 10.0.0.1",
        "allow a :80 b",
        "allow b\xc3\xbc.example",
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct gb_policy policy;
        struct gb_err err = {0};
        struct gb_buf lines = {0};

        gb_buf_addf(&lines, "# first\n%s\n", wrong[i]);
        ck_assert_msg(gb_policy_parse(&policy, gb_buf_bytes(&lines), &err) == -GB_EINVALID, "%s",
                      wrong[i]);
        ck_assert_msg(strstr(err.message, "line 2") != NULL, "%s: %s", wrong[i], err.message);
        gb_policy_release(&policy);
        gb_buf_release(&lines);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, the_first_rule_decides);
    tcase_add_test(tests, it_is_written_as_it_was_read);
    tcase_add_test(tests, names_are_known_when_some_port_is_allowed);
    tcase_add_test(tests, an_empty_one_allows_nothing);
    tcase_add_test(tests, allowing_all_names_allows_no_address);
    tcase_add_test(tests, mistakes_name_their_line);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
