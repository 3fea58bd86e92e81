/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that are not our children, or that outlive us: waited for and killed without the risk
 * that the process id belongs to somebody else by now. */
#pragma once

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* A process that was running when it was opened. Embed it; GB_PROCESS_NONE is none. */
struct gb_process {
    int fd; /* readable when the process has ended: for gb_watch_new(); -1: none */
};
#define GB_PROCESS_NONE ((struct gb_process){.fd = -1})

/* 0, or -errno: -ESRCH when it has ended and was reaped. */
int gb_process_open(pid_t pid, struct gb_process *ret_process);
/* SIGKILL. 0, or -errno when it has ended. Never reaches another process. */
int gb_process_kill(const struct gb_process *process);
/* Harmless for none. */
void gb_process_close(struct gb_process *process);

/* When @pid was started, in a unit of the system's own: with the pid it names one process among all
 * since the host booted. False when there is no such process. */
bool gb_process_started(pid_t pid, uint64_t *ret_start);

/* What a process uses. On a system that does not count shares, `pss_bytes` is what it has resident.
 */
struct gb_process_usage {
    uint64_t pss_bytes;       /* resident; what is shared counts by its share */
    uint64_t private_bytes;   /* resident, and nobody else's */
    uint64_t anonymous_bytes; /* resident, and of no file */
    uint64_t cpu_ns;          /* since its start, of all its threads */
};
/* GB_ENOTFOUND or another error of the system's when the process has ended or is not ours. */
int gb_process_usage(pid_t pid, struct gb_process_usage *ret_usage, struct gb_err *err);

/* Adds to @actions that the new process has none of our descriptors from @first on, whoever made
 * them and forgot to say so. 0 or an errno, as posix_spawn() and its kind. */
int gb_process_spawn_closed_from(posix_spawn_file_actions_t *actions, int first);

/* What this process has resident; 0: not known. */
uint64_t gb_process_own_memory(void);
/* From now on memory in blocks of @bytes and more goes back to the system when it is freed, where
 * the allocator would keep it. */
void gb_process_return_blocks(size_t bytes);
