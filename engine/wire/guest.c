/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/sync.h"
#include "wire/table.h"

enum {
    NAME_MAX_BYTES = 64,
    ENTROPY_MAX = 512,
    INDENT_MAX = 256,
    MESSAGE_MAX = 1024,
    OPEN_PARAMS_MAX = GB_PATH_MAX + 64,
    CERTIFICATES_MAX = 16 * 1024
};

/* clang-format off */
TABLE(gb_hello_fields, "HELLO",
      U32(gb_hello, version), BYTES(gb_hello, language, NAME_MAX_BYTES),
      BYTES(gb_hello, kernel, (size_t)2 * NAME_MAX_BYTES), U64(gb_hello, boot_ns));
TABLE(gb_ready_fields, "READY",
      BYTES(gb_ready, language, NAME_MAX_BYTES), U32(gb_ready, generation),
      U64(gb_ready, start_ns));
TABLE(gb_pong_fields, "PONG",
      U64(gb_pong, uptime_ns), U64(gb_pong, wall_ns), CHOICE(gb_pong, ready, 2));
TABLE(gb_configure_fields, "CONFIGURE",
      BYTES(gb_configure, entropy, ENTROPY_MAX), U64(gb_configure, wall_ns),
      BYTES(gb_configure, hostname, NAME_MAX_BYTES), BYTES(gb_configure, machine_id, NAME_MAX_BYTES),
      PAIRS(gb_configure, env, GB_ENV_COUNT_MAX, GB_ENV_VALUE_MAX), U32(gb_configure, nproc));
TABLE(gb_resume_fields, "RESUME",
      U64(gb_resume, wall_ns), BYTES(gb_resume, entropy, ENTROPY_MAX));
TABLE(gb_exec_fields, "EXEC",
      U8(gb_exec, mode), U8(gb_exec, flags), U32(gb_exec, timeout_ms),
      U64(gb_exec, max_stdout), U64(gb_exec, max_stderr),
      PAIRS(gb_exec, env, GB_ENV_COUNT_MAX, GB_ENV_VALUE_MAX),
      BYTES(gb_exec, file, GB_PATH_MAX), BYTES(gb_exec, argv, GB_ARGV_BYTES_MAX),
      BYTES(gb_exec, code, GB_CODE_MAX), BYTES(gb_exec, stdin_data, GB_STDIN_MAX));
TABLE(gb_credit_fields, "CREDIT", U64(gb_credit, bytes));
TABLE(gb_display_fields, "DISPLAY",
      BYTES(gb_display, mime, GB_MIME_MAX), BYTES(gb_display, data, GB_DISPLAY_MAX));
TABLE(gb_waiting_fields, "WAITING", CHOICE(gb_waiting, on, 2));
TABLE(gb_done_fields, "DONE",
      I64(gb_done, exit_code), U32(gb_done, signal), U32(gb_done, flags),
      U64(gb_done, dropped_stdout), U64(gb_done, dropped_stderr),
      U64(gb_done, wall_ns), U64(gb_done, cpu_ns), U64(gb_done, peak_memory),
      BYTES(gb_done, value, GB_VALUE_MAX), BYTES(gb_done, note, GB_NOTE_MAX),
      PAIRS(gb_done, changed, GB_CHANGED_MAX, GB_PATH_MAX));
TABLE(gb_open_fields, "OPEN", U8(gb_open, kind), BYTES(gb_open, params, OPEN_PARAMS_MAX));
TABLE(gb_interrupt_fields, "INTERRUPT",
      CHOICE(gb_interrupt_request, how, GB_INTERRUPT_COUNT));
TABLE(gb_complete_fields, "COMPLETE",
      BYTES(gb_complete, code, GB_CODE_MAX), U32(gb_complete, cursor));
TABLE(gb_completions_fields, "COMPLETIONS",
      U32(gb_completions, start), U32(gb_completions, end),
      PAIRS(gb_completions, matches, GB_MATCHES_MAX, GB_MATCH_TEXT_MAX));
TABLE(gb_is_complete_fields, "IS_COMPLETE", BYTES(gb_is_complete, code, GB_CODE_MAX));
TABLE(gb_completeness_fields, "COMPLETENESS",
      CHOICE(gb_completeness_reply, status, GB_COMPLETENESS_COUNT),
      BYTES(gb_completeness_reply, indent, INDENT_MAX));
TABLE(gb_describe_fields, "DESCRIBE", BYTES(gb_describe, code, GB_CODE_MAX));
TABLE(gb_description_fields, "DESCRIPTION",
      BYTES(gb_description, type, NAME_MAX_BYTES),
      BYTES(gb_description, signature, GB_DESCRIPTION_MAX),
      BYTES(gb_description, summary, GB_DESCRIPTION_MAX));
TABLE(gb_terminal_fields, "TERMINAL",
      U32(gb_terminal_request, number), U32(gb_terminal_request, rows),
      U32(gb_terminal_request, columns),
      PAIRS(gb_terminal_request, env, GB_ENV_COUNT_MAX, GB_ENV_VALUE_MAX),
      BYTES(gb_terminal_request, argv, GB_ARGV_BYTES_MAX));
TABLE(gb_resize_fields, "RESIZE",
      U32(gb_terminal_size, number), U32(gb_terminal_size, rows),
      U32(gb_terminal_size, columns));
TABLE(gb_file_list_fields, "FILE_LIST",
      BYTES(gb_file_list, path, GB_PATH_MAX), BYTES(gb_file_list, after, GB_FILE_NAME_MAX),
      U32(gb_file_list, limit));
TABLE(gb_file_path_fields, "FILE_STAT", BYTES(gb_file_path, path, GB_PATH_MAX));
TABLE(gb_file_change_fields, "FILE_REMOVE or FILE_MKDIR",
      BYTES(gb_file_change, path, GB_PATH_MAX), CHOICE(gb_file_change, recursive, 2));
TABLE(gb_trust_fields, "TRUST", BYTES(gb_trust, certificates, CERTIFICATES_MAX));
TABLE(gb_status_fields, "STATUS",
      U64(gb_status, memory_total), U64(gb_status, memory_available), U64(gb_status, memory_used),
      U64(gb_status, cpu_ns), U32(gb_status, processes), U64(gb_status, uptime_ns),
      U64(gb_status, wall_ns));
TABLE(gb_guest_error_fields, "ERROR",
      U32(gb_guest_error, code), BYTES(gb_guest_error, message, MESSAGE_MAX));
TABLE(gb_guest_log_fields, "LOG",
      U8(gb_guest_log, level), BYTES(gb_guest_log, text, GB_GUEST_LOG_MAX));
TABLE(gb_network_begin_fields, "NETWORK_ON or NETWORK_START",
      BYTES(gb_network_begin, mark, GB_SYNC_BYTES));
TABLE(gb_listening_fields, "LISTENING",
      BYTES(gb_listening, ports, sizeof(uint16_t) * GB_LISTENING_MAX));
/* clang-format on */

const char *gb_guest_type_name(uint16_t type)
{
    switch (type) {
#define GB_X(name, value)                                                                          \
    case value:                                                                                    \
        return &#name[sizeof("GB_GUEST_") - 1];
        GB_GUEST_TYPES(GB_X)
#undef GB_X
    default:
        return "?";
    }
}

static bool guest_may_fail_with(uint32_t code)
{
    static const enum gb_code codes[] = {GB_EINVALID, GB_ENOTFOUND,    GB_EBUSY,     GB_ECAPACITY,
                                         GB_EPOLICY,  GB_EUNSUPPORTED, GB_ETOOLARGE, GB_EINTERNAL};

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (code == (uint32_t)codes[i])
            return true;
    return false;
}

int gb_listening_read(struct gb_bytes encoded, uint16_t ret_ports[GB_LISTENING_MAX],
                      unsigned *ret_count, struct gb_err *err)
{
    unsigned count = 0;

    if (encoded.size % sizeof(uint16_t) != 0 || encoded.size > sizeof(uint16_t) * GB_LISTENING_MAX)
        return gb_err_set(err, GB_EINTERNAL, "LISTENING: %zu bytes of ports", encoded.size);
    for (; count < encoded.size / sizeof(uint16_t); count++) {
        uint16_t port = (uint16_t)(encoded.data[2 * count] | encoded.data[2 * count + 1] << 8);

        if (port <= (count > 0 ? ret_ports[count - 1] : 0))
            return gb_err_set(err, GB_EINTERNAL, "LISTENING: port %u is not in order", port);
        ret_ports[count] = port;
    }
    *ret_count = count;
    return 0;
}

int gb_guest_error_read(const struct gb_frame *frame, struct gb_err *ret_error, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_guest_error message;
    int r = gb_fields_decode(&gb_guest_error_fields, frame->payload, &message, err);

    if (r < 0)
        return r;
    if (!guest_may_fail_with(message.code))
        return gb_err_set(err, GB_EINTERNAL, "%s: a guest never sends the code %u",
                          gb_guest_type_name(frame->type), message.code);
    gb_escape(&text, message.message, GB_ERR_MESSAGE_MAX);
    (void)gb_err_set(ret_error, (enum gb_code)message.code, "%s", gb_buf_str(&text));
    return 0;
}

void gb_guest_add(struct gb_buf *buf, struct gb_frame frame, const struct gb_fields *table,
                  const void *message)
{
    uint8_t header[GB_FRAME_HEADER] = {0};
    size_t begin = buf->size;

    gb_buf_add(buf, header, sizeof(header));
    if (table != NULL)
        gb_fields_encode(table, message, buf);
    gb_frame_header(header, &frame, buf->size - begin - GB_FRAME_HEADER);
    memcpy(buf->memory + buf->start + begin, header, sizeof(header));
}

static const struct gb_field entry_list[] = {
    BYTES(gb_file_entry, name, GB_FILE_NAME_MAX),
    U8(gb_file_entry, type),
    U64(gb_file_entry, size),
    U64(gb_file_entry, allocated),
    I64(gb_file_entry, mtime_ns),
    U32(gb_file_entry, mode),
};
static const struct gb_fields entry_fields = {"entry", entry_list, ARRAY_SIZE(entry_list)};

/* The size of an entry besides its name: length, type, size, allocated, mtime, mode. */
enum { ENTRY_FIXED = 4 + 1 + 8 + 8 + 8 + 4, ENTRIES_HEAD = 1 + 4 };

size_t gb_entries_begin(struct gb_buf *payload)
{
    size_t begin = payload->size;

    gb_buf_add_u8(payload, 0);
    gb_buf_add_u32(payload, 0);
    return begin;
}

void gb_entries_add(struct gb_buf *payload, const struct gb_file_entry *entry)
{
    gb_fields_encode(&entry_fields, entry, payload);
}

void gb_entries_end(struct gb_buf *payload, size_t begin, uint32_t count, bool more)
{
    uint8_t *head = payload->memory + payload->start + begin;

    head[0] = more;
    for (size_t i = 0; i < 4; i++)
        head[1 + i] = (uint8_t)(count >> (8 * i));
}

int gb_entries_head(struct gb_bytes payload, bool *ret_more, uint32_t *ret_count,
                    struct gb_bytes *ret_rest, struct gb_err *err)
{
    if (payload.size < ENTRIES_HEAD || payload.data[0] > 1 ||
        gb_get_u32(payload.data + 1) > GB_ENTRIES_MAX)
        return gb_err_set(err, GB_EINTERNAL, "FILE_ENTRIES: the head is invalid");
    *ret_more = payload.data[0] == 1;
    *ret_count = gb_get_u32(payload.data + 1);
    *ret_rest = (struct gb_bytes){payload.data + ENTRIES_HEAD, payload.size - ENTRIES_HEAD};
    return 0;
}

/* A name in a folder, or "." for a home itself. */
static bool is_name(struct gb_bytes name)
{
    return name.size > 0 && !gb_bytes_equal(name, "..") &&
           memchr(name.data, '/', name.size) == NULL && memchr(name.data, '\0', name.size) == NULL;
}

int gb_entries_next(struct gb_bytes *rest, struct gb_file_entry *ret_entry, struct gb_err *err)
{
    uint32_t name_size;
    struct gb_bytes one;
    int r;

    if (rest->size < ENTRY_FIXED)
        return gb_err_set(err, GB_EINTERNAL, "FILE_ENTRIES: an entry is truncated");
    name_size = gb_get_u32(rest->data);
    if (name_size > GB_FILE_NAME_MAX || rest->size - ENTRY_FIXED < name_size)
        return gb_err_set(err, GB_EINTERNAL, "FILE_ENTRIES: a name is over its limit");
    one = (struct gb_bytes){rest->data, ENTRY_FIXED + name_size};
    r = gb_fields_decode(&entry_fields, one, ret_entry, err);
    if (r < 0)
        return r;
    if (ret_entry->type >= GB_ENTRY_TYPE_COUNT)
        return gb_err_set(err, GB_EINTERNAL, "FILE_ENTRIES: an entry of type %u", ret_entry->type);
    if (!is_name(ret_entry->name) || ret_entry->size > INT64_MAX ||
        ret_entry->allocated > INT64_MAX || ret_entry->mode > 07777)
        return gb_err_set(err, GB_EINTERNAL, "FILE_ENTRIES: an entry that no folder can have");
    rest->data += one.size;
    rest->size -= one.size;
    return 0;
}

/* The value of a pair in DONE's list of changes: change, size. */
enum { CHANGED_VALUE = 1 + 8 };

void gb_changed_add(struct gb_buf *encoded, uint32_t *count, const struct gb_changed *changed)
{
    uint8_t value[CHANGED_VALUE];

    value[0] = changed->change;
    for (size_t i = 0; i < 8; i++)
        value[1 + i] = (uint8_t)(changed->size >> (8 * i));
    gb_pairs_add(encoded, count, changed->path, (struct gb_bytes){value, sizeof(value)});
}

/* A path that stays below its starting folder: names and single slashes, without "..". */
static bool stays_below(struct gb_bytes path)
{
    for (size_t at = 0, end; at <= path.size; at = end + 1) {
        size_t size;

        for (end = at; end < path.size && path.data[end] != '/'; end++) {
            if (path.data[end] == '\0')
                return false;
        }
        size = end - at;
        if (size == 0 ||
            (path.data[at] == '.' && (size == 1 || (size == 2 && path.data[at + 1] == '.'))))
            return false;
    }
    return true;
}

int gb_changed_next(const struct gb_pairs *pairs, size_t *at, struct gb_changed *ret_changed,
                    struct gb_err *err)
{
    struct gb_bytes path, value;

    if (gb_pairs_next(pairs, at, &path, &value) == 0)
        return 0;
    if (value.size != CHANGED_VALUE || value.data[0] >= GB_CHANGE_COUNT || !stays_below(path))
        return gb_err_set(err, GB_EINTERNAL, "DONE: a changed file that cannot be");
    *ret_changed = (struct gb_changed){path, value.data[0], gb_get_u64(value.data + 1)};
    return 1;
}
