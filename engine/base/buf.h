/* SPDX-License-Identifier: Apache-2.0 */
/* A growable byte buffer, and a borrowed byte range. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A byte range owned by somebody else. */
struct gb_bytes {
    const uint8_t *data;
    size_t size;
};

/* NULL yields an empty range with NULL data. */
struct gb_bytes gb_bytes_str(const char *s);
bool gb_bytes_equal(struct gb_bytes bytes, const char *s);

/* Strict readers that consume from the front of @text, for files of a fixed format. gb_bytes_skip()
 * skips @expected; returns false and consumes nothing if @text begins with anything else. */
bool gb_bytes_skip(struct gb_bytes *text, const char *expected);
/* A decimal number of at least one digit and at most @max. Returns false and consumes nothing if
 * there is none. */
bool gb_bytes_number(struct gb_bytes *text, uint64_t max, uint64_t *ret_number);
/* The next line, without its newline; the last line need not have one. False when no text is
 * left. */
bool gb_bytes_line(struct gb_bytes *text, struct gb_bytes *ret_line);

/* Owned bytes: data[start .. start+size). Embed it; zeroed is empty; free it with gb_buf_release().
 * Consuming from the front is cheap: the rest only moves when room is needed. Any call that adds
 * bytes invalidates pointers into the buffer. */
struct gb_buf {
    uint8_t *memory;
    size_t start;
    size_t size;
    size_t capacity;
};

void gb_buf_release(struct gb_buf *buf);

/* The content; never NULL, so an empty buffer can be copied from. */
static inline const uint8_t *gb_buf_data(const struct gb_buf *buf)
{
    static const uint8_t nothing[1];

    return buf->memory == NULL ? nothing : buf->memory + buf->start;
}

static inline struct gb_bytes gb_buf_bytes(const struct gb_buf *buf)
{
    return (struct gb_bytes){gb_buf_data(buf), buf->size};
}

/* Makes room for @extra bytes after the content and returns where to write them, or NULL if memory
 * runs out or the total would exceed @limit. The caller writes there, then calls
 * gb_buf_commit(). */
uint8_t *gb_buf_reserve(struct gb_buf *buf, size_t extra, size_t limit);
void gb_buf_commit(struct gb_buf *buf, size_t added);

/* Appends bytes; returns false and appends nothing under the same conditions. @limit applies to the
 * whole content. */
bool gb_buf_try_add(struct gb_buf *buf, const void *data, size_t size, size_t limit)
    __attribute__((warn_unused_result));

/* The same for content whose size we choose: aborts if memory runs out. */
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

/* Drops @size bytes (at most all of them) from the front. A buffer that becomes empty frees its
 * memory if that is more than 64 KiB. */
void gb_buf_consume(struct gb_buf *buf, size_t size);
void gb_buf_clear(struct gb_buf *buf);

/* Adds a terminating NUL (not counted in the size) and returns the content as a string. */
const char *gb_buf_str(struct gb_buf *buf);

/* Hands over the content as a NUL-terminated heap string and leaves the buffer empty. Gives. */
char *gb_buf_take_str(struct gb_buf *buf);

/* Little-endian reads; the caller has checked that the bytes are there. */
uint16_t gb_get_u16(const uint8_t *data);
uint32_t gb_get_u32(const uint8_t *data);
uint64_t gb_get_u64(const uint8_t *data);
