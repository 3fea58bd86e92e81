/* SPDX-License-Identifier: Apache-2.0 */
#include "show/cell.h"

#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "language/testing.h"
#include "rpc/json.h"
#include "rpc/object.h"
#include "show/outcome.h"
#include "show/facts.h"
#include "show/words.h"

static struct gb_json_doc doc;
static char *kept;
static struct gb_buf texts[2];
static struct gb_languages languages;

static const struct gb_cell_info *cell_of(const char *text)
{
    static struct gb_cell_info cell;

    free(kept);
    kept = strdup(text);
    gb_json_release(&doc);
    doc = (struct gb_json_doc){0};
    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)kept, strlen(kept), SIZE_MAX, NULL), 0);
    ck_assert_int_eq(gb_object_read(&gb_cell_object, doc.nodes, &cell, NULL), 0);
    return &cell;
}

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    languages_of_workers(&languages);
}

static void teardown(void)
{
    gb_json_release(&doc);
    doc = (struct gb_json_doc){0};
    free(kept);
    kept = NULL;
    gb_languages_release(&languages);
    for (size_t i = 0; i < 2; i++)
        gb_buf_release(&texts[i]);
}

/* As `watch` has it: the cell's standard output by itself, all else on standard error. */
struct two {
    struct show_target targets[2], ours;
    struct show show;
};

static void two_init(struct two *two, bool out_terminal, bool err_terminal)
{
    const bool terminal[] = {out_terminal, err_terminal};

    *two = (struct two){.ours = {.out = &texts[1], .terminal = err_terminal}};
    for (size_t i = 0; i < 2; i++)
        two->targets[i] =
            (struct show_target){.out = &texts[i], .terminal = terminal[i], .exact = !terminal[i]};
    two->show = (struct show){.ours = &two->ours,
                              .streams = {&two->targets[0], &two->targets[1]},
                              .languages = &languages,
                              .head = true,
                              .code = true,
                              .output = true};
}

static const char failed[] =
    "{\"cell\":3,\"client\":\"me\",\"code\":\"f()\\nx\",\"mode\":\"shell\","
    "\"exit_code\":3,\"wall_ms\":2000,\"value\":\"v\",\"files\":["
    "{\"path\":\"a\",\"change\":\"added\"},{\"path\":\"b\",\"change\":"
    "\"removed\"},{\"path\":\"c\",\"change\":\"changed\"}],"
    "\"truncated\":{\"stdout\":5,\"stderr\":7}}";

START_TEST(output_into_a_pipe_is_exact)
{
    const struct gb_cell_info *cell = cell_of(failed);
    struct two two;

    two_init(&two, false, true);
    show_begin(&two.show, cell, gb_bytes_str("python"));
    show_piece(&two.show, false, gb_bytes_str("a\x1b[2J\xff"));
    show_piece(&two.show, true, gb_bytes_str("e\x1b[2J"));
    show_end(&two.show, cell);
    ck_assert_str_eq(gb_buf_str(&texts[0]), "a\x1b[2J\xff");
    ck_assert_str_eq(gb_buf_str(&texts[1]),
                     "[3]  me  shell\n$ f()\n> x\ne\\x1b[2J\n[12 bytes of output were left out]\n"
                     "= v\n+ a\n- b\n~ c\n[2.00 s, exit 3]\n\n");
}
END_TEST

/* A character that comes in two pieces is one, whatever the other stream says between them. */
START_TEST(streams_wait_by_themselves)
{
    const struct gb_cell_info *cell = cell_of("{\"cell\":1,\"exit_code\":0,\"wall_ms\":1}");
    struct two two;

    two_init(&two, true, true);
    show_piece(&two.show, false, gb_bytes_str("\xc3"));
    show_piece(&two.show, true, gb_bytes_str("\xe2\x82"));
    show_piece(&two.show, false, gb_bytes_str("\xa4"));
    show_piece(&two.show, true, gb_bytes_str("\xac"));
    show_end(&two.show, cell);
    ck_assert_str_eq(gb_buf_str(&texts[0]), "\xc3\xa4");
    ck_assert_str_eq(gb_buf_str(&texts[1]), "\xe2\x82\xac\n[1.0 ms]\n\n");
}
END_TEST

/* What an earlier cell left running does not stand on the line of the next one's head. */
START_TEST(a_head_begins_a_line)
{
    struct two two;

    two_init(&two, true, true);
    show_piece(&two.show, false, gb_bytes_str("late"));
    show_begin(&two.show, cell_of("{\"cell\":2}"), gb_bytes_str(""));
    ck_assert_str_eq(gb_buf_str(&texts[1]), "\n[2]\n");
}
END_TEST

START_TEST(at_a_prompt)
{
    struct show_target out = {.out = &texts[0], .terminal = true, .colour = true};
    struct show_target err = {.out = &texts[1], .terminal = true, .colour = true};
    struct show show = {.ours = &out, .streams = {&out, &err}, .output = true, .prompt = true};

    show_piece(&show, false, gb_bytes_str("a"));
    show_piece(&show, true, gb_bytes_str("bad\n"));
    show_piece(&show, false, gb_bytes_str("b"));
    show_end(&show, cell_of(failed));
    ck_assert_str_eq(gb_buf_str(&texts[0]), "ab\nv\n");
    ck_assert_str_eq(gb_buf_str(&texts[1]), "\x1b[31mbad\n\x1b[0m");
}
END_TEST

/* What others ran, between the cells of a prompt. */
START_TEST(briefly_at_a_prompt)
{
    struct show_target out = {.out = &texts[0], .terminal = true};
    struct show show = {.ours = &out,
                        .streams = {&out, &out},
                        .languages = &languages,
                        .head = true,
                        .code = true,
                        .output = true,
                        .prompt = true,
                        .brief = true};
    struct gb_buf cell = {0};

    gb_buf_adds(&cell, "{\"cell\":3,\"client\":\"me\",\"started_at\":1700000000,\"code\":\"x\","
                       "\"exit_code\":0,\"wall_ms\":2000,\"value\":\"v\",\"displays\":[");
    for (int i = 0; i < 10; i++)
        gb_buf_addf(&cell, "%s{\"mime\":\"image/png\",\"bytes\":8}", i > 0 ? "," : "");
    gb_buf_adds(&cell, "],\"files\":[{\"path\":\"a\",\"change\":\"added\"}]}");
    show_cell(&show, cell_of(gb_buf_str(&cell)), gb_bytes_str("python"));
    gb_buf_release(&cell);
    ck_assert_str_eq(gb_buf_str(&texts[0]),
                     "[3]  me\n>>> x\nv\n"
                     "[display image/png, 8B]\n[display image/png, 8B]\n[display image/png, 8B]\n"
                     "[display image/png, 8B]\n[display image/png, 8B]\n[display image/png, 8B]\n"
                     "[display image/png, 8B]\n[display image/png, 8B]\n[and 2 more]\n[2.00 s]\n");
}
END_TEST

/* A string goes on over two lines; what the code contains is not obeyed. */
START_TEST(code_in_colours)
{
    struct show_target out = {.out = &texts[0], .terminal = true, .colour = true};
    struct show show = {
        .ours = &out, .streams = {&out, &out}, .languages = &languages, .head = true, .code = true};

    show_begin(&show, cell_of("{\"cell\":3,\"code\":\"x('''a\\nb''') # \\u001b[2J\"}"),
               gb_bytes_str("python"));
    ck_assert_str_eq(gb_buf_str(&texts[0]),
                     "\x1b[1m[3]\x1b[0m\x1b[2m\x1b[0m\n"
                     "\x1b[36m>>> \x1b[0m\x1b[36mx\x1b[0m(\x1b[32m'''a\x1b[0m\n"
                     "\x1b[36m... \x1b[0m\x1b[32mb'''\x1b[0m) \x1b[2m# \\x1b[2J\x1b[0m\n");
}
END_TEST

/* Into a pipe goes what the cell wrote, and nothing is added to it; on a terminal, with --raw, the
 * line is ended. */
START_TEST(at_a_prompt_byte_for_byte)
{
    for (int terminal = 0; terminal < 2; terminal++) {
        struct show_target out = {.out = &texts[0], .terminal = terminal == 1, .exact = true};
        struct show show = {.ours = &out, .streams = {&out, &out}, .output = true, .prompt = true};

        show_piece(&show, false, gb_bytes_str("a\x1b[2J"));
        show_end(&show, cell_of(failed));
        ck_assert_str_eq(gb_buf_str(&texts[0]), terminal == 1 ? "a\x1b[2J\nv\n" : "a\x1b[2Jv\n");
        gb_buf_clear(&texts[0]);
    }
}
END_TEST

START_TEST(endings_in_words)
{
    static const struct {
        const char *cell, *words, *word;
    } table[] = {
        {"{\"exit_code\":0}", "", ""},
        {"{\"exit_code\":3}", "exit 3", "exit 3"},
        {"{\"signal\":\"SIGKILL\"}", "SIGKILL", "SIGKILL"},
        {"{\"signal\":\"SIG34\"}", "SIG34", "SIG34"},
        {"{\"exit_code\":130,\"interrupted\":true}", "interrupted, exit 130", "interrupted"},
        {"{\"timed_out\":true,\"oom\":true,\"state_lost\":true}",
         "timed out, out of memory, state lost", "timed out"},
        {"{\"exit_code\":0,\"state_lost\":true}", "state lost", ""},
        {"{\"exit_code\":0,\"code_lost\":true}", "its code is lost: the journal is damaged", ""},
        {"{\"result_lost\":true}",
         "what became of it is lost: the journal is damaged, or could not be written", "lost"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct outcome outcome = outcome_of(cell_of(table[i].cell));
        struct gb_buf words = {0};
        char word[64];

        outcome_words(&outcome, &words);
        outcome_word(&outcome, word, sizeof(word));
        ck_assert_str_eq(gb_buf_str(&words), table[i].words);
        ck_assert_str_eq(word, table[i].word);
        gb_buf_release(&words);
    }
}
END_TEST

START_TEST(durations_in_words)
{
    static const struct {
        double ms;
        const char *words;
    } table[] = {
        {0.04, "0.0 ms"},    {9.94, "9.9 ms"},      {9.95, "10 ms"},    {999.4, "999 ms"},
        {999.5, "1.00 s"},   {9994, "9.99 s"},      {9995, "10.0 s"},   {99940, "99.9 s"},
        {99950, "1:39 min"}, {3599e3, "59:59 min"}, {3600e3, "1:00 h"}, {1e15, "9999:00 h"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char words[32];

        words_duration(words, sizeof(words), table[i].ms);
        ck_assert_str_eq(words, table[i].words);
    }
}
END_TEST

START_TEST(prompts)
{
    static const char in_shell[] = "{\"cell\":1,\"mode\":\"shell\"}";
    static const char in_process[] = "{\"cell\":1,\"mode\":\"process\"}";
    static const struct {
        const char *language, *cell, *first, *more;
    } table[] = {
        {"python", "{}", ">>> ", "... "}, {"javascript", in_process, "> ", "... "},
        {"shell", "{}", "$ ", "> "},      {"python", in_shell, "$ ", "> "},
        {"fortran", "{}", "> ", "... "},  {"fortran", in_shell, "$ ", "> "},
        {"", in_process, "> ", "... "},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct gb_language *language =
            facts_language(&languages, cell_of(table[i].cell), gb_bytes_str(table[i].language));

        ck_assert_str_eq(language->prompt.first, table[i].first);
        ck_assert_str_eq(language->prompt.more, table[i].more);
    }
    ck_assert_str_eq(facts_language(NULL, cell_of(in_shell), gb_bytes_str("python"))->name, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cell");
    TCase *tests = tcase_create("cell");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, output_into_a_pipe_is_exact);
    tcase_add_test(tests, streams_wait_by_themselves);
    tcase_add_test(tests, a_head_begins_a_line);
    tcase_add_test(tests, at_a_prompt);
    tcase_add_test(tests, at_a_prompt_byte_for_byte);
    tcase_add_test(tests, briefly_at_a_prompt);
    tcase_add_test(tests, code_in_colours);
    tcase_add_test(tests, endings_in_words);
    tcase_add_test(tests, durations_in_words);
    tcase_add_test(tests, prompts);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
