/* SPDX-License-Identifier: Apache-2.0 */
/* Journals of servers at other sockets, which stand beside one's own: those of servers that will
 * not come back would stay for ever. */
#pragma once

#include "base/buf.h"
#include "base/surplus.h"

/* Removes folders beside @own that have the name of such a journal, as @limits say. Leaves alone
 * what a server uses, what has other files in it, links, and @own. Adds a line to @text for each.
 * Blocks: a thread's. */
void sweep_journals(const char *own, const struct gb_surplus_limits *limits, struct gb_buf *text);
