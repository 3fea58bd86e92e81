/* SPDX-License-Identifier: Apache-2.0 */
#include "parse/control.h"

#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "base/limits.h"
#include "base/mem.h"

static struct gb_bytes bytes(const void *data, size_t size)
{
    return (struct gb_bytes){data, size};
}

/* A message of a worker: header and payload. */
static void message(struct gb_buf *buf, uint8_t type, const void *payload, size_t size)
{
    gb_buf_clear(buf);
    gb_buf_add_u32(buf, (uint32_t)size);
    gb_buf_add_u8(buf, type);
    gb_buf_add_u8(buf, 0);
    gb_buf_add_u16(buf, 0);
    gb_buf_add(buf, payload, size);
}

static const uint8_t done_payload[] = {5, 0, 0, 0, 130, 0, 0, 0, 3, 2, 0, 0, 0, '4', '2'};

START_TEST(test_done)
{
    struct gb_buf buf = {0};
    struct control_message got;
    size_t size;

    message(&buf, CONTROL_DONE, done_payload, sizeof(done_payload));
    ck_assert_int_eq(control_next(CONTROL_CELL, gb_buf_bytes(&buf), &got, &size, NULL), 1);
    ck_assert_int_eq(got.type, CONTROL_DONE);
    ck_assert_uint_eq(got.done.cell, 5);
    ck_assert_uint_eq(got.done.exit_code, 130);
    ck_assert_uint_eq(got.done.flags, CONTROL_HAS_VALUE | CONTROL_INTERRUPTED);
    ck_assert(gb_bytes_equal(got.done.value, "42"));
    ck_assert_uint_eq(size, buf.size);
    gb_buf_release(&buf);
}
END_TEST

START_TEST(test_every_prefix_wants_more)
{
    struct gb_buf buf = {0};
    struct control_message got;
    size_t size;

    message(&buf, CONTROL_DONE, done_payload, sizeof(done_payload));
    for (size_t n = 0; n < buf.size; n++) {
        ck_assert_int_eq(control_next(CONTROL_CELL, bytes(gb_buf_data(&buf), n), &got, &size, NULL),
                         0);
        ck_assert_uint_eq(size, n < CONTROL_HEADER ? CONTROL_HEADER : buf.size);
    }
    gb_buf_release(&buf);
}
END_TEST

static void refused(enum control_channel channel, const struct gb_buf *buf)
{
    struct control_message got;
    struct gb_err err = {0};
    size_t size;

    ck_assert_int_eq(control_next(channel, gb_buf_bytes(buf), &got, &size, &err), -GB_EINTERNAL);
    ck_assert(err.message[0] != '\0');
}

START_TEST(test_refusals)
{
    struct gb_buf buf = {0};
    uint8_t payload[sizeof(done_payload)];

    message(&buf, 99, "", 0);
    refused(CONTROL_CELL, &buf);
    message(&buf, CONTROL_READY, "x", 1);
    refused(CONTROL_CELL, &buf);
    message(&buf, CONTROL_RUN, "", 0); /* only the agent says that */
    refused(CONTROL_CELL, &buf);
    message(&buf, CONTROL_DONE, done_payload, sizeof(done_payload));
    refused(CONTROL_QUERY, &buf);
    buf.memory[buf.start + 5] = 1; /* flags of the header */
    refused(CONTROL_CELL, &buf);
    buf.memory[buf.start + 5] = 0;
    buf.memory[buf.start + 7] = 1;
    refused(CONTROL_CELL, &buf);

    memcpy(payload, done_payload, sizeof(payload));
    payload[5] = 1; /* exit code 386 */
    message(&buf, CONTROL_DONE, payload, sizeof(payload));
    refused(CONTROL_CELL, &buf);
    memcpy(payload, done_payload, sizeof(payload));
    payload[8] = 2; /* a value without the flag */
    message(&buf, CONTROL_DONE, payload, sizeof(payload));
    refused(CONTROL_CELL, &buf);
    payload[8] = 128;
    message(&buf, CONTROL_DONE, payload, sizeof(payload));
    refused(CONTROL_CELL, &buf);
    message(&buf, CONTROL_DONE, done_payload, sizeof(done_payload) - 1);
    refused(CONTROL_CELL, &buf);
    gb_buf_release(&buf);
}
END_TEST

/* Fields of these sizes; returns that of the payload. */
static size_t describe(uint8_t *payload, const uint32_t sizes[3])
{
    size_t at = 4;

    for (size_t i = 0; i < 3; i++, at += 4) {
        payload[at] = (uint8_t)sizes[i];
        payload[at + 1] = (uint8_t)(sizes[i] >> 8);
        memset(payload + at + 4, 'a' + (int)i, sizes[i]);
        at += sizes[i];
    }
    return at;
}

START_TEST(test_description)
{
    static const uint32_t most[] = {64, GB_DESCRIPTION_MAX, GB_DESCRIPTION_MAX};
    uint8_t payload[64 + 2 * GB_DESCRIPTION_MAX + 64] = {7};
    struct gb_buf buf = {0};
    struct control_message got;
    size_t size;

    message(&buf, CONTROL_DESCRIPTION, payload, describe(payload, most));
    ck_assert_int_eq(control_next(CONTROL_QUERY, gb_buf_bytes(&buf), &got, &size, NULL), 1);
    ck_assert_uint_eq(got.description.id, 7);
    ck_assert_uint_eq(got.description.type.size, 64);
    ck_assert_uint_eq(got.description.signature.size, GB_DESCRIPTION_MAX);
    ck_assert_uint_eq(got.description.summary.data[0], 'c');
    refused(CONTROL_CELL, &buf);
    message(&buf, CONTROL_DESCRIPTION, payload, describe(payload, most) - 1);
    refused(CONTROL_QUERY, &buf);
    for (size_t i = 0; i < 3; i++) {
        uint32_t sizes[] = {1, 1, 1};

        sizes[i] = most[i] + 1;
        message(&buf, CONTROL_DESCRIPTION, payload, describe(payload, sizes));
        refused(CONTROL_QUERY, &buf);
    }
    gb_buf_release(&buf);
}
END_TEST

START_TEST(test_size_is_refused_before_the_payload)
{
    const uint8_t header[CONTROL_HEADER] = {0, 0, 0, 1, CONTROL_DISPLAY, 0, 0, 0};
    struct gb_buf buf = {0};

    gb_buf_add(&buf, header, sizeof(header));
    refused(CONTROL_CELL, &buf);
    gb_buf_release(&buf);
}
END_TEST

START_TEST(test_largest_display)
{
    const size_t size = 4 + 4 + 9 + 4 + GB_DISPLAY_MAX;
    uint8_t *payload = xcalloc(1, size);
    struct gb_buf buf = {0};
    struct control_message got;
    size_t taken;

    payload[4] = 9;
    memcpy(payload + 8, "image/png", 9);
    payload[20] = (uint8_t)(GB_DISPLAY_MAX >> 24);
    payload[19] = (uint8_t)(GB_DISPLAY_MAX >> 16);
    message(&buf, CONTROL_DISPLAY, payload, size);
    ck_assert_int_eq(control_next(CONTROL_CELL, gb_buf_bytes(&buf), &got, &taken, NULL), 1);
    ck_assert(gb_bytes_equal(got.display.mime, "image/png"));
    ck_assert_uint_eq(got.display.data.size, GB_DISPLAY_MAX);
    free(payload);
    gb_buf_release(&buf);
}
END_TEST

START_TEST(test_run_is_encoded)
{
    const struct control_run run = {.cell = 7,
                                    .flags = CONTROL_FINAL,
                                    .file = gb_bytes_str("/f"),
                                    .argv = {(const uint8_t *)"f\0", 2},
                                    .code = gb_bytes_str("x")};
    const uint8_t expected[] = {26, 0, 0, 0, 1,   0,   0, 0, 7, 0, 0,   0, 2, 0, 0, 0, 0,
                                2,  0, 0, 0, '/', 'f', 2, 0, 0, 0, 'f', 0, 1, 0, 0, 0, 'x'};
    struct gb_buf buf = {0};

    gb_buf_adds(&buf, "before");
    control_add(&buf, CONTROL_RUN, &control_run_fields, &run);
    gb_buf_consume(&buf, 6);
    ck_assert_uint_eq(buf.size, sizeof(expected));
    ck_assert_mem_eq(gb_buf_data(&buf), expected, sizeof(expected));
    gb_buf_release(&buf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control");
    TCase *all = tcase_create("all");

    tcase_add_test(all, test_done);
    tcase_add_test(all, test_every_prefix_wants_more);
    tcase_add_test(all, test_refusals);
    tcase_add_test(all, test_size_is_refused_before_the_payload);
    tcase_add_test(all, test_description);
    tcase_add_test(all, test_largest_display);
    tcase_add_test(all, test_run_is_encoded);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
