/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's own settings and usage: CONFIGURE, STAT, PING. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/guest.h"

struct agent;

/* CRNG, clock, hostname, machine id, limits, environment. 0, or a code before anything but the
 * random numbers has been changed. */
int system_configure(struct agent *agent, const struct gb_configure *configure, struct gb_err *err);

/* Rewrites /etc/resolv.conf. */
int system_set_resolver(struct agent *agent, const char *text, struct gb_err *err);
/* RESUME: CRNG, and the clock if it is late. */
int system_resume(struct agent *agent, const struct gb_resume *resume, struct gb_err *err);

void system_status(const struct agent *agent, struct gb_status *ret_status);

/* Since the kernel's start. */
uint64_t system_uptime_ns(void);

/* The total that the user's processes may use, given the memory that is free before the first of
 * them; and what that leaves to the agent and the kernel. */
uint64_t system_memory_limit(int proc_fd, uint64_t *ret_left);

/* Whether this many bytes could be allocated without killing a process. */
bool system_has_available(int proc_fd, uint64_t bytes);

/* The same as a refusal: -GB_ETOOLARGE, with what the person can do about it. What somebody else
 * chooses the size of is no part of the user's memory limit while the agent holds it, so it must
 * leave @bytes of agent->reserve to the kernel, which has nothing to end but the user's processes:
 * where files have the memory, that does not help, and the machine ends. */
int system_check_available(int proc_fd, uint64_t bytes, struct gb_err *err);
