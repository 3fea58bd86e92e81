/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/tools.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mcp/arguments.h"
#include "mcp/schema.h"

static struct gb_json_doc doc;
static char *kept;

static const struct gb_json *parse(const char *json)
{
    free(kept);
    kept = strdup(json);
    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)kept, strlen(kept), SIZE_MAX, NULL), 0);
    return &doc.nodes[0];
}

static const struct tool *tool_of(const char *name)
{
    const struct tool *tool = tools_find(gb_bytes_str(name));

    ck_assert_ptr_nonnull(tool);
    return tool;
}

/* What goes to the socket for these arguments. */
static void expect(const char *name, const char *arguments, const char *params)
{
    const struct tool_standards standards = {.owner = "o", .idle_ms = -1};
    struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};
    struct tool_options options;
    struct gb_err err = {0};

    gb_json_object(&out, NULL);
    ck_assert_msg(
        arguments_read(tool_of(name), parse(arguments), &standards, &out, &options, &err) == 0,
        "%s", err.message);
    gb_json_end(&out);
    ck_assert_str_eq(gb_buf_str(&text), params);
    gb_buf_release(&text);
}

static void refuse(const char *name, const char *arguments, enum gb_code code, const char *message)
{
    const struct tool_standards standards = {.owner = "o", .idle_ms = -1};
    struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};
    struct tool_options options;
    struct gb_err err = {0};

    gb_json_object(&out, NULL);
    ck_assert_int_eq(
        arguments_read(tool_of(name), parse(arguments), &standards, &out, &options, &err),
        -(int)code);
    ck_assert_str_eq(err.message, message);
    gb_buf_release(&text);
}

START_TEST(arguments_become_parameters)
{
    expect("exec", "{\"session\":\"s\",\"code\":\"a\\u0000b\",\"timeout_s\":0.0015,\"stdin\":null}",
           "{\"session\":\"s\",\"code\":\"a\\u0000b\",\"timeout_ms\":2}");
    expect("run_code", "{\"code\":\"1\",\"language\":\"bash\",\"env\":{\"A\\\"\":\"b\"}}",
           "{\"code\":\"1\",\"image\":\"bash\",\"env\":{\"A\\\"\":\"b\"},\"owner\":\"o\"}");
    expect("write_file", "{\"session\":\"s\",\"path\":\"p\",\"text\":\"\",\"executable\":true}",
           "{\"session\":\"s\",\"path\":\"p\",\"text\":\"\",\"mode\":493}");
    expect("write_file", "{\"session\":\"s\",\"path\":\"p\",\"executable\":false}",
           "{\"session\":\"s\",\"path\":\"p\"}");
    expect("read_file", "{\"session\":\"s\",\"path\":\"a.PNG\"}",
           "{\"session\":\"s\",\"path\":\"a.PNG\",\"length\":4194304}");
    expect("read_file", "{\"session\":\"s\",\"path\":\"a.png\",\"offset\":1}",
           "{\"session\":\"s\",\"path\":\"a.png\",\"offset\":1,\"length\":65536}");
    expect("read_file", "{\"session\":\"s\",\"path\":\".png\",\"length\":7}",
           "{\"session\":\"s\",\"path\":\".png\",\"length\":7}");
    expect("list_files", "{\"session\":\"s\"}", "{\"session\":\"s\",\"limit\":1000}");
    expect("list_sessions", "{}", "{\"owner\":\"o\"}");
    expect("undo", "{\"session\":\"s\"}", "{\"session\":\"s\",\"cells\":1}");
    expect("undo", "{\"session\":\"s\",\"steps\":-2}", "{\"session\":\"s\",\"cells\":-2}");
    expect("try", "{\"codes\":[\"a\",\"b\"],\"session\":\"s\",\"timeout_s\":2}",
           "{\"count\":2,\"session\":\"s\",\"bound\":true}");
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    refuse("exec", "[]", GB_EINVALID, "arguments must be an object, and is an array");
    refuse("exec", "{}", GB_EINVALID, "exec needs the argument session");
    refuse("exec", "{\"session\":\"\"}", GB_EINVALID, "session must not be empty");
    refuse("exec", "{\"session\":\"a\\u0000\"}", GB_EINVALID, "session must not contain a NUL");
    refuse("exec", "{\"session\":\"a\",\"session\":\"b\"}", GB_EINVALID, "session is given twice");
    refuse("interrupt", "{\"code\":1}", GB_EINVALID,
           "interrupt has no argument \"code\"; it takes session");
    refuse("list_sessions", "{\"x\":1}", GB_EINVALID,
           "list_sessions has no argument \"x\"; it takes none");
    refuse("exec", "{\"mode\":\"fast\"}", GB_EINVALID,
           "mode must be one of: kernel, process, shell");
    refuse("exec", "{\"timeout_s\":0}", GB_EINVALID, "timeout_s must be between 0.001 and 86400");
    refuse("exec", "{\"max_output\":1000.5}", GB_EINVALID, "max_output must be an integer");
    refuse("exec", "{\"env\":{\"A\":1}}", GB_EINVALID,
           "the values of env must be strings, and one is a number");
    refuse("write_file", "{\"executable\":1}", GB_EINVALID,
           "executable must be true or false, and is a number");
    refuse("try", "{\"codes\":[]}", GB_EINVALID, "codes must have 1 to 8 elements, and has 0");
    refuse("try", "{\"codes\":[\"a\",2]}", GB_EINVALID,
           "codes must be strings, and one is a number");
    refuse("try", "{\"codes\":\"a\"}", GB_EINVALID, "codes must be an array, and is a string");
    refuse("list_files", "{\"limit\":10001}", GB_EINVALID, "limit must be between 1 and 10000");
}
END_TEST

START_TEST(standards_fill_gaps)
{
    const struct tool_standards standards = {
        .image = "shell", .owner = "me", .memory_mb = 128, .idle_ms = 0};
    struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};
    struct tool_options options;

    gb_json_object(&out, NULL);
    ck_assert_int_eq(
        arguments_read(tool_of("open_session"), NULL, &standards, &out, &options, NULL), 0);
    gb_json_end(&out);
    ck_assert_str_eq(gb_buf_str(&text),
                     "{\"image\":\"shell\",\"memory_mb\":128,\"idle_ms\":0,\"owner\":\"me\","
                     "\"checkpoints\":\"cell\"}");
    gb_buf_clear(&text);
    out = (struct gb_json_out){.buf = &text};
    gb_json_object(&out, NULL);
    ck_assert_int_eq(arguments_read(tool_of("open_session"),
                                    parse("{\"language\":\"js\",\"idle_s\":1}"), &standards, &out,
                                    &options, NULL),
                     0);
    gb_json_end(&out);
    ck_assert_str_eq(gb_buf_str(&text), "{\"image\":\"js\",\"idle_ms\":1000,"
                                        "\"memory_mb\":128,\"owner\":\"me\","
                                        "\"checkpoints\":\"cell\"}");
    gb_buf_release(&text);
}
END_TEST

/* Page after page, every tool once, and nothing that the revision does not know. */
START_TEST(pages)
{
    size_t start = 0, seen = 0;

    for (;;) {
        struct gb_buf text = {0};
        struct gb_json_out out = {.buf = &text};
        const struct gb_json *root, *list, *cursor;

        gb_json_object(&out, NULL);
        schema_write_tools(&out, &(struct schema_world){.revision = REVISION_2025_06_18}, start, 4);
        gb_json_end(&out);
        root = parse(gb_buf_str(&text));
        gb_buf_release(&text);
        list = gb_json_member(root, "tools");
        ck_assert_uint_le(list->count, 4);
        ck_assert(
            gb_bytes_equal(gb_json_member(gb_json_first(list), "name")->text, tools[seen].name));
        seen += list->count;
        cursor = gb_json_member(root, "nextCursor");
        if (cursor == NULL)
            break;
        start = strtoul((const char *)cursor->text.data, NULL, 10);
        ck_assert_uint_eq(start, seen);
    }
    ck_assert_uint_eq(seen, tools_count());
}
END_TEST

static void expect_description(const struct gb_languages *languages, const char *end)
{
    const char *const path[] = {"inputSchema", "properties", "language", "description"};
    struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};
    const struct gb_json *at;

    gb_json_object(&out, NULL);
    schema_write_tools(
        &out, &(struct schema_world){.revision = REVISION_2025_06_18, .languages = languages}, 0,
        1);
    gb_json_end(&out);
    at = gb_json_first(gb_json_member(parse(gb_buf_str(&text)), "tools"));
    for (size_t i = 0; i < ARRAY_SIZE(path); i++)
        at = gb_json_member(at, path[i]);
    ck_assert_uint_ge(at->text.size, strlen(end));
    ck_assert_mem_eq(at->text.data + at->text.size - strlen(end), end, strlen(end));
    gb_buf_release(&text);
}

START_TEST(languages_are_those_of_the_images)
{
    struct gb_language lua = {.name = (char[]){"lua"}}, ruby = {.name = (char[]){"ruby"}};
    const struct gb_languages two = {{&lua, &ruby}, 2}, none = {{NULL}, 0};

    expect_description(&two, "another image. Its languages: lua, ruby");
    expect_description(&none, "another image");
    expect_description(NULL, "another image");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tools");
    TCase *tests = tcase_create("tools");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, arguments_become_parameters);
    tcase_add_test(tests, what_is_wrong_is_said);
    tcase_add_test(tests, standards_fill_gaps);
    tcase_add_test(tests, pages);
    tcase_add_test(tests, languages_are_those_of_the_images);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    gb_json_release(&doc);
    free(kept);
    return failed > 0;
}
