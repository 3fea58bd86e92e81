/* SPDX-License-Identifier: Apache-2.0 */
#include "view/bookmark.h"

#include "rpc/access.h"
#include "view/internal.h"

enum { CALL_DEADLINE_MS = 30000 };

/* ---- changing ---- */

static void bookmark_on_reply(void *arg, const struct gb_json *result,
                              const struct gb_call_error *error)
{
    (void)result;
    if (error != NULL)
        tui_say_error(arg, "annotate", error);
}

/* The event says what it has become. The reply has the program for its receiver, which outlives
 * the view. */
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
    (void)tui_call(tui, "session.annotate", &params, CALL_DEADLINE_MS, bookmark_on_reply, tui);
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
    if (words->rest[0] != '\0')
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
    self->bookmark.call = tui_call(self->view.tui, "session.history", &params, CALL_DEADLINE_MS,
                                   bookmark_on_found, self);
    gb_buf_release(&params);
}

static void bookmark_find(struct tui *tui, bool up)
{
    struct session_view *self = session_view_top(tui);
    const struct card *card;

    if (self == NULL)
        return;
    card = stream_selected(&self->stream);
    tui_forget(tui, self->bookmark.call);
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
    self->bookmark.call = 0;
}

void bookmark_close(struct session_view *self)
{
    tui_forget(self->view.tui, self->bookmark.call);
}

/* ---- showing only them ---- */

static void bookmark_on_all(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct session_view *self = arg;

    self->bookmark.call = 0;
    if (error != NULL)
        tui_say_error(self->view.tui, "history", error);
    else if (cells_history(&self->cells, result) == 0)
        tui_say(self->view.tui, MESSAGE_PLAIN, "no cell has a bookmark or a note");
    tui_redraw(self->view.tui);
}

static void bookmark_ask_all(struct session_view *self)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    tui_forget(self->view.tui, self->bookmark.call);
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    gb_json_put_bool(&out, "output", false);
    gb_json_put_bool(&out, "annotated", true);
    gb_json_put_u64(&out, "before", UINT32_MAX);
    gb_json_put_u64(&out, "limit", CELLS_MAX / 2);
    gb_json_end(&out);
    self->bookmark.call = tui_call(self->view.tui, "session.history", &params, CALL_DEADLINE_MS,
                                   bookmark_on_all, self);
    gb_buf_release(&params);
}

void bookmark_run_only(struct tui *tui, const struct words *words)
{
    struct session_view *self = session_view_top(tui);
    const struct card *card;

    (void)words;
    if (self == NULL)
        return;
    card = stream_selected(&self->stream);
    self->stream.look.annotated = !self->stream.look.annotated;
    self->stream.match = NULL;
    if (self->stream.look.annotated)
        bookmark_ask_all(self);
    stream_select(&self->stream, card); /* rows appear or disappear */
}
