#include "cells.h"

#include <stdio.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"
#include "screen/grid.h"
#include "screen/render.h"
#include "view/card.h"
#include "view/picture.h"
#include "view/stream.h"

static struct cells cells;
static struct stream stream;
static unsigned wanted;

static void want(void *arg, struct card *card)
{
    (void)arg;
    card->asked = true;
    wanted++;
}

static void want_older(void *arg, uint32_t first)
{
    (void)arg;
    (void)first;
}

static void setup(void)
{
    cells_init(&cells, "s-1", "python", picture_free);
    stream_init(&stream, &cells);
    stream.want = want;
    stream.want_older = want_older;
    wanted = 0;
}

static void teardown(void)
{
    cells_release(&cells);
}

static void with_json(const char *text, void (*use)(const struct gb_json *json, const void *arg),
                      const void *arg)
{
    struct gb_json_doc doc = {0};
    char *copy = xstrdup(text);

    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)copy, strlen(copy), 10000, NULL), 0);
    use(doc.nodes, arg);
    gb_json_release(&doc);
    free(copy);
}

static void use_event(const struct gb_json *json, const void *kind)
{
    cells_event(&cells, kind, json);
}

static void event(const char *kind, const char *json)
{
    with_json(json, use_event, kind);
}

static void use_history(const struct gb_json *json, const void *arg)
{
    (void)arg;
    (void)cells_history(&cells, json);
}

static void use_reply(const struct gb_json *json, const void *call)
{
    cells_reply(&cells, *(const uint64_t *)call, json, "");
}

static void started(unsigned number, const char *client, const char *code)
{
    char json[512];

    (void)snprintf(json, sizeof(json),
                   "{\"session\":\"s-1\",\"cell\":%u,\"info\":{\"cell\":%u,\"client\":\"%s\","
                   "\"mode\":\"kernel\",\"state\":\"running\",\"code\":\"%s\",\"started_at\":1}}",
                   number, number, client, code);
    event("cell.started", json);
}

static void output(unsigned number, const char *kind, const char *text)
{
    char json[512];

    (void)snprintf(json, sizeof(json), "{\"cell\":%u,\"stream\":\"%s\",\"text\":\"%s\"}", number,
                   kind, text);
    event("cell.output", json);
}

static void finished(unsigned number, const char *more)
{
    char json[512];

    (void)snprintf(json, sizeof(json),
                   "{\"cell\":%u,\"info\":{\"cell\":%u,\"state\":\"done\",\"exit_code\":0,"
                   "\"wall_ms\":12.0,\"started_at\":1%s}}",
                   number, number, more);
    event("cell.finished", json);
}

/* What is painted, line by line. */
static const char *painted(int width, int height)
{
    static struct gb_buf out;
    struct grid grid = {0};

    grid_resize(&grid, width, height);
    stream_draw(&stream, region_all(&grid), true, 2.0);
    gb_buf_clear(&out);
    dump_text(&grid, &out);
    grid_release(&grid);
    return gb_buf_str(&out);
}

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
    ck_assert_int_eq(card->exit_code, 0);
    ck_assert(!card_failed(card));
    ck_assert_uint_eq(text_lines(card->output), 2);
    ck_assert(!card->mine);
}
END_TEST

START_TEST(test_own_cell)
{
    static const uint64_t call = 7;
    const struct card *card = cells_sent(&cells, call, "6 * 7");

    started(3, "glovebox tui 0.1.0", "6 * 7");
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
                "\"files\":[{\"path\":\"a.csv\",\"change\":\"created\",\"size\":1}]");
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
    /* Searching goes through all of them, and around the end. */
    search_set(&stream.search, "needle");
    ck_assert(stream_find(&stream, 1));
    ck_assert_uint_eq(stream_selected(&stream)->number, 1);
    ck_assert(stream_find(&stream, 1));
    ck_assert_uint_eq(stream_selected(&stream)->number, 2);
    ck_assert(stream_find(&stream, -1));
    ck_assert(stream_find(&stream, -1));
    ck_assert_uint_eq(stream_selected(&stream)->number, 30);
    stream.look.hide = true;
    ck_assert_ptr_null(strstr(painted(80, 20), "two"));
    ck_assert_ptr_nonnull(strstr(painted(80, 20), "needle"));
    search_set(&stream.search, "nothing of this kind");
    stream.look.hide = false;
    ck_assert(!stream_find(&stream, 1));
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
    tcase_add_test(tests, test_bounded);
    tcase_add_test(tests, test_cards);
    tcase_add_test(tests, test_moving);
    tcase_add_test(tests, test_sizes);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
