/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "base/mem.h"
#include "editor/complete.h"
#include "editor/history.h"

static struct {
    uint64_t complete, matches, description; /* the last questions; 0: none */
    unsigned descriptions;                   /* their number */
    size_t cursor;
    struct gb_buf asked, submitted, edited;
    unsigned submits, ends, clears;
    bool refuses;
} seen;
static char home[] = "/tmp/prompt-test-XXXXXX";
static struct prompt_draft draft;

static void on_ask_complete(void *arg, uint64_t question, const char *text)
{
    (void)arg;
    seen.complete = question;
    gb_buf_clear(&seen.asked);
    gb_buf_adds(&seen.asked, text);
}

static void on_ask_matches(void *arg, uint64_t question, const char *text, size_t cursor)
{
    (void)arg;
    (void)text;
    seen.matches = question;
    seen.cursor = cursor;
}

static void on_ask_description(void *arg, uint64_t question, const char *text)
{
    (void)arg;
    seen.description = question;
    seen.descriptions++;
    gb_buf_clear(&seen.asked);
    gb_buf_adds(&seen.asked, text);
}

static bool on_submit(void *arg, const char *text)
{
    (void)arg;
    seen.submits++;
    gb_buf_clear(&seen.submitted);
    gb_buf_adds(&seen.submitted, text);
    return !seen.refuses;
}

static void on_eof(void *arg)
{
    (void)arg;
    seen.ends++;
}

static void on_edit(void *arg, const char *text)
{
    (void)arg;
    gb_buf_clear(&seen.edited);
    gb_buf_adds(&seen.edited, text);
}

static void on_clear(void *arg)
{
    (void)arg;
    seen.clears++;
}

static const struct prompt_hooks hooks = {
    .ask_complete = on_ask_complete,
    .ask_matches = on_ask_matches,
    .ask_description = on_ask_description,
    .submit = on_submit,
    .eof = on_eof,
    .edit = on_edit,
    .clear = on_clear,
};

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(home));
    ck_assert_int_eq(setenv("XDG_STATE_HOME", home, 1), 0);
    ck_assert_int_eq(setenv("INPUTRC", "/dev/null", 1), 0);
    ck_assert_int_eq(setenv("TERM", "xterm", 1), 0);
    prompt_attach(&hooks, &seen, "python", "    ", &draft);
}

static void teardown(void)
{
    prompt_detach(&seen);
    prompt_draft_release(&draft);
    prompt_release();
    gb_buf_release(&seen.asked);
    gb_buf_release(&seen.submitted);
    gb_buf_release(&seen.edited);
}

static void key(const char *bytes)
{
    prompt_key(gb_bytes_str(bytes));
}

/* Each character as a key. */
static void type(const char *text)
{
    while (*text != '\0') {
        size_t size = 1;

        while (((unsigned char)text[size] & 0xc0) == 0x80)
            size++;
        prompt_key((struct gb_bytes){(const uint8_t *)text, size});
        text += size;
    }
}

/* The text with the cursor as '^'. */
static const char *shown(void)
{
    static struct gb_buf buf;
    struct prompt_view view;

    prompt_view(&view);
    gb_buf_clear(&buf);
    gb_buf_add(&buf, view.text, view.cursor);
    gb_buf_adds(&buf, "^");
    gb_buf_adds(&buf, view.text + view.cursor);
    return gb_buf_str(&buf);
}

static struct prompt_view view_now(void)
{
    struct prompt_view view;

    prompt_view(&view);
    return view;
}

static void run(const char *text)
{
    ck_assert(prompt_paste(gb_bytes_str(text)));
    key("\r");
    prompt_completeness(seen.complete, true, "");
}

START_TEST(test_typing)
{
    ck_assert(view_now().pastes && !view_now().shows_mode); /* without another word in ~/.inputrc */
    type("h\303\244t");
    ck_assert_str_eq(shown(), "h\303\244t^");
    key("\033[D");
    key("\033[D");
    ck_assert_str_eq(shown(), "h^\303\244t");
    key("\001");
    key("\013");
    ck_assert_str_eq(shown(), "^");
    key("\031");
    ck_assert_str_eq(shown(), "h\303\244t^");
    key("\037"); /* undo */
    ck_assert_str_eq(shown(), "^");
}
END_TEST

START_TEST(test_enter)
{
    type("def f():");
    key("\r");
    ck_assert_str_eq(gb_buf_str(&seen.asked), "def f():");
    ck_assert(prompt_waits());
    type("pass"); /* typed ahead */
    ck_assert_str_eq(shown(), "def f():^");
    prompt_completeness(seen.complete + 7, true, ""); /* not the one that was asked */
    prompt_completeness(seen.complete, false, "    ");
    ck_assert_str_eq(shown(), "def f():\n    pass^");
    key("\r");
    prompt_completeness(seen.complete, false, "    ");
    key("\r");
    ck_assert_str_eq(gb_buf_str(&seen.asked), "def f():\n    pass\n");
    key("x"); /* belongs to the next cell */
    ck_assert_uint_eq(seen.submits, 0);
    prompt_completeness(seen.complete, true, "");
    ck_assert_uint_eq(seen.submits, 1);
    ck_assert_str_eq(gb_buf_str(&seen.submitted), "def f():\n    pass");
    ck_assert_str_eq(shown(), "x^");
    prompt_completeness(seen.complete, true, ""); /* twice is nothing */
    ck_assert_uint_eq(seen.submits, 1);
}
END_TEST

START_TEST(test_enter_alone)
{
    key("\r");
    type("  ");
    key("\r");
    ck_assert_uint_eq(seen.complete, 0);
    ck_assert_str_eq(shown(), "^");
    /* The guest does not answer. */
    type("f(");
    key("\r");
    prompt_expired();
    ck_assert_str_eq(shown(), "f(\n^");
    type(")");
    key("\r");
    prompt_expired();
    ck_assert_str_eq(gb_buf_str(&seen.submitted), "f(\n)");
    /* However incomplete. */
    type("if x:");
    key("\033\r");
    ck_assert_str_eq(gb_buf_str(&seen.submitted), "if x:");
    type("a");
    key("\017");
    type("b");
    ck_assert_str_eq(shown(), "a\nb^");
}
END_TEST

START_TEST(test_lines)
{
    ck_assert(prompt_paste(gb_bytes_str("one = 1\ntw\303\266\n\003three\033 = 3")));
    ck_assert_str_eq(shown(), "one = 1\ntw\303\266\nthree = 3^");
    key("\033[A");
    ck_assert_str_eq(shown(), "one = 1\ntw\303\266^\nthree = 3");
    key("\033[A");
    ck_assert_str_eq(shown(), "one^ = 1\ntw\303\266\nthree = 3");
    key("\005");
    ck_assert_str_eq(shown(), "one = 1^\ntw\303\266\nthree = 3");
    key("\001");
    key("\033[B");
    key("\r"); /* above the last line: a line */
    ck_assert_str_eq(shown(), "one = 1\n\n^tw\303\266\nthree = 3");
    key("\013");
    key("\013");
    ck_assert_str_eq(shown(), "one = 1\n\n^three = 3");
}
END_TEST

START_TEST(test_history)
{
    run("import os");
    run("def f():\n    x");
    run("print(1)");
    key("\033[A");
    ck_assert_str_eq(shown(), "print(1)^");
    key("\033[A");
    ck_assert_str_eq(shown(), "def f():\n    x^");
    key("\033[A");
    ck_assert_str_eq(shown(), "import os^");
    key("\033[B");
    key("\033[B");
    ck_assert_str_eq(shown(), "print(1)^");
    key("\033[B");
    ck_assert_str_eq(shown(), "^");
    type("imp");
    ck_assert_str_eq(view_now().suggestion, "ort os");
    key("\033[A"); /* by what stands there */
    ck_assert_str_eq(view_now().text, "import os");
    ck_assert(prompt_clear());
    ck_assert(!prompt_clear());
    type("imp");
    key("\033[C");
    ck_assert_str_eq(shown(), "import os^");
}
END_TEST

START_TEST(test_suggestion_word)
{
    run("alpha beta gamma");
    type("al");
    key("\033f");
    ck_assert_str_eq(shown(), "alpha^");
    key("\033f");
    ck_assert_str_eq(shown(), "alpha beta^");
    key("\033[D");
    ck_assert_ptr_null(view_now().suggestion);
}
END_TEST

START_TEST(test_search)
{
    run("s = 'h\303\266he'");
    run("t = '\344\275\240\345\245\275'");
    key("\022");
    ck_assert_ptr_nonnull(view_now().search);
    type("\303\266");
    ck_assert_str_eq(view_now().text, "s = 'h\303\266he'");
    ck_assert_ptr_nonnull(strstr(view_now().search, "\303\266"));
    key("\007");
    ck_assert_ptr_null(view_now().search);
    ck_assert_str_eq(shown(), "^");
    key("\022");
    type("\344\275\240");
    key("\r");
    ck_assert_str_eq(gb_buf_str(&seen.asked), "t = '\344\275\240\345\245\275'");
    prompt_completeness(seen.complete, true, "");
    ck_assert_uint_eq(seen.submits, 3);
}
END_TEST

START_TEST(test_languages)
{
    struct prompt_draft other = {0};
    int who;

    run("import os");
    type("dra");
    prompt_attach(&hooks, &who, "shell", "\t", &other);
    ck_assert_str_eq(draft.text, "dra");
    ck_assert_str_eq(shown(), "^");
    key("\033[A");
    ck_assert_str_eq(shown(), "^");
    run("ls");
    prompt_detach(&who);
    prompt_attach(&hooks, &seen, "python", "    ", &draft);
    ck_assert_str_eq(shown(), "dra^");
    ck_assert_ptr_null(draft.text);
    ck_assert(prompt_clear());
    key("\033[A");
    ck_assert_str_eq(shown(), "import os^");
    prompt_draft_release(&other);
}
END_TEST

START_TEST(test_history_file)
{
    run("def f():\n    return 1");
    run("two");
    teardown();
    prompt_attach(&hooks, &seen, "python", "    ", &draft);
    key("\033[A");
    ck_assert_str_eq(shown(), "two^");
    key("\033[A");
    ck_assert_str_eq(shown(), "def f():\n    return 1^");
}
END_TEST

/* What is known of the last time stands with the search, also in the next program. */
START_TEST(test_search_tells_how_it_ended)
{
    run("1 / 0");
    run("def f():\n    return 1");
    run("never ran");
    prompt_ended("python", gb_bytes_str("1 / 0"), "exit 1");
    prompt_ended("python", gb_bytes_str("def f():\n    return 1"), "timed\x1b[31m out");
    prompt_ended("python", gb_bytes_str("def f():\n    return 1"), "ok");
    prompt_ended("no such language", gb_bytes_str("1 / 0"), "ok");
    for (int round = 0; round < 2; round++) {
        key("\022");
        type("/ 0");
        ck_assert_str_eq(view_now().text, "1 / 0");
        ck_assert_str_eq(view_now().search, "(reverse-i-search, exit 1)`/ 0': ");
        key("\007");
        key("\022");
        type("f()");
        ck_assert_str_eq(view_now().search, "(reverse-i-search, ok)`f()': ");
        key("\007");
        key("\022");
        type("never");
        ck_assert_str_eq(view_now().search, "(reverse-i-search)`never': ");
        key("\007");
        teardown(); /* from the file */
        prompt_attach(&hooks, &seen, "python", "    ", &draft);
    }
    key("\033[A");
    ck_assert_str_eq(shown(), "never ran^");
    key("\033[A");
    ck_assert_str_eq(shown(), "def f():\n    return 1^");
    key("\033[A");
    ck_assert_str_eq(shown(), "1 / 0^");
    for (int i = 0; i < HISTORY_ENTRIES_MAX * 2; i++)
        prompt_ended("python", gb_bytes_str("1 / 0"), "ok");
    prompt_ended("python", gb_bytes_str("1 / 0"), "timed\x1b[31m out");
    key("\022");
    type("/ 0");
    ck_assert_str_eq(view_now().search, "(reverse-i-search, timed[31m out)`/ 0': ");
    key("\007");
}
END_TEST

START_TEST(test_completion)
{
    static const struct prompt_match one[] = {{"print", "function"}};
    static const struct prompt_match two[] = {{"alpha", ""}, {"alpine", "module"}};

    key("\t"); /* nothing to complete: indentation */
    ck_assert_str_eq(shown(), "    ^");
    type("\303\244 + pr");
    key("\t");
    ck_assert_uint_eq(seen.cursor, 10);
    prompt_matches(seen.matches, one, 1, 8);
    ck_assert_str_eq(shown(), "    \303\244 + print^");
    ck_assert(prompt_clear());

    type("a");
    key("\t");
    prompt_matches(seen.matches, two, 2, 0);
    ck_assert_str_eq(shown(), "alp^");
    ck_assert_uint_eq(view_now().match_count, 2);
    ck_assert_str_eq(view_now().matches[1].kind, "module");
    key("\t");
    ck_assert_uint_eq(view_now().selected, 1);
    key("\033[A");
    ck_assert_uint_eq(view_now().selected, 0);
    key("\033[Z");
    key("\r");
    ck_assert_str_eq(shown(), "alpine^");
    ck_assert_uint_eq(view_now().match_count, 0);
    ck_assert(prompt_clear());

    type("a");
    key("\t");
    prompt_matches(seen.matches, two, 2, 0);
    type("h"); /* the pop-up follows */
    prompt_matches(seen.matches, two, 1, 0);
    ck_assert_uint_eq(view_now().match_count, 1);
    key("\007");
    ck_assert_uint_eq(view_now().match_count, 0);
    ck_assert_str_eq(shown(), "alph^");
    /* An answer that is late, and one that does not fit. */
    key("\t");
    type("x");
    prompt_matches(seen.matches, one, 1, 0);
    ck_assert_str_eq(shown(), "alphx^");
    key("\t");
    prompt_matches(seen.matches, one, 1, 99);
    ck_assert_str_eq(shown(), "alphx^");
}
END_TEST

/* One question at a time, about what is selected by then. */
START_TEST(test_description)
{
    static const struct prompt_match three[] = {{"alpha", ""}, {"alpine", ""}, {"alps/", "path"}};
    uint64_t first;

    ck_assert(prompt_paste(gb_bytes_str("x\n\303\244.a")));
    key("\t");
    prompt_matches(seen.matches, three, 3, 4);
    ck_assert_str_eq(gb_buf_str(&seen.asked), "x\n\303\244.alpha");
    ck_assert_uint_eq(seen.descriptions, 1);
    first = seen.description;
    ck_assert(!view_now().describes);
    prompt_description(first + 1, "(no)", "no"); /* not the one that was asked */
    ck_assert_str_eq(view_now().signature, "");
    key("\t"); /* before there is an answer */
    ck_assert_uint_eq(seen.descriptions, 1);
    prompt_description(first, "(a)", "Of alpha.");
    ck_assert_str_eq(view_now().signature, "");
    ck_assert_uint_eq(seen.descriptions, 2);
    ck_assert_str_eq(gb_buf_str(&seen.asked), "x\n\303\244.alpine");
    prompt_description(seen.description, "(b)", "Of alpine.");
    ck_assert_str_eq(view_now().signature, "(b)");
    ck_assert_str_eq(view_now().summary, "Of alpine.");
    prompt_description(seen.description, "(c)", "twice is nothing");
    ck_assert_str_eq(view_now().signature, "(b)");
    key("\t"); /* a file: nobody is asked, and its room is kept */
    ck_assert_uint_eq(seen.descriptions, 2);
    ck_assert_str_eq(view_now().signature, "");
    ck_assert(view_now().describes);
    key("\t");
    ck_assert_uint_eq(seen.descriptions, 3);
    prompt_description(seen.description, NULL, NULL);
    ck_assert_str_eq(view_now().signature, "");
    ck_assert_str_eq(view_now().summary, "");

    /* An answer after the pop-up has closed, and after another has opened. */
    key("\t");
    key("\007");
    ck_assert(!view_now().describes);
    prompt_description(seen.description, "(b)", "late");
    ck_assert_str_eq(view_now().signature, "");
    key("\t");
    prompt_matches(seen.matches, three, 2, 4);
    first = seen.description;
    key("\007");
    key("\t");
    prompt_matches(seen.matches, three, 2, 4);
    ck_assert_uint_eq(seen.description, first);
    prompt_description(first, "(b)", "late");
    ck_assert_str_eq(view_now().signature, "");
    ck_assert_uint_gt(seen.description, first);
    prompt_description(seen.description, "(a)", "");
    ck_assert_str_eq(view_now().signature, "(a)");
}
END_TEST

START_TEST(test_vi)
{
    key("\033\012"); /* M-C-j: vi-editing-mode */
    ck_assert_int_eq(view_now().mode, PROMPT_VI_INSERT);
    type("one two");
    key("\033");
    ck_assert_int_eq(view_now().mode, PROMPT_VI_COMMAND);
    type("0dw");
    ck_assert_str_eq(shown(), "^two");
    key("\r");
    prompt_completeness(seen.complete, true, "");
    ck_assert_str_eq(gb_buf_str(&seen.submitted), "two");
    ck_assert_int_eq(view_now().mode, PROMPT_VI_INSERT);
    type("x = 1");
    key("\033");
    key("v");
    ck_assert_str_eq(gb_buf_str(&seen.edited), "x = 1");
}
END_TEST

START_TEST(test_end_and_edit)
{
    key("\004");
    ck_assert_uint_eq(seen.ends, 1);
    type("abc");
    key("\030");
    key("\005");
    ck_assert_str_eq(gb_buf_str(&seen.edited), "abc");
    prompt_set_text("two\nlines");
    ck_assert_str_eq(shown(), "two\nlines^");
}
END_TEST

START_TEST(test_limits)
{
    struct gb_buf large = {0};

    for (int i = 0; i < PROMPT_TEXT_MAX; i += 16)
        gb_buf_adds(&large, "0123456789abcde\n");
    ck_assert(prompt_paste(gb_buf_bytes(&large)));
    ck_assert(!prompt_paste(gb_bytes_str("x")));
    type("y");
    ck_assert_uint_eq(view_now().size, PROMPT_TEXT_MAX);
    gb_buf_release(&large);
}
END_TEST

START_TEST(test_looks_complete)
{
    static const struct {
        const char *text;
        bool complete;
        const char *indent;
    } cases[] = {
        {"1 + 1", true, ""},
        {"f(", false, ""},
        {"f('(')", true, ""},
        {"if x:", false, "  "},
        {"if x:\n  y", false, "  "},
        {"if x:\n  y\n", true, ""},
        {"x = \"\"\"a\nb", false, ""},
        {"x = \"\"\"a\nb\"\"\"", true, ""},
        {"x = `a\n", false, ""},
        {"a \\", false, ""},
        {"function f() {", false, "  "},
        {"f(1) # (", true, ""},
        {"", true, ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gb_buf indent = {0};

        ck_assert_msg(prompt_looks_complete(gb_bytes_str(cases[i].text), "  ", &indent) ==
                          cases[i].complete,
                      "%s", cases[i].text);
        ck_assert_str_eq(gb_buf_str(&indent), cases[i].indent);
        gb_buf_release(&indent);
    }
}
END_TEST

/* What could not be sent stays typed, and is remembered once it was. */
START_TEST(test_what_is_not_sent_stays)
{
    type("y = 2");
    seen.refuses = true;
    key("\r");
    prompt_completeness(seen.complete, true, "");
    ck_assert_uint_eq(seen.submits, 1);
    ck_assert_str_eq(shown(), "y = 2^");
    key("\r");
    type("0"); /* typed ahead: behind what comes back */
    prompt_completeness(seen.complete, true, "");
    ck_assert_str_eq(shown(), "y = 20^");
    seen.refuses = false;
    key("\r");
    prompt_completeness(seen.complete, true, "");
    ck_assert_uint_eq(seen.submits, 3);
    ck_assert_str_eq(gb_buf_str(&seen.submitted), "y = 20");
    ck_assert_str_eq(shown(), "^");
    key("\x10"); /* what was refused is not in the history: C-p */
    ck_assert_str_eq(shown(), "y = 20^");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prompt");
    TCase *tests = tcase_create("prompt");

    tcase_set_timeout(tests, 60); /* a megabyte of text under sanitizers on a busy machine */
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_typing);
    tcase_add_test(tests, test_enter);
    tcase_add_test(tests, test_enter_alone);
    tcase_add_test(tests, test_lines);
    tcase_add_test(tests, test_history);
    tcase_add_test(tests, test_suggestion_word);
    tcase_add_test(tests, test_search);
    tcase_add_test(tests, test_languages);
    tcase_add_test(tests, test_history_file);
    tcase_add_test(tests, test_search_tells_how_it_ended);
    tcase_add_test(tests, test_completion);
    tcase_add_test(tests, test_description);
    tcase_add_test(tests, test_vi);
    tcase_add_test(tests, test_end_and_edit);
    tcase_add_test(tests, test_limits);
    tcase_add_test(tests, test_looks_complete);
    tcase_add_test(tests, test_what_is_not_sent_stays);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
