/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of a VM: the launcher's options, then QEMU's. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "vm/vm.h"

/* QEMU's descriptors, in the order in which the launcher keeps them. */
enum { QEMU_FD_QMP = 5, QEMU_FD_AGENT, QEMU_FD_CONSOLE, QEMU_FD_NETWORK, QEMU_FD_END };

/* The spare disk: the device, and the nodes that can be behind it. */
#define QEMU_SPARE_DEVICE "spare"
#define QEMU_SPARE_EMPTY "empty"
#define QEMU_SPARE_LAYER "layer"

struct qemu_machine {
    enum gb_accel accel;
    uint32_t uid;                 /* 0: the server's own */
    const struct gb_image *image; /* NULL: no disk, the guest only sends HELLO (a probe) */
    uint32_t memory_mb;
    enum gb_ram ram;
    const char *ram_path;
    bool incoming;
};

/* Builds argv for gb_child_start(). Fails with GB_EINVALID if a path cannot be represented on
 * QEMU's command line. Gives: qemu_free_argv(). */
int qemu_build_argv(const struct gb_host *host, const struct qemu_machine *machine,
                    char ***ret_argv, struct gb_err *err);
void qemu_free_argv(char **argv);
