/* SPDX-License-Identifier: Apache-2.0 */
#include "reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"

static struct reach reach;
static bool more; /* what the last page promised */

static void setup(void)
{
    reach = (struct reach){0};
}

static void teardown(void)
{
    reach_release(&reach);
}

static void with_text(const char *text, void (*use)(const struct gb_json *json))
{
    struct gb_json_doc doc = {0};
    char *copy = xstrdup(text);

    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)copy, strlen(copy), 100000, NULL), 0);
    use(doc.nodes);
    gb_json_release(&doc);
    free(copy);
}

static void use_page(const struct gb_json *json)
{
    more = reach_take_log(&reach, json);
}

static void use_state(const struct gb_json *json)
{
    reach_take_state(&reach, json);
}

static void use_open(const struct gb_json *json)
{
    reach_event(&reach, "network.open", json);
}

static void use_snapshot(const struct gb_json *json)
{
    reach_event(&reach, "snapshot", json);
}

static void use_closed(const struct gb_json *json)
{
    reach_event(&reach, "network.closed", json);
}

/* Records @first to @last, which say that they are of these connections. */
static void page(unsigned first, unsigned last)
{
    struct gb_buf text = {0};

    gb_buf_adds(&text, "{\"records\":[");
    for (unsigned i = first; i <= last; i++)
        gb_buf_addf(&text,
                    "%s{\"number\":%u,\"at\":1.5,\"kind\":\"connection\",\"connection\":%u,"
                    "\"name\":\"n%u.test\",\"address\":\"192.0.2.1\",\"port\":443,"
                    "\"received\":1,\"sent\":2,\"ms\":3,\"rule\":null}",
                    i == first ? "" : ",", i, i, i);
    gb_buf_adds(&text, "],\"more\":true}");
    with_text(gb_buf_str(&text), use_page);
    gb_buf_release(&text);
}

static void connection(unsigned number, void (*use)(const struct gb_json *json))
{
    char text[128];

    (void)snprintf(text, sizeof(text),
                   "{\"connection\":%u,\"name\":\"n%u.test\",\"port\":443,\"at\":1.5}", number,
                   number);
    with_text(text, use);
}

static void row(size_t index, enum reach_kind kind, uint64_t id)
{
    struct reach_item item;

    reach_row(&reach, NULL, index, &item);
    ck_assert_int_eq(item.kind, kind);
    ck_assert_uint_eq(reach_id(&item), id);
}

/* The newest are kept, each once, whatever is told again. */
START_TEST(test_records_are_bounded)
{
    for (unsigned i = 0; i < 3 * REACH_RECORDS_MAX; i += 100) {
        page(i + 1, i + 100);
        ck_assert(more);
        ck_assert_uint_le(reach.count, REACH_RECORDS_MAX);
    }
    ck_assert(reach.dropped);
    ck_assert_uint_eq(reach.after, 3 * REACH_RECORDS_MAX);
    row(0, REACH_RECORD, 3 * REACH_RECORDS_MAX);
    row(reach_rows(&reach, NULL) - 1, REACH_RECORD, 3 * REACH_RECORDS_MAX - reach.count + 1);
    page(1, 100); /* known: nothing is new, so there is no more */
    ck_assert(!more);
    ck_assert_uint_eq(reach.after, 3 * REACH_RECORDS_MAX);
}
END_TEST

/* One that has ended is a record, and no longer open; after a gap nothing is known to be. */
START_TEST(test_what_is_open_is_bounded)
{
    for (unsigned i = 1; i <= 2 * REACH_OPEN_MAX; i++)
        connection(i, use_open);
    ck_assert_uint_eq(reach.open_count, REACH_OPEN_MAX);
    row(0, REACH_OPEN, REACH_OPEN_MAX);
    connection(3, use_closed);
    connection(3, use_closed);
    ck_assert_uint_eq(reach.open_count, REACH_OPEN_MAX - 1);
    page(4, 5);
    ck_assert_uint_eq(reach.open_count, REACH_OPEN_MAX - 3);
    row(reach_rows(&reach, NULL) - 1, REACH_RECORD, 4);
    with_text("{}", use_snapshot);
    ck_assert_uint_eq(reach.open_count, 0);
    ck_assert_uint_eq(reach_rows(&reach, NULL), 2);
}
END_TEST

START_TEST(test_ports_are_bounded)
{
    struct gb_buf text = {0};

    gb_buf_adds(&text, "{\"network\":\"none\",\"rules\":\"\",\"open\":0,\"opened\":0,\"denied\":0,"
                       "\"received\":0,\"sent\":0,\"questions\":[],\"listening\":[{\"port\":1}],"
                       "\"ports\":[");
    for (unsigned i = 2 * REACH_PORTS_MAX; i > 0; i--)
        gb_buf_addf(&text,
                    "%s{\"port\":%u,\"address\":\"127.0.0.1:%u\",\"open\":0,\"opened\":0,"
                    "\"received\":0,\"sent\":0}",
                    i == 2 * REACH_PORTS_MAX ? "" : ",", i, i);
    gb_buf_adds(&text, "]}");
    for (unsigned i = 0; i < 3; i++)
        with_text(gb_buf_str(&text), use_state);
    gb_buf_release(&text);
    ck_assert_uint_eq(reach.port_count, REACH_PORTS_MAX);
    row(0, REACH_PORT, REACH_PORTS_MAX + 1);
    ck_assert_str_eq(reach.ports[0].address, "127.0.0.1:129");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reach");
    TCase *tests = tcase_create("reach");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_records_are_bounded);
    tcase_add_test(tests, test_what_is_open_is_bounded);
    tcase_add_test(tests, test_ports_are_bounded);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
