/* SPDX-License-Identifier: Apache-2.0 */
/* Writes and reads objects according to their tables. */
#include "rpc/object.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "rpc/base64.h"

enum { KEY_MAX = 64 };

static const void *object_at(const struct gb_member *member, const void *from)
{
    return (const uint8_t *)from + member->offset;
}

static uint32_t object_flags(const struct gb_object *object, const void *from)
{
    uint32_t flags;

    memcpy(&flags, (const uint8_t *)from + object->flags_offset, sizeof(flags));
    return flags;
}

static uint32_t object_u32(const void *at)
{
    return *(const uint32_t *)at;
}

static uint64_t object_u64(const void *at)
{
    return *(const uint64_t *)at;
}

static struct gb_bytes object_bytes(const void *at)
{
    return *(const struct gb_bytes *)at;
}

/* ---- writing ---- */

/* Whether a member without a bit has a value, according to its field. */
static bool object_has_value(const struct gb_member *member, const void *at)
{
    switch (member->type) {
    case GB_TEXT:
    case GB_BYTES:
    case GB_PAIR:
    case GB_BASE64:
    case GB_STRINGS:
        return member->presence == GB_OPTIONAL ? object_bytes(at).size > 0
                                               : object_bytes(at).data != NULL;
    case GB_EXACT:
        return !gb_utf8_valid(object_bytes(at));
    case GB_U32:
    case GB_SIGNAL:
    case GB_KIND:
        return object_u32(at) != 0;
    case GB_U64:
    case GB_MS:
    case GB_SECONDS:
        return object_u64(at) != 0;
    case GB_I64:
        return *(const int64_t *)at != -1;
    case GB_WORD:
        return *(const uint8_t *)at != GB_NO_WORD;
    case GB_BOOL:
    case GB_NAMES:
    case GB_NUMBER:
    case GB_OBJECT:
    case GB_LIST:
    case GB_ARRAY:
    case GB_MAP:
    case GB_MEMBER_TYPE_COUNT:
        break;
    }
    return true;
}

static void object_write_strings(struct gb_json_out *out, const struct gb_member *member,
                                 struct gb_bytes left)
{
    bool text = gb_utf8_valid(left);
    char key[KEY_MAX];

    (void)snprintf(key, sizeof(key), "%s%s", member->name, text ? "" : "_base64");
    gb_json_array(out, key);
    while (left.size > 0) {
        const uint8_t *end = memchr(left.data, '\0', left.size);
        size_t size = end == NULL ? left.size : (size_t)(end - left.data);

        if (text)
            gb_json_put(out, NULL, (struct gb_bytes){left.data, size});
        else
            gb_json_put_base64(out, NULL, (struct gb_bytes){left.data, size});
        size = MIN(size + 1, left.size);
        left.data += size;
        left.size -= size;
    }
    gb_json_end(out);
}

/* Large enough for the struct of any element. */
union object_item {
    max_align_t alignment;
    uint8_t bytes[GB_OBJECT_SIZE_MAX];
};

static void object_write_list(struct gb_json_out *out, const struct gb_member *member,
                              const struct gb_items *items)
{
    union object_item item;

    assert(member->object->size <= sizeof(item));
    if (items->written.data != NULL) {
        gb_json_put_raw(out, member->name, items->written);
        return;
    }
    gb_json_array(out, member->name);
    for (size_t at = 0; gb_items_next(member->object, items, &at, &item) == 1;) {
        gb_json_object(out, NULL);
        gb_object_write(out, member->object, &item);
        gb_json_end(out);
    }
    gb_json_end(out);
}

static void object_write_names(struct gb_json_out *out, const char *key,
                               const struct gb_names *names)
{
    struct gb_bytes name;

    gb_json_array(out, key);
    for (size_t at = 0; gb_names_next(names, &at, &name);)
        gb_json_put(out, NULL, name);
    gb_json_end(out);
}

static void object_write_bytes(struct gb_json_out *out, const struct gb_member *member,
                               struct gb_bytes bytes)
{
    char key[KEY_MAX];

    (void)snprintf(key, sizeof(key), "%s_base64", member->name);
    gb_json_put_bytes(out, member->name, key, bytes);
}

static void object_write_signal(struct gb_json_out *out, const char *key, uint32_t signum)
{
    char name[GB_SIGNAL_NAME_MAX];

    gb_signal_to_string(signum, name);
    gb_json_put_str(out, key, name);
}

static void object_write_value(struct gb_json_out *out, const struct gb_member *member,
                               const void *at, uint32_t flags)
{
    const char *key = member->name;

    switch (member->type) {
    case GB_TEXT:
        gb_json_put(out, key, object_bytes(at));
        break;
    case GB_BYTES:
        object_write_bytes(out, member, object_bytes(at));
        break;
    case GB_PAIR:
        gb_json_put_bytes(out, key, "base64", object_bytes(at));
        break;
    case GB_BASE64:
    case GB_EXACT:
        gb_json_put_base64(out, key, object_bytes(at));
        break;
    case GB_STRINGS:
        object_write_strings(out, member, object_bytes(at));
        break;
    case GB_U32:
        gb_json_put_u64(out, key, object_u32(at));
        break;
    case GB_U64:
        gb_json_put_u64(out, key, object_u64(at));
        break;
    case GB_I64:
        gb_json_put_i64(out, key, *(const int64_t *)at);
        break;
    case GB_BOOL:
        gb_json_put_bool(out, key, (flags & member->bit) != 0);
        break;
    case GB_WORD:
        gb_json_put_str(out, key, gb_words_at(member->words, *(const uint8_t *)at));
        break;
    case GB_SIGNAL:
        object_write_signal(out, key, object_u32(at));
        break;
    case GB_KIND:
        gb_json_put_str(out, key, gb_code_kind((enum gb_code)object_u32(at)));
        break;
    case GB_NAMES:
        object_write_names(out, key, at);
        break;
    case GB_NUMBER:
        gb_json_put_number(out, key, *(const double *)at);
        break;
    case GB_MS:
        gb_json_put_ms(out, key, object_u64(at));
        break;
    case GB_SECONDS:
        gb_json_put_seconds(out, key, object_u64(at));
        break;
    case GB_OBJECT:
        gb_json_object(out, key);
        gb_object_write(out, member->object, at);
        gb_json_end(out);
        break;
    case GB_LIST:
        object_write_list(out, member, at);
        break;
    case GB_ARRAY:
    case GB_MAP:
    case GB_MEMBER_TYPE_COUNT:
        assert(false);
    }
}

/* Whether its owner writes it. */
static bool object_has_form(const struct gb_member *member)
{
    return member->type == GB_ARRAY || member->type == GB_MAP;
}

void gb_object_write(struct gb_json_out *out, const struct gb_object *object, const void *from)
{
    const uint32_t flags = object_flags(object, from);

    for (size_t i = 0; i < object->count; i++) {
        const struct gb_member *member = &object->members[i];
        const void *at = object_at(member, from);
        bool has = member->bit != 0 ? (flags & member->bit) != 0 : object_has_value(member, at);

        if ((flags & member->unless) != 0 || object_has_form(member) ||
            (!has && member->presence == GB_OPTIONAL))
            continue;
        if (!has && member->presence == GB_NULLABLE)
            gb_json_put_null(out, member->name);
        else
            object_write_value(out, member, at, flags);
    }
}

int gb_items_next(const struct gb_object *object, const struct gb_items *items, size_t *at,
                  void *ret_item)
{
    const struct gb_json *list = items->json, *item;
    struct gb_bytes key, value;

    if (list == NULL && items->next != NULL)
        return items->next(items->owner, at, ret_item);
    if (list == NULL)
        return gb_pairs_next(&items->pairs, at, &key, &value) == 1 &&
               object->from_pair(key, value, items->brief, ret_item);
    /* *@at is the index of the next element's node, starting at 1. */
    if (*at == 0)
        *at = 1;
    if (*at >= list->span)
        return 0;
    item = list + *at;
    *at += item->span;
    return gb_object_read(object, item, ret_item, NULL) == 0;
}

bool gb_names_next(const struct gb_names *names, size_t *at, struct gb_bytes *ret_name)
{
    const struct gb_json *list = names->json;

    if (list == NULL) {
        if (*at < names->count)
            *ret_name = gb_bytes_str(names->list[*at]);
        return (*at)++ < names->count;
    }
    if (*at >= list->count)
        return false;
    *ret_name = list[++*at].text; /* strings have no child nodes */
    return true;
}

uint32_t gb_items_count(const struct gb_items *items)
{
    const struct gb_json *list = items->json;

    return list != NULL ? list->count : items->pairs.count;
}

/* ---- reading ---- */

/* The current location, for messages. */
struct object_reading {
    const struct gb_object *object;
    const struct gb_member *member;
    struct gb_err *err;
};

static int object_refuse(const struct object_reading *at, const char *what)
{
    return gb_err_set(at->err, GB_EINTERNAL, "the server's answer: %s: %s %s", at->object->name,
                      at->member->name, what);
}

static int object_wrong_type(const struct object_reading *at, const char *expected,
                             const struct gb_json *value)
{
    return gb_err_set(at->err, GB_EINTERNAL, "the server's answer: %s: %s must be %s, and is %s",
                      at->object->name, at->member->name, expected, gb_json_type_name(value->type));
}

static int object_read_text(const struct object_reading *at, const struct gb_json *value,
                            bool is_base64, struct gb_bytes *to)
{
    const uint64_t max = at->member->max;
    uint64_t size = value->text.size;

    if (value->type != GB_JSON_STRING)
        return object_wrong_type(at, "a string", value);
    if (is_base64)
        size = size / 4 * 3;
    if (max > 0 && size > max + (is_base64 ? 2 : 0))
        return object_refuse(at, "is longer than it may be");
    *to = value->text;
    return 0;
}

static int object_read_integer(const struct object_reading *at, const struct gb_json *value,
                               int64_t min, uint64_t type_max, int64_t *ret_number)
{
    const uint64_t max = at->member->max > 0 ? at->member->max : type_max;

    if (value->type != GB_JSON_NUMBER || !gb_json_integer(value, ret_number))
        return object_wrong_type(at, "an integer", value);
    if (*ret_number < min || (*ret_number > 0 && (uint64_t)*ret_number > max))
        return object_refuse(at, "is out of its range");
    return 0;
}

static int object_read_number(const struct object_reading *at, const struct gb_json *value,
                              double *to)
{
    if (value->type != GB_JSON_NUMBER)
        return object_wrong_type(at, "a number", value);
    *to = gb_json_number(value);
    return *to >= 0 && isfinite(*to) ? 0 : object_refuse(at, "is out of its range");
}

/* Milliseconds or seconds, converted to nanoseconds. */
static int object_read_time(const struct object_reading *at, const struct gb_json *value,
                            double scale, uint64_t *to)
{
    const double most = (double)GB_OBJECT_NS_MAX;
    double number;

    if (value->type != GB_JSON_NUMBER)
        return object_wrong_type(at, "a number", value);
    number = gb_json_number(value) * scale;
    if (!(number >= 0 && number <= most))
        return object_refuse(at, "is out of its range");
    *to = (uint64_t)(number + 0.5);
    return 0;
}

static int object_read_word(const struct object_reading *at, const struct gb_json *value,
                            uint8_t *to)
{
    unsigned word;

    if (value->type != GB_JSON_STRING)
        return object_wrong_type(at, "a string", value);
    if (!gb_words_find(at->member->words, value->text, &word))
        return object_refuse(at, "is a word that is not known here");
    *to = (uint8_t)word;
    return 0;
}

static int object_read_signal(const struct object_reading *at, const struct gb_json *value,
                              uint32_t *to)
{
    if (value->type != GB_JSON_STRING)
        return object_wrong_type(at, "a string", value);
    return gb_signal_from_string(value->text, to) ? 0 : object_refuse(at, "is no signal");
}

/* An unknown kind is an internal error, as everywhere. */
static int object_read_kind(const struct object_reading *at, const struct gb_json *value,
                            uint32_t *to)
{
    char kind[32] = "";

    if (value->type != GB_JSON_STRING)
        return object_wrong_type(at, "a string", value);
    if (value->text.size < sizeof(kind))
        memcpy(kind, value->text.data, value->text.size);
    *to = (uint32_t)gb_code_from_kind(kind);
    return 0;
}

static int object_read_strings(const struct object_reading *at, const struct gb_json *value)
{
    const struct gb_json *item;

    if (value->type != GB_JSON_ARRAY)
        return object_wrong_type(at, "an array", value);
    if (at->member->type == GB_NAMES && at->member->max > 0 && value->count > at->member->max)
        return object_refuse(at, "has too many elements");
    item = gb_json_first(value);
    for (uint32_t i = 0; i < value->count; i++, item = gb_json_next(item))
        if (item->type != GB_JSON_STRING)
            return object_wrong_type(at, "an array of strings", item);
    return 0;
}

static int object_read_members(const struct gb_object *object, const struct gb_json *json,
                               void *ret_struct, struct gb_err *err);

static int object_read_list(const struct object_reading *at, const struct gb_json *value,
                            struct gb_items *to)
{
    const struct gb_object *object = at->member->object;
    const struct gb_json *item;
    union object_item read;
    int r;

    if (value->type != GB_JSON_ARRAY)
        return object_wrong_type(at, "an array", value);
    if (at->member->max > 0 && value->count > at->member->max)
        return object_refuse(at, "has too many elements");
    item = gb_json_first(value);
    for (uint32_t i = 0; i < value->count; i++, item = gb_json_next(item)) {
        r = gb_object_read(object, item, &read, at->err);
        if (r < 0)
            return r;
    }
    *to = (struct gb_items){.json = value};
    return 0;
}

static int object_read_value(const struct object_reading *at, const struct gb_json *value,
                             bool is_base64, uint8_t *to)
{
    int64_t number = 0;
    int r = 0;

    switch (at->member->type) {
    case GB_TEXT:
    case GB_BYTES:
    case GB_PAIR:
    case GB_BASE64:
        return object_read_text(at, value, is_base64, (struct gb_bytes *)(void *)to);
    case GB_EXACT:
        return value->type == GB_JSON_STRING ? 0 : object_wrong_type(at, "a string", value);
    case GB_STRINGS: /* none of our clients needs them yet: they would have to allocate memory */
        return object_read_strings(at, value);
    case GB_NAMES:
        *(struct gb_names *)(void *)to = (struct gb_names){.json = value};
        return object_read_strings(at, value);
    case GB_NUMBER:
        return object_read_number(at, value, (double *)(void *)to);
    case GB_U32:
        r = object_read_integer(at, value, 0, UINT32_MAX, &number);
        *(uint32_t *)(void *)to = (uint32_t)number;
        return r;
    case GB_U64:
        r = object_read_integer(at, value, 0, INT64_MAX, &number);
        *(uint64_t *)(void *)to = (uint64_t)number;
        return r;
    case GB_I64:
        return object_read_integer(at, value, 0, INT64_MAX, (int64_t *)(void *)to);
    case GB_BOOL:
        return value->type == GB_JSON_BOOL ? 0 : object_wrong_type(at, "true or false", value);
    case GB_WORD:
        return object_read_word(at, value, to);
    case GB_SIGNAL:
        return object_read_signal(at, value, (uint32_t *)(void *)to);
    case GB_KIND:
        return object_read_kind(at, value, (uint32_t *)(void *)to);
    case GB_MS:
        return object_read_time(at, value, (double)GB_NS_PER_MS, (uint64_t *)(void *)to);
    case GB_SECONDS:
        return object_read_time(at, value, (double)GB_NS_PER_S, (uint64_t *)(void *)to);
    case GB_OBJECT:
        return object_read_members(at->member->object, value, to, at->err);
    case GB_LIST:
        return object_read_list(at, value, (struct gb_items *)(void *)to);
    case GB_ARRAY:
    case GB_MAP:
        *(const void **)(void *)to = value;
        return value->type == (at->member->type == GB_ARRAY ? GB_JSON_ARRAY : GB_JSON_OBJECT)
                   ? 0
                   : object_wrong_type(at, at->member->type == GB_ARRAY ? "an array" : "an object",
                                       value);
    case GB_MEMBER_TYPE_COUNT:
        break;
    }
    assert(false);
    return 0;
}

/* The member with that name, or with that name for base64. */
static const struct gb_member *object_member(const struct gb_object *object, struct gb_bytes key,
                                             bool *ret_is_base64)
{
    static const char suffix[] = "_base64";
    const size_t tail = sizeof(suffix) - 1;

    for (size_t i = 0; i < object->count; i++) {
        const struct gb_member *member = &object->members[i];
        const size_t size = strlen(member->name);

        *ret_is_base64 = member->type == GB_BASE64;
        if (gb_bytes_equal(key, member->name))
            return member;
        *ret_is_base64 = member->type == GB_BYTES || member->type == GB_STRINGS;
        if (*ret_is_base64 && key.size == size + tail &&
            memcmp(key.data, member->name, size) == 0 && memcmp(key.data + size, suffix, tail) == 0)
            return member;
        *ret_is_base64 = false;
        if (member->type == GB_BASE64 && gb_bytes_equal(key, "text"))
            return member;
        *ret_is_base64 = member->type == GB_PAIR;
        if (*ret_is_base64 && gb_bytes_equal(key, "base64"))
            return member;
    }
    return NULL;
}

/* Members of a nested object are fields of the same struct, unless the object has its own: fields
 * without a value are left unchanged. */
static int object_read_members(const struct gb_object *object, const struct gb_json *json,
                               void *ret_struct, struct gb_err *err)
{
    uint32_t *flags = (uint32_t *)(void *)((uint8_t *)ret_struct + object->flags_offset);
    const struct gb_json *value;
    uint64_t seen = 0; /* of duplicates the first counts */

    if (json->type != GB_JSON_OBJECT)
        return gb_err_set(err, GB_EINTERNAL, "the server's answer: %s must be an object, and is %s",
                          object->name, gb_json_type_name(json->type));
    value = gb_json_first(json);
    for (uint32_t i = 0; i < json->count; i++, value = gb_json_next(value)) {
        struct object_reading at = {.object = object, .err = err};
        bool is_base64 = false;
        int r;

        at.member = object_member(object, value->key, &is_base64);
        if (at.member == NULL || value->type == GB_JSON_NULL ||
            (seen >> (at.member - object->members) & 1) != 0)
            continue;
        seen |= UINT64_C(1) << (at.member - object->members);
        r = object_read_value(&at, value, is_base64, (uint8_t *)ret_struct + at.member->offset);
        if (r < 0)
            return r;
        if (is_base64)
            *flags |= at.member->base64;
        if (at.member->type != GB_BOOL || value->truth)
            *flags |= at.member->bit;
    }
    return 0;
}

/* The values of absent members. */
static void object_set_absent(const struct gb_object *object, void *ret_struct)
{
    for (size_t i = 0; i < object->count; i++) {
        const struct gb_member *member = &object->members[i];
        uint8_t *to = (uint8_t *)ret_struct + member->offset;

        if (member->type == GB_WORD)
            *to = GB_NO_WORD;
        else if (member->type == GB_I64)
            *(int64_t *)(void *)to = -1;
        else if (member->type == GB_OBJECT)
            object_set_absent(member->object, to);
    }
}

int gb_object_read(const struct gb_object *object, const struct gb_json *json, void *ret_struct,
                   struct gb_err *err)
{
    memset(ret_struct, 0, object->size);
    object_set_absent(object, ret_struct);
    return object_read_members(object, json, ret_struct, err);
}

int gb_object_check(const struct gb_object *object, const struct gb_json *json, struct gb_err *err)
{
    union object_item read;

    assert(object->size <= sizeof(read));
    return gb_object_read(object, json, &read, err);
}

void gb_object_take(const struct gb_object *object, const struct gb_json *json, void *ret_struct)
{
    if (json != NULL && gb_object_read(object, json, ret_struct, NULL) == 0)
        return;
    memset(ret_struct, 0, object->size);
    object_set_absent(object, ret_struct);
}

bool gb_bytes_add_decoded(struct gb_buf *to, struct gb_bytes bytes, bool is_base64)
{
    ptrdiff_t size;
    uint8_t *room;

    if (!is_base64) {
        gb_buf_add(to, bytes.data, bytes.size);
        return true;
    }
    room = gb_buf_reserve(to, bytes.size / 4 * 3 + 3, SIZE_MAX);
    size = room == NULL ? -1 : gb_base64_decode(bytes, room);
    if (size < 0)
        return false;
    gb_buf_commit(to, (size_t)size);
    return true;
}
