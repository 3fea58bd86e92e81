/* SPDX-License-Identifier: Apache-2.0 */
#include "base/surplus.h"

#include <stdio.h>
#include <string.h>

#include "check_run.h"

#define NOW 1000000

/* What was asked for: a letter for each item, large for its age, small for its size. */
struct log {
    char text[16];
    const char *in_use; /* letters of those that stay */
};

static bool remove_item(const struct gb_surplus_item *item, bool old, void *arg)
{
    struct log *log = arg;
    size_t size = strlen(log->text);

    log->text[size] = old ? (char)(item->name[0] - 'a' + 'A') : item->name[0];
    return strchr(log->in_use, item->name[0]) == NULL;
}

/* Four items of 10, 20, 30 and 40 bytes, not in the order of their use. */
static void expect(uint64_t max_age_s, uint64_t max_bytes, const char *in_use, const char *expected)
{
    struct gb_surplus_item items[] = {
        {"c", 30, NOW - 10},
        {"a", 10, NOW - 300},
        {"d", 40, NOW + 500}, /* a clock was set back */
        {"b", 20, NOW - 20},
    };
    const struct gb_surplus_limits limits = {max_age_s, max_bytes};
    struct log log = {.in_use = in_use};

    gb_surplus(items, sizeof(items) / sizeof(items[0]), &limits, NOW, remove_item, &log);
    ck_assert_str_eq(log.text, expected);
}

START_TEST(age)
{
    expect(UINT64_MAX, UINT64_MAX, "", "");
    expect(300, UINT64_MAX, "", "");
    expect(299, UINT64_MAX, "", "A");
    expect(10, UINT64_MAX, "", "AB");
    expect(0, UINT64_MAX, "", "ABC");
}
END_TEST

START_TEST(size)
{
    expect(UINT64_MAX, 100, "", "");
    expect(UINT64_MAX, 99, "", "a");
    expect(UINT64_MAX, 90, "", "a");
    expect(UINT64_MAX, 89, "", "ab");
    expect(UINT64_MAX, 0, "", "abcd");
}
END_TEST

START_TEST(both)
{
    expect(100, 90, "", "A");
    expect(100, 70, "", "Ab");
    expect(0, 0, "", "ABCd");
}
END_TEST

/* What stays takes room, and others go in its place. */
START_TEST(in_use)
{
    expect(UINT64_MAX, 90, "a", "ab");
    expect(UINT64_MAX, 0, "abcd", "abcd");
    expect(100, 90, "ab", "Abc");
}
END_TEST

START_TEST(nothing)
{
    const struct gb_surplus_limits limits = {0, 0};

    gb_surplus(NULL, 0, &limits, NOW, remove_item, NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("surplus");
    TCase *all = tcase_create("all");

    tcase_add_test(all, age);
    tcase_add_test(all, size);
    tcase_add_test(all, both);
    tcase_add_test(all, in_use);
    tcase_add_test(all, nothing);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
