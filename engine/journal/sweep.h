/* Journals of servers at other sockets, which stand beside one's own: those of servers that will
 * not come back would stay for ever. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct sweep_limits {
    uint64_t max_age_s; /* since it was last used; 0: no limit */
    uint64_t max_bytes; /* of all together; 0: no limit */
};

/* Removes folders beside @own that have the name of such a journal: those that were not used for
 * too long, then, those first that were not used for the longest, what is too much. Leaves alone
 * what a server uses, what has other files in it, links, and @own. Adds a line to @text for each.
 * Blocks: a thread's. */
void sweep_journals(const char *own, const struct sweep_limits *limits, struct gb_buf *text);
