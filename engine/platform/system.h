/* SPDX-License-Identifier: Apache-2.0 */
/* The machine and the operating system that this process runs on. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Total memory of the host in bytes, and how much is available without taking it from other
 * processes. 0: unknown. */
uint64_t gb_system_memory_total(void);
uint64_t gb_system_memory_available(void);

/* Whether the administrator can limit memory and CPU time per VM (control groups, version 2). */
bool gb_system_limits_groups(void);

/* Identifies this boot of the host; empty if unknown. Gives. */
char *gb_system_boot_id(void);

/* What the choice of accelerator, and the saved state of a guest under it, depend on besides QEMU
 * and the images: kernel and processor, as one line. @features: includes everything about the
 * processor that an accelerator passes on to a guest, since processors that differ in it often
 * share a model name: features, microcode, nested virtualisation. Gives. */
char *gb_system_describe(bool features);

/* The accelerator that the host's kernel offers, by QEMU's name: "kvm", "hvf". Static. */
const char *gb_system_accelerator(void);
/* Whether this process may use it; GB_EUNSUPPORTED says why not. Whether guests boot with it is a
 * separate question. */
int gb_system_open_accelerator(struct gb_err *err);
