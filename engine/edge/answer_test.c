/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/answer.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"

#define VALUE "SECRETVALUE"
#define OK "HTTP/1.1 200 OK\r\n"

static struct gb_mask mask;

static struct gb_answer answer_new(bool is_plain)
{
    struct gb_answer answer = {.mask = &mask, .owners = 1};

    if (mask.count == 0)
        ck_assert(gb_mask_add(&mask, gb_bytes_str(VALUE), "holder", 1));
    gb_answer_begin(&answer, false, true, is_plain);
    return answer;
}

static bool answer_take(struct gb_answer *answer, const char *text, struct gb_buf *out)
{
    return gb_answer_feed(answer, gb_bytes_str(text), out);
}

/* The beginnings of bodies whose end only the server knows. */
static const struct {
    const char *head, *before, *after;
} streams[] = {
    {OK "\r\n", "", ""},
    {OK "Transfer-Encoding: chunked\r\n\r\n", "c\r\n", "\r\n"},
    {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "", ""},
};

START_TEST(pieces_do_not_tell_what_is_in_them)
{
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        static const char *const bytes[] = {"guess:SECRET", "guess:------"};
        struct gb_buf out[2] = {{0}, {0}};
        size_t sizes[2];

        for (size_t j = 0; j < 2; j++) {
            _cleanup_(freep) char *text =
                xasprintf("%s%s%s", streams[i].before, bytes[j], streams[i].after);
            struct gb_answer answer = answer_new(true);

            ck_assert(answer_take(&answer, streams[i].head, &out[j]));
            ck_assert(answer_take(&answer, text, &out[j]));
            sizes[j] = out[j].size;
            ck_assert(gb_answer_keeps(&answer));
            gb_answer_pass(&answer, &out[j]); /* nothing has come for a while */
            ck_assert(!gb_answer_keeps(&answer));
            gb_answer_release(&answer);
        }
        ck_assert_uint_eq(sizes[0], sizes[1]);
        ck_assert_uint_eq(out[0].size, out[1].size);
        ck_assert_ptr_nonnull(strstr(gb_buf_str(&out[0]), "SECRET"));
        gb_buf_release(&out[0]);
        gb_buf_release(&out[1]);
    }
    gb_mask_release(&mask);
}
END_TEST

START_TEST(a_value_in_two_pieces_is_found)
{
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        for (size_t size = 1; size < strlen(VALUE); size++) {
            struct gb_answer answer = answer_new(true);
            struct gb_buf out = {0};

            ck_assert(answer_take(&answer, streams[i].head, &out));
            for (size_t j = 0; j < 2; j++) {
                const char *part = &VALUE[j == 0 ? 0 : size];
                size_t length = j == 0 ? size : strlen(VALUE) - size;
                _cleanup_(freep) char *text =
                    streams[i].before[0] == '\0'
                        ? xasprintf("%.*s", (int)length, part)
                        : xasprintf("%zx\r\n%.*s\r\n", length, (int)length, part);

                ck_assert(answer_take(&answer, text, &out));
            }
            (void)gb_answer_end(&answer, &out);
            ck_assert_ptr_nonnull(strstr(gb_buf_str(&out), "*****"));
            ck_assert_ptr_null(strstr(gb_buf_str(&out), "SE"));
            ck_assert_ptr_null(strstr(gb_buf_str(&out), "LUE"));
            gb_answer_release(&answer);
            gb_buf_release(&out);
        }
    }
    gb_mask_release(&mask);
}
END_TEST

/* Its end is known, so nothing has to be guessed from a pause. */
START_TEST(a_body_with_a_length_is_never_passed_before)
{
    struct gb_answer answer = answer_new(true);
    struct gb_buf out = {0};

    ck_assert(answer_take(&answer, OK "Content-Length: 13\r\n\r\n<SECRET", &out));
    ck_assert(!gb_answer_keeps(&answer));
    ck_assert(answer_take(&answer, "VALUE>", &out));
    ck_assert(gb_answer_is_done(&answer));
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&out), "\r\n\r\n<holder*****>"));
    gb_answer_release(&answer);
    gb_buf_release(&out);
    gb_mask_release(&mask);
}
END_TEST

START_TEST(what_cannot_be_searched_is_refused_after_a_secret)
{
    static const char *const encoded[] = {
        OK "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n",
        OK "content-encoding: identity, br\r\n\r\n",
        OK "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n\r\n",
    };
    static const char *const plain[] = {
        OK "Content-Encoding: Identity\r\nContent-Length: 3\r\n\r\n",
        OK "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n",
    };
    struct gb_buf out = {0};

    for (size_t i = 0; i < ARRAY_SIZE(encoded); i++) {
        struct gb_answer after = answer_new(true), without = answer_new(false);

        ck_assert(!answer_take(&after, encoded[i], &out));
        ck_assert_uint_eq(out.size, 0);
        ck_assert_uint_eq(after.status, 0);
        ck_assert(answer_take(&without, encoded[i], &out));
        gb_buf_clear(&out);
        gb_answer_release(&after);
        gb_answer_release(&without);
    }
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        struct gb_answer answer = answer_new(true);

        ck_assert(answer_take(&answer, plain[i], &out));
        gb_answer_release(&answer);
    }
    gb_buf_release(&out);
    gb_mask_release(&mask);
}
END_TEST

#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

/* Bodies in chunks, and what is passed of them; NULL: refused. */
static const struct {
    const char *body, *passed;
} chunked[] = {
    {"2\r\nok\r\n0\r\n\r\n", "2\r\nok\r\n0\r\n\r\n"},
    {"2;x=\"y\"\r\nok\r\n0\r\n\r\n", "2\r\nok\r\n0\r\n\r\n"},
    {"2 \t\r\nok\r\n000\r\nX: y\r\nZ: " VALUE "\r\n\r\n", "2\r\nok\r\n0\r\n\r\n"},
    {"2\rx\r\nok\r\n0\r\n\r\n", NULL},
    {"2;x\ry\r\nok\r\n0\r\n\r\n", NULL},
    {"2x\r\nok\r\n0\r\n\r\n", NULL},
    {"0x2\r\nok\r\n0\r\n\r\n", NULL},
    {"\r\nok\r\n0\r\n\r\n", NULL},
    {"2\nok\r\n0\r\n\r\n", NULL},
    {"2\r\noks\r\n0\r\n\r\n", NULL},
    {"2\r\nok\n0\r\n\r\n", NULL},
    {"2\r\nok\r\n0\r\nX: y\n\r\n", NULL},
    {"1000000000000000\r\nok", NULL},
};

START_TEST(chunks_are_made_anew)
{
    for (size_t i = 0; i < ARRAY_SIZE(chunked); i++) {
        for (size_t piece = 1; piece <= strlen(chunked[i].body); piece += 6) {
            struct gb_answer answer = answer_new(false);
            struct gb_buf out = {0};
            bool good = answer_take(&answer, CHUNKED, &out);

            gb_buf_clear(&out);
            for (size_t at = 0; good && at < strlen(chunked[i].body); at += piece) {
                const size_t size = MIN(piece, strlen(chunked[i].body) - at);
                const uint8_t *bytes = (const uint8_t *)chunked[i].body + at;

                good = gb_answer_feed(&answer, (struct gb_bytes){bytes, size}, &out);
            }
            ck_assert_msg(good == (chunked[i].passed != NULL), "%s", chunked[i].body);
            ck_assert(!good || gb_answer_is_done(&answer));
            if (good && piece > strlen("2 \t\r\nok\r\n"))
                ck_assert_str_eq(gb_buf_str(&out), chunked[i].passed);
            ck_assert_ptr_null(strstr(gb_buf_str(&out), "X: y"));
            gb_answer_release(&answer);
            gb_buf_release(&out);
        }
    }
    gb_mask_release(&mask);
}
END_TEST

START_TEST(fields_behind_a_body_have_a_bound)
{
    static const char line[] =
        "X-Field-Behind-A-Body: 0123456789012345678901234567890123456789\r\n";
    struct gb_answer answer = answer_new(false);
    struct gb_buf out = {0};
    size_t taken = 0;

    ck_assert(answer_take(&answer, CHUNKED "0\r\n", &out));
    while (answer_take(&answer, line, &out))
        taken += strlen(line);
    ck_assert(taken <= GB_ANSWER_HEAD_MAX && taken + strlen(line) > GB_ANSWER_HEAD_MAX);
    gb_answer_release(&answer);
    gb_buf_release(&out);
    gb_mask_release(&mask);
}
END_TEST

START_TEST(what_http_1_0_does_not_have)
{
    struct gb_answer answer = answer_new(false);
    struct gb_buf out = {0};

    ck_assert(!answer_take(&answer, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &out));
    ck_assert_uint_eq(out.size, 0);
    gb_answer_release(&answer);
    gb_mask_release(&mask);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answer");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, pieces_do_not_tell_what_is_in_them);
    tcase_add_test(tests, a_value_in_two_pieces_is_found);
    tcase_add_test(tests, a_body_with_a_length_is_never_passed_before);
    tcase_add_test(tests, what_cannot_be_searched_is_refused_after_a_secret);
    tcase_add_test(tests, chunks_are_made_anew);
    tcase_add_test(tests, fields_behind_a_body_have_a_bound);
    tcase_add_test(tests, what_http_1_0_does_not_have);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
