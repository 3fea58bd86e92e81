/* SPDX-License-Identifier: Apache-2.0 */
#include "view/shells.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "model/terminal.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "view/internal.h"

/* CELL_BYTES: at most, of a cell with its style, as the server writes it. */
enum { SHELLS_DEADLINE_MS = 30000, SHELLS_COMMAND_MAX = 64, CELL_BYTES = 64 };

/* ---- the list ---- */

static void shells_begin(struct gb_json_out *out, struct gb_buf *params,
                         const struct session_view *self, uint32_t number)
{
    *out = (struct gb_json_out){.buf = params};
    gb_json_object(out, NULL);
    gb_json_put_str(out, "session", self->id);
    if (number > 0)
        gb_json_put_u64(out, "terminal", number);
}

static void shells_read(const struct gb_terminal_info *told, struct shell *shell)
{
    struct gb_buf words = {0};
    struct gb_bytes word;

    for (size_t at = 0; words.size < SHELL_TEXT_MAX && gb_names_next(&told->args, &at, &word);) {
        gb_buf_adds(&words, words.size > 0 ? " " : "");
        gb_buf_add(&words, word.data, word.size);
    }
    *shell = (struct shell){
        .number = told->number,
        .rows = told->rows,
        .columns = told->columns,
        .clients = told->clients,
        .running = (told->flags & GB_TERMINAL_RUNNING) != 0,
        .lost = (told->flags & GB_TERMINAL_LOST) != 0,
        .exit_code = told->exit_code,
        .signal = told->signal,
        .started_at = (double)told->started_at_ns / (double)GB_NS_PER_S,
    };
    json_copy_text(words.size > 0 ? gb_buf_bytes(&words) : gb_bytes_str("shell"), shell->program,
                   sizeof(shell->program));
    json_copy_text(told->typed_by, shell->typed_by, sizeof(shell->typed_by));
    gb_buf_release(&words);
}

static void shells_on_list(void *arg, const struct gb_json *result,
                           const struct gb_call_error *error)
{
    struct session_view *self = arg;
    struct shells *shells = &self->shells;
    struct gb_terminals_info list;
    struct gb_terminal_info told;
    uint32_t left_out; /* the newest are kept */

    shells->call = 0;
    shells->known = true;
    shells->error[0] = '\0';
    shells->count = 0;
    if (error != NULL) {
        (void)snprintf(shells->error, sizeof(shells->error), "%s", error->message);
    } else {
        gb_object_take(&gb_terminals_object, result, &list);
        left_out = gb_items_count(&list.terminals);
        left_out -= MIN(left_out, (uint32_t)SHELLS_MAX);
        for (size_t at = 0; gb_items_next(&gb_terminal_object, &list.terminals, &at, &told) == 1;) {
            if (left_out > 0) {
                left_out--;
                continue;
            }
            shells_read(&told, &shells->shells[shells->count++]);
        }
    }
    tui_redraw(self->view.tui);
}

void shells_refresh(struct session_view *self)
{
    struct shells *shells = &self->shells;
    struct gb_buf params = {0};
    struct gb_json_out out;

    if (shells->call != 0 || (shells->known && !shells->stale))
        return;
    shells->stale = false;
    shells_begin(&out, &params, self, 0);
    gb_json_end(&out);
    shells->call = uplink_call(self->view.uplink, "terminal.list", &params, SHELLS_DEADLINE_MS,
                               shells_on_list, self);
    gb_buf_release(&params);
}

void shells_on_event(struct session_view *self, const struct store_event *event)
{
    if (strncmp(event->kind, "terminal.", strlen("terminal.")) == 0 ||
        strcmp(event->kind, "snapshot") == 0)
        self->shells.stale = true;
}

/* ---- the cursor ---- */

size_t shells_row(const struct session_view *self)
{
    const struct shells *shells = &self->shells;

    for (size_t i = 0; i < shells->count; i++)
        if (shells->at != 0 && shells->shells[i].number >= shells->at)
            return i;
    return shells->count > 0 ? shells->count - 1 : 0;
}

const struct shell *shells_selected(const struct session_view *self)
{
    return self->shells.count > 0 ? &self->shells.shells[shells_row(self)] : NULL;
}

void shells_move(struct session_view *self, long rows)
{
    long to = (long)shells_row(self) + rows;

    if (self->shells.count == 0)
        return;
    to = MAX(0L, MIN(to, (long)self->shells.count - 1));
    self->shells.at = self->shells.shells[to].number;
}

/* ---- watching ---- */

/* Shows it. An honest server writes no more than all cells, and scrolls no further than its history
 * and the screen; what is beyond that is dropped. */
static void shells_feed(struct gb_vt *vt, struct gb_bytes bytes)
{
    const uint64_t rows = gb_vt_rows(vt);
    const uint64_t most = rows * gb_vt_columns(vt) * (GB_VT_HISTORY + 2 * rows + CELL_BYTES);
    uint64_t work = 0;

    (void)gb_vt_feed_some(vt, bytes, most, &work);
    gb_buf_clear(gb_vt_replies(vt)); /* nothing is answered: we only look */
}

static void shells_on_notice(void *arg, const char *method, const struct gb_json *params)
{
    struct session_view *self = arg;
    struct shells *shells = &self->shells;
    struct gb_screen_info screen;
    struct gb_buf bytes = {0};

    if (shells->watched == 0 || json_count(params, "terminal") != shells->watched ||
        !gb_bytes_equal(json_text(params, "session"), self->id))
        return;
    if (strcmp(method, "terminal.output") == 0) {
        gb_object_take(&gb_screen_object, params, &screen);
        if (gb_bytes_add_decoded(&bytes, screen.data, (screen.flags & GB_SCREEN_BASE64) != 0))
            shells_feed(shells->vt, gb_buf_bytes(&bytes));
        gb_buf_release(&bytes);
    } else if (strcmp(method, "terminal.ended") == 0) {
        shells->stale = true;
    }
    tui_redraw(self->view.tui);
}

/* Nothing is watched. */
static void shells_drop(struct session_view *self)
{
    struct shells *shells = &self->shells;

    gb_vt_free(shells->vt);
    shells->vt = NULL;
    shells->watched = 0;
    shells->attaching = 0;
    shells->watch_error[0] = '\0';
}

/* The same, and the server stops sending. */
static void shells_unwatch(struct session_view *self)
{
    struct shells *shells = &self->shells;
    struct gb_buf params = {0};
    struct gb_json_out out;

    if (shells->watched != 0 && self->connection == uplink_connection(self->view.uplink)) {
        uplink_forget(self->view.uplink, shells->attaching);
        shells_begin(&out, &params, self, shells->watched);
        gb_json_end(&out);
        (void)uplink_call(self->view.uplink, "terminal.detach", &params, SHELLS_DEADLINE_MS, NULL,
                          NULL);
        gb_buf_release(&params);
    }
    shells_drop(self);
}

void shells_forget(struct session_view *self)
{
    shells_drop(self);
    self->shells.call = 0;
    self->shells.stale = true;
}

static void shells_on_attached(void *arg, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    struct session_view *self = arg;

    (void)result;
    self->shells.attaching = 0;
    self->shells.watch_error[0] = '\0';
    if (error != NULL)
        (void)snprintf(self->shells.watch_error, sizeof(self->shells.watch_error), "%s",
                       error->message);
    tui_redraw(self->view.tui);
}

/* Watches it in the room that there is, or tells that the room has changed. */
static void shells_call(struct session_view *self, const char *method)
{
    struct shells *shells = &self->shells;
    struct gb_buf params = {0};
    struct gb_json_out out;

    shells_begin(&out, &params, self, shells->watched);
    gb_json_put_u64(&out, "rows", shells->rows);
    gb_json_put_u64(&out, "columns", shells->columns);
    if (strcmp(method, "terminal.attach") == 0)
        gb_json_put_bool(&out, "watch", true);
    gb_json_end(&out);
    shells->attaching = uplink_call(self->view.uplink, method, &params, SHELLS_DEADLINE_MS,
                                    shells_on_attached, self);
    gb_buf_release(&params);
}

void shells_ask(struct session_view *self)
{
    struct shells *shells = &self->shells;
    const struct shell *shell = shells_selected(self);
    uint32_t wanted = shell != NULL && shells->rows > 0 && shells->columns > 0 ? shell->number : 0;

    if (wanted != shells->watched) {
        shells_unwatch(self);
        shells->watched = wanted;
        if (wanted == 0)
            return;
        shells->vt = gb_vt_new(shells->rows, shells->columns);
        shells_call(self, "terminal.attach");
    } else if (wanted != 0 && shells->attaching == 0 &&
               (gb_vt_rows(shells->vt) != shells->rows ||
                gb_vt_columns(shells->vt) != shells->columns)) {
        gb_vt_resize(shells->vt, shells->rows, shells->columns);
        shells_call(self, "terminal.resize");
    }
}

void shells_arrange(struct session_view *self, struct region region)
{
    struct shells *shells = &self->shells;
    struct shells_regions regions;
    size_t height, row = shells_row(self);

    shells_split(shells, region, &regions);
    height = (size_t)MAX(regions.list.height, 1);
    shells->top = MIN(shells->top, row);
    if (row >= shells->top + height)
        shells->top = row - height + 1;
    shells->rows = (unsigned)MAX(MIN(regions.screen.height, (int)GB_TERMINAL_ROWS_MAX), 0);
    shells->columns = (unsigned)MAX(MIN(regions.screen.width, (int)GB_TERMINAL_COLUMNS_MAX), 0);
}

/* ---- commands ---- */

/* Starts a command's function: the view, or return. */
#define SELF(tui)                                                                                  \
    struct session_view *self = session_view_top(tui);                                             \
    (void)words;                                                                                   \
    if (self == NULL)                                                                              \
    return

static void shells_run_down(struct tui *tui, const struct words *words)
{
    SELF(tui);
    shells_move(self, 1);
}

static void shells_run_up(struct tui *tui, const struct words *words)
{
    SELF(tui);
    shells_move(self, -1);
}

static void shells_run_first(struct tui *tui, const struct words *words)
{
    SELF(tui);
    shells_move(self, -SHELLS_MAX);
}

static void shells_run_last(struct tui *tui, const struct words *words)
{
    SELF(tui);
    shells_move(self, SHELLS_MAX);
}

/* The running one under the cursor. NULL: reported, or there is no view. */
static const struct shell *shells_chosen(struct tui *tui, const struct session_view *self)
{
    const struct shell *shell = self != NULL ? shells_selected(self) : NULL;
    char key[KEY_NAME_MAX];

    tui_key_of(tui, CONTEXT_SHELLS, "new-shell", key);
    if (self != NULL && shell == NULL)
        tui_say(tui, MESSAGE_PLAIN, "no program is at a terminal; %s starts a shell", key);
    else if (shell != NULL && !shell->running)
        tui_say(tui, MESSAGE_PLAIN, "the program has ended; %s starts a shell", key);
    return shell != NULL && shell->running ? shell : NULL;
}

static void shells_run_enter(struct tui *tui, const struct words *words)
{
    const struct shell *shell = shells_chosen(tui, session_view_top(tui));
    char line[SHELLS_COMMAND_MAX];

    (void)words;
    if (shell == NULL)
        return;
    (void)snprintf(line, sizeof(line), "shell %u", shell->number);
    tui_command(tui, line);
}

static void shells_run_new(struct tui *tui, const struct words *words)
{
    (void)words;
    tui_command(tui, "shell");
}

static void shells_run_watch(struct tui *tui, const struct words *words)
{
    const struct shell *shell = shells_chosen(tui, session_view_top(tui));
    char number[16];
    const char *argv[3];
    SELF(tui);

    if (shell == NULL)
        return;
    (void)snprintf(number, sizeof(number), "%u", shell->number);
    argv[0] = "--watch";
    argv[1] = number;
    argv[2] = self->id;
    if (tui_run_verb(self->view.uplink, "shell", argv, ARRAY_SIZE(argv)) < 0)
        tui_say(tui, MESSAGE_ERROR, "no terminal can be opened here");
}

static void shells_on_closed(void *arg, const struct gb_json *result,
                             const struct gb_call_error *error)
{
    struct tui *tui = arg;

    (void)result;
    if (error != NULL)
        tui_say_error(tui, "end-shell", error);
}

static void shells_on_confirmed(void *arg)
{
    struct session_view *self = arg;
    struct gb_buf params = {0};
    struct gb_json_out out;

    if (self != session_view_top(self->view.tui))
        return;
    shells_begin(&out, &params, self, self->shells.ending);
    gb_json_end(&out);
    (void)uplink_call(self->view.uplink, "terminal.close", &params, SHELLS_DEADLINE_MS,
                      shells_on_closed, self->view.tui);
    gb_buf_release(&params);
}

static void shells_run_end(struct tui *tui, const struct words *words)
{
    const struct shell *shell;
    char question[SHELL_TEXT_MAX + 64];
    SELF(tui);

    shell = shells_chosen(tui, self);
    if (shell == NULL)
        return;
    self->shells.ending = shell->number;
    (void)snprintf(question, sizeof(question), "end %s at terminal %u?", shell->program,
                   shell->number);
    tui_confirm(tui, question, shells_on_confirmed, self);
}

#define ROW(name, arguments, help, keys, bar, run)                                                 \
    {                                                                                              \
        name, arguments, help, keys, bar, CONTEXT_SHELLS, ARGUMENT_NONE, run                       \
    }

const struct command shell_commands[] = {
    ROW("enter", "", "type at it, also if another client does: it is taken over; ~. leaves",
        "Enter i", "type", shells_run_enter),
    ROW("new-shell", "", "start a shell; ~. leaves", "n $", "new shell", shells_run_new),
    ROW("watch-shell", "", "only look, with all of the screen; ~. leaves", "v", "watch",
        shells_run_watch),
    ROW("end-shell", "", "end the program; asks before", "X", "end", shells_run_end),
    {.name = "shell",
     .arguments = "[NUMBER|PROGRAM…]",
     .help = "a shell in it, a program, or the terminal NUMBER; ~. leaves",
     .context = CONTEXT_SHELLS,
     .argument = ARGUMENT_TEXT,
     .run = session_view_run_shell},
    ROW("shell-down", "", "to the next terminal", "j Down", NULL, shells_run_down),
    ROW("shell-up", "", "to the terminal above", "k Up", NULL, shells_run_up),
    ROW("shell-first", "", "to the first terminal", "g Home", NULL, shells_run_first),
    ROW("shell-last", "", "to the newest terminal", "G End", NULL, shells_run_last),
    TAB_ROWS(CONTEXT_SHELLS),
    {0},
};

/* ---- life ---- */

void shells_open(struct session_view *self)
{
    uplink_listen(self->view.uplink, &self->shells.listener, shells_on_notice, self);
}

void shells_leave(struct session_view *self)
{
    shells_unwatch(self);
}

void shells_close(struct session_view *self)
{
    if (self->connection == uplink_connection(self->view.uplink))
        uplink_forget(self->view.uplink, self->shells.call);
    shells_unwatch(self);
    uplink_unlisten(&self->shells.listener);
}
