/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/core/event.h"
#include "server/core/state.h"

struct log_line {
    struct gb_list link;
    enum gb_log_level level;
    char *message;
};

static void log_clear(struct watch_server *state)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&state->log_lines)) != NULL) {
        struct log_line *line = container_of(link, struct log_line, link);

        free(line->message);
        free(line);
    }
    state->log_count = 0;
}

static void log_on_turn(void *arg)
{
    struct gb_server *server = arg;
    struct log_line *line;

    GB_LIST_FOREACH(line, &watch_of_server(server)->log_lines, link) {
        struct event event;

        if (!event_begin(&event, server, "server.log", NULL))
            break;
        gb_json_put_str(&event.out, "level", gb_log_level_name(line->level));
        gb_json_put_str(&event.out, "message", line->message);
        event_end(&event);
    }
    log_clear(watch_of_server(server));
}

/* A message may be logged in the middle of anything: it is sent from the loop. */
static void log_on_line(void *arg, enum gb_log_level level, const char *message)
{
    struct gb_server *server = arg;
    struct watch_server *state = watch_of_server(server);
    struct log_line *line;

    if (state->log_count >= GB_EVENT_LOG_MAX)
        return;
    line = xcalloc(1, sizeof(*line));
    line->level = level;
    line->message = xstrdup(message);
    gb_list_add_tail(&state->log_lines, &line->link);
    state->log_count++;
    gb_loop_defer(server->loop, &state->log_deferred, log_on_turn, server);
}

void log_watch(struct gb_server *server, bool on)
{
    gb_log_tap(on ? log_on_line : NULL, server);
}

void log_init(struct gb_server *server)
{
    struct watch_server *state = watch_of_server(server);

    gb_list_init(&state->log_lines);
}

void log_release(struct gb_server *server)
{
    struct watch_server *state = watch_of_server(server);

    gb_loop_undefer(&state->log_deferred);
    log_clear(state);
}
