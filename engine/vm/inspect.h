/* SPDX-License-Identifier: Apache-2.0 */
/* Queries QEMU before the first VM. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"
#include "machine/machine.h"

/* What QEMU reports. */
struct inspected_qemu {
    char version[32];   /* "7.2.22" */
    char package[300];  /* its builder's version string; may be empty */
    bool sandbox;       /* it has -sandbox */
    uint32_t cpu_known; /* the features of cpu.h that it knows */
};

/* Runs @qemu without a machine and asks it about the CPU of @machine. Calls @done once, from the
 * loop; @found is borrowed, NULL on error: GB_EUNSUPPORTED. */
void inspect_qemu(struct gb_loop *loop, const char *qemu, const struct gb_machine *machine,
                  void (*done)(void *arg, const struct inspected_qemu *found,
                               const struct gb_err *err),
                  void *arg);

/* Parses version and package from the monitor's greeting. False if there is no version. */
bool inspect_read_greeting(const cJSON *greeting, struct inspected_qemu *found);
