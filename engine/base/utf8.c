/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

#include <string.h>

/* The range that the lead byte allows for the second byte; false for a byte that cannot lead. */
static bool lead(uint8_t byte, size_t *length, uint8_t *low, uint8_t *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (byte < 0x80) {
        *length = 1;
    } else if (byte >= 0xc2 && byte <= 0xdf) {
        *length = 2;
    } else if (byte >= 0xe0 && byte <= 0xef) {
        *length = 3;
        if (byte == 0xe0)
            *low = 0xa0;
        if (byte == 0xed)
            *high = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
        *length = 4;
        if (byte == 0xf0)
            *low = 0x90;
        if (byte == 0xf4)
            *high = 0x8f;
    } else {
        return false;
    }
    return true;
}

/* How many bytes at @data match the start of a sequence; @length is its full length. */
static size_t matched(const uint8_t *data, size_t size, size_t *length)
{
    uint8_t low, high;
    size_t n = 1;

    if (size == 0 || !lead(data[0], length, &low, &high))
        return 0;
    for (; n < *length && n < size; n++) {
        if (data[n] < low || data[n] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

size_t gb_utf8_sequence(const uint8_t *data, size_t size)
{
    size_t length = 0, n = matched(data, size, &length);

    return n == length ? n : 0;
}

bool gb_utf8_valid(struct gb_bytes text)
{
    size_t i = 0;

    while (i < text.size) {
        uint64_t word;
        size_t n;

        /* Eight bytes of ASCII at a time: most text is ASCII. */
        if (text.size - i >= sizeof(word)) {
            memcpy(&word, text.data + i, sizeof(word));
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        n = gb_utf8_sequence(text.data + i, text.size - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t gb_utf8_unfinished(struct gb_bytes text)
{
    for (size_t back = 1; back <= 3 && back <= text.size; back++) {
        size_t length = 0, n = matched(text.data + text.size - back, back, &length);

        if (n == back && n < length)
            return back;
        if (n > 0)
            return 0;
    }
    return 0;
}
