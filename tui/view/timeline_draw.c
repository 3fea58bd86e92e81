/* SPDX-License-Identifier: Apache-2.0 */
/* Paints the past of a session. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "show/words.h"
#include "view/internal.h"
#include "view/paint.h"

enum { BESIDE_COLUMNS_MIN = 70, CLOCK_COLUMNS = 6, CELL_COLUMNS = 6, SIZE_COLUMNS = 6 };

void timeline_split(const struct timeline *timeline, struct region region,
                    struct timeline_regions *ret_regions)
{
    int files = MIN((int)timeline->file_count, MAX(region.height / 4 - 1, 1));

    if (region.width >= BESIDE_COLUMNS_MIN) {
        ret_regions->list = region_cut_left(&region, MIN(MAX(region.width * 2 / 5, 34), 72));
        (void)region_cut_left(&region, 1); /* the wall */
    } else {
        ret_regions->list = region_cut_top(&region, MAX(region.height * 2 / 5, 2));
    }
    ret_regions->head = region_cut_top(&region, 1);
    ret_regions->files =
        region_cut_bottom(&region, region.height >= 6 && files > 0 ? files + 1 : 0);
    ret_regions->cells = region;
}

/* ---- the list ---- */

static int timeline_draw_lanes(const struct trail_point *point, struct region row, int x,
                               struct style style)
{
    for (int lane = 0; lane < point->lane; lane++)
        x += paint_str(row, x, 0, style, "│ ");
    return x;
}

/* Its name, else the code of the cell before it. */
static void timeline_draw_words(const struct session_view *self, const struct trail_point *point,
                                struct region room, struct style style, bool plain)
{
    const struct card *card = cells_find(&self->cells, point->cell);
    struct highlight_state state = {0};
    struct line_tokens tokens = {self->cells.language, &state};
    struct text_line line;
    int x = 0;

    if (point->name != NULL)
        x = 1 + paint_cut(room, 0, 0, room.width, plain ? style : STYLE(ROLE_ACCENT),
                          gb_bytes_str(point->name));
    room = region_part(room, x, 0, -1, 1);
    if (point->cell == 0)
        (void)paint_cut(room, 0, 0, room.width, style, gb_bytes_str("before the first cell"));
    else if (card != NULL && text_line(card->code, 0, &line))
        paint_line_cut(room, &line, (enum role)style.role, plain || !point->past ? NULL : &tokens,
                       NULL);
}

static void timeline_draw_moment(const struct session_view *self, const struct trail_point *point,
                                 struct region row, bool selected, bool focused)
{
    const bool here = point->seq == self->trail.now.here;
    struct style style = STYLE(selected      ? (focused ? ROLE_ROW_SELECTED : ROLE_ROW_INACTIVE)
                               : point->past ? ROLE_TEXT
                                             : ROLE_DIM);
    struct style dim = selected ? style : STYLE(ROLE_DIM);
    const bool wide = row.width >= 44;
    char text[32];
    int x;

    if (selected)
        paint_fill(row, style);
    x = timeline_draw_lanes(point, row, 1, selected ? style : STYLE(ROLE_TREE));
    (void)paint_str(row, x, 0, selected || !here ? style : STYLE(ROLE_ACCENT),
                    here          ? "●"
                    : point->past ? "◆"
                                  : "◇");
    x += 2;
    trail_clock_text(point->at, tui_now(self->view.tui), text, sizeof(text));
    x += paint_cut(row, x, 0, CLOCK_COLUMNS, dim, gb_bytes_str(text)) + 1;
    (void)snprintf(text, sizeof(text), "[%u]", point->cell);
    x += 1 + MAX(paint_str(row, x, 0, dim, text), CELL_COLUMNS - 1);
    timeline_draw_words(self, point,
                        region_part(row, x, 0, row.width - x - (wide ? SIZE_COLUMNS + 1 : 1), 1),
                        style, selected);
    if (!wide)
        return;
    words_size(text, sizeof(text), (double)point->bytes);
    paint_right(row, row.width - SIZE_COLUMNS, 0, SIZE_COLUMNS - 1, dim, gb_bytes_str(text));
}

static void timeline_draw_list(const struct session_view *self, struct region region, bool focused)
{
    const struct trail_points *points = &self->trail.now;
    const size_t selected = timeline_row(self);

    for (int y = 0; y < region.height; y++) {
        const size_t row = self->timeline.top + (size_t)y;
        struct region line = region_part(region, 0, y, -1, 1);

        if (row < points->count)
            timeline_draw_moment(self, &points->points[row], line, row == selected, focused);
        if (row != points->count)
            continue;
        if (row == selected)
            paint_fill(line, STYLE(focused ? ROLE_ROW_SELECTED : ROLE_ROW_INACTIVE));
        (void)paint_str(line, 1, 0,
                        STYLE(row != selected ? ROLE_TEXT
                              : focused       ? ROLE_ROW_SELECTED
                                              : ROLE_ROW_INACTIVE),
                        "○ now");
    }
}

/* ---- how it was ---- */

static void timeline_draw_head(const struct session_view *self, struct region row)
{
    const struct trail_points *points = &self->trail.now;
    const size_t selected = timeline_row(self);
    char text[128], clock[32], size[16];

    if (selected >= points->count) {
        (void)snprintf(text, sizeof(text), "as it is now");
    } else {
        const struct trail_point *point = &points->points[selected];

        trail_clock_text(point->at, tui_now(self->view.tui), clock, sizeof(clock));
        words_size(size, sizeof(size), (double)point->bytes);
        if (point->cell == 0)
            (void)snprintf(text, sizeof(text), "as it was before the first cell, %s, %s", clock,
                           size);
        else
            (void)snprintf(text, sizeof(text), "as it was after cell %u%s, %s, %s", point->cell,
                           point->past ? "" : ", since undone", clock, size);
    }
    (void)paint_cut(row, 1, 0, row.width - 2, STYLE(ROLE_TITLE_ACTIVE), gb_bytes_str(text));
}

static void timeline_draw_files(const struct session_view *self, struct region region)
{
    const struct timeline *timeline = &self->timeline;
    struct region head = region_cut_top(&region, 1);
    char text[64];

    if (head.height == 0)
        return;
    paint_rule(head, 0, 0, head.width, STYLE(ROLE_FRAME));
    (void)snprintf(text, sizeof(text), " files written by then: %s%zu ",
                   timeline->more_files ? "at least " : "", timeline->file_count);
    (void)paint_cut(head, 2, 0, head.width - 3, STYLE(ROLE_TITLE), gb_bytes_str(text));
    for (int y = 0; y < region.height && (size_t)y < timeline->file_count; y++) {
        /* The latest ones first. */
        const struct timeline_file *file = &timeline->files[timeline->file_count - 1 - (size_t)y];
        struct region row = region_part(region, 0, y, -1, 1);
        int x = 1 + paint_cut(row, 1, 0, MAX(row.width - 20, 8), STYLE(ROLE_FILE),
                              gb_bytes_str(file->path));

        words_size(text, sizeof(text), (double)file->size);
        x += 1 + paint_str(row, x + 1, 0, STYLE(ROLE_TEXT), text);
        (void)paint_f(row, x + 1, 0, STYLE(ROLE_DIM), "[%u]", file->cell);
    }
}

/* Why there is nothing to go back to. */
static void timeline_draw_none(const struct session_view *self, struct region region)
{
    const struct session *session = session_view_session(self);
    char text[GB_ERR_MESSAGE_MAX], key[KEY_NAME_MAX];

    tui_key_of(self->view.tui, CONTEXT_PAST, "checkpoint", key);
    if (session == NULL || session_gone(session))
        (void)snprintf(text, sizeof(text),
                       "the checkpoints of a session go with it: there is no moment to go back to");
    else if (self->trail_call != 0)
        (void)snprintf(text, sizeof(text), "…");
    else if (self->trail_error[0] != '\0')
        (void)snprintf(text, sizeof(text), "%s", self->trail_error);
    else
        (void)snprintf(text, sizeof(text),
                       "no moment of this session is kept; %s keeps the present one", key);
    (void)paint_lines(region, 1, 1, region.width - 2, STYLE(ROLE_DIM), gb_bytes_str(text));
}

static void timeline_draw_look(const struct session_view *self, struct region region, bool focused)
{
    const struct timeline *timeline = &self->timeline;
    struct region head = region_cut_top(&region, 1);
    char text[128];

    if (timeline->look_cell == 0)
        (void)snprintf(text, sizeof(text), "a copy of it as it was before the first cell");
    else
        (void)snprintf(text, sizeof(text), "a copy of it as it was after cell %u",
                       timeline->look_cell);
    (void)paint_cut(head, 1, 0, head.width - 2, STYLE(ROLE_TITLE_ACTIVE), gb_bytes_str(text));
    files_draw(&timeline->look_files, region, focused);
}

void timeline_draw(const struct session_view *self, struct region region, bool focused)
{
    struct timeline_regions regions;

    if (self->timeline.look == LOOK_OPEN) {
        timeline_draw_look(self, region, focused);
        return;
    }
    if (self->trail.now.count == 0) {
        timeline_draw_none(self, region);
        return;
    }
    timeline_split(&self->timeline, region, &regions);
    timeline_draw_list(self, regions.list, focused);
    if (regions.list.width < region.width)
        paint_wall(region, regions.list.width, 0, region.height, STYLE(ROLE_FRAME));
    timeline_draw_head(self, regions.head);
    stream_draw(&self->timeline.stream, regions.cells, false);
    timeline_draw_files(self, regions.files);
}
