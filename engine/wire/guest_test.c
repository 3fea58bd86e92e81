/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/guest.h"

#include <string.h>

#include "base/mem.h"
#include "check_page.h"
#include "check_run.h"
#include "wire/frames.h"

START_TEST(exec_comes_out_as_it_went_in)
{
    struct gb_buf frames = {0}, env = {0};
    struct gb_exec in = {.mode = GB_MODE_SHELL,
                         .flags = GB_EXEC_FINAL,
                         .timeout_ms = 7,
                         .max_stdout = 1ull << 40,
                         .max_stderr = 9};
    struct gb_exec out;
    struct gb_frame frame;
    struct gb_bytes key, value;
    size_t size, at = 0;

    gb_pairs_add(&env, &in.env.count, gb_bytes_str("NAME"), gb_bytes_str("value"));
    gb_pairs_add(&env, &in.env.count, gb_bytes_str("EMPTY"), gb_bytes_str(""));
    in.env.encoded = gb_buf_bytes(&env);
    in.file = gb_bytes_str("a b.py");
    in.argv = (struct gb_bytes){(const uint8_t *)"a b.py\0\xff\0\0", 10};
    in.code = gb_bytes_str("print(1)");
    in.stdin_data = (struct gb_bytes){(const uint8_t *)"a\0b", 3};
    gb_guest_add(&frames, (struct gb_frame){.type = GB_GUEST_EXEC, .id = 3, .cell = 4},
                 &gb_exec_fields, &in);
    /* Every shorter piece asks for more; none is taken for a frame. */
    for (size_t part = 0; part < frames.size; part++)
        ck_assert_int_eq(
            gb_frame_next((struct gb_bytes){gb_buf_data(&frames), part}, &frame, &size, NULL), 0);
    ck_assert_int_eq(gb_frame_next(gb_buf_bytes(&frames), &frame, &size, NULL), 1);
    ck_assert_uint_eq(size, frames.size);
    ck_assert_uint_eq(frame.type, GB_GUEST_EXEC);
    ck_assert_uint_eq(frame.id, 3);
    ck_assert_uint_eq(frame.cell, 4);
    ck_assert_int_eq(gb_fields_decode(&gb_exec_fields, frame.payload, &out, NULL), 0);
    ck_assert_uint_eq(out.mode, GB_MODE_SHELL);
    ck_assert_uint_eq(out.max_stdout, 1ull << 40);
    ck_assert(gb_bytes_equal(out.file, "a b.py"));
    ck_assert_uint_eq(out.argv.size, in.argv.size);
    ck_assert_mem_eq(out.argv.data, in.argv.data, in.argv.size);
    ck_assert(gb_bytes_equal(out.code, "print(1)"));
    ck_assert_uint_eq(out.stdin_data.size, 3);
    ck_assert_int_eq(gb_pairs_next(&out.env, &at, &key, &value), 1);
    ck_assert(gb_bytes_equal(key, "NAME") && gb_bytes_equal(value, "value"));
    ck_assert_int_eq(gb_pairs_next(&out.env, &at, &key, &value), 1);
    ck_assert(gb_bytes_equal(key, "EMPTY") && value.size == 0);
    ck_assert_int_eq(gb_pairs_next(&out.env, &at, &key, &value), 0);
    gb_buf_release(&frames);
    gb_buf_release(&env);
}
END_TEST

START_TEST(what_is_too_long_or_too_short_is_refused)
{
    struct gb_buf frames = {0};
    const struct gb_guest_error in = {GB_EPOLICY, gb_bytes_str("no")};
    struct gb_guest_error out;
    struct gb_err err = {0};
    struct gb_frame frame;
    struct gb_bytes payload;
    uint8_t header[GB_FRAME_HEADER];
    size_t size;

    gb_guest_add(&frames, (struct gb_frame){.type = GB_GUEST_ERROR}, &gb_guest_error_fields, &in);
    ck_assert_int_eq(gb_frame_next(gb_buf_bytes(&frames), &frame, &size, NULL), 1);
    payload = frame.payload;
    for (payload.size = 0; payload.size < frame.payload.size; payload.size++)
        ck_assert_int_lt(gb_fields_decode(&gb_guest_error_fields, payload, &out, &err), 0);
    gb_buf_add_u8(&frames, 0);
    payload =
        (struct gb_bytes){gb_buf_data(&frames) + GB_FRAME_HEADER, frames.size - GB_FRAME_HEADER};
    ck_assert_int_lt(gb_fields_decode(&gb_guest_error_fields, payload, &out, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "too many"));
    gb_frame_header(header, &(struct gb_frame){.type = GB_GUEST_DATA}, (16u << 20) + 1);
    ck_assert_int_lt(gb_frame_next((struct gb_bytes){header, sizeof(header)}, &frame, &size, &err),
                     0);
    gb_buf_release(&frames);
}
END_TEST

START_TEST(entries)
{
    struct gb_buf payload = {0};
    struct gb_file_entry entry = {
        .name = gb_bytes_str("ü"), .type = GB_ENTRY_DIR, .size = 1, .mtime_ns = -5, .mode = 0755};
    struct gb_bytes rest;
    size_t begin = gb_entries_begin(&payload);
    uint32_t count;
    bool more;

    gb_entries_add(&payload, &entry);
    gb_entries_end(&payload, begin, 1, true);
    ck_assert_int_eq(gb_entries_head(gb_buf_bytes(&payload), &more, &count, &rest, NULL), 0);
    ck_assert(more);
    ck_assert_uint_eq(count, 1);
    memset(&entry, 0, sizeof(entry));
    ck_assert_int_eq(gb_entries_next(&rest, &entry, NULL), 0);
    ck_assert(gb_bytes_equal(entry.name, "ü"));
    ck_assert_int_eq(entry.mtime_ns, -5);
    ck_assert_uint_eq(rest.size, 0);
    ck_assert_int_lt(gb_entries_next(&rest, &entry, NULL), 0);
    gb_buf_release(&payload);
}
END_TEST

START_TEST(entries_that_no_folder_has)
{
    static const struct gb_file_entry good = {.name = {(const uint8_t *)"n", 1}, .mode = 07777};
    struct gb_file_entry bad[] = {good, good, good, good, good, good, good, good};
    const char *const names[] = {"..", "a/b", "/", ""};
    size_t i;

    for (i = 0; i < ARRAY_SIZE(names); i++)
        bad[i].name = gb_bytes_str(names[i]);
    bad[i++].name = (struct gb_bytes){(const uint8_t *)"a\0b", 3};
    bad[i++].size = UINT64_MAX;
    bad[i++].allocated = (uint64_t)INT64_MAX + 1;
    bad[i++].mode = 010000;
    ck_assert_uint_eq(i, ARRAY_SIZE(bad));
    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        struct gb_buf payload = {0};
        struct gb_file_entry entry;
        struct gb_bytes rest;

        gb_entries_add(&payload, &bad[i]);
        rest = gb_buf_bytes(&payload);
        ck_assert_int_eq(gb_entries_next(&rest, &entry, NULL), -GB_EINTERNAL);
        gb_buf_clear(&payload);
        gb_entries_add(&payload, &good);
        rest = gb_buf_bytes(&payload);
        ck_assert_int_eq(gb_entries_next(&rest, &entry, NULL), 0);
        gb_buf_release(&payload);
    }
}
END_TEST

START_TEST(changed_files)
{
    static const char *const outside[] = {"",    "/a",   "a/",   "a//b",  ".",        "..",
                                          "./a", "a/..", "../a", "a/./b", "a/../../b"};
    static const char *const inside[] = {"a", "a/b", "...", ".a", "..a/.b", "a\nb", "\xff"};
    struct gb_changed out;

    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        const struct gb_changed in = {gb_bytes_str(outside[i]), GB_ADDED, 1};
        struct gb_buf encoded = {0};
        struct gb_pairs pairs = {0};
        size_t at = 0;

        gb_changed_add(&encoded, &pairs.count, &in);
        pairs.encoded = gb_buf_bytes(&encoded);
        ck_assert_int_lt(gb_changed_next(&pairs, &at, &out, NULL), 0);
        gb_buf_release(&encoded);
    }
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        const struct gb_changed in = {gb_bytes_str(inside[i]), GB_REMOVED, 1ull << 60};
        struct gb_buf encoded = {0};
        struct gb_pairs pairs = {0};
        size_t at = 0;

        gb_changed_add(&encoded, &pairs.count, &in);
        pairs.encoded = gb_buf_bytes(&encoded);
        ck_assert_int_eq(gb_changed_next(&pairs, &at, &out, NULL), 1);
        ck_assert(gb_bytes_equal(out.path, inside[i]));
        ck_assert_uint_eq(out.change, GB_REMOVED);
        ck_assert_uint_eq(out.size, 1ull << 60);
        ck_assert_int_eq(gb_changed_next(&pairs, &at, &out, NULL), 0);
        gb_buf_release(&encoded);
    }
}
END_TEST

START_TEST(lists_of_ports_that_break_the_rules)
{
    static const struct {
        uint8_t bytes[6];
        size_t size;
        int count; /* -1: none */
    } lists[] = {
        {{0}, 0, 0},
        {{1, 0}, 2, 1},
        {{0x40, 0x1f, 0xff, 0xff}, 4, 2},
        {{0, 0}, 2, -1},             /* port 0 */
        {{2, 0, 1, 0}, 4, -1},       /* not in order */
        {{1, 0, 1, 0}, 4, -1},       /* twice */
        {{1, 0, 2}, 3, -1},          /* half a port */
        {{1, 0, 2, 0, 2, 0}, 6, -1}, /* twice, later */
    };
    uint8_t many[2 * (GB_LISTENING_MAX + 1)];
    uint16_t ports[GB_LISTENING_MAX];
    unsigned count;

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        int r = gb_listening_read((struct gb_bytes){lists[i].bytes, lists[i].size}, ports, &count,
                                  NULL);

        ck_assert_int_eq(r, lists[i].count < 0 ? -GB_EINTERNAL : 0);
        if (r == 0)
            ck_assert_uint_eq(count, (unsigned)lists[i].count);
        if (i == 2)
            ck_assert(ports[0] == 8000 && ports[1] == 65535);
    }
    for (size_t i = 0; i < sizeof(many); i += 2) {
        many[i] = (uint8_t)(i / 2 + 1);
        many[i + 1] = 0;
    }
    ck_assert_int_eq(gb_listening_read((struct gb_bytes){many, sizeof(many)}, ports, &count, NULL),
                     -GB_EINTERNAL);
    ck_assert_int_eq(
        gb_listening_read((struct gb_bytes){many, sizeof(many) - 2}, ports, &count, NULL), 0);
    ck_assert_uint_eq(count, GB_LISTENING_MAX);
}
END_TEST

START_TEST(each_frame_has_its_row)
{
    static const enum gb_guest_type types[] = {
#define GB_X(name, value) name,
        GB_GUEST_TYPES(GB_X)
#undef GB_X
    };
    size_t rows = 0;

    for (uint32_t type = 0; type <= UINT16_MAX; type++)
        rows += gb_frame_info((uint16_t)type) != NULL;
    ck_assert_uint_eq(rows, ARRAY_SIZE(types));
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        const struct gb_frame_info *info = gb_frame_info((uint16_t)types[i]), *answer;

        ck_assert_msg(info != NULL, "%u", types[i]);
        ck_assert_str_eq(info->name, gb_guest_type_name((uint16_t)types[i]));
        ck_assert(!info->raw || info->fields == NULL);
        if (info->role != GB_ROLE_REQUEST)
            continue;
        answer = gb_frame_info((uint16_t)info->answer);
        ck_assert(answer != NULL && answer->role == GB_ROLE_ANSWER);
        ck_assert_int_eq(info->way, GB_WAY_TO_GUEST);
        ck_assert_int_eq(answer->way, GB_WAY_TO_HOST);
        ck_assert_uint_gt(gb_frame_deadline_ms(info->deadline), 0);
    }
}
END_TEST

START_TEST(the_page_is_fresh)
{
    check_page("guest.md", gb_frames_markdown);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guest");
    TCase *all = tcase_create("all");

    tcase_add_test(all, exec_comes_out_as_it_went_in);
    tcase_add_test(all, what_is_too_long_or_too_short_is_refused);
    tcase_add_test(all, entries);
    tcase_add_test(all, entries_that_no_folder_has);
    tcase_add_test(all, changed_files);
    tcase_add_test(all, lists_of_ports_that_break_the_rules);
    tcase_add_test(all, each_frame_has_its_row);
    tcase_add_test(all, the_page_is_fresh);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
