/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

#include <stdlib.h>

static const char digits[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { BAD = 0x80 }; /* larger than any digit's value, so that the OR of four values shows it */

/* clang-format off */
#define BAD8 BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD
#define BAD16 BAD8, BAD8
#define BAD128 BAD16, BAD16, BAD16, BAD16, BAD16, BAD16, BAD16, BAD16

static const uint8_t values[256] = {
    BAD16, BAD16,
    /* ' ' to '/' */ BAD8, BAD, BAD, BAD, 62, BAD, BAD, BAD, 63,
    /* '0' to '?' */ 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, BAD, BAD, BAD, BAD, BAD, BAD,
    /* '@' to 'O' */ BAD, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    /* 'P' to '_' */ 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, BAD, BAD, BAD, BAD, BAD,
    /* '`' to 'o' */ BAD, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    /* 'p' to DEL */ 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, BAD, BAD, BAD, BAD, BAD,
    BAD128,
};
/* clang-format on */

size_t gb_base64_size(size_t size)
{
    size_t groups = size / 3 + (size % 3 != 0), encoded;

    return __builtin_mul_overflow(groups, (size_t)4, &encoded) ? SIZE_MAX : encoded;
}

void gb_base64_encode(struct gb_buf *buf, struct gb_bytes bytes)
{
    size_t encoded = gb_base64_size(bytes.size), i = 0;
    uint8_t *begin, *to;

    if (bytes.size == 0)
        return;
    begin = to = gb_buf_reserve(buf, encoded, SIZE_MAX);
    if (begin == NULL)
        abort();
    for (; bytes.size - i >= 3; i += 3, to += 4) {
        uint32_t group = (uint32_t)bytes.data[i] << 16 | (uint32_t)bytes.data[i + 1] << 8 |
                         (uint32_t)bytes.data[i + 2];

        to[0] = (uint8_t)digits[group >> 18];
        to[1] = (uint8_t)digits[group >> 12 & 63];
        to[2] = (uint8_t)digits[group >> 6 & 63];
        to[3] = (uint8_t)digits[group & 63];
    }
    if (i < bytes.size) {
        uint32_t group = (uint32_t)bytes.data[i] << 16;

        if (bytes.size - i == 2)
            group |= (uint32_t)bytes.data[i + 1] << 8;
        to[0] = (uint8_t)digits[group >> 18];
        to[1] = (uint8_t)digits[group >> 12 & 63];
        to[2] = bytes.size - i == 2 ? (uint8_t)digits[group >> 6 & 63] : '=';
        to[3] = '=';
    }
    gb_buf_commit(buf, encoded);
}

/* The last group, which may be padded. */
static ptrdiff_t decode_last(const uint8_t *from, uint8_t *to)
{
    uint8_t a = values[from[0]], b = values[from[1]], c = values[from[2]], d = values[from[3]];

    if (((a | b) & BAD) != 0)
        return -1;
    if (from[3] != '=') {
        if (((c | d) & BAD) != 0)
            return -1;
        to[0] = (uint8_t)(a << 2 | b >> 4);
        to[1] = (uint8_t)(b << 4 | c >> 2);
        to[2] = (uint8_t)(c << 6 | d);
        return 3;
    }
    if (from[2] != '=') {
        if ((c & BAD) != 0 || (c & 3) != 0)
            return -1;
        to[0] = (uint8_t)(a << 2 | b >> 4);
        to[1] = (uint8_t)(b << 4 | c >> 2);
        return 2;
    }
    if ((b & 15) != 0)
        return -1;
    to[0] = (uint8_t)(a << 2 | b >> 4);
    return 1;
}

ptrdiff_t gb_base64_decode(struct gb_bytes text, uint8_t *to)
{
    const uint8_t *from = text.data;
    uint8_t *begin = to;
    ptrdiff_t last;

    if (text.size == 0)
        return 0;
    if (text.size % 4 != 0)
        return -1;
    for (const uint8_t *end = from + text.size - 4; from < end; from += 4, to += 3) {
        uint8_t a = values[from[0]], b = values[from[1]], c = values[from[2]], d = values[from[3]];

        if (((a | b | c | d) & BAD) != 0)
            return -1;
        to[0] = (uint8_t)(a << 2 | b >> 4);
        to[1] = (uint8_t)(b << 4 | c >> 2);
        to[2] = (uint8_t)(c << 6 | d);
    }
    last = decode_last(from, to);
    return last < 0 ? -1 : to - begin + last;
}
