/* SPDX-License-Identifier: Apache-2.0 */
/* The menu: what can be done at the moment, above all with the thing at the cursor. Its rows are
 * those of the key bar, and what can be done with every session. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"

enum { MENU_ROWS_MAX = 32, MENU_WIDTH = 78, MENU_KEY_COLUMNS = 9 };

struct menu {
    struct overlay overlay;
    const struct command *rows[MENU_ROWS_MAX];
    size_t count, at, first; /* first: the top one that is shown */
    int x, y;                /* where it was asked for */
    struct region inside;    /* as drawn last */
    char title[STORE_NAME_MAX];
    struct session_ref session; /* that it is about */
};

static struct menu *menu_of(struct overlay *overlay)
{
    return container_of(overlay, struct menu, overlay);
}

/* ---- what is in it ---- */

static void menu_add(struct menu *menu, const struct command *row)
{
    const struct tui *tui = menu->overlay.tui;
    const struct view *view = tui->view;

    for (size_t i = 0; i < menu->count; i++)
        if (strcmp(menu->rows[i]->name, row->name) == 0)
            return;
    if (menu->count < MENU_ROWS_MAX && (view->ops->has == NULL || view->ops->has(view, row)))
        menu->rows[menu->count++] = row;
}

static void menu_fill(struct menu *menu)
{
    static const char *const of_sessions[] = {"fork", "take",   "hand-back", "copy",
                                              "log",  "export", "close"};
    struct tui *tui = menu->overlay.tui;
    const enum context here = tui_context(tui);
    const struct session *session = lease_subject(tui);

    for (size_t i = 0; i < tui->tables.count; i++)
        for (const struct command *row = tui->tables.tables[i]; row->name != NULL; row++)
            if (row->context == here && row->bar != NULL)
                menu_add(menu, row);
    for (size_t i = 0; session != NULL && i < ARRAY_SIZE(of_sessions); i++) {
        const struct command *row = command_find(&tui->tables, here, of_sessions[i]);

        if (row != NULL && strcmp(row->name, of_sessions[i]) == 0)
            menu_add(menu, row);
    }
    if (session != NULL) {
        ref_set(&menu->session, session);
        (void)snprintf(menu->title, sizeof(menu->title), "%s", session_title(session));
    }
}

/* ---- drawing ---- */

static void menu_draw_row(const struct menu *menu, struct region line, size_t index)
{
    const struct command *row = menu->rows[index];
    struct tui *tui = menu->overlay.tui;
    const bool selected = index == menu->at;
    const enum role ground = selected ? ROLE_POPUP_SELECTED : ROLE_POPUP;
    char name[KEY_NAME_MAX] = "";
    struct key key;

    paint_fill(line, STYLE(ground));
    if (keymap_key(&tui->keymap, row->context, row->name, &key))
        key_text(key, name);
    else
        (void)snprintf(name, sizeof(name), ":%s", row->name);
    (void)paint_cut(line, 1, 0, MENU_KEY_COLUMNS - 1,
                    selected ? STYLE(ground) : tui_on(tui, ROLE_BAR_KEY, ground),
                    gb_bytes_str(name));
    (void)paint_cut(line, 1 + MENU_KEY_COLUMNS, 0, line.width - MENU_KEY_COLUMNS - 2, STYLE(ground),
                    gb_bytes_str(row->help));
}

static void menu_draw(struct overlay *overlay, struct region region)
{
    struct menu *menu = menu_of(overlay);
    const int width = MIN(MENU_WIDTH, region.width - 2);
    const int height = MIN((int)menu->count + 2, region.height - 2);
    struct region box =
        region_part(region, MAX(0, MIN(menu->x, region.width - width)),
                    MAX(0, MIN(menu->y, region.height - height - 1)), width, height);
    size_t room;

    paint_fill(box, STYLE(ROLE_POPUP));
    menu->inside =
        paint_box(box, STYLE(ROLE_POPUP_FRAME), menu->title[0] != '\0' ? menu->title : NULL,
                  tui_on(overlay->tui, ROLE_TITLE_ACTIVE, ROLE_POPUP));
    room = (size_t)MAX(menu->inside.height, 1);
    menu->first = MIN(menu->first, menu->at);
    if (menu->at >= menu->first + room)
        menu->first = menu->at - room + 1;
    for (size_t i = menu->first; i < menu->count && i < menu->first + room; i++)
        menu_draw_row(menu, region_part(menu->inside, 0, (int)(i - menu->first), -1, 1), i);
}

/* ---- choosing ---- */

static void menu_choose(struct menu *menu)
{
    const struct command *row = menu->rows[menu->at];
    struct tui *tui = menu->overlay.tui;
    const bool wants = row->arguments[0] != '\0' && row->arguments[0] != '[';
    char line[KEYMAP_LINE_MAX];

    (void)snprintf(line, sizeof(line), "%s%s", row->name, wants ? " " : "");
    if (ref_find(&menu->session) != lease_subject(tui)) {
        tui_set_overlay(tui, NULL);
        tui_say(tui, MESSAGE_WARNING, "another session is here now: nothing was done");
        return;
    }
    tui_set_overlay(tui, NULL);
    if (wants)
        typing_command(tui, line);
    else
        tui_command(tui, line);
}

static void menu_on_mouse(struct menu *menu, const struct input_event *event)
{
    const struct region inside = menu->inside;
    const size_t at = menu->first + (size_t)MAX(event->y - inside.y, 0);
    const bool hit = event->x >= inside.x && event->x < inside.x + inside.width &&
                     event->y >= inside.y && event->y < inside.y + inside.height &&
                     at < menu->count;

    if (event->action == MOUSE_WHEEL_UP) {
        menu->at -= MIN(menu->at, (size_t)1);
    } else if (event->action == MOUSE_WHEEL_DOWN) {
        menu->at = MIN(menu->at + 1, menu->count - 1);
    } else if (event->action == MOUSE_PRESS && hit) {
        menu->at = at;
        menu_choose(menu);
    } else if (event->action == MOUSE_PRESS) {
        tui_set_overlay(menu->overlay.tui, NULL);
    }
}

static bool menu_event(struct overlay *overlay, const struct input_event *event)
{
    struct menu *menu = menu_of(overlay);
    const uint32_t code = event->key.code;

    if (event->kind == INPUT_MOUSE) {
        menu_on_mouse(menu, event);
        return true;
    }
    if (event->kind != INPUT_KEY)
        return true;
    if (code == KEY_UP) {
        menu->at = (menu->at + menu->count - 1) % menu->count;
    } else if (code == KEY_DOWN || code == KEY_TAB) {
        menu->at = (menu->at + 1) % menu->count;
    } else if (code == KEY_ENTER) {
        menu_choose(menu);
    } else {
        tui_set_overlay(overlay->tui, NULL);
        return code == KEY_ESCAPE || code == KEY_F10; /* any other key does what it does */
    }
    return true;
}

static void menu_free(struct overlay *overlay)
{
    free(menu_of(overlay));
}

void menu_open(struct tui *tui, int x, int y)
{
    static const struct overlay_ops ops = {"MENU", menu_draw, menu_event, menu_free};
    static const struct bar_key keys[] = {
        {"Enter", "run"}, {"Down", "next"}, {"Up", "before"}, {"Esc", "leave"}, {NULL, NULL}};
    struct menu *menu = xcalloc(1, sizeof(*menu));

    menu->overlay = (struct overlay){&ops, keys, tui};
    menu->x = x;
    menu->y = y;
    menu_fill(menu);
    if (menu->count > 0)
        tui_set_overlay(tui, &menu->overlay);
    else
        free(menu);
}

void menu_run(struct tui *tui, const struct words *words)
{
    (void)words;
    tui->message_command[0] = '\0';
    menu_open(tui, tui->view_region.x + 4, tui->view_region.y + 2);
}
