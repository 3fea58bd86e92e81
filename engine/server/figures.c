/* Figures of the last minutes, for whoever begins to watch: a ring in each seat, one entry a round.
 *
 * Theory of operation. A round goes over all VMs every FIGURES_MS while there are any, under the
 * same budget of time as the samples of watchers, and notes what is known then. Rounds have numbers
 * and a time each, so that an entry which a round has left out is seen to be an old one.
 */
#include "base/clock.h"
#include "server/internal.h"

enum { FIGURES_MS = 10000, FIGURES_FIRST_MS = 1000, SAMPLE_BUDGET_MS = 5 };

void figures_refresh(struct gb_server *server)
{
    uint64_t until_ns = gb_clock_mono_ns() + SAMPLE_BUDGET_MS * GB_NS_PER_MS;

    for (size_t i = 0; i < server->seat_count && gb_clock_mono_ns() < until_ns; i++) {
        struct seat *seat, *oldest = NULL;

        GB_LIST_FOREACH(seat, &server->seats, link)
        if (gb_session_vm(seat->session) != NULL &&
            (oldest == NULL || seat->sample_tried_ns < oldest->sample_tried_ns))
            oldest = seat;
        if (oldest == NULL)
            return;
        (void)seat_sample(oldest, until_ns);
        oldest->sample_tried_ns = gb_clock_mono_ns();
    }
}

static void on_round(void *arg)
{
    struct gb_server *server = arg;
    struct seat *seat;

    server->figures_run = !gb_list_empty(&server->seats);
    if (!server->figures_run)
        return;
    gb_timer_start(server->figures_timer, FIGURES_MS);
    figures_refresh(server);
    server->figures_round++;
    server->figures_at_ns[server->figures_round % GB_FIGURES] = gb_clock_wall_ns();
    GB_LIST_FOREACH(seat, &server->seats, link)
    {
        const struct gb_vm_sample *sample = seat_sample(seat, 0);

        if (sample == NULL)
            continue;
        seat->figures[server->figures_round % GB_FIGURES] = (struct figure){
            .round = server->figures_round,
            .memory_kib = (uint32_t)MIN(sample->pss_bytes >> 10, (uint64_t)UINT32_MAX),
            .cpu_ns = sample->cpu_ns,
        };
    }
}

void figures_begin(struct gb_server *server)
{
    if (server->figures_run)
        return;
    server->figures_run = true;
    gb_timer_start(server->figures_timer, FIGURES_FIRST_MS);
}

uint32_t figures_first(const struct gb_server *server, size_t seats)
{
    uint32_t rounds = MIN(server->figures_round, (uint32_t)GB_FIGURES);
    size_t most = GB_FIGURES_TOLD / MAX(seats, (size_t)1);

    return server->figures_round + 1 - (uint32_t)MIN((size_t)rounds, most);
}

const struct figure *figures_of(const struct seat *seat, uint32_t round)
{
    const struct figure *figure = &seat->figures[round % GB_FIGURES];

    return figure->round == round ? figure : NULL;
}

void figures_init(struct gb_server *server)
{
    server->figures_timer = gb_timer_new(server->loop, on_round, server);
}

void figures_release(struct gb_server *server)
{
    gb_timer_free(server->figures_timer);
}
