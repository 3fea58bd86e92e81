/* SPDX-License-Identifier: Apache-2.0 */
/* Notes of sessions that are asleep: what is written is read, and nothing else. */
#include "server/checkpoint/note.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"

static const struct note_life lives[] = {{.from_epoch = 1, .from_cell = 2, .cells_before = 5},
                                         {.from_epoch = 2, .from_cell = 6, .cells_before = 9}};

static bool next_life(const void *owner, size_t *at, void *ret_item)
{
    (void)owner;
    if (*at >= ARRAY_SIZE(lives))
        return false;
    *(struct note_life *)ret_item = lives[(*at)++];
    return true;
}

static bool next_name(const void *owner, size_t *at, void *ret_item)
{
    if (*at >= 1)
        return false;
    *(struct note_name *)ret_item =
        (struct note_name){.seq = 7, .name = gb_bytes_str((const char *)owner)};
    (*at)++;
    return true;
}

static bool next_setting(const void *owner, size_t *at, void *ret_item)
{
    if (*at >= 1)
        return false;
    *(struct note_setting *)ret_item =
        (struct note_setting){gb_bytes_str("WHO"), gb_bytes_str((const char *)owner), 0};
    (*at)++;
    return true;
}

static struct note whole(void)
{
    return (struct note){
        .version = NOTE_VERSION,
        .id = gb_bytes_str("s-00112233445566778899"),
        .image = gb_bytes_str("python"),
        .key = gb_bytes_str("a \"key\"\n"),
        .checkpoints = gb_bytes_str("asked"),
        .template = gb_bytes_str("format 1\nqemu 7.2\n"),
        .packages = gb_bytes_str("six==1.16.0\nxyz==2\n"),
        .layer = gb_bytes_str("0123abcd"),
        .epoch = 3,
        .here = 7,
        .created_at_ns = UINT64_C(1700000000500000000),
        .slept_at_ns = UINT64_C(1700000001000000000),
        .memory_mb = 192,
        .timeout_ms = 30000,
        .cells = 11,
        .incarnation = 2,
        .lives = {.next = next_life},
        .names = {.next = next_name, .owner = "name"},
        .env = {.next = next_setting, .owner = "me = \"you\"\t"},
    };
}

static int read_text(const char *text, size_t size, struct note *ret_note, struct gb_err *err)
{
    static struct gb_json_doc doc;
    static struct gb_buf buf;
    int r;

    gb_buf_clear(&buf);
    gb_buf_add(&buf, text, size);
    r = note_read(&doc, &buf, ret_note, err);
    if (ret_note->id.data == NULL) {
        gb_buf_release(&buf);
        gb_json_release(&doc);
    }
    return r;
}

/* Frees what the last call has kept. */
static void read_nothing(void)
{
    struct note note = {0};

    ck_assert_int_eq(read_text("{}", 2, &note, NULL), -GB_EINVALID);
}

START_TEST(reads_what_was_written)
{
    const struct note before = whole();
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    enum gb_settings_checkpoints policy = GB_SETTINGS_CHECKPOINTS_OFF;
    struct note_setting setting;
    struct note_name name;
    struct note_life life;
    struct note note;
    size_t at = 0;

    note_write(&text, &before);
    ck_assert_int_eq(read_text(gb_buf_str(&text), text.size, &note, NULL), 0);
    ck_assert(gb_bytes_equal(note.id, "s-00112233445566778899"));
    ck_assert(gb_bytes_equal(note.key, "a \"key\"\n"));
    ck_assert_ptr_null(note.label.data);
    ck_assert(gb_bytes_equal(note.template, "format 1\nqemu 7.2\n"));
    ck_assert(gb_bytes_equal(note.packages, "six==1.16.0\nxyz==2\n"));
    ck_assert(gb_bytes_equal(note.layer, "0123abcd"));
    ck_assert(note_find_policy(&note, &policy));
    ck_assert_int_eq(policy, GB_SETTINGS_CHECKPOINTS_ASKED);
    ck_assert_uint_eq(note.epoch, 3);
    ck_assert_uint_eq(note.here, 7);
    ck_assert_uint_eq(note.cells, 11);
    ck_assert_uint_eq(note.incarnation, 2);
    ck_assert_uint_eq(note.timeout_ms, 30000);
    ck_assert_uint_eq(note.created_at_ns, UINT64_C(1700000000500000000));
    for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
        ck_assert_int_eq(note_next_life(&note, &at, &life), 1);
        ck_assert_uint_eq(life.from_epoch, lives[i].from_epoch);
        ck_assert_uint_eq(life.from_cell, lives[i].from_cell);
        ck_assert_uint_eq(life.cells_before, lives[i].cells_before);
    }
    ck_assert_int_eq(note_next_life(&note, &at, &life), 0);
    at = 0;
    ck_assert_int_eq(note_next_name(&note, &at, &name), 1);
    ck_assert_uint_eq(name.seq, 7);
    ck_assert(gb_bytes_equal(name.name, "name"));
    at = 0;
    ck_assert_int_eq(note_next_setting(&note, &at, &setting), 1);
    ck_assert(gb_bytes_equal(setting.value, "me = \"you\"\t"));
    ck_assert_int_eq(note_next_setting(&note, &at, &setting), 0);
    read_nothing();
}
END_TEST

/* As those are that were written before there was the member. */
START_TEST(policy_may_be_absent)
{
    struct note before = whole(), note;
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    enum gb_settings_checkpoints policy;

    before.checkpoints = (struct gb_bytes){0};
    note_write(&text, &before);
    ck_assert_ptr_null(strstr(gb_buf_str(&text), "checkpoints"));
    ck_assert_int_eq(read_text(gb_buf_str(&text), text.size, &note, NULL), 0);
    ck_assert(!note_find_policy(&note, &policy));
    read_nothing();
}
END_TEST

/* A part of it is no note, wherever it was cut off. */
START_TEST(refuses_a_part)
{
    const struct note before = whole();
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct note note = {0};

    note_write(&text, &before);
    for (size_t size = 0; size + 2 < text.size; size++) {
        struct gb_err err = {0};

        ck_assert_int_eq(read_text(gb_buf_str(&text), size, &note, &err), -GB_EINVALID);
        ck_assert_str_eq(err.message, "its note is damaged");
    }
    read_nothing();
}
END_TEST

static const struct {
    const char *part, *instead, *message;
} wrong[] = {
    {"\"version\":1", "\"version\":2", "its note has version 2, and this server knows 1"},
    {"\"here\":7", "\"here\":0", "its note is incomplete"},
    {"\"epoch\":3", "\"epoch\":0", "its note is incomplete"},
    {"\"image\":\"python\"", "\"image\":null", "its note is incomplete"},
    {"\"memory_mb\":192", "\"memory_mb\":1", "its note is incomplete"},
    {"\"memory_mb\":192", "\"memory_mb\":99999999", "its note is damaged"},
    {"\"cells\":11", "\"cells\":-1", "its note is damaged"},
    {"\"cells\":11", "\"cells\":\"11\"", "its note is damaged"},
    {"\"seq\":7", "\"seq\":1e99", "its note is damaged"},
    {"\"asked\"", "\"always\"", "its note is damaged"},
    {"\"from_cell\":2", "\"from_cell\":4294967296", "its note is damaged"},
};

START_TEST(refuses_what_is_wrong)
{
    const struct note before = whole();
    _cleanup_(gb_buf_release) struct gb_buf text = {0}, changed = {0};
    struct note note = {0};
    struct gb_err err = {0};
    const char *at;

    note_write(&text, &before);
    at = strstr(gb_buf_str(&text), wrong[_i].part);
    ck_assert_ptr_nonnull(at);
    gb_buf_add(&changed, gb_buf_str(&text), (size_t)(at - gb_buf_str(&text)));
    gb_buf_adds(&changed, wrong[_i].instead);
    gb_buf_adds(&changed, at + strlen(wrong[_i].part));
    ck_assert_int_eq(read_text(gb_buf_str(&changed), changed.size, &note, &err), -GB_EINVALID);
    ck_assert_str_eq(err.message, wrong[_i].message);
    read_nothing();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("note");
    TCase *tests = tcase_create("note");

    tcase_add_test(tests, reads_what_was_written);
    tcase_add_test(tests, policy_may_be_absent);
    tcase_add_test(tests, refuses_a_part);
    tcase_add_loop_test(tests, refuses_what_is_wrong, 0, (int)ARRAY_SIZE(wrong));
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
