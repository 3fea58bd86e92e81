/* SPDX-License-Identifier: Apache-2.0 */
#include "language/language.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check_records.h"
#include "check_run.h"
#include "language/testing.h"

#define NAME_OF(call) ((call) != NULL ? (call)->name : "none")

START_TEST(finds_what_is_meant)
{
    struct gb_languages languages;
    const struct gb_language *python;

    languages_of_workers(&languages);
    ck_assert_uint_eq(languages.count, 3);
    ck_assert_str_eq(NAME_OF(gb_languages_of_word(&languages, "py")), "python");
    ck_assert_str_eq(NAME_OF(gb_languages_of_word(&languages, "bash")), "shell");
    ck_assert_str_eq(NAME_OF(gb_languages_of_word(&languages, "ts")), "javascript");
    ck_assert_str_eq(NAME_OF(gb_languages_of_word(&languages, "cobol")), "none");
    ck_assert_str_eq(NAME_OF(gb_languages_find(&languages, "py")), "none");
    ck_assert_str_eq(NAME_OF(gb_languages_of_file(&languages, "a/b.TS")), "javascript");
    ck_assert_str_eq(NAME_OF(gb_languages_of_file(&languages, "x.bash")), "shell");
    ck_assert_str_eq(NAME_OF(gb_languages_of_file(&languages, "a.d/.py")), "none");
    ck_assert_str_eq(NAME_OF(gb_languages_of_file(&languages, "README")), "none");
    ck_assert_str_eq(NAME_OF(gb_languages_of_file(&languages, "a.json")), "none");
    ck_assert_str_eq(NAME_OF(gb_languages_of_coloured(&languages, "a.json")), "javascript");
    ck_assert_str_eq(NAME_OF(gb_languages_of_coloured(&languages, "a.py")), "python");
    ck_assert_str_eq(NAME_OF(gb_languages_of_refused(&languages, "a.tsx")), "javascript");
    ck_assert_str_eq(NAME_OF(gb_languages_of_program(&languages, "python3.13")), "python");
    ck_assert_str_eq(NAME_OF(gb_languages_of_program(&languages, "python3.x")), "none");
    ck_assert_str_eq(NAME_OF(gb_languages_of_program(&languages, "python2")), "none");
    ck_assert_str_eq(NAME_OF(gb_languages_of_program(&languages, "dash")), "shell");
    ck_assert_str_eq(NAME_OF(gb_languages_of_word(NULL, "py")), "none");
    python = gb_languages_find(&languages, "python");
    ck_assert_str_eq(python->prompt.first, ">>> ");
    ck_assert_uint_eq(python->warm.template.count, 3);
    ck_assert(gb_texts_have(&python->highlight.keywords, "lambda"));
    ck_assert_uint_eq(python->highlight.block.count, 0);
    ck_assert_str_eq(python->refused.why, "");
    gb_languages_release(&languages);
}
END_TEST

static const char toy[] = "\"name\":\"toy\",\"title\":\"Toy\","
                          "\"prompt\":{\"first\":\"> \",\"more\":\". \",\"indent\":\" \"},"
                          "\"notebook\":{\"kernel\":\"toy\",\"title\":\"Toy\"},"
                          "\"highlight\":{\"lexer\":\"words\"}";

/* @more: members behind those that are needed. */
static int read_toy(const char *more, enum gb_language_source source,
                    struct gb_language **ret_language, struct gb_err *err)
{
    struct gb_buf text = {0};
    struct gb_json_doc doc = {0};
    int r;

    gb_buf_addf(&text, "{%s%s}", toy, more);
    r = gb_json_parse(&doc, text.memory + text.start, text.size, GB_LANGUAGE_VALUES_MAX, err);
    ck_assert_msg(r == 0, "%s: %s", more, err->message);
    r = gb_language_read(doc.nodes, source, ret_language, err);
    gb_json_release(&doc);
    gb_buf_release(&text);
    return r;
}

static const struct bad {
    const char *more, *message;
    bool of_server; /* it is bad from there as well */
} bad[] = {
    {",\"colour\":\"red\"", "the language toy: \"colour\" is not known", false},
    {",\"warm\":{\"up\":[]}", "the language toy: \"warm.up\" is not known", false},
    {",\"name\":\"toy\"", "the language toy: \"name\" is given twice", true},
    {",\"prompt\":{\"more\":\"x\"}", "the language toy: \"prompt.more\" is given twice", true},
    {",\"aliases\":\"t\"", "the language toy: \"aliases\" is no list", true},
    {",\"aliases\":[\"a b\"]", "the language toy: \"aliases\" has a value that it may not have",
     true},
    {",\"aliases\":[\"\"]", "the language toy: \"aliases\" has a value that it may not have", true},
    {",\"aliases\":[1]", "the language toy: \"aliases\" has a value that it may not have", true},
    {",\"aliases\":[\"a\",\"a\"]", "the language toy: \"aliases\" names something twice", true},
    {",\"endings\":[\"toy\"]", "the language toy: \"endings\" has a value that it may not have",
     true},
    {",\"endings\":[\".TOY\"]", "the language toy: \"endings\" has a value that it may not have",
     true},
    {",\"endings\":[\".a/b\"]", "the language toy: \"endings\" has a value that it may not have",
     true},
    {",\"endings\":[\".\"]", "the language toy: \"endings\" has a value that it may not have",
     true},
    {",\"errors\":\"x\"", "the language toy: \"errors\" is not an object", true},
    {",\"errors\":{\"no_input\":[]}", "the language toy: \"errors.no_input\" is no text", true},
    {",\"errors\":{\"no_input\":\"a\\u001bb\"}",
     "the language toy: \"errors.no_input\" is what it may not be", true},
    {",\"errors\":{\"no_input\":\"a\\u202eb\"}",
     "the language toy: \"errors.no_input\" is what it may not be", true},
    {",\"errors\":{\"no_input\":\"a\\nb\"}",
     "the language toy: \"errors.no_input\" is what it may not be", true},
    {",\"warm\":{\"pool\":[\"a\\u0000b\"]}",
     "the language toy: \"warm.pool\" has a value that it may not have", false},
    {",\"warm\":{\"pool\":[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]}",
     "the language toy: \"warm.pool\" has too many values", false},
    {",\"refused\":{\"endings\":[\".toyx\"]}",
     "the language toy: \"refused\" needs endings and a reason", true},
};

START_TEST(refuses_what_is_wrong)
{
    struct gb_language *language = NULL;
    struct gb_err err = {0};

    ck_assert_int_eq(read_toy(bad[_i].more, GB_LANGUAGE_OF_FILE, &language, &err), -GB_EINVALID);
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_ptr_null(language);
    ck_assert_int_eq(read_toy(bad[_i].more, GB_LANGUAGE_OF_SERVER, &language, &err) < 0,
                     bad[_i].of_server);
    gb_language_unref(language);
}
END_TEST

/* ---- tests/records, which the builder of images reads as well ---- */

static int read_record(const char *line, struct gb_err *err)
{
    struct gb_language *language = NULL;
    struct gb_json_doc doc = {0};
    char *text = xstrdup(line);
    int r = gb_json_parse(&doc, (uint8_t *)text, strlen(text), GB_LANGUAGE_VALUES_MAX, err);

    ck_assert_msg(r == 0, "%s: %s", line, err->message);
    r = gb_language_read(doc.nodes, GB_LANGUAGE_OF_FILE, &language, err);
    gb_language_unref(language);
    gb_json_release(&doc);
    free(text);
    return r;
}

static void refuse_record(void *arg, const char *line)
{
    struct gb_err err = {0};

    (void)arg;
    ck_assert_msg(read_record(line, &err) == -GB_EINVALID, "taken: %s", line);
}

static void take_record(void *arg, const char *line)
{
    struct gb_err err = {0};

    (void)arg;
    ck_assert_msg(read_record(line, &err) == 0, "%s: %s", err.message, line);
}

START_TEST(agrees_about_records)
{
    ck_assert_uint_ge(check_records("language.wrong", refuse_record, NULL), 70);
    ck_assert_uint_ge(check_records("language.right", take_record, NULL), 10);
}
END_TEST

START_TEST(needs_what_is_needed)
{
    struct gb_languages languages = {0};
    struct gb_err err = {0};

    ck_assert_int_eq(gb_languages_read_file(gb_bytes_str("{\"languages\":[{\"name\":\"a\"}]}"),
                                            &languages, &err),
                     -GB_EINVALID);
    ck_assert_str_eq(err.message, "the language a: \"title\" is missing");
    ck_assert_int_eq(gb_languages_read_file(gb_bytes_str("{}"), &languages, &err), -GB_EINVALID);
    ck_assert_str_eq(err.message, "it has no list of languages");
}
END_TEST

START_TEST(claims_nothing_twice)
{
    static const char *const pairs[][2] = {
        {",\"endings\":[\".x\"]", ",\"endings\":[\".x\"]"},
        {",\"programs\":[\"p\"]", ",\"programs\":[\"p\"]"},
        {",\"aliases\":[\"other\"]", ""},
        {"", ",\"aliases\":[\"toy\"]"},
    };
    struct gb_languages languages = {0};
    struct gb_buf text = {0};
    struct gb_err err = {0};

    gb_buf_addf(&text, "{\"languages\":[{%s%s},{\"name\":\"other\"%s%s}]}", toy, pairs[_i][0],
                strchr(toy, ','), pairs[_i][1]);
    ck_assert_int_eq(gb_languages_read_file(gb_buf_bytes(&text), &languages, &err), -GB_EINVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "the languages toy and other both claim "));
    gb_buf_release(&text);
}
END_TEST

/* Clients are told all but what only the engine needs. */
START_TEST(writes_what_clients_are_told)
{
    struct gb_language *language = NULL;
    struct gb_err err = {0};
    struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};

    ck_assert_int_eq(read_toy(",\"endings\":[\".toy\"],\"warm\":{\"pool\":[\"1\\n2\"]}",
                              GB_LANGUAGE_OF_FILE, &language, &err),
                     0);
    ck_assert_str_eq(language->warm.pool.list[0], "1\n2");
    gb_language_put(&out, language);
    ck_assert_str_eq(gb_buf_str(&text),
                     "{\"name\":\"toy\",\"title\":\"Toy\",\"endings\":[\".toy\"],"
                     "\"prompt\":{\"first\":\"> \",\"more\":\". \",\"indent\":\" \"},"
                     "\"notebook\":{\"kernel\":\"toy\",\"title\":\"Toy\"},"
                     "\"highlight\":{\"lexer\":\"words\"}}");
    gb_buf_release(&text);
    gb_language_unref(language);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("language");
    TCase *tests = tcase_create("language");

    tcase_add_test(tests, finds_what_is_meant);
    tcase_add_loop_test(tests, refuses_what_is_wrong, 0, ARRAY_SIZE(bad));
    tcase_add_test(tests, agrees_about_records);
    tcase_add_test(tests, needs_what_is_needed);
    tcase_add_loop_test(tests, claims_nothing_twice, 0, 4);
    tcase_add_test(tests, writes_what_clients_are_told);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
