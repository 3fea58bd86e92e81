/* SPDX-License-Identifier: Apache-2.0 */
/* Going to what is not loaded yet: a cell by its number, the first one, the next match.
 *
 * Theory of operation. The cards are a part of the journal's cells, with gaps between them. A
 * search walks through them (stream_walk) as long as everything is loaded; at a gap, at an output
 * that is away, or before the first card, the server is asked for the next cell that contains the
 * text. That cell becomes a card, its output is loaded part by part, and the walk continues from
 * there. There is one call at a time; whatever the user does next replaces it. The walk is split
 * into loop iterations, so that keys are handled and frames painted meanwhile.
 */
#include <string.h>

#include "base/mem.h"
#include "rpc/access.h"
#include "view/internal.h"
#include "view/part.h"

enum { CALL_DEADLINE_MS = 60000, CELLS_BEFORE = 10, CELLS_ASKED = 100 };

static void seek_walk(struct session_view *self);

static struct gb_json_out seek_begin_params(const struct session_view *self, struct gb_buf *params)
{
    struct gb_json_out out = {.buf = params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    gb_json_put_bool(&out, "output", false);
    return out;
}

static void seek_put_call(struct session_view *self, struct gb_json_out *out, gb_reply_cb *reply)
{
    session_link_drop(self);
    gb_json_end(out);
    self->seek.call =
        uplink_call(self->view.uplink, "session.history", out->buf, CALL_DEADLINE_MS, reply, self);
    gb_buf_release(out->buf);
    tui_redraw(self->view.tui);
}

bool seek_stop(struct session_view *self)
{
    bool active = seek_active(self);

    uplink_forget(self->view.uplink, self->seek.call);
    self->seek.call = 0;
    gb_timer_stop(self->seek.turn);
    return active;
}

bool seek_active(const struct session_view *self)
{
    return self->seek.call != 0 || gb_timer_active(self->seek.turn);
}

static void seek_on_turn(void *arg)
{
    seek_walk(arg);
}

void seek_open(struct session_view *self)
{
    self->seek.turn = gb_timer_new(tui_loop(self->view.tui), seek_on_turn, self);
}

void seek_close(struct session_view *self)
{
    gb_timer_free(self->seek.turn);
}

/* ---- to a cell ---- */

static void seek_on_cells(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct session_view *self = arg;
    const struct card *card;

    self->seek.call = 0;
    if (error != NULL) {
        tui_say_error(self->view.tui, "history", error);
        return;
    }
    cells_keep_near(&self->cells, self->seek.cell);
    (void)cells_history(&self->cells, result);
    cells_keep_near(&self->cells, 0);
    card = self->seek.cell > 0 ? cells_find(&self->cells, self->seek.cell) : NULL;
    if (card != NULL)
        stream_select(&self->stream, card);
    else if (self->seek.cell <= 1)
        stream_to_top(&self->stream);
    else
        tui_say(self->view.tui, MESSAGE_WARNING, "cell %u is not in the journal any more",
                self->seek.cell);
    tui_redraw(self->view.tui);
}

static void seek_ask_cells(struct session_view *self, uint32_t number)
{
    struct gb_buf params = {0};
    struct gb_json_out out = seek_begin_params(self, &params);

    self->seek.cell = number;
    gb_json_put_u64(&out, "after", number > CELLS_BEFORE ? number - CELLS_BEFORE - 1 : 0);
    gb_json_put_u64(&out, "limit", CELLS_ASKED);
    seek_put_call(self, &out, seek_on_cells);
}

void seek_cell(struct session_view *self, uint32_t number)
{
    const struct session *session = session_view_session(self);
    const struct card *card = cells_find(&self->cells, number);
    uint32_t last = session != NULL ? session->cells : 0;

    (void)seek_stop(self);
    if (card != NULL)
        stream_select(&self->stream, card);
    else if (number == 0 || (session != NULL && number > last))
        tui_say(self->view.tui, MESSAGE_ERROR,
                last > 0 ? "there is no cell %u; the last one is %u" : "there is no cell %u",
                number, last);
    else if (self->history_unsupported)
        tui_say(self->view.tui, MESSAGE_ERROR, "cell %u is not here, and no journal is kept",
                number);
    else
        seek_ask_cells(self, number);
}

void seek_top(struct session_view *self)
{
    (void)seek_stop(self);
    stream_to_top(&self->stream);
    if (self->cells.count > 0 && self->cells.cards[0]->number > 1 && !self->history_unsupported)
        seek_ask_cells(self, 1);
}

/* ---- to a match ---- */

static void seek_not_found(struct session_view *self)
{
    tui_say(self->view.tui, MESSAGE_WARNING, "%.*s is not in this session",
            (int)self->stream.search.size, self->stream.search.pattern);
}

/* The walk is at an end of the session: wraps around once. */
static void seek_go_around(struct session_view *self)
{
    struct seek *seek = &self->seek;
    struct cells *cells = &self->cells;

    if (seek->around || cells->count == 0) {
        seek_not_found(self);
        return;
    }
    seek->around = seek->wrapped = true;
    seek->place = (struct stream_place){
        .card = cells->cards[seek->direction < 0 ? cells->count - 1 : 0],
        .row = seek->direction < 0 ? SIZE_MAX : 0,
    };
    /* Cells before the first card have to be requested too. */
    if (seek->direction > 0 && cells->cards[0]->number > 1 && !self->history_unsupported)
        seek_ask(self, 0);
    else
        seek_walk(self);
}

/* How much of the output in the direction of the search is not loaded. */
static uint64_t seek_left_of(const struct card *card, enum part_wish wish)
{
    return wish == PART_EARLIER ? part_before(card) : wish == PART_LATER ? part_behind(card) : 0;
}

/* The first row not examined before the part arrived. */
static size_t row_of_part(const struct session_view *self, struct card *card, enum part_wish wish)
{
    const struct card_look *look = &self->stream.look;
    size_t row;

    if (wish == PART_BEGINNING)
        return card_part_row(card, look, CARD_PART_OUTPUT);
    if ((wish == PART_EARLIER || wish == PART_LATER) && card->seam_line != SIZE_MAX)
        row = card_line_row(card, look, card->seam_line);
    else
        row =
            card_part_row(card, look, wish == PART_LATER ? CARD_PART_OUTPUT : CARD_PART_OUTPUT + 1);
    return wish == PART_LATER ? row : row > 0 ? row - 1 : 0;
}

static void seek_on_part(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct session_view *self = arg;
    struct seek *seek = &self->seek;
    enum part_wish wish = seek->place.wish;
    struct card *card;

    seek->call = 0;
    if (error != NULL) {
        tui_say_error(self->view.tui, "history", error);
        return;
    }
    (void)cells_history(&self->cells, result);
    card = cells_find(&self->cells, seek->cell);
    if (card == NULL)
        return;
    card->wish = PART_NONE;
    card->folded = false;
    seek->place = (struct stream_place){
        .card = card,
        .row = row_of_part(self, card, wish),
        .known = true,
        .deep = true,
        /* A part that brought nothing is the last one. */
        .passed =
            card->output == NULL || (seek->left > 0 && seek_left_of(card, wish) >= seek->left),
    };
    seek_walk(self);
}

/* Loads what the position needs, of a card that is known to contain the text. */
static void seek_read_part(struct session_view *self)
{
    struct card *card = self->seek.place.card;
    struct gb_buf params = {0};
    struct gb_json_out out = seek_begin_params(self, &params);
    uint64_t offset, length;

    session_link_drop(self);
    tui_say(self->view.tui, MESSAGE_PLAIN, "searching in cell %u… Esc stops", card->number);
    self->seek.left = seek_left_of(card, self->seek.place.wish);
    self->seek.cell = card->number;
    part_ask(card, self->seek.place.wish, &offset, &length);
    gb_json_put_u64(&out, "after", card->number - 1);
    gb_json_put_u64(&out, "limit", 1);
    gb_json_put_i64(&out, "offset", (int64_t)offset);
    gb_json_put_u64(&out, "length", length);
    seek_put_call(self, &out, seek_on_part);
}

/* The journal has nothing more in this direction: only running cells, or nothing, are left to
 * examine. */
static void seek_pass_journal(struct session_view *self)
{
    struct cells *cells = &self->cells;

    if (self->seek.direction > 0)
        for (size_t i = 0; i < cells->count; i++)
            if (cells->cards[i]->state != CARD_DONE && cells->cards[i] != self->seek.place.card) {
                self->seek.place = (struct stream_place){.card = cells->cards[i]};
                seek_walk(self);
                return;
            }
    seek_go_around(self);
}

static void seek_on_next(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct session_view *self = arg;
    const struct gb_json *list = json_array(result, "cells");
    struct seek *seek = &self->seek;
    struct card *card;
    uint32_t number;

    seek->call = 0;
    if (error != NULL) {
        tui_say_error(self->view.tui, "search", error);
        return;
    }
    if (list == NULL || list->count == 0) {
        if (json_true(result, "more"))
            seek_ask(self, (uint32_t)json_count(result, "next"));
        else
            seek_pass_journal(self);
        return;
    }
    number = (uint32_t)json_count(gb_json_first(list), "cell");
    card = cells_find(&self->cells, number);
    if (card != NULL && card == seek->place.card) {
        seek->place.known = true; /* from the current position in it */
        seek_walk(self);
        return;
    }
    seek->cell = number;
    cells_keep_near(&self->cells, seek->cell);
    (void)cells_history(&self->cells, result);
    cells_keep_near(&self->cells, 0);
    card = cells_find(&self->cells, seek->cell);
    if (card == NULL) {
        seek_not_found(self);
        return;
    }
    seek->place = (struct stream_place){
        .card = card, .row = seek->direction < 0 ? SIZE_MAX : 0, .known = true};
    seek_walk(self);
}

void seek_ask(struct session_view *self, uint32_t from)
{
    char pattern[SEARCH_PATTERN_MAX + 1];
    struct gb_buf params = {0};
    struct gb_json_out out = seek_begin_params(self, &params);
    bool up = self->seek.direction < 0;

    (void)snprintf(pattern, sizeof(pattern), "%.*s", (int)self->stream.search.size,
                   self->stream.search.pattern);
    gb_json_put_str(&out, "find", pattern);
    if (self->stream.look.annotated)
        gb_json_put_bool(&out, "annotated", true);
    gb_json_put_u64(&out, up ? "before" : "after", from);
    gb_json_put_u64(&out, "limit", 1);
    tui_say(self->view.tui, MESSAGE_PLAIN, "searching %s cell %u… Esc stops",
            up ? "before" : "behind", from);
    seek_put_call(self, &out, seek_on_next);
}

/* The walk does not know what comes next. */
static void seek_ask_from(struct session_view *self, enum stream_found found)
{
    const struct card *card = self->seek.place.card;
    const struct session *session = session_view_session(self);
    bool up = self->seek.direction < 0;

    if (self->history_unsupported || card->number == 0) {
        seek_go_around(self);
    } else if (found == STREAM_UNSURE) { /* this one too */
        seek_ask(self, up ? card->number + 1 : card->number - 1);
    } else if (found == STREAM_END && up && card->number <= 1) {
        seek_go_around(self);
    } else if (found == STREAM_END && !up && (session == NULL || session->cells <= card->number)) {
        seek_go_around(self);
    } else {
        seek_ask(self, card->number);
    }
}

static void seek_walk(struct session_view *self)
{
    struct seek *seek = &self->seek;

    if (self->cells.count == 0) { /* they were dropped while it was waiting */
        seek_not_found(self);
        return;
    }
    for (;;) {
        enum stream_found found = stream_walk(&self->stream, seek->direction, &seek->place);

        if (found == STREAM_PAUSED) {
            tui_say(self->view.tui, MESSAGE_PLAIN, "searching in cell %u… Esc stops",
                    seek->place.card->number);
            gb_timer_start(seek->turn, 0);
            return;
        }
        if (found == STREAM_FOUND) {
            stream_show(&self->stream, &seek->place);
            tui_say(self->view.tui, MESSAGE_PLAIN, "%s",
                    !seek->wrapped        ? ""
                    : seek->direction < 0 ? "from the end again"
                                          : "from the beginning again");
            return;
        }
        if (found == STREAM_UNSURE && seek->place.known && seek->place.wish != PART_NONE &&
            !self->history_unsupported) {
            seek_read_part(self);
            return;
        }
        if (found == STREAM_UNSURE && seek->place.known) {
            seek->place.passed = true; /* there is no more of it */
            continue;
        }
        if (found == STREAM_UNSURE &&
            (seek->place.card->number == 0 || self->history_unsupported)) {
            seek->place.passed = true;
            continue;
        }
        seek_ask_from(self, found);
        return;
    }
}

void seek_next(struct session_view *self, int direction)
{
    struct seek *seek = &self->seek;

    (void)seek_stop(self);
    seek->direction = direction;
    seek->wrapped = false;
    if (self->cells.count == 0) {
        seek_not_found(self);
        return;
    }
    stream_begin(&self->stream, direction, &seek->place);
    /* A search that starts at an end need not wrap around. */
    seek->around = !seek->place.known && self->stream.follow && direction < 0;
    seek_walk(self);
}
