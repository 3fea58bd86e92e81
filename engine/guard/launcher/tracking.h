/* SPDX-License-Identifier: Apache-2.0 */
/* Gives QEMU a userfaultfd, by which the server can follow what the guest writes
 * (platform/memory.h).
 *
 * Theory of operation. Only a process itself can create one for its memory, and QEMU has no reason
 * to. So the launcher, its parent, traces it until execve() has replaced its memory, has it make
 * this one system call before its first instruction, and lets it go. QEMU does not know the
 * descriptor, and its filter lets it do nothing with one: every ioctl of it is refused. It is of
 * the kind that cannot stop the kernel (UFFD_USER_MODE_ONLY).
 *
 * Where tracing is not allowed (Yama 2 and 3, SELinux's deny_ptrace), or the kernel knows no
 * userfaultfd, QEMU runs without one.
 */
#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

/* The flags of the only call of userfaultfd() that the filter allows. */
#define TRACKING_FLAGS (O_CLOEXEC | O_NONBLOCK | 1) /* 1: UFFD_USER_MODE_ONLY */

/* In the child, before it loads its filter. */
void tracking_expect(void);

/* waitpid() has returned @status for @child: true if it is stopped. It has its descriptor, if
 * possible, and continues; signals that others have sent it meanwhile take effect then. */
bool tracking_give(pid_t child, int status);
