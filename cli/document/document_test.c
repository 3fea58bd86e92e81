/* SPDX-License-Identifier: Apache-2.0 */
#include "document/document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"
#include "document/internal.h"
#include "language/testing.h"
#include "rpc/object.h"
#include "show/cell.h"

/* A session with three cells: plain, in the shell with bytes that are no text and a figure, and one
 * with a value. */
static const char history[] =
    "{\"session\":{\"session\":\"s1\",\"label\":\"wo*rk\",\"language\":\"python\","
    "\"created_at\":1699999999},\"cells\":["
    "{\"cell\":1,\"code\":\"x = "
    "41\\nprint()\",\"stdout\":\"a\\u001b[31mb\\u001b[2J\",\"exit_code\":"
    "0,\"pace\":[[2,\"stdout\",3],[1e999,\"stdout\",1],[4.5,\"stderr\",9],7,[5,\"stdout\",3]],"
    "\"started_at\":1700000000,\"wall_ms\":12.5},"
    "{\"cell\":2,\"mode\":\"shell\",\"code\":\"```\",\"stdout\":\"\",\"stderr_base64\":\"/w==\","
    "\"displays\":[{\"mime\":\"image/"
    "png\",\"base64\":\"AAAA\"}],\"exit_code\":2,\"timed_out\":true,"
    "\"started_at\":1699999000,\"wall_ms\":2000},"
    "{\"cell\":3,\"code\":\"x\",\"value\":\"41\",\"exit_code\":0,\"started_at\":1700000005,"
    "\"wall_ms\":1}]}";

static struct gb_json_doc parsed;
static char *kept;
static struct gb_languages languages;

static const struct gb_json *json_at(size_t index)
{
    const struct gb_json *cells = gb_json_member(&parsed.nodes[0], "cells");
    const struct gb_json *cell = gb_json_first(cells);

    while (index-- > 0)
        cell = gb_json_next(cell);
    return cell;
}

static const struct gb_cell_info *cell_at(size_t index)
{
    static struct gb_cell_info cell;

    ck_assert_int_eq(gb_object_read(&gb_cell_object, json_at(index), &cell, NULL), 0);
    return &cell;
}

static void setup(void)
{
    languages_of_workers(&languages);
    kept = strdup(history);
    ck_assert_int_eq(gb_json_parse(&parsed, (uint8_t *)kept, strlen(kept), SIZE_MAX, NULL), 0);
}

static void teardown(void)
{
    gb_json_release(&parsed);
    parsed = (struct gb_json_doc){0};
    free(kept);
    gb_languages_release(&languages);
}

/* As the verb does it: the buffer is emptied after each cell. */
static char *document_of(enum document_format format)
{
    struct gb_buf out = {0}, all = {0};
    struct document document;

    document_begin(&document, format, &out, gb_json_member(&parsed.nodes[0], "session"),
                   &languages);
    for (size_t i = 0; i < 3; i++) {
        document_cell(&document, cell_at(i), json_at(i));
        gb_buf_add(&all, gb_buf_data(&out), out.size);
        gb_buf_clear(&out);
    }
    document_end(&document);
    gb_buf_add(&all, gb_buf_data(&out), out.size);
    gb_buf_release(&out);
    return gb_buf_take_str(&all);
}

START_TEST(formats_have_names)
{
    ck_assert_int_eq(document_find("ipynb"), DOCUMENT_IPYNB);
    ck_assert_int_eq(document_find("json"), DOCUMENT_JSON);
    ck_assert_int_eq(document_find("pdf"), DOCUMENT_FORMAT_COUNT);
}
END_TEST

START_TEST(a_notebook)
{
    char *text = document_of(DOCUMENT_IPYNB);
    struct gb_json_doc doc = {0};
    const struct gb_json *cells, *cell;

    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)text, strlen(text), SIZE_MAX, NULL), 0);
    cells = gb_json_member(&doc.nodes[0], "cells");
    ck_assert_uint_eq(cells->count, 3);
    cell = gb_json_next(gb_json_first(cells));
    ck_assert(gb_bytes_equal(gb_json_member(cell, "source")->text, "%%bash\n```"));
    ck_assert(gb_bytes_equal(gb_json_member(cell, "id")->text, "cell-2"));
    ck_assert_uint_eq(gb_json_member(cell, "outputs")->count, 3); /* stderr, figure, error */
    gb_json_release(&doc);
    free(text);
}
END_TEST

START_TEST(a_script)
{
    char *text = document_of(DOCUMENT_PY);

    ck_assert_str_eq(text, "# wo*rk: a session of Glassbell\n\n"
                           "# %% [1], 2023-11-14 22:13:20 UTC, 12 ms\nx = 41\nprint()\n\n"
                           "# %% [2], shell, 2023-11-14 21:56:40 UTC, 2.00 s, timed out, exit 2\n"
                           "# !```\n\n"
                           "# %% [3], 2023-11-14 22:13:25 UTC, 1.0 ms\nx\n");
    free(text);
}
END_TEST

static void check_python(const char *code, const char *expected, bool whole)
{
    struct gb_buf out = {0};

    ck_assert_int_eq(add_python(&out, gb_bytes_str(code)), whole);
    ck_assert_str_eq(gb_buf_str(&out), expected);
    gb_buf_release(&out);
}

/* What stands in a script means what it meant, and is what it looks like. */
START_TEST(a_script_hides_nothing)
{
    check_python("x = 1 # a\u202eb\ny = 'é'\n", "x = 1 # a\\u202eb\ny = 'é'\n", true);
    check_python("x = 'a\u202eb' + \"c\u2066\"", "x = 'a\\u202eb' + \"c\\u2066\"", true);
    check_python("'''a'\u200b\n#\u200b'''\n#\U000e0041", "'''a'\\u200b\n#\\u200b'''\n#\\U000e0041",
                 true);
    check_python("b'\x1b[2J'", "b'\\x1b[2J'", true);
    check_python("'#\u202e' # '\u202e", "'#\\u202e' # '\\u202e", true);
    check_python("'\\'\u202e'", "'\\'\\u202e'", true);
    /* The carriage return ends the comment, and the next line is code. */
    check_python("# fine\revil()\r\nx", "# fine\nevil()\nx", true);
    /* No other spelling means the same. */
    check_python("r'a\u202eb'", "r'a\u202eb'", false);
    check_python("Rb'\x1b'", "Rb'\x1b'", false);
    check_python("f'{x}\u202e'", "f'{x}\u202e'", false);
    check_python("'\\\u202e'", "'\\\u202e'", false);
    check_python("x\u200d = 1", "x\u200d = 1", false);
    check_python("chr'\u202e'", "chr'\\u202e'", true); /* no prefix: a name */
    check_python("'👩\u200d🚀'", "'👩\u200d🚀'", true);
}
END_TEST

START_TEST(markdown)
{
    char *text = document_of(DOCUMENT_MD);

    ck_assert_ptr_nonnull(strstr(text, "# wo\\*rk\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n```text\nab\\x1b[2J\n```\n")); /* no colours */
    ck_assert_ptr_nonnull(strstr(text, "\n````shell\n```\n````\n"));     /* a longer fence */
    ck_assert_ptr_nonnull(strstr(text, "![figure](data:image/png;base64,AAAA)"));
    ck_assert_ptr_nonnull(strstr(text, "\n```value\n41\n```\n"));
    free(text);
}
END_TEST

/* Times never go back, even when a clock did; what programs print does no more than a terminal may
 * be told. */
START_TEST(a_recording)
{
    static const double played[] = {0.002, 0.005, 0.0125};
    char *text = document_of(DOCUMENT_ASCIICAST), *line, *rest = NULL;
    double last = -1;
    size_t events = 0;

    line = strtok_r(text, "\n", &rest);
    ck_assert_ptr_nonnull(strstr(line, "\"version\":2"));
    ck_assert_ptr_nonnull(strstr(line, "\"timestamp\":1700000000"));
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        double at = strtod(line + 1, NULL);

        ck_assert(line[0] == '[' && at >= last);
        ck_assert_ptr_null(strstr(line, "\\u001b[2J"));
        if (events >= 1 && events <= 3) /* as the pace says, and what is left over at the end */
            ck_assert_msg(fabs(at - played[events - 1]) < 1e-5, "%s", line);
        last = at;
        events++;
    }
    ck_assert_uint_eq(events, 10);
    ck_assert(last > 5 && last < 5.1);
    free(text);
}
END_TEST

START_TEST(the_log)
{
    struct gb_buf out = {0};
    struct show_target to = {.out = &out};
    struct show show = {.ours = &to,
                        .streams = {&to, &to},
                        .languages = &languages,
                        .head = true,
                        .code = true,
                        .output = true};

    setenv("TZ", "UTC", 1);
    show_cell(&show, cell_at(0), gb_bytes_str("python"));
    ck_assert_str_eq(gb_buf_str(&out), "[1]  2023-11-14 22:13:20\n>>> x = 41\n... print()\n"
                                       "ab\\x1b[2J\n[12 ms]\n\n");
    gb_buf_clear(&out);
    show_cell(&show, cell_at(1), gb_bytes_str("python"));
    ck_assert_str_eq(gb_buf_str(&out), "[2]  2023-11-14 21:56:40  shell\n$ ```\n\\xff\n"
                                       "[display image/png, 3B]\n"
                                       "[2.00 s, timed out, exit 2]\n\n");
    gb_buf_clear(&out);
    to.colour = true;
    show_cell(&show, cell_at(0), gb_bytes_str("python"));
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&out), "a\x1b[31mb\\x1b[2J\x1b[0m\n"));
    gb_buf_clear(&out);
    to = (struct show_target){.out = &out, .exact = true};
    show = (struct show){.ours = &to, .streams = {&to, &to}, .output = true};
    show_cell(&show, cell_at(0), gb_bytes_str("python"));
    ck_assert_str_eq(gb_buf_str(&out), "a\x1b[31mb\x1b[2J");
    gb_buf_clear(&out);
    show = (struct show){.ours = &to, .streams = {&to, &to}, .code = true};
    show_cell(&show, cell_at(0), gb_bytes_str("python"));
    ck_assert_str_eq(gb_buf_str(&out), "x = 41\nprint()\n");
    gb_buf_release(&out);
}
END_TEST

/* What the journal has lost is told as lost, and not as a cell without code that went well. */
START_TEST(lost_parts)
{
    static const char lost[] =
        "{\"session\":{\"session\":\"s1\",\"language\":\"python\"},\"cells\":["
        "{\"cell\":1,\"code\":null,\"code_lost\":true,\"stdout\":\"a\",\"exit_code\":0,"
        "\"started_at\":1700000000,\"wall_ms\":3},"
        "{\"cell\":2,\"code\":\"x\",\"result_lost\":true,\"started_at\":1700000000},"
        "{\"cell\":3,\"code\":null,\"code_lost\":true,\"mode\":null,\"result_lost\":true,"
        "\"started_at\":null}]}";
    static const char *const says[][2] = {{"its code is lost", NULL},
                                          {"what became of it is lost", NULL},
                                          {"its code and what became of it are lost", NULL}};

    gb_json_release(&parsed);
    parsed = (struct gb_json_doc){0};
    free(kept);
    kept = strdup(lost);
    ck_assert_int_eq(gb_json_parse(&parsed, (uint8_t *)kept, strlen(kept), SIZE_MAX, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        struct gb_buf out = {0};
        struct show_target to = {.out = &out};
        struct show show = {.ours = &to,
                            .streams = {&to, &to},
                            .languages = &languages,
                            .head = true,
                            .code = true,
                            .output = true};

        show_cell(&show, cell_at(i), gb_bytes_str("python"));
        for (size_t j = 0; j < 2 && says[i][j] != NULL; j++)
            ck_assert_msg(strstr(gb_buf_str(&out), says[i][j]) != NULL, "%s", gb_buf_str(&out));
        if (i > 0) /* no time either */
            ck_assert_ptr_null(strstr(gb_buf_str(&out), " ms"));
        gb_buf_release(&out);
    }
    for (int format = 0; format <= DOCUMENT_JSON; format++) {
        char *text = document_of((enum document_format)format);
        const char *first = format == DOCUMENT_JSON ? "\"code_lost\":true" : "its code is lost";
        const char *second =
            format == DOCUMENT_JSON ? "\"result_lost\":true" : "became of it is lost";

        ck_assert_msg(strstr(text, first) != NULL, "%s", text);
        ck_assert_msg(strstr(text, second) != NULL, "%s", text);
        free(text);
    }
}
END_TEST

/* Output that comes in pieces while the cell runs. */
START_TEST(pieces)
{
    struct gb_buf out = {0};
    struct show_target to = {.out = &out};
    struct show show = {.ours = &to,
                        .streams = {&to, &to},
                        .languages = &languages,
                        .head = true,
                        .code = true,
                        .output = true};

    show_begin(&show, cell_at(2), gb_bytes_str("javascript"));
    show_piece(&show, false, gb_bytes_str("a\xc3"));
    show_piece(&show, false, gb_bytes_str("\xa4"));
    show_piece(&show, true, gb_bytes_str("!"));
    show_end(&show, cell_at(2));
    ck_assert_str_eq(strchr(gb_buf_str(&out), '\n'), "\n> x\na\xc3\xa4!\n= 41\n[1.0 ms]\n\n");
    gb_buf_release(&out);
}
END_TEST

/* The events of some records, a line each; gives. */
static char *events_of(const struct gb_network_record *records, size_t count)
{
    struct gb_buf out = {0};
    struct document document;

    document_begin(&document, DOCUMENT_OCSF, &out, gb_json_member(&parsed.nodes[0], "session"),
                   &languages);
    for (size_t i = 0; i < count; i++)
        document_network(&document, &records[i], NULL);
    document_end(&document);
    return gb_buf_take_str(&out);
}

/* Whether each of the words is in the text. */
static void check_says(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        ck_assert_msg(strstr(text, *words) != NULL, "no %s in %s", *words, text);
}

START_TEST(events_of_connections)
{
    const struct gb_network_record one = {.number = 2,
                                          .at_ns = 1700000002500000000,
                                          .kind = GB_NETWORK_CONNECTION,
                                          .cell = 1,
                                          .connection = 7,
                                          .name = gb_bytes_str("app.test"),
                                          .address = gb_bytes_str("127.0.0.1"),
                                          .port = 80,
                                          .rule = gb_bytes_str("allow app.test"),
                                          .received = 10,
                                          .sent = 3,
                                          .duration_ns = 12000000};
    static const char *const says[] = {"\"type_uid\":400102",
                                       "\"time\":1700000002500",
                                       "\"start_time\":1700000002488",
                                       "\"duration\":12",
                                       "\"disposition_id\":1",
                                       "\"status_id\":1",
                                       "\"bytes_in\":10",
                                       "\"bytes_out\":3",
                                       "\"uid\":\"s1/7\"",
                                       "\"hostname\":\"app.test\"",
                                       "\"firewall_rule\":{\"name\":\"allow app.test\"}",
                                       "\"unmapped\":{\"cell\":1}",
                                       NULL};
    static const struct {
        enum gb_network_entry kind;
        const char *reason, *says[5];
    } ends[] = {
        /* What a rule or a person decided, and what the network did. */
        {GB_NETWORK_DENIED,
         "no_rule",
         {"\"type_uid\":400105", "\"disposition_id\":2", "\"status_id\":2", "\"severity_id\":2"}},
        {GB_NETWORK_DENIED,
         "refused",
         {"\"type_uid\":400105", "\"disposition_id\":1", "\"status_id\":2"}},
        {GB_NETWORK_DENIED,
         "timed_out",
         {"\"type_uid\":400104", "\"disposition_id\":1", "\"status_id\":2"}},
        {GB_NETWORK_CONNECTION, "reset", {"\"type_uid\":400103", "\"disposition_id\":1"}},
        {GB_NETWORK_VISIT,
         NULL,
         {"\"type_uid\":400102", "\"direction_id\":1", "\"bytes_in\":3", "\"bytes_out\":10"}},
    };
    char *text = events_of(&one, 1);

    check_says(text, says);
    free(text);
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        struct gb_network_record record = one;

        record.kind = (uint8_t)ends[i].kind;
        if (ends[i].reason != NULL)
            record.reason = gb_bytes_str(ends[i].reason);
        text = events_of(&record, 1);
        check_says(text, ends[i].says);
        free(text);
    }
}
END_TEST

START_TEST(events_of_requests)
{
    const struct gb_network_record records[] = {
        {.kind = GB_NETWORK_REQUEST,
         .name = gb_bytes_str("api.test"),
         .port = 443,
         .rule = gb_bytes_str("GET /a 200 API")},
        {.kind = GB_NETWORK_REQUEST, .rule = gb_bytes_str("BREW")},
        {.kind = GB_NETWORK_REQUEST},
        /* These are none. */
        {.kind = GB_NETWORK_POLICY, .rule = gb_bytes_str("allow *")},
        {.kind = GB_NETWORK_ANSWER},
        {.kind = GB_NETWORK_PORT},
        {.kind = GB_NETWORK_END},
    };
    char *text = events_of(records, ARRAY_SIZE(records));
    const char *first = strchr(text, '\n');
    const char *second = first == NULL ? NULL : strchr(first + 1, '\n');
    static const char *const says[] = {"\"type_uid\":400203", "\"http_method\":\"GET\"",
                                       "\"path\":\"/a\"", "\"http_response\":{\"code\":200}", NULL};

    ck_assert_ptr_nonnull(second);
    check_says(text, says);
    ck_assert_ptr_nonnull(strstr(first, "\"type_uid\":400299")); /* no method that has a number */
    ck_assert_ptr_null(strstr(first, "http_response"));
    ck_assert_str_eq(strchr(second + 1, '\n'), "\n"); /* and no fourth */
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("document");
    TCase *tests = tcase_create("document");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, formats_have_names);
    tcase_add_test(tests, a_notebook);
    tcase_add_test(tests, a_script);
    tcase_add_test(tests, a_script_hides_nothing);
    tcase_add_test(tests, markdown);
    tcase_add_test(tests, a_recording);
    tcase_add_test(tests, the_log);
    tcase_add_test(tests, lost_parts);
    tcase_add_test(tests, pieces);
    tcase_add_test(tests, events_of_connections);
    tcase_add_test(tests, events_of_requests);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
