/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of another process, where it is a copy-on-write mapping of a file: which pages are
 * private, reading them, and overwriting them.
 *
 * Requires the same permission as a debugger: the process must be ours, in a namespace below ours,
 * or we must be root. The process may run meanwhile: stop it for a consistent snapshot. Any thread;
 * all functions may take as long as copying the pages does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum { GB_PAGE = 4096 }; /* bytes of a page here, whatever the host's page size */

/* Pages @first … @first + @count − 1 of the mapping; @count > 0. */
struct gb_page_range {
    uint32_t first, count;
};

/* Embed it; GB_MEMORY_NONE is none. Members are read-only for callers. */
struct gb_memory {
    pid_t pid;
    uint64_t start; /* address */
    uint32_t pages;
    int pages_fd, process_fd;
};
#define GB_MEMORY_NONE ((struct gb_memory){.pages_fd = -1, .process_fd = -1})

/* Finds the private mapping of the whole of @file in @pid. GB_ENOTFOUND: there is none, or more
 * than one. GB_EUNSUPPORTED: this system does not allow access; the message says why. */
int gb_memory_open(pid_t pid, const struct stat *file, struct gb_memory *ret_memory,
                   struct gb_err *err);
/* No-op on GB_MEMORY_NONE. */
void gb_memory_close(struct gb_memory *memory);

/* Appends to @ranges (an array of struct gb_page_range) the process's private pages: those that it
 * has written since it mapped the file, swapped out or not. Ascending; adjacent ranges are merged.
 * GB_ECAPACITY: out of memory. */
int gb_memory_private(const struct gb_memory *memory, struct gb_buf *ranges, struct gb_err *err);

/* Copies the pages of @ranges, concatenated, from the process to @data, or back. Pages written
 * become private to the process. GB_ECLOSED: the process has ended, even if another one has its
 * number now. */
int gb_memory_read(const struct gb_memory *memory, const struct gb_page_range *ranges, size_t count,
                   uint8_t *data, struct gb_err *err);
int gb_memory_write(const struct gb_memory *memory, const struct gb_page_range *ranges,
                    size_t count, const uint8_t *data, struct gb_err *err);
