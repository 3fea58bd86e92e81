/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "journal/pace.h"
#include "machine/crc32c.h"
#include "model/undone.h"
#include "wire/guest.h"

/* "GbB1" to "GbB9", then "GbB:". */
enum {
    MAGIC_NAME = 0x426247,
    MAGIC_DIGIT = '0',
    MAGIC_LAST = 'Z', /* of versions to come: they count on behind '9', with ':' and so on */
    SHORT_TEXT = 4096,
    MAGIC_SIZE = 4,
};

#define FIELD(type_, field_)                                                                       \
    {                                                                                              \
        .name = #field_, .type = type_, .offset = offsetof(STRUCT, field_)                         \
    }
#define BYTES(field_, limit_)                                                                      \
    {                                                                                              \
        .name = #field_, .type = GB_FIELD_BYTES, .offset = offsetof(STRUCT, field_),               \
        .limit = (limit_)                                                                          \
    }
#define PAIRS(field_, limit_, item_)                                                               \
    {                                                                                              \
        .name = #field_, .type = GB_FIELD_PAIRS, .offset = offsetof(STRUCT, field_.pairs),         \
        .limit = (limit_), .item_limit = (item_)                                                   \
    }

#define STRUCT struct gb_record_session
static const struct gb_field session_fields[] = {
    FIELD(GB_FIELD_U8, state),          FIELD(GB_FIELD_U32, flags),
    FIELD(GB_FIELD_U32, memory_mb),     FIELD(GB_FIELD_U32, cells),
    FIELD(GB_FIELD_U64, created_at_ns), BYTES(key, GB_NAME_MAX),
    BYTES(label, GB_NAME_MAX),          BYTES(owner, GB_NAME_MAX),
    BYTES(client, GB_NAME_MAX),         BYTES(image, SHORT_TEXT),
    BYTES(language, SHORT_TEXT),        BYTES(reason, GB_NAME_MAX),
    BYTES(message, SHORT_TEXT),         BYTES(undone, GB_UNDONE_TEXT_MAX),
    BYTES(origin, GB_NAME_MAX),         FIELD(GB_FIELD_U64, origin_checkpoint),
    FIELD(GB_FIELD_U32, origin_cell),   BYTES(packages, GB_PACKAGES_LOCK_MAX),
};
#undef STRUCT
#define STRUCT struct gb_cell_info
static const struct gb_field cell_fields[] = {
    FIELD(GB_FIELD_U8, mode),
    FIELD(GB_FIELD_U32, flags),
    FIELD(GB_FIELD_I64, exit_code),
    FIELD(GB_FIELD_U32, signal),
    FIELD(GB_FIELD_U32, error),
    FIELD(GB_FIELD_U64, started_at_ns),
    FIELD(GB_FIELD_U64, wall_ns),
    FIELD(GB_FIELD_U64, cpu_ns),
    FIELD(GB_FIELD_U64, peak_memory),
    FIELD(GB_FIELD_U64, dropped_stdout),
    FIELD(GB_FIELD_U64, dropped_stderr),
    BYTES(client, GB_NAME_MAX),
    BYTES(image, SHORT_TEXT),
    BYTES(code, GB_CODE_MAX),
    BYTES(out, GB_OUTPUT_MAX),
    BYTES(err, GB_OUTPUT_MAX),
    BYTES(value, GB_VALUE_MAX),
    BYTES(note, (size_t)8 * GB_NOTE_MAX), /* escaped */
    BYTES(message, SHORT_TEXT),
    PAIRS(displays, GB_DISPLAY_COUNT_MAX, GB_DISPLAY_MAX),
    PAIRS(files, GB_RECORD_FILES_MAX, GB_PATH_MAX),
    BYTES(pace, GB_PACE_MAX),
    BYTES(file, GB_PATH_MAX),
    BYTES(argv, GB_ARGV_BYTES_MAX),
    FIELD(GB_FIELD_U64, rolled_back),
    FIELD(GB_FIELD_U32, rolled_back_cell),
    FIELD(GB_FIELD_U32, rolled_back_lost),
};
#undef STRUCT

#define STRUCT struct gb_network_record
static const struct gb_field network_fields[] = {
    FIELD(GB_FIELD_U8, kind),
    FIELD(GB_FIELD_U64, connection),
    FIELD(GB_FIELD_U32, port),
    FIELD(GB_FIELD_U32, line),
    FIELD(GB_FIELD_U64, received),
    FIELD(GB_FIELD_U64, sent),
    FIELD(GB_FIELD_U64, duration_ns),
    FIELD(GB_FIELD_U64, left_out),
    BYTES(name, GB_NETWORK_HOST_MAX),
    BYTES(address, GB_NETWORK_HOST_MAX),
    BYTES(rule, GB_NETWORK_RULES_TEXT_MAX),
    BYTES(reason, GB_NETWORK_REASON_MAX),
    BYTES(client, GB_NAME_MAX),
};
#undef STRUCT

#define STRUCT struct gb_record_annotation
static const struct gb_field annotation_fields[] = {
    FIELD(GB_FIELD_U8, flags),
    BYTES(note, GB_ANNOTATION_MAX),
    BYTES(client, GB_NAME_MAX),
};
#undef STRUCT

const struct gb_fields gb_record_session_fields = {"SESSION", session_fields,
                                                   ARRAY_SIZE(session_fields)};
const struct gb_fields gb_record_cell_fields = {"CELL", cell_fields, ARRAY_SIZE(cell_fields)};
const struct gb_fields gb_record_network_fields = {"NETWORK", network_fields,
                                                   ARRAY_SIZE(network_fields)};
const struct gb_fields gb_record_annotation_fields = {"ANNOTATION", annotation_fields,
                                                      ARRAY_SIZE(annotation_fields)};
/* How many of the last fields the records of a version lack. */
static const struct {
    size_t session, cell;
} record_lacks[GB_RECORD_NEWEST + 1] = {
    [GB_RECORD_FIRST] = {5, 6},   [GB_RECORD_SECOND] = {5, 5}, [GB_RECORD_THIRD] = {5, 5},
    [GB_RECORD_FOURTH] = {5, 3},  [GB_RECORD_FIFTH] = {4, 3},  [GB_RECORD_SIXTH] = {4, 3},
    [GB_RECORD_SEVENTH] = {1, 0}, [GB_RECORD_EIGHTH] = {1, 0},
};

/* The kinds of entries in records of the network since the eighth version. Another kind needs
 * another version: an older server would count its records as damaged, instead of leaving a journal
 * alone that it does not know. */
enum { KINDS_SINCE_EIGHTH = GB_NETWORK_VISIT + 1 };
static_assert((int)KINDS_SINCE_EIGHTH == (int)GB_NETWORK_ENTRY_COUNT,
              "a kind of entries needs a version of records");

static struct gb_fields record_fields_of(const struct gb_fields *newest, size_t lacks)
{
    return (struct gb_fields){newest->name, newest->fields, newest->count - lacks};
}

/* ---- records ---- */

static void put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t magic_of(enum gb_record_version version)
{
    return MAGIC_NAME | (uint32_t)(MAGIC_DIGIT + version) << 24;
}

static void put_u64(uint8_t *to, uint64_t value)
{
    put_u32(to, (uint32_t)value);
    put_u32(to + 4, (uint32_t)(value >> 32));
}

/* magic, type, key (8), number (8), and from there on as the older versions behind their type:
 * size, sum, session (24), cell, incarnation, at (8), nothing (4), sum of all before. */
static void write_head(uint8_t *to, const struct gb_record_head *head)
{
    memset(to, 0, GB_RECORD_HEAD);
    put_u32(to, magic_of(GB_RECORD_NEWEST));
    put_u32(to + 4, (uint32_t)head->type);
    put_u64(to + GB_RECORD_KEY_AT, head->key);
    put_u64(to + 16, head->number);
    put_u32(to + 24, head->size);
    put_u32(to + 28, head->crc);
    memcpy(to + 32, head->session, GB_RECORD_ID_MAX);
    put_u32(to + 56, head->cell);
    put_u32(to + 60, head->incarnation);
    put_u64(to + 64, head->at_ns);
    put_u32(to + 76, gb_crc32c(0, to, 76));
}

void gb_record_add(struct gb_buf *buf, struct gb_record_head head, const struct gb_fields *table,
                   const void *message)
{
    static const uint8_t nothing[GB_RECORD_HEAD];
    size_t begin = buf->size;
    const uint8_t *payload;

    gb_buf_add(buf, nothing, sizeof(nothing));
    gb_fields_encode(table, message, buf);
    payload = gb_buf_data(buf) + begin + GB_RECORD_HEAD;
    head.size = (uint32_t)(buf->size - begin - GB_RECORD_HEAD);
    head.crc = gb_crc32c(0, payload, head.size);
    write_head(buf->memory + buf->start + begin, &head);
}

static bool valid_id(const char *id)
{
    size_t size = strnlen(id, GB_RECORD_ID_MAX);

    if (size == 0 || size == GB_RECORD_ID_MAX)
        return false;
    for (size_t i = 0; i < GB_RECORD_ID_MAX; i++)
        if (i < size ? id[i] <= ' ' || id[i] >= 127 : id[i] != '\0')
            return false;
    return true;
}

/* The types of a version, and whether a record of it has the number of a cell. */
static bool valid_type(const struct gb_record_head *head)
{
    switch (head->type) {
    case GB_RECORD_SESSION:
        return head->cell == 0;
    case GB_RECORD_START:
    case GB_RECORD_CELL:
        return head->cell != 0;
    case GB_RECORD_NETWORK:
        return head->version >= GB_RECORD_SIXTH;
    case GB_RECORD_ANNOTATION:
        return head->version >= GB_RECORD_TENTH && head->cell != 0;
    case GB_RECORD_TYPE_END:
        break;
    }
    return false;
}

/* 0: unknown. */
static enum gb_record_version version_of(struct gb_bytes bytes)
{
    uint32_t magic = bytes.size < MAGIC_SIZE ? 0 : gb_get_u32(bytes.data);

    for (enum gb_record_version version = GB_RECORD_FIRST; version <= GB_RECORD_NEWEST; version++)
        if (magic == magic_of(version))
            return version;
    return 0;
}

bool gb_record_head_foreign(struct gb_bytes bytes)
{
    uint32_t magic = bytes.size < MAGIC_SIZE ? 0 : gb_get_u32(bytes.data);
    uint32_t digit = magic >> 24;

    return (magic & 0xffffff) == MAGIC_NAME && digit > MAGIC_DIGIT + GB_RECORD_NEWEST &&
           digit <= MAGIC_LAST;
}

bool gb_record_head_begins(struct gb_bytes bytes, uint64_t key)
{
    uint8_t head[GB_RECORD_HEAD];
    size_t key_end = GB_RECORD_KEY_AT + sizeof(key);
    bool begins = false;

    if (bytes.size == 0)
        return false;
    for (enum gb_record_version version = GB_RECORD_THIRD; version <= GB_RECORD_NEWEST; version++) {
        put_u32(head, magic_of(version));
        begins = begins || memcmp(bytes.data, head, MIN(bytes.size, (size_t)MAGIC_SIZE)) == 0;
    }
    put_u64(head + GB_RECORD_KEY_AT, key);
    return begins && (bytes.size <= GB_RECORD_KEY_AT ||
                      memcmp(bytes.data + GB_RECORD_KEY_AT, head + GB_RECORD_KEY_AT,
                             MIN(bytes.size, key_end) - GB_RECORD_KEY_AT) == 0);
}

int gb_record_head_read(struct gb_bytes bytes, struct gb_record_head *ret_head)
{
    struct gb_record_head head = {.version = version_of(bytes)};
    size_t size = gb_record_head_size(&head);
    const uint8_t *rest = bytes.data + 8; /* after magic and type, and key and number */
    uint32_t type;

    if (head.version == 0 || bytes.size < size ||
        gb_get_u32(bytes.data + size - 4) != gb_crc32c(0, bytes.data, size - 4))
        return -GB_EINTERNAL;
    if (head.version >= GB_RECORD_THIRD) {
        head.key = gb_get_u64(bytes.data + GB_RECORD_KEY_AT);
        head.number = gb_get_u64(bytes.data + 16);
        rest += GB_RECORD_HEAD - GB_RECORD_HEAD_OLD;
    }
    type = gb_get_u32(bytes.data + 4);
    head.size = gb_get_u32(rest);
    head.crc = gb_get_u32(rest + 4);
    memcpy(head.session, rest + 8, GB_RECORD_ID_MAX);
    head.cell = gb_get_u32(rest + 32);
    head.incarnation = gb_get_u32(rest + 36);
    head.at_ns = gb_get_u64(rest + 40);
    if (type == 0 || type >= GB_RECORD_TYPE_END || head.size > GB_RECORD_MAX ||
        gb_get_u32(rest + 48) != 0)
        return -GB_EINTERNAL;
    head.type = (enum gb_record_type)type;
    if (!valid_id(head.session) || !valid_type(&head))
        return -GB_EINTERNAL;
    *ret_head = head;
    return 0;
}

static int read_payload(const struct gb_record_head *head, struct gb_bytes payload,
                        const struct gb_fields *newest, size_t lacks, void *ret_message)
{
    const struct gb_fields table = record_fields_of(newest, lacks);

    if (payload.size != head->size || gb_crc32c(0, payload.data, payload.size) != head->crc)
        return -GB_EINTERNAL;
    return gb_fields_decode(&table, payload, ret_message, NULL);
}

int gb_record_read_session(const struct gb_record_head *head, struct gb_bytes payload,
                           struct gb_record_session *ret_session)
{
    struct gb_record_session session = {0};

    if (head->type != GB_RECORD_SESSION ||
        read_payload(head, payload, &gb_record_session_fields, record_lacks[head->version].session,
                     &session) < 0)
        return -GB_EINTERNAL;
    if (session.state >= GB_RECORD_STATE_COUNT || session.flags >= GB_SESSION_FLAGS_END ||
        !gb_undone_is_text(session.undone))
        return -GB_EINTERNAL;
    *ret_session = session;
    return 0;
}

int gb_record_read_cell(const struct gb_record_head *head, struct gb_bytes payload,
                        struct gb_cell_info *ret_cell)
{
    struct gb_cell_info cell = {0};

    if ((head->type != GB_RECORD_START && head->type != GB_RECORD_CELL) ||
        read_payload(head, payload, &gb_record_cell_fields, record_lacks[head->version].cell,
                     &cell) < 0)
        return -GB_EINTERNAL;
    if (cell.mode >= GB_MODE_COUNT || cell.flags >= GB_CELL_FLAGS_END || cell.exit_code < -1 ||
        cell.exit_code > 255 || cell.signal > 64 || cell.error >= GB_CODE_COUNT)
        return -GB_EINTERNAL;
    cell.session = gb_bytes_str(head->session);
    cell.number = head->cell;
    cell.incarnation = head->incarnation;
    cell.state = head->type == GB_RECORD_CELL ? GB_CELL_DONE : GB_CELL_RUNNING;
    *ret_cell = cell;
    return 0;
}

/* An empty text means none. */
static struct gb_bytes text_of(struct gb_bytes text)
{
    const struct gb_bytes none = {0};

    return text.size == 0 ? none : text;
}

int gb_record_read_network(const struct gb_record_head *head, struct gb_bytes payload,
                           struct gb_network_record *ret_record)
{
    struct gb_network_record record = {0};

    if (head->type != GB_RECORD_NETWORK ||
        read_payload(head, payload, &gb_record_network_fields, 0, &record) < 0)
        return -GB_EINTERNAL;
    if (record.kind >= GB_NETWORK_ENTRY_COUNT || record.port > UINT16_MAX)
        return -GB_EINTERNAL;
    record.number = head->number;
    record.at_ns = head->at_ns;
    record.cell = head->cell;
    record.name = text_of(record.name);
    record.address = text_of(record.address);
    record.rule = text_of(record.rule);
    record.reason = text_of(record.reason);
    record.client = text_of(record.client);
    *ret_record = record;
    return 0;
}

int gb_record_read_annotation(const struct gb_record_head *head, struct gb_bytes payload,
                              struct gb_record_annotation *ret_annotation)
{
    struct gb_record_annotation annotation = {0};

    if (head->type != GB_RECORD_ANNOTATION ||
        read_payload(head, payload, &gb_record_annotation_fields, 0, &annotation) < 0)
        return -GB_EINTERNAL;
    if (annotation.flags >= GB_ANNOTATION_FLAGS_END)
        return -GB_EINTERNAL;
    annotation.number = head->number;
    annotation.at_ns = head->at_ns;
    *ret_annotation = annotation;
    return 0;
}
