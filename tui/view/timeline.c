/* SPDX-License-Identifier: Apache-2.0 */
#include "view/timeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/past.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "view/internal.h"

/* A fork waits for room, and starts a VM. */
enum { LOOK_WAIT_MS = 10000, LOOK_DEADLINE_MS = 60000, ASK_CELLS = 100 };

/* ---- the moment under the cursor ---- */

static const struct trail_points *timeline_points(const struct session_view *self)
{
    return &self->trail.now;
}

/* The row of a checkpoint; if it has been dropped, that of the next newer one. */
static size_t timeline_row_of(const struct session_view *self, uint64_t seq)
{
    const struct trail_points *points = timeline_points(self);
    size_t low = 0, high = points->count;

    while (seq != 0 && low < high) {
        size_t middle = (low + high) / 2;

        if (points->points[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return seq == 0 ? points->count : low;
}

size_t timeline_row(const struct session_view *self)
{
    return timeline_row_of(self, self->timeline.seq);
}

/* NULL: the present. */
static const struct trail_point *timeline_moment(const struct session_view *self)
{
    const struct trail_points *points = timeline_points(self);
    size_t row = timeline_row(self);

    return row < points->count ? &points->points[row] : NULL;
}

static void timeline_stop_looking(struct session_view *self);

static void timeline_select(struct session_view *self, size_t row)
{
    const struct trail_points *points = timeline_points(self);
    uint64_t seq = row < points->count && points->points != NULL ? points->points[row].seq : 0;

    if (seq == self->timeline.seq)
        return;
    timeline_stop_looking(self);
    self->timeline.seq = seq;
    stream_to_end(&self->timeline.stream);
}

static void timeline_move(struct session_view *self, long rows)
{
    long to = (long)timeline_row(self) + rows;

    timeline_select(self, (size_t)MAX(0L, MIN(to, (long)timeline_points(self)->count)));
}

/* ---- files ---- */

static void timeline_remove_file(struct timeline *timeline, size_t index)
{
    memmove(&timeline->files[index], &timeline->files[index + 1],
            (timeline->file_count - index - 1) * sizeof(timeline->files[0]));
    timeline->file_count--;
}

static void timeline_take_file(struct timeline *timeline, const struct card_file *file,
                               uint32_t cell)
{
    size_t i = 0;

    while (i < timeline->file_count && strcmp(timeline->files[i].path, file->path) != 0)
        i++;
    if (i < timeline->file_count)
        timeline_remove_file(timeline, i);
    if (file->change == '-')
        return;
    if (timeline->file_count == TIMELINE_FILES_MAX) {
        timeline->more_files = true; /* the latest ones are shown */
        timeline_remove_file(timeline, 0);
    }
    timeline->files[timeline->file_count++] =
        (struct timeline_file){.path = file->path, .size = file->size, .cell = cell};
}

static void timeline_take_files(struct session_view *self)
{
    struct timeline *timeline = &self->timeline;

    timeline->file_count = 0;
    timeline->more_files = false;
    for (size_t i = 0; i < self->cells.count; i++) {
        const struct card *card = self->cells.cards[i];

        if (!trail_way_has(&timeline->way, card))
            continue;
        for (size_t j = 0; j < card->file_count; j++)
            timeline_take_file(timeline, &card->files[j], card->number);
        timeline->more_files |= card->files_left > 0;
    }
}

/* ---- frames ---- */

void timeline_arrange(struct session_view *self, struct region region)
{
    const struct looks *looks = &tui_theme(self->view.tui)->looks;
    struct timeline *timeline = &self->timeline;
    struct timeline_regions regions;
    size_t row, height;

    if (!timeline->known || timeline->known_seq != timeline->seq ||
        timeline->known_trail != self->trail.change ||
        timeline->known_cells != self->cells.ended_change) {
        const struct trail_point *moment = timeline_moment(self);

        timeline->seq = moment != NULL ? moment->seq : 0;
        trail_find_way(&self->trail, timeline->seq, &timeline->way);
        timeline_take_files(self);
        timeline->known = true;
        timeline->known_seq = timeline->seq;
        timeline->known_trail = self->trail.change;
        timeline->known_cells = self->cells.ended_change;
    }
    timeline_split(timeline, region, &regions);
    row = timeline_row(self);
    timeline->height = regions.list.height;
    height = (size_t)MAX(timeline->height, 1);
    timeline->top = MIN(timeline->top, row);
    if (row >= timeline->top + height)
        timeline->top = row - height + 1;
    if (timeline->look == LOOK_OPEN) {
        files_arrange(&timeline->look_files, region_part(region, 0, 1, -1, -1));
        return;
    }
    session_view_figure_look(self, &timeline->stream.look.figures);
    timeline->stream.look.language = self->cells.language;
    timeline->stream.look.way = &timeline->way;
    timeline->stream.look.ground = looks->roles[ROLE_CELL].bg;
    timeline->stream.look.ground_selected = looks->roles[ROLE_CELL_SELECTED].bg;
    stream_arrange(&timeline->stream, regions.cells.width, regions.cells.height,
                   tui_now(self->view.tui));
}

/* The code of a visible moment's cell, if it is not loaded: with those before it. Once. */
static void timeline_ask_cells(struct session_view *self)
{
    struct trail_points *points = &self->trail.now;
    size_t end = MIN(points->count, self->timeline.top + (size_t)MAX(self->timeline.height, 0));

    for (size_t i = end; i > self->timeline.top; i--) {
        const uint32_t cell = points->points[i - 1].cell;
        const uint32_t after = cell > ASK_CELLS ? cell - ASK_CELLS : 0;

        if (cell == 0 || points->points[i - 1].asked || cells_find(&self->cells, cell) != NULL)
            continue;
        if (session_link_want_between(self, after, cell + 1))
            for (size_t j = 0; j < points->count; j++)
                points->points[j].asked |=
                    points->points[j].cell > after && points->points[j].cell <= cell;
        return;
    }
}

void timeline_ask(struct session_view *self)
{
    struct stream *stream = &self->timeline.stream;

    if (self->timeline.look == LOOK_OPEN)
        return;
    stream_ask(stream);
    timeline_ask_cells(self);
    self->stream.unfinished |= stream->unfinished;
    stream->unfinished = false;
}

/* ---- files as they were: in a fork ---- */

/* Nobody waits for the fork any more. */
static void timeline_on_unwanted(void *arg, const struct gb_json *result,
                                 const struct gb_call_error *error)
{
    struct uplink *uplink = arg;
    struct gb_forked_info forked;
    struct gb_fork_info child;
    char id[STORE_NAME_MAX];
    size_t at = 0;

    if (error != NULL)
        return;
    gb_object_take(&gb_forked_object, result, &forked);
    if (gb_items_next(&gb_fork_object, &forked.sessions, &at, &child) != 1 ||
        (child.flags & GB_FORK_FAILED) != 0)
        return;
    json_copy_text(child.session, id, sizeof(id));
    uplink_call_on(uplink, "session.close", id, NULL);
}

static void timeline_stop_looking(struct session_view *self)
{
    struct timeline *timeline = &self->timeline;
    struct uplink *uplink = self->view.uplink;
    /* Else it ended with the last one. */
    const bool ours = self->connection == uplink_connection(uplink);

    if (timeline->look == LOOK_OPENING && ours && uplink_client(uplink) != NULL)
        gb_client_redirect(uplink_client(uplink), timeline->look_call, timeline_on_unwanted,
                           uplink);
    if (timeline->look == LOOK_OPEN && ours)
        uplink_call_on(uplink, "session.close", timeline->look_session, NULL);
    timeline_forget(self);
}

void timeline_forget(struct session_view *self)
{
    struct timeline *timeline = &self->timeline;

    if (timeline->look == LOOK_OPEN)
        files_release(&timeline->look_files);
    timeline->look = LOOK_NONE;
    timeline->look_call = 0;
}

static void timeline_on_forked(void *arg, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    struct session_view *self = arg;
    struct timeline *timeline = &self->timeline;
    struct gb_forked_info forked;
    struct gb_fork_info child;
    char message[STORE_MESSAGE_MAX];
    size_t at = 0;

    timeline->look = LOOK_NONE;
    timeline->look_call = 0;
    tui_redraw(self->view.tui);
    if (error != NULL) {
        tui_say_error(self->view.tui, "look", error);
        return;
    }
    gb_object_take(&gb_forked_object, result, &forked);
    if (gb_items_next(&gb_fork_object, &forked.sessions, &at, &child) != 1) {
        tui_say(self->view.tui, MESSAGE_ERROR,
                "look: the server opened no copy, and did not say why");
        return;
    }
    json_copy_text(child.message, message, sizeof(message));
    if ((child.flags & GB_FORK_FAILED) != 0) {
        tui_say(self->view.tui, MESSAGE_ERROR, "look: %s (%s)", message,
                gb_code_kind((enum gb_code)child.error));
        return;
    }
    json_copy_text(child.session, timeline->look_session, sizeof(timeline->look_session));
    timeline->look_cell = forked.cell;
    timeline->look = LOOK_OPEN;
    files_init(&timeline->look_files, self->view.uplink, timeline->look_session);
    files_refresh(&timeline->look_files);
    tui_say(self->view.tui, MESSAGE_PLAIN, "a copy of the session as it was; Esc leaves it");
}

static void timeline_look(struct session_view *self, const struct trail_point *moment)
{
    const struct session *session = session_view_session(self);
    struct timeline *timeline = &self->timeline;
    struct gb_buf params = {0}, label = {0};
    struct gb_json_out out = {.buf = &params};

    gb_buf_addf(&label, "%.*s as of cell %u", (int)(GB_NAME_MAX / 2),
                session != NULL ? session_title(session) : self->id, moment->cell);
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    gb_json_put_u64(&out, "seq", moment->seq);
    gb_json_put_bool(&out, "bound", true);
    if (gb_utf8_valid(gb_buf_bytes(&label)))
        gb_json_put_str(&out, "label", gb_buf_str(&label));
    gb_json_put_u64(&out, "wait_ms", LOOK_WAIT_MS);
    gb_json_end(&out);
    timeline->look_seq = moment->seq;
    timeline->look_call = uplink_call(self->view.uplink, "session.fork", &params, LOOK_DEADLINE_MS,
                                      timeline_on_forked, self);
    timeline->look = timeline->look_call != 0 ? LOOK_OPENING : LOOK_NONE;
    if (timeline->look_call != 0)
        tui_say(self->view.tui, MESSAGE_PLAIN, "opening a copy of the session as it was…");
    gb_buf_release(&label);
    gb_buf_release(&params);
}

bool timeline_shows_files(const struct session_view *self)
{
    return self->tab == TAB_PAST && self->timeline.look == LOOK_OPEN;
}

bool timeline_back(struct session_view *self)
{
    bool looked = self->timeline.look != LOOK_NONE;

    timeline_stop_looking(self);
    return looked;
}

void timeline_wheel(struct session_view *self, int x, long rows)
{
    struct timeline_regions regions;

    timeline_split(&self->timeline, region_part(self->region, 0, 1, -1, -1), &regions);
    if (regions.list.width == self->region.width || x < regions.list.width)
        timeline_move(self, rows);
    else
        stream_scroll(&self->timeline.stream, rows);
}

/* ---- commands ---- */

/* Starts a command's function: the view while it shows the past, or return. */
#define SELF(tui)                                                                                  \
    struct session_view *self = session_view_top(tui);                                             \
    (void)words;                                                                                   \
    if (self == NULL)                                                                              \
    return

static void timeline_run_down(struct tui *tui, const struct words *words)
{
    SELF(tui);
    timeline_move(self, 1);
}

static void timeline_run_up(struct tui *tui, const struct words *words)
{
    SELF(tui);
    timeline_move(self, -1);
}

static void timeline_run_first(struct tui *tui, const struct words *words)
{
    SELF(tui);
    timeline_select(self, 0);
}

static void timeline_run_present(struct tui *tui, const struct words *words)
{
    SELF(tui);
    timeline_select(self, timeline_points(self)->count);
}

/* To the moment that led to this one. */
static void timeline_run_earlier(struct tui *tui, const struct words *words)
{
    const struct trail_point *moment;
    uint64_t before;
    SELF(tui);

    moment = timeline_moment(self);
    before = moment != NULL ? moment->parent : timeline_points(self)->here;
    if (before == 0) {
        tui_say(tui, MESSAGE_PLAIN, "nothing before this moment is kept");
        return;
    }
    self->timeline.from = moment != NULL ? moment->seq : 0;
    timeline_select(self, timeline_row_of(self, before));
}

/* Where the cursor came from, if this moment led to it; else the one on the way to the present,
 * else the newest. */
static void timeline_run_later(struct tui *tui, const struct words *words)
{
    const struct trail_points *points;
    const struct trail_point *moment;
    size_t to;
    SELF(tui);

    points = timeline_points(self);
    moment = timeline_moment(self);
    if (moment == NULL)
        return;
    to = points->count;
    for (size_t i = 0; i < points->count; i++) {
        const struct trail_point *point = &points->points[i];

        if (point->parent != moment->seq)
            continue;
        to = to == points->count || point->past || !points->points[to].past ? i : to;
        if (point->seq == self->timeline.from) {
            to = i;
            break;
        }
    }
    if (to == points->count && moment->seq != points->here)
        tui_say(tui, MESSAGE_PLAIN, "nothing after this moment is kept");
    else
        timeline_select(self, to);
}

static void timeline_run_scroll_up(struct tui *tui, const struct words *words)
{
    SELF(tui);
    stream_page(&self->timeline.stream, -1);
}

static void timeline_run_scroll_down(struct tui *tui, const struct words *words)
{
    SELF(tui);
    stream_page(&self->timeline.stream, 1);
}

static void timeline_run_rewind(struct tui *tui, const struct words *words)
{
    const struct trail_point *moment;
    SELF(tui);

    moment = timeline_moment(self);
    if (words->count > 1) /* a cell's number */
        travel_run_rewind(tui, words);
    else if (moment == NULL)
        tui_say(tui, MESSAGE_PLAIN, "this is the present; choose a moment before it");
    else if (session_view_may_act(self))
        travel_ask_rewind(self, moment);
}

static void timeline_run_fork(struct tui *tui, const struct words *words)
{
    const struct trail_point *moment;
    SELF(tui);

    moment = timeline_moment(self);
    if (words->count > 1 || moment == NULL)
        travel_run_fork(tui, words);
    else
        tui_fork(self->view.uplink, self->id, -1, moment->seq);
}

static void timeline_run_look(struct tui *tui, const struct words *words)
{
    const struct trail_point *moment;
    SELF(tui);

    moment = timeline_moment(self);
    if (moment == NULL)
        session_view_set_tab(self, TAB_FILES);
    else if (self->timeline.look == LOOK_NONE)
        timeline_look(self, moment);
}

#define ROW(name, arguments, help, keys, bar, run)                                                 \
    {                                                                                              \
        name, arguments, help, keys, bar, CONTEXT_PAST, ARGUMENT_NONE, run                         \
    }

const struct command past_commands[] = {
    ROW("rewind", "[CELL]", "back to how it was at this moment; asks before", "Enter R",
        "back to it", timeline_run_rewind),
    ROW("earlier", "", "to the moment that led to this one", "Left", "earlier",
        timeline_run_earlier),
    ROW("later", "", "to the moment after this one", "Right", "later", timeline_run_later),
    ROW("look", "", "the files as they were, in a copy of the session", "v", "files",
        timeline_run_look),
    ROW("fork", "[CELL]", "open a session that goes on from this moment", "F", "fork",
        timeline_run_fork),
    ROW("undo", "[STEPS]", "back to the checkpoint before: variables, files and processes", "u",
        "undo", travel_run_undo),
    ROW("redo", "[STEPS]", "forward again to what was undone", "U", NULL, travel_run_redo),
    ROW("checkpoint", "[NAME]", "keep it as it is, to return to", "c", "keep",
        travel_run_checkpoint),
    ROW("moment-down", "", "to the next moment in the list", "j Down", NULL, timeline_run_down),
    ROW("moment-up", "", "to the moment above", "k Up", NULL, timeline_run_up),
    ROW("moment-first", "", "to the first moment", "g Home", NULL, timeline_run_first),
    ROW("moment-now", "", "to the present", "G End", NULL, timeline_run_present),
    ROW("scroll-down", "", "a page down in the cells", "PageDown J", NULL,
        timeline_run_scroll_down),
    ROW("scroll-up", "", "a page up in the cells", "PageUp K", NULL, timeline_run_scroll_up),
    ROW("type", "", "the keys go to the prompt", "i", NULL, session_view_run_type),
    TAB_ROWS(CONTEXT_PAST),
    {0},
};

/* ---- life ---- */

static bool timeline_want_part(void *arg, struct card *card, enum part_wish wish)
{
    (void)arg;
    (void)card;
    (void)wish;
    return true; /* the tab of the cells loads it */
}

void timeline_open(struct session_view *self)
{
    struct stream *stream = &self->timeline.stream;

    stream_init(stream, &self->cells);
    stream->want = session_link_want;
    stream->want_part = timeline_want_part;
    stream->want_between = session_link_want_between;
    stream->arg = self;
}

void timeline_close(struct session_view *self)
{
    timeline_stop_looking(self);
    trail_release_way(&self->timeline.way);
}
