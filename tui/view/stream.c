#include "view/stream.h"

#include "base/mem.h"

void stream_init(struct stream *stream, struct cells *cells)
{
    *stream = (struct stream){.cells = cells, .follow = true, .height = 1};
    stream->look.wrap = true;
    stream->look.search = &stream->search;
    stream->look.language = cells->language;
}

/* The index of a card, or @otherwise. */
static size_t index_of(const struct stream *stream, const struct card *card, size_t otherwise)
{
    for (size_t i = 0; card != NULL && i < stream->cells->count; i++)
        if (stream->cells->cards[i] == card)
            return i;
    return otherwise;
}

static size_t rows_at(struct stream *stream, size_t index)
{
    return card_rows(stream->cells->cards[index], &stream->look);
}

static size_t last_index(const struct stream *stream)
{
    return stream->cells->count > 0 ? stream->cells->count - 1 : 0;
}

struct card *stream_selected(const struct stream *stream)
{
    if (stream->cells->count == 0)
        return NULL;
    return stream->cells
        ->cards[index_of(stream, stream->follow ? NULL : stream->selected, last_index(stream))];
}

/* ---- moving ---- */

static void set_top(struct stream *stream, size_t index, size_t row)
{
    stream->top = stream->cells->cards[index];
    stream->top_row = row;
}

/* Goes @rows up from row @row of card @index; stops at the very first one. */
static void go_up(struct stream *stream, size_t *index, size_t *row, size_t rows)
{
    while (rows > *row) {
        rows -= *row;
        if (*index == 0) {
            *row = 0;
            return;
        }
        (*index)--;
        *row = rows_at(stream, *index);
    }
    *row -= rows;
}

/* The first row in sight when the last one is at the bottom. */
static void find_end(struct stream *stream, size_t *index, size_t *row)
{
    *index = last_index(stream);
    *row = rows_at(stream, *index);
    go_up(stream, index, row, (size_t)MAX(stream->height, 1));
}

static bool is_before(size_t index, size_t row, size_t other_index, size_t other_row)
{
    return index < other_index || (index == other_index && row < other_row);
}

void stream_scroll(struct stream *stream, long rows)
{
    size_t index, row, end_index, end_row;

    if (stream->cells->count == 0)
        return;
    find_end(stream, &end_index, &end_row);
    if (stream->follow) {
        stream->selected = stream_selected(stream);
        index = end_index;
        row = end_row;
    } else {
        index = index_of(stream, stream->top, end_index);
        row = stream->top_row;
    }
    stream->follow = false;
    if (rows < 0) {
        go_up(stream, &index, &row, (size_t)-rows);
    } else {
        row += (size_t)rows;
        while (index < last_index(stream) && row >= rows_at(stream, index)) {
            row -= rows_at(stream, index);
            index++;
        }
        if (!is_before(index, row, end_index, end_row)) {
            index = end_index;
            row = end_row;
            stream->follow = true;
        }
    }
    set_top(stream, index, row);
}

void stream_page(struct stream *stream, int direction)
{
    stream_scroll(stream, direction * MAX(stream->height - 2, 1));
}

void stream_to_top(struct stream *stream)
{
    if (stream->cells->count == 0)
        return;
    stream->follow = false;
    set_top(stream, 0, 0);
    stream->selected = stream->cells->cards[0];
}

void stream_to_end(struct stream *stream)
{
    stream->follow = true;
}

/* Brings row @row of a card into sight, with @margin rows above it where it has to move. */
static void show_row(struct stream *stream, size_t index, size_t row, size_t margin)
{
    size_t top_index, top_row, at = 0;

    if (stream->follow)
        find_end(stream, &top_index, &top_row);
    else {
        top_index = index_of(stream, stream->top, last_index(stream));
        top_row = stream->top_row;
    }
    stream->follow = false;
    set_top(stream, top_index, top_row);
    if (!is_before(index, row, top_index, top_row)) {
        for (size_t i = top_index; i < index && at < (size_t)stream->height; i++)
            at += rows_at(stream, i);
        at += row;
        if (at >= top_row && at - top_row < (size_t)stream->height)
            return; /* it is in sight */
    }
    go_up(stream, &index, &row, margin);
    set_top(stream, index, row);
}

void stream_select(struct stream *stream, const struct card *card)
{
    size_t index = index_of(stream, card, stream->cells->count);

    if (index == stream->cells->count)
        return;
    show_row(stream, index, 0, 1);
    stream->selected = card;
}

void stream_step(struct stream *stream, int direction)
{
    size_t index;

    if (stream->cells->count == 0)
        return;
    index = index_of(stream, stream_selected(stream), last_index(stream));
    do {
        if (direction < 0 ? index == 0 : index == last_index(stream)) {
            if (direction > 0)
                stream->follow = true;
            return;
        }
        index = direction < 0 ? index - 1 : index + 1;
    } while (rows_at(stream, index) == 0);
    stream_select(stream, stream->cells->cards[index]);
}

/* ---- searching ---- */

bool stream_find(struct stream *stream, int direction)
{
    size_t count = stream->cells->count, index, row = 0;
    bool begun;

    if (count == 0 || stream->search.size == 0)
        return false;
    index = index_of(stream, stream->match, count);
    begun = index < count;
    if (!begun) { /* from what is in sight: the end of it upwards, its beginning downwards */
        index = index_of(stream, stream->follow ? NULL : stream->top, last_index(stream));
        row = direction < 0 || stream->follow ? SIZE_MAX : stream->top_row;
    } else {
        row = stream->match_row;
    }
    for (size_t i = 0; i <= count; i++) {
        bool moves = true;

        if (begun && i == 0) {
            moves = direction > 0 || row > 0;
            row += direction > 0 ? 1 : (size_t)-1;
        }
        if (moves && row < SIZE_MAX - 1 && direction > 0 && row >= rows_at(stream, index))
            moves = false;
        if (moves &&
            card_search(stream->cells->cards[index], &stream->look, row, direction, &row)) {
            stream->match = stream->cells->cards[index];
            stream->match_row = row;
            show_row(stream, index, row, (size_t)stream->height / 3);
            stream->selected = stream->match;
            return true;
        }
        /* Around the end. */
        index = direction > 0 ? (index + 1) % count : (index + count - 1) % count;
        row = direction > 0 ? 0 : SIZE_MAX;
    }
    return false;
}

/* ---- painting ---- */

void stream_draw(struct stream *stream, struct region region, bool focused, double now)
{
    size_t index, row, end_index, end_row;
    const struct card *selected = stream_selected(stream);
    int y = 0;

    stream->look.width = region.width;
    stream->look.figures.columns = region.width - CARD_GUTTER - 1;
    stream->look.now = now;
    stream->height = MIN(region.height, (int)GRID_SIDE_MAX);
    for (int i = 0; i < stream->height; i++)
        stream->rows[i].card = NULL;
    if (stream->cells->count == 0 || region_empty(region))
        return;
    find_end(stream, &end_index, &end_row);
    if (stream->follow) {
        index = end_index;
        row = end_row;
    } else {
        index = index_of(stream, stream->top, end_index);
        row = MIN(stream->top_row, MAX(rows_at(stream, index), 1u) - 1);
        if (is_before(end_index, end_row, index, row)) { /* no emptiness below the end */
            index = end_index;
            row = end_row;
        }
    }
    set_top(stream, index, row);
    if (index == 0 && row == 0 && stream->cells->cards[0]->number > 1)
        stream->want_older(stream->arg, stream->cells->cards[0]->number);
    for (; index < stream->cells->count && y < stream->height; index++) {
        struct card *card = stream->cells->cards[index];
        size_t rows = rows_at(stream, index);

        if ((card->away || card->figures_away) && !card->asked && !card->folded && rows > 0)
            stream->want(stream->arg, card);
        for (; row < rows && y < stream->height; row++, y++) {
            /* Pictures may reach below their first row. */
            struct region rest = region_part(region, 0, y, -1, -1);

            card_draw(card, &stream->look, rest, row, focused && card == selected);
            stream->rows[y].card = card;
            stream->rows[y].row = row;
        }
        row = 0;
    }
}

bool stream_click(struct stream *stream, int y)
{
    const struct card *card;

    if (y < 0 || y >= stream->height || stream->rows[y].card == NULL)
        return false;
    card = stream->rows[y].card;
    stream->follow = false; /* what is in sight stays where it is */
    stream->selected = card;
    return stream->rows[y].row == 0;
}
