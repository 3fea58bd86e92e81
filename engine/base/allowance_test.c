/* SPDX-License-Identifier: Apache-2.0 */
#include "base/allowance.h"

#include "check_run.h"

enum { BURST = 3, PERIOD = 100, BEGIN = 5000 };

static const struct gb_allowance_rate rate = {BURST, PERIOD};

/* How many can be taken at the time @now. */
static int take_all(struct gb_allowance *allowance, uint64_t now)
{
    int count = 0;

    while (gb_allowance_take(allowance, &rate, now))
        count++;
    return count;
}

START_TEST(a_burst_and_then_one_in_each_period)
{
    struct gb_allowance allowance = {0};

    ck_assert_int_eq(take_all(&allowance, BEGIN), BURST);
    ck_assert_int_eq(take_all(&allowance, BEGIN + PERIOD - 1), 0);
    ck_assert_int_eq(take_all(&allowance, BEGIN + PERIOD), 1);
    ck_assert_int_eq(take_all(&allowance, BEGIN + 3 * PERIOD), 2);
}
END_TEST

/* Who asks often does not lose the part of a period that has passed. */
START_TEST(parts_of_periods_add_up)
{
    struct gb_allowance allowance = {0};
    int count = take_all(&allowance, BEGIN);

    for (uint64_t now = BEGIN + 1; now <= BEGIN + 10 * PERIOD; now++)
        count += take_all(&allowance, now);
    ck_assert_int_eq(count, BURST + 10);
}
END_TEST

START_TEST(no_more_than_a_burst_is_saved)
{
    struct gb_allowance allowance = {0};

    ck_assert(gb_allowance_take(&allowance, &rate, BEGIN));
    ck_assert_int_eq(take_all(&allowance, BEGIN + 1000ull * PERIOD), BURST);
    ck_assert_int_eq(take_all(&allowance, UINT64_MAX), BURST);
    ck_assert_int_eq(take_all(&allowance, UINT64_MAX), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("allowance");
    TCase *all = tcase_create("all");

    tcase_add_test(all, a_burst_and_then_one_in_each_period);
    tcase_add_test(all, parts_of_periods_add_up);
    tcase_add_test(all, no_more_than_a_burst_is_saved);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
