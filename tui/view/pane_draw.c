/* SPDX-License-Identifier: Apache-2.0 */
/* Paints the prompt. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "view/paint.h"
#include "view/pane.h"

enum {
    POPUP_ROWS = 8,
    POPUP_DESCRIPTION_ROWS = 2,
    POPUP_COLUMNS_MAX = 60,
    TAB_COLUMNS = 4,
    LINE_ROLES_MAX = 8192
};

/* Where text goes: the prompt's rows, visible from @first on. */
struct pen {
    struct region region;
    int width, indent; /* of the text, after the prompt */
    int x, y, first;
    bool paint;
};

static void pen_break(struct pen *pen)
{
    pen->x = 0;
    pen->y++;
}

static void pen_glyph(struct pen *pen, struct style style, const struct glyph *glyph)
{
    if (pen->x + glyph->width > pen->width)
        pen_break(pen);
    if (pen->paint && pen->y >= pen->first)
        paint_glyph(pen->region, pen->indent + pen->x, pen->y - pen->first, style, glyph);
    pen->x += glyph->width;
}

static void pane_draw_on_token(void *arg, size_t from, size_t to, enum highlight_role role)
{
    uint8_t *roles = arg;

    if (from < LINE_ROLES_MAX)
        memset(roles + from, (int)paint_role_of(show_role_of(role)),
               MIN(to, (size_t)LINE_ROLES_MAX) - from);
}

/* Paints one line of the text; sets the position of the cursor if it is in it. */
static void pen_line(struct pen *pen, const struct gb_language *language,
                     struct highlight_state *state, struct gb_bytes line, size_t cursor,
                     int *cursor_x, int *cursor_y)
{
    uint8_t roles[LINE_ROLES_MAX];
    size_t at = 0;

    memset(roles, ROLE_EDITOR, MIN(line.size, sizeof(roles)));
    if (state != NULL)
        highlight_line(language, state, line, pane_draw_on_token, roles);
    for (;;) {
        struct glyph glyph;
        size_t size = 1;

        if (at == cursor) {
            *cursor_x = pen->x;
            *cursor_y = pen->y;
        }
        if (at >= line.size)
            break;
        if (line.data[at] == '\t') {
            glyph = (struct glyph){.text = " ", .size = 1, .width = 1};
            do
                pen_glyph(pen, STYLE(ROLE_EDITOR), &glyph);
            while (pen->x % TAB_COLUMNS != 0);
        } else {
            size = glyph_next((struct gb_bytes){line.data + at, line.size - at}, &glyph);
            if (cursor > at && cursor < at + size)
                cursor = at + size; /* inside a cluster: after it */
            pen_glyph(pen,
                      STYLE(glyph.hidden         ? ROLE_HIDDEN
                            : at < sizeof(roles) ? roles[at]
                                                 : ROLE_EDITOR),
                      &glyph);
        }
        at += size;
    }
    if (pen->x >= pen->width && cursor == line.size) { /* the cursor goes to the next row */
        *cursor_x = 0;
        *cursor_y = pen->y + 1;
    }
}

struct layout {
    struct prompt_view view;
    const char *first, *more;
    struct gb_buf text; /* a draft, while another view has the prompt */
    int rows, cursor_x, cursor_y, match_x, match_y;
};

static const char *pane_prompt_of(const struct pane *pane, bool first)
{
    const struct gb_language *language =
        pane->cells->language != NULL ? pane->cells->language : &gb_language_unknown;

    if (pane->input)
        return "input: ";
    return first ? language->prompt.first : language->prompt.more;
}

/* Walks over the text, and paints it if @pen says so. */
static void pane_go_over(const struct pane *pane, struct layout *layout, struct pen *pen)
{
    const struct prompt_view *view = &layout->view;
    struct highlight_state state = {0};
    const struct gb_language *language = pane->input ? NULL : pane->cells->language;
    size_t at = 0;
    bool first = true;

    for (;;) {
        const char *end = memchr(view->text + at, '\n', view->size - at);
        size_t size = end != NULL ? (size_t)(end - view->text) - at : view->size - at;
        size_t cursor = view->cursor >= at ? view->cursor - at : SIZE_MAX;
        int unused_y;

        if (pen->paint && pen->y >= pen->first)
            (void)paint_str(pen->region, 0, pen->y - pen->first,
                            STYLE(first ? ROLE_PROMPT : ROLE_PROMPT_MORE),
                            first && view->search != NULL ? view->search
                            : first                       ? layout->first
                                                          : layout->more);
        pen_line(pen, language, &state, (struct gb_bytes){(const uint8_t *)view->text + at, size},
                 cursor <= size ? cursor : SIZE_MAX, &layout->cursor_x, &layout->cursor_y);
        if (view->match_count > 0 && view->start >= at && view->start <= at + size) {
            struct pen probe = *pen;
            struct highlight_state none = {0};

            probe.paint = false;
            probe.x = 0;
            probe.y = layout->cursor_y;
            pen_line(&probe, NULL, &none,
                     (struct gb_bytes){(const uint8_t *)view->text + at, view->start - at},
                     view->start - at, &layout->match_x, &unused_y);
            layout->match_y = layout->cursor_y;
        }
        at += size + 1;
        if (end == NULL)
            break;
        pen_break(pen);
        first = false;
    }
    layout->rows = MAX(pen->y, layout->cursor_y) + 1;
}

static struct layout pane_lay_out(const struct pane *pane, int width, struct pen *pen)
{
    struct layout layout = {.first = pane_prompt_of(pane, true),
                            .more = pane_prompt_of(pane, false)};
    const struct prompt_draft *draft = pane->input ? &pane->input_draft : &pane->draft;
    const char *first;

    if (prompt_is_attached(pane))
        prompt_view(&layout.view);
    else
        layout.view = (struct prompt_view){.text = draft->text != NULL ? draft->text : "",
                                           .size = draft->text != NULL ? strlen(draft->text) : 0,
                                           .cursor = draft->cursor};
    first = layout.view.search != NULL ? layout.view.search : layout.first;
    *pen = (struct pen){.indent = (int)MIN(text_columns(gb_bytes_str(first)), 60u)};
    pen->width = MAX(width - pen->indent - 1, 8);
    return layout;
}

int pane_rows(const struct pane *pane, int width, int limit)
{
    struct pen pen;
    struct layout layout = pane_lay_out(pane, width - 1, &pen);

    pane_go_over(pane, &layout, &pen);
    return MAX(MIN(layout.rows, limit), 1);
}

static void pane_draw_suggestion(const struct layout *layout, struct pen *pen)
{
    const char *text = layout->view.suggestion;
    size_t size, at = 0;

    if (text == NULL)
        return;
    size = strcspn(text, "\n");
    while (at < size && pen->x < pen->width) {
        struct glyph glyph;

        at += glyph_next((struct gb_bytes){(const uint8_t *)text + at, size - at}, &glyph);
        if (pen->x + glyph.width > pen->width)
            break;
        pen_glyph(pen, STYLE(ROLE_SUGGESTION), &glyph);
    }
    if (text[size] == '\n')
        (void)paint_str(pen->region, pen->indent + pen->x, pen->y - pen->first,
                        STYLE(ROLE_SUGGESTION), " ↵…");
}

/* Lays out the prompt in @region; its rows are visible from pen->first on. */
static struct layout pane_place(const struct pane *pane, struct region region, struct pen *pen)
{
    struct layout layout;

    region = region_part(region, 1, 0, -1, -1);
    layout = pane_lay_out(pane, region.width, pen);
    pane_go_over(pane, &layout, pen);
    pen->first = MAX(0, MIN(layout.cursor_y - region.height / 2, layout.rows - region.height));
    pen->region = region;
    return layout;
}

void pane_draw(const struct pane *pane, struct region region, bool focused, const char *hint)
{
    static const char *const modes[] = {"", "vi insert", "vi command"};
    struct pen pen;
    struct layout layout = pane_place(pane, region, &pen);

    region = pen.region;
    pen.x = pen.y = 0;
    pen.paint = true;
    pane_go_over(pane, &layout, &pen);
    pane_draw_suggestion(&layout, &pen);
    if (layout.view.size == 0 && hint[0] != '\0' && layout.view.search == NULL)
        (void)paint_cut(region, pen.indent + 1, 0, region.width - pen.indent - 2, STYLE(ROLE_DIM),
                        gb_bytes_str(hint));
    if (focused)
        paint_right(region, 0, region.height - 1, region.width - 1, STYLE(ROLE_DIM),
                    gb_bytes_str(modes[layout.view.mode]));
    if (focused)
        paint_cursor(region, pen.indent + layout.cursor_x, layout.cursor_y - pen.first);
}

/* The selected one with its parameters, and the first line of its documentation. */
static void pane_draw_description(struct region box, const struct prompt_view *view, int y)
{
    const int columns = box.width - 2;
    const char *gap = view->signature[0] == '(' ? "" : " ";
    int x = 1;

    if (view->signature[0] != '\0') {
        x += paint_cut(box, x, y, columns, STYLE(ROLE_POPUP),
                       gb_bytes_str(view->matches[view->selected].text));
        x += paint_cut(box, x, y, columns + 1 - x, STYLE(ROLE_POPUP), gb_bytes_str(gap));
        (void)paint_cut(box, x, y++, columns + 1 - x, STYLE(ROLE_POPUP),
                        gb_bytes_str(view->signature));
    }
    (void)paint_cut(box, 1, y, columns, STYLE(ROLE_POPUP_DIM), gb_bytes_str(view->summary));
}

/* The columns that pane_draw_description() would like to have. */
static int pane_description_columns(const struct prompt_view *view)
{
    const char *name = view->matches[view->selected].text;
    int signature =
        (int)(text_columns(gb_bytes_str(name)) + text_columns(gb_bytes_str(view->signature)) + 1);

    return MAX(signature, (int)text_columns(gb_bytes_str(view->summary)));
}

void pane_draw_popup(const struct pane *pane, struct region all, int y)
{
    struct prompt_view view;
    size_t first, shown;
    int columns = 0, kinds = 0, rows, top, left, above, below;
    struct layout layout;
    struct region box;
    struct pen pen;

    if (!prompt_is_attached(pane))
        return;
    prompt_view(&view);
    if (view.match_count == 0)
        return;
    layout = pane_place(pane, region_part(all, 0, y, -1, -1), &pen);
    y += layout.match_y - pen.first;
    above = y - 3; /* above the rule; of each, what the frame leaves */
    below = all.height - y - 3;
    rows = MAX(above, below); /* from here on: of them, those for the description */
    shown = MIN(view.match_count, (size_t)MAX(MIN(rows, (int)POPUP_ROWS), 1));
    rows = view.describes && rows >= (int)POPUP_DESCRIPTION_ROWS + 2 ? POPUP_DESCRIPTION_ROWS : 0;
    shown = MIN(shown, (size_t)MAX(MAX(above, below) - rows, 1));
    first = view.selected < shown ? 0 : view.selected - shown + 1;
    for (size_t i = first; i < first + shown; i++) {
        columns = MAX(columns, (int)text_columns(gb_bytes_str(view.matches[i].text)));
        kinds = MAX(kinds, (int)text_columns(gb_bytes_str(view.matches[i].kind)));
    }
    columns += kinds + (kinds > 0 ? 4 : 2);
    if (rows > 0)
        columns = MAX(columns, pane_description_columns(&view) + 2);
    columns = MIN(columns, MIN(POPUP_COLUMNS_MAX, all.width - 4));
    left = MAX(MIN(pen.indent + layout.match_x - 1, all.width - columns - 2), 0);
    rows += (int)shown;
    top = rows <= above ? above - rows : y + 1;
    box = region_part(all, left, top, columns + 2, rows + 2);
    paint_fill(box, STYLE(ROLE_POPUP));
    box = paint_box(box, STYLE(ROLE_POPUP_FRAME), NULL, STYLE(ROLE_POPUP));
    for (size_t i = 0; i < shown; i++) {
        const struct prompt_match *match = &view.matches[first + i];
        bool selected = first + i == view.selected;
        struct region row = region_part(box, 0, (int)i, -1, 1);

        paint_fill(row, STYLE(selected ? ROLE_POPUP_SELECTED : ROLE_POPUP));
        (void)paint_cut(row, 1, 0, columns - 2, STYLE(selected ? ROLE_POPUP_SELECTED : ROLE_POPUP),
                        gb_bytes_str(match->text));
        paint_right(row, columns - kinds - 1, 0, kinds,
                    STYLE(selected ? ROLE_POPUP_SELECTED : ROLE_POPUP_DIM),
                    gb_bytes_str(match->kind));
    }
    if (rows > (int)shown)
        pane_draw_description(box, &view, (int)shown);
    if (view.match_count > shown)
        (void)paint_f(all, left + 2, top + rows + 1, STYLE(ROLE_POPUP_FRAME), " %zu of %zu ",
                      view.selected + 1, view.match_count);
}
