/* SPDX-License-Identifier: Apache-2.0 */
/* The view of a session: tabs above a prompt.
 *
 * Theory of operation. Keys have two modes: browsing, where single keys are commands, and typing,
 * where the prompt gets all keys except those that leave it, interrupt, or scroll. What comes from
 * the server goes into the cards (cells.h) in either mode; a frame paints the current state. So
 * other clients' cells appear above the line being typed, and the line does not move.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "view/internal.h"
#include "view/picture.h"

enum { CELL_OFFERED_MAX = 120 }; /* bytes of its code by which the palette finds a cell */

static struct session_view *session_view_of(struct view *view)
{
    return container_of(view, struct session_view, view);
}

static const struct session_view *session_view_const_of(const struct view *view)
{
    static_assert(offsetof(struct session_view, view) == 0, "the view is the first member");
    return (const struct session_view *)(const void *)view;
}

struct session *session_view_session(const struct session_view *self)
{
    return store_find(uplink_store(self->view.uplink), self->id);
}

/* ---- typing ---- */

/* Whether the session is another client's, which ran the first cell. Then the user watches, until
 * they take it over. */
static bool session_view_watches(const struct session_view *self, const struct session *session)
{
    return !session->lease.mine && !self->ran && self->cells.count > 0 &&
           !self->cells.cards[0]->mine;
}

/* Whether the user has to take the session over before running anything in it. */
static bool session_view_must_watch(const struct session_view *self)
{
    const struct session *session = session_view_session(self);

    return session != NULL && !session_gone(session) &&
           ((session->lease.held && !session->lease.mine) || session_view_watches(self, session));
}

bool session_view_may_act(const struct session_view *self)
{
    const struct session *session = session_view_session(self);
    struct tui *tui = self->view.tui;
    char key[KEY_NAME_MAX];

    tui_key_of(tui, CONTEXT_SESSION, "take", key);
    if (session == NULL || session_gone(session))
        tui_say(tui, MESSAGE_WARNING, "the session is closed: there is nobody to type to");
    else if (session->lease.held && !session->lease.mine)
        tui_say(tui, MESSAGE_WARNING, "%s holds this session; %s takes it over",
                session->lease.holder, key);
    else if (session_view_watches(self, session))
        tui_say(tui, MESSAGE_WARNING, "another client works here, you watch; %s takes it over",
                key);
    else
        return true;
    return false;
}

bool session_view_type(struct session_view *self)
{
    if (!session_view_may_act(self))
        return false;
    if (self->tab > TAB_OUTPUT)
        session_view_set_tab(self, TAB_CELLS);
    pane_focus(&self->pane, true);
    return true;
}

void session_view_fold(struct session_view *self, struct card *card)
{
    if (card->group_last == 0) {
        card->folded = !card->folded;
        return;
    }
    trail_reveal(&self->cells, card, card->tucked);
    stream_select(&self->stream, card); /* rows appear or disappear: keep looking at it */
}

void session_view_leave(struct session_view *self)
{
    pane_focus(&self->pane, false);
}

void session_view_set_tab(struct session_view *self, enum tab tab)
{
    self->tab = tab;
    self->stream.look.output_only = tab == TAB_OUTPUT;
    if (tab > TAB_OUTPUT)
        session_view_leave(self);
    if (tab != TAB_PAST)
        (void)timeline_back(self); /* the copy that was looked at is closed */
    if (tab != TAB_SHELLS)
        shells_leave(self);
}

struct files *session_view_files(struct session_view *self)
{
    return timeline_shows_files(self) ? &self->timeline.look_files : &self->files;
}

/* Whether typing is input for a waiting program: immediately, if it is a cell of ours. */
static void session_view_follow_waiting(struct session_view *self)
{
    const struct card *card = cells_running(&self->cells);
    bool waits = card != NULL && card->waiting;

    if (!waits)
        pane_set_input(&self->pane, false);
    else if (card->mine)
        pane_set_input(&self->pane, true);
}

/* Another client got the lease while the user was typing. */
static void session_view_follow_lease(struct session_view *self)
{
    const struct session *session = session_view_session(self);

    if (!self->pane.focused || session == NULL)
        return;
    if (session_gone(session) || (session->lease.held && !session->lease.mine)) {
        session_view_leave(self);
        tui_say(self->view.tui, MESSAGE_WARNING, "%s",
                session_gone(session) ? "the session is gone"
                                      : "another client holds the session now: you watch");
    }
}

/* While the display is frozen what is read stays where it is, and the figures are those of that
 * moment. */
static void session_view_follow_frozen(struct session_view *self)
{
    const struct session *session = session_view_session(self);
    struct stream *stream = &self->stream;

    if (tui_frozen(self->view.tui) == self->still.on)
        return;
    self->still.on = !self->still.on;
    if (self->still.on) {
        self->still.known = session != NULL;
        if (session != NULL)
            self->still.session = *session;
        self->still.session.question = NULL; /* not ours */
        self->still.followed = stream->follow;
        self->still.top = stream->top;
        self->still.top_row = stream->top_row;
        stream->follow = false;
    } else if (self->still.followed && stream->top == self->still.top &&
               stream->top_row == self->still.top_row) {
        stream_to_end(stream);
    }
}

const struct session *session_view_figures(const struct session_view *self)
{
    return self->still.on && self->still.known ? &self->still.session : session_view_session(self);
}

/* ---- painting ---- */

static void session_view_pane_hint(const struct session_view *self, char *hint, size_t room)
{
    const struct session *session = session_view_session(self);
    const struct card *running = cells_running(&self->cells);
    char key[KEY_NAME_MAX], take[KEY_NAME_MAX], answer[KEY_NAME_MAX];

    hint[0] = '\0';
    tui_key_of(self->view.tui, CONTEXT_SESSION, "type", key);
    tui_key_of(self->view.tui, CONTEXT_SESSION, "take", take);
    tui_key_of(self->view.tui, CONTEXT_SESSION, "answer", answer);
    if (session == NULL || session_gone(session))
        (void)snprintf(hint, room, "the session is closed");
    else if (self->pane.input)
        (void)snprintf(hint, room, "cell %u waits for a line; C-d ends its input",
                       running != NULL ? running->number : 0);
    else if (!self->pane.focused && running != NULL && running->waiting)
        (void)snprintf(hint, room, "cell %u waits for a line; %s answers it", running->number,
                       answer);
    else if (!self->pane.focused && session->lease.held && !session->lease.mine)
        (void)snprintf(hint, room, "%s holds this session: you watch", session->lease.holder);
    else if (!self->pane.focused && session_view_watches(self, session))
        (void)snprintf(hint, room, "%s works here, you watch; %s takes the session over",
                       self->cells.cards[0]->client[0] != '\0' ? self->cells.cards[0]->client
                                                               : "another client",
                       take);
    else if (!self->pane.focused)
        (void)snprintf(hint, room, "%s types into this session", key);
    else
        (void)snprintf(hint, room, "type a cell; Enter runs it");
}

static void session_view_draw_empty(const struct session_view *self, struct region region)
{
    const struct session *session = session_view_session(self);

    if (self->cells.count > 0 || region.height < 3)
        return;
    (void)paint_cut(region, CARD_GUTTER, 1, region.width - CARD_GUTTER, STYLE(ROLE_DIM),
                    gb_bytes_str(session == NULL       ? "nothing is known of this session"
                                 : !self->history_done ? "…"
                                 : session->cells > 0  ? "its cells are not in the journal any more"
                                 : session_gone(session) ? "it ran no cell"
                                                         : "no cell yet"));
}

void session_view_figure_look(const struct session_view *self, struct picture_look *look)
{
    const struct terminal_abilities *abilities = tui_abilities(self->view.tui);

    look->cell_width = abilities->cell_width;
    look->cell_height = abilities->cell_height;
    if (abilities->depth == DEPTH_MONO || !abilities->utf8)
        look->mode = PICTURE_NAMED;
    else if (abilities->kitty && !self->preview)
        look->mode = PICTURE_KITTY;
    else if (abilities->sixel && !self->preview && abilities->cell_width > 0)
        look->mode = PICTURE_SIXEL;
    else
        look->mode = PICTURE_BLOCKS;
}

/* The cells above, the prompt (no rows in a preview) with its rule below. */
static void session_view_split(const struct session_view *self, struct region region,
                               struct region *ret_cells, struct region *ret_prompt)
{
    int rows = self->preview ? 0 : pane_rows(&self->pane, region.width, region.height / 2);

    *ret_prompt = region_cut_bottom(&region, rows > 0 ? rows + 1 : 0);
    *ret_cells = region;
}

static void session_view_arrange_stream(struct session_view *self, struct region region)
{
    const struct looks *looks = &tui_theme(self->view.tui)->looks;
    struct region cells, prompt;

    session_view_split(self, region, &cells, &prompt);
    session_view_figure_look(self, &self->stream.look.figures);
    self->stream.look.ground = looks->roles[ROLE_CELL].bg;
    self->stream.look.ground_selected = looks->roles[ROLE_CELL_SELECTED].bg;
    if (self->stream.search.size > 0)
        stream_count(&self->stream);
    stream_arrange(&self->stream, cells.width, cells.height, tui_now(self->view.tui));
    self->pane_y = cells.y + cells.height + 1 - self->region.y;
}

static void session_view_draw_stream(const struct session_view *self, struct region region,
                                     bool focused)
{
    bool typing = focused && self->pane.focused;
    struct region cells, prompt;
    char hint[256];

    session_view_split(self, region, &cells, &prompt);
    stream_draw(&self->stream, cells, focused && !self->preview);
    session_view_draw_empty(self, cells);
    if (prompt.height == 0)
        return;
    paint_rule(prompt, 0, 0, prompt.width, STYLE(typing ? ROLE_FRAME_ACTIVE : ROLE_FRAME));
    session_view_pane_hint(self, hint, sizeof(hint));
    pane_draw(&self->pane, region_part(prompt, 0, 1, -1, -1), typing, hint);
}

/* A cell that has ended may have changed them. */
static void session_view_refresh_files(struct session_view *self)
{
    uint32_t last = 0;

    for (size_t i = 0; i < self->cells.count; i++)
        if (self->cells.cards[i]->state == CARD_DONE)
            last = MAX(last, self->cells.cards[i]->number);
    if (self->files.list_call != 0 || (self->files.loaded && last == self->files_at))
        return;
    self->files_at = last;
    files_refresh(&self->files);
}

static void session_view_update(struct view *view)
{
    struct session_view *self = session_view_of(view);

    session_link_check(self);
    bookmark_check(self);
    session_view_follow_frozen(self);
    session_view_follow_waiting(self);
    session_view_follow_lease(self);
    if (self->autofocus && self->history_done && session_view_session(self) != NULL) {
        self->autofocus = false;
        (void)session_view_type(self);
    }
    if (self->tab == TAB_FILES)
        session_view_refresh_files(self);
    if (self->tab == TAB_NETWORK)
        reach_refresh(self);
    if (self->tab == TAB_SHELLS)
        shells_refresh(self);
}

static void session_view_ask(struct view *view)
{
    struct session_view *self = session_view_of(view);

    if (self->tab == TAB_CELLS || self->tab == TAB_OUTPUT)
        stream_ask(&self->stream);
    else if (self->tab == TAB_PAST)
        timeline_ask(self);
    else if (self->tab == TAB_SHELLS)
        shells_ask(self);
    if (self->stream.unfinished) {
        self->stream.unfinished = false;
        tui_redraw(self->view.tui);
    }
}

/* The area below the tabs, which a preview lacks. */
static struct region session_view_below_tabs(const struct session_view *self, struct region region)
{
    return region_part(region, 0, self->preview ? 0 : 1, -1, -1);
}

/* The session's language is known once hello has been answered and the session is known. */
static void session_view_learn(struct session_view *self)
{
    const struct store *store = uplink_store(self->view.uplink);
    const struct session *session;

    if (self->cells.language != NULL)
        return;
    session = store_find(uplink_store(self->view.uplink), self->id);
    if (session == NULL || session->language[0] == '\0')
        return;
    cells_learn(&self->cells, gb_languages_find(&store->languages, session->language));
    self->stream.look.language = self->cells.language;
    if (self->cells.language != NULL || strcmp(self->pane.language, session->language) != 0)
        pane_learn(&self->pane, session->language);
}

static void session_view_arrange(struct view *view, struct region region)
{
    struct session_view *self = session_view_of(view);

    session_view_learn(self);
    self->region = region;
    region = session_view_below_tabs(self, region);
    if (self->tab == TAB_FILES)
        files_arrange(&self->files, region);
    else if (self->tab == TAB_PAST)
        timeline_arrange(self, region);
    else if (self->tab == TAB_NETWORK)
        reach_arrange(self, region);
    else if (self->tab == TAB_SHELLS)
        shells_arrange(self, region);
    else if (self->tab != TAB_STATS)
        session_view_arrange_stream(self, region);
}

static void session_view_draw(const struct view *view, struct region region, bool focused)
{
    const struct session_view *self = session_view_const_of(view);
    struct region below = session_view_below_tabs(self, region);

    if (!self->preview)
        tabs_draw(self, region_part(region, 0, 0, -1, 1));
    switch (self->tab) {
    case TAB_FILES:
        files_draw(&self->files, below, focused);
        break;
    case TAB_STATS:
        session_stats_draw(self, below);
        break;
    case TAB_PAST:
        timeline_draw(self, below, focused);
        break;
    case TAB_NETWORK:
        reach_draw(self, below, focused);
        break;
    case TAB_SHELLS:
        shells_draw(self, below, focused);
        break;
    case TAB_CELLS:
    case TAB_OUTPUT:
    case TAB_COUNT:
    default:
        session_view_draw_stream(self, below, focused);
        break;
    }
    if (self->pane.focused && focused)
        pane_draw_popup(&self->pane, region, self->pane_y);
}

/* ---- events ---- */

/* Keys that are not the editor's while typing. */
static bool session_view_is_ours(struct key key)
{
    bool control = key.modifiers == KEY_CONTROL;

    return (control && (key.code == ']' || key.code == 'c')) || key.code == KEY_PAGE_UP ||
           key.code == KEY_PAGE_DOWN || (key.code >= KEY_F1 && key.code <= KEY_F12);
}

static bool session_view_shows_files(const struct session_view *self)
{
    return self->tab == TAB_FILES || timeline_shows_files(self);
}

static void session_view_on_wheel(struct session_view *self, int x, long rows)
{
    if (session_view_shows_files(self) && x < FILES_LIST_COLUMNS(self->region.width))
        files_move(session_view_files(self), rows);
    else if (session_view_shows_files(self))
        files_scroll(session_view_files(self), rows);
    else if (self->tab == TAB_PAST)
        timeline_wheel(self, x, rows);
    else if (self->tab == TAB_NETWORK)
        reach_move(self, rows);
    else if (self->tab == TAB_SHELLS)
        shells_move(self, rows > 0 ? 1 : -1);
    else
        stream_scroll(&self->stream, rows);
}

static bool session_view_on_mouse(struct session_view *self, const struct input_event *event)
{
    int y = event->y - 1; /* below the tabs */

    if (event->action == MOUSE_WHEEL_UP || event->action == MOUSE_WHEEL_DOWN) {
        session_view_on_wheel(self, event->x, event->action == MOUSE_WHEEL_UP ? -3 : 3);
    } else if (event->action == MOUSE_PRESS && event->button == 1 && y == -1) {
        tabs_click(self, event->x);
    } else if (event->action == MOUSE_PRESS && event->button == 1 && self->tab <= TAB_OUTPUT) {
        if (event->y >= self->pane_y - 1)
            (void)session_view_type(self);
        else if (stream_click(&self->stream, y)) {
            struct card *card = stream_selected(&self->stream);

            if (card != NULL)
                card->folded = !card->folded;
        }
    } else if (event->action == MOUSE_PRESS && event->button == 3 && self->tab <= TAB_OUTPUT) {
        (void)stream_point(&self->stream, y);
    } else {
        return false;
    }
    tui_redraw(self->view.tui);
    return true;
}

static bool session_view_event(struct view *view, const struct input_event *event)
{
    struct session_view *self = session_view_of(view);

    if (self->preview)
        return false;
    if (event->kind == INPUT_MOUSE)
        return session_view_on_mouse(self, event);
    if (event->kind == INPUT_PASTE && !self->pane.focused && !session_view_type(self))
        return true;
    if (!self->pane.focused || (event->kind == INPUT_KEY && session_view_is_ours(event->key)))
        return false;
    if (!pane_event(&self->pane, event))
        return false;
    self->ran |= self->cells.count > 0 && self->cells.cards[self->cells.count - 1]->mine;
    self->stream.follow = true; /* whoever types wants to see the result */
    tui_redraw(self->view.tui);
    return true;
}

static enum context session_view_context(const struct view *view)
{
    const struct session_view *self = session_view_const_of(view);

    return self->pane.focused               ? CONTEXT_REPL
           : session_view_shows_files(self) ? CONTEXT_FILES
           : self->tab == TAB_PAST          ? CONTEXT_PAST
           : self->tab == TAB_NETWORK       ? CONTEXT_NETWORK
           : self->tab == TAB_SHELLS        ? CONTEXT_SHELLS
                                            : CONTEXT_SESSION;
}

static void session_view_title(const struct view *view, struct gb_buf *out)
{
    const struct session_view *self = session_view_const_of(view);
    const struct session *session = session_view_session(self);

    if (session == NULL)
        gb_buf_adds(out, self->id);
    else
        gb_buf_addf(out, "%s › %s", session_title(session), session->image);
    if (session != NULL && session->parent[0] != '\0')
        gb_buf_addf(out, ", forked after cell %u", session->parent_cell);
}

static void session_view_place(const struct view *view, struct gb_buf *out)
{
    const struct session_view *self = session_view_const_of(view);
    const struct card *card = stream_selected(&self->stream);

    if (self->tab > TAB_OUTPUT)
        gb_buf_addf(out, "tab %s", session_view_tab_name(self->tab));
    else if (!self->stream.follow && card != NULL && card->number != 0)
        gb_buf_addf(out, "cell %u", card->number);
}

static struct session *session_view_subject(const struct view *view)
{
    return session_view_session(session_view_const_of(view));
}

/* Ends the search, if there is one, else the choice of cells with bookmarks. */
static bool session_view_back(struct view *view)
{
    struct session_view *self = session_view_of(view);

    if (self->tab > TAB_OUTPUT)
        return timeline_back(self);
    if (seek_stop(self)) {
        tui_say(self->view.tui, MESSAGE_PLAIN, "stopped");
        return true;
    }
    if (self->stream.search.size == 0)
        return bookmark_back(self);
    session_view_end_search(self);
    return true;
}

static const char *session_view_urgent(const struct view *view)
{
    const struct session_view *self = session_view_const_of(view);
    const struct card *running = cells_running(&self->cells);

    if (self->pane.focused)
        return NULL;
    if (running != NULL && running->waiting)
        return "answer";
    return session_view_must_watch(self) ? "take" : NULL;
}

/* The editor's, and those for a line of input to a waiting program. */
static const struct bar_key *session_view_keys(const struct view *view)
{
    static const struct bar_key editor[] = {
        {"Enter", "run"},      {"Tab", "complete"},    {"Up", "earlier"}, {"C-r", "find earlier"},
        {"C-o", "break line"}, {"C-x C-e", "$EDITOR"}, {NULL, NULL}};
    static const struct bar_key answer[] = {
        {"Enter", "send the line"}, {"C-d", "end of input"}, {NULL, NULL}};
    const struct session_view *self = session_view_const_of(view);

    return !self->pane.focused ? NULL : self->pane.input ? answer : editor;
}

/* In the statistics there are no cells to go to, to fold or to copy. */
static bool session_view_named(const struct command *command, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, command->name) == 0)
            return true;
    return false;
}

static bool session_view_has(const struct view *view, const struct command *command)
{
    static const char *const always[] = {"type", "interrupt", "tab-next", "answer", "take", NULL};
    static const char *const alive[] = {
        "type",      "interrupt",   "answer",    "take",       "rerun",  "edit",
        "shell",     "upload",      "download",  "remove",     "parent", "rewind",
        "redo",      "fork",        "look",      "port",       "enter",  "close-port",
        "new-shell", "watch-shell", "end-shell", "checkpoint", NULL};
    static const char *const past[] = {"undo", "rewind", "look", "earlier", "later", NULL};
    static const char *const changes[] = {"upload", "remove", "type", NULL};
    const struct session_view *self = session_view_const_of(view);
    const struct session *session = session_view_session(self);

    if (session != NULL && session_gone(session) && session_view_named(command, alive))
        return false;
    if (self->trail.now.count == 0 && session_view_named(command, past))
        return false;
    if (timeline_shows_files(self) && session_view_named(command, changes))
        return false;
    return session_view_named(command, always) || command->context != CONTEXT_SESSION ||
           self->tab != TAB_STATS;
}

static void session_view_offer_card(const struct card *card, view_offer_cb *add, void *arg)
{
    char text[CELL_OFFERED_MAX + 1], note[96], line[32], verdict[64];
    const size_t room = MIN(card->source.size, (size_t)CELL_OFFERED_MAX);
    struct gb_bytes code = {gb_buf_data(&card->source), room};

    code.size -= gb_utf8_unfinished(code);
    (void)snprintf(text, sizeof(text), "%.*s", (int)code.size, (const char *)code.data);
    text[strcspn(text, "\n")] = '\0';
    card_verdict(card, verdict, sizeof(verdict));
    (void)snprintf(note, sizeof(note), "cell %u%s%s", card->number, verdict[0] != '\0' ? ", " : "",
                   verdict);
    (void)snprintf(line, sizeof(line), "cell %u", card->number);
    if (text[0] != '\0')
        add(arg, text, "cell", note, line);
}

/* The newest cells first, and the files of the folder that was shown last, if one was: asking for
 * them would wake a session that sleeps. */
static void session_view_offer(struct view *view, view_offer_cb *add, void *arg)
{
    struct session_view *self = session_view_of(view);
    const struct files *files = &self->files;

    for (size_t i = self->cells.count; i > 0; i--)
        if (self->cells.cards[i - 1]->number != 0)
            session_view_offer_card(self->cells.cards[i - 1], add, arg);
    for (size_t i = 0; i < files->count; i++) {
        char path[FILES_PATH_MAX], line[FILES_PATH_MAX + 8];

        files_path_of(files, &files->entries[i], path);
        (void)snprintf(line, sizeof(line), "file %s", path);
        add(arg, path, files->entries[i].folder ? "folder" : "file", "", line);
    }
}

static void session_view_shown(struct view *view, bool shown)
{
    struct session_view *self = session_view_of(view);

    if (!shown)
        pane_focus(&self->pane, false);
}

static void session_view_free(struct view *view)
{
    struct session_view *self = session_view_of(view);

    timeline_close(self);
    reach_close_tab(self);
    shells_close(self);
    save_close(self);
    session_link_close(self);
    travel_close(self);
    seek_close(self);
    pane_release(&self->pane);
    files_release(&self->files);
    cells_release(&self->cells);
    free(self);
}

static const struct view_ops ops = {
    .update = session_view_update,
    .arrange = session_view_arrange,
    .draw = session_view_draw,
    .ask = session_view_ask,
    .event = session_view_event,
    .context = session_view_context,
    .title = session_view_title,
    .place = session_view_place,
    .session = session_view_subject,
    .back = session_view_back,
    .urgent = session_view_urgent,
    .keys = session_view_keys,
    .has = session_view_has,
    .offer = session_view_offer,
    .shown = session_view_shown,
    .free = session_view_free,
};

struct session_view *session_view_top(struct tui *tui)
{
    struct view *view = tui_top(tui);
    struct session_view *self = view != NULL && view->ops == &ops ? session_view_of(view) : NULL;

    /* Keys may come before the first frame of a new connection; what they request there must not be
     * taken for something that was lost with the last one. */
    if (self != NULL)
        session_link_check(self);
    return self;
}

static struct session_view *session_view_make(struct uplink *uplink, const char *id, bool preview)
{
    struct session_view *self = xcalloc(1, sizeof(*self));

    self->view.ops = &ops;
    self->view.tui = uplink_tui(uplink);
    self->view.uplink = uplink;
    self->preview = preview;
    (void)snprintf(self->id, sizeof(self->id), "%s", id);
    cells_init(&self->cells, id, picture_free);
    stream_init(&self->stream, &self->cells);
    self->stream.want = session_link_want;
    self->stream.want_part = session_link_want_part;
    self->stream.want_between = session_link_want_between;
    self->stream.arg = self;
    pane_init(&self->pane, uplink, &self->cells, id);
    files_init(&self->files, uplink, self->id);
    timeline_open(self);
    shells_open(self);
    session_view_learn(self);
    seek_open(self);
    session_link_open(self);
    return self;
}

struct view *session_view_new(struct uplink *uplink, const char *id)
{
    struct session_view *self = session_view_make(uplink, id, false);

    return &self->view;
}

struct view *session_preview_new(struct uplink *uplink, const char *id)
{
    struct session_view *self = session_view_make(uplink, id, true);

    return &self->view;
}
