/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup of everything that is the user's: limits, figures, and the end of all of it.
 *
 *   user              limits and figures
 *     user/cell       the workers, and what the running cell has started
 *     user/background what earlier cells have left running
 *     user/terminal/N what the program at terminal N has started, and itself: no cell's
 *
 * The three share the processor as three processes would, and what is the user's shares it so with
 * the kernel's own threads; the agent's priority puts it before all of that.
 *
 * A process is born in its parent's group, so what a background process starts belongs to it,
 * however late: membership, not the time of birth, tells whose a process is. The agent stays in the
 * root group, and the user does not see the file system of groups.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup {
    int dir_fd;      /* user */
    int cell_fd;     /* user/cell, for CLONE_INTO_CGROUP */
    int terminal_fd; /* user/terminal, in which no process is itself */
    int cpu_fd, memory_fd, peak_fd, events_fd;
    int cell_procs_fd, background_procs_fd;
    bool background_used; /* something was moved there once */
    bool relaxed;         /* memory.max is above memory_max for now */
    uint64_t memory_max;
};

/* Processes that a call leaves alone: the workers. */
struct cgroup_spared {
    const pid_t *pids;
    unsigned count;
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

/* Kills one process, and has it end before all the others that are about to. */
void cgroup_kill_first(int proc_fd, pid_t pid);

/* Kills every process in the group. */
void cgroup_kill_all(const struct cgroup *group);

/* Between two cells: what is in user/cell and not spared moves to user/background. One read of a
 * file where there is nothing to move. */
void cgroup_set_aside(struct cgroup *group, struct cgroup_spared spared);

/* Kills what the running cell has started: everything in user/cell that is not spared. Nobody
 * there runs meanwhile, so a fork bomb ends as anything else does. */
void cgroup_kill_cell(struct cgroup *group, struct cgroup_spared spared);

/* Takes the room back that those who were killed got, once they have gone; until then it is asked
 * again. Costs nothing where nobody was killed. */
void cgroup_tighten(struct cgroup *group);

/* Sends @signal to the members of process group @pgid that are in user/cell, once to each. */
void cgroup_signal(const struct cgroup *group, pid_t pgid, int signal);

/* ---- groups of terminals ---- */

/* Makes the group of terminal @number: its descriptor, for CLONE_INTO_CGROUP, or -errno. The caller
 * closes it in cgroup_end_terminal(). */
int cgroup_begin_terminal(const struct cgroup *group, uint32_t number);
/* False: a process is in it that has not ended. */
bool cgroup_terminal_is_empty(int terminal_fd);
void cgroup_kill_terminal(struct cgroup *group, int terminal_fd);
/* What is still in it goes on in user/background, as what cells leave running. */
void cgroup_end_terminal(struct cgroup *group, uint32_t number, int terminal_fd);
