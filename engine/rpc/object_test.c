/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/object.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "check_page.h"
#include "check_records.h"
#include "check_run.h"
#include "model/answer.h"
#include "model/capacity.h"
#include "model/cell.h"
#include "model/diff.h"
#include "model/entry.h"
#include "model/event.h"
#include "model/hello.h"
#include "model/limits.h"
#include "model/network.h"
#include "model/past.h"
#include "model/session.h"
#include "model/stats.h"
#include "model/terminal.h"
#include "rpc/methods.h"

static struct gb_json_doc doc;
static char *text;
static struct gb_err err;

static void forget(void)
{
    gb_json_release(&doc);
    free(text);
    text = NULL;
}

static int read_as(const struct gb_object *object, const char *json, void *ret_struct)
{
    forget();
    text = xstrdup(json);
    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)text, strlen(text), SIZE_MAX, &err), 0);
    err = (struct gb_err){0};
    return gb_object_read(object, doc.nodes, ret_struct, &err);
}

static const char *written(const struct gb_object *object, const void *from)
{
    static struct gb_buf buf;
    struct gb_json_out out = {.buf = &buf};

    gb_buf_release(&buf);
    gb_json_object(&out, NULL);
    gb_object_write(&out, object, from);
    gb_json_end(&out);
    return gb_buf_str(&buf);
}

/* ---- the tables ---- */

static const struct gb_object *const objects[] = {
    &gb_cell_object,           &gb_display_object,     &gb_file_info_object,
    &gb_session_object,        &gb_lease_object,       &gb_sample_object,
    &gb_entry_object,          &gb_held_object,        &gb_hello_object,
    &gb_image_info_object,     &gb_stage_object,       &gb_pool_object,
    &gb_admission_object,      &gb_capacity_object,    &gb_warm_object,
    &gb_host_object,           &gb_latency_object,     &gb_vm_info_object,
    &gb_stats_object,          &gb_opened_object,      &gb_start_object,
    &gb_sessions_object,       &gb_match_object,       &gb_matches_object,
    &gb_description_object,    &gb_whole_object,       &gb_history_object,
    &gb_listing_object,        &gb_piece_object,       &gb_written_object,
    &gb_subscribed_object,     &gb_network_object,     &gb_question_object,
    &gb_network_record_object, &gb_port_object,        &gb_listening_object,
    &gb_network_log_object,    &gb_checkpoint_object,  &gb_checkpoints_object,
    &gb_kept_object,           &gb_rewound_object,     &gb_fork_object,
    &gb_forked_object,         &gb_terminal_object,    &gb_terminal_number_object,
    &gb_terminal_end_object,   &gb_terminals_object,   &gb_event_object,
    &gb_output_object,         &gb_background_object,  &gb_started_object,
    &gb_waiting_object,        &gb_screen_object,      &gb_taken_object,
    &gb_preparing_object,      &gb_diff_object,        &gb_diff_moment_object,
    &gb_diff_variable_object,  &gb_diff_value_object,  &gb_diff_file_object,
    &gb_diff_cell_object,      &gb_diff_output_object,
};

static size_t size_of_type(enum gb_member_type type)
{
    static const size_t sizes[] = {
        [GB_TEXT] = sizeof(struct gb_bytes),
        [GB_BYTES] = sizeof(struct gb_bytes),
        [GB_BASE64] = sizeof(struct gb_bytes),
        [GB_EXACT] = sizeof(struct gb_bytes),
        [GB_STRINGS] = sizeof(struct gb_bytes),
        [GB_U32] = sizeof(uint32_t),
        [GB_U64] = sizeof(uint64_t),
        [GB_I64] = sizeof(int64_t),
        [GB_BOOL] = sizeof(uint32_t),
        [GB_WORD] = sizeof(uint8_t),
        [GB_SIGNAL] = sizeof(uint32_t),
        [GB_KIND] = sizeof(uint32_t),
        [GB_MS] = sizeof(uint64_t),
        [GB_SECONDS] = sizeof(uint64_t),
        [GB_OBJECT] = 1,
        [GB_LIST] = sizeof(struct gb_items),
        [GB_ARRAY] = sizeof(void *),
        [GB_MAP] = sizeof(void *),
        [GB_NAMES] = sizeof(struct gb_names),
        [GB_NUMBER] = sizeof(double),
        [GB_PAIR] = sizeof(struct gb_bytes),
    };

    return sizes[type];
}

START_TEST(tables)
{
    const struct gb_object *object = objects[_i];

    ck_assert_uint_le(object->count, 64); /* the reader has a bit for each */
    ck_assert_uint_le(object->size, GB_OBJECT_SIZE_MAX);
    for (size_t i = 0; i < object->count; i++) {
        const struct gb_member *member = &object->members[i];

        ck_assert_msg(member->doc != NULL && member->doc[0] != '\0', "%s", member->name);
        ck_assert_uint_lt(strlen(member->name), 48);
        ck_assert_uint_le(member->offset + size_of_type(member->type), object->size);
        ck_assert_int_eq(member->words != NULL, member->type == GB_WORD);
        ck_assert_int_eq(member->object != NULL,
                         member->type == GB_OBJECT || member->type == GB_LIST);
        ck_assert(member->type != GB_BOOL ||
                  (member->bit != 0 && member->offset == object->flags_offset));
        ck_assert(member->type != GB_LIST || member->object->size <= GB_OBJECT_SIZE_MAX);
        ck_assert(member->type != GB_PAIR || strcmp(member->name, "text") == 0);
        ck_assert(member->type != GB_BASE64 || strcmp(member->name, "base64") == 0);
        /* One bit, and none of those that keep the bytes apart from it. */
        ck_assert_uint_eq(member->bit & (member->bit - 1), 0);
        ck_assert_uint_eq(member->bit & member->base64, 0);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(member->name, object->members[j].name);
    }
}
END_TEST

static void add_cell(struct gb_buf *buf)
{
    gb_object_markdown(buf, &gb_cell_object);
}

static void add_session(struct gb_buf *buf)
{
    gb_object_markdown(buf, &gb_session_object);
}

static void add_lease(struct gb_buf *buf)
{
    gb_object_markdown(buf, &gb_lease_object);
}

static void add_entry(struct gb_buf *buf)
{
    gb_object_markdown(buf, &gb_entry_object);
}

/* `hello` tells them, and this is what they mean. */
static void add_limits(struct gb_buf *buf)
{
    gb_buf_adds(buf, "| limit | value | of |\n|---|---|---|\n");
    for (size_t i = 0; i < gb_limit_count; i++)
        if (gb_limits[i].name != NULL)
            gb_buf_addf(buf, "| `%s` | %" PRIu64 " | %s |\n", gb_limits[i].name, gb_limits[i].value,
                        gb_limits[i].doc);
    gb_buf_adds(buf, "\n");
}

START_TEST(limits_have_names_of_their_own)
{
    for (size_t i = 0; i < gb_limit_count; i++) {
        ck_assert(gb_limits[i].value > 0 && gb_limits[i].doc[0] != '\0');
        for (size_t j = 0; j < i && gb_limits[i].name != NULL; j++)
            ck_assert(gb_limits[j].name == NULL ||
                      strcmp(gb_limits[i].name, gb_limits[j].name) != 0);
    }
}
END_TEST

/* Whether it was added before: objects[] up to @i, and what stands in these up to member @j. */
static bool was_added(const struct gb_object *object, size_t i, size_t j)
{
    for (size_t k = 0; k < ARRAY_SIZE(objects); k++)
        if (objects[k] == object)
            return true;
    for (size_t k = 0; k <= i; k++)
        for (size_t m = 0; m < (k < i ? objects[k]->count : j); m++)
            if (objects[k]->members[m].object == object)
                return true;
    return false;
}

/* All of them, and those that stand in them. */
static void add_python(struct gb_buf *buf)
{
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
        gb_object_add_python(buf, objects[i]);
        for (size_t j = 0; j < objects[i]->count; j++) {
            const struct gb_object *inner = objects[i]->members[j].object;

            if (inner != NULL && !was_added(inner, i, j))
                gb_object_add_python(buf, inner);
        }
    }
}

static void add_python_results(struct gb_buf *buf)
{
    const struct gb_method *method;

    for (size_t i = 0; (method = gb_method_at(i)) != NULL; i++) {
        if (method->result == NULL)
            continue;
        gb_buf_addf(buf, "    \"%s\": (\"%s\", ", method->name, method->result->name);
        if (method->beside != NULL)
            gb_buf_addf(buf, "\"%s\"", method->beside->name);
        gb_buf_adds(buf, "),\n");
    }
}

/* The Python client finds an object by its name. */
START_TEST(objects_have_names_of_their_own)
{
    struct gb_buf text = {0};

    add_python(&text);
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
        for (size_t j = 0; j < objects[i]->count; j++) {
            const struct gb_object *inner = objects[i]->members[j].object;
            char line[64];

            if (inner == NULL)
                continue;
            (void)snprintf(line, sizeof(line), "    \"%s\": {\n", inner->name);
            ck_assert_msg(strstr(gb_buf_str(&text), line) != NULL, "%s", line);
            ck_assert_msg(strstr(strstr(gb_buf_str(&text), line) + 1, line) == NULL, "%s", line);
        }
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(objects[i]->name, objects[j]->name);
    }
    gb_buf_release(&text);
}
END_TEST

START_TEST(page)
{
    check_generated("python/src/glassbell/_objects.py", "RESULTS: dict[str, tuple[str, ...]] = {\n",
                    "}\n\nOBJECTS", add_python_results);
    check_generated("python/src/glassbell/_objects.py",
                    "OBJECTS: dict[str, dict[str, Member]] = {\n", "}\n", add_python);
    check_page_part("protocol.md", "limits ", add_limits);
    check_page_part("protocol.md", "cell ", add_cell);
    check_page_part("protocol.md", "session ", add_session);
    check_page_part("protocol.md", "lease ", add_lease);
    check_page_part("protocol.md", "entry ", add_entry);
}
END_TEST

/* ---- writing ---- */

static struct gb_cell_info small_cell(void)
{
    return (struct gb_cell_info){
        .session = gb_bytes_str("s-1"),
        .number = 3,
        .image = gb_bytes_str("python"),
        .state = GB_CELL_DONE,
        .code = gb_bytes_str("x"),
        .out = gb_bytes_str("a\n"),
        .err = gb_bytes_str(""),
        .exit_code = -1,
    };
}

#define HEAD                                                                                       \
    "{\"session\":\"s-1\",\"cell\":3,\"image\":\"python\",\"client\":null,\"mode\":\"kernel\","    \
    "\"state\":\"done\","
#define ENDING                                                                                     \
    "\"displays\":[],\"exit_code\":null,\"signal\":null,\"timed_out\":false,\"interrupted\":"      \
    "false,"                                                                                       \
    "\"oom\":false,\"state_lost\":false,\"truncated\":{\"stdout\":0,\"stderr\":0},\"files\":[],"   \
    "\"wall_ms\":0.000,\"cpu_ms\":0.000,\"peak_memory_bytes\":0"

START_TEST(writes_what_there_is)
{
    struct gb_cell_info cell = small_cell();

    ck_assert_str_eq(
        written(&gb_cell_object, &cell),
        HEAD "\"code\":\"x\",\"started_at\":null,\"stdout\":\"a\\n\",\"stderr\":\"\"," ENDING "}");
    cell.flags = GB_CELL_HAS_VALUE;
    cell.started_at_ns = 1500000000;
    cell.code = (struct gb_bytes){(const uint8_t *)"\xff", 1};
    cell.out = (struct gb_bytes){(const uint8_t *)"\xff\xfe", 2};
    ck_assert_str_eq(written(&gb_cell_object, &cell),
                     HEAD "\"code\":\"\xef\xbf\xbd\",\"code_base64\":\"/w==\","
                          "\"started_at\":1.500000,\"stdout_base64\":\"//4=\",\"stderr\":\"\","
                          "\"value\":\"\"," ENDING "}");
    cell.flags = GB_CELL_RESULT_LOST | GB_CELL_CODE_LOST;
    cell.code = (struct gb_bytes){0};
    cell.mode = GB_NO_WORD;
    cell.started_at_ns = 0;
    cell.incarnation = 7;
    ck_assert_str_eq(written(&gb_cell_object, &cell),
                     "{\"session\":\"s-1\",\"cell\":3,\"image\":\"python\",\"client\":null,"
                     "\"mode\":null,\"state\":\"done\",\"code\":null,\"code_lost\":true,"
                     "\"started_at\":null,\"result_lost\":true,\"incarnation\":7}");
}
END_TEST

START_TEST(writes_briefly)
{
    const struct gb_bytes long_text = {calloc(1, GB_EVENT_TEXT_MAX + 1), GB_EVENT_TEXT_MAX + 1};
    struct gb_buf displays = {0};
    struct gb_cell_info cell = small_cell();

    gb_pairs_add(&displays, &cell.displays.pairs.count, gb_bytes_str("image/png"),
                 gb_bytes_str("12345"));
    cell.displays.pairs.encoded = gb_buf_bytes(&displays);
    ck_assert_ptr_nonnull(
        strstr(written(&gb_cell_object, &cell),
               "\"displays\":[{\"mime\":\"image/png\",\"base64\":\"MTIzNDU=\"}]"));
    gb_cell_make_brief(&cell);
    ck_assert_ptr_nonnull(strstr(written(&gb_cell_object, &cell),
                                 "\"stdout_bytes\":2,\"stderr_bytes\":0,\"displays\":"
                                 "[{\"mime\":\"image/png\",\"bytes\":5}]"));
    ck_assert_ptr_null(strstr(written(&gb_cell_object, &cell), "\"stdout\":\""));
    ck_assert_ptr_null(strstr(written(&gb_cell_object, &cell), "code_cut"));
    cell.code = cell.value = cell.argv = long_text;
    cell.flags |= GB_CELL_HAS_VALUE;
    gb_cell_make_brief(&cell);
    ck_assert_uint_eq(cell.code.size, GB_EVENT_TEXT_MAX);
    ck_assert_uint_eq(cell.value.size, GB_EVENT_TEXT_MAX);
    ck_assert_ptr_nonnull(strstr(written(&gb_cell_object, &cell), "\"code_cut\":true,\"code\":"));
    ck_assert_ptr_nonnull(strstr(written(&gb_cell_object, &cell), "\"value_cut\":true,\"value\":"));
    ck_assert_ptr_null(strstr(written(&gb_cell_object, &cell), "argv"));
    gb_buf_release(&displays);
    free((void *)(uintptr_t)long_text.data);
}
END_TEST

START_TEST(writes_sessions)
{
    struct gb_session_info info = {.id = gb_bytes_str("s"),
                                   .image = gb_bytes_str("shell"),
                                   .language = gb_bytes_str("shell"),
                                   .network = gb_bytes_str("none"),
                                   .state = GB_SESSION_IDLE,
                                   .flags = GB_SESSION_IS_OPEN,
                                   .incarnation = 1,
                                   .created_at_ns = 2000000000,
                                   .last_active_at_ns = 3000000000};

    ck_assert_str_eq(
        written(&gb_session_object, &info),
        "{\"session\":\"s\",\"key\":null,\"label\":null,\"owner\":null,\"client\":null,\"image\":"
        "\"shell\","
        "\"language\":\"shell\",\"state\":\"idle\",\"run\":false,\"incarnation\":1,\"cells\":0,"
        "\"queued\":0,\"created_at\":2.000000,\"last_active_at\":3.000000,\"memory_mb\":0,"
        "\"memory_bytes\":null,\"cpu_ms\":null,\"guest_memory\":null,\"lease\":null,"
        "\"waiting\":null,\"failed\":false,\"source\":\"boot\",\"network\":\"none\","
        "\"expires_at\":null}");
    info.flags |= GB_SESSION_HAS_USAGE | GB_SESSION_HAS_GUEST_MEMORY | GB_SESSION_HAS_LEASE |
                  GB_SESSION_HAS_WAITING;
    info.lease = (struct gb_lease_info){.client = 4, .flags = GB_LEASE_HUMAN};
    info.prompt = gb_bytes_str("? ");
    ck_assert_ptr_nonnull(
        strstr(written(&gb_session_object, &info),
               "\"memory_bytes\":0,\"cpu_ms\":0.000,\"guest_memory\":{\"total\":0,\"used\":0},"
               "\"lease\":{\"holder\":null,\"client\":4,\"human\":true,\"since\":0.000000,"
               "\"note\":null},\"waiting\":{\"cell\":0,\"client\":null,\"prompt\":\"? \"}"));
    info.flags = GB_SESSION_HAS_ENDED;
    info.reason = info.message = gb_bytes_str("closed");
    ck_assert_str_eq(
        written(&gb_session_object, &info),
        "{\"session\":\"s\",\"key\":null,\"label\":null,\"owner\":null,\"client\":null,"
        "\"image\":\"shell\",\"language\":\"shell\",\"state\":\"idle\",\"run\":false,"
        "\"incarnation\":1,\"cells\":0,\"created_at\":2.000000,\"memory_mb\":0,"
        "\"ended_at\":0.000000,\"reason\":\"closed\",\"message\":\"closed\"}");
}
END_TEST

/* ---- reading ---- */

START_TEST(reads_what_was_written)
{
    struct gb_cell_info in = small_cell(), out;
    struct gb_buf displays = {0}, files = {0}, bytes = {0};
    struct gb_display_info display;
    struct gb_file_info file;
    size_t at = 0;

    in.client = gb_bytes_str("me");
    in.mode = GB_MODE_SHELL;
    in.flags = GB_CELL_HAS_CLIENT | GB_CELL_TIMED_OUT | GB_CELL_OOM | GB_CELL_HAS_VALUE |
               GB_CELL_VALUE_CUT | GB_CELL_FILES_CUT | GB_CELL_HAS_ERROR | GB_CELL_DISPATCHED;
    in.exit_code = 255;
    in.signal = 9;
    in.error = GB_EUNKNOWN;
    in.message = gb_bytes_str("gone");
    in.started_at_ns = UINT64_C(1700000000250000000);
    in.wall_ns = 1234567000;
    in.dropped_stderr = 5;
    in.err = (struct gb_bytes){(const uint8_t *)"\0\xff", 2};
    gb_pairs_add(&displays, &in.displays.pairs.count, gb_bytes_str("image/png"),
                 gb_bytes_str("12345"));
    in.displays.pairs.encoded = gb_buf_bytes(&displays);
    gb_pairs_add(&files, &in.files.pairs.count, gb_bytes_str("a b"),
                 (struct gb_bytes){(const uint8_t *)"\2\1\0\0\0\0\0\0\0", 9});
    in.files.pairs.encoded = gb_buf_bytes(&files);
    ck_assert_int_eq(read_as(&gb_cell_object, written(&gb_cell_object, &in), &out), 0);
    ck_assert(gb_bytes_equal(out.session, "s-1") && gb_bytes_equal(out.client, "me"));
    ck_assert_uint_eq(out.number, 3);
    ck_assert_int_eq(out.mode, GB_MODE_SHELL);
    ck_assert_int_eq(out.state, GB_CELL_DONE);
    ck_assert_uint_eq(out.flags, in.flags | GB_CELL_ERR_BASE64);
    ck_assert_int_eq(out.exit_code, 255);
    ck_assert_uint_eq(out.signal, 9);
    ck_assert_uint_eq(out.error, GB_EUNKNOWN);
    ck_assert(gb_bytes_equal(out.message, "gone") && gb_bytes_equal(out.out, "a\n"));
    /* A double of seconds is good for a microsecond. */
    ck_assert_uint_lt(out.started_at_ns + 1000 - in.started_at_ns, 2000);
    ck_assert_uint_eq(out.wall_ns, in.wall_ns);
    ck_assert_uint_eq(out.dropped_stderr, 5);
    ck_assert(gb_bytes_add_decoded(&bytes, out.err, true));
    ck_assert_uint_eq(bytes.size, 2);
    ck_assert_mem_eq(gb_buf_data(&bytes), "\0\xff", 2);
    gb_buf_clear(&bytes);
    ck_assert_int_eq(gb_items_next(&gb_display_object, &out.displays, &at, &display), 1);
    ck_assert(gb_bytes_equal(display.mime, "image/png"));
    ck_assert(gb_bytes_add_decoded(&bytes, display.data, true));
    ck_assert(gb_bytes_equal(gb_buf_bytes(&bytes), "12345"));
    ck_assert_int_eq(gb_items_next(&gb_display_object, &out.displays, &at, &display), 0);
    at = 0;
    ck_assert_int_eq(gb_items_next(&gb_file_info_object, &out.files, &at, &file), 1);
    ck_assert(gb_bytes_equal(file.path, "a b"));
    ck_assert_int_eq(file.change, GB_REMOVED);
    ck_assert_uint_eq(file.size, 1);
    ck_assert_int_eq(gb_items_next(&gb_file_info_object, &out.files, &at, &file), 0);
    gb_buf_release(&displays);
    gb_buf_release(&files);
    gb_buf_release(&bytes);
    forget();
}
END_TEST

/* What is not said has no value, and what is not known is passed over. */
START_TEST(reads_what_is_missing)
{
    struct gb_cell_info cell;
    struct gb_session_info session;
    size_t at = 0;

    ck_assert_int_eq(read_as(&gb_cell_object,
                             "{\"new\":[1,{\"cell\":2}],\"exit_code\":null,\"code\":null,"
                             "\"displays\":null,\"value\":null}",
                             &cell),
                     0);
    ck_assert_int_eq(cell.exit_code, -1);
    ck_assert_int_eq(cell.mode, GB_NO_WORD);
    ck_assert_int_eq(cell.state, GB_NO_WORD);
    ck_assert_uint_eq(cell.number, 0);
    ck_assert_uint_eq(cell.flags, 0);
    ck_assert_ptr_null(cell.code.data);
    ck_assert_int_eq(gb_items_next(&gb_display_object, &cell.displays, &at, &session), 0);
    ck_assert_int_eq(read_as(&gb_cell_object,
                             "{\"exit_code\":1,\"exit_code\":2,\"cell\":3,\"cell\":true}", &cell),
                     0);
    ck_assert_int_eq(cell.exit_code, 1);
    ck_assert_uint_eq(cell.number, 3);
    ck_assert_int_eq(read_as(&gb_session_object, "{\"lease\":null,\"waiting\":null}", &session), 0);
    ck_assert_uint_eq(session.flags, 0);
    ck_assert_int_eq(
        read_as(&gb_session_object, "{\"lease\":{\"client\":2},\"guest_memory\":{}}", &session), 0);
    ck_assert_uint_eq(session.flags, GB_SESSION_HAS_LEASE | GB_SESSION_HAS_GUEST_MEMORY);
    ck_assert_uint_eq(session.lease.client, 2);
    forget();
}
END_TEST

static const struct {
    const struct gb_object *object;
    const char *json, *says;
} refusals[] = {
    {&gb_cell_object, "[]", "cell must be an object, and is an array"},
    {&gb_cell_object, "{\"session\":7}", "cell: session must be a string, and is a number"},
    {&gb_cell_object, "{\"cell\":\"7\"}", "cell: cell must be an integer"},
    {&gb_cell_object, "{\"cell\":1.5}", "cell must be an integer"},
    {&gb_cell_object, "{\"cell\":-1}", "cell is out of its range"},
    {&gb_cell_object, "{\"cell\":4294967296}", "cell is out of its range"},
    {&gb_cell_object, "{\"cell\":1e300}", "cell must be an integer"},
    {&gb_cell_object, "{\"exit_code\":256}", "exit_code is out of its range"},
    {&gb_cell_object, "{\"exit_code\":-1}", "exit_code is out of its range"},
    {&gb_cell_object, "{\"mode\":\"kernels\"}", "mode is a word that is not known"},
    {&gb_cell_object, "{\"mode\":\"\"}", "mode is a word that is not known"},
    {&gb_cell_object, "{\"state\":true}", "state must be a string"},
    {&gb_cell_object, "{\"timed_out\":1}", "timed_out must be true or false, and is a number"},
    {&gb_cell_object, "{\"wall_ms\":-1}", "wall_ms is out of its range"},
    {&gb_cell_object, "{\"wall_ms\":1e30}", "wall_ms is out of its range"},
    {&gb_cell_object, "{\"started_at\":\"now\"}", "started_at must be a number"},
    {&gb_cell_object, "{\"signal\":\"SIGNOT\"}", "signal is no signal"},
    {&gb_cell_object, "{\"signal\":9}", "signal must be a string"},
    {&gb_cell_object, "{\"stdout\":[]}", "stdout must be a string"},
    {&gb_cell_object, "{\"stdout_base64\":1}", "stdout must be a string"},
    {&gb_cell_object, "{\"code_base64\":1}", "code_base64 must be a string"},
    {&gb_cell_object, "{\"argv\":[1]}", "argv must be an array of strings"},
    {&gb_cell_object, "{\"displays\":{}}", "displays must be an array"},
    {&gb_cell_object, "{\"displays\":[1]}", "display must be an object"},
    {&gb_cell_object, "{\"displays\":[{\"mime\":1}]}", "display: mime must be a string"},
    {&gb_cell_object, "{\"displays\":[{\"bytes\":8388609}]}", "bytes is out of its range"},
    {&gb_cell_object, "{\"files\":[{\"change\":\"moved\"}]}", "change is a word"},
    {&gb_cell_object, "{\"truncated\":0}", "truncated must be an object"},
    {&gb_cell_object, "{\"truncated\":{\"stdout\":-1}}", "truncated: stdout is out of its range"},
    {&gb_cell_object, "{\"error\":{\"kind\":1}}", "error: kind must be a string"},
    {&gb_session_object, "{\"lease\":[]}", "lease must be an object"},
    {&gb_session_object, "{\"lease\":{\"human\":\"yes\"}}", "lease: human must be true or false"},
    {&gb_session_object, "{\"state\":\"open\"}", "state is a word that is not known"},
    {&gb_session_object, "{\"waiting\":{\"cell\":-2}}", "waiting: cell is out of its range"},
    {&gb_entry_object, "{\"mode\":4096}", "entry: mode is out of its range"},
    {&gb_entry_object, "{\"type\":\"fifo\"}", "entry: type is a word"},
};

START_TEST(refuses)
{
    union {
        struct gb_cell_info cell;
        struct gb_session_info session;
        struct gb_entry_info entry;
    } read;

    ck_assert_int_eq(read_as(refusals[_i].object, refusals[_i].json, &read), -GB_EINTERNAL);
    ck_assert_msg(strstr(err.message, refusals[_i].says) != NULL, "%s", err.message);
    ck_assert_ptr_eq(strstr(err.message, "the server's answer: "), err.message);
    forget();
}
END_TEST

/* ---- tests/records, which the Python client reads as well ---- */

static const struct gb_object *recorded;

static void refuse_record(void *arg, const char *line)
{
    static union {
        max_align_t alignment;
        uint8_t bytes[GB_OBJECT_SIZE_MAX];
    } read;

    (void)arg;
    ck_assert_msg(read_as(recorded, line, &read) == -GB_EINTERNAL, "%s takes %s", recorded->name,
                  line);
    ck_assert_int_eq(gb_object_check(recorded, doc.nodes, NULL), -GB_EINTERNAL);
    /* Nothing of it is taken. */
    gb_object_take(recorded, doc.nodes, &read);
    forget();
}

static void take_record(void *arg, const char *line)
{
    static union {
        max_align_t alignment;
        uint8_t bytes[GB_OBJECT_SIZE_MAX];
    } read;

    (void)arg;
    ck_assert_msg(read_as(recorded, line, &read) == 0, "%s refuses %s: %s", recorded->name, line,
                  err.message);
    ck_assert_int_eq(gb_object_check(recorded, doc.nodes, NULL), 0);
    forget();
}

START_TEST(agrees_about_records)
{
    static const char *const names[] = {
        "cell",   "session", "entry",     "lease",        "hello", "stats",       "capacity",
        "opened", "matches", "history",   "completeness", "piece", "listing",     "checkpoints",
        "kept",   "rewound", "terminals", "forked",       "diff",  "description",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char wrong[64], right[64];

        recorded = NULL;
        for (size_t j = 0; j < ARRAY_SIZE(objects); j++)
            if (strcmp(objects[j]->name, names[i]) == 0)
                recorded = objects[j];
        ck_assert_ptr_nonnull(recorded);
        (void)snprintf(wrong, sizeof(wrong), "%s.wrong", names[i]);
        (void)snprintf(right, sizeof(right), "%s.right", names[i]);
        ck_assert_uint_ge(check_records(wrong, refuse_record, NULL), 4);
        ck_assert_uint_ge(check_records(right, take_record, NULL), 2);
    }
}
END_TEST

START_TEST(refuses_long_texts)
{
    struct gb_session_info session;
    struct gb_buf json = {0};

    for (size_t size = GB_NAME_MAX; size <= GB_NAME_MAX + 1; size++) {
        gb_buf_clear(&json);
        gb_buf_adds(&json, "{\"key\":\"");
        for (size_t i = 0; i < size; i++)
            gb_buf_adds(&json, "k");
        gb_buf_adds(&json, "\"}");
        ck_assert_int_eq(read_as(&gb_session_object, gb_buf_str(&json), &session),
                         size <= GB_NAME_MAX ? 0 : -GB_EINTERNAL);
    }
    ck_assert_ptr_nonnull(strstr(err.message, "session: key is longer than it may be"));
    gb_buf_release(&json);
    forget();
}
END_TEST

START_TEST(signals_are_pairs)
{
    char name[GB_SIGNAL_NAME_MAX];

    for (uint32_t signum = 1; signum <= GB_SIGNAL_MAX; signum++) {
        uint32_t again = 0;

        gb_signal_to_string(signum, name);
        ck_assert(gb_signal_from_string(gb_bytes_str(name), &again));
        ck_assert_uint_eq(again, signum);
    }
    gb_signal_to_string(9, name);
    ck_assert_str_eq(name, "SIGKILL");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("object");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, tables, 0, ARRAY_SIZE(objects));
    tcase_add_test(all, limits_have_names_of_their_own);
    tcase_add_test(all, page);
    tcase_add_test(all, writes_what_there_is);
    tcase_add_test(all, writes_briefly);
    tcase_add_test(all, writes_sessions);
    tcase_add_test(all, reads_what_was_written);
    tcase_add_test(all, reads_what_is_missing);
    tcase_add_loop_test(all, refuses, 0, ARRAY_SIZE(refusals));
    tcase_add_test(all, agrees_about_records);
    tcase_add_test(all, objects_have_names_of_their_own);
    tcase_add_test(all, refuses_long_texts);
    tcase_add_test(all, signals_are_pairs);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
