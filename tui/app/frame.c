/* SPDX-License-Identifier: Apache-2.0 */
/* The frame around the view: header, breadcrumb, banner, message line, key bar. */
#include <stdio.h>
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"

enum { MESSAGE_ROWS_MAX = 5, COMMAND_SHOWN = 100 };

void tui_add_click(struct tui *tui, int x, int y, int width, const char *line)
{
    struct click *click = &tui->clicks[tui->click_count];

    if (tui->click_count == CLICKS_MAX)
        return;
    tui->click_count++;
    *click = (struct click){.x = x, .y = y, .width = width};
    (void)snprintf(click->line, sizeof(click->line), "%s", line);
}

const char *frame_click(struct tui *tui, int x, int y)
{
    for (size_t i = 0; i < tui->click_count; i++) {
        const struct click *click = &tui->clicks[i];

        if (y == click->y && x >= click->x && x < click->x + click->width)
            return click->line;
    }
    return NULL;
}

static int frame_command_columns(const struct tui *tui)
{
    size_t size = strnlen(tui->message_command, COMMAND_SHOWN);

    return tui->message_command[0] == '\0'
               ? 0
               : (int)text_columns((struct gb_bytes){(const uint8_t *)tui->message_command, size}) +
                     3;
}

/* How many rows the message needs: a long one is wrapped, because the remedy is at its end. */
static int frame_message_rows(const struct tui *tui, struct region all)
{
    struct region nowhere = region_part(all, 0, 0, -1, 0);
    int rows =
        paint_lines(nowhere, 0, 0, all.width - 4, STYLE(ROLE_MESSAGE), gb_bytes_str(tui->message));
    int taken = tui->message_command[0] != '\0' ? 1 : 0;

    /* Next to the command that it answers, if there is room. */
    if (rows <= 1 &&
        (int)text_columns(gb_bytes_str(tui->message)) + frame_command_columns(tui) + 6 <= all.width)
        return 1;
    return MIN(rows + taken, MESSAGE_ROWS_MAX);
}

static void frame_paint_message(struct tui *tui, struct region region)
{
    struct region row = region_part(region, 0, 0, -1, 1);

    static const enum role roles[] = {ROLE_MESSAGE, ROLE_MESSAGE_GOOD, ROLE_MESSAGE_WARNING,
                                      ROLE_MESSAGE_ERROR};
    static const char *const signs[] = {"", "✓ ", "▲ ", "✕ "};
    int x = 1;

    if (tui->message_command[0] != '\0')
        x += paint_f(row, x, 0, STYLE(ROLE_MESSAGE_COMMAND), ":%.*s", COMMAND_SHOWN,
                     tui->message_command) +
             2;
    if (tui->message[0] == '\0')
        return;
    if (region.height > 1) {
        int y = tui->message_command[0] != '\0' ? 1 : 0;

        x = 1 + paint_str(region, 1, y, STYLE(roles[tui->message_kind]), signs[tui->message_kind]);
        (void)paint_lines(region, x, y, region.width - 4, STYLE(roles[tui->message_kind]),
                          gb_bytes_str(tui->message));
        return;
    }
    x += paint_str(row, x, 0, STYLE(roles[tui->message_kind]), signs[tui->message_kind]);
    (void)paint_cut(row, x, 0, row.width - x - 1, STYLE(roles[tui->message_kind]),
                    gb_bytes_str(tui->message));
}

/* Paints the key of a row and a word for it at @x; returns the columns used, painting only if they
 * fit. */
static int frame_paint_named_key(struct tui *tui, struct region row, int x,
                                 const struct command *command, const char *word, enum role ground)
{
    struct style key_style = tui_on(tui, ROLE_BAR_KEY, ground), style = STYLE(ground);
    char name[KEY_NAME_MAX];
    struct key key;
    int width;

    if (!keymap_key(&tui->keymap, command->context, command->name, &key))
        return 0;
    key_text(key, name);
    width = (int)(text_columns(gb_bytes_str(name)) + text_columns(gb_bytes_str(word))) + 1;
    if (x + width > row.width)
        return width + 2;
    x += paint_str(row, x, 0, key_style, name) + 1;
    (void)paint_str(row, x, 0, style, word);
    tui_add_click(tui, row.x + x - (int)text_columns(gb_bytes_str(name)) - 1, row.y, width,
                  command->name);
    return width + 2;
}

static int frame_paint_key(struct tui *tui, struct region row, int x, const struct command *command,
                           enum role ground)
{
    return command->bar != NULL ? frame_paint_named_key(tui, row, x, command, command->bar, ground)
                                : 0;
}

/* Paints the rows of @context that belong in the bar, as long as there is room; returns the
 * position of the next. */
static int frame_paint_keys(struct tui *tui, struct region row, int x, enum context context,
                            enum role ground, const struct command *but)
{
    for (size_t i = 0; i < tui->tables.count; i++)
        for (const struct command *at = tui->tables.tables[i]; at->name != NULL; at++)
            if (at->context == context && at != global_commands && at != but &&
                (tui->view->ops->has == NULL || tui->view->ops->has(tui->view, at)))
                x += frame_paint_key(tui, row, x, at, ground);
    return x;
}

/* The view's most important command at the moment; NULL: none in particular. */
static const struct command *frame_urgent_command(struct tui *tui)
{
    const char *name = closing_is_pending(tui)          ? "undo"
                       : tui->view->ops->urgent != NULL ? tui->view->ops->urgent(tui->view)
                                                        : NULL;

    return name != NULL ? command_find(&tui->tables, tui_context(tui), name) : NULL;
}

static int frame_key_columns(const struct bar_key *key)
{
    return (int)(text_columns(gb_bytes_str(key->key)) + text_columns(gb_bytes_str(key->word))) + 1;
}

/* Those up to @end (NULL: all). Returns the position of the next. */
static int frame_paint_plain_keys(struct tui *tui, struct region row, int x,
                                  const struct bar_key *keys, const struct bar_key *end,
                                  enum role ground)
{
    for (; keys != end && keys->key != NULL; keys++) {
        if (x + frame_key_columns(keys) > row.width)
            break;
        x += paint_str(row, x, 0, tui_on(tui, ROLE_BAR_KEY, ground), keys->key) + 1;
        x += paint_str(row, x, 0, STYLE(ground), keys->word) + 2;
    }
    return x;
}

/* The overlay on top of the view has the keys. Its last key leads out of it, and is always
 * shown. */
static void frame_paint_overlay_bar(struct tui *tui, struct region row)
{
    const struct bar_key *last = tui->overlay->keys;
    int x;

    while (last[1].key != NULL)
        last++;

    paint_fill(row, STYLE(ROLE_BAR));
    x = 1 + paint_f(row, 0, 0, STYLE(ROLE_BAR_MODE), " %s ", tui->overlay->ops->mode);
    x = frame_paint_plain_keys(tui,
                               region_part(row, 0, 0, row.width - frame_key_columns(last) - 2, 1),
                               x, tui->overlay->keys, last, ROLE_BAR);
    (void)frame_paint_plain_keys(tui, row, x, last, NULL, ROLE_BAR);
}

static void frame_paint_bar(struct tui *tui, struct region row)
{
    enum context context = tui_context(tui);
    const struct command *urgent = frame_urgent_command(tui);
    bool typing = context == CONTEXT_REPL;
    enum role ground = typing ? ROLE_BAR_REPL : ROLE_BAR;
    int x;

    paint_fill(row, STYLE(ground));
    x = 1 + paint_str(row, 0, 0, STYLE(ROLE_BAR_MODE), typing ? " TYPING " : " KEYS ");
    /* The key for all others is always visible. */
    if (!typing)
        (void)frame_paint_key(tui, region_cut_right(&row, 8), 1, global_commands, ground);
    if (urgent != NULL)
        x += frame_paint_named_key(tui, row, x, urgent,
                                   urgent->bar != NULL ? urgent->bar : urgent->name, ground);
    if (context != CONTEXT_GLOBAL)
        x = frame_paint_keys(tui, row, x, context, ground, urgent);
    if (typing && tui->view->ops->keys != NULL)
        (void)frame_paint_plain_keys(tui, row, x, tui->view->ops->keys(tui->view), NULL, ground);
    if (!typing)
        (void)frame_paint_keys(tui, row, x, CONTEXT_GLOBAL, ground, urgent);
}

static void frame_paint_banner_line(struct region *region, const struct gb_buf *text,
                                    enum role role)
{
    struct region row = region_cut_top(region, 1);

    paint_fill(row, STYLE(role));
    (void)paint_cut(row, 1, 0, row.width - 2, STYLE(role), gb_buf_bytes(text));
}

/* The view's banner, what its session asks, and its holder. */
static void frame_paint_banners(struct tui *tui, struct region *region)
{
    const struct view *view = tui->view;
    const struct session *session = view->below != NULL ? lease_subject(tui) : NULL;
    struct gb_buf text = {0};
    enum role role = ROLE_TEXT;

    if (view->ops->banner != NULL)
        role = view->ops->banner(tui->view, &text);
    if (text.size > 0)
        frame_paint_banner_line(region, &text, role);
    gb_buf_clear(&text);
    if (session != NULL && question_banner(tui, session, &text))
        frame_paint_banner_line(region, &text, ROLE_BANNER_WARNING);
    gb_buf_clear(&text);
    if (session != NULL && lease_text(tui, session, &text, &role))
        frame_paint_banner_line(region, &text, role);
    gb_buf_release(&text);
}

static void frame_paint_too_small(struct region region)
{
    struct style dim = STYLE(ROLE_DIM);

    (void)paint_f(region, 0, 0, STYLE(ROLE_STRONG), "%d×%d is too small", region.width,
                  region.height);
    (void)paint_f(region, 0, 1, dim, "glassbell wants %d×%d", SCREEN_COLUMNS_MIN, SCREEN_ROWS_MIN);
    (void)paint_str(region, 0, 2, dim, "q leaves");
}

bool frame_paint(struct tui *tui, struct region region)
{
    struct region all = region;

    tui->click_count = 0;
    if (region.width < SCREEN_COLUMNS_MIN || region.height < SCREEN_ROWS_MIN) {
        frame_paint_too_small(region);
        return false;
    }
    if (region.height >= HEADER_ROWS_MIN)
        header_paint(tui, region_cut_top(&region, 1));
    crumbs_paint(tui, region_cut_top(&region, 1));
    if (tui->uplink_count > 1 && (all.height >= HEADER_ROWS_MIN || !links_are_up(tui)))
        links_paint(tui, region_cut_top(&region, 1));
    frame_paint_banners(tui, &region);
    if (tui->overlay != NULL)
        frame_paint_overlay_bar(tui, region_cut_bottom(&region, 1));
    else
        frame_paint_bar(tui, region_cut_bottom(&region, 1));
    frame_paint_message(tui, region_cut_bottom(&region, frame_message_rows(tui, region)));
    tui->view_region = region;
    if (tui->view->ops->arrange != NULL)
        tui->view->ops->arrange(tui->view, region);
    tui->view->ops->draw(tui->view, region, tui->overlay == NULL);
    if (tui->overlay != NULL) {
        all.grid->cursor = false;
        tui->overlay->ops->draw(tui->overlay, all);
    }
    mouse_paint(tui);
    return true;
}
