/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of another process, as far as it is a copy-on-write mapping of a file: which pages it
 * has of its own, what they hold, and how to change them.
 *
 * The process is one of this user's in a namespace below ours, or we are root: the same right that
 * a debugger needs. What it does meanwhile is its own affair: stop it to get one moment. Any
 * thread; all functions may take as long as copying the pages does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum { GB_PAGE = 4096 }; /* bytes of what is called a page here, on every host */

/* Pages @first … @first + @count − 1 of the mapping; @count > 0. */
struct gb_page_range {
    uint32_t first, count;
};

/* Embed it; GB_MEMORY_NONE is none. Read the members, do not set them. */
struct gb_memory {
    pid_t pid;
    uint64_t start; /* address */
    uint32_t pages;
    int pages_fd;
};
#define GB_MEMORY_NONE ((struct gb_memory){.pages_fd = -1})

/* Finds the private mapping of all of @file in @pid. GB_ENOTFOUND: there is none, or more than
 * one. GB_EUNSUPPORTED: this system does not let us look; the message says why. */
int gb_memory_open(pid_t pid, const struct stat *file, struct gb_memory *ret_memory,
                   struct gb_err *err);
/* Harmless for none. */
void gb_memory_close(struct gb_memory *memory);

/* Adds to @ranges (an array of struct gb_page_range) the pages that the process has of its own:
 * those that it has written to since it mapped the file, swapped out or not. Ascending, none
 * touches the next. GB_ECAPACITY: no memory for them. */
int gb_memory_private(const struct gb_memory *memory, struct gb_buf *ranges, struct gb_err *err);

/* Copies the pages of @ranges, one behind the other, from the process to @data, and back. What is
 * written becomes the process's own. GB_ECLOSED: the process has ended. */
int gb_memory_read(const struct gb_memory *memory, const struct gb_page_range *ranges, size_t count,
                   uint8_t *data, struct gb_err *err);
int gb_memory_write(const struct gb_memory *memory, const struct gb_page_range *ranges,
                    size_t count, const uint8_t *data, struct gb_err *err);
