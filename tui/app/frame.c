/* The frame around the view: header, breadcrumb, line of messages, bar of keys. */
#include <stdio.h>
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"

static void paint_header(struct tui *tui, struct region row)
{
    unsigned by_state[SESSION_STATE_COUNT] = {0};
    struct session *session;
    int x = 0;

    paint_fill(row, STYLE(ROLE_HEADER));
    GB_LIST_FOREACH(session, &tui->store.sessions, link)
    by_state[session->state]++;
    x += paint_str(row, x, 0, STYLE(ROLE_HEADER_NAME), " glovebox ");
    x += paint_f(row, x, 0, STYLE(ROLE_HEADER), " %u running  %u waiting  %u idle",
                 by_state[SESSION_RUNNING], by_state[SESSION_WAITING], by_state[SESSION_IDLE]);
}

static void paint_crumbs(struct tui *tui, struct region row)
{
    struct gb_buf text = {0};

    tui->view->ops->title(tui->view, &text);
    (void)paint_text(row, 1, 0, STYLE(ROLE_TITLE), gb_buf_bytes(&text));
    gb_buf_release(&text);
    if (tui->store.server.told && !tui->store.server.hardware)
        paint_right(row, 0, 0, row.width - 1, STYLE(ROLE_BANNER_WARNING),
                    gb_bytes_str(" ▲ emulation (TCG): not a security boundary "));
}

static void paint_message(struct tui *tui, struct region row)
{
    static const enum role roles[] = {ROLE_MESSAGE, ROLE_MESSAGE_GOOD, ROLE_MESSAGE_WARNING,
                                      ROLE_MESSAGE_ERROR};
    int x = 1;

    if (tui->message_command[0] != '\0')
        x += paint_f(row, x, 0, STYLE(ROLE_MESSAGE_COMMAND), ":%s", tui->message_command) + 2;
    (void)paint_cut(row, x, 0, row.width - x, STYLE(roles[tui->message_kind]),
                    gb_bytes_str(tui->message));
}

static void paint_bar(struct tui *tui, struct region row)
{
    enum context context = tui->view->ops->context(tui->view);
    int x = 1;

    paint_fill(row, STYLE(context == CONTEXT_REPL ? ROLE_BAR_REPL : ROLE_BAR));
    for (size_t i = 0; i < tui->tables.count; i++)
        for (const struct command *at = tui->tables.tables[i]; at->name != NULL; at++) {
            char name[KEY_NAME_MAX];
            struct key key;

            if (at->bar == NULL || (at->context != context && at->context != CONTEXT_GLOBAL) ||
                !keymap_key(&tui->keymap, at->context, at->name, &key))
                continue;
            key_text(key, name);
            x += paint_str(row, x, 0, STYLE(ROLE_BAR_KEY), name) + 1;
            x += paint_str(row, x, 0, STYLE(ROLE_BAR), at->bar) + 2;
        }
}

void frame_paint(struct tui *tui, struct region region)
{
    if (region.width < SCREEN_COLUMNS_MIN || region.height < SCREEN_ROWS_MIN) {
        (void)paint_f(region, 1, 0, STYLE(ROLE_STRONG), "%d×%d is too small", region.width,
                      region.height);
        (void)paint_f(region, 1, 1, STYLE(ROLE_DIM), "glovebox needs %d×%d", SCREEN_COLUMNS_MIN,
                      SCREEN_ROWS_MIN);
        return;
    }
    paint_header(tui, region_cut_top(&region, 1));
    paint_crumbs(tui, region_cut_top(&region, 1));
    paint_bar(tui, region_cut_bottom(&region, 1));
    paint_message(tui, region_cut_bottom(&region, 1));
    tui->view_region = region;
    tui->view->ops->draw(tui->view, region, tui->overlay == NULL);
    if (tui->overlay != NULL)
        tui->overlay->ops->draw(tui->overlay, region_all(&tui->grid));
}

const char *frame_click(struct tui *tui, int x, int y)
{
    (void)tui;
    (void)x;
    (void)y;
    return NULL;
}
