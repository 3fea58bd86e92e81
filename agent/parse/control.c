/* SPDX-License-Identifier: Apache-2.0 */
#include "parse/control.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "wire/guest.h"
#include "wire/table.h"

enum { ENTROPY_MAX = 512, INDENT_MAX = 256, KIND_MAX = 64 };

/* clang-format off */
TABLE(control_run_fields, "CELL",
      U32(control_run, cell), U8(control_run, flags),
      PAIRS(control_run, env, GB_ENV_COUNT_MAX, GB_ENV_VALUE_MAX),
      BYTES(control_run, file, GB_PATH_MAX + sizeof("/home/user/")),
      BYTES(control_run, argv, GB_ARGV_BYTES_MAX), BYTES(control_run, code, GB_CODE_MAX));
TABLE(control_settings_fields, "SETTINGS",
      BYTES(control_settings, entropy, ENTROPY_MAX),
      PAIRS(control_settings, env, GB_ENV_COUNT_MAX, GB_ENV_VALUE_MAX));
TABLE(control_complete_fields, "COMPLETE",
      U32(control_complete, id), BYTES(control_complete, code, GB_CODE_MAX),
      U32(control_complete, cursor));
TABLE(control_is_complete_fields, "IS_COMPLETE",
      U32(control_is_complete, id), BYTES(control_is_complete, code, GB_CODE_MAX));
TABLE(control_describe_fields, "DESCRIBE",
      U32(control_describe, id), BYTES(control_describe, code, GB_CODE_MAX));

STATIC_TABLE(done_fields, "DONE",
             U32(control_done, cell), U32(control_done, exit_code), U8(control_done, flags),
             BYTES(control_done, value, GB_VALUE_MAX));
STATIC_TABLE(ending_fields, "ENDING",
             U32(control_ending, cell), U8(control_ending, flags),
             BYTES(control_ending, value, GB_VALUE_MAX));
STATIC_TABLE(begun_fields, "BEGUN", U32(control_begun, cell));
STATIC_TABLE(display_fields, "DISPLAY",
             U32(control_display, cell), BYTES(control_display, mime, GB_MIME_MAX),
             BYTES(control_display, data, GB_DISPLAY_MAX));
STATIC_TABLE(waiting_fields, "WAITING", U32(control_waiting, cell),
             CHOICE(control_waiting, on, 2));
STATIC_TABLE(completions_fields, "COMPLETIONS",
             U32(control_completions, id), U32(control_completions, start),
             U32(control_completions, end),
             PAIRS(control_completions, matches, GB_MATCHES_MAX, GB_MATCH_TEXT_MAX));
STATIC_TABLE(completeness_fields, "COMPLETENESS",
             U32(control_completeness, id),
             CHOICE(control_completeness, status, GB_COMPLETENESS_COUNT),
             BYTES(control_completeness, indent, INDENT_MAX));
STATIC_TABLE(description_fields, "DESCRIPTION",
             U32(control_description, id), BYTES(control_description, type, KIND_MAX),
             BYTES(control_description, signature, GB_DESCRIPTION_MAX),
             BYTES(control_description, summary, GB_DESCRIPTION_MAX));
/* clang-format on */

/* What a worker may send on which channel, and the maximum size of its payload. */
static const struct rule {
    enum control_type type;
    enum control_channel channel;
    const struct gb_fields *fields; /* NULL: no payload */
    size_t limit;
} rules[] = {
    {CONTROL_READY, CONTROL_CELL, NULL, 0},
    {CONTROL_DONE, CONTROL_CELL, &done_fields, 16 + GB_VALUE_MAX},
    {CONTROL_SETTLED, CONTROL_CELL, NULL, 0},
    {CONTROL_DISPLAY, CONTROL_CELL, &display_fields, 16 + GB_MIME_MAX + GB_DISPLAY_MAX},
    {CONTROL_WAITING, CONTROL_CELL, &waiting_fields, 8},
    {CONTROL_PREPARED, CONTROL_CELL, NULL, 0},
    {CONTROL_ENDING, CONTROL_CELL, &ending_fields, 16 + GB_VALUE_MAX},
    {CONTROL_BEGUN, CONTROL_CELL, &begun_fields, 8},
    {CONTROL_COMPLETIONS, CONTROL_QUERY, &completions_fields,
     16 + (size_t)GB_MATCHES_MAX * 2 * (4 + GB_MATCH_TEXT_MAX)},
    {CONTROL_COMPLETENESS, CONTROL_QUERY, &completeness_fields, 16 + INDENT_MAX},
    {CONTROL_DESCRIPTION, CONTROL_QUERY, &description_fields,
     16 + KIND_MAX + (size_t)2 * GB_DESCRIPTION_MAX},
};

void control_add(struct gb_buf *buf, enum control_type type, const struct gb_fields *table,
                 const void *message)
{
    size_t begin = buf->size;
    uint32_t size;
    uint8_t *header;

    gb_buf_add_u32(buf, 0);
    gb_buf_add_u8(buf, (uint8_t)type);
    gb_buf_add_u8(buf, 0);
    gb_buf_add_u16(buf, 0);
    if (table != NULL)
        gb_fields_encode(table, message, buf);
    size = (uint32_t)(buf->size - begin - CONTROL_HEADER);
    header = buf->memory + buf->start + begin;
    for (size_t i = 0; i < 4; i++)
        header[i] = (uint8_t)(size >> (8 * i));
}

static const struct rule *find_rule(enum control_channel channel, uint8_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (rules[i].channel == channel && (uint8_t)rules[i].type == type)
            return &rules[i];
    }
    return NULL;
}

static bool result_allowed(uint8_t flags, struct gb_bytes value)
{
    return (flags & ~(CONTROL_HAS_VALUE | CONTROL_INTERRUPTED | CONTROL_VALUE_CUT)) == 0 &&
           ((flags & CONTROL_HAS_VALUE) != 0 || value.size == 0);
}

/* Checks that the field tables cannot express. */
static bool values_allowed(const struct control_message *message)
{
    switch (message->type) {
    case CONTROL_DONE:
        return message->done.exit_code <= 255 &&
               result_allowed(message->done.flags, message->done.value);
    case CONTROL_ENDING:
        return result_allowed(message->ending.flags, message->ending.value);
    case CONTROL_DISPLAY:
        return message->display.mime.size > 0;
    case CONTROL_COMPLETIONS:
        return message->completions.start <= message->completions.end;
    default:
        return true;
    }
}

/* The member of the union for the fields of @type; all members start at the same address. */
static void *payload_of(struct control_message *message)
{
    return &message->done;
}

int control_next(enum control_channel channel, struct gb_bytes input,
                 struct control_message *ret_message, size_t *ret_size, struct gb_err *err)
{
    const struct rule *rule;
    struct gb_bytes payload;
    uint32_t size;
    int r = 0;

    if (input.size < CONTROL_HEADER) {
        *ret_size = CONTROL_HEADER;
        return 0;
    }
    size = gb_get_u32(input.data);
    rule = find_rule(channel, input.data[4]);
    if (rule == NULL || input.data[5] != 0 || gb_get_u16(input.data + 6) != 0)
        return gb_err_set(err, GB_EINTERNAL, "the worker sent a message of unknown type %u",
                          input.data[4]);
    if (size > rule->limit)
        return gb_err_set(err, GB_EINTERNAL, "the worker sent a message of %u bytes, type %u", size,
                          input.data[4]);
    *ret_size = CONTROL_HEADER + (size_t)size;
    if (input.size < *ret_size)
        return 0;
    payload = (struct gb_bytes){input.data + CONTROL_HEADER, size};
    *ret_message = (struct control_message){.type = rule->type};
    if (rule->fields != NULL)
        r = gb_fields_decode(rule->fields, payload, payload_of(ret_message), err);
    if (r < 0)
        return gb_err_wrap(err, r, "the worker's message");
    if (!values_allowed(ret_message))
        return gb_err_set(err, GB_EINTERNAL,
                          "the worker sent values that are out of range, type %u", input.data[4]);
    return 1;
}
