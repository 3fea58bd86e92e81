/* SPDX-License-Identifier: Apache-2.0 */
#include "view/stream.h"

#include <string.h>

#include "base/mem.h"
#include "view/part.h"
#include "view/remark.h"
#include "view/trail.h"

/* Limits per loop iteration and per frame on examining new content. */
enum { WALK_BYTES = 1 << 20, FRAME_BYTES = 512 << 10 };

void stream_init(struct stream *stream, struct cells *cells)
{
    *stream = (struct stream){.cells = cells, .follow = true, .height = 1};
    stream->look.wrap = true;
    stream->look.search = &stream->search;
}

/* The index of a card, or @otherwise. */
static size_t stream_index_of(const struct stream *stream, const struct card *card,
                              size_t otherwise)
{
    for (size_t i = 0; card != NULL && i < stream->cells->count; i++)
        if (stream->cells->cards[i] == card)
            return i;
    return otherwise;
}

static size_t stream_rows_at(struct stream *stream, size_t index)
{
    return card_rows(stream->cells->cards[index], &stream->look);
}

static size_t stream_last_index(const struct stream *stream)
{
    return stream->cells->count > 0 ? stream->cells->count - 1 : 0;
}

/* The next cell that has a bookmark or a note, else the one before; @index if there is none. */
static size_t stream_annotated(const struct stream *stream, size_t index)
{
    struct card **cards = stream->cells->cards;

    for (size_t i = index; i < stream->cells->count; i++)
        if (remark_has(cards[i]))
            return i;
    for (size_t i = index; i > 0; i--)
        if (remark_has(cards[i - 1]))
            return i - 1;
    return index;
}

struct card *stream_selected(const struct stream *stream)
{
    struct card **cards = stream->cells->cards;
    size_t index;

    if (stream->cells->count == 0)
        return NULL;
    index = stream_index_of(stream, stream->follow ? NULL : stream->selected,
                            stream_last_index(stream));
    if (stream->look.annotated) { /* commands never act on a cell that is not shown */
        index = stream_annotated(stream, index);
        return remark_has(cards[index]) ? cards[index] : NULL;
    }
    /* Undone cells are shown as a line of the first of them. */
    while (index > 0 && cards[index]->tucked && cards[index]->group_last == 0)
        index--;
    return cards[index];
}

/* ---- moving ---- */

static void stream_set_top(struct stream *stream, size_t index, size_t row)
{
    stream->top = stream->cells->cards[index];
    stream->top_row = row;
}

/* Moves @rows up from row @row of card @index; stops at the very first one. */
static void stream_go_up(struct stream *stream, size_t *index, size_t *row, size_t rows)
{
    while (rows > *row) {
        rows -= *row;
        if (*index == 0) {
            *row = 0;
            return;
        }
        (*index)--;
        *row = stream_rows_at(stream, *index);
    }
    *row -= rows;
}

/* The first visible row when the last one is at the bottom. */
static void stream_find_end(struct stream *stream, size_t *index, size_t *row)
{
    *index = stream_last_index(stream);
    *row = stream_rows_at(stream, *index);
    stream_go_up(stream, index, row, (size_t)MAX(stream->height, 1));
}

static bool stream_is_before(size_t index, size_t row, size_t other_index, size_t other_row)
{
    return index < other_index || (index == other_index && row < other_row);
}

/* The row at which scrolling stops first: at an edge of the loaded part of an output, so that more
 * can be loaded. False: none in this card. */
static bool stream_edge_of(struct stream *stream, size_t index, enum card_part part,
                           size_t *ret_index, size_t *ret_row)
{
    struct card *card = stream->cells->cards[index];
    uint64_t rest = part == CARD_PART_EARLIER ? part_before(card) : part_behind(card);

    if (rest == 0 || !card_has(card, &stream->look, part))
        return false;
    *ret_index = index;
    *ret_row = card_part_row(card, &stream->look, part);
    if (part == CARD_PART_LATER) { /* the last visible row */
        (*ret_row)++;
        stream_go_up(stream, ret_index, ret_row, (size_t)MAX(stream->height, 1));
    }
    return true;
}

/* From row @old_row of card @old up to an edge in between. */
static void stream_stop_above(struct stream *stream, size_t old, size_t old_row, size_t *index,
                              size_t *row)
{
    size_t edge, edge_row;

    for (size_t i = old + 1; i-- > *index;)
        if (stream_edge_of(stream, i, CARD_PART_EARLIER, &edge, &edge_row) &&
            stream_is_before(edge, edge_row, old, old_row)) {
            if (stream_is_before(*index, *row, edge, edge_row)) {
                *index = edge;
                *row = edge_row;
            }
            return;
        }
}

static void stream_stop_below(struct stream *stream, size_t old, size_t old_row, size_t *index,
                              size_t *row)
{
    size_t edge, edge_row;

    for (size_t i = old; i <= *index; i++)
        if (stream_edge_of(stream, i, CARD_PART_LATER, &edge, &edge_row) &&
            stream_is_before(old, old_row, edge, edge_row)) {
            if (stream_is_before(edge, edge_row, *index, *row)) {
                *index = edge;
                *row = edge_row;
            }
            return;
        }
}

void stream_scroll(struct stream *stream, long rows)
{
    size_t index, row, end_index, end_row, old, old_row;

    if (stream->cells->count == 0)
        return;
    stream->moved = true;
    stream_find_end(stream, &end_index, &end_row);
    if (stream->follow) {
        stream->selected = stream_selected(stream);
        index = end_index;
        row = end_row;
    } else {
        index = stream_index_of(stream, stream->top, end_index);
        row = stream->top_row;
    }
    old = index;
    old_row = row;
    stream->follow = false;
    if (rows < 0) {
        stream_go_up(stream, &index, &row, (size_t)-rows);
        stream_stop_above(stream, old, old_row, &index, &row);
    } else {
        row += (size_t)rows;
        while (index < stream_last_index(stream) && row >= stream_rows_at(stream, index)) {
            row -= stream_rows_at(stream, index);
            index++;
        }
        stream_stop_below(stream, old, old_row, &index, &row);
        if (!stream_is_before(index, row, end_index, end_row)) {
            index = end_index;
            row = end_row;
            stream->follow = true;
        }
    }
    stream_set_top(stream, index, row);
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
    stream->moved = true;
    stream_set_top(stream, 0, 0);
    stream->selected = stream->cells->cards[0];
}

void stream_to_end(struct stream *stream)
{
    stream->follow = true;
    stream->moved = true;
}

/* Makes @rows rows of a card, from @row on, visible as far as they fit; if it has to scroll, with
 * @margin rows above them. */
static void stream_show_rows(struct stream *stream, size_t index, size_t row, size_t rows,
                             size_t margin)
{
    size_t top_index, top_row, at = 0;

    if (stream->follow)
        stream_find_end(stream, &top_index, &top_row);
    else {
        top_index = stream_index_of(stream, stream->top, stream_last_index(stream));
        top_row = stream->top_row;
    }
    stream->follow = false;
    stream->moved = true;
    stream_set_top(stream, top_index, top_row);
    if (!stream_is_before(index, row, top_index, top_row)) {
        const size_t end = top_row + (size_t)stream->height;
        size_t i = top_index;

        for (; i < index && at < end; i++)
            at += stream_rows_at(stream, i);
        at += row;
        if (i == index && at >= top_row && at + rows <= end)
            return; /* they are visible */
    }
    stream_go_up(stream, &index, &row, margin);
    stream_set_top(stream, index, row);
}

void stream_select(struct stream *stream, const struct card *card)
{
    size_t index = stream_index_of(stream, card, stream->cells->count), rows;

    if (index == stream->cells->count)
        return;
    if (card->tucked && card->group_last == 0)
        trail_reveal(stream->cells, card, true);
    /* All of it, if possible; what is not loaded may be long. */
    rows = card->away ? (size_t)stream->height : stream_rows_at(stream, index);
    stream_show_rows(stream, index, 0, rows, 1);
    stream->selected = card;
}

void stream_step(struct stream *stream, int direction)
{
    size_t index;

    if (stream->cells->count == 0)
        return;
    index = stream_index_of(stream, stream_selected(stream), stream_last_index(stream));
    do {
        if (direction < 0 ? index == 0 : index == stream_last_index(stream)) {
            if (direction > 0)
                stream->follow = true;
            return;
        }
        index = direction < 0 ? index - 1 : index + 1;
    } while (stream_rows_at(stream, index) == 0);
    stream_select(stream, stream->cells->cards[index]);
}

/* ---- searching ---- */

/* How a card is folded. */
struct stream_fold {
    bool folded, whole, tucked;
};

/* Unfolds it to look into it. */
static struct stream_fold stream_unfold(struct card *card)
{
    const struct stream_fold fold = {card->folded, card->whole, card->tucked};

    card->folded = card->tucked = false;
    return fold;
}

static void stream_fold_again(struct card *card, const struct stream_fold *fold)
{
    card->folded = fold->folded;
    card->tucked = fold->tucked;
}

/* Whether it is completely loaded. */
static bool stream_is_whole(const struct card *card)
{
    return card->state != CARD_DONE ||
           (!card->away && !card->source_cut && part_before(card) == 0 && part_behind(card) == 0 &&
            (card->output == NULL || text_dropped(card->output) == 0));
}

/* Rows of an unfolded card as they are when all of its code is shown. */
struct whole_rows {
    size_t shown, rest; /* the end of the shown code, and the start of what follows */
    size_t whole_rest;  /* the same with all of the code */
};

static struct whole_rows stream_whole_rows(struct stream *stream, struct card *card)
{
    struct whole_rows rows;
    bool whole = card->whole;

    rows.shown = card_part_row(card, &stream->look, CARD_PART_CODE_MORE);
    rows.rest = card_part_row(card, &stream->look, CARD_PART_CODE_MORE + 1);
    card->whole = true;
    rows.whole_rest = card_part_row(card, &stream->look, CARD_PART_CODE_MORE + 1);
    card->whole = whole;
    return rows;
}

static size_t stream_to_whole(const struct whole_rows *rows, size_t row, int direction)
{
    if (row == SIZE_MAX || row < rows->shown)
        return row;
    if (row >= rows->rest)
        return row + (rows->whole_rest - rows->rest);
    return direction > 0 ? rows->shown : rows->whole_rest - 1;
}

/* Continues in an unfolded card. Long code is searched as a whole, and expanded if a match is in
 * the hidden part. TEXT_FOUND: *ret_row is the row as the card is then shown. */
static enum text_search stream_search_card(struct stream *stream, struct stream_place *place,
                                           int direction, size_t *ret_row)
{
    struct card *card = place->card;
    const struct whole_rows rows = stream_whole_rows(stream, card);
    size_t row = stream_to_whole(&rows, place->row, direction);
    bool whole = card->whole;
    enum text_search result;

    if (place->paused && place->width == stream->look.width)
        row = place->resume;
    place->paused = false;
    card->whole = true;
    result = card_search(card, &stream->look, direction, &row);
    card->whole = whole;
    if (result == TEXT_PAUSED) {
        place->paused = true;
        place->resume = row;
        place->width = stream->look.width;
    } else if (result == TEXT_FOUND && row >= rows.shown && row < rows.whole_rest) {
        place->row = stream_to_whole(&rows, place->row, direction);
        card->whole = true;
    } else if (result == TEXT_FOUND && row >= rows.whole_rest) {
        row -= rows.whole_rest - rows.rest;
    }
    *ret_row = row;
    return result;
}

void stream_begin(struct stream *stream, int direction, struct stream_place *ret_place)
{
    size_t index = stream_index_of(stream, stream->match, stream->cells->count);

    *ret_place = (struct stream_place){0};
    if (index < stream->cells->count) {
        ret_place->card = stream->cells->cards[index];
        ret_place->known = true;
        ret_place->done = direction < 0 && stream->match_row == 0;
        ret_place->row = stream->match_row + (direction > 0 ? 1 : (size_t)-1);
        return;
    }
    /* Starts at the end of what is visible when searching upwards, at its start downwards. */
    index = stream_index_of(stream, stream->follow ? NULL : stream->top, stream_last_index(stream));
    ret_place->card = stream->cells->cards[index];
    ret_place->row = direction < 0 || stream->follow ? SIZE_MAX : stream->top_row;
}

/* The part of the output between the search position and the match, or the end of the card, that is
 * not loaded. */
static enum part_wish stream_missing(struct stream *stream, const struct stream_place *place,
                                     int direction, bool found, size_t row)
{
    struct card *card = place->card;
    bool away = card->output == NULL && card->away;
    bool before = away || part_before(card) > 0, behind = away || part_behind(card) > 0;
    struct stream_fold fold;
    size_t begin, end;

    if (card->state != CARD_DONE || place->passed || place->done || !(before || behind))
        return PART_NONE;
    fold = stream_unfold(card);
    begin = card_part_row(card, &stream->look, CARD_PART_OUTPUT);
    end = card_part_row(card, &stream->look, CARD_PART_OUTPUT + 1);
    stream_fold_again(card, &fold);
    if (direction < 0) {
        if (behind && !place->deep && place->row >= end && !(found && row >= end))
            return PART_END;
        return before && !away && place->row != SIZE_MAX && place->row + 1 >= begin &&
                       !(found && row >= begin)
                   ? PART_EARLIER
                   : PART_NONE;
    }
    if (before && !place->deep && place->row <= begin && !(found && row < begin))
        return PART_BEGINNING;
    return behind && !away && place->row <= end && !(found && row < end) ? PART_LATER : PART_NONE;
}

enum stream_found stream_walk(struct stream *stream, int direction, struct stream_place *place)
{
    const struct cells *cells = stream->cells;

    stream->search.filter.budget = WALK_BYTES;
    for (;;) {
        size_t index = stream_index_of(stream, place->card, stream_last_index(stream)), next,
               row = 0;
        const struct stream_place before = *place;
        struct card *card = place->card = cells->cards[index];
        const struct stream_fold fold = stream_unfold(card);
        enum text_search result = TEXT_NONE;

        if (!place->done)
            result = stream_search_card(stream, place, direction, &row);
        if (result == TEXT_PAUSED) {
            stream_fold_again(card, &fold);
            return STREAM_PAUSED;
        }
        place->wish = stream_missing(stream, place, direction, result == TEXT_FOUND, row);
        if (place->wish != PART_NONE) {
            stream_fold_again(card, &fold);
            card->whole = fold.whole;
            place->row = before.row;
            return STREAM_UNSURE;
        }
        if (result == TEXT_FOUND) {
            trail_reveal(stream->cells, card, true);
            place->row = row;
            return STREAM_FOUND;
        }
        stream_fold_again(card, &fold);
        place->done = true;
        if (!place->passed && !stream_is_whole(card))
            return STREAM_UNSURE;
        if (direction < 0 ? index == 0 : index + 1 >= cells->count)
            return STREAM_END;
        next = direction < 0 ? index - 1 : index + 1;
        if (cells->cards[MAX(index, next)]->number > cells->cards[MIN(index, next)]->number + 1)
            return STREAM_GAP;
        *place =
            (struct stream_place){.card = cells->cards[next], .row = direction < 0 ? SIZE_MAX : 0};
    }
}

void stream_show(struct stream *stream, const struct stream_place *place)
{
    size_t index = stream_index_of(stream, place->card, stream->cells->count);

    if (index == stream->cells->count)
        return;
    stream->match = place->card;
    stream->match_row = place->row;
    stream_show_rows(stream, index, place->row, 1, (size_t)stream->height / 3);
    stream->selected = stream->match;
}

/* False: not everything is loaded. */
static bool stream_is_all_here(const struct stream *stream)
{
    const struct cells *cells = stream->cells;

    for (size_t i = 0; i < cells->count; i++)
        if (!stream_is_whole(cells->cards[i]) ||
            cells->cards[i]->number > (i > 0 ? cells->cards[i - 1]->number : 0) + 1)
            return false;
    return true;
}

/* False: not known yet. */
static bool stream_count_all(struct stream *stream, size_t *ret_at, size_t *ret_count)
{
    const struct cells *cells = stream->cells;

    *ret_at = *ret_count = 0;
    stream->search.filter.rest = false;
    for (size_t i = 0; i < cells->count; i++) {
        struct card *card = cells->cards[i];
        const struct stream_fold fold = stream_unfold(card);

        if (card == stream->match) {
            size_t before = card_found(card, &stream->look, stream->match_row);

            if (card_found(card, &stream->look, stream->match_row + 1) > before)
                *ret_at = *ret_count + before + 1;
        }
        *ret_count += card_found(card, &stream->look, SIZE_MAX);
        stream_fold_again(card, &fold);
    }
    return !stream->search.filter.rest;
}

void stream_count(struct stream *stream)
{
    bool same =
        stream->counted.valid && stream->counted.change == stream->cells->change &&
        stream->counted.match == stream->match && stream->counted.row == stream->match_row &&
        stream->counted.width == stream->look.width && stream->counted.hide == stream->look.hide &&
        stream->counted.around == stream->look.around &&
        stream->counted.annotated == stream->look.annotated &&
        stream->counted.key == stream->search.filter.key;

    if (!same) {
        stream->counted.change = stream->cells->change;
        stream->counted.match = stream->match;
        stream->counted.row = stream->match_row;
        stream->counted.width = stream->look.width;
        stream->counted.hide = stream->look.hide;
        stream->counted.around = stream->look.around;
        stream->counted.annotated = stream->look.annotated;
        stream->counted.key = stream->search.filter.key;
        stream->search.filter.budget = FRAME_BYTES;
        stream->counted.known = stream_is_all_here(stream);
        stream->counted.valid =
            !stream->counted.known ||
            stream_count_all(stream, &stream->counted.at, &stream->counted.count);
        stream->unfinished |= !stream->counted.valid;
    }
}

bool stream_counted(const struct stream *stream, size_t *ret_at, size_t *ret_count)
{
    *ret_at = stream->counted.at;
    *ret_count = stream->counted.count;
    return stream->counted.valid && stream->counted.known;
}

/* ---- parts of long outputs ---- */

void stream_hold(struct stream *stream, struct card *card, struct stream_hold *ret_hold)
{
    *ret_hold = (struct stream_hold){.card = card, .top = stream->top_row};
    if (card == NULL)
        return;
    ret_hold->begin = card_part_row(card, &stream->look, CARD_PART_OUTPUT);
    ret_hold->end = card_part_row(card, &stream->look, CARD_PART_LATER);
    ret_hold->rows = stream_rows_at(stream, stream_index_of(stream, card, 0));
}

void stream_release(struct stream *stream, const struct stream_hold *hold, enum part_wish wish)
{
    struct card *card = hold->card;
    size_t seam, rows;

    if (card == NULL || card->output == NULL || stream->follow || stream->top != card)
        return;
    seam = card_line_row(card, &stream->look, card->seam_line);
    rows = card_rows(card, &stream->look);
    if (stream->match == card)
        stream->match = NULL; /* its row has changed */
    if (wish == PART_EARLIER && card->seam_line != SIZE_MAX)
        stream->top_row = seam + hold->top - MIN(hold->begin, hold->top + seam);
    else if (wish == PART_LATER && card->seam_line != SIZE_MAX)
        stream->top_row = seam + hold->top - MIN(hold->end, hold->top + seam);
    else if (wish == PART_END)
        stream->top_row = rows + hold->top - MIN(hold->rows, hold->top + rows);
}

/* ---- frames ---- */

/* Determines the first visible row: at the end, or at the current position, without empty space
 * below the end. */
static void stream_find_top(struct stream *stream, size_t *index, size_t *row)
{
    size_t end_index, end_row;

    stream_find_end(stream, &end_index, &end_row);
    *index = end_index;
    *row = end_row;
    if (!stream->follow) {
        *index = stream_index_of(stream, stream->top, end_index);
        *row = MIN(stream->top_row, MAX(stream_rows_at(stream, *index), 1u) - 1);
        if (stream_is_before(end_index, end_row, *index, *row)) {
            *index = end_index;
            *row = end_row;
        }
    }
    stream_set_top(stream, *index, *row);
}

void stream_arrange(struct stream *stream, int width, int height, double now)
{
    size_t index, row;
    int y = 0;

    stream->look.width = width;
    stream->look.figures.columns = width - CARD_GUTTER - 1;
    stream->look.now = now;
    stream->look.marks = false;
    trail_group(stream->cells);
    for (size_t i = 0; i < stream->cells->count; i++)
        stream->look.marks |= stream->cells->cards[i]->returnable;
    stream->height = MIN(height, (int)GRID_SIDE_MAX);
    for (int i = 0; i < stream->height; i++)
        stream->rows[i].card = NULL;
    if (stream->cells->count == 0 || width <= 0 || height <= 0)
        return;
    stream->search.filter.budget = FRAME_BYTES;
    stream->search.filter.rest = false;
    stream_find_top(stream, &index, &row);
    for (; index < stream->cells->count && y < stream->height; index++, row = 0) {
        struct card *card = stream->cells->cards[index];
        size_t rows = stream_rows_at(stream, index);

        for (; row < rows && y < stream->height; row++, y++) {
            stream->rows[y].card = card;
            card_find(card, &stream->look, row, &stream->rows[y].place);
        }
    }
    stream->unfinished |= stream->search.filter.rest;
}

void stream_draw(const struct stream *stream, struct region region, bool focused)
{
    const struct card *selected = stream_selected(stream);

    for (int y = 0; y < stream->height; y++)
        if (stream->rows[y].card != NULL)
            /* Pictures may extend below their first row. */
            card_draw(stream->rows[y].card, &stream->look, region_part(region, 0, y, -1, -1),
                      &stream->rows[y].place, focused && stream->rows[y].card == selected);
}

/* ---- loading what is missing ---- */

/* For a card whose rows from @row on are visible from @y on: if an edge of the loaded part has been
 * reached, requests what lies behind it. Once per movement, so that it ends in any case. */
static void stream_want_part(struct stream *stream, struct card *card, size_t row, int y)
{
    const size_t height = (size_t)(stream->height - y);
    enum part_wish wish = PART_NONE;
    size_t edge;

    if (!stream->moved)
        return;
    edge = card_part_row(card, &stream->look, CARD_PART_EARLIER);
    if (part_before(card) > 0 && card_has(card, &stream->look, CARD_PART_EARLIER) && edge >= row &&
        edge - row < height)
        wish = edge == row && y == 0 ? PART_EARLIER : PART_BEGINNING;
    edge = card_part_row(card, &stream->look, CARD_PART_LATER);
    if (part_behind(card) > 0 && card_has(card, &stream->look, CARD_PART_LATER) && edge >= row &&
        edge - row < height)
        wish = edge - row == height - 1 && !stream->follow ? PART_LATER : PART_END;
    if (wish != PART_NONE && stream->want_part(stream->arg, card, wish))
        stream->moved = false;
}

/* Requests cells missing before one whose head is visible. Once, whatever the answer. */
static void stream_want_before(struct stream *stream, size_t index)
{
    struct card *card = stream->cells->cards[index];
    uint32_t before = index > 0 ? stream->cells->cards[index - 1]->number : 0;

    if (card->number > before + 1 && !card->asked_before)
        card->asked_before = stream->want_between(stream->arg, before, card->number);
}

void stream_ask(struct stream *stream)
{
    size_t index, row = stream->top_row;
    int y = 0;

    if (stream->cells->count == 0 || stream->height <= 0)
        return;
    index = stream_index_of(stream, stream->top, stream->cells->count);
    for (; index < stream->cells->count && y < stream->height; index++) {
        struct card *card = stream->cells->cards[index];
        size_t rows = stream_rows_at(stream, index);

        if (row == 0 && !stream->look.annotated) /* else they have been requested (bookmark.c) */
            stream_want_before(stream, index);
        if ((card->away || card->figures_away) && !card->asked && !card->folded && rows > 0)
            stream->want(stream->arg, card);
        stream_want_part(stream, card, row, y);
        y += (int)MIN(rows - MIN(row, rows), (size_t)(stream->height - y));
        row = 0;
    }
}

bool stream_point(struct stream *stream, int y)
{
    if (y < 0 || y >= stream->height || stream->rows[y].card == NULL)
        return false;
    stream->follow = false; /* what is visible stays in place */
    stream->selected = stream->rows[y].card;
    return true;
}

bool stream_click(struct stream *stream, int y)
{
    const struct card *card;

    if (!stream_point(stream, y))
        return false;
    card = stream->selected;
    if (stream->rows[y].place.part == CARD_PART_UNDONE) {
        trail_reveal(stream->cells, card, card->tucked);
        return false;
    }
    return stream->rows[y].place.part == CARD_PART_HEAD;
}
