/* SPDX-License-Identifier: Apache-2.0 */
/* Restrictions on a worker and all processes that it starts.
 *
 * The security boundary for untrusted code is the VM. The restrictions here protect the agent (and
 * the parts of the guest's kernel in which most holes are found), so that the agent's reports about
 * a cell can be trusted: uid 1000, no capabilities and no way to gain any, resource limits, and a
 * seccomp filter.
 *
 * The filter is a deny list. An allow list would have to contain every call of git, gcc, node,
 * numpy and whatever else a user brings, today and with the next C library, and programs that hit a
 * missing entry fail in inexplicable ways. So calls that manage the machine, namespaces or the
 * kernel fail with EPERM, and those that programs probe before falling back to another way with
 * ENOSYS.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* The compiled filter, built once before the first worker. Embed it. */
struct sandbox {
    struct sock_filter *filter;
    unsigned short length; /* instructions */
    uint32_t nproc;        /* RLIMIT_NPROC of the next process */
};

enum { SANDBOX_NPROC = 1024, SANDBOX_NOFILE = 16384 };

/* 0 or -errno. */
int sandbox_init(struct sandbox *sandbox);

/* Called in PID 1's child between fork and exec: drops all privileges. Returns NULL, or the name of
 * the step that failed, with errno set. On success the caller is uid 1000 under the filter. */
const char *sandbox_enter(const struct sandbox *sandbox);
