/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/pace.h"

#include <stdlib.h>

#include "check_run.h"
#include "base/clock.h"

static struct gb_pace pace;
static struct gb_buf encoded;

static void start(void)
{
    pace = (struct gb_pace){0};
    encoded = (struct gb_buf){0};
}

static void end(void)
{
    gb_pace_release(&pace);
    gb_buf_release(&encoded);
}

static void add(bool is_stderr, uint64_t at_ms, size_t size)
{
    gb_pace_add(&pace, is_stderr, at_ms * GB_NS_PER_MS, size);
}

START_TEST(test_order_and_joining)
{
    static const struct gb_pace_step wanted[] = {
        {0, 3, false}, {7, 9, true}, {20, 5, false}, {20, 1, true}};
    struct gb_pace_step step;
    size_t at = 0, n = 0;

    add(false, 0, 1);
    add(false, 4, 2); /* so shortly after the first that it belongs to it */
    add(true, 7, 9);
    add(false, 20, 5);
    add(true, 20, 1);
    gb_pace_encode(&pace, &encoded);
    while (gb_pace_next(gb_buf_bytes(&encoded), &at, &step)) {
        ck_assert_uint_lt(n, 4);
        ck_assert_uint_eq(step.at_ms, wanted[n].at_ms);
        ck_assert_uint_eq(step.size, wanted[n].size);
        ck_assert_int_eq(step.is_stderr, wanted[n].is_stderr);
        n++;
    }
    ck_assert_uint_eq(n, 4);
}
END_TEST

START_TEST(test_bounded)
{
    uint64_t sums[2] = {0}, last = 0;
    struct gb_pace_step step;
    size_t at = 0;

    for (uint64_t i = 0; i < 100000; i++)
        add(i % 3 == 0, i * 10, i);
    gb_pace_encode(&pace, &encoded);
    ck_assert_uint_le(encoded.size, GB_PACE_MAX);
    ck_assert_uint_gt(encoded.size, GB_PACE_MAX / 8);
    while (gb_pace_next(gb_buf_bytes(&encoded), &at, &step)) {
        ck_assert_uint_ge(step.at_ms, last);
        last = step.at_ms;
        sums[step.is_stderr] += step.size;
    }
    ck_assert_uint_eq(sums[0] + sums[1], UINT64_C(99999) * 100000 / 2);
    ck_assert_uint_eq(sums[1], UINT64_C(3) * 33333 * 33334 / 2);
}
END_TEST

START_TEST(test_odd_bytes)
{
    static const uint8_t bytes[GB_PACE_STEP_BYTES + 1] = {0, 0, 0, 0, 255, 255, 255, 255, 1};
    struct gb_pace_step step;
    size_t at = 0;

    ck_assert(!gb_pace_next((struct gb_bytes){bytes, 7}, &at, &step));
    ck_assert(gb_pace_next((struct gb_bytes){bytes, sizeof(bytes)}, &at, &step));
    ck_assert(step.is_stderr && step.size == INT32_MAX);
    ck_assert(!gb_pace_next((struct gb_bytes){bytes, sizeof(bytes)}, &at, &step));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pace");
    TCase *tests = tcase_create("pace");

    tcase_add_checked_fixture(tests, start, end);
    tcase_add_test(tests, test_order_and_joining);
    tcase_add_test(tests, test_bounded);
    tcase_add_test(tests, test_odd_bytes);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
