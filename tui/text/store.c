/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "private.h"

static_assert(sizeof(struct record) == 8, "the size that text.h tells");
static_assert(sizeof(struct text_run) == 12, "the size that text.h tells");

/* ---- blocks ---- */

static size_t store_record_size(const struct record *record)
{
    size_t size = sizeof(*record) + record->runs * sizeof(struct text_run) + record->size;

    return (size + 3) & ~(size_t)3;
}

static const struct record *store_record_at(const struct block *block, uint32_t offset)
{
    return (const struct record *)(const void *)(block->data + offset);
}

static void store_drop_first_block(struct text *text)
{
    struct block *first = text->blocks;

    assert(first != NULL && text->block_count > 0);
    text->dropped += first->lines;
    text->lines -= first->lines;
    text->bytes -= first->capacity;
    free(first->data);
    text->block_count--;
    memmove(text->blocks, text->blocks + 1, text->block_count * sizeof(*text->blocks));
    text->at_valid = false;
    if (text->block_count == 0)
        text->recent_count = 0;
}

static struct block *store_add_block(struct text *text)
{
    struct block *blocks = text->blocks;

    if (text->block_count == text->block_capacity) {
        text->block_capacity = MAX(text->block_capacity * 2, 4u);
        blocks = realloc(blocks, text->block_capacity * sizeof(*blocks)); /* one per 64 KiB */
        if (blocks == NULL)
            abort();
        text->blocks = blocks;
    }
    assert(blocks != NULL);
    blocks[text->block_count] = (struct block){
        .rows_width = UINT32_MAX,
        .origin = {text->feeds[TEXT_STDOUT].ended, text->feeds[TEXT_STDERR].ended},
    };
    text->recent_count = 0;
    return &blocks[text->block_count++];
}

/* Room for a record in the last block, or in a new one. */
static uint8_t *store_reserve(struct text *text, size_t size)
{
    struct block *block = text->block_count > 0 ? &text->blocks[text->block_count - 1] : NULL;
    size_t capacity;
    uint8_t *data;

    if (block == NULL || block->used + size > BLOCK_SIZE) {
        while (text->block_count > 0 && text->bytes + BLOCK_SIZE > text->limit)
            store_drop_first_block(text);
        block = store_add_block(text);
    }
    if (block->used + size > block->capacity) {
        capacity = text->block_count > 1 ? BLOCK_SIZE : MAX(block->capacity * 2u, BLOCK_FIRST_SIZE);
        while (capacity < block->used + size)
            capacity *= 2;
        data = realloc(block->data, capacity);
        if (data == NULL)
            abort(); /* at most BLOCK_SIZE */
        text->bytes += capacity - block->capacity;
        block->data = data;
        block->capacity = (uint32_t)capacity;
        text->at_valid = false;
    }
    return block->data + block->used;
}

static struct text_line store_line_of(const struct record *record)
{
    const struct text_run *runs = (const struct text_run *)(const void *)(record + 1);

    return (struct text_line){
        .bytes = {(const uint8_t *)(runs + record->runs), record->size},
        .runs = runs,
        .run_count = record->runs,
        .columns = record->columns,
        .stream = (record->flags & RECORD_STDERR) != 0 ? TEXT_STDERR : TEXT_STDOUT,
        .ascii = (record->flags & RECORD_ASCII) != 0,
        .continues = (record->flags & RECORD_CONTINUES) != 0,
    };
}

/* The record at the reserved place is complete. */
static void store_commit(struct text *text)
{
    struct block *block = &text->blocks[text->block_count - 1];
    const struct record *record = store_record_at(block, block->used);
    struct feed *feed;

    if (text->recent_count == TEXT_ROWS_MAX)
        memmove(text->recent, text->recent + 1, --text->recent_count * sizeof(*text->recent));
    text->recent[text->recent_count++] = block->used;
    if (block->rows_width != UINT32_MAX) {
        struct text_line line = store_line_of(record);

        block->rows += text_line_rows(&line, block->rows_width);
    }
    block->found_key = 0;
    feed = &text->feeds[(record->flags & RECORD_STDERR) != 0 ? TEXT_STDERR : TEXT_STDOUT];
    feed->ended = feed->at + 1;
    block->used += (uint32_t)store_record_size(record);
    block->lines++;
    text->lines++;
}

void text_store_ascii(struct text *text, enum text_stream stream, struct gb_bytes bytes,
                      struct text_style style)
{
    bool plain = text_style_equal(style, (struct text_style){0});
    struct record record = {
        .size = (uint16_t)bytes.size,
        .runs = plain || bytes.size == 0 ? 0 : 1,
        .columns = (uint16_t)bytes.size,
        .flags = (uint8_t)(RECORD_ASCII | (stream == TEXT_STDERR ? RECORD_STDERR : 0)),
    };
    struct text_run run = {.attributes = style.attributes, .fg = style.fg, .bg = style.bg};
    uint8_t *to = store_reserve(text, store_record_size(&record));

    memcpy(to, &record, sizeof(record));
    to += sizeof(record);
    memcpy(to, &run, record.runs * sizeof(run));
    memcpy(to + record.runs * sizeof(run), bytes.data, bytes.size);
    store_commit(text);
}

/* ---- rows ---- */

static void store_encode_row(struct gb_buf *out, enum text_stream stream, const struct row *row)
{
    struct record record = {.columns = row->columns};
    struct text_style style = {0};
    bool ascii = true;

    for (unsigned i = 0; i < row->columns; i++) {
        const struct place *place = &row->places[i];
        struct text_style wanted = place->style;

        if (place->unit.size == 0)
            continue;
        if (place->unit.hidden)
            wanted.attributes |= TEXT_HIDDEN;
        ascii &= place->unit.size == 1;
        if (!text_style_equal(style, wanted)) {
            record.runs++;
            style = wanted;
        }
        record.size = (uint16_t)(record.size + place->unit.size);
    }
    record.flags = (uint8_t)((ascii ? RECORD_ASCII : 0) | (row->continues ? RECORD_CONTINUES : 0) |
                             (stream == TEXT_STDERR ? RECORD_STDERR : 0));
    gb_buf_add(out, &record, sizeof(record));

    /* Two passes over the row, so that nothing has to be moved: runs, then bytes. */
    style = (struct text_style){0};
    record.size = 0;
    for (unsigned i = 0; i < row->columns; i++) {
        const struct place *place = &row->places[i];
        struct text_style wanted = place->style;

        if (place->unit.size == 0)
            continue;
        if (place->unit.hidden)
            wanted.attributes |= TEXT_HIDDEN;
        if (!text_style_equal(style, wanted)) {
            struct text_run run = {record.size, wanted.attributes, 0, wanted.fg, wanted.bg};

            gb_buf_add(out, &run, sizeof(run));
            style = wanted;
        }
        record.size = (uint16_t)(record.size + place->unit.size);
    }
    for (unsigned i = 0; i < row->columns; i++)
        gb_buf_add(out, row->places[i].unit.bytes, row->places[i].unit.size);
    while (out->size % 4 != 0)
        gb_buf_add_u8(out, 0);
}

void text_store_row(struct text *text, enum text_stream stream, struct row *row)
{
    gb_buf_clear(&text->open);
    store_encode_row(&text->open, stream, row);
    memcpy(store_reserve(text, text->open.size), gb_buf_data(&text->open), text->open.size);
    store_commit(text);
    row->columns = 0;
    row->continues = false;
}

bool text_unstore(struct text *text, enum text_stream stream, struct row *row)
{
    struct block *block;
    struct text_line line;
    struct unit unit;
    size_t size, at = 0;
    unsigned column = 0;

    if (text->recent_count == 0)
        return false;
    block = &text->blocks[text->block_count - 1];
    line = store_line_of(store_record_at(block, text->recent[text->recent_count - 1]));
    if (line.stream != stream)
        return false;
    while (at < line.bytes.size) {
        struct text_style style = text_style_at(&line, at);
        struct place *place;

        size = unit_next((struct gb_bytes){line.bytes.data + at, line.bytes.size - at}, &unit);
        if (column + unit.width > TEXT_COLUMNS_MAX)
            break; /* cannot happen: it was stored from a row */
        unit.hidden = (style.attributes & TEXT_HIDDEN) != 0;
        style.attributes &= (uint8_t)~TEXT_HIDDEN;
        place = row_place(row, column + unit.width - 1);
        *place = (struct place){.style = style};
        row->places[column] = (struct place){unit, style};
        column += unit.width;
        at += size;
    }
    row->continues = line.continues;
    block->used = text->recent[--text->recent_count];
    block->lines--;
    block->rows_width = UINT32_MAX;
    block->found_key = 0;
    text->lines--;
    text->at_valid = false;
    return true;
}

struct place *row_place(struct row *row, unsigned column)
{
    if (column >= row->capacity) {
        unsigned capacity = MIN(MAX(column + 1, row->capacity * 2u), TEXT_COLUMNS_MAX);
        struct place *places = realloc(row->places, capacity * sizeof(*places));

        if (places == NULL)
            abort(); /* at most TEXT_COLUMNS_MAX */
        row->places = places;
        row->capacity = (uint16_t)capacity;
    }
    for (; row->columns <= column; row->columns++)
        row->places[row->columns] = (struct place){.unit = {.bytes = " ", .size = 1, .width = 1}};
    return &row->places[column];
}

void row_release(struct row *row)
{
    free(row->places);
    *row = (struct row){0};
}

/* ---- the text ---- */

struct text *text_new(size_t limit)
{
    struct text *text = xcalloc(1, sizeof(*text));

    text->limit = MAX(limit, 2u * BLOCK_SIZE);
    for (int i = 0; i < TEXT_STREAM_COUNT; i++)
        feed_init(&text->feeds[i]);
    return text;
}

void text_free(struct text *text)
{
    if (text == NULL)
        return;
    text_clear(text);
    for (int i = 0; i < TEXT_STREAM_COUNT; i++)
        feed_release(&text->feeds[i]);
    gb_buf_release(&text->open);
    free(text->blocks);
    free(text);
}

void text_clear(struct text *text)
{
    while (text->block_count > 0)
        store_drop_first_block(text);
    text_around_free(TAKE_PTR(text->around));
    text->dropped = 0;
    for (int i = 0; i < TEXT_STREAM_COUNT; i++) {
        feed_release(&text->feeds[i]);
        feed_init(&text->feeds[i]);
    }
}

void text_trim(struct text *text, size_t limit)
{
    while (text->block_count > 0 && text->bytes > limit)
        store_drop_first_block(text);
}

static unsigned store_open_rows(const struct text *text, enum text_stream stream)
{
    return feed_is_open(&text->feeds[stream]) ? text->feeds[stream].row_count : 0;
}

size_t text_lines(const struct text *text)
{
    return text->lines + store_open_rows(text, TEXT_STDOUT) + store_open_rows(text, TEXT_STDERR);
}

uint64_t text_dropped(const struct text *text)
{
    return text->dropped;
}

uint64_t text_fed(const struct text *text, enum text_stream stream)
{
    return text->feeds[stream].at;
}

uint64_t text_origin(const struct text *text, enum text_stream *ret_stream)
{
    *ret_stream = TEXT_STDOUT;
    if (text->lines == 0)
        return 0;
    *ret_stream = store_line_of(store_record_at(text->blocks, 0)).stream;
    return text->blocks[0].origin[*ret_stream];
}

size_t text_bytes(const struct text *text)
{
    return text->bytes;
}

/* Moves to stored line @index, from the end of the previous call if that is nearer. */
static const struct record *store_seek(struct text *text, size_t index)
{
    if (!text->at_valid || index < text->at_index) {
        text->at_block = text->at_index = text->at_line = 0;
        text->at_offset = 0;
        text->at_valid = true;
    }
    while (index - text->at_index >= text->blocks[text->at_block].lines - text->at_line) {
        text->at_index += text->blocks[text->at_block].lines - text->at_line;
        text->at_block++;
        text->at_line = 0;
        text->at_offset = 0;
    }
    while (text->at_index < index) {
        text->at_offset += (uint32_t)store_record_size(
            store_record_at(&text->blocks[text->at_block], text->at_offset));
        text->at_line++;
        text->at_index++;
    }
    return store_record_at(&text->blocks[text->at_block], text->at_offset);
}

bool text_line(struct text *text, size_t index, struct text_line *ret_line)
{
    enum text_stream stream = TEXT_STDOUT;

    if (index < text->lines) {
        *ret_line = store_line_of(store_seek(text, index));
        return true;
    }
    index -= text->lines;
    if (index >= store_open_rows(text, TEXT_STDOUT)) {
        index -= store_open_rows(text, TEXT_STDOUT);
        stream = TEXT_STDERR;
        if (index >= store_open_rows(text, stream))
            return false;
    }
    gb_buf_clear(&text->open);
    store_encode_row(&text->open, stream, &text->feeds[stream].rows[index]);
    *ret_line = store_line_of((const struct record *)(const void *)gb_buf_data(&text->open));
    ret_line->open = true;
    return true;
}

/* ---- wrapping ---- */

size_t text_row_end(const struct text_line *line, unsigned width, size_t from)
{
    unsigned columns = 0;
    size_t at = from, size;
    struct unit unit;

    if (line->ascii)
        return MIN(line->bytes.size, from + width);
    while ((size = unit_next((struct gb_bytes){line->bytes.data + at, line->bytes.size - at},
                             &unit)) > 0) {
        if (columns + unit.width > width && at > from)
            break;
        columns += unit.width;
        at += size;
    }
    return at;
}

unsigned text_line_rows(const struct text_line *line, unsigned width)
{
    unsigned rows = 0;
    size_t at = 0;

    if (width == 0 || line->columns <= width)
        return 1;
    if (line->ascii)
        return (line->columns + width - 1) / width;
    while (at < line->bytes.size) {
        at = text_row_end(line, width, at);
        rows++;
    }
    return MAX(rows, 1u);
}

void text_line_part(const struct text_line *line, unsigned width, unsigned part, size_t *ret_from,
                    size_t *ret_to)
{
    size_t from = 0;

    if (width == 0) {
        *ret_from = 0;
        *ret_to = line->bytes.size;
        return;
    }
    while (part-- > 0 && from < line->bytes.size)
        from = text_row_end(line, width, from);
    *ret_from = from;
    *ret_to = text_row_end(line, width, from);
}

uint32_t text_block_rows(struct block *block, unsigned width)
{
    uint32_t offset = 0;

    if (width == 0)
        return block->lines;
    if (block->rows_width == width)
        return block->rows;
    block->rows = 0;
    while (offset < block->used) {
        const struct record *record = store_record_at(block, offset);
        struct text_line line = store_line_of(record);

        block->rows += text_line_rows(&line, width);
        offset += (uint32_t)store_record_size(record);
    }
    block->rows_width = width;
    return block->rows;
}

size_t text_rows(struct text *text, unsigned width)
{
    size_t rows = 0, all = text_lines(text);

    for (size_t i = 0; i < text->block_count; i++)
        rows += text_block_rows(&text->blocks[i], width);
    for (size_t i = text->lines; i < all; i++) {
        struct text_line line;

        if (text_line(text, i, &line))
            rows += text_line_rows(&line, width);
    }
    return rows;
}

bool text_locate(struct text *text, unsigned width, size_t row, size_t *ret_line,
                 unsigned *ret_part)
{
    size_t index = 0, all = text_lines(text);
    struct text_line line;

    for (size_t i = 0; i < text->block_count; i++) {
        uint32_t rows = text_block_rows(&text->blocks[i], width);

        if (row < rows)
            break;
        row -= rows;
        index += text->blocks[i].lines;
    }
    for (; index < all && text_line(text, index, &line); index++) {
        unsigned rows = text_line_rows(&line, width);

        if (row < rows) {
            *ret_line = index;
            *ret_part = (unsigned)row;
            return true;
        }
        row -= rows;
    }
    return false;
}

size_t text_row_of(struct text *text, unsigned width, size_t line)
{
    size_t row = 0, index = 0;
    struct text_line at;

    for (size_t i = 0; i < text->block_count && index + text->blocks[i].lines <= line; i++) {
        row += text_block_rows(&text->blocks[i], width);
        index += text->blocks[i].lines;
    }
    for (; index < line && text_line(text, index, &at); index++)
        row += text_line_rows(&at, width);
    return row;
}

struct text_style text_style_at(const struct text_line *line, size_t at)
{
    struct text_style style = {0};
    unsigned low = 0, high = line->run_count;

    while (low < high) { /* the last run that starts at or before @at */
        unsigned middle = (low + high) / 2;

        if (line->runs[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0)
        style = (struct text_style){line->runs[low - 1].fg, line->runs[low - 1].bg,
                                    line->runs[low - 1].attributes};
    return style;
}

void text_copy(struct text *text, enum text_stream stream, struct gb_buf *out)
{
    size_t all = text_lines(text);
    struct text_line line, next;

    for (size_t i = 0; i < all && text_line(text, i, &line); i++) {
        if (stream != TEXT_STREAM_COUNT && line.stream != stream)
            continue;
        gb_buf_add(out, line.bytes.data, line.bytes.size);
        if (!line.open && !(text_line(text, i + 1, &next) && next.continues))
            gb_buf_adds(out, "\n");
    }
}
