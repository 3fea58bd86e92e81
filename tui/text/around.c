/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that a search finds, with lines around them.
 *
 * Theory of operation. What is shown is kept as ranges of lines, in the order of the text, and
 * grows with it: lines that cannot change any more are examined once. The last ones can, because a
 * cursor may move back to them; their ranges are made anew whenever something was fed. Lines are
 * counted from the first one ever, so that dropping the oldest moves nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/private.h"

struct around_range {
    uint64_t first, last; /* lines; the last range may end behind the text */
    uint64_t before;      /* shown lines in all ranges before it */
};

struct text_around {
    uint32_t key; /* of the filter; 0: nothing has been examined */
    unsigned lines;
    uint64_t fed, stored, dropped; /* the text, when the ranges were completed */
    bool complete;
    struct around_range *ranges;
    size_t count, capacity;
    uint64_t next;  /* the line to examine next */
    size_t settled; /* ranges that are made of settled lines only, and where those end */
    uint64_t settled_last, settled_next;
};

void text_around_free(struct text_around *around)
{
    if (around == NULL)
        return;
    free(around->ranges);
    free(around);
}

static void around_add(struct text_around *around, uint64_t line, uint64_t oldest)
{
    uint64_t first = line - MIN(line - oldest, (uint64_t)around->lines);
    uint64_t last = line + around->lines;
    uint64_t before = 0;

    if (around->count > 0) {
        struct around_range *range = &around->ranges[around->count - 1];

        if (first <= range->last + 1) {
            range->last = last;
            return;
        }
        before = range->before + range->last - range->first + 1;
    }
    if (around->count == around->capacity) {
        size_t capacity = around->capacity == 0 ? 8 : around->capacity * 2;
        struct around_range *ranges = xcalloc(capacity, sizeof(*ranges));

        if (around->count > 0)
            memcpy(ranges, around->ranges, around->count * sizeof(*ranges));
        free(around->ranges);
        around->ranges = ranges;
        around->capacity = capacity;
    }
    around->ranges[around->count++] = (struct around_range){first, last, before};
}

/* The block that line @index, below text->lines, is in, and its first line. */
static size_t around_block(const struct text *text, size_t index, size_t *ret_first)
{
    size_t block = 0, first = 0;

    while (block + 1 < text->block_count && index >= first + text->blocks[block].lines)
        first += text->blocks[block++].lines;
    *ret_first = first;
    return block;
}

/* Examines lines up to @end. False: the budget is used up. */
static bool around_examine(struct text *text, struct text_around *around,
                           struct text_filter *filter, uint64_t end)
{
    while (around->next < end) {
        size_t index = (size_t)(around->next - text->dropped), first, start;
        const struct block *block = NULL;
        struct text_line line;

        if (index < text->lines) {
            block = &text->blocks[around_block(text, index, &first)];
            if (index == first && block->found_key == filter->key && block->found_width == 0 &&
                block->found == 0 && around->next + block->lines <= end) {
                around->next += block->lines; /* known to have no match */
                continue;
            }
        }
        if (filter->budget == 0) {
            filter->rest = true;
            return false;
        }
        /* The lines of a block, or the open ones. */
        for (size_t stop = block != NULL ? first + block->lines : SIZE_MAX;
             index < stop && around->next < end; index++, around->next++) {
            if (!text_line(text, index, &line)) {
                around->next = end;
                break;
            }
            filter->budget -= MIN(filter->budget, line.bytes.size + sizeof(struct record));
            if (filter->finds(filter->arg, line.bytes, 0, &start))
                around_add(around, around->next, text->dropped);
        }
    }
    return true;
}

/* Forgets what was made of lines that may have changed. */
static void around_rewind(struct text_around *around)
{
    around->count = around->settled;
    if (around->count > 0)
        around->ranges[around->count - 1].last = around->settled_last;
    around->next = around->settled_next;
}

/* Drops ranges of which nothing is kept, once they are the greater part: there are never more than
 * twice as many as the text has lines. All ranges are settled. */
static void around_forget(struct text_around *around, uint64_t oldest)
{
    struct around_range *ranges = around->ranges;
    size_t gone = around->count / 2;
    uint64_t before;

    if (around->count == 0 || ranges[gone].last >= oldest)
        return;
    while (gone < around->count && ranges[gone].last < oldest)
        gone++;
    around->count -= gone;
    around->settled = around->count;
    memmove(ranges, ranges + gone, around->count * sizeof(*ranges));
    before = around->count > 0 ? ranges[0].before : 0;
    for (size_t i = 0; i < around->count; i++)
        ranges[i].before -= before;
}

static void around_settle(struct text_around *around)
{
    around->settled = around->count;
    around->settled_last = around->count > 0 ? around->ranges[around->count - 1].last : 0;
    around->settled_next = around->next;
}

/* Brings the ranges up to date as far as the budget allows. */
static const struct text_around *around_update(struct text *text, struct text_filter *filter,
                                               unsigned lines)
{
    const uint64_t fed = text->feeds[TEXT_STDOUT].at + text->feeds[TEXT_STDERR].at;
    const uint64_t end = text->dropped + text_lines(text);
    /* Those before are never taken back (text_unstore()). */
    const uint64_t settled =
        text->dropped + (text->lines > TEXT_ROWS_MAX ? text->lines - TEXT_ROWS_MAX : 0);
    struct text_around *around = text->around;

    if (around == NULL)
        around = text->around = xcalloc(1, sizeof(*around));
    if (around->complete && around->key == filter->key && around->lines == lines &&
        around->fed == fed && around->stored == text->lines && around->dropped == text->dropped)
        return around;
    if (around->key != filter->key || around->lines != lines || text->dropped < around->dropped) {
        around->key = filter->key;
        around->lines = lines;
        around->count = 0;
        around->next = 0;
        around_settle(around);
    }
    around_rewind(around);
    around_forget(around, text->dropped);
    around->next = MAX(around->next, text->dropped);
    around->fed = fed;
    around->stored = text->lines;
    around->dropped = text->dropped;
    around->complete = around_examine(text, around, filter, MAX(settled, around->next));
    around_settle(around);
    if (around->complete)
        around->complete = around_examine(text, around, filter, end);
    return around;
}

/* The range with shown line @at, counted from the first range on; there is one. */
static const struct around_range *around_find(const struct text_around *around, uint64_t at)
{
    size_t from = 0, to = around->count;

    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;

        if (around->ranges[middle].before <= at)
            from = middle;
        else
            to = middle;
    }
    return &around->ranges[from];
}

/* Shown lines up to and without line @line. */
static uint64_t around_before(const struct text_around *around, uint64_t line)
{
    size_t from = 0, to = around->count;
    const struct around_range *range;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (around->ranges[middle].first < line)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == 0)
        return 0;
    range = &around->ranges[from - 1];
    return range->before + MIN(line, range->last + 1) - range->first;
}

size_t text_shown(struct text *text, struct text_filter *filter, unsigned around)
{
    const struct text_around *found = around_update(text, filter, around);

    return (size_t)(around_before(found, text->dropped + text_lines(text)) -
                    around_before(found, text->dropped));
}

bool text_shown_line(struct text *text, struct text_filter *filter, unsigned around, size_t index,
                     size_t *ret_line)
{
    const struct text_around *found = around_update(text, filter, around);
    uint64_t at = around_before(found, text->dropped) + index;
    const struct around_range *range;

    if (index >= text_shown(text, filter, around))
        return false;
    range = around_find(found, at);
    *ret_line = (size_t)(range->first + (at - range->before) - text->dropped);
    return true;
}
