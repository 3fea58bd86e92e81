/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/mask.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"

enum { ONE = 1, TWO = 2 };

static void mask_of_two(struct gb_mask *mask)
{
    *mask = (struct gb_mask){0};
    ck_assert(gb_mask_add(mask, gb_bytes_str("SECRETVALUE"), "holder", ONE));
    ck_assert(gb_mask_add(mask, gb_bytes_str("SECRET"), "holder", ONE));
    ck_assert(gb_mask_add(mask, gb_bytes_str("OTHER"), "x", TWO));
}

/* Feeds @text in pieces of @piece bytes; the sizes of what comes out are added to @sizes. */
static void mask_run(const struct gb_mask *mask, uint32_t owners, const char *text, size_t piece,
                     struct gb_buf *out, struct gb_buf *sizes)
{
    struct gb_mask_tail tail = {0};
    size_t size = strlen(text);

    gb_buf_clear(out);
    gb_buf_clear(sizes);
    for (size_t at = 0; at < size; at += piece) {
        struct gb_bytes next = {(const uint8_t *)text + at, MIN(piece, size - at)};

        gb_mask_feed(mask, owners, &tail, next, false, out);
        gb_buf_add_u32(sizes, (uint32_t)out->size);
    }
    gb_mask_feed(mask, owners, &tail, (struct gb_bytes){NULL, 0}, true, out);
    ck_assert_uint_eq(tail.bytes.size, 0);
    gb_mask_tail_release(&tail);
}

START_TEST(texts_are_replaced_in_whatever_pieces_they_come)
{
    static const struct {
        uint32_t owners;
        const char *in, *out;
    } cases[] = {
        {ONE, "a SECRETVALUE b", "a holder***** b"},
        {ONE, "SECRETVALU", "holderVALU"},
        {ONE, "SECRESECRETVALUE", "SECREholder*****"},
        {ONE, "SECRETSECRETVALUESECRET", "holderholder*****holder"},
        {ONE, "OTHER", "OTHER"},
        {TWO, "SECRET OTHER", "SECRET x****"},
        {ONE | TWO, "OTHERSECRET", "x****holder"},
        {0, "OTHERSECRET", "OTHERSECRET"},
    };
    struct gb_buf out = {0}, sizes = {0};
    struct gb_mask mask;

    mask_of_two(&mask);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (size_t piece = 1; piece <= strlen(cases[i].in); piece++) {
            mask_run(&mask, cases[i].owners, cases[i].in, piece, &out, &sizes);
            ck_assert_str_eq(gb_buf_str(&out), cases[i].out);
        }
    }
    gb_buf_release(&out);
    gb_buf_release(&sizes);
    gb_mask_release(&mask);
}
END_TEST

/* Whether its beginning, or all of a text is in the bytes. */
START_TEST(sizes_do_not_tell_what_the_bytes_are)
{
    static const char guess[] = "guess: SECRETVALUE";
    struct gb_buf out = {0}, sizes = {0}, plain = {0};
    struct gb_mask mask;
    char other[sizeof(guess)];

    mask_of_two(&mask);
    for (size_t length = 1; length < sizeof(guess); length++) {
        char same[sizeof(guess)] = "";

        memcpy(same, guess, length);
        memset(other, '-', length);
        other[length] = '\0';
        for (size_t piece = 1; piece <= length; piece++) {
            mask_run(&mask, ONE, same, piece, &out, &sizes);
            mask_run(&mask, ONE, other, piece, &out, &plain);
            ck_assert_uint_eq(sizes.size, plain.size);
            ck_assert_mem_eq(gb_buf_data(&sizes), gb_buf_data(&plain), sizes.size);
        }
    }
    gb_buf_release(&out);
    gb_buf_release(&sizes);
    gb_buf_release(&plain);
    gb_mask_release(&mask);
}
END_TEST

START_TEST(texts_have_bounds)
{
    struct gb_mask mask = {0};
    char text[16];

    ck_assert(!gb_mask_add(&mask, gb_bytes_str(""), "x", ONE));
    for (unsigned i = 0; i < GB_MASK_TEXTS_MAX; i++) {
        (void)snprintf(text, sizeof(text), "%u", i);
        ck_assert(gb_mask_add(&mask, gb_bytes_str(text), "x", ONE));
        ck_assert(gb_mask_add(&mask, gb_bytes_str(text), "x", TWO)); /* the same one */
    }
    ck_assert_uint_eq(mask.count, GB_MASK_TEXTS_MAX);
    ck_assert(!gb_mask_add(&mask, gb_bytes_str("one more"), "x", ONE));
    gb_mask_release(&mask);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mask");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, texts_are_replaced_in_whatever_pieces_they_come);
    tcase_add_test(tests, sizes_do_not_tell_what_the_bytes_are);
    tcase_add_test(tests, texts_have_bounds);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
