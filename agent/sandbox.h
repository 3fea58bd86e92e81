/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker and everything that it starts may not do.
 *
 * The wall around untrusted code is the VM. What stands here keeps that code away from the agent
 * (and from the parts of the guest's kernel where most holes are found), so that the agent's word
 * about the cell can be believed: uid 1000, no capabilities and no way to any, limits, and a
 * seccomp filter.
 *
 * The filter is a deny list. An allow list would have to name every call of git, gcc, node, numpy
 * and of whatever else a user brings, of today and of the next C library, and a program that meets
 * its end there breaks in ways nobody can explain. So calls that manage the machine, namespaces or
 * the kernel are refused with EPERM, and those that programs probe for before they use another way
 * with ENOSYS.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* The compiled filter, made once before the first worker. Embed it. */
struct sandbox {
    struct sock_filter *filter;
    unsigned short length; /* instructions */
    uint32_t nproc;        /* RLIMIT_NPROC of what is started next */
};

enum { SANDBOX_NPROC = 1024, SANDBOX_NOFILE = 16384 };

/* 0 or -errno. */
int sandbox_init(struct sandbox *sandbox);

/* Called by PID 1's child between fork and exec: gives up everything. Returns the name of the step
 * that failed with errno set, or NULL. After success the caller is uid 1000 under the filter. */
const char *sandbox_enter(const struct sandbox *sandbox);
