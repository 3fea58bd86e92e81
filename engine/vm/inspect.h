/* SPDX-License-Identifier: Apache-2.0 */
/* What QEMU can be asked before the first VM. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"
#include "machine/machine.h"

/* What QEMU told. */
struct inspected_qemu {
    char version[32];   /* "7.2.22" */
    char package[300];  /* what its builder says of it; may be empty */
    bool sandbox;       /* it has -sandbox */
    uint32_t cpu_known; /* features of cpu.h that it knows */
};

/* Runs @qemu without a machine, and asks what it knows of the processor of @machine. @done is
 * called once, from the loop; @found is borrowed, NULL with an error: GB_EUNSUPPORTED. */
void inspect_qemu(struct gb_loop *loop, const char *qemu, const struct gb_machine *machine,
                  void (*done)(void *arg, const struct inspected_qemu *found,
                               const struct gb_err *err),
                  void *arg);

/* Version and package in the monitor's greeting. False when there is no version. */
bool inspect_read_greeting(const cJSON *greeting, struct inspected_qemu *found);
