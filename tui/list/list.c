/* SPDX-License-Identifier: Apache-2.0 */
/* The list of sessions.
 *
 * Theory of operation. Each frame builds its rows anew from the store, or from a copy of it while
 * the display is frozen; the cursor is on a session (or the head of a group) and not on a line, so
 * it follows when the order changes. Commands act on the marked sessions, or on the one at the
 * cursor if none is marked. The pane shows the session at the cursor: its details, and below them a
 * preview of its view, created a moment after the cursor has come to rest, so that moving through
 * the list causes no requests.
 */
#include "list/list.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "list/internal.h"
#include "show/words.h"

static_assert(offsetof(struct list_view, view) == 0, "a view is a list where it is one");

enum {
    PREVIEW_REST_MS = 120,
    PREVIEW_COLUMNS_MIN = 110,
    PANE_ROWS_MIN = 8,   /* and of the table that it takes room from */
    FIRST_ROWS_MIN = 16, /* of the table, for the first steps to be placed lower than at the top */
};

static struct list_view *list_of(struct view *view)
{
    return container_of(view, struct list_view, view);
}

static const struct list_view *list_const_of(const struct view *view)
{
    return (const struct list_view *)(const void *)view;
}

struct list_view *list_of_tui(struct tui *tui)
{
    return list_of(tui_first(tui));
}

/* ---- rows ---- */

static void list_thaw(struct list_view *list)
{
    free(list->frozen);
    list->frozen = NULL;
    list->frozen_count = 0;
}

static void list_freeze(struct list_view *list)
{
    struct tui *tui = list->view.tui;
    struct session *session = NULL;
    size_t gone;

    list->frozen = xcalloc(tui_session_count(tui, &gone) + 1, sizeof(*list->frozen));
    while ((session = tui_next_session(tui, session)) != NULL)
        list->frozen[list->frozen_count++] = *session;
}

struct session *list_live(const struct session *shown)
{
    return store_find(shown->store, shown->id);
}

void list_build(struct list_view *list)
{
    struct tui *tui = list->view.tui;
    struct session **all, *session = NULL;
    size_t count = 0, gone;

    if (!tui_frozen(tui) && list->frozen != NULL)
        list_thaw(list);
    else if (tui_frozen(tui) && list->frozen == NULL)
        list_freeze(list);
    all = xcalloc(MAX(tui_session_count(tui, &gone), list->frozen_count) + 1, sizeof(*all));
    if (list->frozen != NULL) {
        for (; count < list->frozen_count; count++) {
            const struct session *now = list_live(&list->frozen[count]);

            all[count] = &list->frozen[count];
            list->frozen[count].question = now != NULL ? now->question : NULL; /* borrowed */
            /* Marks are the user's, not the server's. */
            if (now != NULL) {
                list->frozen[count].marked = now->marked;
                list->frozen[count].closing_ns = now->closing_ns;
            }
        }
    } else {
        while ((session = tui_next_session(tui, session)) != NULL)
            all[count++] = session;
    }
    rows_build(&list->rows, all, count, &list->config, tui_now(tui));
    free(all);
}

static bool list_is_at(const struct list_view *list, const struct row *row)
{
    if (row->session != NULL)
        return !list->at_group && ref_is(&list->at, row->session);
    return list->at_group && strcmp(row->group, list->at_name) == 0;
}

/* The index of the cursor; if its session is gone, the line where it was. */
size_t list_index(struct list_view *list)
{
    const struct rows *rows = &list->rows;

    for (size_t i = 0; i < rows->count; i++)
        if (list_is_at(list, &rows->rows[i])) {
            list->at_line = i;
            return i;
        }
    if (rows->count == 0)
        return 0;
    list_go(list, MIN(list->at_line, rows->count - 1));
    return list->at_line;
}

void list_go(struct list_view *list, size_t index)
{
    const struct row *row;

    if (index >= list->rows.count)
        return;
    row = &list->rows.rows[index];
    list->at_line = index;
    list->at_group = row->session == NULL;
    ref_set(&list->at, row->session);
    (void)snprintf(list->at_name, sizeof(list->at_name), "%s",
                   row->session != NULL ? "" : row->group);
    if (list->rest != NULL)
        gb_timer_start(list->rest, PREVIEW_REST_MS);
}

bool list_at(struct list_view *list)
{
    list_build(list); /* keys may come faster than frames */
    if (list->rows.count == 0)
        return false;
    (void)list_index(list);
    return true;
}

struct session *list_selected(struct list_view *list)
{
    return list_at(list) && !list->at_group ? ref_find(&list->at) : NULL;
}

/* ---- the preview ---- */

static void list_drop_preview(struct list_view *list)
{
    if (list->preview != NULL)
        list->preview->ops->free(list->preview);
    list->preview = NULL;
    ref_set(&list->preview_of, NULL);
}

static void list_on_rest(void *arg)
{
    struct list_view *list = arg;
    const struct tui_config *config = tui_config(list->view.tui);
    struct session *session = list_selected(list);

    if (session != NULL && ref_is(&list->preview_of, session))
        return;
    list_drop_preview(list);
    if (session == NULL || config->session_preview == NULL || !list->preview_on || list->covered)
        return;
    list->preview = config->session_preview(uplink_of(session), session->id);
    ref_set(&list->preview_of, session);
    tui_redraw(list->view.tui);
}

void list_preview(struct list_view *list, bool on)
{
    list->preview_on = on;
    if (!on)
        list_drop_preview(list);
    else
        gb_timer_start(list->rest, 0);
}

/* ---- drawing ---- */

static void list_draw_heading(const struct list_view *list, struct region line)
{
    int x = LIST_MARGIN;

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        enum column column = (enum column)i;
        bool sorted = column == list->config.sort;
        struct style style = STYLE(sorted ? ROLE_HEADING_SORTED : ROLE_HEADING);
        struct region cell = region_part(line, x, 0, list->layout.widths[i], 1);
        char text[32];

        if (list->layout.widths[i] == 0)
            continue;
        (void)snprintf(text, sizeof(text), "%s%s", column_heading(column),
                       !sorted                ? ""
                       : list->config.reverse ? "▲"
                                              : "▼");
        if (column_right(column))
            paint_right(cell, 0, 0, cell.width, style, gb_bytes_str(text));
        else
            (void)paint_str(cell, 0, 0, style, text);
        x += list->layout.widths[i] + 1;
    }
}

static void list_draw_group(struct region line, const struct row *row, struct style style)
{
    const int count = MIN(LIST_MARGIN + 28, line.width - 20);
    char size[16];

    words_size(size, sizeof(size), row->memory_bytes);
    (void)paint_str(line, 1, 0, style, row->folded ? "▸" : "▾");
    (void)paint_cut(line, 3, 0, count - 4, style,
                    gb_bytes_str(row->group[0] != '\0' ? row->group : "(nobody's)"));
    (void)paint_f(line, count, 0, style, "%u session%s", row->sessions,
                  row->sessions == 1 ? "" : "s");
    paint_right(line, line.width - 7, 0, 6, style, gb_bytes_str(size));
}

static void list_draw_session(const struct list_view *list, struct region line,
                              const struct row *row, struct style style, bool selected)
{
    const struct layout *layout = &list->layout;
    const struct session *session = row->session;
    struct tui *tui = list->view.tui;
    enum attention attention = session_attention(session, tui_now(tui));
    bool plain = selected || session_gone(session);
    int x = LIST_MARGIN;

    if (session->marked)
        (void)paint_str(line, 0, 0, plain ? style : STYLE(ROLE_ROW_MARKED), "┃");
    if (attention != ATTENTION_NONE)
        (void)paint_str(line, 1, 0, plain ? style : STYLE(ROLE_WAITING), "!");
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        struct region cell = region_part(line, x, 0, layout->widths[i], 1);

        if (layout->widths[i] == 0)
            continue;
        if (i == COLUMN_NAME && row->depth > 0) {
            int indent = (int)row->depth * 2;

            (void)paint_str(cell, indent - 2, 0, plain ? style : STYLE(ROLE_TREE),
                            row->last ? "└╴" : "├╴");
            cell = region_part(cell, indent, 0, -1, 1);
        }
        if (!(i == COLUMN_GRAPH && session_gone(session)))
            column_paint(cell, (enum column)i, session, style, plain, tui_signs(tui), tui_now(tui));
        if (i == COLUMN_GRAPH && selected)
            paint_ground(cell, tui_theme(tui)->looks.roles[style.role].bg);
        x += layout->widths[i] + 1;
    }
}

static struct style list_row_style(const struct list_view *list, const struct row *row,
                                   bool selected, bool focused)
{
    (void)list;
    if (selected)
        return STYLE(focused ? ROLE_ROW_SELECTED : ROLE_ROW_INACTIVE);
    if (row->session == NULL)
        return STYLE(ROLE_STRONG);
    if (session_gone(row->session) || row->session->offline)
        return STYLE(ROLE_DIM);
    return STYLE(row->session->marked ? ROLE_ROW_MARKED : ROLE_TEXT);
}

/* The columns with content: those chosen, else all for which some session has a value. */
static uint32_t list_columns_wanted(const struct list_view *list, int *ret_name_width)
{
    const struct rows *rows = &list->rows;
    uint32_t wanted = list->columns != 0 ? list->columns : ~UINT32_C(0);
    const bool hosts = tui_uplink_count(list->view.tui) > 1;
    bool owners = false, clients = false, networks = false;

    *ret_name_width = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct session *session = rows->rows[i].session;

        if (session == NULL)
            continue;
        owners |= session_who(session)[0] != '\0';
        clients |= session->owner[0] != '\0' && session->client[0] != '\0';
        networks |= session_has_network(session);
        *ret_name_width =
            MAX(*ret_name_width, (int)rows->rows[i].depth * 2 +
                                     (int)text_columns(gb_bytes_str(session_title(session))));
    }
    if (list->columns == 0 && (!owners || list->config.grouping == GROUP_OWNER))
        wanted &= ~(UINT32_C(1) << COLUMN_OWNER);
    if (list->columns == 0 && (!hosts || list->config.grouping == GROUP_HOST))
        wanted &= ~(UINT32_C(1) << COLUMN_HOST);
    if (list->columns == 0 && !clients)
        wanted &= ~(UINT32_C(1) << COLUMN_CLIENT);
    if (list->columns == 0 && !networks)
        wanted &= ~(UINT32_C(1) << COLUMN_NETWORK);
    return wanted;
}

static void list_draw_scrollbar(struct region region, size_t first, size_t height, size_t count)
{
    int size = MAX(1, (int)(height * height / count));
    int top = (int)(first * (height - (size_t)size) / MAX(1, count - height));

    for (int y = 0; y < region.height; y++)
        (void)paint_str(region, region.width - 1, y, STYLE(ROLE_FRAME),
                        y >= top && y < top + size ? "┃" : "│");
}

/* The rows below the heading. */
static struct region list_below_heading(const struct list_view *list)
{
    return region_part(list->table, 0, 1, -1, -1);
}

static void list_arrange_table(struct list_view *list)
{
    const struct rows *rows = &list->rows;
    size_t at = list_index(list), height = (size_t)MAX(1, list_below_heading(list).height);
    uint32_t wanted;
    int name_width;

    wanted = list_columns_wanted(list, &name_width);
    list->layout = columns_layout(list->table.width - LIST_MARGIN - 1, wanted, name_width);
    if (at < list->first)
        list->first = at;
    if (at >= list->first + height)
        list->first = at - height + 1;
    if (list->first + height > rows->count)
        list->first = rows->count > height ? rows->count - height : 0;
}

static void list_draw_table(const struct list_view *list, bool focused)
{
    const struct rows *rows = &list->rows;
    struct region region = list_below_heading(list);
    size_t height = (size_t)MAX(1, region.height);

    list_draw_heading(list, region_part(list->table, 0, 0, -1, 1));
    for (size_t y = 0; y < height && list->first + y < rows->count; y++) {
        const struct row *row = &rows->rows[list->first + y];
        bool selected = list->first + y == list->at_line;
        struct style style = list_row_style(list, row, selected, focused);
        struct region line = region_part(region, 0, (int)y, -1, 1);

        if (selected)
            paint_fill(line, style);
        if (row->session == NULL)
            list_draw_group(line, row, style);
        else
            list_draw_session(list, line, row, style, selected);
    }
    if (rows->count > height)
        list_draw_scrollbar(region, list->first, height, rows->count);
}

/* What the user can do while there are no sessions; starts at the top if there is little room. */
static void list_draw_first(const struct list_view *list)
{
    static const struct {
        const char *key, *text;
    } steps[] = {
        {"", "opens a session to explore in"}, /* the key of `new` */
        {"$", "glassbell run -c 'print(6 * 7)' runs code from a shell"},
        {"?", "names all keys; : takes commands, C-p finds them"},
    };
    const struct region region = list->table;
    int y = region.height < FIRST_ROWS_MIN ? 0 : region.height / 3;
    char key[KEY_NAME_MAX];

    tui_key_of(list->view.tui, CONTEXT_LIST, "new", key);
    (void)paint_str(region, 4, y, STYLE(ROLE_STRONG), "No sessions yet.");
    y += 2;
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        (void)paint_str(region, 4, y, STYLE(ROLE_ACCENT), i == 0 ? key : steps[i].key);
        y += MAX(1, paint_lines(region, 9, y, region.width - 11, STYLE(ROLE_TEXT),
                                gb_bytes_str(steps[i].text)));
    }
    y += 1 + paint_lines(region, 4, y + 1, region.width - 6, STYLE(ROLE_DIM),
                         gb_bytes_str("Agents that use this server appear here by themselves."));
    (void)paint_lines(region, 4, y, region.width - 6, STYLE(ROLE_DIM),
                      gb_bytes_str("Documents: man glassbell, man glassbell-keys"));
}

/* How many servers there is no link to, for a known reason. */
static size_t list_lost(const struct list_view *list)
{
    struct tui *tui = list->view.tui;
    size_t lost = 0;

    for (size_t i = 0; i < tui_uplink_count(tui); i++)
        lost += uplink_why(tui_uplink(tui, i)) != NULL;
    return lost;
}

/* The reasons, from line @y on; returns the next line. */
static int list_draw_reasons(const struct list_view *list, int y)
{
    struct tui *tui = list->view.tui;
    struct gb_buf text = {0};

    for (size_t i = 0; i < tui_uplink_count(tui); i++) {
        gb_buf_clear(&text);
        if (tui_uplink_count(tui) > 1)
            gb_buf_addf(&text, "%s: ", uplink_store(tui_uplink(tui, i))->name);
        gb_buf_adds(&text, uplink_why(tui_uplink(tui, i)));
        y += paint_lines(list->table, 4, y, list->table.width - 8, STYLE(ROLE_TEXT),
                         gb_buf_bytes(&text));
    }
    gb_buf_release(&text);
    return y;
}

static void list_draw_empty(const struct list_view *list)
{
    const struct region region = list->table;
    struct tui *tui = list->view.tui;
    int y = region.height / 3;
    char key[KEY_NAME_MAX];

    if (list->rows.all > 0) {
        if (list->rows.all == 1)
            (void)paint_str(region, 4, y, STYLE(ROLE_DIM),
                            "the one session does not fit the filter");
        else
            (void)paint_f(region, 4, y, STYLE(ROLE_DIM), "none of %zu sessions fits the filter",
                          list->rows.all);
        return;
    }
    if (list_lost(list) == tui_uplink_count(tui)) {
        tui_key_of(tui, CONTEXT_GLOBAL, "reconnect", key);
        (void)paint_str(region, 4, y, STYLE(ROLE_STRONG), "There is no server.");
        y = list_draw_reasons(list, y + 2);
        (void)paint_f(region, 4, y + 1, STYLE(ROLE_DIM), "%s tries to start one again.", key);
        return;
    }
    for (size_t i = 0; i < tui_uplink_count(tui); i++)
        if (uplink_store(tui_uplink(tui, i))->ready) {
            list_draw_first(list);
            return;
        }
}

/* The line above the table: filter, sort order, marks. */
static void list_draw_state(const struct list_view *list)
{
    const struct region line = list->state;
    size_t marked = list_marked(list), shown = list_marked_shown(list);
    int x = 1;

    if (list->filter_text[0] != '\0') {
        x += paint_str(line, x, 0, STYLE(ROLE_DIM), "/") + 0;
        x += paint_cut(line, x, 0, line.width / 2,
                       STYLE(list->filter_bad[0] != '\0' ? ROLE_MESSAGE_ERROR : ROLE_ACCENT),
                       gb_bytes_str(list->filter_text)) +
             1;
        if (list->filter_bad[0] != '\0')
            x += paint_cut(line, x, 0, line.width - x, STYLE(ROLE_MESSAGE_ERROR),
                           gb_bytes_str(list->filter_bad)) +
                 1;
        else
            x += paint_f(line, x, 0, STYLE(ROLE_DIM), "%zu of %zu", list->rows.sessions,
                         list->rows.all) +
                 2;
    }
    if (list->config.attention)
        x += paint_str(line, x, 0, STYLE(ROLE_WAITING), "! only what wants you") + 2;
    if (marked > 0)
        x += paint_f(line, x, 0, STYLE(ROLE_ROW_MARKED), "┃ %zu marked", marked);
    if (marked > shown)
        (void)paint_f(line, x + 1, 0, STYLE(ROLE_MESSAGE_WARNING), "%zu of them not shown",
                      marked - shown);
}

static bool list_has_state(const struct list_view *list)
{
    return list->filter_text[0] != '\0' || list->config.attention || list_marked(list) > 0;
}

static void list_update(struct view *view)
{
    struct list_view *list = list_of(view);
    struct view *preview = list->preview;

    /* Not while a frame of this view is being made. */
    if (ref_find(&list->landing) != NULL)
        gb_timer_start(list->land, 0);
    if (preview != NULL && preview->ops->update != NULL)
        preview->ops->update(preview);
}

static void list_ask(struct view *view)
{
    struct list_view *list = list_of(view);

    if (list->preview_shown && list->preview != NULL && list->preview->ops->ask != NULL)
        list->preview->ops->ask(list->preview);
}

/* Divides the region: always a table, and a pane if there is room for one. */
static void list_split(struct list_view *list, struct region region)
{
    list->beside = region.width >= PREVIEW_COLUMNS_MIN;
    list->pane = region_part(region, 0, 0, 0, 0);
    /* No pane is better than one that shows hardly anything of the session. */
    if (!list->beside && region.height / 2 < PANE_ROWS_MIN)
        list->shown = NULL;
    if (list->shown != NULL)
        list->pane = list->beside ? region_cut_right(&region, region.width * 2 / 5)
                                  : region_cut_bottom(&region, region.height / 2);
    list->state = region_cut_top(&region, list_has_state(list) ? 1 : 0);
    list->table = region;
}

static void list_arrange(struct view *view, struct region region)
{
    struct list_view *list = list_of(view);
    const struct session *selected = list_selected(list);

    list->y = region.y;
    list->preview_shown = false;
    list->shown = list->preview_on ? selected : NULL;
    list_split(list, region);
    if (list->shown != NULL)
        list_arrange_details(list);
    if (list->rows.count > 0)
        list_arrange_table(list);
}

static void list_draw(const struct view *view, struct region region, bool focused)
{
    const struct list_view *list = list_const_of(view);

    (void)region; /* the one that was arranged */
    if (list->shown != NULL)
        list_draw_details(list);
    if (list->state.height > 0)
        list_draw_state(list);
    if (list->rows.count == 0)
        list_draw_empty(list);
    else
        list_draw_table(list, focused);
}

/* ---- mouse ---- */

static bool list_on_heading(struct list_view *list, const struct input_event *event)
{
    int x = LIST_MARGIN;

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        const int width = list->layout.widths[i];

        if (width > 0 && event->x >= x && event->x < x + width) {
            char line[64];

            (void)snprintf(line, sizeof(line), "sort %s",
                           column_names[i == COLUMN_GRAPH ? COLUMN_MEMORY : i]);
            tui_command(list->view.tui, line);
            return true;
        }
        x += width > 0 ? width + 1 : 0;
    }
    return false;
}

static bool list_event(struct view *view, const struct input_event *event)
{
    struct list_view *list = list_of(view);
    size_t at, count = list->rows.count;
    int top = list_below_heading(list).y - list->y;

    if (event->kind != INPUT_MOUSE || count == 0)
        return false;
    at = list_index(list);
    if (event->action == MOUSE_WHEEL_UP || event->action == MOUSE_WHEEL_DOWN) {
        size_t step = 3;

        list_go(list,
                event->action == MOUSE_WHEEL_UP ? at - MIN(at, step) : MIN(at + step, count - 1));
        return true;
    }
    if (event->action != MOUSE_PRESS || event->x >= list->table.width)
        return false;
    if (event->y == top - 1)
        return list_on_heading(list, event);
    if (event->y < top || list->first + (size_t)(event->y - top) >= count)
        return false;
    if (list->first + (size_t)(event->y - top) == at && event->button == 1)
        tui_command(view->tui, "open");
    else
        list_go(list, list->first + (size_t)(event->y - top));
    return true;
}

/* ---- the view ---- */

static enum context list_context(const struct view *view)
{
    (void)view;
    return CONTEXT_LIST;
}

static void list_title(const struct view *view, struct gb_buf *out)
{
    size_t gone, count = tui_session_count(view->tui, &gone);

    gb_buf_addf(out, "sessions (%zu", count - gone);
    if (gone > 0) /* they are in the list, and the filter counts them */
        gb_buf_addf(out, ", %zu closed", gone);
    gb_buf_adds(out, ")");
}

static struct session *list_session_of(const struct view *view)
{
    return list_selected(list_of_tui(view->tui));
}

static void list_shown(struct view *view, bool shown)
{
    struct list_view *list = list_of(view);

    list->covered = !shown;
    ref_set(&list->landing, NULL); /* the user has moved elsewhere */
    if (shown)
        gb_timer_start(list->rest, 0);
    else
        list_drop_preview(list);
}

static void list_free(struct view *view)
{
    struct list_view *list = list_of(view);

    list_drop_preview(list);
    gb_timer_free(list->land);
    gb_timer_free(list->rest);
    rows_release(&list->rows);
    list_thaw(list);
    free(list);
}

struct view *list_view_new(struct tui *tui)
{
    static const struct view_ops ops = {.update = list_update,
                                        .arrange = list_arrange,
                                        .draw = list_draw,
                                        .ask = list_ask,
                                        .event = list_event,
                                        .context = list_context,
                                        .title = list_title,
                                        .session = list_session_of,
                                        .shown = list_shown,
                                        .free = list_free};
    struct list_view *list = xcalloc(1, sizeof(*list));

    list->view.ops = &ops;
    list->view.tui = tui;
    list->preview_on = true;
    list->land = gb_timer_new(tui_loop(tui), list_on_landing, list);
    list->rest = gb_timer_new(tui_loop(tui), list_on_rest, list);
    return &list->view;
}
