/* SPDX-License-Identifier: Apache-2.0 */
/* The tab of a session's network: reading it from the server, and its commands. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "view/internal.h"

enum { REACH_DEADLINE_MS = 30000 };

/* ---- reading ---- */

static void reach_ask_log(struct session_view *self);

static void reach_begin(struct gb_json_out *out, struct gb_buf *params,
                        const struct session_view *self)
{
    *out = (struct gb_json_out){.buf = params};
    gb_json_object(out, NULL);
    gb_json_put_str(out, "session", self->id);
}

static void reach_on_log(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct session_view *self = arg;
    struct reach_tab *tab = &self->reach;

    tab->call = 0;
    tab->known = true;
    if (error != NULL && error->code != GB_ENOTFOUND) /* that: there is no record yet */
        (void)snprintf(tab->error, sizeof(tab->error), "%s", error->message);
    else if (error == NULL && reach_take_log(&tab->reach, result))
        tab->stale = true;
    tui_redraw(self->view.tui);
}

static void reach_ask_log(struct session_view *self)
{
    struct gb_buf params = {0};
    struct gb_json_out out;

    reach_begin(&out, &params, self);
    gb_json_put_u64(&out, "after", self->reach.reach.after);
    gb_json_put_u64(&out, "limit", REACH_PAGE);
    gb_json_end(&out);
    self->reach.call = uplink_call(self->view.uplink, "session.network_log", &params,
                                   REACH_DEADLINE_MS, reach_on_log, self);
    gb_buf_release(&params);
}

static void reach_on_state(void *arg, const struct gb_json *result,
                           const struct gb_call_error *error)
{
    struct session_view *self = arg;
    struct reach_tab *tab = &self->reach;

    tab->error[0] = '\0';
    if (error == NULL)
        reach_take_state(&tab->reach, result);
    else if (error->code != GB_ECLOSED && error->code != GB_ENOTFOUND)
        (void)snprintf(tab->error, sizeof(tab->error), "%s", error->message);
    reach_ask_log(self);
}

void reach_refresh(struct session_view *self)
{
    struct gb_buf params = {0};
    struct gb_json_out out;

    if (self->reach.call != 0 || (self->reach.known && !self->reach.stale))
        return;
    self->reach.stale = false;
    reach_begin(&out, &params, self);
    gb_json_end(&out);
    self->reach.call = uplink_call(self->view.uplink, "session.network", &params, REACH_DEADLINE_MS,
                                   reach_on_state, self);
    gb_buf_release(&params);
}

void reach_on_event(struct session_view *self, const struct store_event *event)
{
    if (strncmp(event->kind, "network.", strlen("network.")) != 0 &&
        strcmp(event->kind, "snapshot") != 0)
        return;
    reach_event(&self->reach.reach, event->kind, event->params);
    self->reach.stale = true;
}

void reach_forget(struct session_view *self)
{
    self->reach.call = 0;
    self->reach.stale = true;
    reach_forget_open(&self->reach.reach);
}

void reach_close_tab(struct session_view *self)
{
    if (self->connection == uplink_connection(self->view.uplink))
        uplink_forget(self->view.uplink, self->reach.call);
    reach_release(&self->reach.reach);
}

/* ---- the cursor ---- */

const struct question *reach_questions(const struct session_view *self)
{
    const struct session *session = session_view_session(self);

    return session != NULL ? session->question : NULL;
}

size_t reach_count(const struct session_view *self)
{
    return reach_rows(&self->reach.reach, reach_questions(self));
}

void reach_item(const struct session_view *self, size_t index, struct reach_item *ret_item)
{
    reach_row(&self->reach.reach, reach_questions(self), index, ret_item);
}

static void reach_choose(struct session_view *self, size_t row)
{
    struct reach_item item;

    self->reach.row = row;
    if (row >= reach_count(self))
        return;
    reach_item(self, row, &item);
    self->reach.kind = item.kind;
    self->reach.id = reach_id(&item);
}

/* The chosen row may have moved; one that was open is in the log now, and is no longer followed. */
static void reach_follow(struct session_view *self)
{
    const size_t count = reach_count(self);
    struct reach_item item;

    if (!self->reach.chosen) {
        reach_choose(self, 0);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        reach_item(self, i, &item);
        if (item.kind == self->reach.kind && reach_id(&item) == self->reach.id) {
            self->reach.row = i;
            return;
        }
    }
    reach_choose(self, MIN(self->reach.row, count > 0 ? count - 1 : 0));
}

void reach_move(struct session_view *self, long rows)
{
    const size_t count = reach_count(self);
    long to = (long)self->reach.row + rows;

    if (count == 0)
        return;
    to = MAX(0L, MIN(to, (long)count - 1));
    self->reach.chosen = to > 0;
    reach_choose(self, (size_t)to);
}

/* The row that the user sees under the cursor, wherever it is now: rows may have come and gone
 * since the last frame. False: there is none, or it has gone. */
static bool reach_selected(const struct session_view *self, struct reach_item *ret_item)
{
    const size_t count = reach_count(self);

    for (size_t i = 0; i < count; i++) {
        reach_item(self, i, ret_item);
        if (ret_item->kind == self->reach.kind && reach_id(ret_item) == self->reach.id)
            return true;
    }
    return false;
}

void reach_arrange(struct session_view *self, struct region region)
{
    struct reach_tab *tab = &self->reach;
    struct reach_regions regions;
    size_t height;

    reach_follow(self);
    reach_split(region, &regions);
    tab->height = regions.list.height;
    height = (size_t)MAX(tab->height, 1);
    tab->top = MIN(tab->top, tab->row);
    if (tab->row >= tab->top + height)
        tab->top = tab->row - height + 1;
}

/* ---- ports ---- */

static void reach_copy_text(struct session_view *self, const char *text, const char *what)
{
    if (tui_copy(self->view.tui, gb_bytes_str(text)))
        tui_say(self->view.tui, MESSAGE_GOOD, "%s is in the clipboard", what);
}

static void reach_on_port_open(void *arg, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    struct tui *tui = arg;
    struct gb_port_info port;
    char address[REACH_TEXT_MAX];

    if (error != NULL) {
        tui_say_error(tui, "port", error);
        return;
    }
    gb_object_take(&gb_port_object, result, &port);
    json_copy_text(port.address, address, sizeof(address));
    if (tui_copy(tui, gb_bytes_str(address)))
        tui_say(tui, MESSAGE_GOOD, "port %u is at %s, which is in the clipboard", port.port,
                address);
}

static void reach_on_port_closed(void *arg, const struct gb_json *result,
                                 const struct gb_call_error *error)
{
    struct tui *tui = arg;

    (void)result;
    if (error != NULL)
        tui_say_error(tui, "port", error);
    else
        tui_say(tui, MESSAGE_GOOD, "the port is closed");
}

static void reach_call_port(struct session_view *self, uint32_t port, bool open)
{
    struct gb_buf params = {0};
    struct gb_json_out out;
    struct tui *tui = self->view.tui;

    reach_begin(&out, &params, self);
    gb_json_put_u64(&out, "port", port);
    gb_json_end(&out);
    (void)uplink_call(self->view.uplink, open ? "session.port_open" : "session.port_close", &params,
                      REACH_DEADLINE_MS, open ? reach_on_port_open : reach_on_port_closed, tui);
    gb_buf_release(&params);
}

/* ---- commands ---- */

/* Starts a command's function: the view, or return. */
#define SELF(tui)                                                                                  \
    struct session_view *self = session_view_top(tui);                                             \
    (void)words;                                                                                   \
    if (self == NULL)                                                                              \
    return

static void reach_run_down(struct tui *tui, const struct words *words)
{
    SELF(tui);
    reach_move(self, 1);
}

static void reach_run_up(struct tui *tui, const struct words *words)
{
    SELF(tui);
    reach_move(self, -1);
}

static void reach_run_page_down(struct tui *tui, const struct words *words)
{
    SELF(tui);
    reach_move(self, MAX(self->reach.height - 1, 1));
}

static void reach_run_page_up(struct tui *tui, const struct words *words)
{
    SELF(tui);
    reach_move(self, -MAX(self->reach.height - 1, 1));
}

static void reach_run_first(struct tui *tui, const struct words *words)
{
    SELF(tui);
    reach_move(self, -(long)self->reach.row);
}

static void reach_run_last(struct tui *tui, const struct words *words)
{
    SELF(tui);
    reach_move(self, (long)reach_count(self));
}

/* The host of a connection: its name, else its address. */
static const char *reach_target(const struct reach_record *record)
{
    return record->name != NULL ? record->name : record->address;
}

static void reach_run_use(struct tui *tui, const struct words *words)
{
    struct reach_item item;
    SELF(tui);

    if (!reach_selected(self, &item))
        return;
    if (item.kind == REACH_QUESTION)
        tui_decide(self->view.uplink, self->id, item.question);
    else if (item.kind == REACH_PORT && item.port->address != NULL)
        reach_copy_text(self, item.port->address, item.port->address);
    else if (item.kind == REACH_PORT)
        reach_call_port(self, item.port->port, true);
    else if (reach_target(item.record) != NULL)
        reach_copy_text(self, reach_target(item.record), reach_target(item.record));
}

static void reach_run_port(struct tui *tui, const struct words *words)
{
    struct gb_bytes word = gb_bytes_str(words->count == 2 ? words->words[1] : "");
    uint64_t port;
    SELF(tui);

    if (gb_bytes_number(&word, UINT16_MAX, &port) && word.size == 0 && port > 0)
        reach_call_port(self, (uint32_t)port, true);
    else
        tui_say(tui, MESSAGE_ERROR, "port takes the number of a port of the session");
}

static void reach_run_close_port(struct tui *tui, const struct words *words)
{
    struct reach_item item;
    SELF(tui);

    if (reach_selected(self, &item) && item.kind == REACH_PORT && item.port->address != NULL)
        reach_call_port(self, item.port->port, false);
    else
        tui_say(tui, MESSAGE_PLAIN, "the cursor is not on a port that is open");
}

static void reach_run_refresh(struct tui *tui, const struct words *words)
{
    SELF(tui);
    self->reach.stale = true;
}

#define ROW(name, arguments, help, keys, bar, run)                                                 \
    {                                                                                              \
        name, arguments, help, keys, bar, CONTEXT_NETWORK, ARGUMENT_NONE, run                      \
    }

const struct command network_commands[] = {
    ROW("use", "", "decide a question; open a port and copy its address; copy a connection's host",
        "Enter y", "open, copy", reach_run_use),
    ROW("port", "NUMBER", "open a port of the session on this machine, and copy its address", NULL,
        NULL, reach_run_port),
    ROW("close-port", "", "close the port on this machine, and break its connections", "D",
        "close port", reach_run_close_port),
    ROW("network-down", "", "to the next row", "j Down", NULL, reach_run_down),
    ROW("network-up", "", "to the row above", "k Up", NULL, reach_run_up),
    ROW("network-page-down", "", "a page down", "PageDown C-f", NULL, reach_run_page_down),
    ROW("network-page-up", "", "a page up", "PageUp C-b", NULL, reach_run_page_up),
    ROW("network-first", "", "to the first row: the newest", "g Home", NULL, reach_run_first),
    ROW("network-last", "", "to the last row", "G End", NULL, reach_run_last),
    ROW("refresh", "", "read it again", "r", NULL, reach_run_refresh),
    ROW("type", "", "the keys go to the prompt", "i", "type", session_view_run_type),
    TAB_ROWS(CONTEXT_NETWORK),
    {0},
};
