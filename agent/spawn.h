/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a process for a worker: arguments, environment, descriptors, sandbox, exec. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "wire/fields.h"

struct agent;

/* Starts WORKER_ROOT/NAME/argv in the user's cgroup, with the session's environment and @channels
 * as descriptors 3 and 4 (borrowed). A child that cannot exec ends with status 127 after a line on
 * the console. 0 and *@ret_pid, or a code. */
int spawn_worker(const struct agent *agent, const char *name, const int channels[2], pid_t *ret_pid,
                 struct gb_err *err);
