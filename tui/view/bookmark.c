/* SPDX-License-Identifier: Apache-2.0 */
#include "view/bookmark.h"

#include "base/limits.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "view/internal.h"
#include "view/remark.h"

enum { CALL_DEADLINE_MS = 30000 };

/* ---- what is loaded ---- */

static void bookmark_on_marks(void *arg, const struct gb_json *result,
                              const struct gb_call_error *error)
{
    const struct gb_json *list = json_array(result, "cells"), *cell = NULL;
    const struct gb_cell_info none = {0};
    struct session_view *self = arg;
    struct cells *cells = &self->cells;
    uint64_t from = json_true(result, "more") ? json_count(result, "next") : 0;

    self->bookmark.refreshing = 0;
    if (error != NULL)
        return; /* what is shown stays */
    for (size_t i = 0; i < cells->count; i++)
        if (cells->cards[i]->number >= from)
            remark_read(cells->cards[i], &none);
    JSON_FOREACH(cell, list) {
        struct gb_cell_info info;
        struct card *card;

        if (gb_object_read(&gb_cell_object, cell, &info, NULL) < 0)
            continue;
        card = cells_find(cells, info.number);
        if (card != NULL)
            remark_read(card, &info);
    }
    cells->change++;
    tui_redraw(self->view.tui);
}

/* All cells that have one, newest first. */
static uint64_t bookmark_ask_for(struct session_view *self, uint32_t limit, gb_reply_cb *reply)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    uint64_t call;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    gb_json_put_bool(&out, "output", false);
    gb_json_put_bool(&out, "annotated", true);
    gb_json_put_u64(&out, "before", UINT32_MAX);
    gb_json_put_u64(&out, "limit", limit);
    gb_json_end(&out);
    call =
        uplink_call(self->view.uplink, "session.history", &params, CALL_DEADLINE_MS, reply, self);
    gb_buf_release(&params);
    return call;
}

static void bookmark_load(struct session_view *self);

void bookmark_refresh(struct session_view *self)
{
    if (self->history_unsupported)
        return;
    if (self->stream.look.annotated)
        bookmark_load(self);
    uplink_forget(self->view.uplink, self->bookmark.refreshing);
    self->bookmark.refreshing = bookmark_ask_for(self, GB_ANNOTATIONS_MAX, bookmark_on_marks);
}

void bookmark_check(struct session_view *self)
{
    if (!self->bookmark.stale || self->history != 0 || self->seek.call != 0)
        return;
    self->bookmark.stale = false;
    bookmark_refresh(self);
}

/* ---- changing ---- */

/* The reply has the program for its receiver, which outlives the view. */
static void bookmark_on_reply(void *arg, const struct gb_json *result,
                              const struct gb_call_error *error)
{
    struct session_view *self = session_view_top(arg);

    (void)result;
    if (error != NULL)
        tui_say_error(arg, "annotate", error);
    else if (self != NULL && self->subscription == 0)
        bookmark_refresh(self); /* no event will tell: the session has ended */
}

static void bookmark_call(struct tui *tui, const struct session_view *self, uint32_t cell,
                          const bool *bookmark, const char *note)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    gb_json_put_u64(&out, "cell", cell);
    if (bookmark != NULL)
        gb_json_put_bool(&out, "bookmark", *bookmark);
    if (note != NULL)
        gb_json_put_str(&out, "note", note);
    gb_json_end(&out);
    (void)uplink_call(self->view.uplink, "session.annotate", &params, CALL_DEADLINE_MS,
                      bookmark_on_reply, tui);
    gb_buf_release(&params);
}

/* The view on top, if a cell with a number is selected in it; reports if not. */
static struct session_view *bookmark_view(struct tui *tui, const struct card **ret_card)
{
    struct session_view *self = session_view_top(tui);

    *ret_card = self == NULL ? NULL : stream_selected(&self->stream);
    if (self == NULL)
        return NULL;
    if (*ret_card != NULL && (*ret_card)->number != 0)
        return self;
    tui_say(tui, MESSAGE_PLAIN, "no cell that has begun is selected");
    return NULL;
}

void bookmark_run(struct tui *tui, const struct words *words)
{
    const struct card *card;
    const struct session_view *self = bookmark_view(tui, &card);
    bool on;

    (void)words;
    if (self == NULL)
        return;
    on = !card->bookmark;
    bookmark_call(tui, self, card->number, &on, NULL);
}

static void bookmark_on_note(void *arg, const char *line)
{
    struct session_view *self = arg;

    if (line != NULL && self == session_view_top(self->view.tui))
        bookmark_call(self->view.tui, self, self->bookmark.cell, NULL, line);
}

void bookmark_run_note(struct tui *tui, const struct words *words)
{
    const struct card *card;
    struct session_view *self = bookmark_view(tui, &card);

    if (self == NULL)
        return;
    self->bookmark.cell = card->number;
    if (words->count == 2 && words->words[1][0] == '\0') /* "", as for `glassbell note` */
        bookmark_call(tui, self, card->number, NULL, "");
    else if (words->rest[0] != '\0')
        bookmark_call(tui, self, card->number, NULL, words->rest);
    else
        tui_ask(tui, "note", card->remark, bookmark_on_note, self);
}

/* ---- finding ---- */

static void bookmark_ask(struct session_view *self);

static void bookmark_on_found(void *arg, const struct gb_json *result,
                              const struct gb_call_error *error)
{
    struct session_view *self = arg;
    const struct gb_json *list = json_array(result, "cells");

    self->bookmark.call = 0;
    if (error != NULL) {
        tui_say_error(self->view.tui, "history", error);
    } else if (list != NULL && list->count > 0) {
        uint32_t number = (uint32_t)json_count(gb_json_first(list), "cell");
        const struct card *card = cells_find(&self->cells, number);

        if (card != NULL && card->tucked)
            trail_reveal(&self->cells, card, true);
        seek_cell(self, number);
    } else if (!self->bookmark.around) {
        self->bookmark.around = true;
        self->bookmark.from = self->bookmark.up ? UINT32_MAX : 0;
        bookmark_ask(self);
    } else {
        tui_say(self->view.tui, MESSAGE_PLAIN, "no cell has a bookmark or a note");
    }
    tui_redraw(self->view.tui);
}

static void bookmark_ask(struct session_view *self)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    gb_json_put_bool(&out, "output", false);
    gb_json_put_bool(&out, "annotated", true);
    gb_json_put_u64(&out, self->bookmark.up ? "before" : "after", self->bookmark.from);
    gb_json_put_u64(&out, "limit", 1);
    gb_json_end(&out);
    self->bookmark.call = uplink_call(self->view.uplink, "session.history", &params,
                                      CALL_DEADLINE_MS, bookmark_on_found, self);
    gb_buf_release(&params);
}

static void bookmark_find(struct tui *tui, bool up)
{
    struct session_view *self = session_view_top(tui);
    const struct card *card;

    if (self == NULL)
        return;
    card = stream_selected(&self->stream);
    uplink_forget(self->view.uplink, self->bookmark.call);
    self->bookmark.up = up;
    self->bookmark.around = false;
    self->bookmark.from = card != NULL && card->number != 0 ? card->number : up ? UINT32_MAX : 0;
    bookmark_ask(self);
}

void bookmark_run_next(struct tui *tui, const struct words *words)
{
    (void)words;
    bookmark_find(tui, false);
}

void bookmark_run_previous(struct tui *tui, const struct words *words)
{
    (void)words;
    bookmark_find(tui, true);
}

void bookmark_forget(struct session_view *self)
{
    self->bookmark.stale = false; /* they are read again anyway */
    self->bookmark.call = self->bookmark.refreshing = self->bookmark.loading = 0;
}

void bookmark_close(struct session_view *self)
{
    uplink_forget(self->view.uplink, self->bookmark.refreshing);
    uplink_forget(self->view.uplink, self->bookmark.call);
    uplink_forget(self->view.uplink, self->bookmark.loading);
}

/* ---- showing only them ---- */

static void bookmark_on_all(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct session_view *self = arg;

    self->bookmark.loading = 0;
    if (error != NULL)
        tui_say_error(self->view.tui, "history", error);
    else if (cells_history(&self->cells, result) == 0)
        tui_say(self->view.tui, MESSAGE_PLAIN, "no cell has a bookmark or a note");
    tui_redraw(self->view.tui);
}

static void bookmark_load(struct session_view *self)
{
    uplink_forget(self->view.uplink, self->bookmark.loading);
    self->bookmark.loading = bookmark_ask_for(self, GB_ANNOTATIONS_MAX, bookmark_on_all);
}

/* What a reply on its way says about the cell may be older than the event. */
void bookmark_on_annotated(struct session_view *self, uint32_t cell)
{
    self->bookmark.stale |= self->history != 0 || self->seek.call != 0 ||
                            self->bookmark.loading != 0 || self->bookmark.refreshing != 0;
    if (self->stream.look.annotated && cells_find(&self->cells, cell) == NULL)
        bookmark_load(self);
}

static void bookmark_only(struct session_view *self, bool only)
{
    const struct card *card = stream_selected(&self->stream);

    self->stream.look.annotated = only;
    self->stream.match = NULL;
    cells_keep_annotated(&self->cells, only);
    if (only)
        bookmark_load(self);
    stream_select(&self->stream, card); /* rows appear or disappear */
}

void bookmark_run_only(struct tui *tui, const struct words *words)
{
    struct session_view *self = session_view_top(tui);

    (void)words;
    if (self != NULL)
        bookmark_only(self, !self->stream.look.annotated);
}

bool bookmark_back(struct session_view *self)
{
    const bool only = self->stream.look.annotated;

    if (only)
        bookmark_only(self, false);
    return only;
}
