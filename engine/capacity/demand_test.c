/* SPDX-License-Identifier: Apache-2.0 */
#include "capacity/demand.h"

#include <stdlib.h>

#include "check_run.h"
#include "base/clock.h"

enum { HALF_LIFE_MS = 60000 };

static struct demand demand;
static uint64_t now;

static void begin(void)
{
    now = 1000 * GB_NS_PER_S;
    demand = (struct demand){.seen_ns = now};
}

static void requests(unsigned number, uint64_t every_ms)
{
    for (unsigned i = 0; i < number; i++) {
        demand_add(&demand, HALF_LIFE_MS, now);
        now += every_ms * GB_NS_PER_MS;
    }
}

static unsigned target(unsigned floor, unsigned ceiling)
{
    demand_fade(&demand, HALF_LIFE_MS, now);
    return demand_target(&demand, floor, ceiling);
}

START_TEST(one_is_no_demand)
{
    ck_assert_uint_eq(target(0, 8), 0);
    requests(1, 0);
    ck_assert_uint_eq(target(0, 8), 0);
    /* Nor is one now and then. */
    for (int i = 0; i < 20; i++) {
        now += 5 * GB_NS_PER_S;
        requests(1, 0);
        ck_assert_uint_eq(target(0, 8), 0);
    }
    now += 60 * GB_NS_PER_S;
    requests(2, 500);
    ck_assert_uint_eq(target(0, 8), 1);
}
END_TEST

START_TEST(a_burst)
{
    requests(1, 0);
    ck_assert(!demand_is_burst(&demand));
    now += 5 * GB_NS_PER_S;
    requests(2, 0);
    ck_assert(!demand_is_burst(&demand));
    now += 60 * GB_NS_PER_S;
    requests(6, 0);
    ck_assert(demand_is_burst(&demand));
    ck_assert_uint_eq(target(0, 8), 5);
    ck_assert_uint_eq(target(0, 3), 3);
    ck_assert_uint_eq(target(7, 8), 7);
    ck_assert_uint_eq(target(4, 2), 4); /* the floor is the ceiling too */
    ck_assert_uint_eq(target(0, 0), 0);
}
END_TEST

START_TEST(a_steady_stream)
{
    requests(100, 100); /* ten a second: about fourteen in the time that counts as at once */
    ck_assert_uint_ge(target(0, 100), 12);
    ck_assert_uint_le(target(0, 100), 15);
}
END_TEST

START_TEST(fades)
{
    unsigned before;

    requests(9, 0);
    before = target(0, 100);
    for (int i = 0; i < 60; i++) {
        unsigned after;

        now += 10 * GB_NS_PER_S;
        after = target(0, 100);
        ck_assert_uint_le(after, before);
        before = after;
    }
    ck_assert_uint_eq(before, 0);
    ck_assert(demand.peak == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("demand");
    TCase *tests = tcase_create("demand");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, one_is_no_demand);
    tcase_add_test(tests, a_burst);
    tcase_add_test(tests, a_steady_stream);
    tcase_add_test(tests, fades);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
