/* SPDX-License-Identifier: Apache-2.0 */
/* The memory limit of the user's processes, for cases in which the kernel's OOM killer is not
 * triggered.
 *
 * A program that fills its memory in small pieces leaves no room for its own code, which is evicted
 * and read again for each step: it makes no progress, but as long as a page can be evicted the OOM
 * killer is not called. So when a group has been hitting its limit continuously for two seconds, we
 * intervene: 16 MiB (at most an eighth of the limit) of reclaimable pages are dropped, about the
 * size of an interpreter's code with its libraries; if there is less than that, the process with
 * the most private memory is killed.
 */
#pragma once

#include <stdint.h>

#include "cgroup.h"

/* Embed it, zeroed. */
struct limit {
    uint64_t events;              /* the total so far */
    uint64_t since_ns, newest_ns; /* of the current run of consecutive events */
    uint64_t kills;               /* kills by us */
};

/* Call it when memory.events has changed. */
void limit_look(struct limit *limit, const struct cgroup *group, int proc_fd);

/* How many processes have been killed so far for lack of memory, by the kernel or by us. */
uint64_t limit_kills(const struct limit *limit, const struct cgroup *group);
