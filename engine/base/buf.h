/* SPDX-License-Identifier: Apache-2.0 */
/* A byte buffer that grows, and a borrowed run of bytes. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to somebody else. */
struct gb_bytes {
    const uint8_t *data;
    size_t size;
};

/* NULL: none, data is NULL, too. */
struct gb_bytes gb_bytes_str(const char *s);
bool gb_bytes_equal(struct gb_bytes bytes, const char *s);

/* Strict readers of text from the front of @text, for files of a fixed form. gb_bytes_skip() steps
 * over @expected; false, and nothing done, when something else is there. */
bool gb_bytes_skip(struct gb_bytes *text, const char *expected);
/* A decimal number of at least one digit, at most @max. False, and nothing done, without one. */
bool gb_bytes_number(struct gb_bytes *text, uint64_t max, uint64_t *ret_number);
/* The next line without its newline, which the last one need not have. False: no text is left. */
bool gb_bytes_line(struct gb_bytes *text, struct gb_bytes *ret_line);

/* Owned bytes: data[start .. start+size). Embed it, zeroed is empty, gb_buf_release() frees it.
 * Consuming from the front is cheap: the rest moves only when room is needed. After any call that
 * adds, pointers into it are stale. */
struct gb_buf {
    uint8_t *memory;
    size_t start;
    size_t size;
    size_t capacity;
};

void gb_buf_release(struct gb_buf *buf);

/* The content; never NULL, so that an empty one may be copied. */
static inline const uint8_t *gb_buf_data(const struct gb_buf *buf)
{
    static const uint8_t nothing[1];

    return buf->memory == NULL ? nothing : buf->memory + buf->start;
}

static inline struct gb_bytes gb_buf_bytes(const struct gb_buf *buf)
{
    return (struct gb_bytes){gb_buf_data(buf), buf->size};
}

/* Makes room for @extra bytes behind the content and returns where they go; NULL when there is no
 * memory or content and extra together would pass @limit. The caller writes there and then adds to
 * the size with gb_buf_commit(). */
uint8_t *gb_buf_reserve(struct gb_buf *buf, size_t extra, size_t limit);
void gb_buf_commit(struct gb_buf *buf, size_t added);

/* Adds bytes; false (and nothing added) under the same conditions. @limit is on the whole content.
 */
bool gb_buf_try_add(struct gb_buf *buf, const void *data, size_t size, size_t limit)
    __attribute__((warn_unused_result));

/* The same for content whose size we choose: aborts when there is no memory. */
void gb_buf_add(struct gb_buf *buf, const void *data, size_t size);
void gb_buf_adds(struct gb_buf *buf, const char *s);
void gb_buf_addf(struct gb_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gb_buf_vaddf(struct gb_buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Little-endian numbers. */
void gb_buf_add_u8(struct gb_buf *buf, uint8_t value);
void gb_buf_add_u16(struct gb_buf *buf, uint16_t value);
void gb_buf_add_u32(struct gb_buf *buf, uint32_t value);
void gb_buf_add_u64(struct gb_buf *buf, uint64_t value);

/* Drops @size bytes from the front (at most all). An empty buffer of more than 64 KiB gives its
 * memory back. */
void gb_buf_consume(struct gb_buf *buf, size_t size);
void gb_buf_clear(struct gb_buf *buf);

/* Puts a NUL behind the content (not counted) and returns it as a string. */
const char *gb_buf_str(struct gb_buf *buf);

/* Hands the content over as a NUL-terminated heap string; the buffer is empty after. Gives. */
char *gb_buf_take_str(struct gb_buf *buf);

/* Little-endian reads from bytes that are known to be there. */
uint16_t gb_get_u16(const uint8_t *data);
uint32_t gb_get_u32(const uint8_t *data);
uint64_t gb_get_u64(const uint8_t *data);
