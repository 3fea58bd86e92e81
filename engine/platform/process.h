/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that are not our children, or that outlive us: waiting for them and killing them
 * without the risk of pid reuse. */
#pragma once

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* A process that was running when it was opened. Embed it; GB_PROCESS_NONE is none. */
struct gb_process {
    int fd; /* becomes readable when the process ends: for gb_watch_new(); -1: none */
    pid_t pid;
};
#define GB_PROCESS_NONE ((struct gb_process){.fd = -1})

/* 0, or -errno: -ESRCH if it has ended and been reaped. */
int gb_process_open(pid_t pid, struct gb_process *ret_process);
/* Sends SIGKILL. 0, or -errno if it has ended. Never hits another process. */
int gb_process_kill(const struct gb_process *process);
/* No-op on GB_PROCESS_NONE. */
void gb_process_close(struct gb_process *process);

/* The start time of @pid, in a unit of the system's own: together with the pid it identifies one
 * process since the host booted. False if there is no such process. */
bool gb_process_started(pid_t pid, uint64_t *ret_start);

/* Resource usage of a process. Where the system has no proportional set size, `pss_bytes` is the
 * resident size. */
struct gb_process_usage {
    uint64_t pss_bytes;       /* resident; shared pages count proportionally */
    uint64_t private_bytes;   /* resident and not shared */
    uint64_t anonymous_bytes; /* resident and not backed by a file */
    uint64_t cpu_ns;          /* since its start, all threads */
};
/* GB_ENOTFOUND or another system error if the process has ended or is not ours. */
int gb_process_usage(pid_t pid, struct gb_process_usage *ret_usage, struct gb_err *err);

/* Adds to @actions, and to the *@flags of the attributes, that the new process inherits no
 * descriptor from @first on, even if somebody forgot close-on-exec; the descriptors below are those
 * of other actions. 0 or an errno, like posix_spawn(). */
int gb_process_spawn_closed_from(posix_spawn_file_actions_t *actions, int first, short *flags);

/* Resident memory of this process; 0: unknown. */
uint64_t gb_process_own_memory(void);
/* From now on the allocator returns freed blocks of @bytes or more to the system instead of keeping
 * them. */
void gb_process_return_blocks(size_t bytes);
