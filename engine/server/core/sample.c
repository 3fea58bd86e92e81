/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <unistd.h>

#include "base/clock.h"
#include "platform/system.h"
#include "rpc/object.h"
#include "server/core/hosted.h"
#include "server/core/state.h"

enum {
    PASS_MS = 900, /* a pass that started more recently than this still counts */
    TICK_MS = 100, /* between two slices of a pass */
    TICK_BUDGET_MS = 10,
    LOOK_BUDGET_MS = 20, /* time limit within a request */
};

static void sample_consider(struct gb_vm *vm, struct gb_vm **oldest)
{
    if (vm != NULL && (*oldest == NULL || gb_vm_looked_ns(vm) < gb_vm_looked_ns(*oldest)))
        *oldest = vm;
}

/* The VM with the oldest sample; NULL: all have been sampled since the pass began. */
static struct gb_vm *sample_next(struct gb_server *server)
{
    struct gb_vm *oldest = NULL;
    struct gb_pool_vm one;
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link)
        sample_consider(gb_session_vm(hosted->session), &oldest);
    for (size_t at = 0; gb_pool_next_vm(server->capacity->pool, &at, &one);)
        sample_consider(one.vm, &oldest);
    return oldest != NULL && gb_vm_looked_ns(oldest) < server->pass_ns ? oldest : NULL;
}

/* Continues for @budget_ms, and leaves the rest for later. */
static void sample_go_on(struct gb_server *server, uint64_t budget_ms)
{
    uint64_t until_ns = gb_clock_mono_ns() + budget_ms * GB_NS_PER_MS;
    struct gb_vm *vm;

    while ((vm = sample_next(server)) != NULL && gb_clock_mono_ns() < until_ns)
        (void)gb_vm_look(vm, UINT64_MAX);
    if (vm != NULL)
        gb_timer_start(server->pass_timer, TICK_MS);
}

static void sample_on_tick(void *arg)
{
    sample_go_on(arg, TICK_BUDGET_MS);
}

void sample_look(struct gb_server *server)
{
    uint64_t now = gb_clock_mono_ns();

    if (now - server->pass_ns > PASS_MS * GB_NS_PER_MS)
        server->pass_ns = now;
    sample_go_on(server, LOOK_BUDGET_MS);
}

void sample_pass(struct gb_server *server)
{
    server->pass_ns = gb_clock_mono_ns();
    sample_go_on(server, TICK_BUDGET_MS);
}

uint64_t sample_budget(void)
{
    return gb_clock_mono_ns() + LOOK_BUDGET_MS * GB_NS_PER_MS;
}

const struct gb_vm_sample *sample_of(struct hosted *hosted, uint64_t until_ns)
{
    struct gb_vm *vm = gb_session_vm(hosted->session);

    return vm != NULL ? gb_vm_look(vm, until_ns) : NULL;
}

void sample_describe(struct gb_session_info *info, struct hosted *hosted, uint64_t until_ns)
{
    const struct gb_vm_sample *sample = sample_of(hosted, until_ns);

    if (sample != NULL) {
        info->flags |= GB_SESSION_HAS_USAGE;
        info->memory_bytes = sample->pss_bytes;
        info->cpu_ns = sample->cpu_ns;
    }
    if (hosted->has_status) {
        info->flags |= GB_SESSION_HAS_GUEST_MEMORY;
        info->guest_total = hosted->guest_total;
        info->guest_used = hosted->guest_used;
    }
}

void sample_describe_host(struct gb_host_info *info)
{
    *info = (struct gb_host_info){.cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
                                  .memory_total = gb_system_memory_total(),
                                  .memory_available = gb_system_memory_available()};
}

void sample_put_host(struct gb_json_out *out)
{
    struct gb_host_info info;

    sample_describe_host(&info);
    gb_json_object(out, "host");
    gb_object_write(out, &gb_host_object, &info);
    gb_json_end(out);
}

void sample_init(struct gb_server *server)
{
    server->pass_timer = gb_timer_new(server->loop, sample_on_tick, server);
}

void sample_release(struct gb_server *server)
{
    gb_timer_free(server->pass_timer);
}
