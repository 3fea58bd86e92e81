/* SPDX-License-Identifier: Apache-2.0 */
#include "editor/redisplay.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "glyph/glyph.h"
#include "show/role.h"

enum { TAB_COLUMNS = 4, LINE_ROLES_MAX = 8192, DESCRIPTION_ROWS = 2, DESCRIPTION_FROM = 8 };

/* A glyph in a row. Only bytes, because rows are compared with memcmp(). */
struct row_cell {
    char text[GLYPH_BYTES];
    uint8_t size, width, role, uncertain;
};

static size_t row_size(const struct redisplay_row *row)
{
    return row->cells.size / sizeof(struct row_cell);
}

static const struct row_cell *row_at(const struct redisplay_row *row, size_t index)
{
    return (const struct row_cell *)(const void *)(gb_buf_data(&row->cells) +
                                                   index * sizeof(struct row_cell));
}

static void rows_free(struct redisplay_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gb_buf_release(&rows[i].cells);
    free(rows);
}

/* ---- layout ---- */

/* Fills rows with text from left to right and top to bottom. */
struct flow {
    int columns;
    int x, y;
    bool counts; /* only count rows, do not keep them */
    int first;   /* the first row to keep */
    struct redisplay_row *rows;
    size_t count, limit; /* rows kept */
    bool here;           /* the cursor is in front of the next glyph */
    int cursor_x, cursor_y;
};

static struct redisplay_row *flow_row(struct flow *flow)
{
    size_t index;

    if (flow->counts || flow->y < flow->first)
        return NULL;
    index = (size_t)(flow->y - flow->first);
    if (index >= flow->limit)
        return NULL;
    flow->count = MAX(flow->count, index + 1);
    return &flow->rows[index];
}

static void flow_break(struct flow *flow, bool goes_on)
{
    struct redisplay_row *row = flow_row(flow);

    if (row != NULL)
        row->goes_on = goes_on;
    flow->x = 0;
    flow->y++;
    (void)flow_row(flow);
}

static void flow_set_cursor(struct flow *flow)
{
    if (!flow->here)
        return;
    flow->here = false;
    flow->cursor_x = flow->x;
    flow->cursor_y = flow->y;
}

static void flow_glyph(struct flow *flow, const struct glyph *glyph, enum show_role role)
{
    struct row_cell cell = {.size = glyph->size,
                            .width = glyph->width,
                            .role = (uint8_t)role,
                            .uncertain = glyph->uncertain};
    struct redisplay_row *row;

    if (glyph->width == 0)
        return;
    if (flow->x + glyph->width > flow->columns)
        flow_break(flow, true);
    flow_set_cursor(flow);
    row = flow_row(flow);
    if (row != NULL) {
        memcpy(cell.text, glyph->text, glyph->size);
        gb_buf_add(&row->cells, &cell, sizeof(cell));
        row->columns += glyph->width;
    }
    flow->x += glyph->width;
}

/* Ends a line: the cursor after a full row goes to the next one. */
static void flow_end_line(struct flow *flow)
{
    if (flow->here && flow->x >= flow->columns)
        flow_break(flow, true);
    flow_set_cursor(flow);
}

static void flow_text(struct flow *flow, struct gb_bytes text, enum show_role role)
{
    for (size_t at = 0; at < text.size;) {
        struct glyph glyph;

        at += glyph_next((struct gb_bytes){text.data + at, text.size - at}, &glyph);
        flow_glyph(flow, &glyph, role);
    }
}

/* Adds what fits into the rest of the row. */
static void flow_cut(struct flow *flow, struct gb_bytes text, enum show_role role)
{
    text.size = text_fit(text, (size_t)MAX(flow->columns - flow->x, 0), NULL);
    flow_text(flow, text, role);
}

/* The same, with a mark if something did not fit. */
static void flow_cut_marked(struct flow *flow, struct gb_bytes text, enum show_role role)
{
    const size_t room = (size_t)MAX(flow->columns - flow->x, 0);

    if (text_fit(text, room, NULL) < text.size && room > 0) {
        text.size = text_fit(text, room - 1, NULL);
        flow_text(flow, text, role);
        text = gb_bytes_str("…");
    }
    flow_cut(flow, text, role);
}

static void flow_on_token(void *arg, size_t from, size_t to, enum highlight_role role)
{
    uint8_t *line = arg;

    if (from < LINE_ROLES_MAX)
        memset(line + from, (int)show_role_of(role), MIN(to, (size_t)LINE_ROLES_MAX) - from);
}

/* Adds a line of the text; @cursor is a byte offset in it, or SIZE_MAX. */
static void flow_line(struct flow *flow, const struct redisplay_look *look,
                      struct highlight_state *state, struct gb_bytes line, size_t cursor)
{
    uint8_t line_roles[LINE_ROLES_MAX];
    const int indent = flow->x;
    size_t at = 0;

    memset(line_roles, SHOW_TEXT, MIN(line.size, sizeof(line_roles)));
    highlight_line(look->language, state, line, flow_on_token, line_roles);
    while (at < line.size) {
        struct glyph glyph = {.text = " ", .size = 1, .width = 1};
        size_t size = 1;

        if (line.data[at] != '\t')
            size = glyph_next((struct gb_bytes){line.data + at, line.size - at}, &glyph);
        flow->here |= cursor >= at && cursor < at + size; /* inside a cluster: in front of it */
        flow_glyph(flow, &glyph,
                   glyph.hidden          ? SHOW_HIDDEN
                   : at < LINE_ROLES_MAX ? (enum show_role)line_roles[at]
                                         : SHOW_TEXT);
        while (line.data[at] == '\t' && (flow->x - indent) % TAB_COLUMNS != 0 &&
               flow->x < flow->columns)
            flow_glyph(flow, &glyph, SHOW_TEXT);
        at += size;
    }
    flow->here |= cursor == line.size;
    flow_end_line(flow);
}

static void flow_suggestion(struct flow *flow, const char *suggestion)
{
    size_t size = strcspn(suggestion, "\n");

    flow_cut(flow, (struct gb_bytes){(const uint8_t *)suggestion, size}, SHOW_SUGGESTION);
    if (suggestion[size] == '\n')
        flow_cut(flow, gb_bytes_str(" ↵…"), SHOW_SUGGESTION);
}

/* Adds the whole text with its prompts. */
static void flow_view(struct flow *flow, const struct redisplay_look *look,
                      const struct prompt_view *view)
{
    const char *prompt = view->search != NULL ? view->search : look->first;
    struct highlight_state state = {0};
    size_t at = 0;

    (void)flow_row(flow);
    for (;;) {
        const char *end = memchr(view->text + at, '\n', view->size - at);
        size_t size = end != NULL ? (size_t)(end - view->text) - at : view->size - at;
        size_t cursor =
            view->cursor >= at && view->cursor - at <= size ? view->cursor - at : SIZE_MAX;

        flow_text(flow, gb_bytes_str(prompt), SHOW_TEXT);
        flow_line(flow, look, &state, (struct gb_bytes){(const uint8_t *)view->text + at, size},
                  cursor);
        at += size + 1;
        if (end == NULL)
            break;
        flow_break(flow, false);
        prompt = look->more;
    }
    if (view->suggestion != NULL && flow->x == flow->cursor_x && flow->y == flow->cursor_y)
        flow_suggestion(flow, view->suggestion);
}

/* ---- matches ---- */

static size_t matches_rows(const struct redisplay_look *look, const struct prompt_view *view)
{
    size_t rows = MIN(view->match_count, (size_t)REDISPLAY_MATCHES_MAX);

    rows += rows < view->match_count ? 1 : 0;
    return look->rows >= 4 ? MIN(rows, (size_t)look->rows / 2) : 0;
}

static size_t note_rows(const struct redisplay_look *look)
{
    return look->note != NULL && look->rows >= 4 ? 1 : 0;
}

static void flow_match(struct flow *flow, const struct prompt_match *match, int columns,
                       bool selected)
{
    const enum show_role role = selected ? SHOW_SELECTED : SHOW_TEXT;

    flow_break(flow, false);
    flow_cut(flow, gb_bytes_str("  "), SHOW_TEXT);
    flow_cut(flow, gb_bytes_str(match->text), role);
    if (match->kind[0] == '\0')
        return;
    while (flow->x < MIN(columns + 4, flow->columns - 1))
        flow_cut(flow, gb_bytes_str(" "), role);
    flow_cut(flow, gb_bytes_str(match->kind), selected ? SHOW_SELECTED : SHOW_SUGGESTION);
}

/* Below the text, @rows of them, including the selected one. */
static void flow_matches(struct flow *flow, const struct prompt_view *view, size_t rows)
{
    const bool all = rows >= view->match_count;
    const size_t shown = all ? view->match_count : rows - 1;
    const size_t first = view->selected < shown ? 0 : view->selected - shown + 1;
    struct gb_buf place = {0};
    int columns = 0;

    for (size_t i = first; i < first + shown; i++)
        columns = MAX(columns, (int)text_columns(gb_bytes_str(view->matches[i].text)));
    for (size_t i = first; i < first + shown; i++)
        flow_match(flow, &view->matches[i], columns, i == view->selected);
    if (all)
        return;
    gb_buf_addf(&place, "  %zu of %zu", view->selected + 1, view->match_count);
    flow_break(flow, false);
    flow_cut(flow, gb_buf_bytes(&place), SHOW_SUGGESTION);
    gb_buf_release(&place);
}

/* Rows for what the selected match is, which terminals with few rows do not have. */
static size_t description_rows(const struct redisplay_look *look, const struct prompt_view *view)
{
    return view->describes && view->match_count > 0 && look->rows >= DESCRIPTION_FROM
               ? DESCRIPTION_ROWS
               : 0;
}

/* Its name with the parameters, and below that the first line of its documentation. */
static void flow_description(struct flow *flow, const struct prompt_view *view)
{
    const char *name = view->matches[view->selected].text;
    const bool apart = view->signature[0] != '\0' && view->signature[0] != '(';

    flow_break(flow, false);
    flow_cut(flow, gb_bytes_str("  "), SHOW_TEXT);
    if (view->signature[0] != '\0') {
        flow_cut(flow, gb_bytes_str(name), SHOW_TEXT);
        flow_cut(flow, gb_bytes_str(apart ? " " : ""), SHOW_TEXT);
        flow_cut_marked(flow, gb_bytes_str(view->signature), SHOW_TEXT);
        flow_break(flow, false);
        flow_cut(flow, gb_bytes_str("  "), SHOW_TEXT);
        flow_cut_marked(flow, gb_bytes_str(view->summary), SHOW_SUGGESTION);
    } else {
        flow_cut_marked(flow, gb_bytes_str(view->summary), SHOW_SUGGESTION);
        flow_break(flow, false);
    }
}

static void flow_note(struct flow *flow, const char *note)
{
    flow_break(flow, false);
    flow_cut(flow, gb_bytes_str(note), SHOW_SUGGESTION);
}

/* ---- bytes ---- */

struct pen {
    struct gb_buf *out;
    const struct redisplay_look *look;
    int x, y; /* x == columns: after the last column, but not on the next row yet */
    enum show_role role;
};

static void pen_role(struct pen *pen, enum show_role role)
{
    const char *sgr = show_role_sgr(role, pen->look->colour);
    const char *now = show_role_sgr(pen->role, pen->look->colour);

    if (strcmp(sgr, now) != 0)
        gb_buf_addf(pen->out, sgr[0] != '\0' ? "\033[0;%sm" : "\033[0%sm", sgr);
    pen->role = role;
}

/* Rows in between exist or are created: at the bottom the terminal scrolls. */
static void pen_move(struct pen *pen, int x, int y)
{
    if (pen->y > y)
        gb_buf_addf(pen->out, "\033[%dA", pen->y - y);
    for (; pen->y < y; pen->y++, pen->x = 0)
        gb_buf_adds(pen->out, "\r\n");
    pen->y = y;
    if (pen->x == x && x < pen->look->columns)
        return;
    gb_buf_adds(pen->out, "\r");
    if (x > 0)
        gb_buf_addf(pen->out, "\033[%dC", x);
    pen->x = x;
}

static void pen_cell(struct pen *pen, const struct row_cell *cell)
{
    pen_role(pen, (enum show_role)cell->role);
    gb_buf_add(pen->out, cell->text, cell->size);
    pen->x += cell->width;
    /* Position explicitly, whatever width the terminal gives the glyph. */
    if (cell->uncertain && pen->x < pen->look->columns)
        gb_buf_addf(pen->out, "\r\033[%dC", pen->x);
}

/* Paints row @y over @old (NULL: nothing). @above: the previous row. */
static void pen_row(struct pen *pen, int y, const struct redisplay_row *row,
                    const struct redisplay_row *old, const struct redisplay_row *above)
{
    size_t same = 0, size = row_size(row), before = old != NULL ? row_size(old) : 0;
    int x = 0;

    while (same < MIN(size, before) &&
           memcmp(row_at(row, same), row_at(old, same), sizeof(struct row_cell)) == 0)
        x += row_at(row, same++)->width;
    if (old != NULL && same == size && same == before)
        return;
    if (same == 0 && above != NULL && above->goes_on && pen->y == y - 1 &&
        pen->x == pen->look->columns) { /* the terminal wraps by itself, and records that */
        if (size == 0) {
            pen_role(pen, SHOW_TEXT);
            gb_buf_adds(pen->out, " \r\033[K");
        }
        pen->y = y;
        pen->x = 0;
    } else {
        pen_move(pen, x, y);
    }
    for (; same < size; same++)
        pen_cell(pen, row_at(row, same));
    if (old != NULL && old->columns > row->columns) {
        pen_role(pen, SHOW_TEXT);
        gb_buf_adds(pen->out, "\033[K");
    }
}

/* ---- what is shown ---- */

static void redisplay_keep(struct redisplay *redisplay, struct flow *flow, bool cut)
{
    rows_free(redisplay->rows, redisplay->count);
    redisplay->rows = flow->rows;
    redisplay->count = flow->count;
    redisplay->columns = flow->columns;
    redisplay->cut = cut;
}

/* Lays out @view: at most @limit rows of the text (0: all), around the cursor; @below rows for
 * matches, the description of one, and the note. Returns whether the text has more rows. */
static bool redisplay_lay_out(struct flow *flow, const struct redisplay_look *look,
                              const struct prompt_view *view, size_t limit, size_t below)
{
    struct flow count = {.columns = MAX(look->columns, 2), .counts = true};
    const size_t noted = below > 0 ? note_rows(look) : 0;
    const size_t described = below > 0 ? description_rows(look, view) : 0;
    size_t rows;

    flow_view(&count, look, view);
    rows = (size_t)count.y + 1;
    *flow = (struct flow){.columns = count.columns, .limit = rows};
    if (limit > 0 && rows > limit) {
        flow->limit = limit;
        flow->first = MAX(MIN(count.cursor_y - (int)limit / 2, (int)(rows - limit)), 0);
    }
    flow->rows = xcalloc(flow->limit + below, sizeof(*flow->rows));
    flow_view(flow, look, view);
    flow->cursor_y -= flow->first;
    flow->first = 0;
    flow->y = (int)flow->limit - 1;
    flow->limit += below;
    if (below > noted + described)
        flow_matches(flow, view, below - noted - described);
    if (described > 0)
        flow_description(flow, view);
    if (noted > 0)
        flow_note(flow, look->note);
    return rows + below > flow->limit;
}

/* @limit 0: all rows of the text, and the cursor goes to a new row below them. */
static void redisplay_show(struct redisplay *redisplay, const struct redisplay_look *look,
                           const struct prompt_view *view, size_t limit, size_t below,
                           struct gb_buf *out)
{
    struct pen pen = {.out = out, .look = look, .x = redisplay->x, .y = redisplay->y};
    struct flow flow;
    bool cut = redisplay_lay_out(&flow, look, view, limit, below);

    for (size_t i = 0; i < flow.count; i++)
        pen_row(&pen, (int)i, &flow.rows[i], i < redisplay->count ? &redisplay->rows[i] : NULL,
                i > 0 ? &flow.rows[i - 1] : NULL);
    pen_role(&pen, SHOW_TEXT);
    if (redisplay->count > flow.count) {
        pen_move(&pen, 0, (int)flow.count);
        gb_buf_adds(out, "\033[J");
    }
    if (limit > 0)
        pen_move(&pen, flow.cursor_x, flow.cursor_y);
    else
        pen_move(&pen, 0, (int)flow.count);
    redisplay_keep(redisplay, &flow, cut);
    redisplay->x = pen.x;
    redisplay->y = pen.y;
}

/* ---- a terminal that knows no sequence ---- */

static void dumb_row(const struct redisplay_row *row, int columns, struct gb_buf *out)
{
    gb_buf_adds(out, "\r");
    for (size_t i = 0; i < row_size(row) && columns > 0; i++) {
        gb_buf_add(out, row_at(row, i)->text, row_at(row, i)->size);
        columns -= row_at(row, i)->width;
    }
}

/* Lists the matches once. */
static void dumb_matches(const struct prompt_view *view, struct gb_buf *out)
{
    gb_buf_adds(out, "\r\n");
    for (size_t i = 0; i < view->match_count; i++)
        gb_buf_addf(out, "%s%s", i > 0 ? "  " : "", view->matches[i].text);
    gb_buf_adds(out, "\r\n");
}

/* Rewrites the row of the cursor; prints further rows below. */
static void dumb_show(struct redisplay *redisplay, const struct redisplay_look *look,
                      const struct prompt_view *view, struct gb_buf *out)
{
    struct redisplay_look narrow = *look; /* nothing wraps automatically */
    struct prompt_view plain = *view;
    struct flow flow, count;
    int before = redisplay->count > 0 ? redisplay->rows[0].columns : 0, y;

    narrow.columns = MAX(look->columns - 1, 2);
    plain.suggestion = NULL;
    (void)redisplay_lay_out(&count, &narrow, &plain, 0, 0);
    y = count.cursor_y;
    rows_free(count.rows, count.count);
    (void)redisplay_lay_out(&flow, &narrow, &plain, 1, 0);
    if (view->match_count > 0 && !redisplay->matches)
        dumb_matches(view, out);
    else if (redisplay->count > 0 && y > redisplay->y)
        gb_buf_adds(out, "\r\n");
    dumb_row(&flow.rows[0], INT_MAX, out);
    for (int i = flow.rows[0].columns; i < before; i++)
        gb_buf_adds(out, " ");
    dumb_row(&flow.rows[0], flow.cursor_x, out);
    redisplay_keep(redisplay, &flow, false);
    redisplay->dumb = true;
    redisplay->matches = view->match_count > 0;
    redisplay->y = y;
}

/* ---- the interface ---- */

void redisplay_paint(struct redisplay *redisplay, const struct redisplay_look *look,
                     const struct prompt_view *view, struct gb_buf *out)
{
    const size_t below = matches_rows(look, view) + description_rows(look, view) + note_rows(look);

    if (look->dumb)
        dumb_show(redisplay, look, view, out);
    else
        redisplay_show(redisplay, look, view, MAX((size_t)MAX(look->rows, 1) - below, 1u), below,
                       out);
}

void redisplay_finish(struct redisplay *redisplay, const struct redisplay_look *look,
                      const struct prompt_view *view, struct gb_buf *out)
{
    struct prompt_view whole = {.text = view->text, .size = view->size, .cursor = view->size};

    if (look->dumb) {
        dumb_show(redisplay, look, &whole, out);
        gb_buf_adds(out, "\r\n");
    } else {
        if (redisplay->cut) /* its first rows are not on the screen */
            redisplay_erase(redisplay, out);
        whole.cursor = SIZE_MAX; /* nowhere: no row for it after the last one */
        redisplay_show(redisplay, look, &whole, 0, 0, out);
    }
    redisplay_forget(redisplay);
}

void redisplay_erase(struct redisplay *redisplay, struct gb_buf *out)
{
    const bool dumb = redisplay->dumb;

    if (redisplay->count > 0 && dumb)
        gb_buf_addf(out, "\r%*s\r", redisplay->rows[0].columns, "");
    if (redisplay->count > 0 && !dumb && redisplay->y > 0)
        gb_buf_addf(out, "\033[%dA", redisplay->y);
    if (redisplay->count > 0 && !dumb)
        gb_buf_adds(out, "\r\033[J");
    redisplay_forget(redisplay);
}

/* The number of terminal rows for a line of @columns. */
static int wrapped_rows(int columns, int width)
{
    return MAX((columns + width - 1) / width, 1);
}

void redisplay_resized(struct redisplay *redisplay, const struct redisplay_look *look,
                       struct gb_buf *out)
{
    const int width = MAX(look->columns, 1);
    int above = 0, before = 0;

    if (look->dumb || redisplay->count == 0)
        return;
    for (int i = 0; i < redisplay->y; i++) {
        const struct redisplay_row *row = &redisplay->rows[i];

        before += row->columns;
        if (row->goes_on && row->columns == redisplay->columns)
            continue; /* the terminal itself joins it with the next one */
        above += wrapped_rows(before, width);
        before = 0;
    }
    redisplay->y = MIN(above + (before + redisplay->x) / width, MAX(look->rows - 1, 0));
    redisplay_erase(redisplay, out);
}

void redisplay_forget(struct redisplay *redisplay)
{
    rows_free(redisplay->rows, redisplay->count);
    *redisplay = (struct redisplay){0};
}

void redisplay_release(struct redisplay *redisplay)
{
    redisplay_forget(redisplay);
}
