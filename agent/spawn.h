/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a process for a worker or at a terminal: arguments, environment, descriptors, sandbox,
 * exec. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "wire/fields.h"

struct agent;

/* Starts WORKER_ROOT/NAME/argv in the user's cgroup, with the session's environment and @channels
 * as descriptors 3 and 4 (borrowed). A child that cannot exec exits with status 127 after printing
 * a line on the console. 0 and *@ret_pid, or a code. */
int spawn_worker(const struct agent *agent, const char *name, const int channels[2], pid_t *ret_pid,
                 struct gb_err *err);

/* Starts @argv (each argument followed by a NUL; empty: the user's shell) in the cgroup @group_fd,
 * with the session's environment overridden by @env, as the leader of a session whose terminal is
 * @terminal_fd (borrowed). A program that cannot be started prints that on the terminal and exits
 * with 127 or 126, as in a shell. 0 and *@ret_pid, or a code. */
int spawn_at_terminal(const struct agent *agent, struct gb_bytes argv, const struct gb_pairs *env,
                      int terminal_fd, int group_fd, pid_t *ret_pid, struct gb_err *err);
