/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at terminals, and the clients that view them.
 *
 * Theory of operation. A program's output goes into a terminal emulator without a screen (vt/vt.h)
 * in the server immediately, whoever is watching: so it runs without clients, and a slow client
 * delays nobody. Each client has a view of that grid and is sent what its own screen lacks: at most
 * once every 16 ms (every 4 ms right after a key), and not while it has more than a little unread.
 * Between two updates a program may get ahead by the window of its stream; then it blocks.
 *
 * One client types, the last one that requested it; all others watch. A client that may not run
 * cells in the session (because of a lease) may not type either.
 */
#pragma once

#include "server/core/part.h"

extern const struct gb_part terminal_part;
