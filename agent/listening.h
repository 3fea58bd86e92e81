/* SPDX-License-Identifier: Apache-2.0 */
/* On which ports the user's programs listen, as the host is told.
 *
 * A BPF program is called by the kernel when a socket of the user's cgroup begins to listen, and
 * when one that listened is closed. It keeps a map of them, and wakes the agent through a ring
 * buffer; the agent then reads the map. So nothing is polled, nothing that a program wrote is
 * parsed, and what comes in a burst is one wake-up.
 *
 * Only ports that can be reached at 127.0.0.1 or ::1 count. Bounds: LISTENING_SOCKETS sockets in
 * the map, further ones are not seen; GB_LISTENING_MAX ports, the lowest; one report per
 * LISTENING_PAUSE_MS, of the state at that moment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "wire/guest.h"

struct agent;

enum { LISTENING_SOCKETS = 256, LISTENING_PAUSE_MS = 100 };

struct listening {
    struct source ring; /* becomes readable when the map has changed */
    int map_fd, link_fd;
    uint64_t *consumed; /* the ring's positions */
    const uint64_t *produced;
    uint16_t ports[GB_LISTENING_MAX]; /* as last reported, ascending */
    unsigned count;
    uint64_t told_ns;
    struct deadline later; /* the next report */
};

/* Without support by the kernel it says so on the console, and nothing is ever reported. */
void listening_init(struct agent *agent);
/* Reports the state even if it is what was reported last: to a host that does not know that. */
void listening_repeat(struct agent *agent);
