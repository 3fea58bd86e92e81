/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include "base/clock.h"
#include "base/mem.h"

enum {
    PAUSE_MS = 500, /* between two events that belong together */
    STANDS_MS = 2000,
    CODE_BYTES = 16 << 20,
};

void limit_look(struct limit *limit, const struct cgroup *group, int proc_fd)
{
    uint64_t events = cgroup_limit_events(group), now = gb_clock_mono_ns();

    if (events == limit->events)
        return;
    if (now - limit->newest_ns > PAUSE_MS * GB_NS_PER_MS)
        limit->since_ns = now;
    limit->events = events;
    limit->newest_ns = now;
    if (now - limit->since_ns < STANDS_MS * GB_NS_PER_MS)
        return;
    limit->since_ns = now;
    if (!cgroup_drop(group, MIN(group->memory_max / 8, (uint64_t)CODE_BYTES)) &&
        cgroup_kill_largest(group, proc_fd))
        limit->kills++;
}

uint64_t limit_kills(const struct limit *limit, const struct cgroup *group)
{
    return cgroup_oom_kills(group) + limit->kills;
}
