/* SPDX-License-Identifier: Apache-2.0 */
#include "editor/edit.h"

#include <string.h>

#include "check_run.h"

static const char *text_at(const void *texts, size_t index)
{
    return ((const char *const *)texts)[index];
}

static void check_common(const char *const *texts, size_t count, const char *expected)
{
    size_t size = edit_common(text_at, texts, count);

    ck_assert_uint_eq(size, strlen(expected));
    ck_assert_int_eq(memcmp(texts[0], expected, size), 0);
}

START_TEST(what_texts_begin_with)
{
    check_common((const char *const[]){"print"}, 1, "print");
    check_common((const char *const[]){"zipfile", "zipimport", "zip"}, 3, "zip");
    check_common((const char *const[]){"a", "b"}, 2, "");
    check_common((const char *const[]){"", "b"}, 2, "");
    /* \303\244 and \303\266 begin with the same byte, and are two characters. */
    check_common((const char *const[]){"x\303\244", "x\303\266"}, 2, "x");
    check_common((const char *const[]){"\360\237\232\200", "\360\237\232\201"}, 2, "");
}
END_TEST

START_TEST(places_in_characters)
{
    static const char text[] = "a\303\244\342\202\254\360\237\232\200b";

    ck_assert_uint_eq(edit_points(text, strlen(text)), 5);
    ck_assert_uint_eq(edit_points(text, 3), 2);
    ck_assert_uint_eq(edit_offset(text, 0), 0);
    ck_assert_uint_eq(edit_offset(text, 2), 3);
    ck_assert_uint_eq(edit_offset(text, 4), 10);
    ck_assert_uint_eq(edit_offset(text, 99), strlen(text));
}
END_TEST

START_TEST(blank_texts)
{
    ck_assert(edit_is_blank("") && edit_is_blank(" \t\n"));
    ck_assert(!edit_is_blank(" x") && !edit_is_blank("\302\240"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edit");
    TCase *tests = tcase_create("edit");

    tcase_add_test(tests, what_texts_begin_with);
    tcase_add_test(tests, places_in_characters);
    tcase_add_test(tests, blank_texts);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
