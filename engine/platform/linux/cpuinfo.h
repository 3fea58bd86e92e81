/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel reports about the processor. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Adds a description of the first processor in @cpuinfo, which is /proc/cpuinfo or the start of it.
 * The order of its features does not matter. */
void cpuinfo_add(struct gb_buf *text, struct gb_bytes cpuinfo, bool features);

/* Adds what the KVM modules below @folder (/sys/module) report about nested virtualisation. */
void cpuinfo_add_nested(struct gb_buf *text, const char *folder);
