/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { KEEP_BYTES = 64 * 1024, FIRST_BYTES = 256 };

struct gb_bytes gb_bytes_str(const char *s)
{
    if (s == NULL)
        return (struct gb_bytes){0};
    return (struct gb_bytes){(const uint8_t *)s, strlen(s)};
}

bool gb_bytes_equal(struct gb_bytes bytes, const char *s)
{
    return bytes.size == strlen(s) && (bytes.size == 0 || memcmp(bytes.data, s, bytes.size) == 0);
}

bool gb_bytes_skip(struct gb_bytes *text, const char *expected)
{
    size_t size = strlen(expected);

    if (text->size < size || memcmp(text->data, expected, size) != 0)
        return false;
    text->data += size;
    text->size -= size;
    return true;
}

bool gb_bytes_line(struct gb_bytes *text, struct gb_bytes *ret_line)
{
    const uint8_t *newline;
    size_t taken;

    if (text->size == 0)
        return false;
    newline = memchr(text->data, '\n', text->size);
    *ret_line = *text;
    if (newline != NULL)
        ret_line->size = (size_t)(newline - text->data);
    taken = ret_line->size + (newline != NULL ? 1 : 0);
    text->data += taken;
    text->size -= taken;
    return true;
}

bool gb_bytes_number(struct gb_bytes *text, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;
    size_t digits = 0;

    while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9') {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text->data[digits] - '0', &number) || number > max)
            return false;
        digits++;
    }
    if (digits == 0)
        return false;
    text->data += digits;
    text->size -= digits;
    *ret_number = number;
    return true;
}

void gb_buf_release(struct gb_buf *buf)
{
    free(buf->memory);
    *buf = (struct gb_buf){0};
}

uint8_t *gb_buf_reserve(struct gb_buf *buf, size_t extra, size_t limit)
{
    size_t need, capacity;
    uint8_t *memory;

    if (__builtin_add_overflow(buf->size, extra, &need) || need > limit)
        return NULL;
    if (buf->start + need <= buf->capacity && buf->memory != NULL)
        return buf->memory + buf->start + buf->size;
    if (need <= buf->capacity && buf->start >= buf->size && buf->memory != NULL) {
        /* The unused front has room for the content: moving it is cheaper than growing. */
        memcpy(buf->memory, buf->memory + buf->start, buf->size);
        buf->start = 0;
        return buf->memory + buf->size;
    }
    capacity = buf->capacity < FIRST_BYTES ? FIRST_BYTES : buf->capacity;
    while (capacity < need) {
        if (capacity > SIZE_MAX / 2)
            return NULL;
        capacity *= 2;
    }
    /* Doubling must not exceed the caller's limit. */
    if (capacity > limit && limit >= need && limit != SIZE_MAX)
        capacity = MAX(limit, buf->capacity);
    memory = malloc(capacity);
    if (memory == NULL)
        return NULL;
    assert(buf->size == 0 || buf->memory != NULL);
    if (buf->size > 0)
        memcpy(memory, buf->memory + buf->start, buf->size);
    free(buf->memory);
    buf->memory = memory;
    buf->start = 0;
    buf->capacity = capacity;
    return memory + buf->size;
}

void gb_buf_commit(struct gb_buf *buf, size_t added)
{
    assert(buf->start + buf->size + added <= buf->capacity);
    buf->size += added;
}

bool gb_buf_try_add(struct gb_buf *buf, const void *data, size_t size, size_t limit)
{
    uint8_t *to = gb_buf_reserve(buf, size, limit);

    if (to == NULL)
        return false;
    if (size > 0)
        memcpy(to, data, size);
    buf->size += size;
    return true;
}

void gb_buf_add(struct gb_buf *buf, const void *data, size_t size)
{
    if (!gb_buf_try_add(buf, data, size, SIZE_MAX))
        abort();
}

void gb_buf_adds(struct gb_buf *buf, const char *s)
{
    gb_buf_add(buf, s, strlen(s));
}

void gb_buf_vaddf(struct gb_buf *buf, const char *format, va_list args)
{
    va_list again;
    uint8_t *to;
    int n;

    va_copy(again, args);
    /* The analyzer of clang 14 takes a copied va_list for one without a value. */
    n = vsnprintf(NULL, 0, format, again); /* NOLINT(clang-analyzer-valist.Uninitialized) */
    va_end(again);
    if (n < 0)
        return;
    to = gb_buf_reserve(buf, (size_t)n + 1, SIZE_MAX);
    if (to == NULL)
        abort();
    (void)vsnprintf((char *)to, (size_t)n + 1, format, args);
    buf->size += (size_t)n;
}

void gb_buf_addf(struct gb_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    gb_buf_vaddf(buf, format, args);
    va_end(args);
}

void gb_buf_add_u8(struct gb_buf *buf, uint8_t value)
{
    gb_buf_add(buf, &value, 1);
}

void gb_buf_add_u16(struct gb_buf *buf, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

    gb_buf_add(buf, bytes, sizeof(bytes));
}

void gb_buf_add_u32(struct gb_buf *buf, uint32_t value)
{
    uint8_t bytes[4];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    gb_buf_add(buf, bytes, sizeof(bytes));
}

void gb_buf_add_u64(struct gb_buf *buf, uint64_t value)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    gb_buf_add(buf, bytes, sizeof(bytes));
}

void gb_buf_consume(struct gb_buf *buf, size_t size)
{
    if (size < buf->size) {
        buf->start += size;
        buf->size -= size;
        return;
    }
    gb_buf_clear(buf);
}

void gb_buf_clear(struct gb_buf *buf)
{
    if (buf->capacity > KEEP_BYTES) {
        gb_buf_release(buf);
        return;
    }
    buf->start = 0;
    buf->size = 0;
}

const char *gb_buf_str(struct gb_buf *buf)
{
    uint8_t *end = gb_buf_reserve(buf, 1, SIZE_MAX);

    if (end == NULL)
        abort();
    *end = '\0';
    return (const char *)gb_buf_data(buf);
}

char *gb_buf_take_str(struct gb_buf *buf)
{
    char *s;

    (void)gb_buf_str(buf);
    if (buf->start > 0)
        memmove(buf->memory, buf->memory + buf->start, buf->size + 1);
    s = (char *)buf->memory;
    *buf = (struct gb_buf){0};
    return s;
}

uint16_t gb_get_u16(const uint8_t *data)
{
    return (uint16_t)(data[0] | data[1] << 8);
}

uint32_t gb_get_u32(const uint8_t *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
           (uint32_t)data[3] << 24;
}

uint64_t gb_get_u64(const uint8_t *data)
{
    return (uint64_t)gb_get_u32(data) | (uint64_t)gb_get_u32(data + 4) << 32;
}
