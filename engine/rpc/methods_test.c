/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/methods.h"

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_page.h"
#include "check_run.h"
static struct gb_json_doc doc;
static struct gb_params params;
static struct gb_err err;
static char line[65536];

static int read_params(const char *name, const char *text)
{
    const struct gb_method *method = gb_method_find(gb_bytes_str(name));

    size_t size = strlen(text);

    memcpy(line, text, size);
    err = (struct gb_err){0};
    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)line, size, 4096, &err), 0);
    ck_assert_ptr_nonnull(method);
    return gb_params_read(method, doc.nodes, &params, &err);
}

START_TEST(standards)
{
    ck_assert_int_eq(read_params("session.exec", "{\"session\":\"s\",\"code\":\"1\"}"), 0);
    ck_assert(gb_bytes_equal(params.session, "s"));
    ck_assert_int_eq(params.mode, 0);
    ck_assert_int_eq(params.max_stdout, 0); /* not said */
    ck_assert_ptr_null(params.standard_input.data);
    ck_assert_ptr_null(params.env);
    ck_assert(!params.stream);
    ck_assert_int_eq(read_params("file.write", "{\"session\":\"s\",\"path\":\"p\",\"text\":\"\"}"),
                     0);
    ck_assert(params.final);
    ck_assert_ptr_nonnull(params.text.data);
}
END_TEST

START_TEST(values)
{
    ck_assert_int_eq(read_params("session.exec",
                                 "{\"session\":\"s\",\"code\":\"a\\u0000b\",\"mode\":\"shell\","
                                 "\"timeout_ms\":2e3,\"env\":{\"A\":\"b\"},\"stream\":true,"
                                 "\"stdin\":null}"),
                     0);
    ck_assert_uint_eq(params.code.size, 3);
    ck_assert_int_eq(params.mode, 2);
    ck_assert_int_eq(params.timeout_ms, 2000);
    ck_assert_uint_eq(params.env->count, 1);
    ck_assert(params.stream);
    ck_assert_ptr_null(params.standard_input.data);
    ck_assert_int_eq(
        read_params("file.write", "{\"session\":\"s\",\"path\":\"p\",\"base64\":\"AAEC/w==\"}"), 0);
    ck_assert_uint_eq(params.text.size, 4);
    ck_assert_mem_eq(params.text.data, "\0\1\2\xff", 4);
}
END_TEST

/* Every method that takes a path takes its bytes too. */
START_TEST(paths_of_any_bytes)
{
    static const char *const methods[] = {
        "file.write", "file.read", "file.list", "file.stat", "file.remove", "file.mkdir",
    };

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        const char *text = strcmp(methods[i], "file.write") == 0 ? ",\"text\":\"\"" : "";
        char given[128];

        (void)snprintf(given, sizeof(given),
                       "{\"session\":\"s\",\"path_base64\":\"Yf9i\",\"path\":null%s}", text);
        ck_assert_int_eq(read_params(methods[i], given), 0);
        ck_assert_uint_eq(params.path.size, 3);
        ck_assert_mem_eq(params.path.data, "a\xff\x62", 3);
    }
    ck_assert_int_eq(read_params("file.list", "{\"session\":\"s\",\"next\":\"/w==\"}"), 0);
    ck_assert_uint_eq(params.after.size, 1);
    ck_assert_uint_eq(params.after.data[0], 0xff);
    ck_assert_ptr_null(params.path.data);
}
END_TEST

static const struct {
    const char *method;
    const char *params, *says;
} refusals[] = {
    {"session.lease", "{\"session\":\"s\"}", "session.lease needs the parameter action"},
    {"session.lease", "{\"session\":\"s\",\"action\":null}", "needs the parameter action"},
    {"session.lease", "{\"session\":\"s\",\"action\":\"give\"}", "take, release, hand_over"},
    {"file.write", "{\"session\":\"s\",\"path\":\"p\"}", "needs the parameter text or base64"},
    {"file.write", "{\"session\":\"s\",\"path\":\"p\",\"text\":\"\",\"base64\":\"\"}",
     "and not both"},
    {"session.stdin", "{\"session\":\"s\",\"base64\":\"\",\"text\":\"\"}", "and not both"},
    {"session.stdin", "{\"session\":\"s\",\"base64\":\"?\"}", "base64 is not base64"},
    {"hello", "[]", "params must be an object"},
    {"hello", "{\"color\":1}", "hello has no parameter \"color\""},
    {"hello", "{\"protocol\":1,\"protocol\":1}", "protocol is given twice"},
    {"hello", "{\"protocol\":\"1\"}", "protocol must be an integer, and is a string"},
    {"hello", "{\"protocol\":1.5}", "protocol must be an integer, and is 1.5"},
    {"session.get", "{}", "session.get needs the parameter session"},
    {"session.get", "{\"session\":null}", "session.get needs the parameter session"},
    {"session.get", "{\"session\":\"\"}", "session must not be empty"},
    {"session.get", "{\"session\":\"a\\u0000\"}", "session must not contain a NUL"},
    {"session.get", "{\"session\":7}", "session must be a string, and is a number"},
    {"session.exec", "{\"session\":\"s\",\"code\":\"1\",\"timeout_ms\":-1}",
     "timeout_ms must be between 0 and 86400000, and is -1"},
    {"session.exec", "{\"session\":\"s\",\"code\":\"1\",\"mode\":\"x\"}",
     "mode must be one of: kernel, process, shell"},
    {"session.exec", "{\"session\":\"s\",\"code\":\"1\",\"env\":{\"A\":1}}",
     "the values of env must be strings, and one is a number"},
    {"session.exec", "{\"session\":\"s\",\"code\":\"1\",\"stream\":1}",
     "stream must be true or false, and is a number"},
    {"session.open", "{\"memory_mb\":63}", "memory_mb must be between 64"},
    {"file.write", "{\"session\":\"s\",\"path\":\"p\",\"base64\":\"A\"}", "base64 is not base64"},
    {"file.read", "{\"session\":\"s\"}", "file.read needs the parameter path or path_base64"},
    {"file.stat", "{\"session\":\"s\",\"path\":\"\",\"path_base64\":\"/w==\"}",
     "give path or path_base64, and not both"},
    {"file.stat", "{\"session\":\"s\",\"path_base64\":\"/w==\",\"path\":\"p\"}",
     "give path_base64 or path, and not both"},
    {"file.remove", "{\"session\":\"s\",\"path_base64\":\"/w=\"}", "path_base64 is not base64"},
    {"file.list", "{\"session\":\"s\",\"after\":\"a\",\"next\":\"/w==\"}",
     "give after or next, and not both"},
};

START_TEST(refused)
{
    ck_assert_int_eq(read_params(refusals[_i].method, refusals[_i].params), -GB_EINVALID);
    ck_assert_msg(strstr(err.message, refusals[_i].says) != NULL, "%s", err.message);
}
END_TEST

START_TEST(over_a_limit)
{
    char text[300];
    int n = snprintf(text, sizeof(text), "{\"session\":\"%0*d\"}", GB_NAME_MAX + 1, 0);

    ck_assert_int_lt(n, (int)sizeof(text));
    ck_assert_int_eq(read_params("session.get", text), -GB_ETOOLARGE);
}
END_TEST

START_TEST(table)
{
    const struct gb_method *method;

    for (size_t i = 0; (method = gb_method_at(i)) != NULL; i++) {
        ck_assert_ptr_nonnull(method->name);
        ck_assert_ptr_nonnull(method->doc);
        ck_assert_ptr_eq(gb_method_find(gb_bytes_str(method->name)), method);
        /* What the reader keeps: a bit for each parameter. */
        ck_assert_uint_lt(method->param_count, 64);
    }
    ck_assert_ptr_null(gb_method_find(gb_bytes_str("no.such")));
}
END_TEST

/* Whose answer holds as many bytes as were asked for. */
static bool reads_piece(const struct gb_method *method)
{
    return strcmp(method->name, "file.read") == 0 ||
           strcmp(method->name, "terminal.recording") == 0;
}

/* What a row says beside its parameters. */
START_TEST(properties)
{
    const struct gb_method *method;

    for (size_t i = 0; (method = gb_method_at(i)) != NULL; i++) {
        bool runs = strcmp(method->name, "run") == 0 || strcmp(method->name, "session.exec") == 0 ||
                    strcmp(method->name, "session.terminal") == 0;

        ck_assert_msg(method->runs_code == runs, "%s", method->name);
        /* Of code whose answer is lost the outcome is unknown, and of nothing else. */
        ck_assert_msg(gb_method_may_fail(method, GB_EUNKNOWN) == runs, "%s", method->name);
        ck_assert_msg(gb_method_may_fail(method, GB_EINVALID), "%s", method->name);
        ck_assert_msg((method->errors & GB_METHOD_ERRORS) == 0, "%s", method->name);
        params = (struct gb_params){.length = 1000};
        ck_assert_uint_eq(gb_method_cost(method, 7, &params), reads_piece(method) ? 1007 : 7);
    }
}
END_TEST

START_TEST(pages_are_fresh)
{
    check_page("protocol.md", gb_methods_markdown);
    check_page("errors.md", gb_errors_markdown);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("methods");
    TCase *tests = tcase_create("methods");
    int failed;

    tcase_add_test(tests, standards);
    tcase_add_test(tests, values);
    tcase_add_test(tests, paths_of_any_bytes);
    tcase_add_loop_test(tests, refused, 0, ARRAY_SIZE(refusals));
    tcase_add_test(tests, over_a_limit);
    tcase_add_test(tests, table);
    tcase_add_test(tests, properties);
    tcase_add_test(tests, pages_are_fresh);
    suite_add_tcase(suite, tests);
    failed = check_run(suite);
    gb_json_release(&doc);
    return failed;
}
