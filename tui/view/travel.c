/* SPDX-License-Identifier: Apache-2.0 */
/* Moving in a session's past: the list of checkpoints, undo, redo, rewind and fork. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/past.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "view/internal.h"

/* A rewind waits until the session is idle, and starts a VM. */
enum { TRAVEL_LIST_DEADLINE_MS = 30000, TRAVEL_DEADLINE_MS = 180000, TRAVEL_PAGE = 1000 };
enum { TRAVEL_STEPS_MAX = 10000 };

/* ---- the list ---- */

static void travel_ask(struct session_view *self, uint64_t after);

static void travel_on_list(void *arg, const struct gb_json *result,
                           const struct gb_call_error *error)
{
    struct session_view *self = arg;
    uint64_t after = 0;

    self->trail_call = 0;
    self->trail_error[0] = '\0';
    if (error != NULL) { /* it has ended, or the server has no past */
        trail_drop(&self->trail);
        (void)snprintf(self->trail_error, sizeof(self->trail_error), "%s", error->message);
    } else
        after = trail_read(&self->trail, result);
    if (after != 0) {
        travel_ask(self, after);
        return;
    }
    trail_mark(&self->trail, &self->cells);
    if (self->trail_stale)
        travel_refresh(self);
    tui_redraw(self->view.tui);
}

static void travel_ask(struct session_view *self, uint64_t after)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    gb_json_put_u64(&out, "after", after);
    gb_json_put_u64(&out, "limit", TRAVEL_PAGE);
    gb_json_end(&out);
    self->trail_call = uplink_call(self->view.uplink, "session.checkpoints", &params,
                                   TRAVEL_LIST_DEADLINE_MS, travel_on_list, self);
    gb_buf_release(&params);
}

void travel_refresh(struct session_view *self)
{
    self->trail_stale = self->trail_call != 0;
    if (self->trail_call == 0)
        travel_ask(self, 0);
}

void travel_forget(struct session_view *self)
{
    self->trail_call = 0;
    self->trail_stale = false;
    trail_drop(&self->trail);
    timeline_forget(self);
}

void travel_close(struct session_view *self)
{
    trail_release(&self->trail);
}

void travel_event(struct session_view *self, const struct store_event *event)
{
    if (strcmp(event->kind, "session.rewound") == 0) {
        trail_rewound(&self->cells, event->params, json_time(event->params, "at"));
        trail_mark(&self->trail, &self->cells);
        if (self->tab == TAB_FILES)
            files_refresh(&self->files);
        travel_refresh(self);
    } else if (strcmp(event->kind, "session.checkpointed") == 0) {
        travel_refresh(self);
    } else {
        /* Cards may have come that have a checkpoint already. */
        trail_mark(&self->trail, &self->cells);
    }
}

/* ---- moving ---- */

static void travel_on_rewound(void *arg, const struct gb_json *result,
                              const struct gb_call_error *error)
{
    struct tui *tui = arg;
    struct gb_rewound_info info;
    char undo[KEY_NAME_MAX], redo[KEY_NAME_MAX], gone[64] = "";

    if (error != NULL) {
        tui_say_error(tui, "rewind", error);
        return;
    }
    gb_object_take(&gb_rewound_object, result, &info);
    tui_key_of(tui, CONTEXT_SESSION, "undo", undo);
    tui_key_of(tui, CONTEXT_SESSION, "redo", redo);
    /* Where a cell has no checkpoint, one step goes further than its cell. */
    if (info.from_cell > info.cell && info.from_cell - info.cell > 1)
        (void)snprintf(gone, sizeof(gone), "cells %u–%u are undone; ", info.cell + 1,
                       info.from_cell);
    if (info.cell == 0)
        tui_say(tui, MESSAGE_GOOD, "as it was before the first cell; %s%s goes forward again", gone,
                redo);
    else
        tui_say(tui, MESSAGE_GOOD, "as it was after cell %u; %s%s goes back, %s forward", info.cell,
                gone, undo, redo);
}

/* To checkpoint @seq; if that is 0, @steps back. */
static void travel_rewind(struct session_view *self, uint64_t seq, int64_t steps)
{
    struct tui *tui = self->view.tui;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    if (seq != 0)
        gb_json_put_u64(&out, "seq", seq);
    else
        gb_json_put_i64(&out, "steps", steps);
    gb_json_end(&out);
    tui_say(tui, MESSAGE_PLAIN, "%s…", seq == 0 && steps < 0 ? "going forward" : "going back");
    (void)uplink_call(self->view.uplink, "session.rewind", &params, TRAVEL_DEADLINE_MS,
                      travel_on_rewound, tui);
    gb_buf_release(&params);
}

/* A number after the name of the command; @otherwise if there is none. False: reported. */
static bool travel_number(struct tui *tui, const struct words *words, uint64_t most,
                          int64_t otherwise, int64_t *ret_number)
{
    struct gb_bytes word = gb_bytes_str(words->count > 1 ? words->words[1] : "");
    uint64_t number;

    *ret_number = otherwise;
    if (words->count == 1)
        return true;
    if (words->count == 2 && gb_bytes_number(&word, most, &number) && word.size == 0) {
        *ret_number = (int64_t)number;
        return true;
    }
    tui_say(tui, MESSAGE_ERROR, "%s takes a number", words->words[0]);
    return false;
}

static void travel_step(struct tui *tui, const struct words *words, int sign)
{
    struct session_view *self = session_view_top(tui);
    int64_t steps;

    if (self != NULL && travel_number(tui, words, TRAVEL_STEPS_MAX, 1, &steps) &&
        session_view_may_act(self))
        travel_rewind(self, 0, sign * MAX(steps, 1));
}

/* Closing a session is taken back first. */
void travel_run_undo(struct tui *tui, const struct words *words)
{
    if (!tui_undo_closing(tui))
        travel_step(tui, words, 1);
}

void travel_run_redo(struct tui *tui, const struct words *words)
{
    travel_step(tui, words, -1);
}

static void travel_on_confirmed(void *arg)
{
    struct session_view *self = arg;

    if (self == session_view_top(self->view.tui))
        travel_rewind(self, self->back_to, 0);
}

void travel_ask_rewind(struct session_view *self, const struct trail_point *point)
{
    struct gb_buf question = {0};

    trail_question(&self->trail, &self->cells, point, &question);
    self->back_to = point->seq;
    tui_confirm(self->view.tui, gb_buf_str(&question), travel_on_confirmed, self);
    gb_buf_release(&question);
}

void travel_run_rewind(struct tui *tui, const struct words *words)
{
    struct session_view *self = session_view_top(tui);
    const struct trail_point *point;
    const struct card *card;
    int64_t cell;

    if (self == NULL || !travel_number(tui, words, UINT32_MAX, -1, &cell) ||
        !session_view_may_act(self))
        return;
    card = stream_selected(&self->stream);
    if (cell < 0 && card != NULL && card->tucked) {
        tui_say(tui, MESSAGE_PLAIN, "to which of them? unfold the cells, and choose one");
        return;
    }
    if (cell < 0 && card == NULL && self->cells.count > 0) { /* only bookmarks, and there is none */
        tui_say(tui, MESSAGE_PLAIN, "no cell is selected");
        return;
    }
    if (cell < 0)
        cell = card != NULL ? card->number : 0;
    point = trail_find(&self->trail, (uint32_t)cell);
    if (point == NULL) {
        tui_say(tui, MESSAGE_WARNING,
                self->trail.now.count > 0
                    ? "there is no checkpoint after cell %" PRIi64 "; ◆ marks the cells that have "
                      "one"
                    : "there is no checkpoint after cell %" PRIi64 "; `c` takes one of the present",
                cell);
        return;
    }
    travel_ask_rewind(self, point);
}

/* Anybody may fork a session, and take checkpoints of it. NULL: reported, or there is no view. */
static const struct session_view *travel_open_view(struct tui *tui)
{
    const struct session_view *self = session_view_top(tui);
    const struct session *session = self != NULL ? session_view_session(self) : NULL;

    if (self != NULL && (session == NULL || session_gone(session)))
        tui_say(tui, MESSAGE_WARNING, "the session is closed");
    return session != NULL && !session_gone(session) ? self : NULL;
}

void travel_run_fork(struct tui *tui, const struct words *words)
{
    const struct session_view *self = travel_open_view(tui);
    int64_t cell;

    if (self != NULL && travel_number(tui, words, UINT32_MAX, -1, &cell))
        tui_fork(self->view.uplink, self->id, cell, 0);
}

/* ---- checkpoints ---- */

static void travel_on_kept(void *arg, const struct gb_json *result,
                           const struct gb_call_error *error)
{
    struct tui *tui = arg;
    struct gb_kept_info info;

    if (error != NULL) {
        tui_say_error(tui, "checkpoint", error);
        return;
    }
    gb_object_take(&gb_kept_object, result, &info);
    tui_say(tui, MESSAGE_GOOD, "kept as it is after cell %u", info.cell);
}

void travel_run_checkpoint(struct tui *tui, const struct words *words)
{
    const struct session_view *self = travel_open_view(tui);
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    if (self == NULL)
        return;
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    if (words->count > 1)
        gb_json_put_str(&out, "name", words->words[1]);
    gb_json_end(&out);
    (void)uplink_call(self->view.uplink, "session.checkpoint", &params, TRAVEL_DEADLINE_MS,
                      travel_on_kept, tui);
    gb_buf_release(&params);
}
