/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the link to each of several servers, in one line: connected, with its isolation;
 * connecting; lost, with the reason and the time of the next attempt. Where there is not enough
 * room, the reasons are left out first, then the names of those that are connected, then, with
 * their number, the last ones. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/internal.h"
#include "base/mem.h"

enum links_detail { LINKS_ALL, LINKS_SHORT, LINKS_COUNTED, LINKS_DETAIL_COUNT };

enum { LINKS_GAP = 3, LINKS_MORE = 11, LINKS_TEXT_MAX = GB_ERR_MESSAGE_MAX + 160 };

static void links_clock(double at, char text[16])
{
    const time_t seconds = (time_t)at;
    struct tm tm;

    text[0] = '\0';
    if (at > 0 && localtime_r(&seconds, &tm) != NULL)
        (void)strftime(text, 16, "%H:%M:%S", &tm);
}

static enum role links_text(const struct uplink *uplink, enum links_detail detail,
                            char text[LINKS_TEXT_MAX])
{
    const struct server *server = &uplink->store.server;
    const bool safe = server->hardware && server->missing_stages[0] == '\0';
    const char *name = uplink->store.name;
    char clock[16];

    switch (uplink->state) {
    case CONNECTION_UP:
        if (server->told)
            (void)snprintf(text, LINKS_TEXT_MAX, "%s %s %s", name, safe ? "✓" : "▲", server->accel);
        else
            (void)snprintf(text, LINKS_TEXT_MAX, "%s ✓", name);
        return server->told && !safe ? ROLE_WAITING : ROLE_CELL_GOOD;
    case CONNECTION_DIALING:
        (void)snprintf(text, LINKS_TEXT_MAX, "%s ◌ connecting", name);
        return ROLE_STARTING;
    case CONNECTION_LOST:
        break;
    }
    links_clock(uplink->retry_at, clock);
    if (clock[0] == '\0')
        (void)snprintf(text, LINKS_TEXT_MAX, "%s ✕ lost, connecting", name);
    else if (detail == LINKS_ALL)
        (void)snprintf(text, LINKS_TEXT_MAX, "%s ✕ lost, again at %s: %s", name, clock,
                       uplink->why);
    else
        (void)snprintf(text, LINKS_TEXT_MAX, "%s ✕ lost, again at %s", name, clock);
    return ROLE_LOST;
}

/* How many of the uplinks from @from on are not connected. */
static size_t links_left(const struct tui *tui, size_t from)
{
    size_t left = 0;

    for (size_t i = from; i < tui->uplink_count; i++)
        left += tui->uplinks[i].state != CONNECTION_UP;
    return left;
}

/* Whether @text of uplink @index fits at @x, with the number of those behind it that may not. */
static bool links_fit(const struct tui *tui, size_t index, int x, int width, const char *text)
{
    const int taken = (int)text_columns(gb_bytes_str(text));
    const bool last = links_left(tui, index + 1) == 0;

    return x + taken + (last ? 0 : LINKS_GAP + LINKS_MORE) <= width;
}

/* Paints from @x on, or only measures if the row has no height. Returns the columns used. */
static int links_paint_all(struct tui *tui, struct region row, enum links_detail detail)
{
    size_t connected = 0;
    int x = 1;

    for (size_t i = 0; i < tui->uplink_count; i++)
        connected += tui->uplinks[i].state == CONNECTION_UP;
    if (detail == LINKS_COUNTED && connected > 0)
        x += paint_f(row, x, 0, STYLE(ROLE_DIM), "✓ %zu connected", connected) + LINKS_GAP;
    for (size_t i = 0; i < tui->uplink_count; i++) {
        const struct uplink *uplink = &tui->uplinks[i];
        char text[LINKS_TEXT_MAX];
        enum role role;

        if (detail == LINKS_COUNTED && uplink->state == CONNECTION_UP)
            continue;
        role = links_text(uplink, detail, text);
        if (row.height > 0 && detail == LINKS_COUNTED && !links_fit(tui, i, x, row.width, text)) {
            (void)paint_f(row, x, 0, STYLE(ROLE_LOST), "and %zu more", links_left(tui, i));
            break;
        }
        if (row.height > 0)
            x += paint_cut(row, x, 0, row.width - x, STYLE(role), gb_bytes_str(text)) + LINKS_GAP;
        else
            x += (int)text_columns(gb_bytes_str(text)) + LINKS_GAP;
    }
    return x - LINKS_GAP;
}

bool links_are_up(const struct tui *tui)
{
    return links_left(tui, 0) == 0;
}

void links_paint(struct tui *tui, struct region row)
{
    const struct region nothing = region_part(row, 0, 0, -1, 0);
    int detail = LINKS_ALL;

    while (detail + 1 < LINKS_DETAIL_COUNT &&
           links_paint_all(tui, nothing, (enum links_detail)detail) > row.width)
        detail++;
    (void)links_paint_all(tui, row, (enum links_detail)detail);
}
