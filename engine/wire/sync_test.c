/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/sync.h"

#include <string.h>

#include "check_run.h"

static const uint8_t plain[] = "0123456789abcdef";
/* Its parts are its beginning again. */
static const uint8_t knotty[] = "aabaabaaaabaabab";

/* Feeds @text in pieces of @step; returns how many bytes were dropped. */
static size_t feed(const uint8_t *mark, const char *text, size_t step)
{
    struct gb_sync sync = {0};
    size_t size = strlen(text), dropped = 0;

    gb_sync_expect(&sync, mark);
    for (size_t at = 0; at < size; at += step) {
        size_t piece = size - at < step ? size - at : step;

        dropped += gb_sync_drop(&sync, (struct gb_bytes){(const uint8_t *)text + at, piece});
    }
    ck_assert_uint_eq(sync.left == 0, strstr(text, (const char *)mark) != NULL);
    return dropped;
}

static void all_steps(const uint8_t *mark, const char *text)
{
    const char *found = strstr(text, (const char *)mark);
    size_t wanted = found == NULL ? strlen(text) : (size_t)(found - text) + GB_SYNC_BYTES;

    for (size_t step = 1; step <= strlen(text); step++)
        ck_assert_uint_eq(feed(mark, text, step), wanted);
}

START_TEST(what_comes_before_the_mark_is_dropped_and_nothing_else)
{
    all_steps(plain, "0123456789abcdef");
    all_steps(plain, "0123456789abcdefthe conversation");
    all_steps(plain, "the rest of a frame0123456789abcdefthe conversation");
    all_steps(plain, "0123456789abcde0123456789abcdef0123456789abcdef");
    all_steps(plain, "0120120123456789abcde");
    all_steps(plain, "nothing of it");
}
END_TEST

START_TEST(a_mark_that_begins_within_a_false_one_is_found)
{
    all_steps(knotty, "aabaabaaaabaabaabaabaaaabaabab!");
    all_steps(knotty, "aaabaabaaaabaababaab");
    all_steps(knotty, "aabaabaabaabaaaabaabab");
    all_steps(knotty, "aabaabaaaabaabaaabaabaaaabaaba");
}
END_TEST

START_TEST(without_a_mark_nothing_is_dropped)
{
    struct gb_sync sync = {0};

    ck_assert_uint_eq(gb_sync_drop(&sync, gb_bytes_str("bytes")), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sync");
    TCase *all = tcase_create("all");

    tcase_add_test(all, what_comes_before_the_mark_is_dropped_and_nothing_else);
    tcase_add_test(all, a_mark_that_begins_within_a_false_one_is_found);
    tcase_add_test(all, without_a_mark_nothing_is_dropped);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
