/* SPDX-License-Identifier: Apache-2.0 */
/* The front end's main program: one loop, one terminal, a connection to each server, a stack of
 * views.
 *
 * Theory of operation. Events of the terminal go to the overlay (a line being typed, the palette,
 * help, a question), else to the view, else through the keymap to a command. Events of the server
 * go into its store. Both only request a frame; it is painted at the end of the iteration after a
 * key, and otherwise when FRAME_MS have passed since the last one. While the terminal has not
 * accepted the last frame none is made; that happens when the queue has drained.
 */
#include "app/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "kit/outside.h"
#include "rpc/base64.h"

/* ---- frames ---- */

static void tui_frame(struct tui *tui)
{
    int columns, rows;
    bool drawn;

    if (tui->terminal == NULL || terminal_queued(tui->terminal) > 0)
        return; /* tui_on_drained() continues here */
    tui->dirty = false;
    tui->framed_ns = gb_clock_mono_ns();
    gb_timer_stop(tui->frame_timer);
    terminal_size(tui->terminal, &columns, &rows);
    grid_resize(&tui->grid, columns, rows);
    if (tui->view->ops->update != NULL)
        tui->view->ops->update(tui->view);
    drawn = frame_paint(tui, region_all(&tui->grid));
    terminal_frame(tui->terminal, &tui->grid, &tui->theme.looks, &tui->abilities);
    if (drawn && tui->view->ops->ask != NULL)
        tui->view->ops->ask(tui->view);
}

static void tui_on_frame(void *arg)
{
    struct tui *tui = arg;

    if (tui->dirty)
        tui_frame(tui);
}

static void tui_redraw_now(struct tui *tui)
{
    tui->dirty = true;
    gb_loop_defer(tui->loop, &tui->frame_soon, tui_on_frame, tui);
}

void tui_redraw(struct tui *tui)
{
    uint64_t passed_ms = (gb_clock_mono_ns() - tui->framed_ns) / GB_NS_PER_MS;

    tui->dirty = true;
    if (!gb_timer_active(tui->frame_timer))
        gb_timer_start(tui->frame_timer, passed_ms >= FRAME_MS ? 0 : FRAME_MS - passed_ms);
}

static void tui_on_drained(void *arg)
{
    tui_on_frame(arg);
}

static void tui_on_lost(void *arg)
{
    struct tui *tui = arg;

    tui->status = 1;
    tui_quit(tui);
}

/* ---- messages ---- */

void tui_say(struct tui *tui, enum message kind, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(tui->message, sizeof(tui->message), format, args);
    va_end(args);
    tui->message_kind = kind;
    tui_redraw(tui);
}

void tui_say_error(struct tui *tui, const char *what, const struct gb_call_error *error)
{
    tui_say(tui, MESSAGE_ERROR, "%s: %s%s", what, error->message,
            error->dispatched ? " (the code may have run)" : "");
}

/* ---- themes ---- */

static const char *tui_automatic_theme(const struct tui *tui)
{
    switch (tui->abilities.depth) {
    case DEPTH_MONO:
        return "mono";
    case DEPTH_16:
        return "16";
    default:
        return tui->background_told && !tui->background_dark ? "light" : "dark";
    }
}

bool tui_set_theme(struct tui *tui, const char *name)
{
    struct gb_err err = {0};
    struct theme theme;
    const char *real = strcmp(name, "auto") == 0 ? tui_automatic_theme(tui) : name;

    if (theme_load(real, &theme, &err) < 0) {
        tui_say(tui, MESSAGE_ERROR, "%s", err.message);
        return false;
    }
    (void)snprintf(tui->theme_wanted, sizeof(tui->theme_wanted), "%s", name);
    tui->theme = theme;
    terminal_restyle(tui->terminal);
    tui_redraw(tui);
    return true;
}

static void tui_follow_background(struct tui *tui, bool dark)
{
    bool changed = !tui->background_told || tui->background_dark != dark;

    tui->background_told = true;
    tui->background_dark = dark;
    if (changed && strcmp(tui->theme_wanted, "auto") == 0 &&
        strcmp(tui->theme.name, tui_automatic_theme(tui)) != 0)
        (void)tui_set_theme(tui, "auto");
}

static void tui_take_background(struct tui *tui, uint32_t rgb)
{
    tui_follow_background(tui, theme_contrast(COLOUR_RGB(rgb), COLOUR_RGB(0xffffff)) >
                                   theme_contrast(COLOUR_RGB(rgb), COLOUR_RGB(0x000000)));
}

/* ---- commands and keys ---- */

enum context tui_context(const struct tui *tui)
{
    return tui->view->ops->context != NULL ? tui->view->ops->context(tui->view) : CONTEXT_GLOBAL;
}

/* Commands that only move the cursor are not announced: `down`, and `file-down` of a tab. */
static bool tui_is_quiet(const char *name)
{
    static const char *const names[] = {"left", "right", "earlier", "later", "back", "open"};
    static const char *const ends[] = {"up", "down", "first", "last"};
    const char *end = strrchr(name, '-');

    end = end != NULL ? end + 1 : name;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        if (strcmp(ends[i], end) == 0)
            return true;
    return false;
}

static void tui_say_unknown(struct tui *tui, const char *name)
{
    struct gb_buf meant = {0};
    char key[KEY_NAME_MAX];

    tui_key_of(tui, CONTEXT_GLOBAL, "help", key);
    if (command_meant(&tui->tables, tui_context(tui), name, &meant))
        tui_say(tui, MESSAGE_ERROR, "there is no command %s here; did you mean %s? %s lists them",
                name, gb_buf_str(&meant), key);
    else
        tui_say(tui, MESSAGE_ERROR, "there is no command %s here; %s lists them", name, key);
    gb_buf_release(&meant);
}

void tui_command(struct tui *tui, const char *line)
{
    struct gb_buf message = {0};
    const struct command *command;
    struct words words;

    if (!words_parse(line, &words, &message)) {
        tui_say(tui, MESSAGE_ERROR, "%s", gb_buf_str(&message));
    } else if (words.count > 0) {
        command = command_find(&tui->tables, tui_context(tui), words.words[0]);
        tui->message[0] = '\0';
        tui->message_kind = MESSAGE_PLAIN;
        (void)snprintf(tui->message_command, sizeof(tui->message_command), "%s",
                       command != NULL && words.count == 1 && tui_is_quiet(command->name) ? ""
                                                                                          : line);
        if (command == NULL)
            tui_say_unknown(tui, words.words[0]);
        else
            command->run(tui, &words);
    }
    gb_buf_release(&message);
    tui_redraw_now(tui);
}

void tui_key_of(struct tui *tui, enum context context, const char *command, char name[KEY_NAME_MAX])
{
    struct key key;

    if (keymap_key(&tui->keymap, context, command, &key))
        key_text(key, name);
    else
        (void)snprintf(name, KEY_NAME_MAX, ":%s", command);
}

static bool tui_to_view(struct tui *tui, const struct input_event *event)
{
    struct input_event inside = *event;

    if (tui->view->ops->event == NULL)
        return false;
    if (event->kind == INPUT_MOUSE) {
        inside.x -= tui->view_region.x;
        inside.y -= tui->view_region.y;
        if (inside.x < 0 || inside.y < 0 || inside.x >= tui->view_region.width ||
            inside.y >= tui->view_region.height)
            return false;
    }
    return tui->view->ops->event(tui->view, &inside);
}

static void tui_on_pop(void *arg);

static void tui_on_person(struct tui *tui, const struct input_event *event)
{
    const char *line = NULL;

    if (tui->pop_soon.queued) { /* keys may come faster than loop iterations */
        gb_loop_undefer(&tui->pop_soon);
        tui_on_pop(tui);
    }
    if (tui->overlay != NULL && tui->overlay->ops->event(tui->overlay, event))
        return;
    if (tui_to_view(tui, event))
        return;
    if (event->kind == INPUT_KEY)
        line = keymap_find(&tui->keymap, tui_context(tui), event->key);
    else if (event->kind == INPUT_MOUSE && event->action == MOUSE_PRESS && event->button == 1)
        line = frame_click(tui, event->x, event->y);
    if (line != NULL) {
        tui_command(tui, line);
    } else if (event->kind == INPUT_KEY) {
        tui->message_command[0] = '\0';
        help_say_key(tui, event->key);
    }
}

static void tui_on_mouse(struct tui *tui, const struct input_event *event)
{
    struct input_event passed;

    if (mouse_event(tui, event, &passed))
        return;
    tui_on_person(tui, &passed);
    if (passed.action == MOUSE_PRESS && passed.button == 3 && tui->overlay == NULL)
        menu_open(tui, passed.x, passed.y); /* about what the view has selected */
}

/* Whether any server has said what its isolation is. */
static bool tui_has_told(const struct tui *tui)
{
    for (size_t i = 0; i < tui->uplink_count; i++)
        if (tui->uplinks[i].store.server.told)
            return true;
    return false;
}

static void tui_on_input(void *arg, const struct input_event *event)
{
    struct tui *tui = arg;

    switch (event->kind) {
    case INPUT_KEY:
    case INPUT_PASTE:
        tui->seen |= tui_has_told(tui);
        tui_on_person(tui, event);
        break;
    case INPUT_MOUSE:
        tui_on_mouse(tui, event);
        break;
    case INPUT_BACKGROUND:
        tui_take_background(tui, event->rgb);
        break;
    case INPUT_SCHEME:
        tui_follow_background(tui, event->on);
        break;
    case INPUT_MODE:
        if (event->mode == 2026)
            tui->abilities.synchronized = event->value >= 1 && event->value <= 3;
        return;
    case INPUT_DEVICE:
        tui->abilities.sixel = event->sixel;
        break;
    case INPUT_GRAPHICS:
        tui->abilities.kitty = event->on;
        break;
    case INPUT_CELL_SIZE:
        tui->abilities.cell_width = event->x;
        tui->abilities.cell_height = event->y;
        break;
    default:
        return;
    }
    tui_redraw_now(tui);
}

/* ---- views and overlays ---- */

void tui_set_overlay(struct tui *tui, struct overlay *overlay)
{
    struct overlay *before = tui->overlay;

    tui->overlay = overlay;
    if (before != NULL)
        before->ops->free(before);
    tui_redraw(tui);
}

/* Takes. The view becomes the top one, is shown and gets the keys. */
static void tui_push(struct tui *tui, struct view *view)
{
    struct view *below = tui->view;

    if (below != NULL && below->ops->shown != NULL)
        below->ops->shown(below, false);
    view->below = below;
    view->tui = tui;
    tui->view = view;
    if (view->ops->shown != NULL)
        view->ops->shown(view, true);
    tui_redraw(tui);
}

/* Without showing the one below. A session's view is always the top one. */
static void tui_drop_top(struct tui *tui)
{
    struct view *view = tui->view;

    if (view == tui->open_view)
        tui->open_view = NULL;
    if (tui->overlay != NULL) /* it may be about that view */
        tui_set_overlay(tui, NULL);
    tui->view = view->below;
    view->ops->free(view);
}

void tui_open_session(struct uplink *uplink, const char *id)
{
    struct tui *tui = uplink->tui;

    if (tui->config.session_view == NULL)
        return;
    if (tui->open_view != NULL && tui->opened.store == &uplink->store &&
        strcmp(tui->opened.id, id) == 0)
        return; /* it exists */
    ways_leave(tui);
    if (tui->open_view != NULL)
        tui_drop_top(tui);
    ref_set_id(&tui->opened, &uplink->store, id);
    tui_push(tui, tui->config.session_view(uplink, tui->opened.id));
    tui->open_view = tui->view;
    ways_arrive(tui);
}

void tui_show_first(struct tui *tui)
{
    while (tui->view->below != NULL)
        tui_drop_top(tui);
    if (tui->view->ops->shown != NULL)
        tui->view->ops->shown(tui->view, true);
    tui_redraw(tui);
}

void tui_show_over_first(struct tui *tui, struct view *view)
{
    ways_leave(tui);
    while (tui->view->below != NULL)
        tui_drop_top(tui);
    tui_push(tui, view);
    ways_arrive(tui);
}

static void tui_on_pop(void *arg)
{
    struct tui *tui = arg;

    if (tui->view->below == NULL)
        return;
    ways_leave(tui);
    tui_drop_top(tui);
    ways_arrive(tui);
    if (tui->view->ops->shown != NULL)
        tui->view->ops->shown(tui->view, true);
    if (tui->view->below == NULL && tui->config.exit_with_session)
        tui_quit(tui);
    tui_redraw(tui);
}

void tui_pop(struct tui *tui)
{
    gb_loop_defer(tui->loop, &tui->pop_soon, tui_on_pop, tui);
}

struct view *tui_top(struct tui *tui)
{
    return tui->view;
}

struct view *tui_first(struct tui *tui)
{
    struct view *view = tui->view;

    while (view->below != NULL)
        view = view->below;
    return view;
}

const struct tui_config *tui_config(struct tui *tui)
{
    return &tui->config;
}

void tui_quit(struct tui *tui)
{
    if (closing_leave(tui))
        return;
    tui->quitting = true;
    uv_stop(tui->uv);
}

void tui_known(struct tui *tui)
{
    if (tui->entered || !tui->uplinks[0].store.ready)
        return;
    tui->entered = true;
    tui_redraw_now(tui); /* the first frame with content does not wait */
    if (tui->config.session != NULL)
        tui_open_session(&tui->uplinks[0], tui->config.session);
}

/* ---- what views ask for ---- */

struct gb_loop *tui_loop(struct tui *tui)
{
    return tui->loop;
}

const struct theme *tui_theme(struct tui *tui)
{
    return &tui->theme;
}

struct style tui_on(struct tui *tui, enum role role, enum role ground)
{
    return (struct style){.role = (uint8_t)role, .bg = tui->theme.looks.roles[ground].bg};
}

const struct terminal_abilities *tui_abilities(struct tui *tui)
{
    return &tui->abilities;
}

enum graph_signs tui_signs(struct tui *tui)
{
    return tui->abilities.utf8 ? GRAPH_BRAILLE : GRAPH_ASCII;
}

double tui_now(struct tui *tui)
{
    return tui->frozen ? tui->frozen_now : (double)gb_clock_wall_ns() / (double)GB_NS_PER_S;
}

bool tui_frozen(struct tui *tui)
{
    return tui->frozen;
}

bool tui_copy(struct tui *tui, struct gb_bytes text)
{
    struct gb_buf bytes = {0};

    if (text.size > TUI_COPY_MAX)
        return false;
    gb_buf_adds(&bytes, "\x1b]52;c;");
    gb_base64_encode(&bytes, text);
    gb_buf_adds(&bytes, "\x1b\\");
    terminal_write(tui->terminal, gb_buf_bytes(&bytes));
    gb_buf_release(&bytes);
    return true;
}

/* ---- signals ---- */

static void tui_on_resized(void *arg)
{
    struct tui *tui = arg;

    terminal_forget(tui->terminal);
    tui_redraw_now(tui);
}

void tui_suspend(struct tui *tui)
{
    terminal_suspend(tui->terminal);
    (void)kill(0, SIGTSTP); /* the whole job, as the terminal would do */
    terminal_resume(tui->terminal);
    tui_redraw_now(tui);
}

static void tui_on_signal(void *arg, int signum)
{
    struct tui *tui = arg;

    if (signum == SIGWINCH) {
        gb_timer_start(tui->resize_timer, RESIZE_MS);
        return;
    }
    if (signum == SIGUSR1) {
        tui_on_resized(tui);
        return;
    }
    tui->status = 128 + signum;
    tui_quit(tui);
}

static void tui_watch_signals(struct tui *tui)
{
    static const int signals[] = {SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1};

    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        tui->signals[tui->signal_count++] =
            gb_signal_new(tui->loop, signals[i], tui_on_signal, tui);
}

/* ---- $EDITOR ---- */

int tui_run_program(struct tui *tui, const char *const *argv)
{
    int status;

    terminal_suspend(tui->terminal);
    status = outside_run_program(argv);
    terminal_resume(tui->terminal);
    tui_redraw_now(tui);
    return status;
}

bool tui_verb_argv(struct uplink *uplink, const char *verb, const char *const *words, size_t count,
                   const char **argv)
{
    const struct tui_config *config = &uplink->tui->config;
    const struct tui_server *place = &uplink->place;
    size_t used = 0;

    if (config->again == NULL)
        return false;
    argv[used++] = config->again;
    argv[used++] = verb;
    if (place->host != NULL || place->socket != NULL) {
        argv[used++] = place->host != NULL ? "--host" : "--socket";
        argv[used++] = place->host != NULL ? place->host : place->socket;
    }
    for (size_t i = 0; i < count && i < COMMAND_WORDS_MAX; i++)
        argv[used++] = words[i];
    argv[used] = NULL;
    return true;
}

int tui_run_verb(struct uplink *uplink, const char *verb, const char *const *words, size_t count)
{
    const char *argv[TUI_VERB_WORDS_MAX];

    return tui_verb_argv(uplink, verb, words, count, argv) ? tui_run_program(uplink->tui, argv)
                                                           : -1;
}

int tui_edit(struct tui *tui, const char *path)
{
    int status;

    /* The user is in the editor: nothing of ours is visible or active meanwhile, and the server
     * holds back its events by itself. */
    terminal_suspend(tui->terminal);
    status = outside_run(path);
    terminal_resume(tui->terminal);
    tui_redraw_now(tui);
    return status;
}

/* ---- life ---- */

static int tui_begin(struct tui *tui, struct gb_err *err)
{
    static const struct terminal_events events = {tui_on_input, tui_on_drained, tui_on_lost};
    int r;

    tui->frame_timer = gb_timer_new(tui->loop, tui_on_frame, tui);
    tui->resize_timer = gb_timer_new(tui->loop, tui_on_resized, tui);
    r = terminal_open(tui->loop, &events, tui, &tui->terminal, err);
    if (r < 0)
        return r;
    tui->abilities = terminal_abilities(tui->terminal);
    theme_fallback(&tui->theme);
    config_open(tui);
    tui_watch_signals(tui);
    closing_open(tui);
    uplinks_open(tui);
    tui_push(tui, tui->config.first_view(tui));
    ways_arrive(tui);
    tui_frame(tui);
    return 0;
}

static void tui_end(struct tui *tui)
{
    tui_set_overlay(tui, NULL);
    while (tui->view != NULL) {
        struct view *view = tui->view;

        tui->view = view->below;
        view->ops->free(view);
    }
    exporting_close(tui);
    free(tui->export_path);
    uplinks_close(tui);
    config_close(tui);
    terminal_close(tui->terminal);
    for (size_t i = 0; i < tui->signal_count; i++)
        gb_signal_free(tui->signals[i]);
    gb_timer_free(tui->frame_timer);
    gb_timer_free(tui->resize_timer);
    gb_timer_free(tui->closing.timer);
    gb_loop_undefer(&tui->frame_soon);
    gb_loop_undefer(&tui->pop_soon);
    history_release(&tui->history);
    for (size_t i = 0; i < RECALL_COUNT; i++)
        history_release(&tui->recalled[i]);
    free(tui->history_path);
    grid_release(&tui->grid);
}

int tui_run(uv_loop_t *uv, struct gb_loop *loop, const struct tui_config *config,
            struct gb_err *err)
{
    struct tui *tui = xcalloc(1, sizeof(*tui));
    int status;

    tui->config = *config;
    tui->uv = uv;
    tui->loop = loop;
    tui->history_path = lines_open(&tui->history);
    uplinks_new(tui);
    for (size_t i = 0; config->tables[i] != NULL; i++)
        tui->tables.tables[tui->tables.count++] = config->tables[i];
    tui->tables.tables[tui->tables.count++] = global_commands;
    if (!keymap_defaults(&tui->keymap, &tui->tables))
        abort(); /* a key is bound twice in the tables: our bug, and a test checks for it */
    status = tui_begin(tui, err);
    while (status == 0 && !tui->quitting)
        (void)uv_run(tui->uv, UV_RUN_DEFAULT);
    tui_end(tui);
    if (status == 0)
        status = tui->status;
    free(tui);
    return status;
}
