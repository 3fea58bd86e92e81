/* SPDX-License-Identifier: Apache-2.0 */
/* The body of the process netd, from its fork on. */
#pragma once

struct boot;

/* Sets everything up, drops all privileges, writes a byte to @ready_fd (taken), and serves. Never
 * returns: on failure it exits with a line on the console, which closes @ready_fd. */
_Noreturn void serve_network(const struct boot *boot, int ready_fd);
