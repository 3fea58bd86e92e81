#include "cli/filter.h"

#include <string.h>

#include "base/utf8.h"

enum { ESC = 0x1b };

static uint32_t code_point(const uint8_t *data, size_t size)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = data[0] & masks[size];

    for (size_t i = 1; i < size; i++)
        point = point << 6 | (data[i] & 0x3fu);
    return point;
}

/* Characters that change in which order others are shown: text could pretend to be what it is not.
 */
static bool turns_direction(uint32_t point)
{
    return point == 0x061c || point == 0x200e || point == 0x200f ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static bool is_shown(uint32_t point)
{
    if (point == '\n' || point == '\r' || point == '\t' || point == '\b')
        return true;
    if (point < 0x20 || (point >= 0x7f && point < 0xa0))
        return false;
    return !turns_direction(point) && point != 0x2028 && point != 0x2029 && point != 0xfeff;
}

static void escape_bytes(struct gb_buf *out, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        gb_buf_addf(out, "\\x%02x", data[i]);
}

/* A run of whole or hopeless characters without ESC. */
static size_t add_character(struct gb_buf *out, const uint8_t *data, size_t size)
{
    size_t length = gb_utf8_sequence(data, size);
    uint32_t point;

    if (length == 0) {
        escape_bytes(out, data, 1);
        return 1;
    }
    point = code_point(data, length);
    if (is_shown(point))
        gb_buf_add(out, data, length);
    else if (point < 0x80)
        gb_buf_addf(out, "\\x%02x", (unsigned)point);
    else
        gb_buf_addf(out, "\\u%04x", (unsigned)point);
    return length;
}

enum sequence { SEQUENCE_SGR, SEQUENCE_MORE, SEQUENCE_OTHER };

/* What @data, which begins with ESC, is; *ret_size of a whole SGR sequence. */
static enum sequence look_at_sequence(const uint8_t *data, size_t size, size_t *ret_size)
{
    if (size == 1)
        return SEQUENCE_MORE;
    if (data[1] != '[')
        return SEQUENCE_OTHER;
    for (size_t i = 2; i < size && i < FILTER_SGR_MAX; i++) {
        if (data[i] == 'm') {
            *ret_size = i + 1;
            return SEQUENCE_SGR;
        }
        if ((data[i] < '0' || data[i] > '9') && data[i] != ';' && data[i] != ':')
            return SEQUENCE_OTHER;
    }
    return size < FILTER_SGR_MAX ? SEQUENCE_MORE : SEQUENCE_OTHER;
}

/* An empty sequence, or one of zeros only, turns everything off. */
static bool turns_off(const uint8_t *data, size_t size)
{
    for (size_t i = 2; i + 1 < size; i++)
        if (data[i] != '0' && data[i] != ';')
            return false;
    return true;
}

/* Takes as much of @data as can be judged; the rest is the beginning of something. */
static size_t take(struct filter *filter, struct gb_buf *out, const uint8_t *data, size_t size,
                   bool last)
{
    size_t at = 0;

    while (at < size) {
        size_t length = 0;

        if (data[at] == ESC) {
            enum sequence kind = look_at_sequence(data + at, size - at, &length);

            if (kind == SEQUENCE_MORE && !last)
                break;
            if (kind == SEQUENCE_SGR) {
                filter->coloured = !turns_off(data + at, length);
                gb_buf_add(out, data + at, length);
                at += length;
                continue;
            }
        } else if (!last && data[at] >= 0x80 &&
                   gb_utf8_unfinished((struct gb_bytes){data + at, size - at}) == size - at) {
            break;
        }
        at += add_character(out, data + at, size - at);
    }
    return at;
}

void filter_add(struct filter *filter, struct gb_buf *out, struct gb_bytes bytes)
{
    while (bytes.size > 0) {
        uint8_t joined[2 * FILTER_SGR_MAX];
        size_t taken, more;

        if (filter->held_size == 0) {
            taken = take(filter, out, bytes.data, bytes.size, false);
            filter->held_size = (uint8_t)(bytes.size - taken);
            memcpy(filter->held, bytes.data + taken, filter->held_size);
            return;
        }
        /* What waits is shorter than FILTER_SGR_MAX, so with as many bytes more it is judged. */
        more = bytes.size < FILTER_SGR_MAX ? bytes.size : FILTER_SGR_MAX;
        memcpy(joined, filter->held, filter->held_size);
        memcpy(joined + filter->held_size, bytes.data, more);
        taken = take(filter, out, joined, filter->held_size + more, false);
        if (taken < filter->held_size) { /* everything still waits */
            memcpy(filter->held, joined, filter->held_size + more);
            filter->held_size = (uint8_t)(filter->held_size + more);
            return;
        }
        bytes.data += taken - filter->held_size;
        bytes.size -= taken - filter->held_size;
        filter->held_size = 0;
    }
}

void filter_end(struct filter *filter, struct gb_buf *out)
{
    (void)take(filter, out, filter->held, filter->held_size, true);
    filter->held_size = 0;
    if (filter->coloured)
        gb_buf_adds(out, "\x1b[0m");
    filter->coloured = false;
}
