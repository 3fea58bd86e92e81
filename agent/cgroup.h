/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroups of the user's processes: limits, usage, and killing them all.
 *
 *   user              limits and figures
 *     user/cell       the workers, and what the running cell has started
 *     user/background processes left running by earlier cells
 *     user/terminal/N what the program at terminal N has started, and itself: no cell's
 *
 * The three share the CPU as three processes would, and the user's group shares it in the same way
 * with the kernel's threads; the agent's priority is above all of that.
 *
 * A process is created in its parent's group, so what a background process starts belongs to it,
 * however late: the group, not the start time, tells whose a process is. The agent stays in the
 * root group, and the user does not see the cgroup file system.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup {
    int dir_fd;      /* user */
    int cell_fd;     /* user/cell, for CLONE_INTO_CGROUP */
    int terminal_fd; /* user/terminal, which contains no process itself */
    int cpu_fd, memory_fd, peak_fd, events_fd;
    int cell_procs_fd, background_procs_fd;
    bool background_used; /* something has been moved there */
    bool relaxed;         /* memory.max is temporarily above memory_max */
    uint64_t memory_max;
};

/* Processes that a call leaves alone: the workers. */
struct cgroup_spared {
    const pid_t *pids;
    unsigned count;
};

/* Creates the group below @top_fd and sets its limits: @memory_max bytes, @pids_max processes. 0 or
 * -errno. */
int cgroup_init(struct cgroup *group, int top_fd, uint64_t memory_max, uint32_t pids_max);

int cgroup_set_pids_max(const struct cgroup *group, uint32_t pids_max);

/* Usage; 0 if the kernel does not provide it. Each costs one read of a file that stays open. */
uint64_t cgroup_cpu_ns(const struct cgroup *group);
uint64_t cgroup_memory(const struct cgroup *group);
uint64_t cgroup_memory_peak(const struct cgroup *group);

/* How many of its processes the OOM killer has killed so far. A change of memory.events,
 * @group->events_fd, is reported as EPOLLPRI. */
uint64_t cgroup_oom_kills(const struct cgroup *group);

/* How many times it has hit its memory limit so far, whatever the consequence; reported in the same
 * way. */
uint64_t cgroup_limit_events(const struct cgroup *group);

/* Drops @bytes of reclaimable pages; false if there are fewer, and the rest is private memory.
 * Bounded, whatever the processes do in the meantime. */
bool cgroup_drop(const struct cgroup *group, uint64_t bytes);

/* Kills the process with the most private memory. False: there is none. */
bool cgroup_kill_largest(const struct cgroup *group, int proc_fd);

uint32_t cgroup_processes(const struct cgroup *group);

/* Kills a process, and makes it exit ahead of all others that are about to. */
void cgroup_kill_first(int proc_fd, pid_t pid);

/* Kills every process in the group. */
void cgroup_kill_all(const struct cgroup *group);

/* Between two cells: moves everything in user/cell that is not spared to user/background. Costs one
 * read of a file if there is nothing to move. */
void cgroup_set_aside(struct cgroup *group, struct cgroup_spared spared);

/* Kills what the running cell has started: everything in user/cell that is not spared. The group is
 * frozen while this happens, so that even a fork bomb ends. */
void cgroup_kill_cell(struct cgroup *group, struct cgroup_spared spared);

/* Withdraws the extra memory given to killed processes, once they have exited; until then call it
 * again. Costs nothing if nothing was killed. */
void cgroup_tighten(struct cgroup *group);

/* Sends @signal once to each member of process group @pgid that is in user/cell. */
void cgroup_signal(const struct cgroup *group, pid_t pgid, int signal);

/* ---- groups of terminals ---- */

/* Creates the group of terminal @number: returns a descriptor for CLONE_INTO_CGROUP, or -errno. The
 * caller closes it with cgroup_end_terminal(). */
int cgroup_begin_terminal(const struct cgroup *group, uint32_t number);
/* False while it contains a process that has not ended. */
bool cgroup_terminal_is_empty(int terminal_fd);
void cgroup_kill_terminal(struct cgroup *group, int terminal_fd);
/* Moves what is left in it to user/background, like processes left running by cells. */
void cgroup_end_terminal(struct cgroup *group, uint32_t number, int terminal_fd);
