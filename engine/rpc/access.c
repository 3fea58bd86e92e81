/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/access.h"

#include <math.h>
#include <string.h>

#include "base/hidden.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "rpc/base64.h"

const struct gb_json *json_member(const struct gb_json *object, const char *name)
{
    return object != NULL ? gb_json_member(object, name) : NULL;
}

uint32_t json_list_count(const struct gb_json *list)
{
    return list != NULL && list->type == GB_JSON_ARRAY ? list->count : 0;
}

struct gb_bytes json_text(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = json_member(object, name);

    if (value == NULL || value->type != GB_JSON_STRING)
        return gb_bytes_str("");
    return value->text;
}

void json_copy_text(struct gb_bytes text, char *to, size_t room)
{
    size_t size = MIN(text.size, room - 1);

    if (size < text.size)
        size -= gb_utf8_unfinished((struct gb_bytes){text.data, size});
    for (size_t i = 0; i < size; i++)
        to[i] = text.data[i] == 0 ? ' ' : (char)text.data[i];
    to[size] = '\0';
}

void json_copy(const struct gb_json *object, const char *name, char *to, size_t room)
{
    json_copy_text(json_text(object, name), to, room);
}

const struct gb_json *json_array(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = json_member(object, name);

    return value != NULL && value->type == GB_JSON_ARRAY ? value : NULL;
}

double json_number(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = json_member(object, name);
    double number = value != NULL && value->type == GB_JSON_NUMBER ? gb_json_number(value) : 0;

    return isfinite(number) ? number : 0;
}

double json_time(const struct gb_json *object, const char *name)
{
    double number = json_number(object, name);

    return number > 0 && number < 1e11 ? number : 0;
}

uint64_t json_count(const struct gb_json *object, const char *name)
{
    double number = json_number(object, name);

    return number >= 1 ? (uint64_t)MIN(number, 9007199254740992.0) : 0;
}

bool json_true(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = json_member(object, name);

    return value != NULL && value->type == GB_JSON_BOOL && value->truth;
}

bool json_add_bytes(struct gb_buf *out, const struct gb_json *object, const char *text_name,
                    const char *base64_name)
{
    struct gb_bytes encoded = json_text(object, base64_name);
    struct gb_bytes text = json_text(object, text_name);
    ptrdiff_t size;
    uint8_t *to;

    if (encoded.size == 0) {
        gb_buf_add(out, text.data, text.size);
        return true;
    }
    to = gb_buf_reserve(out, encoded.size / 4 * 3 + 3, SIZE_MAX);
    if (to == NULL)
        return false;
    size = gb_base64_decode(encoded, to);
    if (size < 0)
        return false;
    gb_buf_commit(out, (size_t)size);
    return true;
}

static void json_print_scalar(struct gb_json_out *out, const char *key, const struct gb_json *value)
{
    switch (value->type) {
    case GB_JSON_BOOL:
        gb_json_put_bool(out, key, value->truth);
        break;
    case GB_JSON_NUMBER:
        gb_json_put_raw(out, key, value->text);
        break;
    case GB_JSON_STRING:
        gb_json_put(out, key, value->text);
        break;
    default:
        gb_json_put_null(out, key);
        break;
    }
}

/* A key as it appears between quotes: the writer writes keys verbatim. */
static const char *json_escaped_key(struct gb_buf *to, struct gb_bytes key)
{
    struct gb_json_out out = {.buf = to};

    gb_buf_clear(to);
    gb_json_put(&out, NULL, key);
    to->size--;
    gb_buf_consume(to, 1);
    return gb_buf_str(to);
}

void json_print(struct gb_json_out *out, const char *key, const struct gb_json *value)
{
    uint32_t left[GB_JSON_DEPTH_MAX + 1];
    bool in_object[GB_JSON_DEPTH_MAX + 1];
    const struct gb_json *end = value + value->span;
    struct gb_buf name = {0};
    size_t depth = 0;

    for (const struct gb_json *at = value; at < end; at++) {
        const char *at_key = key;

        if (depth > 0) {
            left[depth - 1]--;
            at_key = NULL;
            if (in_object[depth - 1])
                at_key = json_escaped_key(&name, at->key);
        }
        if (at->type == GB_JSON_OBJECT || at->type == GB_JSON_ARRAY) {
            if (at->type == GB_JSON_OBJECT)
                gb_json_object(out, at_key);
            else
                gb_json_array(out, at_key);
            in_object[depth] = at->type == GB_JSON_OBJECT;
            left[depth++] = at->count;
        } else {
            json_print_scalar(out, at_key, at);
        }
        while (depth > 0 && left[depth - 1] == 0) {
            gb_json_end(out);
            depth--;
        }
    }
    gb_buf_release(&name);
}

void json_make_visible(struct gb_buf *text, size_t from)
{
    struct gb_buf seen = {0};
    const uint8_t *data = gb_buf_data(text);

    /* Outside strings, JSON contains no such characters except line breaks; inside strings, line
     * breaks do not occur. */
    for (size_t i = from; i < text->size;) {
        size_t n = gb_utf8_sequence(data + i, text->size - i);
        uint32_t point = n > 1 || data[i] == 0x7f ? gb_hidden_point(data + i, MAX(n, 1u)) : ' ';

        if (!gb_hidden(point))
            gb_buf_add(&seen, data + i, MAX(n, 1u));
        else if (point < 0x10000)
            gb_buf_addf(&seen, "\\u%04x", point);
        else
            gb_buf_addf(&seen, "\\u%04x\\u%04x", 0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff));
        i += MAX(n, 1u);
    }
    text->size = from;
    gb_buf_add(text, gb_buf_data(&seen), seen.size);
    gb_buf_release(&seen);
}
