/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "cli/help.h"
#include "cli/shell.h"

static const struct option options[] = {
    {.letter = 'c', .name = "code", .value = "CODE", .kind = ARG_TEXT, .help = "the code"},
    {.letter = 'l', .name = "lang", .value = "LANG", .kind = ARG_LANGUAGE, .help = "the language"},
    {.letter = 'q', .name = "quiet", .kind = ARG_NONE, .help = "says less"},
    {.letter = 'v', .name = "verbose", .kind = ARG_NONE, .help = "says more"},
    {.name = "terminal", .word = "-it", .kind = ARG_NONE, .command = true, .help = "a command"},
    {.name = "ready-fd", .value = "FD", .kind = ARG_TEXT, .help = "", .hidden = true},
    {0},
};
static const struct option common[] = {
    {.name = "socket", .value = "PATH", .kind = ARG_FILE, .help = "the socket"},
    {0},
};
static const struct verb *const verbs[] = {
    &(const struct verb){.name = "run",
                         .summary = "run code",
                         .usage = "FILE…",
                         .options = options,
                         .common = common,
                         .words = ARG_FILE,
                         .examples = "  glassbell run x\n"},
    &(const struct verb){.name = "repl",
                         .summary = "type code",
                         .usage = "",
                         .common = common,
                         .words = ARG_SESSION},
    &(const struct verb){.name = "exec",
                         .summary = "run code there",
                         .usage = "SESSION",
                         .options = options,
                         .common = common,
                         .words = ARG_PROGRAM_IN_SESSION},
    &(const struct verb){.name = "start",
                         .summary = "run a program",
                         .usage = "FILE",
                         .options = options,
                         .common = common,
                         .words = ARG_PROGRAM},
    &(const struct verb){.name = "shell",
                         .summary = "a program there",
                         .usage = "SESSION",
                         .options = options,
                         .common = common,
                         .words = ARG_COMMAND_IN_SESSION},
    &(const struct verb){
        .name = "interrupt", .summary = "interrupt it", .usage = "SESSION", .words = ARG_SESSION},
    NULL,
};

static struct args parse(int argc, const char **argv)
{
    struct gb_buf message = {0};
    struct args args;

    ck_assert_msg(args_parse(verbs[0], argc, (char **)(uintptr_t)argv, &args, &message), "%s",
                  gb_buf_str(&message));
    gb_buf_release(&message);
    return args;
}

#define PARSE(...)                                                                                 \
    parse((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                           \
          (const char *[]){__VA_ARGS__})

static void check_refused(int argc, const char **argv, const char *expected)
{
    struct gb_buf message = {0};
    struct args args;

    ck_assert(!args_parse(verbs[0], argc, (char **)(uintptr_t)argv, &args, &message));
    ck_assert_str_eq(gb_buf_str(&message), expected);
    gb_buf_release(&message);
}

#define REFUSED(expected, ...)                                                                     \
    check_refused((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                   \
                  (const char *[]){__VA_ARGS__}, expected)

START_TEST(options_stand_anywhere)
{
    struct args args = PARSE("a.py", "--lang", "js", "-", "-q", "b.py");

    ck_assert_uint_eq(args.word_count, 3);
    ck_assert_str_eq(args.words[1], "-");
    ck_assert_str_eq(args.words[2], "b.py");
    ck_assert_str_eq(args_value(&args, "lang"), "js");
    ck_assert(args_has(&args, "quiet"));
    ck_assert(!args_has(&args, "verbose"));
    ck_assert_ptr_null(args_value(&args, "socket"));
    args_release(&args);
}
END_TEST

START_TEST(all_spellings)
{
    struct args args = PARSE("-qv", "-lpy", "--code=a=b", "-qc", "x", "--socket=");
    size_t at = 0;

    ck_assert(args_has(&args, "quiet") && args_has(&args, "verbose"));
    ck_assert_str_eq(args_value(&args, "lang"), "py");
    ck_assert_str_eq(args_value(&args, "socket"), "");
    ck_assert_str_eq(args_next(&args, "code", &at), "a=b");
    ck_assert_str_eq(args_next(&args, "code", &at), "x");
    ck_assert_ptr_null(args_next(&args, "code", &at));
    ck_assert_str_eq(args_value(&args, "code"), "x");
    args_release(&args);
}
END_TEST

START_TEST(values_may_look_like_options)
{
    struct args args = PARSE("-c", "--lang", "--", "-q", "--");

    ck_assert_str_eq(args_value(&args, "code"), "--lang");
    ck_assert_uint_eq(args.word_count, 2);
    ck_assert_str_eq(args.words[0], "-q");
    ck_assert(!args_has(&args, "quiet"));
    args_release(&args);
}
END_TEST

/* Words as one line, and whether -q and -l were ours. */
static void check_program(const char *verb, const char *expected, bool quiet, int argc,
                          const char **argv)
{
    struct gb_buf message = {0}, words = {0};
    struct args args;

    ck_assert(
        args_parse(args_find_verb(verbs, verb), argc, (char **)(uintptr_t)argv, &args, &message));
    for (size_t i = 0; i < args.word_count; i++)
        gb_buf_addf(&words, "%s%s", i > 0 ? " " : "", args.words[i]);
    ck_assert_str_eq(gb_buf_str(&words), expected);
    ck_assert_int_eq(args_has(&args, "quiet"), quiet);
    args_release(&args);
    gb_buf_release(&words);
}

#define PROGRAM(verb, expected, quiet, ...)                                                        \
    check_program(verb, expected, quiet,                                                           \
                  (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                   \
                  (const char *[]){__VA_ARGS__})

START_TEST(what_is_the_programs_own)
{
    PROGRAM("start", "a.py", true, "-q", "a.py");
    PROGRAM("start", "a.py", true, "a.py", "-q");
    PROGRAM("start", "a.py x -q", false, "a.py", "x", "-q");
    PROGRAM("start", "a.py --epochs 5 -q", false, "a.py", "--epochs", "5", "-q");
    PROGRAM("start", "a.py -x --code", true, "-q", "a.py", "-x", "--code");
    PROGRAM("start", "a.py -q", false, "a.py", "--", "-q");
    PROGRAM("start", "a.py -q -- x", false, "--", "a.py", "-q", "--", "x");
    PROGRAM("start", "-a.py --help", false, "--", "-a.py", "--help");
    PROGRAM("start", "a.py b --help", false, "a.py", "b", "--help");
    PROGRAM("start", "- a", true, "-", "-q", "a");
    PROGRAM("start", "a -q", false, "-c", "1", "a", "-q");
    PROGRAM("start", "-x", true, "-c", "1", "-q", "-x");
    PROGRAM("exec", "work a.py", true, "work", "-q", "a.py");
    PROGRAM("exec", "work a.py x -q", false, "work", "a.py", "x", "-q");
    PROGRAM("exec", "work", true, "work", "-c", "1", "-q");
    PROGRAM("exec", "work x -q", false, "work", "-c", "1", "x", "-q");
}
END_TEST

/* Behind the session all words are the command's, whatever they look like. */
START_TEST(what_is_the_commands_own)
{
    PROGRAM("exec", "work vi -q --lang x", false, "-it", "work", "vi", "-q", "--lang", "x");
    PROGRAM("exec", "work vi -q", true, "-it", "-q", "work", "vi", "-q");
    PROGRAM("exec", "work vi -q", true, "-q", "--terminal", "work", "vi", "-q");
    PROGRAM("exec", "work vi -x", false, "work", "-it", "vi", "-x");
    PROGRAM("exec", "work vi -it", false, "-it", "work", "vi", "-it");
    PROGRAM("exec", "work -q", false, "-it", "--", "work", "-q");
    PROGRAM("exec", "work", true, "-it", "work", "-q");
    PROGRAM("shell", "work vi --help -q -- -it", false, "work", "vi", "--help", "-q", "--", "-it");
    PROGRAM("shell", "work", true, "work", "-q");
    PROGRAM("shell", "work", true, "-q", "work");
}
END_TEST

static void check_mistake(const char *verb, const char *expected, int argc, const char **argv)
{
    struct gb_buf message = {0};
    struct args args;

    ck_assert(
        !args_parse(args_find_verb(verbs, verb), argc, (char **)(uintptr_t)argv, &args, &message));
    ck_assert_str_eq(gb_buf_str(&message), expected);
    gb_buf_release(&message);
}

START_TEST(mistakes_beside_a_program)
{
    const char *near[] = {"a.py", "--qiuet"}, *early[] = {"work", "-x"}, *none[] = {"--epochs"},
               *terminal[] = {"work", "-it"};

    check_mistake(
        "start",
        "there is no option --qiuet; did you mean --quiet? Arguments for the program go after --",
        2, near);
    check_mistake("exec", "there is no option -x", 2, early);
    check_mistake("start", "there is no option --epochs", 1, none);
    check_mistake("repl", "there is no option -i", 2, terminal);
}
END_TEST

START_TEST(help_is_asked_for)
{
    struct args args = PARSE("-q", "--help", "--nothing");

    ck_assert(args.help);
    args_release(&args);
    args = PARSE("-c", "--help", "--", "-h");
    ck_assert(!args.help);
    args_release(&args);
}
END_TEST

START_TEST(mistakes_are_named)
{
    REFUSED("there is no option --land; did you mean --lang?", "--land", "x");
    REFUSED("there is no option --xyzzy", "--xyzzy");
    REFUSED("there is no option -x", "-qx");
    REFUSED("the option --lang needs a value (LANG)", "--lang");
    REFUSED("the option -c needs a value (CODE)", "-c");
    REFUSED("the option --quiet takes no value", "--quiet=1");
    REFUSED("there is no option --ready", "--ready");
}
END_TEST

START_TEST(nearest_verbs)
{
    ck_assert_str_eq(args_nearest_verb(verbs, "ru")->name, "run");
    ck_assert_str_eq(args_nearest_verb(verbs, "rnu")->name, "run");
    ck_assert_str_eq(args_nearest_verb(verbs, "rep")->name, "repl");
    ck_assert_str_eq(args_nearest_verb(verbs, "interrup")->name, "interrupt");
    ck_assert_ptr_null(args_nearest_verb(verbs, "frobnicate"));
    ck_assert_ptr_null(args_nearest_verb(verbs, ""));
    ck_assert_ptr_null(args_find_verb(verbs, "ru"));
    ck_assert_ptr_eq(args_find_verb(verbs, "repl"), verbs[1]);
}
END_TEST

START_TEST(numbers)
{
    double value = 7;

    ck_assert(args_number("2.5", 0, 10, &value));
    ck_assert_double_eq(value, 2.5);
    ck_assert(args_number("10", 0, 10, &value));
    ck_assert(!args_number("10.1", 0, 10, &value));
    ck_assert(!args_number("", 0, 10, &value));
    ck_assert(!args_number("-1", -5, 10, &value));
    ck_assert(!args_number("1s", 0, 10, &value));
    ck_assert(!args_number("1e1", 0, 10, &value));
    ck_assert(!args_number("nan", 0, 10, &value));
    ck_assert(!args_number("0x1", 0, 10, &value));
    ck_assert(!args_number("1.2.3", 0, 10, &value));
    ck_assert(!args_number(".", 0, 10, &value));
    ck_assert_double_eq(value, 10);
}
END_TEST

static void check_contains(struct gb_buf *text, const char *part)
{
    ck_assert_msg(strstr(gb_buf_str(text), part) != NULL, "no %s in\n%s", part, gb_buf_str(text));
}

START_TEST(texts_are_made_from_the_table)
{
    struct gb_buf text = {0};

    help_program(&text, verbs);
    check_contains(&text, "  repl        type code\n");
    gb_buf_clear(&text);
    help_verb(&text, verbs[0], NULL);
    check_contains(&text, "usage: glassbell run FILE…\n");
    check_contains(&text, "  -c, --code CODE         the code\n");
    check_contains(&text, "      --socket PATH       the socket\n");
    check_contains(&text, "examples:\n  glassbell run x\n");
    ck_assert_ptr_null(strstr(gb_buf_str(&text), "ready-fd"));
    gb_buf_clear(&text);
    ck_assert(shell_completion(&text, "bash", verbs));
    check_contains(&text, "local verbs='run repl exec start shell interrupt'\n");
    check_contains(&text, "--lang|-l) mapfile");
    check_contains(&text, "'--help --code --lang --quiet --verbose --terminal --socket'");
    check_contains(&text, "glassbell ls --ids");
    ck_assert_ptr_null(strstr(gb_buf_str(&text), "ready-fd"));
    gb_buf_clear(&text);
    ck_assert(shell_completion(&text, "zsh", verbs));
    check_contains(&text, "'*'{-l+,--lang=}'[the language]:LANG:_glassbell_languages'");
    check_contains(&text, "'*'{-q,--quiet}'[says less]'");
    check_contains(&text, "'*--socket=[the socket]:PATH:_files'");
    check_contains(&text, "'1:session:_glassbell_sessions'");
    ck_assert_ptr_null(strstr(gb_buf_str(&text), "ready-fd"));
    gb_buf_clear(&text);
    ck_assert(shell_completion(&text, "fish", verbs));
    check_contains(&text, "'__glassbell_is run' -s q -l quiet -d 'says less'\n");
    check_contains(&text, "'__glassbell_is repl' -l socket -r -F -d 'the socket'\n");
    ck_assert_ptr_null(strstr(gb_buf_str(&text), "ready-fd"));
    gb_buf_clear(&text);
    ck_assert(!shell_completion(&text, "csh", verbs));
    ck_assert_uint_eq(text.size, 0);
    gb_buf_release(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("args");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, options_stand_anywhere);
    tcase_add_test(tests, all_spellings);
    tcase_add_test(tests, values_may_look_like_options);
    tcase_add_test(tests, what_is_the_programs_own);
    tcase_add_test(tests, what_is_the_commands_own);
    tcase_add_test(tests, mistakes_beside_a_program);
    tcase_add_test(tests, help_is_asked_for);
    tcase_add_test(tests, mistakes_are_named);
    tcase_add_test(tests, nearest_verbs);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, texts_are_made_from_the_table);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
