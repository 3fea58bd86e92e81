/* SPDX-License-Identifier: Apache-2.0 */
#include "server/checkpoint/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"

static struct compare_list a, b;
static struct compare_changes changes;
static struct gb_buf texts[2]; /* from which the lists borrow */

static void forget(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        gb_buf_release(&texts[i]);
    compare_list_release(&a);
    compare_list_release(&b);
    free(changes.list);
    changes = (struct compare_changes){0};
}

static void variables(struct compare_list *list, const char *text, bool good, bool cut)
{
    struct gb_buf *buf = &texts[list == &b];

    gb_buf_adds(buf, text);
    compare_read_variables(list, buf, good, cut);
}

static void files(struct compare_list *list, const char *text, size_t size, bool cut)
{
    struct gb_buf *buf = &texts[list == &b];

    gb_buf_add(buf, text, size);
    compare_read_files(list, buf, true, cut);
}

START_TEST(compares_variables)
{
    variables(&a,
              "{\"name\":\"x\",\"type\":\"int\",\"repr\":\"1\"}\n"
              "{\"name\":\"gone\",\"type\":\"int\",\"repr\":\"1\"}\n"
              "{\"name\":\"same\",\"type\":\"int\",\"repr\":\"1\"}\n"
              "{\"name\":\"kind\",\"type\":\"int\",\"repr\":\"1\"}\n",
              true, false);
    variables(&b,
              "{\"name\":\"new\",\"type\":\"int\",\"repr\":\"1\"}\n"
              "{\"name\":\"x\",\"type\":\"int\",\"repr\":\"2\"}\n"
              "{\"name\":\"same\",\"type\":\"int\",\"repr\":\"1\"}\n"
              "{\"name\":\"kind\",\"type\":\"bool\",\"repr\":\"1\"}",
              true, false);
    ck_assert(a.good && b.good);
    compare_lists(&a, &b, &changes);
    ck_assert_uint_eq(changes.count, 4);
    ck_assert_ptr_null(changes.known.data);
    ck_assert(gb_bytes_equal(changes.list[0].before->name, "gone"));
    ck_assert_ptr_null(changes.list[0].after);
    ck_assert(gb_bytes_equal(changes.list[1].after->type, "bool"));
    ck_assert_ptr_null(changes.list[2].before);
    ck_assert(gb_bytes_equal(changes.list[2].after->name, "new"));
    ck_assert(gb_bytes_equal(changes.list[3].before->text, "1"));
    ck_assert(gb_bytes_equal(changes.list[3].after->text, "2"));
    forget();
}
END_TEST

START_TEST(leaves_out_what_is_no_variable)
{
    variables(&a,
              "no json\n[]\n7\n{\"name\":\"\"}\n{\"name\":1}\n[[[[[[[[[[[[[[[[[[[[\n"
              "{\"name\":\"x\"}\n\xff\n{\"name\":\"y\",\"repr\":",
              true, false);
    ck_assert_uint_eq(a.count, 1);
    ck_assert(gb_bytes_equal(a.list[0].name, "x"));
    ck_assert(gb_bytes_equal(a.list[0].type, ""));
    forget();
}
END_TEST

/* Up to where both are known. */
START_TEST(compares_what_was_cut_up_to_its_end)
{
    variables(&a, "{\"name\":\"a\"}\n{\"name\":\"c\"}\n{\"name\":\"d", true, true);
    variables(&b, "{\"name\":\"b\"}\n{\"name\":\"z\"}\n", true, false);
    ck_assert(a.good && a.cut && a.count == 2);
    compare_lists(&a, &b, &changes);
    ck_assert(gb_bytes_equal(changes.known, "c"));
    ck_assert_uint_eq(changes.count, 3); /* a, b, c */
    forget();
    /* What was not printed in order is not known up to anywhere; nor is what has no entry. */
    variables(&a, "{\"name\":\"c\"}\n{\"name\":\"a\"}\n", true, true);
    variables(&b, "{\"name\":\"c", true, true);
    ck_assert(!a.good && !b.good);
    forget();
    variables(&a, "{\"name\":\"c\"}\n", false, false);
    ck_assert(!a.good);
    forget();
}
END_TEST

START_TEST(counts_only_so_many)
{
    for (unsigned i = 0; i <= COMPARE_THINGS_MAX; i++)
        gb_buf_addf(&texts[0], "{\"name\":\"v%05u\"}\n", i);
    compare_read_variables(&a, &texts[0], true, false);
    ck_assert(a.good && a.cut);
    ck_assert_uint_eq(a.count, COMPARE_THINGS_MAX);
    variables(&b, "{\"name\":\"x\"}\n", true, false);
    compare_lists(&a, &b, &changes);
    ck_assert_uint_eq(changes.count, GB_DIFF_CHANGES_MAX);
    ck_assert(changes.many);
    ck_assert(gb_bytes_equal(changes.known, "v19999"));
    forget();
}
END_TEST

/* Nothing ends at a NUL, which JSON can contain, nor is anything copied. */
START_TEST(borrows_texts_as_they_are)
{
    variables(&a, "{\"name\":\"x\\u0000a\",\"repr\":\"1\\u00002\"}\n{\"name\":\"y\"}\n", true,
              false);
    variables(&b, "{\"name\":\"x\\u0000b\",\"repr\":\"1\\u00002\"}\n{\"name\":\"y\"}\n", true,
              false);
    ck_assert_uint_eq(a.list[0].name.size, 3);
    ck_assert(a.list[0].name.data > texts[0].memory &&
              a.list[0].name.data < texts[0].memory + texts[0].size);
    compare_lists(&a, &b, &changes);
    ck_assert_uint_eq(changes.count, 2); /* two names, not one */
    ck_assert_ptr_null(changes.list[0].after);
    ck_assert_ptr_null(changes.list[1].before);
    ck_assert_int_lt(compare_bytes(a.list[0].name, b.list[0].name), 0);
    ck_assert_uint_eq(a.list[0].text.size, 3);
    forget();
}
END_TEST

/* However long the texts are. */
START_TEST(tells_only_so_many_bytes)
{
    for (unsigned i = 0; i < 10; i++) {
        gb_buf_addf(&texts[0], "{\"name\":\"%u", i);
        for (unsigned j = 0; j < 1 << 19; j++)
            gb_buf_adds(&texts[0], "n");
        gb_buf_adds(&texts[0], "\"}\n");
    }
    compare_read_variables(&a, &texts[0], true, false);
    ck_assert_uint_eq(a.count, 10);
    compare_lists(&a, &b, &changes);
    ck_assert(changes.many);
    ck_assert_uint_eq(changes.count, 7);
    forget();
}
END_TEST

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

START_TEST(compares_files)
{
    static const char before[] =
        DIGEST_A "  ./a\n b\0" DIGEST_A "  ./same\0" DIGEST_A "  ./\0"
                 "not a digest aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  ./x";
    static const char after[] = DIGEST_B "  ./a\n b\0" DIGEST_A "  ./same\0" DIGEST_A "  ./d/\xff";

    files(&a, before, sizeof(before), false);
    files(&b, after, sizeof(after), false);
    ck_assert_uint_eq(a.count, 2);
    compare_lists(&a, &b, &changes);
    ck_assert_uint_eq(changes.count, 2);
    ck_assert(gb_bytes_equal(changes.list[0].before->name, "a\n b"));
    ck_assert_uint_eq(changes.list[0].after->type.size, 0);
    ck_assert(gb_bytes_equal(changes.list[1].after->name, "d/\xff"));
    forget();
}
END_TEST

/* ---- cells ---- */

static struct compare_cells one, two;

static void forget_cells(void)
{
    compare_cells_release(&one);
    compare_cells_release(&two);
    one = two = (struct compare_cells){0};
}

static void line(struct compare_cells *cells, const uint32_t *numbers)
{
    for (; *numbers != 0; numbers++)
        ck_assert(compare_cells_add(cells, *numbers));
}

static void take(struct compare_cells *cells, uint32_t number, const char *out, int64_t exit_code)
{
    const struct gb_cell_info record = {.number = number,
                                        .state = GB_CELL_DONE,
                                        .exit_code = exit_code,
                                        .out = gb_bytes_str(out),
                                        .err = gb_bytes_str(""),
                                        .value = gb_bytes_str("")};

    compare_cells_take(cells, &record);
}

START_TEST(drops_the_cells_that_led_to_both)
{
    line(&one, (const uint32_t[]){9, 8, 3, 2, 1, 0});
    line(&two, (const uint32_t[]){5, 4, 3, 2, 1, 0});
    one.cut = two.cut = true;
    compare_cells_drop_common(&one, &two);
    ck_assert_uint_eq(one.count, 2);
    ck_assert_uint_eq(two.count, 2);
    ck_assert(!one.cut && !two.cut); /* what is missing led to both */
    forget_cells();
    line(&one, (const uint32_t[]){9, 0});
    line(&two, (const uint32_t[]){8, 0});
    one.cut = true;
    compare_cells_drop_common(&one, &two);
    ck_assert(one.count == 1 && two.count == 1 && one.cut);
    forget_cells();
    while (compare_cells_add(&one, 1000 - (uint32_t)one.count))
        ;
    ck_assert_uint_eq(one.count, COMPARE_CELLS_MAX);
    forget_cells();
}
END_TEST

START_TEST(compares_output)
{
    struct gb_diff_cell cell;
    size_t a_left, b_left;

    line(&one, (const uint32_t[]){6, 5, 4, 3, 0});
    line(&two, (const uint32_t[]){7, 5, 4, 3, 2, 0});
    take(&one, 3, "same", 0);
    take(&two, 3, "same", 0);
    take(&one, 4, "one", 0);
    take(&two, 4, "two", 0);
    take(&one, 5, "", 1);
    take(&two, 5, "", 0); /* nothing to tell */
    take(&one, 6, "", 0);
    take(&two, 7, "new", 0);
    take(&two, 100, "another", 0);
    a_left = one.count;
    b_left = two.count;
    ck_assert(compare_cells_next(&one, &two, &a_left, &b_left, &cell));
    ck_assert(cell.cell == 4 && cell.change == GB_CHANGED);
    ck_assert(gb_bytes_equal(cell.before.out, "one") && gb_bytes_equal(cell.after.out, "two"));
    ck_assert(compare_cells_next(&one, &two, &a_left, &b_left, &cell));
    ck_assert(cell.cell == 5 && cell.change == GB_REMOVED);
    ck_assert_uint_eq(cell.before.flags & GB_DIFF_OUTPUT_OK, 0);
    ck_assert(compare_cells_next(&one, &two, &a_left, &b_left, &cell));
    ck_assert(cell.cell == 7 && cell.change == GB_ADDED);
    ck_assert(!compare_cells_next(&one, &two, &a_left, &b_left, &cell));
    forget_cells();
}
END_TEST

/* Beyond what is told, too. */
START_TEST(notices_a_difference_at_the_end_of_long_output)
{
    char text[2 * COMPARE_OUTPUT_MAX + 1];
    struct gb_diff_cell cell;
    size_t a_left = 1, b_left = 1;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    line(&one, (const uint32_t[]){1, 0});
    line(&two, (const uint32_t[]){1, 0});
    take(&one, 1, text, 0);
    text[sizeof(text) - 2] = 'y';
    take(&two, 1, text, 0);
    ck_assert(compare_cells_next(&one, &two, &a_left, &b_left, &cell));
    ck_assert_uint_eq(cell.before.out.size, COMPARE_OUTPUT_MAX);
    forget_cells();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("compare");
    Suite *suite = suite_create("compare");

    tcase_add_test(tests, compares_variables);
    tcase_add_test(tests, leaves_out_what_is_no_variable);
    tcase_add_test(tests, compares_what_was_cut_up_to_its_end);
    tcase_add_test(tests, counts_only_so_many);
    tcase_add_test(tests, borrows_texts_as_they_are);
    tcase_add_test(tests, tells_only_so_many_bytes);
    tcase_add_test(tests, compares_files);
    tcase_add_test(tests, drops_the_cells_that_led_to_both);
    tcase_add_test(tests, compares_output);
    tcase_add_test(tests, notices_a_difference_at_the_end_of_long_output);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
