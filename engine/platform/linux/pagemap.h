/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/pagemap: which pages of an address range are private to a process. Two methods: the
 * ioctl of Linux 6.7 (Documentation/admin-guide/mm/pagemap.rst), some six times faster, and reading
 * the entries, which works on every kernel. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "platform/memory.h"

/* Adds ranges as gb_memory_private() does; by the ioctl, as the next one. 0 or -errno; -ENOTTY: the
 * kernel lacks it. */
int pagemap_scan(int fd, uint64_t start, uint32_t pages, struct gb_buf *ranges);
/* Only those that are not write-protected, and protects them: the range is registered with a
 * userfaultfd. -EPERM: it is not. */
int pagemap_scan_written(int fd, uint64_t start, uint32_t pages, struct gb_buf *ranges);
/* By reading the entries: only those whose soft-dirty bit is set, or all private ones. */
int pagemap_read_dirty(int fd, uint64_t start, uint32_t pages, struct gb_buf *ranges);
int pagemap_read(int fd, uint64_t start, uint32_t pages, struct gb_buf *ranges);
