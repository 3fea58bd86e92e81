/* SPDX-License-Identifier: Apache-2.0 */
/* What VMs take of the host, for whoever looks, and the figures of the last minutes for whoever
 * begins to watch.
 *
 * Theory of operation. Reading the figures of a VM takes a millisecond or so, and there may be a
 * thousand. So nobody who asks waits for all of them: a *pass* reads those that have waited
 * longest, a few a tick, until each has been read since the pass began. Who looks begins one, so
 * that however many VMs there are, each has figures that are seconds old while somebody goes on
 * looking.
 *
 * The ring in each hosted has one entry a round. A round notes what is known then, and begins a
 * pass, every FIGURES_MS while there are sessions. Rounds have numbers and a time each, so that an
 * entry which a round has left out is seen to be an old one.
 */
#include "base/clock.h"
#include "server/internal.h"

enum {
    FIGURES_MS = 10000,
    FIGURES_FIRST_MS = 1000,
    PASS_MS = 900, /* a pass that began less than so long before is today's */
    TICK_MS = 100, /* between two parts of a pass */
    TICK_BUDGET_MS = 10,
    LOOK_BUDGET_MS = 20, /* of who asks */
};

static void consider(struct gb_vm *vm, struct gb_vm **oldest)
{
    if (vm != NULL && (*oldest == NULL || gb_vm_looked_ns(vm) < gb_vm_looked_ns(*oldest)))
        *oldest = vm;
}

/* The VM whose figures are oldest; NULL: all have been read since the pass began. */
static struct gb_vm *next_of_pass(struct gb_server *server)
{
    struct gb_vm *oldest = NULL;
    struct gb_pool_vm one;
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link)
        consider(gb_session_vm(hosted->session), &oldest);
    for (size_t at = 0; gb_pool_next_vm(server->room->pool, &at, &one);)
        consider(one.vm, &oldest);
    return oldest != NULL && gb_vm_looked_ns(oldest) < server->pass_ns ? oldest : NULL;
}

/* Reads on for @budget_ms, and leaves the rest for later. */
static void go_on(struct gb_server *server, uint64_t budget_ms)
{
    uint64_t until_ns = gb_clock_mono_ns() + budget_ms * GB_NS_PER_MS;
    struct gb_vm *vm;

    while ((vm = next_of_pass(server)) != NULL && gb_clock_mono_ns() < until_ns)
        (void)gb_vm_look(vm, UINT64_MAX);
    if (vm != NULL)
        gb_timer_start(server->pass_timer, TICK_MS);
}

static void on_tick(void *arg)
{
    go_on(arg, TICK_BUDGET_MS);
}

void figures_look(struct gb_server *server)
{
    uint64_t now = gb_clock_mono_ns();

    if (now - server->pass_ns > PASS_MS * GB_NS_PER_MS)
        server->pass_ns = now;
    go_on(server, LOOK_BUDGET_MS);
}

static void on_round(void *arg)
{
    struct gb_server *server = arg;
    struct hosted *hosted;

    server->figures_run = !gb_list_empty(&server->sessions);
    if (!server->figures_run)
        return;
    gb_timer_start(server->figures_timer, FIGURES_MS);
    server->figures_round++;
    server->figures_at_ns[server->figures_round % GB_FIGURES] = gb_clock_wall_ns();
    server->pass_ns = gb_clock_mono_ns();
    go_on(server, TICK_BUDGET_MS);
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        const struct gb_vm_sample *sample = hosted_sample(hosted, 0);

        if (sample == NULL)
            continue;
        hosted->figures[server->figures_round % GB_FIGURES] = (struct figure){
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

uint32_t figures_first(const struct gb_server *server, size_t sessions)
{
    uint32_t rounds = MIN(server->figures_round, (uint32_t)GB_FIGURES);
    size_t most = GB_FIGURES_TOLD / MAX(sessions, (size_t)1);

    return server->figures_round + 1 - (uint32_t)MIN((size_t)rounds, most);
}

const struct figure *figures_of(const struct hosted *hosted, uint32_t round)
{
    const struct figure *figure = &hosted->figures[round % GB_FIGURES];

    return figure->round == round ? figure : NULL;
}

void figures_init(struct gb_server *server)
{
    server->figures_timer = gb_timer_new(server->loop, on_round, server);
    server->pass_timer = gb_timer_new(server->loop, on_tick, server);
}

void figures_release(struct gb_server *server)
{
    gb_timer_free(server->figures_timer);
    gb_timer_free(server->pass_timer);
}
