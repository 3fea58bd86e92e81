/* SPDX-License-Identifier: Apache-2.0 */
/* Help, generated from the tables: what is available here first, then everywhere; and a yes-or-no
 * question. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/internal.h"
#include "base/mem.h"

enum {
    HELP_WIDTH = 112,
    KEYS_COLUMNS = 16,
    NAME_COLUMNS = 26,
    HELP_WIDE = 96,
    HELP_NARROW = 60, /* below this width only the first of several keys is shown */
    KEYS_COLUMNS_NARROW = 8,
};

struct help {
    struct overlay overlay;
    int scroll, height; /* of all lines */
    int shown;          /* rows in the last frame */
    struct line line;   /* what is looked for; empty: everything is shown */
    bool typing;        /* it is being typed */
    size_t found;       /* rows in the last frame */
};

static struct help *help_of(struct overlay *overlay)
{
    return container_of(overlay, struct help, overlay);
}

/* All keys currently bound to a row. */
static void help_keys(const struct tui *tui, const struct command *row, struct gb_buf *out)
{
    for (size_t i = 0; i < tui->keymap.count; i++) {
        const struct binding *binding = &tui->keymap.bindings[i];
        char name[KEY_NAME_MAX];

        if (binding->context != row->context || strcmp(binding->line, row->name) != 0)
            continue;
        key_text(binding->key, name);
        gb_buf_addf(out, "%s%s", out->size > 0 ? " " : "", name);
    }
}

/* Whether @word is in @text, whatever the case of ASCII letters. */
static bool help_has(const char *text, const char *word, size_t size)
{
    for (; strlen(text) >= size; text++)
        if (strncasecmp(text, word, size) == 0)
            return true;
    return false;
}

/* Whether every word that is looked for is in the row's keys, name or explanation. */
static bool help_fits(const struct help *help, const struct command *row)
{
    const char *at = help->line.text;
    struct gb_buf text = {0};
    bool fits = true;

    if (help->line.size == 0)
        return true;
    help_keys(help->overlay.tui, row, &text);
    gb_buf_addf(&text, " :%s %s %s", row->name, row->arguments, row->help);
    while (fits && *(at += strspn(at, " ")) != '\0') {
        const size_t size = strcspn(at, " ");

        fits = help_has(gb_buf_str(&text), at, size);
        at += size;
    }
    gb_buf_release(&text);
    return fits;
}

/* Draws keys, name and explanation from line @y of the box on; returns the number of lines. If the
 * width is not enough, a row is identified by its keys, and by its name only if it has none. */
static int help_draw_row(struct tui *tui, struct region box, int y, const struct command *row)
{
    const int room = box.width >= HELP_NARROW ? KEYS_COLUMNS : KEYS_COLUMNS_NARROW;
    struct region line = region_part(box, 0, y, -1, 1);
    struct gb_buf keys = {0}, name = {0};
    bool wide = box.width >= HELP_WIDE;
    const int top = y;
    int x = 2 + room, lines;

    help_keys(tui, row, &keys);
    gb_buf_addf(&name, ":%s%s%s", row->name, row->arguments[0] != '\0' ? " " : "", row->arguments);
    (void)paint_cut(line, 2, 0, room - 1, tui_on(tui, ROLE_BAR_KEY, ROLE_POPUP),
                    gb_buf_bytes(&keys));
    if (wide) {
        (void)paint_cut(line, x, 0, NAME_COLUMNS - 1, STYLE(ROLE_POPUP_DIM), gb_buf_bytes(&name));
        x += NAME_COLUMNS;
    } else if (keys.size == 0) {
        int taken = (int)text_columns(gb_buf_bytes(&name));

        (void)paint_cut(line, 2, 0, box.width - 3, STYLE(ROLE_POPUP_DIM), gb_buf_bytes(&name));
        x = 2 + MAX(room, taken + 1);
        if (box.width < HELP_NARROW && taken + 1 > room) { /* the explanation below the name */
            x = 2 + room;
            y++;
        }
    }
    lines = y - top +
            paint_lines(box, x, y, box.width - 1 - x, STYLE(ROLE_POPUP), gb_bytes_str(row->help));
    gb_buf_release(&keys);
    gb_buf_release(&name);
    return lines;
}

/* Draws what is available in @context from line @y of the box on; returns the next line. */
static int help_draw_context(struct help *help, struct region box, int y, enum context context)
{
    struct tui *tui = help->overlay.tui;
    bool first = true;

    for (size_t i = 0; i < tui->tables.count; i++)
        for (const struct command *row = tui->tables.tables[i]; row->name != NULL; row++) {
            if (row->context != context || !help_fits(help, row))
                continue;
            help->found++;
            if (first) {
                y += y > 0 ? 1 : 0;
                (void)paint_str(box, 1, y++, tui_on(tui, ROLE_HEADING_SORTED, ROLE_POPUP),
                                context_title(context));
            }
            first = false;
            y += help_draw_row(tui, box, y, row);
        }
    return y;
}

/* The meaning of the symbol at the top. */
static int help_draw_server(struct tui *tui, const struct store *store, struct region box, int y)
{
    const struct server *server = &store->server;
    char text[200];

    if (!isolation_text(server, text, sizeof(text)))
        return y;
    (void)paint_str(box, 1, y++, tui_on(tui, ROLE_HEADING_SORTED, ROLE_POPUP),
                    store->name[0] != '\0' ? store->name : "This server");
    y += paint_lines(box, 2, y, box.width - 3, STYLE(ROLE_POPUP), gb_bytes_str(text));
    if (server->accel_reason[0] != '\0')
        y += paint_lines(box, 2, y, box.width - 3, STYLE(ROLE_POPUP_DIM),
                         gb_bytes_str(server->accel_reason));
    return y;
}

static int help_draw_all(struct help *help, struct region box, int y)
{
    struct tui *tui = help->overlay.tui;
    enum context here = tui_context(tui);

    help->found = 0;
    y = help_draw_context(help, box, y, here);
    if (here != CONTEXT_GLOBAL)
        y = help_draw_context(help, box, y, CONTEXT_GLOBAL);
    for (size_t i = 0; i < CONTEXT_COUNT; i++)
        if (i != CONTEXT_GLOBAL && i != here)
            y = help_draw_context(help, box, y, (enum context)i);
    for (size_t i = 0; i < tui->uplink_count && help->line.size == 0; i++)
        y = help_draw_server(tui, &tui->uplinks[i].store, box, y + 1);
    return y;
}

/* In the lower edge of the box: what is looked for, and how much has it. */
static void help_draw_line(const struct help *help, struct region box)
{
    const struct line *line = &help->line;
    const struct style style = STYLE(ROLE_POPUP);
    int x = 2;

    if (!help->typing && line->size == 0)
        return;
    x +=
        paint_str(box, x, box.height - 1, tui_on(help->overlay.tui, ROLE_ACCENT, ROLE_POPUP), " /");
    if (help->typing)
        paint_cursor(
            box, x + (int)text_columns((struct gb_bytes){(const uint8_t *)line->text, line->point}),
            box.height - 1);
    x += paint_cut(box, x, box.height - 1, MAX(box.width - x - 26, 0), style,
                   gb_bytes_str(line->text));
    if (line->size > 0)
        (void)paint_f(box, x, box.height - 1, STYLE(ROLE_POPUP_DIM),
                      help->found > 0 ? "  %zu found " : "  nothing has that ", help->found);
    else
        (void)paint_str(box, x, box.height - 1, style, "  ");
}

static void help_draw(struct overlay *overlay, struct region region)
{
    struct help *help = help_of(overlay);
    int width = MIN(HELP_WIDTH, region.width - 4), height = region.height - 4;
    struct region box = region_part(region, (region.width - width) / 2, 1, width, height), inside;

    paint_fill(box, STYLE(ROLE_POPUP));
    inside = paint_box(box, STYLE(ROLE_POPUP_FRAME), "Keys and commands",
                       tui_on(help->overlay.tui, ROLE_TITLE_ACTIVE, ROLE_POPUP));
    help->shown = inside.height;
    help->scroll = MAX(0, MIN(help->scroll, help->height - inside.height));
    help->height =
        help_draw_all(help, region_part(inside, 0, 0, -1, -1), -help->scroll) + help->scroll;
    if (help->height > inside.height)
        paint_right(
            box, 0, box.height - 1, box.width - 3, STYLE(ROLE_POPUP_DIM),
            gb_bytes_str(help->scroll + inside.height < help->height ? " ▼ more " : " the end "));
    help_draw_line(help, box);
}

/* A key while the line is typed: what it says is shown at once. */
static void help_type(struct help *help, struct key key)
{
    const bool leaves = key.code == KEY_ESCAPE ||
                        (key.modifiers == KEY_CONTROL && (key.code == 'c' || key.code == 'g')) ||
                        (key.code == KEY_BACKSPACE && help->line.size == 0);

    if (leaves)
        line_set(&help->line, "");
    if (leaves || key.code == KEY_ENTER)
        help->typing = false;
    else if (line_key(&help->line, key))
        help->scroll = 0;
}

static void help_leave(struct help *help)
{
    if (help->line.size > 0)
        line_set(&help->line, "");
    else
        tui_set_overlay(help->overlay.tui, NULL);
}

static bool help_event(struct overlay *overlay, const struct input_event *help_event)
{
    struct help *help = help_of(overlay);
    uint32_t code = help_event->key.code;

    if (help_event->kind == INPUT_MOUSE) {
        if (help_event->action == MOUSE_WHEEL_UP)
            help->scroll -= 3;
        else if (help_event->action == MOUSE_WHEEL_DOWN)
            help->scroll += 3;
        else if (help_event->action == MOUSE_PRESS)
            tui_set_overlay(overlay->tui, NULL);
        return true;
    }
    if (help_event->kind == INPUT_PASTE && help->typing)
        line_insert(&help->line, help_event->bytes);
    if (help_event->kind != INPUT_KEY)
        return true;
    if (help->typing)
        help_type(help, help_event->key);
    else if (code == '/')
        help->typing = true;
    else if (code == KEY_ESCAPE)
        help_leave(help);
    else if (code == KEY_UP || code == 'k')
        help->scroll--;
    else if (code == KEY_DOWN || code == 'j')
        help->scroll++;
    else if (code == KEY_PAGE_UP)
        help->scroll -= help->shown;
    else if (code == KEY_PAGE_DOWN || code == ' ')
        help->scroll += help->shown;
    else if (code == KEY_HOME || code == 'g')
        help->scroll = 0;
    else if (code == KEY_END || code == 'G')
        help->scroll = help->height;
    else if (code == KEY_ENTER || code == KEY_F1 || code == 'q' || code == '?' || code == 'c')
        tui_set_overlay(overlay->tui, NULL);
    return true; /* other keys do nothing, here and below */
}

static void help_free(struct overlay *overlay)
{
    free(help_of(overlay));
}

void help_open(struct tui *tui)
{
    static const struct overlay_ops ops = {"HELP", help_draw, help_event, help_free};
    static const struct bar_key keys[] = {{"j", "down"},   {"k", "up"},         {"Space", "page"},
                                          {"/", "search"}, {"G", "to the end"}, {"q", "leave"},
                                          {NULL, NULL}};
    struct help *help = xcalloc(1, sizeof(*help));

    help->overlay = (struct overlay){&ops, keys, tui};
    tui_set_overlay(tui, &help->overlay);
}

/* ---- what a key does ---- */

void help_say_key(struct tui *tui, struct key key)
{
    const enum context context = tui_context(tui);
    const char *line = keymap_find(&tui->keymap, context, key);
    const struct command *row = NULL;
    char name[KEY_NAME_MAX], help[KEY_NAME_MAX];
    struct gb_buf message = {0};
    struct words words;

    key_text(key, name);
    tui_key_of(tui, CONTEXT_GLOBAL, "help", help);
    if (line != NULL && words_parse(line, &words, &message) && words.count > 0)
        row = command_find(&tui->tables, context, words.words[0]);
    if (row != NULL)
        tui_say(tui, MESSAGE_PLAIN, "%s is :%s: %s", name, line, row->help);
    else
        tui_say(tui, MESSAGE_PLAIN, "%s does nothing here; %s lists the keys that there are", name,
                help);
    gb_buf_release(&message);
}

static bool help_key_event(struct overlay *overlay, const struct input_event *help_event)
{
    struct tui *tui = overlay->tui;
    struct key key = help_event->key;

    if (help_event->kind != INPUT_KEY)
        return true;
    tui_set_overlay(tui, NULL);
    help_say_key(tui, key);
    return true;
}

static void help_key_draw(struct overlay *overlay, struct region region)
{
    struct region row = region_part(region, 0, region.height - 2, -1, 1);

    (void)overlay;
    paint_fill(row, STYLE(ROLE_MESSAGE));
    (void)paint_str(row, 1, 0, STYLE(ROLE_MESSAGE),
                    "press the key of which you want to know what it does");
}

static void help_free_key(struct overlay *overlay)
{
    free(overlay);
}

void help_ask_key(struct tui *tui)
{
    static const struct overlay_ops ops = {"WHICH KEY", help_key_draw, help_key_event,
                                           help_free_key};
    static const struct bar_key keys[] = {{"any key", "what it does"}, {NULL, NULL}};
    struct overlay *overlay = xcalloc(1, sizeof(*overlay));

    *overlay = (struct overlay){&ops, keys, tui};
    tui_set_overlay(tui, overlay);
}

/* ---- a question ---- */

struct question {
    struct overlay overlay;
    char text[200];
    void (*done)(void *arg);
    void *arg;
};

static void help_draw_question(struct overlay *overlay, struct region region)
{
    struct question *question = container_of(overlay, struct question, overlay);
    struct region row = region_part(region, 0, region.height - 2, -1, 1);
    int x;

    paint_fill(row, STYLE(ROLE_MESSAGE_WARNING));
    x = 1 + paint_cut(row, 1, 0, row.width - 10, STYLE(ROLE_MESSAGE_WARNING),
                      gb_bytes_str(question->text));
    x += paint_str(row, x + 1, 0, STYLE(ROLE_MESSAGE_WARNING), "[y/N]") + 2;
    paint_cursor(row, x, 0);
}

static bool help_question_event(struct overlay *overlay, const struct input_event *help_event)
{
    struct question *question = container_of(overlay, struct question, overlay);
    void (*done)(void *arg) = question->done;
    void *arg = question->arg;

    if (help_event->kind != INPUT_KEY)
        return true;
    tui_set_overlay(overlay->tui, NULL);
    if (help_event->key.code == 'y' || help_event->key.code == 'Y')
        done(arg);
    return true;
}

static void help_free_question(struct overlay *overlay)
{
    free(container_of(overlay, struct question, overlay));
}

void tui_confirm(struct tui *tui, const char *text, void (*done)(void *arg), void *arg)
{
    static const struct overlay_ops ops = {"QUESTION", help_draw_question, help_question_event,
                                           help_free_question};
    static const struct bar_key keys[] = {{"y", "yes"}, {"any other key", "no"}, {NULL, NULL}};
    struct question *question = xcalloc(1, sizeof(*question));

    question->overlay = (struct overlay){&ops, keys, tui};
    (void)snprintf(question->text, sizeof(question->text), "%s", text);
    question->done = done;
    question->arg = arg;
    tui_set_overlay(tui, &question->overlay);
}
