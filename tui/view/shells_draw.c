/* SPDX-License-Identifier: Apache-2.0 */
/* Paints the programs at terminals of a session, and the screen of the one that is watched. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/member.h"
#include "show/words.h"
#include "view/internal.h"

enum { SHELLS_SHOWN_MAX = 6, NUMBER_COLUMNS = 4 };

void shells_split(const struct shells *shells, struct region region,
                  struct shells_regions *ret_regions)
{
    const int most = MAX(MIN(region.height / 4, (int)SHELLS_SHOWN_MAX), 1);

    ret_regions->list = region_cut_top(&region, MIN((int)shells->count, most));
    ret_regions->head = region_cut_top(&region, shells->count > 0 ? 1 : 0);
    ret_regions->screen = region;
}

/* ---- the list ---- */

static void shells_state(const struct shell *shell, char *text, size_t room)
{
    char name[GB_SIGNAL_NAME_MAX];

    if (shell->running)
        (void)snprintf(text, room, "%u×%u, %u looking", shell->columns, shell->rows,
                       shell->clients);
    else if (shell->lost)
        (void)snprintf(text, room, "lost with its VM");
    else if (shell->signal != 0) {
        gb_signal_to_string(shell->signal, name);
        (void)snprintf(text, room, "ended by %s", name);
    } else {
        (void)snprintf(text, room, "ended with %" PRIi64, shell->exit_code);
    }
}

static void shells_draw_row(const struct session_view *self, const struct shell *shell,
                            struct region row, bool selected, bool focused)
{
    const struct style style = STYLE(selected ? (focused ? ROLE_ROW_SELECTED : ROLE_ROW_INACTIVE)
                                     : shell->running ? ROLE_TEXT
                                                      : ROLE_DIM);
    const struct style dim = selected ? style : STYLE(ROLE_DIM);
    char text[64], age[16];
    int x = 1;

    if (selected)
        paint_fill(row, style);
    (void)paint_str(row, x, 0, selected || !shell->running ? style : STYLE(ROLE_RUNNING),
                    shell->running ? "●" : "○");
    (void)paint_f(row, x + 2, 0, style, "%u", shell->number);
    x += 2 + NUMBER_COLUMNS;
    x += 2 + paint_cut(row, x, 0, MAX(row.width / 2 - x, 8), style, gb_bytes_str(shell->program));
    words_age(age, sizeof(age), MAX(tui_now(self->view.tui) - shell->started_at, 0.0));
    shells_state(shell, text, sizeof(text));
    x += 2 + paint_cut(row, x, 0, row.width - x - 1, dim, gb_bytes_str(text));
    x += 2 + paint_cut(row, x, 0, row.width - x - 1, dim, gb_bytes_str(age));
    if (shell->running && shell->typed_by[0] != '\0') {
        x += 1 + paint_cut(row, x, 0, row.width - x - 1, dim, gb_bytes_str("typed at by"));
        (void)paint_cut(row, x, 0, row.width - x - 1, selected ? style : STYLE(ROLE_CELL_OTHER),
                        gb_bytes_str(shell->typed_by));
    }
}

/* ---- its screen ---- */

static uint8_t shells_attributes(uint32_t attributes)
{
    static const struct {
        enum vt_attribute from;
        enum attribute to;
    } both[] = {
        {VT_BOLD, ATTRIBUTE_BOLD},       {VT_FAINT, ATTRIBUTE_DIM},
        {VT_ITALIC, ATTRIBUTE_ITALIC},   {VT_UNDERLINE, ATTRIBUTE_UNDERLINE},
        {VT_REVERSE, ATTRIBUTE_REVERSE}, {VT_STRIKE, ATTRIBUTE_STRIKE},
    };
    uint8_t result = 0;

    for (size_t i = 0; i < ARRAY_SIZE(both); i++)
        if ((attributes & (uint32_t)both[i].from) != 0)
            result |= (uint8_t)both[i].to;
    return result;
}

static colour shells_colour(uint32_t colour_of_vt)
{
    return (colour_of_vt & VT_RGB) != 0       ? COLOUR_RGB(colour_of_vt & UINT32_C(0xffffff))
           : (colour_of_vt & VT_INDEXED) != 0 ? COLOUR_INDEX(colour_of_vt & UINT32_C(0xff))
                                              : COLOUR_NONE;
}

static void shells_draw_cell(const struct gb_vt *vt, struct region region, int x, int y)
{
    struct gb_vt_look look;
    struct style style = STYLE(ROLE_TEXT);

    gb_vt_look(vt, (unsigned)y, (unsigned)x, &look);
    style.attributes = shells_attributes(look.attributes);
    style.fg = shells_colour(look.fg);
    style.bg = shells_colour(look.bg);
    if (look.width == 0)
        return;
    if (look.text.size == 0 || (look.attributes & VT_HIDDEN) != 0)
        look.text = gb_bytes_str(" ");
    /* Not beyond its columns, whatever the painter thinks of the character's width. */
    (void)paint_text(region_part(region, x, y, (int)look.width, 1), 0, 0, style, look.text);
}

static void shells_draw_screen(const struct session_view *self, struct region region)
{
    const struct gb_vt *vt = self->shells.vt;
    unsigned row, column;

    if (vt == NULL)
        return;
    for (int y = 0; y < region.height && y < (int)gb_vt_rows(vt); y++)
        for (int x = 0; x < region.width && x < (int)gb_vt_columns(vt); x++)
            shells_draw_cell(vt, region, x, y);
    if (gb_vt_cursor(vt, &row, &column)) /* not ours: only its ground shows where it is */
        paint_ground(region_part(region, (int)column, (int)row, 1, 1),
                     tui_theme(self->view.tui)->looks.roles[ROLE_ROW_INACTIVE].bg);
}

static void shells_draw_head(const struct session_view *self, struct region row)
{
    const struct shells *shells = &self->shells;
    const struct shell *shell = shells_selected(self);
    char text[GB_ERR_MESSAGE_MAX + 64], enter[KEY_NAME_MAX];

    tui_key_of(self->view.tui, CONTEXT_SHELLS, "enter", enter);
    if (!shell->running)
        (void)snprintf(text, sizeof(text), " %u: what it showed last ", shell->number);
    else if (shells->watch_error[0] != '\0')
        (void)snprintf(text, sizeof(text), " %u: %s ", shell->number, shells->watch_error);
    else
        (void)snprintf(text, sizeof(text), " %u: you watch; %s types at it ", shell->number, enter);
    paint_rule(row, 0, 0, row.width, STYLE(ROLE_FRAME));
    (void)paint_cut(row, 2, 0, row.width - 3, STYLE(ROLE_TITLE), gb_bytes_str(text));
}

/* Why there is no terminal to show. */
static void shells_draw_none(const struct session_view *self, struct region region)
{
    const struct shells *shells = &self->shells;
    char text[GB_ERR_MESSAGE_MAX], key[KEY_NAME_MAX];

    tui_key_of(self->view.tui, CONTEXT_SHELLS, "new-shell", key);
    if (shells->error[0] != '\0')
        (void)snprintf(text, sizeof(text), "%s", shells->error);
    else if (!shells->known)
        (void)snprintf(text, sizeof(text), "…");
    else
        (void)snprintf(text, sizeof(text), "no program is at a terminal; %s starts a shell", key);
    (void)paint_lines(region, 1, 1, region.width - 2, STYLE(ROLE_DIM), gb_bytes_str(text));
}

void shells_draw(const struct session_view *self, struct region region, bool focused)
{
    const struct shells *shells = &self->shells;
    const size_t selected = shells_row(self);
    struct shells_regions regions;

    if (shells->count == 0) {
        shells_draw_none(self, region);
        return;
    }
    shells_split(shells, region, &regions);
    for (int y = 0; y < regions.list.height && shells->top + (size_t)y < shells->count; y++)
        shells_draw_row(self, &shells->shells[shells->top + (size_t)y],
                        region_part(regions.list, 0, y, -1, 1), shells->top + (size_t)y == selected,
                        focused);
    shells_draw_head(self, regions.head);
    shells_draw_screen(self, regions.screen);
}
