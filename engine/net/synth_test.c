/* SPDX-License-Identifier: Apache-2.0 */
#include "net/synth.h"

#include <stdio.h>

#include "base/clock.h"
#include "check_run.h"

START_TEST(a_name_has_one_address)
{
    struct gb_synth synth = {0};
    uint32_t first = gb_synth_address(&synth, "a.example", 1);
    uint32_t second = gb_synth_address(&synth, "b.example", 1);

    ck_assert(gb_synth_is(first) && gb_synth_is(second) && first != second);
    ck_assert_uint_eq(gb_synth_address(&synth, "a.example", 2), first);
    ck_assert_str_eq(gb_synth_name(&synth, second), "b.example");
    ck_assert_ptr_null(gb_synth_name(&synth, second + 1));
    ck_assert_ptr_null(gb_synth_name(&synth, 0xc6120000));
    ck_assert_ptr_null(gb_synth_name(&synth, 0xc6120001)); /* the resolver's */
    ck_assert_ptr_null(gb_synth_name(&synth, 0x7f000001));
    ck_assert(!gb_synth_is(0xc6140000));
    gb_synth_release(&synth);
}
END_TEST

START_TEST(new_names_have_a_rate_and_a_bound)
{
    struct gb_synth synth = {0};
    uint64_t now = GB_NS_PER_S;
    size_t given = 0;

    for (unsigned i = 0; i < 2 * GB_SYNTH_MAX; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "n%u.example", i);
        given += gb_synth_address(&synth, name, now) != 0;
        if (i == 2 * GB_SYNTH_BURST)
            ck_assert_uint_eq(given, GB_SYNTH_BURST);
        if (i > 2 * GB_SYNTH_BURST)
            now += GB_NS_PER_S / GB_SYNTH_PER_S;
    }
    ck_assert_uint_eq(given, GB_SYNTH_MAX);
    ck_assert_uint_ne(gb_synth_address(&synth, "n0.example", now), 0); /* an old one */
    gb_synth_release(&synth);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("synth");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, a_name_has_one_address);
    tcase_add_test(tests, new_names_have_a_rate_and_a_bound);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
