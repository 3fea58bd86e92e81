/* SPDX-License-Identifier: Apache-2.0 */
#include "show/filter.h"

#include <string.h>

#include "base/hidden.h"
#include "base/utf8.h"

enum { ESC = 0x1b };

static bool filter_is_layout(uint32_t point)
{
    return point == '\n' || point == '\r' || point == '\t' || point == '\b';
}

static void filter_escape_bytes(struct gb_buf *out, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        gb_buf_addf(out, "\\x%02x", data[i]);
}

/* A run of complete or invalid characters without ESC. */
static size_t filter_add_character(struct filter *filter, struct gb_buf *out, const uint8_t *data,
                                   size_t size)
{
    size_t length = gb_utf8_sequence(data, size);
    uint32_t point;

    if (length == 0) {
        filter_escape_bytes(out, data, 1);
        filter->before = 0;
        return 1;
    }
    point = gb_hidden_point(data, length);
    if (filter_is_layout(point) || !gb_hidden_behind(filter->before, point)) {
        gb_buf_add(out, data, length);
        filter->before = point;
    } else {
        gb_hidden_show(out, point);
        filter->before = 0;
    }
    return length;
}

enum sequence { SEQUENCE_SGR, SEQUENCE_MORE, SEQUENCE_OTHER };

/* Classifies @data, which starts with ESC; *ret_size of a complete SGR sequence. */
static enum sequence filter_look_at_sequence(const uint8_t *data, size_t size, size_t *ret_size)
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

/* An empty sequence, or one of only zeros, resets everything. */
static bool filter_turns_off(const uint8_t *data, size_t size)
{
    for (size_t i = 2; i + 1 < size; i++)
        if (data[i] != '0' && data[i] != ';')
            return false;
    return true;
}

/* Handles as much of @data as can be decided; the rest is an incomplete start. */
static size_t filter_take(struct filter *filter, struct gb_buf *out, const uint8_t *data,
                          size_t size, bool last)
{
    size_t at = 0;

    while (at < size) {
        size_t length = 0;

        if (data[at] == ESC) {
            enum sequence kind = filter_look_at_sequence(data + at, size - at, &length);

            if (kind == SEQUENCE_MORE && !last)
                break;
            if (kind == SEQUENCE_SGR) {
                filter->coloured = !filter_turns_off(data + at, length);
                gb_buf_add(out, data + at, length);
                at += length;
                continue;
            }
        } else if (!last && data[at] >= 0x80 &&
                   gb_utf8_unfinished((struct gb_bytes){data + at, size - at}) == size - at) {
            break;
        }
        at += filter_add_character(filter, out, data + at, size - at);
    }
    return at;
}

void filter_add(struct filter *filter, struct gb_buf *out, struct gb_bytes bytes)
{
    while (bytes.size > 0) {
        uint8_t joined[2 * FILTER_SGR_MAX];
        size_t taken, more;

        if (filter->held_size == 0) {
            taken = filter_take(filter, out, bytes.data, bytes.size, false);
            filter->held_size = (uint8_t)(bytes.size - taken);
            memcpy(filter->held, bytes.data + taken, filter->held_size);
            return;
        }
        /* What is held is shorter than FILTER_SGR_MAX, so adding this many bytes is enough to
         * decide. */
        more = bytes.size < FILTER_SGR_MAX ? bytes.size : FILTER_SGR_MAX;
        memcpy(joined, filter->held, filter->held_size);
        memcpy(joined + filter->held_size, bytes.data, more);
        taken = filter_take(filter, out, joined, filter->held_size + more, false);
        if (taken < filter->held_size) { /* everything is still undecided */
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
    (void)filter_take(filter, out, filter->held, filter->held_size, true);
    filter->held_size = 0;
    if (filter->coloured)
        gb_buf_adds(out, "\x1b[0m");
    filter->coloured = false;
}

void filter_shown(struct gb_buf *to, struct gb_bytes text)
{
    struct filter filter = {0};

    filter_add(&filter, to, text);
    filter_end(&filter, to);
}

/* After the filter all sequences are complete. */
void filter_without_colours(struct gb_buf *to, struct gb_bytes shown)
{
    const uint8_t *at = shown.data, *end = shown.data + shown.size;

    while (at < end) {
        const uint8_t *escape = memchr(at, 0x1b, (size_t)(end - at)), *last = NULL;

        gb_buf_add(to, at, (size_t)((escape != NULL ? escape : end) - at));
        if (escape != NULL)
            last = memchr(escape, 'm', (size_t)(end - escape));
        at = last != NULL ? last + 1 : end;
    }
}

void filter_plain(struct gb_buf *to, struct gb_bytes text)
{
    struct gb_buf shown = {0};

    filter_shown(&shown, text);
    filter_without_colours(to, gb_buf_bytes(&shown));
    gb_buf_release(&shown);
}
