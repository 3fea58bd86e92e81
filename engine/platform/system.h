/* SPDX-License-Identifier: Apache-2.0 */
/* The machine and the operating system that this process runs on. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Bytes of memory that the host has, and how many of them could be had now without taking them from
 * another process. 0: not known. */
uint64_t gb_system_memory_total(void);
uint64_t gb_system_memory_available(void);

/* Whether the administrator can limit the memory and the processor time of each VM by itself
 * (control groups, version 2). */
bool gb_system_limits_groups(void);

/* Names this boot of the host; empty when it cannot be told. Gives. */
char *gb_system_boot_id(void);

/* What the answer to "which accelerator works" depends on besides QEMU and the images, and what the
 * state of a guest under it does: kernel and processor, as one line. @features: with all that an
 * accelerator hands on to a guest, since processors that differ in it often have the same name: its
 * features, its microcode, whether virtualisation is nested. Gives. */
char *gb_system_describe(bool features);

/* The accelerator that the host's kernel offers, by QEMU's name: "kvm", "hvf". Static. */
const char *gb_system_accelerator(void);
/* Whether this process may use it; GB_EUNSUPPORTED tells why not. That guests come up under it is
 * another question. */
int gb_system_open_accelerator(struct gb_err *err);
