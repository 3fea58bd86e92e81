/* SPDX-License-Identifier: Apache-2.0 */
/* The list of sessions that have ended, with the reason; from it, their log opens read-only.
 *
 * Theory of operation. Both replies (sessions that were closed, sessions that were lost) go to the
 * store, where the view of a session finds them, too. They are requested when this view appears and
 * when sessions have ended while it is shown: then at most once in ENDED_AGAIN_MS, however many
 * they are; one request of each kind is in flight at most. With several servers each is a source of
 * its own. Rows are pointers into the stores, built anew for each frame.
 */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/tui.h"
#include "base/clock.h"
#include "base/mem.h"
#include "list/filter.h"
#include "list/list.h"
#include "show/words.h"
#include "store/ended.h"
#include "store/ref.h"

enum {
    ENDED_DEADLINE_MS = 30000,
    ENDED_AGAIN_MS = 1000,
    ENDED_ASKED_MAX = STORE_ENDED_MAX / 2,
    ENDED_DETAIL_ROWS = 5,
    ENDED_WORDS_FROM = 56
};

/* The two states, as indexes. */
enum { ENDED_CLOSED, ENDED_LOST, ENDED_KINDS };
static const enum session_state ended_states[ENDED_KINDS] = {SESSION_CLOSED, SESSION_LOST};

/* What one server tells. */
struct ended_source {
    struct ended_view *ended;
    struct uplink *uplink;
    struct store_listener listener;
    uint64_t calls[ENDED_KINDS]; /* requests in flight; 0: none */
    bool again, told[ENDED_KINDS];
    uint64_t connection, asked_ns;
    struct gb_timer *soon; /* for sessions that have ended since */
    char trouble[GB_ERR_MESSAGE_MAX];
};

struct ended_view {
    struct view view;
    struct ended_source *sources;
    size_t source_count;
    bool covered;
    struct session **rows; /* newest end first */
    size_t count;
    struct session_ref at_session;
    size_t at, first;
    struct region table;
    struct filter filter;
    char filter_text[FILTER_LINE_MAX], filter_last[FILTER_LINE_MAX];
    char filter_bad[GB_ERR_MESSAGE_MAX];
};
static_assert(offsetof(struct ended_view, view) == 0, "the view is the first member");

static struct ended_view *ended_of(struct view *view)
{
    return container_of(view, struct ended_view, view);
}

static const struct ended_view *ended_const_of(const struct view *view)
{
    return (const struct ended_view *)(const void *)view;
}

/* ---- rows ---- */

static int ended_compare(const void *a, const void *b)
{
    const struct session *left = *(struct session *const *)a;
    const struct session *right = *(struct session *const *)b;

    if (left->ended_at != right->ended_at)
        return left->ended_at < right->ended_at ? 1 : -1;
    if (left->store != right->store)
        return left->store->rank < right->store->rank ? -1 : 1;
    return strcmp(left->id, right->id);
}

/* How many are known, whether or not they fit the filter. */
static size_t ended_known(const struct ended_view *ended)
{
    size_t count = 0;

    for (size_t i = 0; i < ended->source_count; i++)
        count += uplink_store(ended->sources[i].uplink)->ended_count;
    return count;
}

static void ended_go(struct ended_view *ended, size_t at)
{
    if (ended->count == 0)
        return;
    ended->at = MIN(at, ended->count - 1);
    ref_set(&ended->at_session, ended->rows[ended->at]);
}

/* The cursor stays at its session; if that is gone, on its line. */
static void ended_build(struct ended_view *ended)
{
    const double now = tui_now(ended->view.tui);
    struct session *session;

    free(ended->rows);
    ended->rows = xcalloc(ended_known(ended) + 1, sizeof(struct session *));
    ended->count = 0;
    for (size_t i = 0; i < ended->source_count; i++)
        GB_LIST_FOREACH(session, &uplink_store(ended->sources[i].uplink)->ended, link)
            if (filter_match(&ended->filter, session, now))
                ended->rows[ended->count++] = session;
    qsort(ended->rows, ended->count, sizeof(struct session *), ended_compare);
    for (size_t i = 0; i < ended->count; i++)
        if (ref_is(&ended->at_session, ended->rows[i]))
            ended->at = i;
    ended_go(ended, ended->at);
}

static struct session *ended_selected(struct ended_view *ended)
{
    ended_build(ended); /* keys may come faster than frames */
    return ended->count > 0 ? ended->rows[ended->at] : NULL;
}

/* ---- requests ---- */

static void ended_ask_soon(struct ended_source *source);

static void ended_on_list(struct ended_source *source, unsigned kind, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    source->calls[kind] = 0;
    source->told[kind] = true;
    if (error != NULL)
        (void)snprintf(source->trouble, sizeof(source->trouble), "%s", error->message);
    else
        ended_take(uplink_store(source->uplink), result, ended_states[kind]);
    tui_redraw(source->ended->view.tui);
    if (source->again && source->calls[ENDED_CLOSED] == 0 && source->calls[ENDED_LOST] == 0) {
        source->again = false;
        ended_ask_soon(source);
    }
}

static void ended_on_closed(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    ended_on_list(arg, ENDED_CLOSED, result, error);
}

static void ended_on_lost(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    ended_on_list(arg, ENDED_LOST, result, error);
}

static uint64_t ended_ask_for(struct ended_source *source, enum gb_session_state state,
                              gb_reply_cb *reply)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    uint64_t call;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "state", gb_session_state_to_string(state));
    gb_json_put_u64(&out, "limit", ENDED_ASKED_MAX);
    gb_json_end(&out);
    call = uplink_call(source->uplink, "session.list", &params, ENDED_DEADLINE_MS, reply, source);
    gb_buf_release(&params);
    return call;
}

static void ended_ask(struct ended_source *source)
{
    if (source->calls[ENDED_CLOSED] != 0 || source->calls[ENDED_LOST] != 0) {
        source->again = true;
        return;
    }
    source->connection = uplink_connection(source->uplink);
    source->asked_ns = gb_clock_mono_ns();
    gb_timer_stop(source->soon);
    source->trouble[0] = '\0';
    source->calls[ENDED_CLOSED] = ended_ask_for(source, GB_SESSION_CLOSED, ended_on_closed);
    source->calls[ENDED_LOST] = ended_ask_for(source, GB_SESSION_LOST, ended_on_lost);
}

static void ended_on_soon(void *arg)
{
    struct ended_source *source = arg;

    if (!source->ended->covered && uplink_is_up(source->uplink))
        ended_ask(source);
}

static void ended_ask_soon(struct ended_source *source)
{
    const uint64_t due = source->asked_ns + ENDED_AGAIN_MS * GB_NS_PER_MS;
    const uint64_t now = gb_clock_mono_ns();

    if (!gb_timer_active(source->soon))
        gb_timer_start(source->soon, due > now ? (due - now) / GB_NS_PER_MS + 1 : 0);
}

static void ended_on_event(void *arg, const struct store_event *event)
{
    struct ended_source *source = arg;

    if (!source->ended->covered && strcmp(event->kind, "session.closed") == 0)
        ended_ask_soon(source);
}

static void ended_update(struct view *view)
{
    struct ended_view *ended = ended_of(view);

    for (size_t i = 0; i < ended->source_count; i++) {
        struct ended_source *source = &ended->sources[i];

        if (!uplink_is_up(source->uplink) ||
            source->connection == uplink_connection(source->uplink))
            continue;
        /* Calls on the old connection were dropped with it. */
        source->calls[ENDED_CLOSED] = source->calls[ENDED_LOST] = 0;
        ended_ask(source);
    }
}

/* ---- drawing ---- */

static void ended_arrange(struct view *view, struct region region)
{
    struct ended_view *ended = ended_of(view);
    size_t height;

    ended_build(ended);
    if (region.height >= 3 * ENDED_DETAIL_ROWS)
        (void)region_cut_bottom(&region, ENDED_DETAIL_ROWS);
    ended->table = region;
    height = (size_t)MAX(1, region.height - 1);
    if (ended->at < ended->first)
        ended->first = ended->at;
    if (ended->at >= ended->first + height)
        ended->first = ended->at - height + 1;
    if (ended->first + height > ended->count)
        ended->first = ended->count > height ? ended->count - height : 0;
}

/* "14:05" today, "Nov 29 14:05" before; of another year the date. */
static void ended_time(char *text, size_t room, double at, double now)
{
    time_t then = (time_t)at, today = (time_t)now;
    struct tm end, present;

    text[0] = '\0';
    if (at <= 0 || localtime_r(&then, &end) == NULL || localtime_r(&today, &present) == NULL)
        return;
    (void)strftime(text, room,
                   end.tm_year != present.tm_year   ? "%Y-%m-%d"
                   : end.tm_yday != present.tm_yday ? "%b %d %H:%M"
                                                    : "%H:%M:%S",
                   &end);
}

enum ended_column {
    ENDED_COLUMN_TIME,
    ENDED_COLUMN_STATE,
    ENDED_COLUMN_NAME,
    ENDED_COLUMN_HOST, /* only with several */
    ENDED_COLUMN_WHO,
    ENDED_COLUMN_CELLS,
    ENDED_COLUMN_REASON,
    ENDED_COLUMN_COUNT
};

static const struct {
    const char *heading;
    int width;
    int from; /* columns of the screen from which on it is there */
    bool right;
} ended_columns[ENDED_COLUMN_COUNT] = {
    [ENDED_COLUMN_TIME] = {"ENDED", 12, 0, false}, [ENDED_COLUMN_STATE] = {"STATE", 8, 0, false},
    [ENDED_COLUMN_NAME] = {"NAME", 14, 0, false},  [ENDED_COLUMN_HOST] = {"HOST", 8, 0, false},
    [ENDED_COLUMN_WHO] = {"WHO", 12, 90, false},   [ENDED_COLUMN_CELLS] = {"CELLS", 5, 70, true},
    [ENDED_COLUMN_REASON] = {"WHY", 8, 0, false},
};

/* The name gets a quarter of what is left, the reason the rest. */
static void ended_layout(int width, bool hosts, int widths[ENDED_COLUMN_COUNT])
{
    int room = width - 2;

    for (size_t i = 0; i < ENDED_COLUMN_COUNT; i++) {
        widths[i] = width >= ended_columns[i].from ? ended_columns[i].width : 0;
        if (i == ENDED_COLUMN_HOST && !hosts)
            widths[i] = 0;
        room -= widths[i] > 0 ? widths[i] + 1 : 0;
    }
    if (width < ENDED_WORDS_FROM) { /* only the sign */
        room += widths[ENDED_COLUMN_STATE] - 1;
        widths[ENDED_COLUMN_STATE] = 1;
    }
    room = MAX(room, 0);
    widths[ENDED_COLUMN_NAME] += MIN(room / 4, 18);
    widths[ENDED_COLUMN_REASON] += room - MIN(room / 4, 18);
}

static void ended_draw_cell(struct region cell, enum ended_column column,
                            const struct session *session, struct style style, bool plain,
                            double now)
{
    struct style dim = plain ? style : STYLE(ROLE_DIM);
    char text[64];

    switch (column) {
    case ENDED_COLUMN_TIME:
        ended_time(text, sizeof(text), session->ended_at, now);
        (void)paint_str(cell, 0, 0, dim, text);
        return;
    case ENDED_COLUMN_STATE:
        (void)paint_f(cell, 0, 0, plain ? style : STYLE(session_state_role(session)), "%s %s",
                      session_state_sign(session), session_state_word(session));
        return;
    case ENDED_COLUMN_NAME:
        (void)paint_cut(cell, 0, 0, cell.width, style, gb_bytes_str(session_title(session)));
        return;
    case ENDED_COLUMN_HOST:
        (void)paint_cut(cell, 0, 0, cell.width, style, gb_bytes_str(session_host(session)));
        return;
    case ENDED_COLUMN_WHO:
        (void)paint_cut(cell, 0, 0, cell.width, dim, gb_bytes_str(session_who(session)));
        return;
    case ENDED_COLUMN_CELLS:
        (void)snprintf(text, sizeof(text), "%u", session->cells);
        paint_right(cell, 0, 0, cell.width, style, gb_bytes_str(text));
        return;
    case ENDED_COLUMN_REASON:
        (void)paint_cut(cell, 0, 0, cell.width, dim, gb_bytes_str(session->reason));
        return;
    case ENDED_COLUMN_COUNT:
        return;
    }
}

/* @session NULL: the heading. */
static void ended_draw_line(const struct ended_view *ended, struct region line,
                            const struct session *session, struct style style, bool plain)
{
    int widths[ENDED_COLUMN_COUNT], x = 1;

    ended_layout(line.width, ended->source_count > 1, widths);
    for (size_t i = 0; i < ENDED_COLUMN_COUNT; i++) {
        struct region cell = region_part(line, x, 0, widths[i], 1);

        if (widths[i] == 0)
            continue;
        if (session != NULL)
            ended_draw_cell(cell, (enum ended_column)i, session, style, plain,
                            tui_now(ended->view.tui));
        else if (ended_columns[i].right)
            paint_right(cell, 0, 0, cell.width, style, gb_bytes_str(ended_columns[i].heading));
        else if (widths[i] >= ended_columns[i].width)
            (void)paint_str(cell, 0, 0, style, ended_columns[i].heading);
        x += widths[i] + 1;
    }
}

/* What the columns have no room for. */
static void ended_draw_details(const struct ended_view *ended, struct region region)
{
    const struct session *session = ended->rows[ended->at];
    const struct region below = region_part(region, 0, ended->table.height, -1, -1);
    struct gb_buf text = {0};
    char lasted[32];
    int y;

    if (below.height < 2)
        return;
    paint_rule(below, 0, 0, below.width, STYLE(ROLE_FRAME));
    words_age(lasted, sizeof(lasted), MAX(0.0, session->ended_at - session->created_at));
    gb_buf_addf(&text, "%s · %s · ", session_title(session), session->id);
    if (session->image[0] != '\0')
        gb_buf_addf(&text, "%s · ", session->image);
    gb_buf_addf(&text, "%u cell%s", session->cells, session->cells == 1 ? "" : "s");
    if (session->created_at > 0)
        gb_buf_addf(&text, " in %s", lasted);
    (void)paint_cut(below, 1, 1, below.width - 2, STYLE(ROLE_STRONG), gb_buf_bytes(&text));
    y = 2 + paint_lines(below, 1, 2, below.width - 2, STYLE(ROLE_TEXT),
                        gb_bytes_str(session->reason[0] != '\0' ? session->reason
                                                                : "nothing is known of its end"));
    (void)paint_cut(below, 1, y, below.width - 2, STYLE(ROLE_DIM),
                    gb_bytes_str("its variables and files are gone; what it ran is in the log"));
    gb_buf_release(&text);
}

static void ended_draw_empty(const struct ended_view *ended, struct region region)
{
    const char *text = "…", *trouble = NULL;
    bool told = true;

    for (size_t i = 0; i < ended->source_count; i++) {
        const struct ended_source *source = &ended->sources[i];

        if (source->trouble[0] != '\0')
            trouble = source->trouble;
        told = told && source->told[ENDED_CLOSED] && source->told[ENDED_LOST];
    }
    if (trouble != NULL)
        text = trouble;
    else if (ended_known(ended) > 0)
        text = "none of them fits the filter";
    else if (told)
        text = "No session has ended, as far as the journal goes back.";
    (void)paint_lines(region, 4, region.height / 3, region.width - 8, STYLE(ROLE_DIM),
                      gb_bytes_str(text));
}

static void ended_draw(const struct view *view, struct region region, bool focused)
{
    const struct ended_view *ended = ended_const_of(view);
    const struct region table = ended->table;

    if (ended->count == 0) {
        ended_draw_empty(ended, region);
        return;
    }
    ended_draw_line(ended, region_part(table, 0, 0, -1, 1), NULL, STYLE(ROLE_HEADING), false);
    for (int y = 1; y < table.height && ended->first + (size_t)y - 1 < ended->count; y++) {
        const size_t at = ended->first + (size_t)y - 1;
        const bool selected = at == ended->at;
        const struct style style = STYLE(!selected ? ROLE_TEXT
                                         : focused ? ROLE_ROW_SELECTED
                                                   : ROLE_ROW_INACTIVE);
        const struct region line = region_part(table, 0, y, -1, 1);

        if (selected)
            paint_fill(line, style);
        ended_draw_line(ended, line, ended->rows[at], style, selected);
    }
    ended_draw_details(ended, region);
}

/* ---- the view ---- */

static enum context ended_context(const struct view *view)
{
    (void)view;
    return CONTEXT_ENDED;
}

static void ended_title(const struct view *view, struct gb_buf *out)
{
    const struct ended_view *ended = ended_const_of(view);
    const size_t known = ended_known(ended);

    if (ended->filter_text[0] != '\0')
        gb_buf_addf(out, "ended (%zu of %zu) /%s", ended->count, known, ended->filter_text);
    else
        gb_buf_addf(out, "ended (%zu)", known);
}

static void ended_set_filter(struct ended_view *ended, const char *text)
{
    struct gb_err err;

    (void)snprintf(ended->filter_text, sizeof(ended->filter_text), "%s", text);
    ended->filter_bad[0] = '\0';
    if (filter_parse(gb_bytes_str(ended->filter_text), &ended->filter, &err) < 0)
        (void)snprintf(ended->filter_bad, sizeof(ended->filter_bad), "%s", err.message);
}

static bool ended_back(struct view *view)
{
    struct ended_view *ended = ended_of(view);

    if (ended->filter_text[0] == '\0')
        return false;
    ended_set_filter(ended, "");
    return true;
}

static bool ended_event(struct view *view, const struct input_event *event)
{
    struct ended_view *ended = ended_of(view);
    size_t row;

    if (event->kind != INPUT_MOUSE || ended_selected(ended) == NULL)
        return false;
    if (event->action == MOUSE_WHEEL_UP || event->action == MOUSE_WHEEL_DOWN) {
        ended_go(ended, event->action == MOUSE_WHEEL_UP ? ended->at - MIN(ended->at, (size_t)3)
                                                        : ended->at + 3);
        return true;
    }
    if (event->action != MOUSE_PRESS || event->y < 1 || event->y >= ended->table.height)
        return false;
    row = ended->first + (size_t)event->y - 1;
    if (row >= ended->count)
        return false;
    if (row == ended->at && event->button == 1)
        tui_command(view->tui, "open");
    else
        ended_go(ended, row);
    return true;
}

static void ended_place(const struct view *view, struct gb_buf *out)
{
    (void)view;
    gb_buf_adds(out, "ended");
}

static bool ended_has(const struct view *view, const struct command *command)
{
    (void)view;
    return strcmp(command->name, "take") != 0;
}

static void ended_shown(struct view *view, bool shown)
{
    struct ended_view *ended = ended_of(view);

    ended->covered = !shown;
    for (size_t i = 0; shown && i < ended->source_count; i++)
        if (uplink_is_up(ended->sources[i].uplink))
            ended_ask(&ended->sources[i]);
}

static void ended_free(struct view *view)
{
    struct ended_view *ended = ended_of(view);

    for (size_t i = 0; i < ended->source_count; i++) {
        struct ended_source *source = &ended->sources[i];

        store_unlisten(&source->listener);
        gb_timer_free(source->soon);
        for (size_t kind = 0; kind < ENDED_KINDS; kind++)
            if (source->calls[kind] != 0 && source->connection == uplink_connection(source->uplink))
                uplink_forget(source->uplink, source->calls[kind]);
    }
    free(ended->sources);
    free(ended->rows);
    free(ended);
}

static const struct view_ops ended_ops = {.update = ended_update,
                                          .arrange = ended_arrange,
                                          .draw = ended_draw,
                                          .event = ended_event,
                                          .context = ended_context,
                                          .title = ended_title,
                                          .place = ended_place,
                                          .back = ended_back,
                                          .has = ended_has,
                                          .shown = ended_shown,
                                          .free = ended_free};

/* ---- commands ---- */

/* Commands of CONTEXT_ENDED only run while it is the top view. */
static struct ended_view *ended_of_tui(struct tui *tui)
{
    return ended_of(tui_top(tui));
}

void ended_run_show(struct tui *tui, const struct words *words)
{
    struct ended_view *ended = xcalloc(1, sizeof(*ended));

    (void)words;
    ended->view.ops = &ended_ops;
    ended->view.tui = tui;
    ended->source_count = tui_uplink_count(tui);
    ended->sources = xcalloc(ended->source_count, sizeof(*ended->sources));
    for (size_t i = 0; i < ended->source_count; i++) {
        struct ended_source *source = &ended->sources[i];

        source->ended = ended;
        source->uplink = tui_uplink(tui, i);
        source->soon = gb_timer_new(tui_loop(tui), ended_on_soon, source);
        store_listen(uplink_store(source->uplink), &source->listener, ended_on_event, source);
    }
    tui_show_over_first(tui, &ended->view);
}

static void ended_run_open(struct tui *tui, const struct words *words)
{
    struct session *session = ended_selected(ended_of_tui(tui));

    (void)words;
    if (session != NULL)
        tui_open_session(uplink_of(session), session->id);
    else
        tui_say(tui, MESSAGE_PLAIN, "there is no session at the cursor");
}

static void ended_filter_changed(void *arg, const char *line)
{
    struct tui *tui = arg;

    ended_set_filter(ended_of_tui(tui), line);
    tui_redraw(tui);
}

static void ended_filter_done(void *arg, const char *line)
{
    struct tui *tui = arg;
    struct ended_view *ended = ended_of_tui(tui);

    ended_set_filter(ended, line != NULL ? line : ended->filter_last);
    if (ended->filter_bad[0] != '\0')
        tui_say(tui, MESSAGE_ERROR, "%s", ended->filter_bad);
}

static void ended_run_filter(struct tui *tui, const struct words *words)
{
    struct ended_view *ended = ended_of_tui(tui);

    (void)snprintf(ended->filter_last, sizeof(ended->filter_last), "%s", ended->filter_text);
    if (words->count > 1)
        ended_filter_done(tui, words->rest);
    else
        tui_ask_live(tui, RECALL_FILTER, ended_filter_changed, ended_filter_done, tui);
}

static void ended_run_all(struct tui *tui, const struct words *words)
{
    (void)words;
    ended_set_filter(ended_of_tui(tui), "");
}

static void ended_run_copy(struct tui *tui, const struct words *words)
{
    const struct session *session = ended_selected(ended_of_tui(tui));

    (void)words;
    if (session != NULL && tui_copy(tui, gb_bytes_str(session->id)))
        tui_say(tui, MESSAGE_GOOD, "%s is in the clipboard", session->id);
}

static void ended_go_by(struct tui *tui, bool pages, bool up)
{
    struct ended_view *ended = ended_of_tui(tui);
    const size_t step = pages ? (size_t)MAX(1, ended->table.height - 2) : 1;

    ended_build(ended);
    ended_go(ended, up ? ended->at - MIN(ended->at, step) : ended->at + step);
}

static void ended_run_up(struct tui *tui, const struct words *words)
{
    (void)words;
    ended_go_by(tui, false, true);
}

static void ended_run_down(struct tui *tui, const struct words *words)
{
    (void)words;
    ended_go_by(tui, false, false);
}

static void ended_run_page_up(struct tui *tui, const struct words *words)
{
    (void)words;
    ended_go_by(tui, true, true);
}

static void ended_run_page_down(struct tui *tui, const struct words *words)
{
    (void)words;
    ended_go_by(tui, true, false);
}

static void ended_run_first(struct tui *tui, const struct words *words)
{
    (void)words;
    ended_build(ended_of_tui(tui));
    ended_go(ended_of_tui(tui), 0);
}

static void ended_run_last(struct tui *tui, const struct words *words)
{
    (void)words;
    ended_build(ended_of_tui(tui));
    ended_go(ended_of_tui(tui), SIZE_MAX);
}

#define ENDED_ROW(name, arguments, help, keys, bar, run)                                           \
    {                                                                                              \
        name, arguments, help, keys, bar, CONTEXT_ENDED,                                           \
            (arguments)[0] == '\0' ? ARGUMENT_NONE : ARGUMENT_TEXT, run                            \
    }

const struct command ended_commands[] = {
    ENDED_ROW("open", "", "look at what it ran", "Enter l Right", "open", ended_run_open),
    ENDED_ROW("filter", "[FILTER]", "show what fits: web state=lost !owner=ci", "/", "filter",
              ended_run_filter),
    ENDED_ROW("all", "", "show all again", "\\", NULL, ended_run_all),
    ENDED_ROW("copy", "", "copy the id", "y", "copy id", ended_run_copy),
    ENDED_ROW("up", "", "up", "Up k", NULL, ended_run_up),
    ENDED_ROW("down", "", "down", "Down j", NULL, ended_run_down),
    ENDED_ROW("page-up", "", "a page up", "PgUp C-b", NULL, ended_run_page_up),
    ENDED_ROW("page-down", "", "a page down", "PgDn C-f", NULL, ended_run_page_down),
    ENDED_ROW("first", "", "to the first", "Home g", NULL, ended_run_first),
    ENDED_ROW("last", "", "to the last", "End G", NULL, ended_run_last),
    {0},
};
