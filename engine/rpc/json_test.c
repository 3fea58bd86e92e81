/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/json.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "rpc/base64.h"

#include <stdlib.h>
#include <string.h>

#include "check_run.h"
static struct gb_json_doc doc;
static struct gb_err err;
static char line[4096];

static int parse(const char *text)
{
    size_t size = strlen(text);

    ck_assert_uint_lt(size, sizeof(line));
    memcpy(line, text, size);
    err = (struct gb_err){0};
    return gb_json_parse(&doc, (uint8_t *)line, size, 100, &err);
}

START_TEST(shape)
{
    const struct gb_json *list, *child;
    int64_t number;

    ck_assert_int_eq(parse(" {\"a\": [1, {\"b\": []}, \"x\"], \"c\": true, \"d\": null} "), 0);
    ck_assert_uint_eq(doc.nodes[0].count, 3);
    ck_assert_uint_eq(doc.nodes[0].span, doc.count);
    list = gb_json_member(doc.nodes, "a");
    ck_assert_uint_eq(list->count, 3);
    ck_assert_uint_eq(list->span, 5);
    child = gb_json_first(list);
    ck_assert(gb_json_integer(child, &number));
    ck_assert_int_eq(number, 1);
    child = gb_json_next(gb_json_next(child));
    ck_assert(gb_bytes_equal(child->text, "x"));
    ck_assert(gb_json_member(doc.nodes, "c")->truth);
    ck_assert_int_eq(gb_json_member(doc.nodes, "d")->type, GB_JSON_NULL);
    ck_assert_ptr_null(gb_json_member(doc.nodes, "b"));
    ck_assert_ptr_null(gb_json_member(list, "a"));
    ck_assert_int_eq(parse("\"\""), 0);
    ck_assert_ptr_nonnull(doc.nodes[0].text.data);
}
END_TEST

START_TEST(strings)
{
    static const char want[] = "a\"\\/\b\f\n\r\t\0\xc3\xa4\xf0\x9f\x98\x80z and more than eight";

    ck_assert_int_eq(
        parse("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e4\\ud83d\\ude00z and more than "
              "eight\""),
        0);
    ck_assert_uint_eq(doc.nodes[0].text.size, sizeof(want) - 1);
    ck_assert_mem_eq(doc.nodes[0].text.data, want, sizeof(want) - 1);
}
END_TEST

static const char *const bad[] = {
    "",
    " ",
    "{",
    "[",
    "}",
    "{]",
    "[}",
    "[1,]",
    "{\"a\":1,}",
    "{,}",
    "[,1]",
    "{\"a\"}",
    "{\"a\":}",
    "{a:1}",
    "1 2",
    "01",
    "-",
    "1.",
    ".5",
    "+1",
    "1e",
    "1e+",
    "0x10",
    "NaN",
    "tru",
    "nul",
    "\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\ud800\"",
    "\"\\ud800\\u0041\"",
    "\"\\udc00\"",
    "\"a\nb\"",
    "\"\xff\"",
    "\"\xc0\xaf\"",
    "\"\xed\xa0\x80\"",
    "\"\xe2\x82\"",
    "\"\\",
    "[1}",
    "{}x",
    "\"12345678\x01\"",
    "11111111111111111111111111111111111111111111111111111111111111111111",
};

START_TEST(refused)
{
    ck_assert_int_eq(parse(bad[_i]), -GB_EINVALID);
    ck_assert_str_ne(err.message, "");
}
END_TEST

START_TEST(depth_and_count)
{
    char text[200] = "";

    memset(text, '[', GB_JSON_DEPTH_MAX);
    memset(text + GB_JSON_DEPTH_MAX, ']', GB_JSON_DEPTH_MAX);
    ck_assert_int_eq(parse(text), 0);
    memset(text, '[', GB_JSON_DEPTH_MAX + 1);
    memset(text + GB_JSON_DEPTH_MAX + 1, ']', GB_JSON_DEPTH_MAX + 1);
    ck_assert_int_eq(parse(text), -GB_EINVALID);
    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)memcpy(line, "[1,2,3]", 8), 7, 3, &err),
                     -GB_ETOOLARGE);
    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)memcpy(line, "[1,2,3]", 8), 7, 4, &err), 0);
}
END_TEST

START_TEST(integers)
{
    static const struct {
        const char *text;
        bool integral;
        int64_t value;
    } cases[] = {
        {"0", true, 0},      {"-7", true, -7},
        {"1e3", true, 1000}, {"2.0", true, 2},
        {"1.5", false, 0},   {"1e300", false, 0},
        {"\"1\"", false, 0}, {"9007199254740992", true, 9007199254740992},
        {"true", false, 0},  {"9007199254740994", false, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t value = 0;

        ck_assert_int_eq(parse(cases[i].text), 0);
        ck_assert_int_eq(gb_json_integer(doc.nodes, &value), cases[i].integral);
        ck_assert_int_eq(value, cases[i].value);
    }
}
END_TEST

START_TEST(written)
{
    struct gb_buf buf = {0};
    struct gb_json_out out = {.buf = &buf};

    gb_json_object(&out, NULL);
    gb_json_put(&out, "s", (struct gb_bytes){(const uint8_t *)"\"\\\n\0\x1b\xc3\xa4\xff", 8});
    gb_json_put_str(&out, "none", NULL);
    gb_json_array(&out, "list");
    gb_json_put_i64(&out, NULL, -1);
    gb_json_put_bool(&out, NULL, true);
    gb_json_object(&out, NULL);
    gb_json_end(&out);
    gb_json_end(&out);
    gb_json_put_ms(&out, "ms", 1234567890);
    gb_json_put_seconds(&out, "at", 1234567890);
    gb_json_put_bytes(&out, "text", "base64", gb_bytes_str("\xff"));
    gb_json_end(&out);
    ck_assert_str_eq(gb_buf_str(&buf),
                     "{\"s\":\"\\\"\\\\\\n\\u0000\\u001b\xc3\xa4\xef\xbf\xbd\",\"none\":null,"
                     "\"list\":[-1,true,{}],\"ms\":1234.567,\"at\":1.234567,\"base64\":\"/w==\"}");
    gb_buf_release(&buf);
}
END_TEST

/* A character that lies across the blocks in which the writer works comes out whole. */
START_TEST(written_across_blocks)
{
    for (size_t before = 4090; before < 4100; before++) {
        struct gb_buf text = {0}, buf = {0};
        struct gb_json_out out = {.buf = &buf};

        for (size_t i = 0; i < before; i++)
            gb_buf_add_u8(&text, 'x');
        gb_buf_adds(&text, "\xf0\x9f\x98\x80!");
        gb_json_put(&out, NULL, gb_buf_bytes(&text));
        ck_assert_int_eq(gb_json_parse(&doc, buf.memory, buf.size, 1, NULL), 0);
        ck_assert_uint_eq(doc.nodes[0].text.size, text.size);
        ck_assert_mem_eq(doc.nodes[0].text.data, gb_buf_data(&text), text.size);
        gb_buf_release(&text);
        gb_buf_release(&buf);
    }
}
END_TEST

/* Bytes go out in the shorter of their two forms, and are the same bytes in both: never more than
 * base64 takes, and text wherever that is no longer. */
START_TEST(the_shorter_form)
{
    static const struct {
        const char *unit;
        bool text;
    } cases[] = {
        {"plain text\n", true},
        {"\xc3\xa4\xe2\x82\xac", true},
        {"\x01", false},
        {"\n\"\n\\", false},
        {"\xff", false},
        {"x\xc3", false},
        {"\x1b[1mbold\n", false},
        {"\b\f\v\r\t", false},
        {"\x7f", false},
        {"a \"word\"\t", true},
        {"\x1b[1mbold and more\x1b[0m and the rest as usual\n", true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t times = 0; times < 40; times++) {
            struct gb_buf bytes = {0}, buf = {0}, text = {0}, base64 = {0}, back = {0};
            struct gb_json_out out = {.buf = &buf}, as_text = {.buf = &text};
            const struct gb_json *member;

            for (size_t j = 0; j < times; j++)
                gb_buf_adds(&bytes, cases[i].unit);
            gb_json_put(&as_text, NULL, gb_buf_bytes(&bytes));
            gb_base64_encode(&base64, gb_buf_bytes(&bytes));
            gb_json_object(&out, NULL);
            gb_json_put_bytes(&out, "t", "b", gb_buf_bytes(&bytes));
            gb_json_end(&out);
            ck_assert_uint_le(buf.size, strlen("{'t':''}") + base64.size);
            ck_assert_int_eq(gb_json_parse(&doc, buf.memory, buf.size, 10, NULL), 0);
            member = gb_json_member(doc.nodes, "t");
            if (times >= 8) /* of a few bytes the padding decides */
                ck_assert_int_eq(member != NULL, cases[i].text);
            if (gb_utf8_valid(gb_buf_bytes(&bytes)))
                ck_assert_int_eq(member != NULL, text.size - 2 <= base64.size);
            if (member != NULL) {
                gb_buf_add(&back, member->text.data, member->text.size);
            } else {
                member = gb_json_member(doc.nodes, "b");
                gb_buf_commit(&back, (size_t)gb_base64_decode(
                                         member->text,
                                         gb_buf_reserve(&back, member->text.size + 1, SIZE_MAX)));
            }
            ck_assert_uint_eq(back.size, bytes.size);
            ck_assert_mem_eq(gb_buf_data(&back), gb_buf_data(&bytes), bytes.size);
            gb_buf_release(&bytes);
            gb_buf_release(&buf);
            gb_buf_release(&text);
            gb_buf_release(&base64);
            gb_buf_release(&back);
        }
}
END_TEST

START_TEST(base64)
{
    static const char *const pairs[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
    static const char *const wrong[] = {
        "A",    "AA",   "AAA",      "A===",   "====", "AB==", "AAB=",
        "A=AA", "AA=A", "AAAA====", "Zm9v\n", " Zm9", "Zm-_"};
    uint8_t place[32];

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        struct gb_buf buf = {0};

        gb_base64_encode(&buf, gb_bytes_str(pairs[i][0]));
        ck_assert_str_eq(gb_buf_str(&buf), pairs[i][1]);
        ck_assert_int_eq(gb_base64_decode(gb_bytes_str(pairs[i][1]), place),
                         (int)strlen(pairs[i][0]));
        ck_assert_mem_eq(place, pairs[i][0], strlen(pairs[i][0]));
        gb_buf_release(&buf);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        ck_assert_int_eq(gb_base64_decode(gb_bytes_str(wrong[i]), place), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tests = tcase_create("json");
    int failed;

    tcase_add_test(tests, shape);
    tcase_add_test(tests, strings);
    tcase_add_loop_test(tests, refused, 0, ARRAY_SIZE(bad));
    tcase_add_test(tests, depth_and_count);
    tcase_add_test(tests, integers);
    tcase_add_test(tests, written);
    tcase_add_test(tests, written_across_blocks);
    tcase_add_test(tests, the_shorter_form);
    tcase_add_test(tests, base64);
    suite_add_tcase(suite, tests);
    failed = check_run(suite);
    gb_json_release(&doc);
    return failed;
}
