/* SPDX-License-Identifier: Apache-2.0 */
/* The body of the process netd, from its fork on. */
#pragma once

#include <stdint.h>

struct boot;

/* Words between the agent and it, each a packet of one byte. */
enum {
    SERVE_READY = 1, /* from it, once and first */
    SERVE_ON,        /* to it: programs may connect, as at first */
    SERVE_OFF,       /* to it: they may not; and from it: none is waiting or connected any more */
    SERVE_PARKED,    /* from it, before SERVE_READY: it waits for */
    SERVE_START,     /* to it, once, with the mark of the conversation in the same packet */
};

/* Sets everything up, begins with @mark on the port (port_begin()), drops all privileges, sends
 * SERVE_READY to @agent_fd (taken, a socket that keeps packets apart), and serves. With a NULL
 * @mark it is parked first: it does only what programs cannot notice, and waits for SERVE_START.
 * Never returns: on failure it exits with a line on the console, which closes @agent_fd. */
_Noreturn void serve_network(const struct boot *boot, const uint8_t *mark, int agent_fd);
