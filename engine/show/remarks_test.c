/* SPDX-License-Identifier: Apache-2.0 */
#include "show/remarks.h"

#include "base/mem.h"
#include "check_run.h"
#include "model/flags.h"
#include "show/outcome.h"

static void expect(const struct remarks *remarks, size_t count, const char *const *sentences)
{
    ck_assert_uint_eq(remarks_count(remarks), count);
    for (size_t i = 0; i < count; i++) {
        struct gb_buf text = {0};

        remarks_add(remarks, i, &text);
        ck_assert_str_eq(gb_buf_str(&text), sentences[i]);
        gb_buf_release(&text);
    }
}

/* Whatever there is, it has one order. */
START_TEST(says_what_there_is)
{
    const char *const all[] = {"held by somebody", "the worker fell silent", outcome_state_lost,
                               "12 bytes of output were left out"};
    struct remarks remarks = {0};

    expect(&remarks, 0, NULL);
    remarks.left_out = 12;
    expect(&remarks, 1, all + 3);
    remarks.flags = GB_CELL_STATE_LOST | GB_CELL_OOM;
    expect(&remarks, 2, all + 2);
    remarks.note = gb_bytes_str(all[1]);
    expect(&remarks, 3, all + 1);
    remarks.error = gb_bytes_str(all[0]);
    expect(&remarks, 4, all);
    remarks.flags = GB_CELL_ROLLED_BACK | GB_CELL_TIMED_OUT;
    expect(&remarks, 4, (const char *const[]){all[0], all[1], outcome_rolled_back, all[3]});
    remarks.flags = 0;
    expect(&remarks, 3, (const char *const[]){all[0], all[1], all[3]});
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("remarks");
    TCase *tests = tcase_create("remarks");

    tcase_add_test(tests, says_what_there_is);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
