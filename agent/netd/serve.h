/* SPDX-License-Identifier: Apache-2.0 */
/* What the process netd does from its fork on. */
#pragma once

struct boot;

/* Makes everything, gives up every right, writes a byte to @ready_fd (taken), and serves. Returns
 * never: it ends with a line on the console when something fails, and @ready_fd closes. */
_Noreturn void serve_network(const struct boot *boot, int ready_fd);
