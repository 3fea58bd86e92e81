/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at terminals, and the clients that look at them.
 *
 * Theory of operation. What a program prints goes into a terminal without a screen (vt/vt.h), here
 * and at once, whoever looks: so it goes on without clients, and the slowest of them holds nobody.
 * Each client has a view of that grid and is sent what its own screen lacks: at most once in 16 ms,
 * and not while more than a little waits to be read by it. A program may be as far ahead as the
 * window of its stream between two paintings; then it waits.
 *
 * One client types, the last that asked for it; all others watch. Who may not run cells in the
 * session (a lease) may not type either.
 */
#pragma once

#include "server/core/part.h"

extern const struct gb_part terminal_part;
