/* SPDX-License-Identifier: Apache-2.0 */
#include "repl/others.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check_run.h"
#include "language/testing.h"

static struct gb_languages languages;
static struct others *others;
static uint64_t now_ns;
static struct gb_buf shown;

static void begin(bool colour)
{
    others_free(others);
    others = others_new(&(struct others_config){
        .languages = &languages, .language = "python", .session = "work", .colour = colour});
}

static void setup(void)
{
    languages_of_workers(&languages);
    now_ns = 1000 * GB_NS_PER_S;
    begin(false);
}

static void teardown(void)
{
    others_free(others);
    others = NULL;
    gb_languages_release(&languages);
    gb_buf_release(&shown);
}

/* ---- events ---- */

static void event(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void event(const char *kind, const char *format, ...)
{
    struct gb_json_doc doc = {0};
    struct gb_buf line = {0};
    char *text;
    va_list args;

    gb_buf_addf(&line, "{\"subscription\":1,\"seq\":1,\"at\":1,\"session\":\"s\",\"kind\":\"%s\",",
                kind);
    va_start(args, format);
    gb_buf_vaddf(&line, format, args);
    va_end(args);
    gb_buf_adds(&line, "}");
    text = gb_buf_take_str(&line);
    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)text, strlen(text), SIZE_MAX, NULL), 0);
    others_take(others, doc.nodes, now_ns);
    gb_json_release(&doc);
    free(text);
}

static void started(unsigned cell, const char *code)
{
    event("cell.started", "\"cell\":%u,\"info\":{\"cell\":%u,\"client\":\"agent\",\"code\":\"%s\"}",
          cell, cell, code);
}

static void prints(unsigned cell, const char *text)
{
    event("cell.output", "\"cell\":%u,\"stream\":\"stdout\",\"text\":\"%s\"", cell, text);
}

static void late(unsigned cell, const char *text)
{
    event("cell.output", "\"cell\":%u,\"stream\":\"stdout\",\"text\":\"%s\",\"background\":true",
          cell, text);
}

static void finished(unsigned cell, const char *value)
{
    event("cell.finished",
          "\"cell\":%u,\"info\":{\"cell\":%u,\"exit_code\":0,\"wall_ms\":12,\"value\":%s}", cell,
          cell, value);
}

static void pass_ms(uint64_t ms)
{
    now_ns += ms * GB_NS_PER_MS;
}

static const char *show(void)
{
    gb_buf_clear(&shown);
    others_show(others, now_ns, &shown);
    if (shown.size > 0)
        ck_assert_int_eq(gb_buf_data(&shown)[shown.size - 1], '\n'); /* whole lines, always */
    return gb_buf_str(&shown);
}

static void check_shown(const char *expected)
{
    ck_assert_str_eq(show(), expected);
}

static size_t count_shown(const char *part)
{
    size_t count = 0;

    for (const char *at = gb_buf_str(&shown); (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

/* ---- tests ---- */

START_TEST(a_short_cell_is_shown_as_a_whole)
{
    started(7, "x = 1\\nx");
    prints(7, "out");
    check_shown("");
    ck_assert_uint_eq(others_due_ms(others, now_ns), OTHERS_LONG_MS + 1);
    finished(7, "\"1\"");
    check_shown("[7]  agent\n>>> x = 1\n... x\nout\n1\n[12 ms]\n");
    check_shown("");
    ck_assert_uint_eq(others_due_ms(others, now_ns), 0);
}
END_TEST

START_TEST(code_has_colours)
{
    begin(true);
    started(7, "def f(): # \\u001b[31m");
    finished(7, "null");
    (void)show();
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&shown), "\x1b[36m>>> \x1b[0m\x1b[35mdef\x1b[0m"));
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&shown), "\x1b[2m# \x1b[0m\n"));
}
END_TEST

START_TEST(a_long_cell_is_shown_while_it_runs)
{
    started(7, "work()");
    prints(7, "a\\nb");
    pass_ms(OTHERS_LONG_MS);
    check_shown("[7]  agent\n>>> work()\na\n[runs]\n");
    prints(7, "c");
    check_shown("");
    prints(7, "d\\ne");
    check_shown("bcd\n");
    finished(7, "null");
    check_shown("e\n[12 ms]\n");
}
END_TEST

/* Also one that ran before we came, with what it has printed. */
START_TEST(what_runs_when_we_come)
{
    event("snapshot",
          "\"cells\":[{\"session\":\"s\",\"cell\":3,\"state\":\"running\",\"client\":"
          "\"agent\",\"code\":\"x\"},{\"session\":\"s\",\"cell\":4,\"state\":\"queued\","
          "\"code\":\"y\"}]");
    prints(3, "before\\n");
    check_shown("[3]  agent\n>>> x\n[runs]\nbefore\n");
    finished(3, "null");
    check_shown("[12 ms]\n");
    started(4, "y");
    finished(4, "\"5\"");
    check_shown("[4]  agent\n>>> y\n5\n[12 ms]\n");
}
END_TEST

START_TEST(our_own_are_not_shown_again)
{
    others_sent(others);
    others_started(others, 5);
    started(5, "mine");
    prints(5, "mine\\n");
    finished(5, "\"mine\"");
    others_ended(others);
    check_shown("");
    late(5, "mine\\n");
    check_shown("");
}
END_TEST

/* The end of a cell is told when it is in the journal, and the next one runs by then. */
START_TEST(the_order_is_that_of_execution)
{
    started(6, "first");
    prints(6, "one\\n");
    others_sent(others);
    ck_assert(!others_hold(others));
    check_shown("");
    others_started(others, 7);
    ck_assert(others_hold(others));
    check_shown("");
    finished(6, "\"first\"");
    check_shown("[6]  agent\n>>> first\none\nfirst\n[12 ms]\n");
    ck_assert(!others_hold(others));
    /* behind ours */
    started(8, "third");
    prints(8, "three\\n");
    finished(8, "null");
    event("lease.changed", "\"lease\":null");
    check_shown("");
    others_ended(others);
    check_shown("[the session is held by nobody]\n[8]  agent\n>>> third\nthree\n[12 ms]\n");
}
END_TEST

START_TEST(ours_waits_for_one_that_is_seen_to_run)
{
    started(6, "first");
    others_sent(others);
    check_shown("");
    others_ended(others); /* dropped before it ran */
    pass_ms(OTHERS_LONG_MS);
    check_shown("[6]  agent\n>>> first\n[runs]\n");
    others_sent(others);
    check_shown("[waits for the end of cell 6]\n");
}
END_TEST

START_TEST(a_cell_is_bounded)
{
    struct gb_buf text = {0};

    for (int i = 0; i < 30; i++)
        gb_buf_addf(&text, "line(%d)\\n", i);
    started(7, gb_buf_str(&text));
    gb_buf_clear(&text);
    for (int i = 0; i < 100; i++)
        gb_buf_addf(&text, "out%d\\n", i);
    prints(7, gb_buf_str(&text));
    event("cell.finished",
          "\"cell\":7,\"info\":{\"cell\":7,\"exit_code\":0,\"wall_ms\":12,\"value\":\"%s\"}",
          gb_buf_str(&text));
    gb_buf_release(&text);
    (void)show();
    ck_assert_uint_eq(count_shown("line("), OTHERS_CODE_LINES);
    ck_assert_uint_eq(count_shown("[20 more lines; glassbell log work --cell 7]\n"), 1);
    ck_assert_uint_eq(count_shown("out1"), 11 + 1);
    ck_assert_uint_eq(count_shown("[80 lines of output left out, 480B]\n"), 1);
    ck_assert_uint_eq(count_shown("out9\n ...\n"), 1);
}
END_TEST

/* One that goes on for long: what is shown follows it, and each gap says how much is missing. */
START_TEST(a_cell_that_prints_for_ever)
{
    started(7, "work()");
    for (unsigned i = 0; i < 1000; i++)
        prints(7, "line\\n");
    pass_ms(5000);
    (void)show();
    ck_assert_uint_eq(count_shown("line\n"), OTHERS_LINES_BURST);
    prints(7, "next\\n");
    check_shown("[980 lines of output left out, 4.8K]\nnext\n");
}
END_TEST

START_TEST(a_line_without_end)
{
    static char piece[3 * 1000 + 1];

    for (size_t i = 0; i < 1000; i++)
        memcpy(piece + 3 * i, "\xe2\x82\xac", 3);
    started(7, "x");
    for (unsigned i = 0; i < 1000; i++)
        prints(7, piece);
    finished(7, "null");
    (void)show();
    ck_assert_uint_lt(shown.size, (OTHERS_LINES_BURST + 2) * OTHERS_LINE_BYTES);
    ck_assert_uint_eq(count_shown("\\x"), 0); /* no character was cut */
    ck_assert_uint_eq(count_shown("lines of output left out, 2.8M]"), 1);
}
END_TEST

START_TEST(a_flood_of_cells)
{
    for (unsigned i = 1; i <= 500; i++) {
        started(i, "f()");
        finished(i, "null");
        pass_ms(1);
        (void)show();
        ck_assert_uint_lt(shown.size, 4096);
    }
    pass_ms(OTHERS_TALLY_MS);
    ck_assert_uint_gt(others_due_ms(others, now_ns), 0);
    check_shown("[not shown of what others did: 484 cells, the last one is 500; glassbell log "
                "work]\n");
    started(501, "f()");
    finished(501, "null");
    check_shown("[501]  agent\n>>> f()\n[12 ms]\n");
    ck_assert_uint_eq(others_due_ms(others, now_ns), 0);
}
END_TEST

/* While our own cell runs, for hours perhaps. */
START_TEST(what_waits_is_bounded)
{
    others_sent(others);
    others_started(others, 1);
    for (unsigned i = 0; i < 10000; i++) {
        late(900, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\\n");
        event("lease.changed", "\"lease\":{\"holder\":\"somebody\",\"client\":1,\"since\":1}");
        pass_ms(1000);
    }
    for (unsigned i = 2; i < 1000; i++) {
        started(i, "f()");
        prints(i, "x\\n");
    }
    check_shown("");
    others_ended(others);
    (void)show();
    ck_assert_uint_gt(shown.size, OTHERS_WAITING_BYTES);
    ck_assert_uint_lt(shown.size, OTHERS_WAITING_BYTES + 4096);
    ck_assert_uint_eq(count_shown("not shown of what others did: 935 cells, the last one is 999; "),
                      1);
    ck_assert_uint_eq(count_shown(" notices; glassbell log work]"), 1);
}
END_TEST

/* The shell has us in the background: nothing can be shown, and a cell prints for hours. */
START_TEST(what_cannot_be_shown_is_bounded)
{
    started(7, "work()");
    pass_ms(OTHERS_LONG_MS);
    (void)show();
    for (unsigned i = 0; i < 2000; i++) {
        prints(7, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\\n");
        event("cell.waiting", "\"cell\":7,\"waiting\":true");
        pass_ms(2000);
    }
    (void)show();
    ck_assert_uint_gt(shown.size, OTHERS_WAITING_BYTES);
    ck_assert_uint_lt(shown.size, OTHERS_WAITING_BYTES + 4096);
    prints(7, "next\\n");
    (void)show();
    ck_assert_uint_eq(count_shown(" lines of output left out, "), 1);
    ck_assert_uint_eq(count_shown("next\n"), 1);
}
END_TEST

START_TEST(what_an_ended_cell_left_running_prints)
{
    started(3, "spawn()");
    finished(3, "null");
    (void)show();
    late(3, "a");
    check_shown("");
    late(3, "b\\nc");
    check_shown("[what cell 3 left running prints]\nab\n");
    late(3, "d\\n");
    check_shown("cd\n");
    late(3, "no end");
    ck_assert_uint_eq(others_due_ms(others, now_ns), OTHERS_LONG_MS + 1);
    pass_ms(OTHERS_LONG_MS);
    check_shown("no end\n");
    started(4, "f()");
    finished(4, "null");
    (void)show();
    late(3, "e\\n");
    check_shown("[what cell 3 left running prints]\ne\n");
}
END_TEST

START_TEST(a_program_that_waits_for_input)
{
    started(3, "input()");
    prints(3, "who? ");
    event("cell.waiting", "\"cell\":3,\"waiting\":true");
    check_shown("[3]  agent\n>>> input()\nwho? \n[it waits for input; glassbell answer work "
                "TEXT]\n");
    finished(3, "\"'me'\"");
    check_shown("'me'\n[12 ms]\n");
}
END_TEST

START_TEST(what_happens_to_the_session)
{
    event("session.rewound", "\"checkpoint\":2,\"cell\":5,\"epoch\":2,\"from_checkpoint\":4");
    check_shown("[the session was rewound to its state after cell 5]\n");
    event("session.rewound", "\"checkpoint\":1,\"cell\":0,\"epoch\":2,\"from_checkpoint\":4");
    check_shown("[the session was rewound to its state at the beginning]\n");
    event("session.rewound", "\"checkpoint\":1,\"cell\":0,\"epoch\":2,\"rolled_back\":6");
    check_shown("");
    event("session.awake", "\"checkpoint\":1");
    check_shown("");
    event("session.asleep", "\"checkpoint\":1");
    check_shown("[the session sleeps; the next cell wakes it]\n");
    event("session.awake", "\"checkpoint\":1");
    check_shown("[the session is awake again]\n");
    event("lease.changed",
          "\"lease\":{\"holder\":\"\\u001b[2Jme\",\"client\":1,\"since\":1},\"action\":\"taken\"");
    check_shown("[the session is held by \\x1b[2Jme]\n");
    event("session.closed", "\"reason\":\"closed\",\"message\":\"a client closed it\"");
    check_shown("[the session has ended: a client closed it]\n");
}
END_TEST

START_TEST(events_that_were_dropped)
{
    started(3, "long()");
    pass_ms(OTHERS_LONG_MS);
    (void)show();
    event("gap", "\"dropped\":12");
    event("snapshot", "\"cells\":[{\"session\":\"s\",\"cell\":9,\"state\":\"running\",\"client\":"
                      "\"agent\",\"code\":\"y\"}]");
    check_shown("[too much at once: some of what others did was not told]\n[its end was not seen]\n"
                "[9]  agent\n>>> y\n[runs]\n");
    finished(3, "null");
    check_shown("");
}
END_TEST

/* Whatever a server sends, nothing breaks. */
START_TEST(events_that_make_no_sense)
{
    event("cell.finished", "\"cell\":1,\"info\":{\"cell\":1}");
    event("cell.started", "\"cell\":1,\"info\":{\"cell\":\"x\"}");
    event("cell.started", "\"cell\":1");
    prints(77, "x\\n");
    event("cell.output", "\"cell\":77,\"stream\":\"stdout\",\"base64\":\"!\"");
    event("cell.waiting", "\"cell\":77,\"waiting\":true");
    event("snapshot", "\"cells\":[1,{\"cell\":-1}]");
    event("cell.started", "\"cell\":2,\"info\":{\"cell\":2,\"code\":\"\"}");
    event("cell.started", "\"cell\":2,\"info\":{\"cell\":2,\"code\":\"again\"}");
    finished(2, "null");
    finished(2, "null");
    check_shown("[2]\n[12 ms]\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("others");
    TCase *tests = tcase_create("others");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_short_cell_is_shown_as_a_whole);
    tcase_add_test(tests, code_has_colours);
    tcase_add_test(tests, a_long_cell_is_shown_while_it_runs);
    tcase_add_test(tests, what_runs_when_we_come);
    tcase_add_test(tests, our_own_are_not_shown_again);
    tcase_add_test(tests, the_order_is_that_of_execution);
    tcase_add_test(tests, ours_waits_for_one_that_is_seen_to_run);
    tcase_add_test(tests, a_cell_is_bounded);
    tcase_add_test(tests, a_cell_that_prints_for_ever);
    tcase_add_test(tests, a_line_without_end);
    tcase_add_test(tests, a_flood_of_cells);
    tcase_add_test(tests, what_waits_is_bounded);
    tcase_add_test(tests, what_cannot_be_shown_is_bounded);
    tcase_add_test(tests, what_an_ended_cell_left_running_prints);
    tcase_add_test(tests, a_program_that_waits_for_input);
    tcase_add_test(tests, what_happens_to_the_session);
    tcase_add_test(tests, events_that_were_dropped);
    tcase_add_test(tests, events_that_make_no_sense);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
