/* SPDX-License-Identifier: Apache-2.0 */
/* The body of the process netd, from its fork on. */
#pragma once

#include <stdint.h>

#include "wire/sync.h"

struct boot;

/* Words between the agent and it, each a packet of one byte, except SERVE_START. */
enum {
    SERVE_PARKED = 1, /* from it, once and first: it waits for */
    SERVE_START,      /* to it, once: struct serve_start */
    SERVE_READY,      /* from it, once: it serves */
    SERVE_ON,         /* to it: programs may connect, as at first */
    SERVE_OFF,        /* to it: they may not; and from it: none is waiting or connected any more */
};

enum { SERVE_SOCKETS = 4 };

/* Comes with the descriptors of listener, resolver, syns and out (capture.h). */
struct serve_start {
    uint8_t word, mark[GB_SYNC_BYTES]; /* of the conversation */
};

/* Finds its port, trying @tries times, drops all privileges, sends SERVE_PARKED to @agent_fd
 * (taken, a socket that keeps packets apart), and waits for SERVE_START. Then begins with the mark
 * on the port (port_begin()), sends SERVE_READY, and serves. Nothing of it can be noticed before
 * the sockets exist. Keeps @link_fd open, with which the redirection ends. Never returns: on
 * failure it exits with a line on the console, which closes @agent_fd. */
_Noreturn void serve_network(const struct boot *boot, int tries, int agent_fd, int link_fd);
