/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of json.h. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "rpc/base64.h"
#include "rpc/json.h"

enum { OUT_DEPTH_MAX = 60 };

/* How a byte is written in a string: 0 verbatim, 'u' \u00XX, else a backslash and this letter. */
static char escape_of(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return c < 0x20 || c == 0x7f ? 'u' : '\0';
    }
}

static uint8_t *reserve(struct gb_buf *buf, size_t size)
{
    uint8_t *to = gb_buf_reserve(buf, size, SIZE_MAX);

    if (to == NULL)
        abort();
    return to;
}

/* Processes text in blocks, so that the buffer for the worst case stays small. */
static size_t write_block(struct gb_buf *buf, const uint8_t *from, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    enum { BLOCK = 4096, WORST = 6 };
    size_t block = MIN(size, (size_t)BLOCK);
    const uint8_t *at = from, *end = from + block;
    uint8_t *begin = reserve(buf, WORST * block + 4), *to = begin;

    while (at < end) {
        char c;
        size_t n;

        if (*at >= 0x80) {
            n = gb_utf8_sequence(at, size - (size_t)(at - from));
            if (n == 0) {
                memcpy(to, "\xef\xbf\xbd", 3);
                to += 3;
                at++;
                continue;
            }
            memcpy(to, at, n); /* may read past the end of the block, but not of the text */
            to += n;
            at += n;
            continue;
        }
        c = escape_of(*at);
        if (c == '\0') {
            *to++ = *at++;
            continue;
        }
        *to++ = '\\';
        *to++ = (uint8_t)c;
        if (c == 'u') {
            *to++ = '0';
            *to++ = '0';
            *to++ = (uint8_t)hex[*at >> 4];
            *to++ = (uint8_t)hex[*at & 15];
        }
        at++;
    }
    gb_buf_commit(buf, (size_t)(to - begin));
    return (size_t)(at - from);
}

static void write_string(struct gb_buf *buf, struct gb_bytes text)
{
    gb_buf_add_u8(buf, '"');
    for (size_t at = 0; at < text.size;)
        at += write_block(buf, text.data + at, text.size - at);
    gb_buf_add_u8(buf, '"');
}

static void before_value(struct gb_json_out *out, const char *key)
{
    if (out->comma)
        gb_buf_add_u8(out->buf, ',');
    out->comma = true;
    if (key != NULL) {
        gb_buf_add_u8(out->buf, '"');
        gb_buf_adds(out->buf, key);
        gb_buf_add(out->buf, "\":", 2);
    }
}

static void begin_container(struct gb_json_out *out, const char *key, bool array)
{
    assert(out->depth < OUT_DEPTH_MAX);
    before_value(out, key);
    gb_buf_add_u8(out->buf, array ? '[' : '{');
    out->arrays = out->arrays << 1 | array;
    out->depth++;
    out->comma = false;
}

void gb_json_object(struct gb_json_out *out, const char *key)
{
    begin_container(out, key, false);
}

void gb_json_array(struct gb_json_out *out, const char *key)
{
    begin_container(out, key, true);
}

void gb_json_end(struct gb_json_out *out)
{
    assert(out->depth > 0);
    gb_buf_add_u8(out->buf, (out->arrays & 1) != 0 ? ']' : '}');
    out->arrays >>= 1;
    out->depth--;
    out->comma = true;
}

void gb_json_put(struct gb_json_out *out, const char *key, struct gb_bytes text)
{
    before_value(out, key);
    write_string(out->buf, text);
}

void gb_json_put_named(struct gb_json_out *out, struct gb_bytes key, struct gb_bytes text)
{
    before_value(out, NULL);
    write_string(out->buf, key);
    gb_buf_add_u8(out->buf, ':');
    write_string(out->buf, text);
}

void gb_json_put_str(struct gb_json_out *out, const char *key, const char *text)
{
    if (text == NULL)
        gb_json_put_null(out, key);
    else
        gb_json_put(out, key, gb_bytes_str(text));
}

void gb_json_put_u64(struct gb_json_out *out, const char *key, uint64_t value)
{
    before_value(out, key);
    gb_buf_addf(out->buf, "%" PRIu64, value);
}

void gb_json_put_i64(struct gb_json_out *out, const char *key, int64_t value)
{
    before_value(out, key);
    gb_buf_addf(out->buf, "%" PRId64, value);
}

void gb_json_put_bool(struct gb_json_out *out, const char *key, bool value)
{
    before_value(out, key);
    gb_buf_adds(out->buf, value ? "true" : "false");
}

void gb_json_put_null(struct gb_json_out *out, const char *key)
{
    before_value(out, key);
    gb_buf_adds(out->buf, "null");
}

void gb_json_put_number(struct gb_json_out *out, const char *key, double value)
{
    gb_json_put_ms(out, key, (uint64_t)(value * (double)GB_NS_PER_MS + 0.5));
}

/* Formatted from integers: no locale can add a comma, and nothing is rounded. */
void gb_json_put_ms(struct gb_json_out *out, const char *key, uint64_t ns)
{
    before_value(out, key);
    gb_buf_addf(out->buf, "%" PRIu64 ".%03" PRIu64, ns / GB_NS_PER_MS, ns / 1000 % 1000);
}

void gb_json_put_seconds(struct gb_json_out *out, const char *key, uint64_t ns)
{
    before_value(out, key);
    gb_buf_addf(out->buf, "%" PRIu64 ".%06" PRIu64, ns / GB_NS_PER_S, ns / 1000 % 1000000);
}

void gb_json_put_raw(struct gb_json_out *out, const char *key, struct gb_bytes json)
{
    before_value(out, key);
    gb_buf_add(out->buf, json.data, json.size);
}

void gb_json_put_base64(struct gb_json_out *out, const char *key, struct gb_bytes bytes)
{
    before_value(out, key);
    gb_buf_add_u8(out->buf, '"');
    gb_base64_encode(out->buf, bytes);
    gb_buf_add_u8(out->buf, '"');
}

/* The length of valid @text between its quotes. Branch-free: this runs over all output of
 * programs. */
static size_t string_size(struct gb_bytes text)
{
    size_t control = 0, pairs = 0;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        unsigned named = (unsigned)(c >= '\b' && c <= '\r') & (unsigned)(c != '\v');

        control += ((unsigned)(c < 0x20) | (unsigned)(c == 0x7f)) & ~named;
        pairs += named | (unsigned)(c == '"') | (unsigned)(c == '\\');
    }
    return text.size + 5 * control + pairs;
}

void gb_json_put_bytes(struct gb_json_out *out, const char *text_key, const char *base64_key,
                       struct gb_bytes bytes)
{
    if (gb_utf8_valid(bytes) && string_size(bytes) <= gb_base64_size(bytes.size))
        gb_json_put(out, text_key, bytes);
    else
        gb_json_put_base64(out, base64_key, bytes);
}
