/* SPDX-License-Identifier: Apache-2.0 */
/* Journals of other servers' sockets in the same parent folder: without this, journals of servers
 * that never return would stay for ever. */
#pragma once

#include "base/buf.h"
#include "base/surplus.h"

/* Removes folders next to @own that are named like such a journal, by @limits. Leaves alone what a
 * server uses, folders with other files in them, links, and @own. Adds a line to @text for each.
 * Blocks: call it in a thread. */
void sweep_journals(const char *own, const struct gb_surplus_limits *limits, struct gb_buf *text);
