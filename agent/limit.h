/* SPDX-License-Identifier: Apache-2.0 */
/* The memory limit of the user's processes, where the kernel alone does not see a lack of memory.
 *
 * A program that fills its memory in small pieces leaves no room for its own code, which is dropped
 * and read again for each step: it stands still, and as long as a page can be dropped the OOM
 * killer is not called. So a group that has met its limit again and again for two seconds, without
 * a pause, is looked at: 16 MiB of what can be read again are dropped (an eighth of the limit at
 * most), which is about the code of an interpreter with its libraries; when there is not so much,
 * the process that has the most memory of its own is killed.
 */
#pragma once

#include <stdint.h>

#include "cgroup.h"

/* Zeroed at first. */
struct limit {
    uint64_t events;              /* so far */
    uint64_t since_ns, newest_ns; /* of those that came one behind the other */
    uint64_t kills;               /* our own */
};

/* memory.events has changed. */
void limit_look(struct limit *limit, const struct cgroup *group, int proc_fd);

/* How many processes have ended for lack of memory so far, by the kernel or by us. */
uint64_t limit_kills(const struct limit *limit, const struct cgroup *group);
