/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that match a search. A text is searched block by block, with the open lines as one more
 * block at the end; within a block from its first line on, even when searching backwards, because
 * lines can only be iterated forwards efficiently. */
#include "text.h"

#include "base/mem.h"
#include "private.h"

/* The parameters of one pass over a block. */
struct pass {
    const struct text_filter *filter;
    unsigned width;
    size_t from, to; /* rows, inclusive */
    bool all;        /* of the span */
    size_t wanted;   /* the pass ends at the match with this index; SIZE_MAX: at the last */
    size_t count, last;
};

/* A block, or the open lines: its first line and row, and their numbers. */
struct span {
    size_t block, line, lines, row, rows;
};

/* ---- spans ---- */

static size_t find_open_rows(struct text *text, unsigned width)
{
    size_t rows = 0, all = text_lines(text);
    struct text_line line;

    for (size_t i = text->lines; i < all && text_line(text, i, &line); i++)
        rows += text_line_rows(&line, width);
    return rows;
}

static size_t find_lines_of(const struct text *text, size_t block)
{
    return block < text->block_count ? text->blocks[block].lines : text_lines(text) - text->lines;
}

static void find_measure(struct text *text, unsigned width, struct span *span)
{
    span->lines = find_lines_of(text, span->block);
    span->rows = span->block < text->block_count
                     ? text_block_rows(&text->blocks[span->block], width)
                     : find_open_rows(text, width);
}

static struct span find_first_span(struct text *text, unsigned width)
{
    struct span span = {0};

    find_measure(text, width, &span);
    return span;
}

/* False: it was the last one. */
static bool find_next_span(struct text *text, unsigned width, struct span *span)
{
    if (span->block == text->block_count)
        return false;
    span->line += span->lines;
    span->row += span->rows;
    span->block++;
    find_measure(text, width, span);
    return true;
}

static bool find_previous_span(struct text *text, unsigned width, struct span *span)
{
    if (span->block == 0)
        return false;
    span->block--;
    find_measure(text, width, span);
    span->line -= span->lines;
    span->row -= span->rows;
    return true;
}

/* Its cached results, or NULL. */
static struct block *find_known(struct text *text, const struct span *span, unsigned width,
                                const struct text_filter *filter)
{
    struct block *block = span->block < text->block_count ? &text->blocks[span->block] : NULL;

    return block != NULL && block->found_key == filter->key && block->found_width == width ? block
                                                                                           : NULL;
}

/* ---- passes ---- */

/* False: the pass ends here. */
static bool find_take_row(struct pass *pass, size_t row)
{
    if (row > pass->to)
        return false;
    if (row < pass->from)
        return true;
    pass->last = row;
    return pass->count++ != pass->wanted;
}

static bool find_pass_line(struct pass *pass, const struct text_line *line, size_t row)
{
    size_t from = 0, end, start;

    while (pass->filter->finds(pass->filter->arg, line->bytes, from, &start)) {
        if (pass->width == 0)
            return find_take_row(pass, row);
        for (end = text_row_end(line, pass->width, from); end <= start; row++)
            end = text_row_end(line, pass->width, end);
        if (!find_take_row(pass, row))
            return false;
        from = end; /* one per row */
        row++;
    }
    return true;
}

/* Searches a span. The caller has checked the budget. */
static void find_run(struct text *text, struct pass *pass, const struct span *span,
                     struct text_filter *filter)
{
    struct block *block = span->block < text->block_count ? &text->blocks[span->block] : NULL;
    size_t row = span->row, bytes = 0;
    bool on = true;

    pass->count = 0;
    for (size_t i = 0; on && i < span->lines; i++) {
        struct text_line line;

        if (!text_line(text, span->line + i, &line))
            break;
        bytes += line.bytes.size + sizeof(struct record);
        if (row <= pass->to)
            on = find_pass_line(pass, &line, row);
        row += text_line_rows(&line, pass->width);
    }
    filter->budget -= MIN(filter->budget, bytes);
    if (on && block != NULL && pass->all) {
        block->found_key = filter->key;
        block->found_width = pass->width;
        block->found = (uint32_t)pass->count;
    }
}

enum text_search text_find(struct text *text, unsigned width, struct text_filter *filter,
                           int direction, size_t *row)
{
    struct span span = find_first_span(text, width);

    while (*row >= span.row + span.rows && find_next_span(text, width, &span))
        continue;
    do {
        struct pass pass = {.filter = filter,
                            .width = width,
                            .from = direction > 0 ? *row : 0,
                            .to = direction > 0 ? SIZE_MAX : *row,
                            .all = direction > 0
                                       ? *row <= span.row
                                       : *row + 1 >= span.row + span.rows || *row == SIZE_MAX,
                            .wanted = direction > 0 ? 0 : SIZE_MAX};
        const struct block *block = find_known(text, &span, width, filter);

        if (span.rows == 0 || (block != NULL && block->found == 0))
            continue;
        if (filter->budget == 0) {
            *row = direction > 0 ? MAX(*row, span.row) : MIN(*row, span.row + span.rows - 1);
            return TEXT_PAUSED;
        }
        find_run(text, &pass, &span, filter);
        if (pass.count > 0) {
            *row = pass.last;
            return TEXT_FOUND;
        }
    } while (direction > 0 ? find_next_span(text, width, &span)
                           : find_previous_span(text, width, &span));
    return TEXT_NONE;
}

/* The rows of a span need not be known for this. */
static size_t find_count_span(struct text *text, unsigned width, struct text_filter *filter,
                              const struct span *span)
{
    struct pass pass = {
        .filter = filter, .width = width, .to = SIZE_MAX, .all = true, .wanted = SIZE_MAX};
    const struct block *block = find_known(text, span, width, filter);

    if (block != NULL)
        return block->found;
    if (span->lines == 0)
        return 0;
    if (filter->budget == 0) {
        filter->rest = true;
        return 0;
    }
    find_run(text, &pass, span, filter);
    return pass.count;
}

size_t text_found(struct text *text, unsigned width, struct text_filter *filter)
{
    struct span span = {0};
    size_t count = 0;

    for (; span.block <= text->block_count; span.block++, span.line += span.lines) {
        span.lines = find_lines_of(text, span.block);
        count += find_count_span(text, width, filter, &span);
    }
    return count;
}

size_t text_found_before(struct text *text, unsigned width, struct text_filter *filter, size_t row)
{
    struct span span = find_first_span(text, width);
    struct pass pass = {.filter = filter, .width = width, .to = row - 1, .wanted = SIZE_MAX};
    size_t count = 0;

    while (row > span.row) {
        if (row < span.row + span.rows) {
            find_run(text, &pass, &span, filter);
            return count + pass.count;
        }
        count += find_count_span(text, width, filter, &span);
        if (!find_next_span(text, width, &span))
            break;
    }
    return count;
}

bool text_found_row(struct text *text, unsigned width, struct text_filter *filter, size_t index,
                    size_t *ret_row)
{
    struct span span = find_first_span(text, width);
    struct pass pass = {.filter = filter, .width = width, .to = SIZE_MAX};

    do {
        size_t count = find_count_span(text, width, filter, &span);

        if (index < count) {
            pass.wanted = index;
            find_run(text, &pass, &span, filter);
            *ret_row = pass.last;
            return true;
        }
        index -= count;
    } while (find_next_span(text, width, &span));
    return false;
}
