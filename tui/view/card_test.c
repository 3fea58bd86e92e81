/* SPDX-License-Identifier: Apache-2.0 */
/* Cards paint themselves, row by row; `log`, `watch` and the prompt go through show/cell.h. Both
 * have to say the same: each line that `log` adds to a cell's output is in its card. */
#include "view/card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"
#include "rpc/object.h"
#include "screen/grid.h"
#include "screen/render.h"
#include "show/cell.h"
#include "view/cells.h"
#include "view/picture.h"
#include "view/stream.h"

enum { WIDTH = 120, HEIGHT = 40 };

static const char *const samples[] = {
    "\"exit_code\":0,\"stdout\":\"out\\n\",\"value\":\"'v'\"",
    "\"exit_code\":3,\"stderr\":\"wrong\\n\",\"note\":\"a note of the agent\"",
    "\"exit_code\":0,\"truncated\":{\"stdout\":123,\"stderr\":0},\"value\":\"[1, 2]\"",
    "\"exit_code\":null,\"signal\":\"SIGKILL\",\"timed_out\":true,\"note\":\"it took too long\"",
    "\"exit_code\":null,\"signal\":\"SIGKILL\",\"oom\":true,\"state_lost\":true",
    ("\"exit_code\":0,\"files\":[{\"path\":\"a.csv\",\"change\":\"added\",\"size\":1},"
     "{\"path\":\"b c\",\"change\":\"removed\",\"size\":0}]"),
    ("\"exit_code\":0,\"annotation\":{\"bookmark\":true,\"note\":\"a note of a person\","
     "\"at\":1}"),
    "\"exit_code\":0,\"displays\":[{\"mime\":\"text/html\",\"bytes\":8}]",
};

static struct cells cells;
static struct stream stream;

static void want(void *arg, struct card *card)
{
    (void)arg;
    (void)card;
}

static bool want_between(void *arg, uint32_t after, uint32_t before)
{
    (void)arg;
    return after < before;
}

static bool want_part(void *arg, struct card *card, enum part_wish wish)
{
    (void)arg;
    (void)card;
    (void)wish;
    return false;
}

static void setup(void)
{
    cells_init(&cells, "s-1", picture_free);
    stream_init(&stream, &cells);
    stream.want = want;
    stream.want_between = want_between;
    stream.want_part = want_part;
}

static void teardown(void)
{
    cells_release(&cells);
}

/* What is painted of the session. */
static void paint(struct gb_buf *to)
{
    struct grid grid = {0};

    grid_resize(&grid, WIDTH, HEIGHT);
    stream_arrange(&stream, WIDTH, HEIGHT, 2.0);
    stream_draw(&stream, region_all(&grid), true);
    dump_text(&grid, to);
    grid_release(&grid);
}

/* What `log` prints of the cell. */
static void print(const struct gb_json *json, struct gb_buf *to)
{
    struct show_target target = {.out = to};
    struct show show = {
        .ours = &target, .streams = {&target, &target}, .head = true, .output = true};
    struct gb_cell_info cell;

    ck_assert_int_eq(gb_object_read(&gb_cell_object, json, &cell, NULL), 0);
    show_cell(&show, &cell, (struct gb_bytes){0});
}

/* A line of `log` without what sets it apart: brackets, and what stands before a display or a note.
 */
static struct gb_bytes bare(struct gb_bytes line)
{
    if (line.size > 1 && line.data[0] == '[' && line.data[line.size - 1] == ']')
        line = (struct gb_bytes){line.data + 1, line.size - 2};
    (void)gb_bytes_skip(&line, "display ");
    (void)gb_bytes_skip(&line, "note: ");
    return line;
}

static bool is_verdict(struct gb_bytes line)
{
    return line.size > 0 && line.data[0] == '[' &&
           memmem(line.data, line.size, "12 ms", strlen("12 ms")) != NULL;
}

START_TEST(says_what_log_says)
{
    _cleanup_(freep) char *text =
        xasprintf("{\"cell\":1,\"state\":\"done\",\"client\":\"agent\",\"mode\":\"kernel\","
                  "\"code\":\"x\",\"started_at\":1,\"wall_ms\":12.0,%s}",
                  samples[_i]);
    _cleanup_(freep) char *reply = xasprintf("{\"cells\":[%s],\"more\":false}", text);
    struct gb_buf log = {0}, card = {0};
    struct gb_json_doc docs[2] = {0};
    struct gb_bytes rest, line;
    size_t compared = 0;

    ck_assert_int_eq(gb_json_parse(&docs[1], (uint8_t *)reply, strlen(reply), 10000, NULL), 0);
    (void)cells_history(&cells, docs[1].nodes);
    paint(&card);
    ck_assert_int_eq(gb_json_parse(&docs[0], (uint8_t *)text, strlen(text), 10000, NULL), 0);
    print(docs[0].nodes, &log);
    rest = gb_buf_bytes(&log);
    ck_assert(gb_bytes_line(&rest, &line)); /* the head: number, time, client */
    while (gb_bytes_line(&rest, &line)) {
        const struct gb_bytes words = bare(line);

        if (is_verdict(line) || words.size == 0)
            continue;
        ck_assert_msg(memmem(gb_buf_data(&card), card.size, words.data, words.size) != NULL,
                      "\"%.*s\" is not in the card:\n%s", (int)words.size, (const char *)words.data,
                      gb_buf_str(&card));
        compared++;
    }
    ck_assert_uint_gt(compared + (_i == 4), 0); /* which has all in its verdict */
    ck_assert_ptr_nonnull(memmem(gb_buf_data(&card), card.size, "12 ms", strlen("12 ms")));
    gb_json_release(&docs[0]);
    gb_json_release(&docs[1]);
    gb_buf_release(&log);
    gb_buf_release(&card);
}
END_TEST

/* Where only matches are shown, lines around them are shown too, and are no matches. */
START_TEST(lines_around_matches)
{
    struct gb_buf json = {0}, shown = {0};
    struct gb_json_doc doc = {0};
    struct card *card;
    size_t row = 0;

    gb_buf_adds(&json, "{\"cells\":[{\"cell\":1,\"state\":\"done\",\"code\":\"x\",\"exit_code\":0,"
                       "\"stdout\":\"");
    for (int i = 0; i < 30; i++)
        gb_buf_addf(&json, "%s%02d\\n", i == 10 || i == 14 || i == 25 ? "needle" : "line", i);
    gb_buf_adds(&json, "\"}],\"more\":false}");
    ck_assert_int_eq(gb_json_parse(&doc, json.memory + json.start, json.size, 10000, NULL), 0);
    (void)cells_history(&cells, doc.nodes);
    card = cells_find(&cells, 1);
    search_set(&stream.search, "needle");
    stream.look.hide = true;
    for (unsigned around = 0; around < 4; around++) {
        size_t found = 0;

        stream.look.around = around;
        gb_buf_clear(&shown);
        paint(&shown);
        for (int i = 0; i < 30; i++) {
            char line[32];
            bool near = abs(i - 10) <= (int)around || abs(i - 14) <= (int)around ||
                        abs(i - 25) <= (int)around;

            (void)snprintf(line, sizeof(line), "%s%02d",
                           i == 10 || i == 14 || i == 25 ? "needle" : "line", i);
            ck_assert_msg((strstr(gb_buf_str(&shown), line) != NULL) == near, "%s, %u:\n%s", line,
                          around, gb_buf_str(&shown));
        }
        /* A gap between two groups is told; there is one less once they meet. */
        for (const char *at = gb_buf_str(&shown); (at = strstr(at, "⋮")) != NULL; at++)
            found++;
        ck_assert_uint_eq(found, around == 0 ? 0 : around == 1 ? 2 : 1);
        stream.search.filter.budget = SIZE_MAX;
        found = 0;
        for (row = 0; card_search(card, &stream.look, 1, &row) == TEXT_FOUND; row++)
            found++;
        ck_assert_uint_eq(found, 3);
        found = 0;
        for (row = card_rows(card, &stream.look) - 1;
             card_search(card, &stream.look, -1, &row) == TEXT_FOUND; row--) {
            found++;
            if (row == 0)
                break;
        }
        ck_assert_uint_eq(found, 3);
        ck_assert_uint_eq(card_found(card, &stream.look, SIZE_MAX), 3);
        row = 0;
        ck_assert_int_eq(card_search(card, &stream.look, 1, &row), TEXT_FOUND);
        ck_assert_uint_eq(card_found(card, &stream.look, row), 0);
        ck_assert_uint_eq(card_found(card, &stream.look, row + 1), 1);
    }
    gb_json_release(&doc);
    gb_buf_release(&json);
    gb_buf_release(&shown);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("card");
    TCase *tests = tcase_create("card");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, says_what_log_says, 0, (int)ARRAY_SIZE(samples));
    tcase_add_test(tests, lines_around_matches);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
