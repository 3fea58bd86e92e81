/* SPDX-License-Identifier: Apache-2.0 */
#include "check_run.h"
#include "journal/internal.h"

START_TEST(held_once)
{
    struct gb_journal journal = {0};
    const char *python = text_hold(&journal, gb_bytes_str("python"));
    const char *shell = text_hold(&journal, gb_bytes_str("shell"));
    const char *empty = text_hold(&journal, (struct gb_bytes){0});

    ck_assert_str_eq(python, "python");
    ck_assert_str_eq(shell, "shell");
    ck_assert_str_eq(empty, "");
    ck_assert_ptr_eq(text_hold(&journal, (struct gb_bytes){(const uint8_t *)"pythons", 6}), python);
    ck_assert_ptr_eq(text_hold(&journal, gb_bytes_str("")), empty);
    ck_assert_ptr_eq(text_hold(&journal, (struct gb_bytes){(const uint8_t *)"shell\0x", 7}), shell);
    text_release(&journal, python);
    ck_assert_str_eq(python, "python"); /* somebody holds it still */
    text_release(&journal, python);
    for (int i = 0; i < 2; i++) {
        text_release(&journal, shell);
        text_release(&journal, empty);
    }
    text_release(&journal, NULL);
    ck_assert_ptr_null(journal.texts);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal/text");
    TCase *tests = tcase_create("tests");

    tcase_add_test(tests, held_once);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
