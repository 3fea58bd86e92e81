/* The cgroup of everything that is the user's: limits, figures, and the end of all of it.
 *
 * All workers and what they start live in one group, "user"; the agent stays in the root group.
 * Only the agent can write there: the user's /sys/fs/cgroup is read-only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup {
    int dir_fd; /* the group, for CLONE_INTO_CGROUP */
    int cpu_fd, memory_fd, peak_fd, events_fd;
    uint64_t memory_max;
};

/* Makes the group below @top_fd and sets its limits: @memory_max bytes, @pids_max processes.
 * 0 or -errno. */
int cgroup_init(struct cgroup *group, int top_fd, uint64_t memory_max, uint32_t pids_max);

int cgroup_set_pids_max(const struct cgroup *group, uint32_t pids_max);

/* Figures; 0 where the kernel gives none. One read of a file that stays open each. */
uint64_t cgroup_cpu_ns(const struct cgroup *group);
uint64_t cgroup_memory(const struct cgroup *group);
uint64_t cgroup_memory_peak(const struct cgroup *group);

/* How many of its processes the OOM killer has ended so far. memory.events, @group->events_fd,
 * reports a change as EPOLLPRI. */
uint64_t cgroup_oom_kills(const struct cgroup *group);

/* How often it has met its memory limit so far, whatever came of it; reported likewise. */
uint64_t cgroup_limit_events(const struct cgroup *group);

/* Drops @bytes of what can be read again; false when there is not so much of it, and the rest is
 * the processes' own. Bounded, whatever they do meanwhile. */
bool cgroup_drop(const struct cgroup *group, uint64_t bytes);

/* Kills the process that has the most memory of its own. False: there is none. */
bool cgroup_kill_largest(const struct cgroup *group, int proc_fd);

uint32_t cgroup_processes(const struct cgroup *group);

/* Kills every process in the group. */
void cgroup_kill_all(const struct cgroup *group);

/* Kills every process of the group that was started at or after @since_ns (CLOCK_BOOTTIME, which
 * the kernel keeps in hundredths of a second for this purpose), except the pids in @spare. Repeats
 * until a pass finds none, at most a few times: a fork bomb is for cgroup_kill_all(). */
void cgroup_kill_since(const struct cgroup *group, int proc_fd, uint64_t since_ns,
                       const pid_t *spare, unsigned spare_count);
