/* SPDX-License-Identifier: Apache-2.0 */
/* Which checkpoints stay: never too much, never what is held, the nearest first. */
#include "past/keep.h"

#include <stdlib.h>

#include "check_run.h"
#include "base/mem.h"

enum { MOST = 1000 };

static struct gb_chain_entry entries[MOST];
static bool pinned[MOST], stays[MOST];

/* Record @seq over @parent, of some @kilobytes. */
static void entry(size_t i, uint64_t seq, uint64_t parent, uint32_t kilobytes)
{
    entries[i] = (struct gb_chain_entry){
        .head = {.seq = seq, .parent = parent, .blocks_packed = (uint64_t)kilobytes << 10}};
}

static void line(size_t count, uint32_t kilobytes)
{
    for (size_t i = 0; i < count; i++) {
        entry(i, i + 1, i, kilobytes);
        pinned[i] = false;
    }
}

static size_t staying(size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += stays[i];
    return n;
}

START_TEST(all_stay_within_the_limits)
{
    line(50, 100);
    ck_assert(!keep_choose(entries, 50, pinned, 50, (struct keep_limits){50 << 20, 50}, stays));
    ck_assert_uint_eq(staying(50), 50);
    ck_assert(!keep_choose(entries, 0, pinned, 0, (struct keep_limits){0, 1}, stays));
}
END_TEST

START_TEST(older_ones_are_thinned)
{
    line(300, 10);
    ck_assert(keep_choose(entries, 300, pinned, 300, (struct keep_limits){1 << 30, 200}, stays));
    for (size_t i = 0; i < 300; i++) {
        size_t rank = 299 - i, seq = i + 1;
        bool expected = rank < 20 || (rank < 120 ? seq % 5 == 0 : seq % 25 == 0);

        ck_assert_int_eq(stays[i], expected);
    }
}
END_TEST

START_TEST(the_limits_hold_whatever_there_is)
{
    srandom(5);
    for (int round = 0; round < 300; round++) {
        size_t count = 1 + (size_t)random() % MOST, held = 0;
        struct keep_limits limits = {(uint64_t)random() % (20 << 20), 1 + (size_t)random() % 300};
        uint64_t seq = 0, here, bytes = 0, held_bytes = 0;

        for (size_t i = 0; i < count; i++) {
            uint64_t parent = i == 0 ? 0 : entries[(size_t)random() % i].head.seq;

            seq += 1 + (uint64_t)random() % 3;
            entry(i, seq, random() % 9 == 0 ? 0 : parent, (uint32_t)random() % 200);
            pinned[i] = random() % 40 == 0;
        }
        here = entries[(size_t)random() % count].head.seq;
        ck_assert_int_eq(keep_choose(entries, count, pinned, here, limits, stays),
                         staying(count) < count);
        for (size_t i = 0; i < count; i++) {
            bool is_held = pinned[i] || entries[i].head.seq == here;

            ck_assert(stays[i] || !is_held);
            bytes += stays[i] ? past_record_size(&entries[i].head) : 0;
            held += is_held;
            held_bytes += is_held ? past_record_size(&entries[i].head) : 0;
        }
        /* What is held may be more than the limits: then nothing else is left. */
        ck_assert(bytes <= limits.bytes || staying(count) == held);
        ck_assert(staying(count) <= limits.count || staying(count) == held);
        ck_assert_uint_ge(bytes, held_bytes);
    }
}
END_TEST

START_TEST(undone_ones_go_first)
{
    line(19, 100); /* 1 … 19, and the session went back to 5 and on from there */
    entries[14].head.parent = 5;
    ck_assert(keep_choose(entries, 19, pinned, 19, (struct keep_limits){1 << 30, 12}, stays));
    for (size_t i = 0; i < 19; i++)
        ck_assert_int_eq(stays[i], !(i >= 5 && i < 12)); /* 6 … 12 of the branch 6 … 14 */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("past/keep");
    TCase *tests = tcase_create("keep");

    tcase_add_test(tests, all_stay_within_the_limits);
    tcase_add_test(tests, older_ones_are_thinned);
    tcase_add_test(tests, the_limits_hold_whatever_there_is);
    tcase_add_test(tests, undone_ones_go_first);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
