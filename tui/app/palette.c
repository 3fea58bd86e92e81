/* SPDX-License-Identifier: Apache-2.0 */
/* The palette: a few letters find a command, a session, a theme, or what is in the view: a cell, a
 * file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"
#include "command/fuzzy.h"
#include "command/line.h"

enum { ITEMS_MAX = 512, WIDTH = 92, NAME_COLUMNS = 28, NOTE_COLUMNS_MIN = 12, ROWS = 14 };

struct item {
    char text[STORE_HOST_MAX + STORE_NAME_MAX]; /* what is shown and searched */
    char note[160];
    char kind[12];
    char line[STORE_HOST_MAX + STORE_NAME_MAX +
              32]; /* the line to run; ends with a space if more has to be typed */
    char key[KEY_NAME_MAX];
    int score;
    bool places[FUZZY_TEXT_MAX];
};

struct palette {
    struct overlay overlay;
    struct line line;
    struct item *items;
    size_t count; /* that match */
    size_t at;
    struct region rows; /* where they were last drawn */
    size_t first;
};

static struct palette *palette_of(struct overlay *overlay)
{
    return container_of(overlay, struct palette, overlay);
}

/* ---- what there is ---- */

static struct item *palette_offer(struct palette *palette, const char *text, const char *kind,
                                  const char *note)
{
    struct item *item;
    int score;

    if (palette->count == ITEMS_MAX)
        return NULL;
    item = &palette->items[palette->count];
    *item = (struct item){0};
    score = fuzzy_match(palette->line.text, text, item->places);
    if (score == FUZZY_NONE) {
        /* The explanation counts too, but less than the name. */
        score = fuzzy_match(palette->line.text, note, NULL) / 4 - 20;
        if (strstr(note, palette->line.text) == NULL || palette->line.size < 3)
            return NULL;
    }
    item->score = score;
    (void)snprintf(item->text, sizeof(item->text), "%s", text);
    (void)snprintf(item->kind, sizeof(item->kind), "%s", kind);
    (void)snprintf(item->note, sizeof(item->note), "%s", note);
    palette->count++;
    return item;
}

static void palette_offer_commands(struct palette *palette)
{
    struct tui *tui = palette->overlay.tui;
    enum context context = tui_context(tui);

    for (size_t i = 0; i < tui->tables.count; i++)
        for (const struct command *row = tui->tables.tables[i]; row->name != NULL; row++) {
            struct item *item;
            struct key key;

            if (!command_is_known(&tui->tables, context, row))
                continue;
            item = palette_offer(palette, row->name, "command", row->help);
            if (item == NULL)
                continue;
            /* Required arguments are asked for on the `:` line. */
            (void)snprintf(item->line, sizeof(item->line), "%s%s", row->name,
                           row->arguments[0] != '\0' && row->arguments[0] != '[' ? " " : "");
            if (keymap_key(&tui->keymap, row->context, row->name, &key))
                key_text(key, item->key);
        }
}

static void palette_offer_sessions(struct palette *palette)
{
    struct session *session = NULL;

    while ((session = tui_next_session(palette->overlay.tui, session)) != NULL) {
        struct item *item;
        char note[160], name[STORE_HOST_MAX + STORE_NAME_MAX];

        (void)snprintf(note, sizeof(note), "%s %s, %.40s, %u cell%s", session_state_sign(session),
                       session_state_word(session), session->image, session->cells,
                       session->cells == 1 ? "" : "s");
        uplink_qualify(uplink_of(session), session_title(session), name, sizeof(name));
        item = palette_offer(palette, name, "session", note);
        uplink_qualify(uplink_of(session), session->id, name, sizeof(name));
        if (item != NULL)
            (void)snprintf(item->line, sizeof(item->line), "open %s", name);
    }
}

static void palette_offer_themes(struct palette *palette)
{
    char names[THEME_LIST_MAX][THEME_NAME_MAX];
    size_t count = theme_list(names);

    for (size_t i = 0; i < count; i++) {
        char text[THEME_NAME_MAX + 8];
        struct item *item;

        (void)snprintf(text, sizeof(text), "theme %s", names[i]);
        item = palette_offer(palette, text, "theme", "");
        if (item != NULL)
            (void)snprintf(item->line, sizeof(item->line), "%s", text);
    }
}

static void palette_on_offer(void *arg, const char *text, const char *kind, const char *note,
                             const char *line)
{
    struct item *item;

    if (strlen(line) >= sizeof(item->line))
        return;
    item = palette_offer(arg, text, kind, note);
    if (item != NULL)
        (void)snprintf(item->line, sizeof(item->line), "%s", line);
}

static int palette_compare(const void *a, const void *b)
{
    const struct item *one = a, *other = b;

    return other->score - one->score;
}

static void palette_look_again(struct palette *palette)
{
    struct view *view = palette->overlay.tui->view;

    palette->count = 0;
    palette->at = 0;
    palette_offer_sessions(palette);
    palette_offer_commands(palette);
    palette_offer_themes(palette);
    if (view->ops->offer != NULL)
        view->ops->offer(view, palette_on_offer, palette);
    if (palette->line.size > 0)
        qsort(palette->items, palette->count, sizeof(*palette->items), palette_compare);
}

/* ---- drawing ---- */

/* @end: of the column of names. */
static void palette_draw_item(struct region row, const struct item *item, int end, bool selected)
{
    struct style style = STYLE(selected ? ROLE_POPUP_SELECTED : ROLE_POPUP);
    struct style dim = STYLE(selected ? ROLE_POPUP_SELECTED : ROLE_POPUP_DIM);
    struct gb_bytes text = gb_bytes_str(item->text);
    int x = 2;
    size_t at = 0;

    paint_fill(row, style);
    while (at < text.size && x < end) {
        struct glyph glyph;
        size_t n = glyph_next((struct gb_bytes){text.data + at, text.size - at}, &glyph);
        struct style here = style;

        if (at < FUZZY_TEXT_MAX && item->places[at])
            here.role = selected ? ROLE_POPUP_SELECTED : ROLE_POPUP_MATCH;
        if (at < FUZZY_TEXT_MAX && item->places[at] && selected)
            here.attributes = ATTRIBUTE_UNDERLINE | ATTRIBUTE_BOLD;
        paint_glyph(row, x, 0, here, &glyph);
        x += glyph.width;
        at += n;
    }
    if (row.width - end - 12 >= NOTE_COLUMNS_MIN)
        (void)paint_cut(row, end + 2, 0, row.width - end - 12, dim, gb_bytes_str(item->note));
    paint_right(row, row.width - 10, 0, 8, dim,
                gb_bytes_str(item->key[0] != '\0' ? item->key : item->kind));
}

static void palette_draw(struct overlay *overlay, struct region region)
{
    struct palette *palette = palette_of(overlay);
    int width = MIN(WIDTH, region.width - 4), height = MIN(ROWS + 4, region.height - 4);
    struct region box = region_part(region, (region.width - width) / 2, 2, width, height), rows;
    int columns, end = 0;

    paint_fill(box, STYLE(ROLE_POPUP));
    rows = paint_box(box, STYLE(ROLE_POPUP_FRAME), NULL, STYLE(ROLE_POPUP));
    (void)paint_str(rows, 1, 0, tui_on(overlay->tui, ROLE_ACCENT, ROLE_POPUP), "›");
    (void)paint_cut(rows, 3, 0, rows.width - 4, STYLE(ROLE_POPUP),
                    gb_bytes_str(palette->line.text));
    columns = (int)text_columns(
        (struct gb_bytes){(const uint8_t *)palette->line.text, palette->line.point});
    paint_cursor(rows, 3 + columns, 0);
    if (palette->line.size == 0)
        (void)paint_str(rows, 4, 0, STYLE(ROLE_POPUP_DIM),
                        overlay->tui->view->ops->offer != NULL
                            ? "a command, a session, a theme, a cell, a file"
                            : "a command, a session, a theme");
    paint_rule(rows, 0, 1, rows.width, STYLE(ROLE_POPUP_FRAME));
    rows = region_part(rows, 0, 2, -1, -1);
    palette->first = palette->at >= (size_t)rows.height ? palette->at - (size_t)rows.height + 1 : 0;
    palette->rows = rows;
    for (size_t i = palette->first;
         i < palette->count && i < palette->first + (size_t)MAX(rows.height, 0); i++)
        end = MAX(end, 2 + (int)text_columns(gb_bytes_str(palette->items[i].text)));
    end = MIN(end, (int)NAME_COLUMNS);
    for (int y = 0; y < rows.height && palette->first + (size_t)y < palette->count; y++)
        palette_draw_item(region_part(rows, 0, y, -1, 1),
                          &palette->items[palette->first + (size_t)y], end,
                          palette->first + (size_t)y == palette->at);
    if (palette->count == 0)
        (void)paint_str(rows, 2, 0, STYLE(ROLE_POPUP_DIM), "nothing fits");
}

/* ---- keys ---- */

static void palette_run_item(struct palette *palette)
{
    struct tui *tui = palette->overlay.tui;
    char line[sizeof(palette->items->line)];
    size_t size;

    if (palette->at >= palette->count)
        return;
    (void)snprintf(line, sizeof(line), "%s", palette->items[palette->at].line);
    size = strlen(line);
    tui_set_overlay(tui, NULL);
    if (line[size - 1] == ' ')
        typing_command(tui, line);
    else
        tui_command(tui, line);
}

static void palette_step(struct palette *palette, int by)
{
    size_t count = palette->count;

    if (count > 0)
        palette->at = (palette->at + count + (size_t)by) % count;
}

static bool palette_on_mouse(struct palette *palette, const struct input_event *palette_event)
{
    struct region rows = palette->rows;
    size_t at = palette->first + (size_t)MAX(0, palette_event->y - rows.y);

    if (palette_event->action == MOUSE_WHEEL_UP || palette_event->action == MOUSE_WHEEL_DOWN) {
        palette_step(palette, palette_event->action == MOUSE_WHEEL_UP ? -1 : 1);
    } else if (palette_event->action == MOUSE_PRESS) {
        if (palette_event->x < rows.x || palette_event->x >= rows.x + rows.width ||
            palette_event->y < rows.y || palette_event->y >= rows.y + rows.height ||
            at >= palette->count) {
            tui_set_overlay(palette->overlay.tui, NULL);
            return true;
        }
        palette->at = at;
        palette_run_item(palette);
    }
    return true;
}

static bool palette_event(struct overlay *overlay, const struct input_event *palette_event)
{
    struct palette *palette = palette_of(overlay);
    struct key key = palette_event->key;
    bool control = key.modifiers == KEY_CONTROL;

    if (palette_event->kind == INPUT_MOUSE)
        return palette_on_mouse(palette, palette_event);
    if (palette_event->kind == INPUT_PASTE) {
        line_insert(&palette->line, palette_event->bytes);
        palette_look_again(palette);
        return true;
    }
    if (palette_event->kind != INPUT_KEY)
        return true;
    if (key.code == KEY_ENTER)
        palette_run_item(palette);
    else if (key.code == KEY_ESCAPE || (control && (key.code == 'c' || key.code == 'g')))
        tui_set_overlay(overlay->tui, NULL);
    else if (key.code == KEY_UP || (control && key.code == 'p') ||
             (key.code == KEY_TAB && (key.modifiers & KEY_SHIFT) != 0))
        palette_step(palette, -1);
    else if (key.code == KEY_DOWN || (control && key.code == 'n') || key.code == KEY_TAB)
        palette_step(palette, 1);
    else if (line_key(&palette->line, key))
        palette_look_again(palette);
    return true;
}

static void palette_free(struct overlay *overlay)
{
    struct palette *palette = palette_of(overlay);

    free(palette->items);
    free(palette);
}

void palette_open(struct tui *tui)
{
    static const struct overlay_ops ops = {"FIND", palette_draw, palette_event, palette_free};
    static const struct bar_key keys[] = {
        {"Enter", "run"}, {"Down", "next"}, {"Up", "before"}, {"Esc", "leave"}, {NULL, NULL}};
    struct palette *palette = xcalloc(1, sizeof(*palette));

    palette->overlay = (struct overlay){&ops, keys, tui};
    palette->items = xcalloc(ITEMS_MAX, sizeof(*palette->items));
    palette_look_again(palette);
    tui_set_overlay(tui, &palette->overlay);
}
