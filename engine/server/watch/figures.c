/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include "base/clock.h"
#include "model/session.h"
#include "rpc/object.h"
#include "server/core/event.h"
#include "server/core/sample.h"
#include "server/core/state.h"
#include "vm/vm.h"

enum {
    FIGURES_MS = 10000,
    FIGURES_FIRST_MS = 1000,
};

static void figures_on_round(void *arg)
{
    struct gb_server *server = arg;
    struct watch_server *state = watch_of_server(server);
    struct hosted *hosted;

    state->figures_run = !gb_list_empty(&server->sessions);
    if (!state->figures_run)
        return;
    gb_timer_start(state->figures_timer, FIGURES_MS);
    state->figures_round++;
    state->figures_at_ns[state->figures_round % GB_FIGURES] = gb_clock_wall_ns();
    sample_pass(server);
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        const struct gb_vm_sample *sample = sample_of(hosted, 0);

        if (sample == NULL)
            continue;
        watch_of_session(hosted)->figures[state->figures_round % GB_FIGURES] = (struct figure){
            .round = state->figures_round,
            .memory_kib = (uint32_t)MIN(sample->pss_bytes >> 10, (uint64_t)UINT32_MAX),
            .cpu_ns = sample->cpu_ns,
        };
    }
}

void figures_begin(struct hosted *hosted)
{
    struct watch_server *state = watch_of_server(hosted->server);

    if (state->figures_run)
        return;
    state->figures_run = true;
    gb_timer_start(state->figures_timer, FIGURES_FIRST_MS);
}

/* ---- for a new watcher ---- */

static uint32_t figures_first(const struct watch_server *state, size_t sessions)
{
    uint32_t rounds = MIN(state->figures_round, (uint32_t)GB_FIGURES);
    size_t most = GB_FIGURES_TOLD / MAX(sessions, (size_t)1);

    return state->figures_round + 1 - (uint32_t)MIN((size_t)rounds, most);
}

/* NULL: the session had none in that round. */
static const struct figure *figures_of(struct hosted *hosted, uint32_t round)
{
    const struct figure *figure = &watch_of_session(hosted)->figures[round % GB_FIGURES];

    return figure->round == round ? figure : NULL;
}

static void figures_replay_round(struct gb_server *server, uint32_t round, void *to)
{
    uint64_t at_ns = watch_of_server(server)->figures_at_ns[round % GB_FIGURES];
    struct event event;
    struct hosted *hosted;

    event_begin_for(&event, server, "sample", NULL, at_ns, to);
    gb_json_array(&event.out, "sessions");
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        const struct figure *figure = figures_of(hosted, round);
        struct gb_session_info info = {.id = gb_bytes_str(gb_session_id(hosted->session)),
                                       .flags = GB_SESSION_HAS_USAGE | GB_SESSION_REPLAYED};

        if (figure == NULL)
            continue;
        info.memory_bytes = (uint64_t)figure->memory_kib << 10;
        info.cpu_ns = figure->cpu_ns;
        gb_json_object(&event.out, NULL);
        gb_object_write(&event.out, &gb_sample_object, &info);
        gb_json_end(&event.out);
    }
    gb_json_end(&event.out);
    gb_json_put_bool(&event.out, "replay", true);
    event_end(&event);
}

void figures_replay(struct gb_server *server, void *to)
{
    const struct watch_server *state = watch_of_server(server);

    for (uint32_t round = figures_first(state, server->session_count);
         round <= state->figures_round; round++)
        figures_replay_round(server, round, to);
}

void figures_init(struct gb_server *server)
{
    watch_of_server(server)->figures_timer = gb_timer_new(server->loop, figures_on_round, server);
}

void figures_release(struct gb_server *server)
{
    gb_timer_free(watch_of_server(server)->figures_timer);
}
