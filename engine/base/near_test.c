/* SPDX-License-Identifier: Apache-2.0 */
#include "base/near.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"

START_TEST(distance)
{
    char longer[GB_NEAR_MAX + 2];

    ck_assert_uint_eq(gb_near_distance("close", "close"), 0);
    ck_assert_uint_eq(gb_near_distance("colse", "close"), 1); /* swapped */
    ck_assert_uint_eq(gb_near_distance("clse", "close"), 1);
    ck_assert_uint_eq(gb_near_distance("closse", "close"), 1);
    ck_assert_uint_eq(gb_near_distance("clase", "close"), 1);
    ck_assert_uint_eq(gb_near_distance("", "close"), 5);
    ck_assert_uint_eq(gb_near_distance("close", ""), 5);
    ck_assert_uint_eq(gb_near_distance("kitten", "sitting"), 3);
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    ck_assert_uint_eq(gb_near_distance(longer, "x"), SIZE_MAX);
    ck_assert_uint_eq(gb_near_distance("x", longer), SIZE_MAX);
    longer[GB_NEAR_MAX] = '\0';
    ck_assert_uint_eq(gb_near_distance(longer, "x"), GB_NEAR_MAX - 1);
}
END_TEST

START_TEST(typos)
{
    static const struct {
        const char *typed, *word;
        bool typo;
    } cases[] = {{"colse", "close", true}, {"clsoee", "close", true}, {"ab", "abc", true},
                 {"x", "y", false},        {"cat", "cup", false},     {"freeze", "frozen", false},
                 {"", "a", false}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(gb_near_is_typo(cases[i].typed, cases[i].word,
                                      gb_near_distance(cases[i].typed, cases[i].word)) ==
                          cases[i].typo,
                      "%s for %s", cases[i].typed, cases[i].word);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("near");
    TCase *all = tcase_create("all");

    tcase_add_test(all, distance);
    tcase_add_test(all, typos);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
