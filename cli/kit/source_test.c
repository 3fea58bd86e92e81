/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"
#include "language/testing.h"

static const struct option options[] = {
    {.letter = 'c', .name = "code", .value = "CODE", .kind = ARG_TEXT, .help = ""},
    {.letter = 'f', .name = "file", .value = "FILE", .kind = ARG_FILE, .help = ""},
    {0},
};
static const struct verb verb = {"run", "", "", options, NULL, ARG_PROGRAM, NULL, NULL};

static char folder[64];
static struct gb_buf message;
static struct source *sources;
static size_t count;
static struct args args;
static struct gb_languages languages;

static void set_up(void)
{
    languages_of_workers(&languages); /* their paths may be relative */
    (void)snprintf(folder, sizeof(folder), "/tmp/source-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void tear_down(void)
{
    _cleanup_(freep) char *command = xasprintf("rm -rf %s", folder);

    gb_buf_release(&message);
    gb_languages_release(&languages);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0); /* allowed: a test's own folder */
}

static void write_file(const char *name, const char *text)
{
    struct gb_err err = {0};

    ck_assert_int_eq(gb_fd_replace_file(name, gb_bytes_str(text), 0644, &err), 0);
}

static enum source_fault read_words(const char *language, int argc, const char **argv)
{
    enum source_fault fault;

    gb_buf_clear(&message);
    ck_assert(args_parse(&verb, argc, (char **)(uintptr_t)argv, &args, &message));
    fault = sources_read(&args, 0, &sources, &count, &message);
    if (fault == SOURCE_GOOD &&
        !sources_decide(sources, count, &languages,
                        language != NULL ? gb_languages_of_word(&languages, language) : NULL,
                        &message)) {
        sources_free(sources, count);
        fault = SOURCE_UNREADABLE;
    }
    return fault;
}

#define READ(language, ...)                                                                        \
    read_words(language, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),            \
               (const char *[]){__VA_ARGS__})

static void release(void)
{
    sources_free(sources, count);
    args_release(&args);
    sources = NULL;
    count = 0;
}

static const struct {
    const char *name, *text, *language; /* NULL: refused, with */
    const char *says;
} files[] = {
    {"a.py", "1", "python", NULL},
    {"A.PY", "1", "python", NULL},
    {"b.cjs", "#!/bin/bash\n", "javascript", NULL},
    {"b.mts", "", "javascript", NULL},
    {"b.bash", "", "shell", NULL},
    {"tool", "#!/usr/bin/env python3\n", "python", NULL},
    {"tool", "#! /usr/bin/python3.13 -u\r\nx", "python", NULL},
    {"tool", "#!/usr/bin/env -S node --trace-warnings\n", "javascript", NULL},
    {"tool", "#!/usr/bin/env -u HOME A=b -i nodejs\n", "javascript", NULL},
    {"tool", "#!/usr/bin/env -Sbash -eu\n", "shell", NULL},
    {"tool", "#!/bin/sh", "shell", NULL},
    {"tool.cgi", "#!/bin/dash\n", "shell", NULL},
    {".py", "#!/usr/bin/python\n", "python", NULL},
    {"x.rb", "puts 1", NULL, "x.rb: files that end in .rb"},
    {"x.rb", "#!/usr/bin/env ruby\nputs 1", NULL, "x.rb is to be run by ruby"},
    {"x.tsx", "", NULL, "-l javascript"},
    {"x.JSX", "", NULL, "JSX has to be compiled"},
    {"tool", "#!/usr/bin/env -S deno run --allow-net\n", NULL, "run by deno"},
    {"tool", "#!/usr/bin/python2\n", NULL, "run by python2"},
    {"tool", "print(1)", NULL, "tool: neither its ending nor"},
    {"tool", " #!/bin/sh\n", NULL, "neither"},
    {"tool", "#!\n", NULL, "neither"},
    {"tool", "#!/usr/bin/env\n", NULL, "neither"},
    {"tool.", "", NULL, "-l javascript, python or shell"},
    {".py", "", NULL, "neither"},
    {"a b.py.txt", "", NULL, ".txt"},
    {"n.ipynb", "{}", NULL, "n.ipynb: it is not a notebook"},
    {"n.ipynb", "{\"nbformat\":4,\"cells\":[],\"metadata\":{}}", NULL,
     "does not name its language"},
    {"n.ipynb", "{\"nbformat\":4,\"cells\":[],\"metadata\":{\"kernelspec\":{\"language\":\"R\"}}}",
     NULL, "the language of the notebook, R"},
};

START_TEST(language_of_a_file)
{
    write_file(files[_i].name, files[_i].text);
    if (files[_i].language == NULL) {
        ck_assert_int_eq(READ(NULL, files[_i].name), SOURCE_UNREADABLE);
        ck_assert_msg(strstr(gb_buf_str(&message), files[_i].says) != NULL, "%s",
                      gb_buf_str(&message));
        args_release(&args);
        return;
    }
    ck_assert_msg(READ(NULL, files[_i].name) == SOURCE_GOOD, "%s", gb_buf_str(&message));
    ck_assert_str_eq(sources[0].language, files[_i].language);
    ck_assert_str_eq(sources[0].file, files[_i].name);
    ck_assert(gb_bytes_equal(gb_buf_bytes(sources[0].cells), files[_i].text));
    release();
}
END_TEST

START_TEST(language_that_is_told)
{
    write_file("x.rb", "1");
    ck_assert_int_eq(READ("javascript", "x.rb"), SOURCE_GOOD);
    ck_assert_str_eq(sources[0].language, "javascript");
    release();
}
END_TEST

START_TEST(words_of_a_program)
{
    write_file("a.py", "1");
    write_file("b.js", "2");
    ck_assert_int_eq(READ(NULL, "a.py", "x", "-y"), SOURCE_GOOD);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(sources[0].arg_count, 2);
    ck_assert_str_eq(sources[0].args[1], "-y");
    release();
    ck_assert_int_eq(READ(NULL, "-c", "7", "a.py"), SOURCE_GOOD);
    ck_assert_int_eq((int)sources[0].kind, SOURCE_CODE);
    ck_assert(sources[0].language == NULL && sources[0].file == NULL);
    ck_assert_str_eq(sources[0].args[0], "a.py");
    release();
    ck_assert_int_eq(READ(NULL, "-f", "b.js", "-c", "7", "-f", "a.py"), SOURCE_GOOD);
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(sources[0].name, "b.js");
    ck_assert(gb_bytes_equal(gb_buf_bytes(sources[1].cells), "7"));
    ck_assert_str_eq(sources[2].language, "python");
    release();
}
END_TEST

static void check_wrong(const char *says, int argc, const char **argv)
{
    ck_assert_int_eq(read_words(NULL, argc, argv), SOURCE_WRONG_USE);
    ck_assert_msg(strstr(gb_buf_str(&message), says) != NULL, "%s", gb_buf_str(&message));
    args_release(&args);
}

#define WRONG(says, ...)                                                                           \
    check_wrong(says, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),               \
                (const char *[]){__VA_ARGS__})

START_TEST(words_that_fit_nothing)
{
    const char *nothing[] = {"--"};

    write_file("a.py", "1");
    check_wrong("nothing to run", 1, nothing);
    WRONG("standard input can be read only once", "-f", "-", "-f", "-");
    WRONG("x is an argument, but there are 2", "-f", "a.py", "-c", "1", "x");
    WRONG("a.py is already the program, and -c after it", "a.py", "-c", "1");
    WRONG("a notebook takes none", "n.ipynb", "x");
    ck_assert_int_eq(READ(NULL, "nothing.py"), SOURCE_UNREADABLE);
    ck_assert(strstr(gb_buf_str(&message), "nothing.py: No such file") != NULL);
    args_release(&args);
    ck_assert_int_eq(READ("python", "."), SOURCE_UNREADABLE);
    args_release(&args);
}
END_TEST

static void check_put(size_t cell, bool alone, const char *expected)
{
    struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};

    gb_json_object(&out, NULL);
    source_put(&out, &sources[0], cell, alone);
    gb_json_end(&out);
    ck_assert_str_eq(gb_buf_str(&text), expected);
    gb_buf_release(&text);
}

START_TEST(as_parameters)
{
    write_file("a b.py", "print(1)");
    write_file("\xff.py", "caf\xe9");
    ck_assert_int_eq(READ(NULL, "a b.py", "x", ""), SOURCE_GOOD);
    check_put(0, true, "{\"code\":\"print(1)\",\"file\":\"a b.py\",\"args\":[\"x\",\"\"]}");
    release();
    ck_assert_int_eq(READ(NULL, "\xff.py", "\xff", "y"), SOURCE_GOOD);
    check_put(0, true,
              "{\"code_base64\":\"Y2Fm6Q==\",\"file_base64\":\"/y5weQ==\","
              "\"args_base64\":[\"/w==\",\"eQ==\"]}");
    release();
    ck_assert_int_eq(READ(NULL, "-c", "1"), SOURCE_GOOD);
    check_put(0, true, "{\"code\":\"1\",\"args\":[]}");
    check_put(0, false, "{\"code\":\"1\"}");
    sources[0].in_shell = true;
    check_put(0, false, "{\"code\":\"1\",\"mode\":\"shell\"}");
    release();
    write_file("n.ipynb", "{\"nbformat\":4,\"metadata\":{\"language_info\":{\"name\":\"python\"}},"
                          "\"cells\":[{\"cell_type\":\"markdown\",\"source\":\"# x\"},"
                          "{\"cell_type\":\"code\",\"source\":[\"a = 1\\n\",\"a\"]},"
                          "{\"cell_type\":\"code\",\"source\":\" \\n\"},"
                          "{\"cell_type\":\"code\",\"source\":\"a + 1\"}]}");
    ck_assert_int_eq(READ(NULL, "n.ipynb"), SOURCE_GOOD);
    ck_assert_uint_eq(sources[0].count, 2);
    ck_assert_str_eq(sources[0].language, "python");
    check_put(0, true, "{\"code\":\"a = 1\\na\"}");
    check_put(1, true, "{\"code\":\"a + 1\"}");
    check_put(2, true, "{\"code\":\"\"}");
    release();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("source");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, language_of_a_file, 0, ARRAY_SIZE(files));
    tcase_add_test(tests, language_that_is_told);
    tcase_add_test(tests, words_of_a_program);
    tcase_add_test(tests, words_that_fit_nothing);
    tcase_add_test(tests, as_parameters);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
