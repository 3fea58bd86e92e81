/* SPDX-License-Identifier: Apache-2.0 */
/* What the server sends to a session's view: a subscription with output, and the history. */
#include <string.h>

#include "base/mem.h"
#include "rpc/access.h"
#include "view/internal.h"
#include "view/part.h"

/* OUTPUT_BYTES: the end of a cell's output, requested when it becomes visible. A much longer reply
 * would crowd out events (GB_EVENTS_HIGH). */
enum { CALL_DEADLINE_MS = 30000, HISTORY_LIMIT = 100, OUTPUT_BYTES = 2 * PART_BYTES };

/* ---- history ---- */

static void link_on_history(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct session_view *self = arg;
    struct card *card = cells_find(&self->cells, self->part_of);
    enum part_wish wish = card != NULL ? card->wish : PART_NONE;
    struct stream_hold hold;

    self->history = 0;
    self->history_done = true;
    stream_hold(&self->stream, card, &hold);
    cells_keep_near(&self->cells, self->coming);
    if (error == NULL)
        (void)cells_history(&self->cells, result);
    cells_keep_near(&self->cells, 0);
    self->coming = 0;
    /* The oldest cards may have been dropped. */
    card = cells_find(&self->cells, self->part_of);
    self->part_of = 0;
    if (card != NULL && error == NULL && wish != PART_NONE)
        stream_release(&self->stream, &hold, wish);
    if (card != NULL)
        card->wish = PART_NONE;
    if (error != NULL && error->code == GB_EUNSUPPORTED)
        self->history_unsupported = true;
    tui_redraw(self->view.tui);
}

/* @length 0: in brief form; else this many bytes of the output from @offset on. */
static void link_ask_history(struct session_view *self, uint32_t after, uint32_t limit, bool output,
                             int64_t offset, uint64_t length)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    if (self->history_unsupported)
        return;
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    gb_json_put_u64(&out, "after", after);
    gb_json_put_u64(&out, "limit", limit);
    gb_json_put_bool(&out, "output", output);
    if (length > 0) {
        gb_json_put_i64(&out, "offset", offset);
        gb_json_put_u64(&out, "length", length);
    }
    gb_json_end(&out);
    self->history = uplink_call(self->view.uplink, "session.history", &params, CALL_DEADLINE_MS,
                                link_on_history, self);
    gb_buf_release(&params);
}

/* Output loaded by a search must not be replaced by what is visible. */
static bool link_is_busy(const struct session_view *self)
{
    return self->history != 0 || seek_active(self);
}

void session_link_drop(struct session_view *self)
{
    if (self->history == 0 || !self->history_done)
        return;
    uplink_forget(self->view.uplink, self->history);
    self->history = 0;
    self->part_of = self->coming = 0;
    for (size_t i = 0; i < self->cells.count; i++) {
        struct card *card = self->cells.cards[i];

        card->asked = card->asked_before = false;
        card->wish = PART_NONE;
    }
}

void session_link_want(void *arg, struct card *card)
{
    struct session_view *self = arg;

    if (link_is_busy(self) || self->history_unsupported || card->number == 0)
        return; /* the next frame asks again */
    card->asked = true;
    link_ask_history(self, card->number - 1, 1, true, -OUTPUT_BYTES, OUTPUT_BYTES);
}

bool session_link_want_part(void *arg, struct card *card, enum part_wish wish)
{
    struct session_view *self = arg;
    uint64_t offset, length;

    if (self->history_unsupported)
        return true; /* there is no more */
    if (link_is_busy(self))
        return false; /* the next frame asks again */
    part_ask(card, wish, &offset, &length);
    self->part_of = card->number;
    link_ask_history(self, card->number - 1, 1, false, (int64_t)offset, length);
    return true;
}

bool session_link_want_between(void *arg, uint32_t after, uint32_t before)
{
    struct session_view *self = arg;

    if (self->history_unsupported)
        return true; /* there is no more */
    if (link_is_busy(self) || !self->history_done)
        return false; /* the next frame asks again */
    if (before > HISTORY_LIMIT)
        after = MAX(after, before - HISTORY_LIMIT - 1);
    self->coming = before;
    link_ask_history(self, after, before - 1 - after, false, 0, 0);
    return true;
}

/* ---- events ---- */

static void link_on_event(void *arg, const struct store_event *event)
{
    struct session_view *self = arg;

    if (self->subscription == 0 || event->subscription != self->subscription)
        return;
    if (event->session.size > 0 && !gb_bytes_equal(event->session, self->id))
        return;
    cells_event(&self->cells, event->told, event->params);
    if (strcmp(event->kind, "gap") == 0)
        bookmark_refresh(self);
    if (strcmp(event->kind, "cell.annotated") == 0)
        bookmark_on_annotated(self, event->told->cell);
    travel_event(self, event);
    reach_on_event(self, event);
    shells_on_event(self, event);
    tui_redraw(self->view.tui);
}

static void link_subscribe(struct session_view *self);

static void link_on_subscribed(void *arg, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    struct session_view *self = arg;
    struct session *session = session_view_session(self);
    uint32_t cells = session != NULL ? session->cells : 0;

    self->subscribing = 0;
    /* An older server does not know all kinds. We ignore those that we do not know. */
    if (error != NULL && strcmp(error->kind, "invalid_input") == 0 && !self->every_kind) {
        self->every_kind = true;
        link_subscribe(self);
        return;
    }
    if (error == NULL)
        self->subscription = (int64_t)json_count(result, "subscription");
    /* An ended session sends nothing more: its activity is in the journal. The cells' output is
     * requested when it becomes visible. */
    if (self->cells.count > 0)
        bookmark_refresh(self); /* after a reconnection */
    link_ask_history(self, cells > HISTORY_LIMIT ? cells - HISTORY_LIMIT : 0, HISTORY_LIMIT + 1,
                     false, 0, 0);
    if (session != NULL && !session_gone(session))
        travel_refresh(self);
    tui_redraw(self->view.tui);
}

static const char *const link_kinds[] = {
    "cell.started",      "cell.output",      "cell.waiting",         "cell.finished",
    "session.rewound",   "network.open",     "session.checkpointed", "network.denied",
    "network.closed",    "network.question", "network.answered",     "network.request",
    "network.listening", "network.port",     "network.visit",        "network.changed",
    "terminal.opened",   "terminal.changed", "terminal.closed",      "cell.annotated",
};

static void link_subscribe(struct session_view *self)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    self->connection = uplink_connection(self->view.uplink);
    gb_json_object(&out, NULL);
    gb_json_array(&out, "sessions");
    gb_json_put_str(&out, NULL, self->id);
    gb_json_end(&out);
    if (!self->every_kind) {
        gb_json_array(&out, "kinds");
        for (size_t i = 0; i < ARRAY_SIZE(link_kinds); i++)
            gb_json_put_str(&out, NULL, link_kinds[i]);
        gb_json_end(&out);
    }
    gb_json_put_bool(&out, "output", true);
    gb_json_put_bool(&out, "replay", true);
    gb_json_end(&out);
    /* Without a deadline, which would pass while a slow host lets us in. */
    self->subscribing =
        uplink_call(self->view.uplink, "events.subscribe", &params, 0, link_on_subscribed, self);
    gb_buf_release(&params);
}

void session_link_open(struct session_view *self)
{
    store_listen(uplink_store(self->view.uplink), &self->listener, link_on_event, self);
    link_subscribe(self);
}

void session_link_check(struct session_view *self)
{
    if (self->connection == uplink_connection(self->view.uplink))
        return;
    /* Calls on the old connection have been answered, or were dropped with it. */
    self->subscription = 0;
    self->subscribing = self->history = 0;
    self->history_done = self->history_unsupported = self->every_kind = false;
    self->seek.call = 0;
    bookmark_forget(self);
    travel_forget(self);
    save_forget(self);
    reach_forget(self);
    shells_forget(self);
    self->coming = 0;
    for (size_t i = 0; i < self->cells.count; i++)
        self->cells.cards[i]->asked_before = false;
    cells_lost(&self->cells);
    link_subscribe(self);
}

void session_link_close(struct session_view *self)
{
    struct uplink *uplink = self->view.uplink;

    store_unlisten(&self->listener);
    if (self->connection != uplink_connection(uplink))
        return; /* the requests were lost with the connection */
    uplink_forget(uplink, self->history);
    bookmark_close(self);
    uplink_forget(uplink, self->trail_call);
    (void)seek_stop(self);
    if (self->subscribing != 0 || self->subscription != 0)
        uplink_unsubscribe(uplink, self->subscription, self->subscribing);
}
