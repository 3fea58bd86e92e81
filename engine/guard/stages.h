/* SPDX-License-Identifier: Apache-2.0 */
/* The isolation stages, in the order in which they are applied and reported. */
#pragma once

#include <stdint.h>

/* The systems that have a stage. */
enum { GB_GUARD_LINUX = 1, GB_GUARD_DARWIN = 2, GB_GUARD_ANY = GB_GUARD_LINUX | GB_GUARD_DARWIN };
#if defined(__APPLE__)
enum { GB_GUARD_HERE = GB_GUARD_DARWIN };
#else
enum { GB_GUARD_HERE = GB_GUARD_LINUX };
#endif

/* X(constant, bit, name, systems, sentence). The bits are numbered in the order in which Linux's
 * launcher applies the stages; they index its table of functions (launcher/main.c). */
#define GB_GUARD_STAGES(X)                                                                         \
    X(GB_GUARD_DESCRIPTORS, 0, "descriptors", GB_GUARD_ANY,                                        \
      "QEMU holds the descriptors that it was given and no others")                                \
    X(GB_GUARD_LIMITS, 1, "limits", GB_GUARD_ANY,                                                  \
      "no core dumps, few descriptors and processes, no large files (rlimits)")                    \
    X(GB_GUARD_USER_NAMESPACE, 2, "user-namespace", GB_GUARD_LINUX,                                \
      "capabilities, had any been left, would count for nothing on the host")                      \
    X(GB_GUARD_MOUNT_NAMESPACE, 3, "mount-namespace", GB_GUARD_LINUX,                              \
      "QEMU sees a read-only root of its own with its libraries and the guest's files, no homes")  \
    X(GB_GUARD_NETWORK_NAMESPACE, 4, "network-namespace", GB_GUARD_LINUX,                          \
      "QEMU sees no network interface of the host")                                                \
    X(GB_GUARD_IPC_NAMESPACE, 5, "ipc-namespace", GB_GUARD_LINUX,                                  \
      "QEMU sees no shared memory of the host")                                                    \
    X(GB_GUARD_UTS_NAMESPACE, 6, "uts-namespace", GB_GUARD_LINUX,                                  \
      "QEMU does not see the host's name")                                                         \
    X(GB_GUARD_PID_NAMESPACE, 7, "pid-namespace", GB_GUARD_LINUX,                                  \
      "QEMU sees no process but itself")                                                           \
    X(GB_GUARD_USER, 8, "user", GB_GUARD_LINUX,                                                    \
      "QEMU runs as a user that owns nothing, a different one for each VM")                        \
    X(GB_GUARD_CAPABILITIES, 9, "capabilities", GB_GUARD_LINUX,                                    \
      "QEMU has no capability and can get none")                                                   \
    X(GB_GUARD_NO_NEW_PRIVS, 10, "no-new-privs", GB_GUARD_LINUX,                                   \
      "no program that QEMU ran could gain rights")                                                \
    X(GB_GUARD_DEATH_SIGNAL, 11, "death-signal", GB_GUARD_ANY,                                     \
      "QEMU dies with the server, whatever ends it")                                               \
    X(GB_GUARD_SECCOMP, 12, "seccomp", GB_GUARD_LINUX,                                             \
      "QEMU can only make the system calls that it needs")                                         \
    X(GB_GUARD_MEMORY_LIMIT, 13, "memory-limit", GB_GUARD_DARWIN,                                  \
      "QEMU can take no more memory than its guest's and some for itself")                         \
    X(GB_GUARD_SEATBELT, 14, "seatbelt", GB_GUARD_DARWIN,                                          \
      "QEMU sees its program, its libraries and the guest's files; no network, no other program")

enum gb_guard_stage {
#define GB_X(constant, bit, name, systems, sentence) constant = 1 << bit,
    GB_GUARD_STAGES(GB_X)
#undef GB_X
};

#define GB_X(constant, bit, name, systems, sentence) +1
enum { GB_GUARD_STAGE_COUNT = 0 GB_GUARD_STAGES(GB_X) };
#undef GB_X
enum { GB_GUARD_ALL = (1 << GB_GUARD_STAGE_COUNT) - 1 };
