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

/* Whether this system has anything of the kind. GB_EUNSUPPORTED: not at all, and the message says
 * why; then all functions below fail with it. */
int gb_memory_check_system(struct gb_err *err);

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

/* How the pages that a process has written to since the last look are found. */
enum gb_memory_way {
    GB_MEMORY_BY_CONTENT,     /* not at all: all private pages have to be compared */
    GB_MEMORY_BY_SOFT_DIRTY,  /* bits of the page table; clearing them costs the whole process */
    GB_MEMORY_BY_USERFAULTFD, /* asynchronous write protection, and PAGEMAP_SCAN: Linux 6.7 */
    GB_MEMORY_WAYS
};

/* "content", "soft-dirty", "userfaultfd". */
const char *gb_memory_way_name(enum gb_memory_way way);
/* Whether this system can do it, tried out with a page of our own. */
bool gb_memory_way_works(enum gb_memory_way way);
/* The last of these that works; $GLASSBELL_TRACKING may name another one, which is used if it
 * works. */
enum gb_memory_way gb_memory_choose_way(void);

/* From now on gb_memory_changed() knows what the process writes. May be called again. By soft-dirty
 * bits, what it writes during the call may not be known. GB_EUNSUPPORTED: not this process: one
 * that the launcher has not started. */
int gb_memory_watch(const struct gb_memory *memory, enum gb_memory_way way, struct gb_err *err);

/* Like gb_memory_private(), but only those that have been written to since the last call, or since
 * gb_memory_watch(). What is written during the call is found by it or by the next one, but by
 * soft-dirty bits may not be found at all. After a failure nothing is known any more: read all
 * private pages, and watch again. */
int gb_memory_changed(const struct gb_memory *memory, enum gb_memory_way way, struct gb_buf *ranges,
                      struct gb_err *err);

/* Copies the pages of @ranges, concatenated, from the process to @data, or back. Pages written
 * become private to the process. GB_ECLOSED: the process has ended, even if another one has its
 * number now. */
int gb_memory_read(const struct gb_memory *memory, const struct gb_page_range *ranges, size_t count,
                   uint8_t *data, struct gb_err *err);
int gb_memory_write(const struct gb_memory *memory, const struct gb_page_range *ranges,
                    size_t count, const uint8_t *data, struct gb_err *err);
