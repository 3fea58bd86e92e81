/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/vault.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "check_run.h"

static struct vault vault;
static unsigned wanted;

/* A descriptor that yields @value; NULL: nothing, and no end, until *@ret_writer is closed. */
static int source_of(const char *value, int *ret_writer)
{
    int pipes[2];

    ck_assert_int_eq(pipe(pipes), 0);
    if (value != NULL)
        ck_assert_int_eq(write(pipes[1], value, strlen(value)), (ssize_t)strlen(value));
    if (ret_writer != NULL)
        *ret_writer = pipes[1];
    else
        (void)close(pipes[1]);
    return pipes[0];
}

static void add(const char *hosts, uint64_t expires_ms, int fd)
{
    const struct gb_edge_message message = {.name = gb_bytes_str("NAME"),
                                            .placeholder = gb_bytes_str("holder"),
                                            .hosts = gb_bytes_str(hosts),
                                            .expires_ms = expires_ms};

    ck_assert_int_eq(vault_add(&vault, &message, fd, -1, NULL), 0);
}

static void read_anew(const char *value)
{
    vault_renew(&vault, 0, source_of(value, NULL));
    vault_read(&vault, &vault.secrets[0]);
    ck_assert(!vault.secrets[0].pending);
}

static void on_want(void *arg, uint32_t index)
{
    (void)arg;
    ck_assert_uint_eq(index, 0);
    wanted++;
}

/* Whether it can be used after @seconds from now. */
static bool ready_after(unsigned seconds)
{
    return vault_is_ready(&vault, "a.test", gb_clock_mono_ns() + seconds * GB_NS_PER_S, on_want,
                          NULL);
}

static bool is_masked(const char *text)
{
    struct gb_mask_tail tail = {0};
    struct gb_buf out = {0};
    bool same;

    gb_mask_feed(&vault.mask, vault_owners(&vault, "a.test"), &tail, gb_bytes_str(text), true,
                 &out);
    same = strcmp(gb_buf_str(&out), text) == 0;
    gb_mask_tail_release(&tail);
    gb_buf_release(&out);
    return !same;
}

START_TEST(a_value_that_never_comes_is_given_up)
{
    int writer;

    add("a.test\n", 0, source_of(NULL, &writer));
    vault_read(&vault, &vault.secrets[0]);
    ck_assert(!ready_after(0));
    ck_assert(!vault_expire(&vault, gb_clock_mono_ns()));
    ck_assert_uint_lt(vault_deadline_ns(&vault), gb_clock_mono_ns() + 60 * GB_NS_PER_S);
    ck_assert(vault_expire(&vault, vault_deadline_ns(&vault)));
    ck_assert(ready_after(0)); /* requests go on, and find that there is none */
    ck_assert_uint_eq(vault.secrets[0].value.size, 0);
    ck_assert_int_eq(vault.secrets[0].fd, -1);
    ck_assert_uint_eq(vault_deadline_ns(&vault), UINT64_MAX);
    (void)close(writer);
}
END_TEST

/* Also if nobody answers that it was wanted. */
START_TEST(a_value_that_could_not_be_had_is_tried_again)
{
    add("a.test\n", 3600 * 1000, source_of("", NULL));
    vault_read(&vault, &vault.secrets[0]);
    ck_assert(ready_after(5));
    ck_assert_uint_eq(wanted, 0);
    ck_assert(!ready_after(11));
    ck_assert(!ready_after(11));
    ck_assert_uint_eq(wanted, 1);
    ck_assert(vault_expire(&vault, vault_deadline_ns(&vault)));
    ck_assert(ready_after(5));
    ck_assert(!ready_after(11));
    ck_assert_uint_eq(wanted, 2);
    read_anew("a-value-of-it");
    ck_assert(ready_after(3599));
    ck_assert(!ready_after(3601));
    ck_assert_uint_eq(wanted, 3);
}
END_TEST

START_TEST(values_before_are_still_masked)
{
    add("a.test\n", 0, source_of("value-number-0", NULL));
    vault_read(&vault, &vault.secrets[0]);
    for (int i = 0; i < 10; i++)
        read_anew("value-number-1"); /* the same one does not push others out */
    read_anew("value-number-2\n");
    read_anew("");
    read_anew("value-number-3\r\n");
    ck_assert(is_masked("value-number-0") && is_masked("value-number-1"));
    ck_assert(is_masked("value-number-2") && is_masked("value-number-3"));
    ck_assert(!is_masked("value-number-4"));
    read_anew("value-number-4");
    ck_assert(!is_masked("value-number-0") && is_masked("value-number-1"));
}
END_TEST

/* What counts is when a value was the secret's last, not first. */
START_TEST(a_value_that_comes_back_is_kept_anew)
{
    static const char *const values[] = {"value-number-B", "value-number-C", "value-number-A",
                                         "value-number-D", "value-number-E"};

    add("a.test\n", 0, source_of("value-number-A", NULL));
    vault_read(&vault, &vault.secrets[0]);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        read_anew(values[i]);
    ck_assert(is_masked("value-number-C") && is_masked("value-number-A"));
    ck_assert(is_masked("value-number-D") && is_masked("value-number-E"));
    ck_assert(!is_masked("value-number-B"));
}
END_TEST

START_TEST(hosts_are_masked_for_their_own_secrets)
{
    add("b.test\n", 0, source_of("value-of-b-test", NULL));
    vault_read(&vault, &vault.secrets[0]);
    add("*.test\na.test\n", 0, source_of("value-of-all", NULL));
    vault_read(&vault, &vault.secrets[1]);
    ck_assert_uint_eq(vault_owners(&vault, "a.test"), 2);
    ck_assert_uint_eq(vault_owners(&vault, "b.test"), 3);
    ck_assert_uint_eq(vault_owners(&vault, "a.other"), 0);
    ck_assert(!is_masked("value-of-b-test") && is_masked("value-of-all"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vault");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, a_value_that_never_comes_is_given_up);
    tcase_add_test(tests, a_value_that_could_not_be_had_is_tried_again);
    tcase_add_test(tests, values_before_are_still_masked);
    tcase_add_test(tests, a_value_that_comes_back_is_kept_anew);
    tcase_add_test(tests, hosts_are_masked_for_their_own_secrets);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
