/* SPDX-License-Identifier: Apache-2.0 */
#include "cells_testing.h"

START_TEST(test_events)
{
    struct card *card;

    started(1, "agent", "f()");
    ck_assert_ptr_nonnull(cells_running(&cells));
    output(1, "stdout", "one\\n");
    output(1, "stderr", "two\\n");
    event("cell.waiting", "{\"cell\":1,\"waiting\":true}");
    card = cells_find(&cells, 1);
    ck_assert(card->waiting);
    finished(1, ",\"exit_code\":3");
    ck_assert(!card->waiting);
    ck_assert_ptr_null(cells_running(&cells));
    /* The first of two members with one name counts. */
    ck_assert_int_eq(card->outcome.exit_code, 0);
    ck_assert(!card_failed(card));
    ck_assert_uint_eq(text_lines(card->output), 2);
    ck_assert(!card->mine);
}
END_TEST

START_TEST(test_own_cell)
{
    static const uint64_t call = 7;
    const struct card *card = cells_sent(&cells, call, "6 * 7");

    started(3, "glassbell tui 0.1.0", "6 * 7");
    ck_assert_ptr_eq(cells_find(&cells, 3), card);
    ck_assert_uint_eq(cells.count, 1);
    output(3, "stdout", "once\\n");
    finished(3, ",\"value\":\"42\"");
    with_json("{\"cell\":3,\"state\":\"done\",\"stdout\":\"once\\n\",\"stderr\":\"\",\"value\":"
              "\"42\",\"exit_code\":0}",
              use_reply, &call);
    ck_assert_uint_eq(text_lines(card->output), 1); /* not twice */
    ck_assert(card->mine);
    ck_assert_uint_eq(card->call, 0);
    /* A cell that was refused. */
    (void)cells_sent(&cells, 8, "x");
    cells_reply(&cells, 8, NULL, "held by somebody");
    ck_assert_str_eq(cells.cards[1]->error, "held by somebody");
    ck_assert(card_failed(cells.cards[1]));
}
END_TEST

START_TEST(test_history)
{
    started(2, "agent", "running()");
    output(2, "stdout", "live\\n");
    with_json("{\"cells\":[{\"cell\":1,\"client\":\"a\",\"code\":\"old\",\"state\":\"done\","
              "\"stdout\":\"was\\n\",\"stderr\":\"\",\"exit_code\":0},"
              "{\"cell\":2,\"code\":\"running()\",\"state\":\"running\",\"stdout\":\"li\"}]}",
              use_history, NULL);
    ck_assert_uint_eq(cells.count, 2);
    ck_assert_uint_eq(cells.cards[0]->number, 1);
    ck_assert_uint_eq(text_lines(cells.cards[0]->output), 1);
    ck_assert_uint_eq(text_lines(cells.cards[1]->output), 1); /* events know better */
    cells_lost(&cells);
    ck_assert_ptr_null(cells_running(&cells));
}
END_TEST

/* What the journal has lost is told as lost, and counts as a failure to look at. */
START_TEST(test_lost_parts)
{
    char verdict[32];

    with_json("{\"cells\":[{\"cell\":1,\"code\":null,\"code_lost\":true,\"state\":\"done\","
              "\"stdout\":\"was\\n\",\"stderr\":\"\",\"exit_code\":0},"
              "{\"cell\":2,\"code\":\"x\",\"state\":\"done\",\"result_lost\":true},"
              "{\"cell\":3,\"code\":null,\"code_lost\":true,\"mode\":null,\"state\":\"done\","
              "\"result_lost\":true}]}",
              use_history, NULL);
    ck_assert_uint_eq(cells.count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(card_failed(cells.cards[i]));
        ck_assert_ptr_nonnull(strstr(cells.cards[i]->error, "the journal is damaged"));
        card_verdict(cells.cards[i], verdict, sizeof(verdict));
        ck_assert_str_eq(verdict, i == 0 ? "code lost" : "lost");
    }
    ck_assert_ptr_nonnull(strstr(cells.cards[0]->error, "its code is"));
    ck_assert_uint_eq(text_lines(cells.cards[0]->output), 1);
    ck_assert_ptr_nonnull(strstr(cells.cards[1]->error, "what became of it is"));
}
END_TEST

/* Events that a slow watcher was not told: the history has it all. */
START_TEST(test_gap)
{
    static const uint64_t call = 9;

    /* A part of the output, and the end. */
    started(1, "agent", "f()");
    output(1, "stdout", "one\\n");
    finished(1, ",\"stdout_bytes\":4,\"stderr_bytes\":0");
    ck_assert(!cells_find(&cells, 1)->away);
    started(2, "agent", "f()");
    output(2, "stdout", "one\\n");
    event("gap", "{\"dropped\":3}");
    event("snapshot", "{\"cells\":[{\"session\":\"s-1\",\"cell\":2,\"state\":\"running\","
                      "\"stdout_bytes\":8,\"stderr_bytes\":0}]}");
    ck_assert(!cells_find(&cells, 2)->away);
    finished(2, ",\"stdout_bytes\":12,\"stderr_bytes\":0");
    ck_assert(cells_find(&cells, 2)->away);
    (void)painted(80, 24);
    ck_assert_uint_eq(wanted, 1);
    /* A cell whose end was not told. */
    started(3, "agent", "f()");
    event("snapshot", "{\"cells\":[]}");
    ck_assert_int_eq(cells_find(&cells, 3)->state, CARD_DONE);
    ck_assert(cells_find(&cells, 3)->away);
    /* One of ours: its reply tells all. */
    (void)cells_sent(&cells, call, "g()");
    started(4, "glassbell tui 0.1.0", "g()");
    output(4, "stdout", "one\\n");
    event("snapshot", "{\"cells\":[]}");
    with_json("{\"cell\":4,\"state\":\"done\",\"stdout\":\"one\\ntwo\\n\",\"stderr\":\"\","
              "\"exit_code\":0}",
              use_reply, &call);
    ck_assert(!cells_find(&cells, 4)->away);
    ck_assert_uint_eq(text_lines(cells_find(&cells, 4)->output), 2);
}
END_TEST

START_TEST(test_bounded)
{
    struct gb_buf json = {0};

    /* 20 MB of output: the oldest goes away, and is asked for when it comes into sight. */
    for (unsigned number = 1; number <= 80; number++) {
        started(number, "agent", "flood()");
        gb_buf_clear(&json);
        gb_buf_addf(&json, "{\"cell\":%u,\"stream\":\"stdout\",\"text\":\"", number);
        for (int i = 0; i < 4000; i++)
            gb_buf_addf(&json, "a line of output that is number %d of its cell\\n", i);
        gb_buf_adds(&json, "\"}");
        event("cell.output", gb_buf_str(&json));
        finished(number, "");
    }
    gb_buf_release(&json);
    ck_assert_uint_le(cells.output_bytes, CELLS_OUTPUT_MAX);
    ck_assert(cells_find(&cells, 1)->away);
    ck_assert(!cells_find(&cells, 80)->away);
    (void)painted(80, 24);
    ck_assert_uint_eq(wanted, 0);
    stream_to_top(&stream);
    ck_assert_ptr_nonnull(strstr(painted(80, 24), "fetched from the journal"));
    ck_assert_uint_ge(wanted, 1);
}
END_TEST

START_TEST(test_cards)
{
    started(1, "agent-7", "if x:\\n    y(1)");
    output(1, "stdout", "out\\n\\u001b[2J\\u001b]0;t\\u0007 \xe2\x9c\x93 9 you\\n");
    output(1, "stderr", "wrong\\n");
    finished(1, ",\"value\":\"'v'\",\"peak_memory_bytes\":2000000,"
                "\"files\":[{\"path\":\"a.csv\",\"change\":\"added\",\"size\":1}]");
    ck_assert_str_eq(painted(80, 10), "▌✓ 1 agent-7 ────────────────────────────────────────"
                                      "  1 file     1.9M    12 ms\n"
                                      "▌  if x:\n"
                                      "▌      y(1)\n"
                                      "▌│ out\n"
                                      "▌│  ✓ 9 you\n"
                                      "▌┃ wrong\n"
                                      "▌= 'v'\n"
                                      "▌± + a.csv\n"
                                      "▌\n"
                                      "\n");
    cells.cards[0]->folded = true;
    ck_assert_ptr_nonnull(strstr(painted(80, 10), "agent-7  if x:"));
    ck_assert_ptr_null(strstr(painted(80, 10), "wrong"));
}
END_TEST

START_TEST(test_moving)
{
    size_t at, count;

    for (unsigned number = 1; number <= 30; number++) {
        started(number, "agent", "f()");
        output(number, "stdout", "one\\ntwo\\nneedle\\n");
        finished(number, "");
    }
    ck_assert_ptr_nonnull(strstr(painted(80, 20), " 30 agent"));
    stream_step(&stream, -1);
    ck_assert_uint_eq(stream_selected(&stream)->number, 29);
    ck_assert(!stream.follow);
    stream_scroll(&stream, -1000);
    ck_assert_ptr_nonnull(strstr(painted(80, 20), " 1 agent"));
    stream_page(&stream, 1);
    ck_assert_ptr_null(strstr(painted(80, 20), " 1 agent"));
    stream_scroll(&stream, 1000);
    ck_assert(stream.follow);
    /* What comes below does not move what one looks at. */
    stream_to_top(&stream);
    (void)painted(80, 20);
    started(31, "agent", "g()");
    ck_assert_ptr_nonnull(strstr(painted(80, 20), " 1 agent"));
    /* Searching goes through all of them. */
    search_set(&stream.search, "needle");
    ck_assert_int_eq(find(1), STREAM_FOUND);
    ck_assert_uint_eq(stream_selected(&stream)->number, 1);
    ck_assert_int_eq(find(1), STREAM_FOUND);
    ck_assert_uint_eq(stream_selected(&stream)->number, 2);
    ck_assert(counted(&at, &count) && at == 2 && count == 30);
    ck_assert_int_eq(find(-1), STREAM_FOUND);
    ck_assert_int_eq(find(-1), STREAM_END);
    ck_assert_uint_eq(stream_selected(&stream)->number, 1);
    stream.look.hide = true;
    ck_assert_ptr_null(strstr(painted(80, 20), "two"));
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "needle"));
    search_set(&stream.search, "nothing of this kind");
    stream.look.hide = false;
    ck_assert_int_eq(find(1), STREAM_END);
    ck_assert(counted(&at, &count) && at == 0 && count == 0);
}
END_TEST

/* The walk says where it does not know what there is: cells that are missing, and outputs. */
START_TEST(test_searching_with_gaps)
{
    struct stream_place place;
    size_t at, count;

    for (unsigned number = 1; number <= 3; number++) {
        started(number, "agent", "f()");
        output(number, "stdout", number == 2 ? "needle\\n" : "hay\\n");
        finished(number, "");
    }
    started(9, "agent", "g()");
    output(9, "stdout", "hay\\n");
    finished(9, "");
    (void)painted(80, 20);
    search_set(&stream.search, "needle");
    stream_begin(&stream, -1, &place);
    ck_assert_int_eq(stream_walk(&stream, -1, &place), STREAM_GAP);
    ck_assert_uint_eq(place.card->number, 9);
    ck_assert(!counted(&at, &count));
    /* Someone who knows says that there is nothing in the gap. */
    place = (struct stream_place){.card = cells_find(&cells, 3), .row = SIZE_MAX};
    ck_assert_int_eq(stream_walk(&stream, -1, &place), STREAM_FOUND);
    ck_assert_uint_eq(place.card->number, 2);
    stream_show(&stream, &place);
    stream_begin(&stream, 1, &place);
    ck_assert_int_eq(stream_walk(&stream, 1, &place), STREAM_GAP);
    ck_assert_uint_eq(place.card->number, 3);
    /* An output that is away may have it. */
    cells_find(&cells, 3)->away = true;
    stream_begin(&stream, 1, &place);
    ck_assert_int_eq(stream_walk(&stream, 1, &place), STREAM_UNSURE);
    ck_assert_uint_eq(place.card->number, 3);
    place.passed = true;
    ck_assert_int_eq(stream_walk(&stream, 1, &place), STREAM_GAP);
    /* What is folded is looked at, and unfolded only where it has something. */
    cells_find(&cells, 1)->folded = cells_find(&cells, 2)->folded = true;
    stream.match = NULL;
    place = (struct stream_place){.card = cells_find(&cells, 1)};
    ck_assert_int_eq(stream_walk(&stream, 1, &place), STREAM_FOUND);
    ck_assert(cells_find(&cells, 1)->folded && !cells_find(&cells, 2)->folded);
}
END_TEST

/* Whatever is in sight, wherever in a card it begins. */
START_TEST(test_any_cell_comes_into_sight)
{
    static const int heights[] = {4, 9, 20, 23};
    char sign[32];

    for (unsigned number = 1; number <= 30; number++) {
        started(number, "agent", "f()");
        for (unsigned i = 0; i < number % 5; i++)
            output(number, "stdout", "line\\n");
        finished(number, "");
    }
    for (size_t i = 0; i < ARRAY_SIZE(heights); i++)
        for (unsigned from = 1; from <= 30; from += 3)
            for (unsigned to = 1; to <= 30; to += 4) {
                (void)painted(80, heights[i]);
                stream_select(&stream, cells_find(&cells, from));
                (void)painted(80, heights[i]);
                stream_scroll(&stream, (long)(to % 4));
                stream_select(&stream, cells_find(&cells, to));
                (void)snprintf(sign, sizeof(sign), "✓ %u agent", to);
                ck_assert_ptr_nonnull(strstr(painted(80, heights[i]), sign));
            }
}
END_TEST

/* A search through very much is cut into turns, and neither loses nor repeats anything. */
START_TEST(test_long_searches_are_cut)
{
    struct stream_place place;
    enum stream_found found;
    unsigned turns = 0;
    struct gb_buf json = {0};
    size_t at, count;

    started(1, "agent", "flood()");
    output(1, "stdout", "the needle\\n");
    for (int i = 0; i < 20; i++) {
        gb_buf_clear(&json);
        gb_buf_adds(&json, "{\"cell\":1,\"stream\":\"stdout\",\"text\":\"");
        for (int j = 0; j < 4000; j++)
            gb_buf_addf(&json, "hay number %d, and nothing else in it at all, line %d\\n", i, j);
        gb_buf_adds(&json, "\"}");
        event("cell.output", gb_buf_str(&json));
    }
    gb_buf_release(&json);
    output(1, "stdout", "a Needle\\n");
    finished(1, "");
    (void)painted(80, 20);
    search_set(&stream.search, "needle");
    ck_assert_int_eq(find(-1), STREAM_FOUND);
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "a Needle"));
    stream_begin(&stream, -1, &place);
    while ((found = stream_walk(&stream, -1, &place)) == STREAM_PAUSED)
        turns++;
    ck_assert_int_eq(found, STREAM_FOUND);
    ck_assert_uint_ge(turns, 2);
    stream_show(&stream, &place);
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "the needle"));
    ck_assert_int_eq(find(1), STREAM_FOUND); /* what was looked at is not looked at again */
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "a Needle"));
    /* So is the count, and what is shown where only matches are. */
    while (!counted(&at, &count)) {
        ck_assert(stream.unfinished);
        stream.unfinished = false;
    }
    ck_assert(at == 2 && count == 2);
    stream.look.hide = true;
    stream_to_top(&stream);
    do {
        stream.unfinished = false;
        (void)painted(80, 20);
    } while (stream.unfinished);
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "the needle"));
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "a Needle"));
    ck_assert_ptr_null(strstr(painted(80, 20), "hay"));
}
END_TEST

/* Code that is not shown is looked at in its place, before what was printed. */
START_TEST(test_searching_hidden_code)
{
    struct gb_buf code = {0};

    for (int i = 0; i < 40; i++)
        gb_buf_addf(&code, "%s\\n", i == 30 ? "needle()" : "pass");
    started(1, "agent", gb_buf_str(&code));
    gb_buf_release(&code);
    output(1, "stdout", "needle\\n");
    finished(1, "");
    (void)painted(80, 20);
    search_set(&stream.search, "needle");
    ck_assert_int_eq(find(-1), STREAM_FOUND);
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "│ needle"));
    ck_assert(!cells.cards[0]->whole);
    ck_assert_int_eq(find(-1), STREAM_FOUND);
    ck_assert(cells.cards[0]->whole);
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "needle()"));
    ck_assert_int_eq(find(1), STREAM_FOUND);
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "│ needle"));
    cells.cards[0]->whole = false;
    stream.match = NULL;
    stream_to_top(&stream);
    (void)painted(80, 20);
    ck_assert_int_eq(find(1), STREAM_FOUND);
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "needle()"));
}
END_TEST

/* Whoever goes to an old cell keeps what is around it, and the last ones. */
START_TEST(test_the_nearest_stay)
{
    for (unsigned number = 1001; number <= 1000 + CELLS_MAX; number++) {
        started(number, "agent", "f()");
        finished(number, "");
    }
    ck_assert_uint_eq(cells.count, CELLS_MAX);
    cells_keep_near(&cells, 5);
    for (unsigned number = 1; number <= 9; number++) {
        started(number, "agent", "g()");
        finished(number, "");
    }
    cells_keep_near(&cells, 0);
    ck_assert_uint_eq(cells.count, CELLS_MAX);
    ck_assert_ptr_nonnull(cells_find(&cells, 5));
    ck_assert_ptr_nonnull(cells_find(&cells, 1001));
    ck_assert_ptr_nonnull(cells_find(&cells, 1000 + CELLS_MAX)); /* the end stays */
    ck_assert_ptr_null(cells_find(&cells, 999 + CELLS_MAX));
}
END_TEST

START_TEST(test_sizes)
{
    static const int sizes[][2] = {{1, 1}, {3, 2}, {4, 40}, {20, 3}, {300, 100}};

    started(1, "agent", "f('a long line of code that has to be wrapped where it is narrow')");
    output(1, "stdout", "\xe4\xbd\xa0\xe5\xa5\xbd \xe4\xbd\xa0\xe5\xa5\xbd and so on\\n");
    finished(1, ",\"value\":\"1\",\"note\":\"something\"");
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        for (int folded = 0; folded < 2; folded++) {
            cells.cards[0]->folded = folded == 1;
            (void)painted(sizes[i][0], sizes[i][1]);
            stream_scroll(&stream, -3);
            (void)painted(sizes[i][0], sizes[i][1]);
            stream_to_end(&stream);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cells");
    TCase *tests = tcase_create("cells");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_events);
    tcase_add_test(tests, test_own_cell);
    tcase_add_test(tests, test_history);
    tcase_add_test(tests, test_lost_parts);
    tcase_add_test(tests, test_gap);
    tcase_add_test(tests, test_bounded);
    tcase_add_test(tests, test_cards);
    tcase_add_test(tests, test_moving);
    tcase_add_test(tests, test_sizes);
    tcase_add_test(tests, test_searching_with_gaps);
    tcase_add_test(tests, test_the_nearest_stay);
    tcase_add_test(tests, test_any_cell_comes_into_sight);
    tcase_add_test(tests, test_long_searches_are_cut);
    tcase_add_test(tests, test_searching_hidden_code);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
