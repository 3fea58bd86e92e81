/* SPDX-License-Identifier: Apache-2.0 */
/* Cells whose output is too much to be kept: parts of it are read from the journal where they come
 * into sight, and let go. */
#include <stdlib.h>

#include "cells_testing.h"

/* Answers as session.history does. */
static void tell_part(void)
{
    struct gb_buf json = {0};
    struct gb_json_out out = {.buf = &json};
    uint64_t begin = 0, told = length;
    struct card *card = cells.cards[0];
    struct stream_hold hold;

    ck_assert_uint_le(offset, journal[0].size + journal[1].size);
    gb_json_object(&out, NULL);
    gb_json_array(&out, "cells");
    gb_json_object(&out, NULL);
    gb_json_put_u64(&out, "cell", 1);
    gb_json_put_str(&out, "state", "done");
    gb_json_put_u64(&out, "stdout_bytes", journal[0].size);
    gb_json_put_u64(&out, "stderr_bytes", journal[1].size);
    gb_json_put_u64(&out, "offset", offset);
    for (int i = 0; i < 2; i++) {
        struct gb_bytes bytes = gb_buf_bytes(&journal[i]);
        size_t skip = (size_t)MIN(offset > begin ? offset - begin : 0, (uint64_t)bytes.size);

        begin += bytes.size;
        bytes = (struct gb_bytes){bytes.data + skip, MIN(bytes.size - skip, (size_t)told)};
        told -= bytes.size;
        gb_json_put_bytes(&out, i == 0 ? "stdout" : "stderr",
                          i == 0 ? "stdout_base64" : "stderr_base64", bytes);
    }
    gb_json_end(&out);
    gb_json_end(&out);
    gb_json_end(&out);
    stream_hold(&stream, card, &hold);
    with_json(gb_buf_str(&json), use_history, NULL);
    stream_release(&stream, &hold, wished);
    wished = PART_NONE;
    gb_buf_release(&json);
}

enum { WIDE = 120, HIGH = 60, LINES = 22000, OUT_LINES = 16000 };

/* What is in sight, and what comes of it. */
static const char *settled(void)
{
    const char *screen = painted(WIDE, HIGH);

    for (int i = 0; wished != PART_NONE; i++) {
        ck_assert_int_lt(i, 4);
        tell_part();
        screen = painted(WIDE, HIGH);
    }
    return screen;
}

/* The number in the first line of output in sight. */
static long first_number(const char *screen)
{
    const char *at = strstr(screen, "│ n");

    if (at == NULL)
        at = strstr(screen, "┃ n");
    ck_assert_msg(at != NULL, "%s", screen);
    return strtol(strchr(at, 'n') + 1, NULL, 10);
}

/* A cell that printed 16,000 lines to stdout and then 6,000 to stderr, read to its beginning and
 * back to its end, a page at a time: every line comes, and none moves. */
START_TEST(test_parts)
{
    long at, next, last = 0;

    for (int i = 0; i < LINES; i++)
        gb_buf_addf(&journal[i < OUT_LINES ? 0 : 1],
                    i % 10 == 0 ? "n%d \303\274 %090d\n" : "n%d %090d\n", i, i);
    started(1, "agent", "f()");
    finished(1, "");
    /* It is away: its end comes first. */
    offset = journal[0].size + journal[1].size - (100 << 10);
    length = 100 << 10;
    cells.cards[0]->away = true;
    tell_part();
    ck_assert_ptr_nonnull(strstr(settled(), "n21999"));
    at = first_number(settled());
    for (int i = 0; strstr(painted(WIDE, HIGH), "f()") == NULL; i++) {
        ck_assert_int_lt(i, 20000);
        stream_scroll(&stream, 2 - HIGH);
        next = first_number(settled());
        ck_assert_int_lt(next, at);
        ck_assert_int_le(at - next, HIGH);
        ck_assert_uint_le(text_bytes(cells.cards[0]->output), 4 << 20);
        at = next;
    }
    ck_assert_int_eq(at, 0);
    for (int i = 0; !stream.follow; i++) {
        ck_assert_int_lt(i, 20000);
        stream_scroll(&stream, HIGH - 2);
        next = first_number(settled());
        ck_assert_int_ge(next, last);
        ck_assert_int_le(next - last, HIGH);
        last = next;
    }
    ck_assert_ptr_nonnull(strstr(settled(), "n21999"));
    /* Its head, from far below, brings the beginning; the end brings the end. */
    stream_select(&stream, cells.cards[0]);
    ck_assert_ptr_nonnull(strstr(settled(), "│ n0 "));
    ck_assert_ptr_nonnull(strstr(painted(WIDE, HIGH), "f()"));
    stream_to_end(&stream);
    ck_assert_ptr_nonnull(strstr(settled(), "n21999"));
}
END_TEST

/* The same of what came by events: what was let go of it comes back at its place. */
START_TEST(test_parts_after_events)
{
    const size_t lines = 100000;
    struct gb_buf json = {0};
    long before, after;

    started(1, "agent", "f()");
    for (size_t i = 0; i < lines; i++)
        gb_buf_addf(&journal[0], "n%zu %090d\n", i, 0);
    for (size_t from = 0; from < journal[0].size; from += 60000) {
        struct gb_json_out out = {.buf = &json};
        struct gb_bytes bytes = {gb_buf_data(&journal[0]) + from,
                                 MIN(journal[0].size - from, (size_t)60000)};

        gb_buf_clear(&json);
        gb_json_object(&out, NULL);
        gb_json_put_u64(&out, "cell", 1);
        gb_json_put_str(&out, "stream", "stdout");
        gb_json_put(&out, "text", bytes);
        gb_json_end(&out);
        event("cell.output", gb_buf_str(&json));
    }
    ck_assert_ptr_nonnull(strstr(painted(WIDE, HIGH), "n99999"));
    stream_scroll(&stream, -10000000);
    ck_assert_ptr_nonnull(
        strstr(painted(WIDE, HIGH), "earlier lines")); /* it runs: nothing to ask */
    ck_assert_int_eq(wished, PART_NONE);
    stream_to_end(&stream);
    gb_buf_clear(&json);
    gb_buf_addf(&json, ",\"stdout_bytes\":%zu,\"stderr_bytes\":0", journal[0].size);
    finished(1, gb_buf_str(&json));
    gb_buf_release(&json);
    (void)painted(WIDE, HIGH);
    stream_scroll(&stream, -10000000); /* up to the edge */
    before = first_number(painted(WIDE, HIGH));
    ck_assert_int_gt(before, 0);
    ck_assert_int_eq(wished, PART_EARLIER);
    after = first_number(settled());
    ck_assert_int_eq(before - after, 1); /* where the edge was */
    stream_scroll(&stream, -100);
    ck_assert_int_eq(after - first_number(settled()), 100);
}
END_TEST

/* What has no lines comes to rest, too: much is printed, and little of it can be seen. */
START_TEST(test_parts_without_lines)
{
    for (int i = 0; i < 150000; i++)
        gb_buf_addf(&journal[0], "%d per cent\r", i);
    for (int i = 0; i < 250000; i++)
        gb_buf_adds(&journal[1], "\342\202\254\342\202");
    started(1, "agent", "f()");
    finished(1, "");
    offset = journal[0].size + journal[1].size - 1000;
    length = 1000;
    cells.cards[0]->away = true;
    tell_part();
    for (int i = 0; i < 20; i++) {
        (void)settled();
        if (i % 10 == 9)
            stream_to_end(&stream);
        else if (i % 10 == 4)
            stream_to_top(&stream);
        else
            stream_scroll(&stream, i % 7 == 0 ? 2000 : -3000);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("parts of cells");
    TCase *tests = tcase_create("parts of cells");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_parts);
    tcase_add_test(tests, test_parts_after_events);
    tcase_add_test(tests, test_parts_without_lines);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
