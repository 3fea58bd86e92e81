/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tells of the processor. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Adds the processor to @text, by the first one in @cpuinfo, which is /proc/cpuinfo or the
 * beginning of it. The order of its features makes no difference. */
void cpuinfo_add(struct gb_buf *text, struct gb_bytes cpuinfo, bool features);

/* Adds what the modules of KVM below @folder (/sys/module) say of nested virtualisation. */
void cpuinfo_add_nested(struct gb_buf *text, const char *folder);
