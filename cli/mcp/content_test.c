/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/content.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct gb_json_doc answer, result;
static char *kept;
static struct gb_buf written;

static const struct gb_json *parse(struct gb_json_doc *doc, uint8_t *text, size_t size)
{
    ck_assert_int_eq(gb_json_parse(doc, text, size, SIZE_MAX, NULL), 0);
    return &doc->nodes[0];
}

static const struct gb_json *made(const char *tool, const struct tool_options *options,
                                  const char *json)
{
    struct gb_json_out out = {.buf = &written};

    free(kept);
    kept = strdup(json);
    gb_buf_clear(&written);
    gb_json_object(&out, NULL);
    content_write(&out, REVISION_2025_11_25, tools_find(gb_bytes_str(tool)), options,
                  parse(&answer, (uint8_t *)kept, strlen(kept)));
    gb_json_end(&out);
    return parse(&result, written.memory + written.start, written.size);
}

static const struct gb_json *member(const struct gb_json *value, const char *name)
{
    value = gb_json_member(value, name);
    ck_assert_ptr_nonnull(value);
    return value;
}

/* The text of the block at @index. */
static const char *block(const struct gb_json *value, size_t index)
{
    static char text[8192];
    const struct gb_json *list = member(value, "content"), *at = gb_json_first(list);

    ck_assert_uint_lt(index, list->count);
    while (index-- > 0)
        at = gb_json_next(at);
    at = member(at, "text");
    ck_assert_uint_lt(at->text.size, sizeof(text));
    memcpy(text, at->text.data, at->text.size);
    text[at->text.size] = '\0';
    return text;
}

static const struct tool_options standard = {.max_output = 1000};

START_TEST(a_cell_reads_well)
{
    const struct gb_json *value =
        made("exec", &standard,
             "{\"stdout\":\"a\",\"stderr\":\"b\\n\",\"value\":\"7\",\"exit_code\":3,\"wall_ms\":1,"
             "\"files\":[{\"path\":\"x\",\"change\":\"added\"},{\"path\":\"y\",\"change\":"
             "\"removed\"}]}");

    ck_assert_str_eq(block(value, 0), "a\n[stderr]\nb\n[value] 7\n[files] added x, removed y\n"
                                      "[exit code 3]\n");
    ck_assert(member(value, "isError")->truth);
    value = made("exec", &standard, "{\"stdout\":\"\",\"exit_code\":0}");
    ck_assert_str_eq(block(value, 0), "[no output]\n");
    ck_assert(!member(value, "isError")->truth);
}
END_TEST

START_TEST(the_middle_is_left_out)
{
    struct gb_buf text = {0};
    uint8_t long_text[3000];

    /* Characters of two bytes: none may be cut. */
    for (size_t i = 0; i < sizeof(long_text); i += 2)
        memcpy(long_text + i, "\xc3\xa4", 2);
    ck_assert_uint_eq(content_add_text(&text, (struct gb_bytes){long_text, 3000}, 101), 2900);
    ck_assert_uint_eq(strspn(gb_buf_str(&text), "\xc3\xa4"), 24);
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&text), "\n[... 2900 bytes left out ...]\n"));
    ck_assert_ptr_null(strstr(gb_buf_str(&text), "\\x"));
    gb_buf_clear(&text);
    ck_assert_uint_eq(content_add_text(&text, gb_bytes_str("\x1b[2Jx\xff"), 100), 0);
    ck_assert_str_eq(gb_buf_str(&text), "\\x1b[2Jx\\xff");
    gb_buf_release(&text);
}
END_TEST

START_TEST(displays_become_blocks)
{
    const struct gb_json *value = made(
        "exec", &standard,
        "{\"exit_code\":0,\"displays\":[{\"mime\":\"image/png\",\"base64\":\"AAAA\"},"
        "{\"mime\":\"text/html\",\"base64\":\"PGI+\"},{\"mime\":\"a/b\",\"base64\":\"AAAA\"}]}");
    const struct gb_json *list = member(value, "content"), *image;

    ck_assert_uint_eq(list->count, 4);
    image = gb_json_next(gb_json_first(list));
    ck_assert(gb_bytes_equal(member(image, "type")->text, "image"));
    ck_assert(gb_bytes_equal(member(image, "mimeType")->text, "image/png"));
    ck_assert(gb_bytes_equal(member(image, "data")->text, "AAAA"));
    ck_assert_str_eq(block(value, 2), "[display text/html, 3B]\n<b>");
    ck_assert_ptr_nonnull(strstr(block(value, 3), "is left out"));
}
END_TEST

START_TEST(pieces_of_files)
{
    struct tool_options options = {.path = "p", .offset = 4};
    /* The last character is not whole yet. */
    const struct gb_json *value =
        made("read_file", &options, "{\"base64\":\"YcOkww==\",\"size\":20,\"eof\":false}");

    ck_assert_str_eq(block(value, 0), "a\xc3\xa4\n[bytes 4 to 7 of 20; read on with offset=7]\n");
    value = made("read_file", &options, "{\"base64\":\"/w==\",\"size\":5,\"eof\":true}");
    ck_assert_str_eq(block(value, 0),
                     "[not text; in base64]\n/w==\n[bytes 4 to 5 of 5: the end]\n");
    ck_assert(gb_bytes_equal(member(member(value, "structuredContent"), "base64")->text, "/w=="));
}
END_TEST

START_TEST(failures_tell_whether_it_ran)
{
    const struct content_error error = {"outcome_unknown", "lost\x1b", true, false};
    struct gb_json_out out = {.buf = &written};
    const struct gb_json *value;

    free(kept);
    kept = strdup("{\"stdout\":\"so far\",\"cell\":2}");
    gb_buf_clear(&written);
    gb_json_object(&out, NULL);
    content_write_error(&out, REVISION_2025_11_25, tools_find(gb_bytes_str("exec")), &standard,
                        &error, parse(&answer, (uint8_t *)kept, strlen(kept)));
    gb_json_end(&out);
    value = parse(&result, written.memory + written.start, written.size);
    ck_assert(member(value, "isError")->truth);
    ck_assert_str_eq(block(value, 0), "lost\\x1b (outcome_unknown: the code may have run: look "
                                      "before you run it again)\nso far");
    value = member(value, "structuredContent");
    ck_assert(member(member(value, "error"), "dispatched")->truth);
    ck_assert(gb_bytes_equal(member(value, "stdout")->text, "so far"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("content");
    TCase *tests = tcase_create("content");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, a_cell_reads_well);
    tcase_add_test(tests, the_middle_is_left_out);
    tcase_add_test(tests, displays_become_blocks);
    tcase_add_test(tests, pieces_of_files);
    tcase_add_test(tests, failures_tell_whether_it_ran);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    gb_json_release(&answer);
    gb_json_release(&result);
    gb_buf_release(&written);
    free(kept);
    return failed > 0;
}
