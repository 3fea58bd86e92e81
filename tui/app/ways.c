/* SPDX-License-Identifier: Apache-2.0 */
/* The places that the user was at, to go backward and forward among them, as in a browser: the list
 * of sessions, that of ended ones, and sessions with their tab and cell. */
#include <stdio.h>
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"

void ways_leave(struct tui *tui)
{
    struct ways *ways = &tui->ways;
    const struct view *view = tui->view;
    struct gb_buf line = {0};

    if (ways->moving || ways->count == 0)
        return;
    if (view->ops->place != NULL)
        view->ops->place(view, &line);
    (void)snprintf(ways->list[ways->at].line, sizeof(ways->list[0].line), "%s", gb_buf_str(&line));
    gb_buf_release(&line);
}

void ways_arrive(struct tui *tui)
{
    struct ways *ways = &tui->ways;
    struct way *way;

    if (ways->moving)
        return;
    ways->count = MIN(ways->count, ways->at + 1); /* nothing is ahead any more */
    if (ways->count == WAYS_MAX) {
        memmove(&ways->list[0], &ways->list[1], (WAYS_MAX - 1) * sizeof(ways->list[0]));
        ways->count--;
    }
    ways->at = ways->count++;
    way = &ways->list[ways->at];
    *way = (struct way){0};
    if (tui->open_view != NULL)
        way->session = tui->opened;
}

static void ways_go(struct tui *tui, const struct way *way)
{
    if (way->session.id[0] != '\0')
        tui_open_session(container_of(way->session.store, struct uplink, store), way->session.id);
    else
        tui_show_first(tui);
    if (way->line[0] != '\0')
        tui_command(tui, way->line);
}

static void ways_step(struct tui *tui, bool forward)
{
    struct ways *ways = &tui->ways;
    struct way way;
    char key[KEY_NAME_MAX];

    if (forward ? ways->at + 1 >= ways->count : ways->at == 0) {
        tui_say(tui, MESSAGE_PLAIN, forward ? "this is the last place" : "this is the first place");
        return;
    }
    way = ways->list[forward ? ways->at + 1 : ways->at - 1];
    if (tui->config.exit_with_session && way.session.id[0] == '\0') {
        tui_key_of(tui, tui_context(tui), "quit", key);
        tui_say(tui, MESSAGE_PLAIN, "%s leaves; the session continues", key);
        return;
    }
    ways_leave(tui);
    ways->at = forward ? ways->at + 1 : ways->at - 1;
    ways->moving = true;
    ways_go(tui, &way);
    ways->moving = false;
}

void ways_run_backward(struct tui *tui, const struct words *words)
{
    (void)words;
    ways_step(tui, false);
}

void ways_run_forward(struct tui *tui, const struct words *words)
{
    (void)words;
    ways_step(tui, true);
}
