/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. A limit applies to a group and all groups below it, so each reading walks
 * from our group up to the mount point. The groups themselves are looked up once: a process rarely
 * changes its group, and the mounts of control groups never change.
 *
 * Inside a container the path in /proc/self/cgroup may be the host's while the mount only shows the
 * subtree of our group: the common prefix of the mount's root and the path is removed, and if there
 * is none, the mount point is our group.
 */
#include "platform/budget.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/linux/budget_parse.h"

enum { TEXT_MAX = 1 << 20, LEVELS_MAX = 32 };

/* A hierarchy. */
struct groups {
    char *top; /* the mount point, relative to the root; NULL: none */
    char *own; /* our group; starts with `top` */
};

struct gb_budget {
    char *root;
    struct groups unified, memory, cpu;
};

static bool budget_read_text(const char *root, const char *path, struct gb_buf *text)
{
    _cleanup_(freep) char *file = xasprintf("%s%s", root, path);

    gb_buf_clear(text);
    return gb_fd_read_file(file, TEXT_MAX, text, NULL) == 0;
}

/* ---- where the groups are ---- */

static void budget_find_groups(struct gb_budget *budget, struct gb_bytes own,
                               struct gb_bytes mounts, const char *controller,
                               struct groups *groups)
{
    struct budget_mount mount;
    struct gb_bytes path;
    size_t root;

    if (!budget_parse_group(own, controller, &path) ||
        !budget_parse_mount(mounts, controller, &mount))
        return;
    root = strcmp(mount.root, "/") == 0 ? 0 : strlen(mount.root);
    if (path.size >= root && memcmp(path.data, mount.root, root) == 0 &&
        (path.size == root || path.data[root] == '/') &&
        memmem(path.data, path.size, "/..", 3) == NULL) {
        path.data += root;
        path.size -= root;
    } else {
        path.size = 0;
    }
    while (path.size > 0 && path.data[path.size - 1] == '/')
        path.size--;
    groups->top = xasprintf("%s%s", budget->root, mount.point);
    groups->own = xasprintf("%s%.*s", groups->top, (int)path.size, (const char *)path.data);
    budget_mount_release(&mount);
}

struct gb_budget *gb_budget_new(const char *root)
{
    struct gb_budget *budget = xcalloc(1, sizeof(*budget));
    _cleanup_(gb_buf_release) struct gb_buf own = {0}, mounts = {0};

    budget->root = xstrdup(root);
    if (budget_read_text(root, "/proc/self/cgroup", &own) &&
        budget_read_text(root, "/proc/self/mountinfo", &mounts)) {
        budget_find_groups(budget, gb_buf_bytes(&own), gb_buf_bytes(&mounts), NULL,
                           &budget->unified);
        budget_find_groups(budget, gb_buf_bytes(&own), gb_buf_bytes(&mounts), "memory",
                           &budget->memory);
        budget_find_groups(budget, gb_buf_bytes(&own), gb_buf_bytes(&mounts), "cpu", &budget->cpu);
    }
    return budget;
}

static void budget_release_groups(struct groups *groups)
{
    free(groups->top);
    free(groups->own);
}

void gb_budget_free(struct gb_budget *budget)
{
    if (budget == NULL)
        return;
    budget_release_groups(&budget->unified);
    budget_release_groups(&budget->memory);
    budget_release_groups(&budget->cpu);
    free(budget->root);
    free(budget);
}

/* ---- readings ---- */

/* Calls @look for our group and each one above it. */
static void budget_walk(const struct groups *groups, void (*look)(const char *group, void *arg),
                        void *arg)
{
    _cleanup_(freep) char *group = groups->top == NULL ? NULL : xstrdup(groups->own);
    size_t top = group == NULL ? 0 : strlen(groups->top);

    for (int level = 0; group != NULL && level < LEVELS_MAX; level++) {
        char *slash = strrchr(group, '/');

        look(group, arg);
        if (slash == NULL || (size_t)(slash - group) < top)
            return;
        *slash = '\0';
    }
}

static bool budget_read_limit(const char *group, const char *name, uint64_t *ret_value)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    return budget_read_text(group, name, &text) &&
           budget_parse_limit(gb_buf_bytes(&text), ret_value);
}

static uint64_t budget_read_field(const char *group, const char *name, const char *field)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    uint64_t value;

    if (budget_read_text(group, name, &text) &&
        budget_parse_field(gb_buf_bytes(&text), field, &value))
        return value;
    return 0;
}

/* A group's memory limit, and how much of it is left: inactive file pages are reclaimed before
 * anybody runs out of memory. */
static void budget_look_memory(struct gb_budget_reading *reading, uint64_t limit, uint64_t used,
                               uint64_t reclaimable)
{
    uint64_t left;

    if (limit == 0)
        return;
    used -= MIN(used, reclaimable);
    left = limit - MIN(limit, used);
    reading->memory_available = MIN(reading->memory_available, left);
    if (limit < reading->memory_limit) {
        reading->memory_limit = limit;
        reading->memory_by_group = true;
    }
}

static void budget_look_unified_memory(const char *group, void *arg)
{
    uint64_t limit, used;

    if (budget_read_limit(group, "/memory.max", &limit) && limit != UINT64_MAX &&
        budget_read_limit(group, "/memory.current", &used))
        budget_look_memory(arg, limit, used,
                           budget_read_field(group, "/memory.stat", "inactive_file"));
}

static void budget_look_old_memory(const char *group, void *arg)
{
    uint64_t limit, used;

    if (budget_read_limit(group, "/memory.limit_in_bytes", &limit) &&
        budget_read_limit(group, "/memory.usage_in_bytes", &used))
        budget_look_memory(arg, limit, used,
                           budget_read_field(group, "/memory.stat", "total_inactive_file"));
}

static void budget_look_cpus(struct gb_budget_reading *reading, double cpus)
{
    if (cpus > 0 && cpus < reading->cpus) {
        reading->cpus = cpus;
        reading->cpus_by_group = true;
    }
}

static void budget_look_unified_cpu(const char *group, void *arg)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    double cpus;

    if (budget_read_text(group, "/cpu.max", &text) &&
        budget_parse_cpu_max(gb_buf_bytes(&text), &cpus))
        budget_look_cpus(arg, cpus);
}

static void budget_look_old_cpu(const char *group, void *arg)
{
    uint64_t quota, period;

    if (budget_read_limit(group, "/cpu.cfs_quota_us", &quota) && quota != UINT64_MAX &&
        budget_read_limit(group, "/cpu.cfs_period_us", &period) && period > 0)
        budget_look_cpus(arg, (double)quota / (double)period);
}

static void budget_read_pressure(const char *root, const char *path,
                                 struct gb_budget_reading *reading)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    double percent;

    if (!budget_read_text(root, path, &text) ||
        !budget_parse_pressure(gb_buf_bytes(&text), &percent))
        return;
    reading->has_pressure = true;
    reading->pressure = fmax(reading->pressure, percent);
}

static double budget_own_cpus(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return CPU_COUNT(&set);
    return (double)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1); /* there are more CPUs than bits in the
                                                           * set */
}

void gb_budget_read(const struct gb_budget *budget, struct gb_budget_reading *ret_reading)
{
    struct gb_budget_reading reading = {
        .memory_limit = UINT64_MAX, .memory_available = UINT64_MAX, .cpus = budget_own_cpus()};
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    uint64_t value;

    if (budget_read_text(budget->root, "/proc/meminfo", &text)) {
        if (budget_parse_field(gb_buf_bytes(&text), "MemTotal:", &value) && value > 0)
            reading.memory_total = reading.memory_limit = value;
        if (budget_parse_field(gb_buf_bytes(&text), "MemAvailable:", &value))
            reading.memory_available = value;
    }
    budget_walk(&budget->unified, budget_look_unified_memory, &reading);
    budget_walk(&budget->memory, budget_look_old_memory, &reading);
    budget_walk(&budget->unified, budget_look_unified_cpu, &reading);
    budget_walk(&budget->cpu, budget_look_old_cpu, &reading);
    budget_read_pressure(budget->root, "/proc/pressure/memory", &reading);
    if (budget->unified.own != NULL)
        budget_read_pressure(budget->unified.own, "/memory.pressure", &reading);
    if (reading.memory_limit == UINT64_MAX)
        reading.memory_limit = 0;
    *ret_reading = reading;
}
