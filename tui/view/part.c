/* SPDX-License-Identifier: Apache-2.0 */
#include "view/part.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "rpc/object.h"

enum { LINE_SOUGHT = 64 << 10 }; /* bytes within which a line must start or end; else it is cut */

static uint64_t part_size_of(const struct card *card)
{
    return card->bytes[TEXT_STDOUT] + card->bytes[TEXT_STDERR];
}

/* The start of the first loaded line. */
static uint64_t part_begin_of(const struct card *card)
{
    enum text_stream stream;
    uint64_t origin;

    if (card->output == NULL || text_dropped(card->output) == 0)
        return card->from;
    origin = text_origin(card->output, &stream);
    if (stream == TEXT_STDERR) /* the loaded part starts after all of stdout */
        return MAX(card->from, card->bytes[TEXT_STDOUT]) + origin;
    return card->from + origin;
}

static uint64_t part_end_of(const struct card *card)
{
    return card->to > 0 ? card->to : part_size_of(card);
}

static bool part_can_be_read(const struct card *card)
{
    return card->state == CARD_DONE && card->number != 0 && card->output != NULL;
}

uint64_t part_before(const struct card *card)
{
    return part_can_be_read(card) ? MIN(part_begin_of(card), part_size_of(card)) : 0;
}

uint64_t part_behind(const struct card *card)
{
    return part_can_be_read(card) ? part_size_of(card) - MIN(part_end_of(card), part_size_of(card))
                                  : 0;
}

void part_ask(struct card *card, enum part_wish wish, uint64_t *ret_offset, uint64_t *ret_length)
{
    const uint64_t size = part_size_of(card);
    uint64_t seam = 0, from = 0;

    if (wish == PART_EARLIER)
        seam = MIN(part_begin_of(card), size);
    else if (wish == PART_LATER)
        seam = MIN(part_end_of(card), size);
    else if (wish == PART_END)
        seam = size > PART_BYTES ? size - PART_BYTES : 0;
    from = seam > PART_BYTES ? seam - PART_BYTES : 0;
    card->wish = wish;
    card->seam = seam;
    *ret_offset = from;
    *ret_length = (wish == PART_BEGINNING ? 0 : seam - from) +
                  (wish == PART_BEGINNING ? 2 * PART_BYTES : PART_BYTES);
}

/* The number of bytes at the start that belong to an incomplete line. */
static size_t part_end_of_line(struct gb_bytes bytes)
{
    const uint8_t *newline = memchr(bytes.data, '\n', MIN(bytes.size, (size_t)LINE_SOUGHT));
    size_t at = 0;

    if (newline != NULL)
        return (size_t)(newline - bytes.data) + 1;
    while (at < MIN(bytes.size, 3u) && (bytes.data[at] & 0xc0) == 0x80)
        at++;
    return at;
}

/* The number of bytes at the end that belong to an incomplete line. */
static size_t part_begin_of_line(struct gb_bytes bytes)
{
    for (size_t i = 0; i < MIN(bytes.size, (size_t)LINE_SOUGHT); i++)
        if (bytes.data[bytes.size - 1 - i] == '\n')
            return i;
    return gb_utf8_unfinished(bytes);
}

/* Feeds a stream that starts @start bytes into the output; records the line at the seam. */
static void part_feed(struct card *card, enum text_stream stream, struct gb_bytes bytes,
                      uint64_t start)
{
    const uint64_t end = start + bytes.size;
    struct gb_bytes first = bytes;

    if (bytes.size > 0 && card->seam >= start && card->seam < end) {
        first.size = (size_t)(card->seam - start);
        text_feed(card->output, stream, first);
        card->seam_line = text_lines(card->output) + (size_t)text_dropped(card->output);
        bytes.data += first.size;
        bytes.size -= first.size;
    }
    text_feed(card->output, stream, bytes);
    text_end(card->output);
    if (card->seam == end && card->seam_line == SIZE_MAX)
        card->seam_line = text_lines(card->output) + (size_t)text_dropped(card->output);
}

void part_take(struct card *card, const struct gb_cell_info *cell)
{
    const uint64_t out_size = cell->stdout_bytes, offset = cell->offset;
    const uint64_t size = out_size + cell->stderr_bytes;
    struct gb_buf buffers[TEXT_STREAM_COUNT] = {0};
    struct gb_bytes out, err;

    if (gb_bytes_add_decoded(&buffers[0], cell->out, (cell->flags & GB_CELL_OUT_BASE64) != 0) &&
        gb_bytes_add_decoded(&buffers[1], cell->err, (cell->flags & GB_CELL_ERR_BASE64) != 0)) {
        out = gb_buf_bytes(&buffers[0]);
        err = gb_buf_bytes(&buffers[1]);
        card->bytes[TEXT_STDOUT] = out_size;
        card->bytes[TEXT_STDERR] = size - out_size;
        card->from = offset;
        card->to = offset + out.size + err.size;
        /* Lines are complete, except those that are too long. */
        if (card->from > 0 && card->from != out_size) {
            struct gb_bytes *first = out.size > 0 ? &out : &err;
            size_t cut = part_end_of_line(*first);

            first->data += cut;
            first->size -= cut;
            card->from += cut;
        }
        if (card->to < size && card->to != out_size) {
            struct gb_bytes *last = err.size > 0 ? &err : &out;
            size_t cut = part_begin_of_line(*last);

            last->size -= cut;
            card->to -= cut;
        }
        text_free(card->output);
        card->output = text_new(CELL_OUTPUT_MAX);
        card->seam_line = SIZE_MAX;
        part_feed(card, TEXT_STDOUT, out, card->from);
        part_feed(card, TEXT_STDERR, err, MAX(card->from, out_size));
        if (card->seam_line != SIZE_MAX)
            card->seam_line -= MIN(card->seam_line, (size_t)text_dropped(card->output));
        card->away = false;
        card->from_events = true;
    }
    card->wish = PART_NONE;
    gb_buf_release(&buffers[0]);
    gb_buf_release(&buffers[1]);
}
