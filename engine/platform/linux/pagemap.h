/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/pagemap: which pages of a range of addresses are a process's own. Two ways: the ioctl
 * of Linux 6.7 (Documentation/admin-guide/mm/pagemap.rst), some six times faster, and the entries
 * themselves, which every kernel gives. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "platform/memory.h"

/* Adds ranges as gb_memory_private() does. 0 or -errno; -ENOTTY: the kernel has no such ioctl. */
int pagemap_scan(int fd, uint64_t start, uint32_t pages, struct gb_buf *ranges);
int pagemap_read(int fd, uint64_t start, uint32_t pages, struct gb_buf *ranges);
