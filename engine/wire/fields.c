/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include <assert.h>
#include <string.h>

/* The rest of a payload. */
struct cursor {
    const uint8_t *data;
    size_t size;
};

static bool take(struct cursor *cursor, size_t size, const uint8_t **ret_data)
{
    if (cursor->size < size)
        return false;
    *ret_data = cursor->data;
    cursor->data += size;
    cursor->size -= size;
    return true;
}

static bool take_u32(struct cursor *cursor, uint32_t *ret_value)
{
    const uint8_t *data;

    if (!take(cursor, 4, &data))
        return false;
    *ret_value = gb_get_u32(data);
    return true;
}

static bool take_bytes(struct cursor *cursor, size_t limit, struct gb_bytes *ret_bytes)
{
    const uint8_t *data;
    uint32_t size;

    if (!take_u32(cursor, &size) || size > limit || !take(cursor, size, &data))
        return false;
    *ret_bytes = (struct gb_bytes){data, size};
    return true;
}

static bool take_pairs(struct cursor *cursor, const struct gb_field *field,
                       struct gb_pairs *ret_pairs)
{
    struct gb_bytes key, value;
    const uint8_t *first;

    if (!take_u32(cursor, &ret_pairs->count) || ret_pairs->count > field->limit)
        return false;
    first = cursor->data;
    for (uint32_t i = 0; i < ret_pairs->count; i++)
        if (!take_bytes(cursor, field->item_limit, &key) ||
            !take_bytes(cursor, field->item_limit, &value))
            return false;
    ret_pairs->encoded = (struct gb_bytes){first, (size_t)(cursor->data - first)};
    return true;
}

static bool decode_field(struct cursor *cursor, const struct gb_field *field, uint8_t *to)
{
    const uint8_t *data;
    uint64_t wide;

    switch (field->type) {
    case GB_FIELD_U8:
        if (!take(cursor, 1, &data) || (field->limit > 0 && *data > field->limit))
            return false;
        *to = *data;
        return true;
    case GB_FIELD_U32:
        return take_u32(cursor, (uint32_t *)(void *)to);
    case GB_FIELD_U64:
    case GB_FIELD_I64:
        if (!take(cursor, 8, &data))
            return false;
        wide = gb_get_u64(data);
        memcpy(to, &wide, sizeof(wide));
        return true;
    case GB_FIELD_BYTES:
        return take_bytes(cursor, field->limit, (struct gb_bytes *)(void *)to);
    case GB_FIELD_PAIRS:
        return take_pairs(cursor, field, (struct gb_pairs *)(void *)to);
    case GB_FIELD_TYPE_COUNT:
        break;
    }
    return false;
}

int gb_fields_decode(const struct gb_fields *table, struct gb_bytes payload, void *ret_message,
                     struct gb_err *err)
{
    struct cursor cursor = {payload.data, payload.size};

    for (size_t i = 0; i < table->count; i++) {
        const struct gb_field *field = &table->fields[i];

        if (!decode_field(&cursor, field, (uint8_t *)ret_message + field->offset))
            return gb_err_set(err, GB_EINTERNAL, "%s: the field %s is missing or over its limit",
                              table->name, field->name);
    }
    if (cursor.size > 0)
        return gb_err_set(err, GB_EINTERNAL, "%s: %zu bytes too many", table->name, cursor.size);
    return 0;
}

static void encode_bytes(struct gb_bytes bytes, size_t limit, struct gb_buf *buf)
{
    assert(bytes.size <= limit);
    gb_buf_add_u32(buf, (uint32_t)bytes.size);
    gb_buf_add(buf, bytes.data, bytes.size);
}

void gb_fields_encode(const struct gb_fields *table, const void *message, struct gb_buf *buf)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct gb_field *field = &table->fields[i];
        const uint8_t *from = (const uint8_t *)message + field->offset;
        const struct gb_pairs *pairs;
        uint64_t wide;

        switch (field->type) {
        case GB_FIELD_U8:
            assert(field->limit == 0 || *from <= field->limit);
            gb_buf_add_u8(buf, *from);
            break;
        case GB_FIELD_U32:
            gb_buf_add_u32(buf, *(const uint32_t *)(const void *)from);
            break;
        case GB_FIELD_U64:
        case GB_FIELD_I64:
            memcpy(&wide, from, sizeof(wide));
            gb_buf_add_u64(buf, wide);
            break;
        case GB_FIELD_BYTES:
            encode_bytes(*(const struct gb_bytes *)(const void *)from, field->limit, buf);
            break;
        case GB_FIELD_PAIRS:
            pairs = (const struct gb_pairs *)(const void *)from;
            assert(pairs->count <= field->limit);
            gb_buf_add_u32(buf, pairs->count);
            gb_buf_add(buf, pairs->encoded.data, pairs->encoded.size);
            break;
        case GB_FIELD_TYPE_COUNT:
            assert(false);
        }
    }
}
