/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/match.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"

static bool found(const char *text, struct gb_bytes in)
{
    struct gb_match match;

    gb_match_init(&match, gb_bytes_str(text));
    return gb_match_bytes(&match, in);
}

static const struct {
    const char *text, *in;
    bool found;
} cases[] = {
    {"cumsum", "df.cumsum()", true},
    {"cumsum", "df.CumSum()", true},
    {"CumSum", "df.cumsum()", false},
    {"CumSum", "df.CumSum()", true},
    {"a b", "a\nb", false},
    {"error", "\x1b[31mer\x1b[1;38;5;1mror\x1b[0m", true},
    {"31m", "\x1b[31mred", false},
    {"title", "\x1b]0;title\x07text", false},
    {"text", "\x1b]0;title\x07text", true},
    {"text", "\x1b]0;title\x1b\\text", true},
    {"ext", "\x1b(Btext", true},
    {"btext", "\x1b(Btext", false},
    {"after", "\x1b]0;\x1b[1mafter", true}, /* a string that another sequence cut off */
    {"\xc3\xa4rger", "viel \xc3\xa4rger", true},
    {"long", "lon", false},
    {"x", "", false},
    {"", "x", false},
    {"aab", "aaaaab", true},
    {"end", "the end", true},
    {"[", "a[0]", true},
};

START_TEST(literal_texts)
{
    ck_assert_msg(found(cases[_i].text, gb_bytes_str(cases[_i].in)) == cases[_i].found, "%s in %s",
                  cases[_i].text, cases[_i].in);
}
END_TEST

/* Wherever it lies in much output, also where one window ends. */
START_TEST(anywhere_in_much)
{
    static uint8_t much[80000];
    static const char needle[] = "the needle";

    for (size_t at = 0; at + strlen(needle) <= sizeof(much);
         at += at > 32740 && at < 32780 ? 1 : 331) {
        memset(much, 'n', sizeof(much));
        memcpy(much + at, needle, strlen(needle));
        ck_assert_msg(found(needle, (struct gb_bytes){much, sizeof(much)}), "%zu", at);
        much[at + 3] = 0x1b; /* "the" and half a sequence: no match any more */
        ck_assert(!found(needle, (struct gb_bytes){much, sizeof(much)}));
    }
}
END_TEST

START_TEST(each_part_of_a_cell)
{
    struct gb_cell_info cell = {0};
    struct gb_bytes *const parts[] = {&cell.code,  &cell.out,  &cell.err,
                                      &cell.value, &cell.note, &cell.message};
    struct gb_match match;

    gb_match_init(&match, gb_bytes_str("word"));
    ck_assert(!gb_match_cell(&match, &cell));
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        *parts[i] = gb_bytes_str("a word");
        ck_assert(gb_match_cell(&match, &cell));
        *parts[i] = gb_bytes_str("nothing");
    }
    ck_assert(!gb_match_cell(&match, &cell));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("match");
    TCase *tests = tcase_create("match");

    tcase_add_loop_test(tests, literal_texts, 0, ARRAY_SIZE(cases));
    tcase_add_test(tests, anywhere_in_much);
    tcase_add_test(tests, each_part_of_a_cell);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
