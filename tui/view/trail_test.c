/* SPDX-License-Identifier: Apache-2.0 */
#include "trail.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"
#include "view/card.h"
#include "view/picture.h"
#include "view/stream.h"

static struct cells cells;
static struct stream stream;
static struct trail trail;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    cells_init(&cells, "s-1", picture_free);
    stream_init(&stream, &cells);
    trail = (struct trail){0};
}

static void teardown(void)
{
    cells_release(&cells);
    trail_release(&trail);
}

static void with_json(const char *text, void (*use)(const struct gb_json *json, void *arg),
                      void *arg)
{
    struct gb_json_doc doc = {0};
    char *copy = xstrdup(text);

    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)copy, strlen(copy), 100000, NULL), 0);
    use(doc.nodes, arg);
    gb_json_release(&doc);
    free(copy);
}

static void use_history(const struct gb_json *json, void *arg)
{
    (void)arg;
    (void)cells_history(&cells, json);
}

/* Cells @first to @last that have ended, with a file each; those from @undone on are undone. */
static void ran(unsigned first, unsigned last, unsigned undone)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    gb_buf_adds(&text, "{\"cells\":[");
    for (unsigned i = first; i <= last; i++)
        gb_buf_addf(&text,
                    "%s{\"cell\":%u,\"state\":\"done\",\"code\":\"x = %u\",\"exit_code\":0,"
                    "\"started_at\":%u,\"wall_ms\":1000,\"stdout\":\"printed by %u\\n\","
                    "\"stderr\":\"\",\"files\":[{\"path\":\"f%u\",\"change\":\"added\","
                    "\"size\":1}]%s}",
                    i > first ? "," : "", i, i, i * 60, i, i % 5,
                    i >= undone ? ",\"undone\":true" : "");
    gb_buf_adds(&text, "]}");
    with_json(gb_buf_str(&text), use_history, NULL);
}

static void use_rewound(const struct gb_json *json, void *arg)
{
    (void)arg;
    trail_rewound(&cells, json, 50520); /* 14:02 */
}

static void rewound(const char *ranges)
{
    _cleanup_(freep) char *text = xasprintf("{\"undone\":%s}", ranges);

    with_json(text, use_rewound, NULL);
    trail_group(&cells);
}

static void use_page(const struct gb_json *json, void *arg)
{
    *(uint64_t *)arg = trail_read(&trail, json);
}

static uint64_t page(const char *text)
{
    uint64_t after = 0;

    with_json(text, use_page, &after);
    return after;
}

#define POINT(seq, parent, cell, here)                                                             \
    "{\"seq\":" seq ",\"parent\":" parent ",\"cell\":" cell ",\"epoch\":1,\"at\":1,\"bytes\":1,"   \
    "\"name\":null,\"here\":" here "}"

/* The numbers of the cards that have rows, those of groups in brackets. */
static void check_shown(const char *wanted)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    stream_arrange(&stream, 80, 40, 50600);
    for (size_t i = 0; i < cells.count; i++) {
        const struct card *card = cells.cards[i];

        if (card_has(card, &stream.look, CARD_PART_UNDONE))
            gb_buf_addf(&text, "[%u-%u]", card->number, card->group_last);
        if (card_has(card, &stream.look, CARD_PART_HEAD))
            gb_buf_addf(&text, "%u ", card->number);
        else
            ck_assert_uint_eq(card_rows(card, &stream.look), card->group_last != 0 ? 2 : 0);
    }
    ck_assert_str_eq(gb_buf_str(&text), wanted);
}

START_TEST(test_undone_cells_are_one_line)
{
    char text[100];

    ran(1, 6, 100);
    check_shown("1 2 3 4 5 6 ");
    rewound("[[4,6]]");
    check_shown("1 2 3 [4-6]");
    trail_group_text(cells.cards[3], 50600, text, sizeof(text));
    ck_assert_str_eq(text, "cells 4–6 undone at 14:02");
    trail_group_text(cells.cards[3], 50600 + 3 * 86400, text, sizeof(text));
    ck_assert_str_eq(text, "cells 4–6 undone at 1970-01-01 14:02");
    /* The selection is on the line, and leaves it for what follows. */
    ck_assert_ptr_eq(stream_selected(&stream), cells.cards[3]);
    ran(7, 8, 100);
    check_shown("1 2 3 [4-6]7 8 ");
    stream_step(&stream, -1);
    stream_step(&stream, -1);
    ck_assert_ptr_eq(stream_selected(&stream), cells.cards[3]);
    stream_step(&stream, 1);
    ck_assert_uint_eq(stream_selected(&stream)->number, 7);
    trail_reveal(&cells, cells.cards[4], true);
    check_shown("1 2 3 [4-6]4 5 6 7 8 ");
    trail_reveal(&cells, cells.cards[5], false);
    check_shown("1 2 3 [4-6]7 8 ");
    /* A cell that one asks for comes into sight. */
    stream_select(&stream, cells.cards[4]);
    check_shown("1 2 3 [4-6]4 5 6 7 8 ");
    /* More are undone, some are not any more. */
    rewound("[[3,5],[8,8]]");
    check_shown("1 2 [3-5]6 7 [8-8]");
    rewound("[]");
    check_shown("1 2 3 4 5 6 7 8 ");
}
END_TEST

START_TEST(test_undone_before_we_came)
{
    char text[100];

    ran(1, 5, 3);
    check_shown("1 2 [3-5]");
    trail_group_text(cells.cards[2], 1000, text, sizeof(text));
    ck_assert_str_eq(text, "cells 3–5 undone, ran until 00:05");
    rewound("[[3,3]]");
    check_shown("1 2 [3-3]4 5 ");
    /* Bad ranges: nothing is undone by them. */
    rewound("[[5],[\"a\",7],4,[1.5,9],[9,1],{}]");
    check_shown("1 2 3 4 5 ");
}
END_TEST

/* Its result says why the session went back, so it stays. */
START_TEST(test_the_cell_of_a_rollback_stays)
{
    ran(1, 3, 100);
    cells.cards[2]->outcome.flags |= GB_CELL_ROLLED_BACK;
    rewound("[[2,3]]");
    check_shown("1 [2-2]3 ");
}
END_TEST

START_TEST(test_a_search_looks_into_undone_cells)
{
    struct stream_place place;

    ran(1, 6, 100);
    rewound("[[3,5]]");
    check_shown("1 2 [3-5]6 ");
    search_set(&stream.search, "printed by 4");
    stream_begin(&stream, -1, &place);
    ck_assert_int_eq(stream_walk(&stream, -1, &place), STREAM_FOUND);
    ck_assert_uint_eq(place.card->number, 4);
    check_shown("1 2 [3-5]3 4 5 6 ");
    search_set(&stream.search, "printed by 9");
    trail_reveal(&cells, place.card, false);
    stream.match = NULL;
    stream_begin(&stream, -1, &place);
    ck_assert_int_eq(stream_walk(&stream, -1, &place), STREAM_END);
    check_shown("1 2 [3-5]6 ");
}
END_TEST

START_TEST(test_cards_are_marked)
{
    ran(1, 4, 100);
    ck_assert_uint_eq(page("{\"more\":true,\"checkpoints\":[" POINT(
                          "1", "null", "0", "false") "," POINT("4", "1", "2", "false") "]}"),
                      4);
    ck_assert_ptr_null(trail_find(&trail, 2)); /* not complete yet */
    ck_assert_uint_eq(page("{\"more\":false,\"checkpoints\":[" POINT(
                          "7", "4", "3", "false") "," POINT("9", "4", "2", "true") "]}"),
                      0);
    trail_mark(&trail, &cells);
    ck_assert(!cells.cards[0]->returnable && cells.cards[1]->returnable &&
              cells.cards[2]->returnable && !cells.cards[3]->returnable);
    ck_assert_uint_eq(trail_find(&trail, 2)->seq, 9); /* the newest */
    ck_assert_uint_eq(trail_find(&trail, 0)->seq, 1);
    ck_assert_ptr_null(trail_find(&trail, 4));
    /* Another list replaces it; one that makes no sense ends. */
    ck_assert_uint_eq(page("{\"more\":true,\"checkpoints\":[" POINT(
                          "5", "null", "1", "true") "," POINT("5", "null", "3", "true") "]}"),
                      0);
    trail_mark(&trail, &cells);
    ck_assert(cells.cards[0]->returnable && !cells.cards[1]->returnable);
    ck_assert_uint_eq(page("{}"), 0);
    trail_mark(&trail, &cells);
    ck_assert(!cells.cards[0]->returnable);
}
END_TEST

/* As many as there may be, and no more. */
START_TEST(test_the_list_is_bounded)
{
    for (unsigned i = 0; i <= TRAIL_POINTS_MAX / 1000; i++) {
        _cleanup_(gb_buf_release) struct gb_buf text = {0};
        uint64_t after;

        gb_buf_adds(&text, "{\"more\":true,\"checkpoints\":[");
        for (unsigned j = 1; j <= 1000; j++)
            gb_buf_addf(&text,
                        "%s{\"seq\":%u,\"parent\":null,\"cell\":1,\"epoch\":1,\"at\":1,"
                        "\"bytes\":1,\"name\":null,\"here\":false}",
                        j > 1 ? "," : "", i * 1000 + j);
        gb_buf_adds(&text, "]}");
        after = page(gb_buf_str(&text));
        ck_assert_uint_eq(after, i * 1000 < TRAIL_POINTS_MAX ? i * 1000 + 1000 : 0);
    }
    ck_assert_uint_eq(trail.now.count, TRAIL_POINTS_MAX);
    ck_assert_uint_eq(trail.next.count, 0);
}
END_TEST

static void check_question(uint32_t cell, const char *wanted)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    trail_question(&trail, &cells, trail_find(&trail, cell), &text);
    ck_assert_str_eq(gb_buf_str(&text), wanted);
}

START_TEST(test_what_goes_is_told)
{
    ran(1, 7, 100);
    (void)page("{\"more\":false,\"checkpoints\":[" POINT("1", "null", "0", "false") "," POINT(
        "2", "1", "1", "false") "," POINT("3", "2", "3",
                                          "false") "," POINT("4", "3", "5",
                                                             "false") "," POINT("5", "2", "7",
                                                                                "true") "]}");
    rewound("[[2,5]]"); /* 6 and 7 go on from 1 */
    check_question(7, "back to after cell 7? no cell goes");
    check_question(1,
                   "back to after cell 1? 2 cells go (6–7), and their changes to 2 files: f1, f2");
    check_question(0,
                   "back to before the first cell? 3 cells go (1–7), and their changes to 2 files: "
                   "f1, f2");
    /* To another branch: the same cells go. */
    check_question(5,
                   "back to after cell 5? 2 cells go (6–7), and their changes to 2 files: f1, f2");
    rewound("[[2,6]]");
    check_question(1, "back to after cell 1? cell 7 goes, and its changes to 1 file: f2");
    rewound("[]");
    check_question(0,
                   "back to before the first cell? 7 cells go (1–7), and their changes to 5 files: "
                   "f1, f2, f3, …");
    /* Not all of them are loaded. */
    ran(20, 21, 100);
    check_question(1, "back to after cell 1? at least 8 cells go (2–21), and their changes to at "
                      "least 5 files: f2, f3, f4, …");
}
END_TEST

/* Where only annotated cells are shown, no other one is selected: also the last one of a stream
 * that is followed, and one that loses its bookmark. */
START_TEST(test_only_annotated_cells_are_selected)
{
    ran(1, 6, 100);
    check_shown("1 2 3 4 5 6 ");
    ck_assert_uint_eq(stream_selected(&stream)->number, 6);
    cells.cards[1]->bookmark = cells.cards[3]->bookmark = true;
    stream.look.annotated = true;
    ck_assert_uint_eq(stream_selected(&stream)->number, 4);
    stream_select(&stream, cells.cards[2]);
    ck_assert_uint_eq(stream_selected(&stream)->number, 4);
    stream_step(&stream, -1);
    ck_assert_uint_eq(stream_selected(&stream)->number, 2);
    cells.cards[1]->bookmark = false;
    ck_assert_uint_eq(stream_selected(&stream)->number, 4);
    cells.cards[3]->bookmark = false;
    ck_assert_ptr_null(stream_selected(&stream)); /* none is shown */
}
END_TEST

/* While only annotated cells are shown, they stay, and old ones find room. */
START_TEST(test_the_annotated_stay)
{
    static const char old[] = "{\"cells\":[{\"cell\":7,\"state\":\"done\",\"code\":\"g()\","
                              "\"exit_code\":0,\"annotation\":{\"bookmark\":true,\"at\":1}}]}";

    ran(1001, 1000 + CELLS_MAX, UINT32_MAX);
    with_json(old, use_history, NULL);
    ck_assert_ptr_null(cells_find(&cells, 7));
    cells.cards[0]->bookmark = true;
    cells_keep_annotated(&cells, true);
    with_json(old, use_history, NULL);
    ck_assert_uint_eq(cells.count, CELLS_MAX);
    ck_assert_ptr_nonnull(cells_find(&cells, 7));
    ck_assert_ptr_nonnull(cells_find(&cells, 1001));
    ck_assert_ptr_null(cells_find(&cells, 1002));
    ran(1001 + CELLS_MAX, 1000 + 2 * CELLS_MAX, UINT32_MAX);
    ck_assert_uint_eq(cells.count, CELLS_MAX);
    ck_assert_ptr_nonnull(cells_find(&cells, 7));
    ck_assert_ptr_nonnull(cells_find(&cells, 1001));
    for (size_t i = 0; i < cells.count; i++)
        cells.cards[i]->bookmark = true;
    ran(1001 + 2 * CELLS_MAX, 1001 + 2 * CELLS_MAX,
        UINT32_MAX); /* none is plain: the oldest goes */
    ck_assert_uint_eq(cells.count, CELLS_MAX);
    ck_assert_ptr_null(cells_find(&cells, 7));
    ck_assert_ptr_nonnull(cells_find(&cells, 1001 + 2 * CELLS_MAX));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trail");
    TCase *tests = tcase_create("trail");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_undone_cells_are_one_line);
    tcase_add_test(tests, test_undone_before_we_came);
    tcase_add_test(tests, test_the_cell_of_a_rollback_stays);
    tcase_add_test(tests, test_a_search_looks_into_undone_cells);
    tcase_add_test(tests, test_cards_are_marked);
    tcase_add_test(tests, test_only_annotated_cells_are_selected);
    tcase_add_test(tests, test_the_annotated_stay);
    tcase_add_test(tests, test_the_list_is_bounded);
    tcase_add_test(tests, test_what_goes_is_told);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
