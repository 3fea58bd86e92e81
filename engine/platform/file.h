/* SPDX-License-Identifier: Apache-2.0 */
/* What files can do beyond POSIX. Functions that return int return 0, a descriptor (close-on-exec)
 * or -errno. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* ---- files without a name ---- */

/* An empty file in memory, gone when its last descriptor is closed. @name is for those who look at
 * our descriptors. */
int gb_file_in_memory(const char *name);

/* An empty file in @folder that has no name: a process that is killed leaves none behind.
 * -EOPNOTSUPP and others where that cannot be had. */
int gb_file_unnamed(const char *folder);
/* Gives the file of gb_file_unnamed() the name @path; -EEXIST when there is one. */
int gb_file_link(int fd, const char *path);

/* ---- descriptors and paths ---- */

/* Opens once more what @fd is open on, as open() does with @flags: the position and O_NONBLOCK are
 * not shared with @fd. -errno where the system has no way to it (sockets never have one). */
int gb_file_reopen(int fd, int flags);

/* A path by which another process of this user can open the file that @fd has open, for as long as
 * this process keeps it open, be it renamed or removed. Gives. */
char *gb_file_path_of(int fd);

/* The descriptor of this process that the name @name in the folder @folder (links followed) stands
 * for; -1: it is an ordinary name. */
int gb_file_own_descriptor(const char *folder, const char *name);
/* Whether only the kernel can follow the links in @folder: their targets are texts, not paths. */
bool gb_file_kernel_links(const char *folder);

/* ---- the disk ---- */

/* Makes room on the disk for @size bytes; the size of the file stays. -EOPNOTSUPP where the file
 * system cannot promise that. */
int gb_file_reserve(int fd, uint64_t size);
/* Gives the disk's blocks of a range back; it reads as zeros. -EOPNOTSUPP as above. */
int gb_file_punch_hole(int fd, uint64_t at, uint64_t size);
/* Waits until what was written is on the disk, with what is needed to read it again. */
int gb_file_sync_data(int fd);

/* Renames @from to @to; -EEXIST, and nothing done, when @to is there. */
int gb_file_rename_new(const char *from, const char *to);
/* Lets @from and @to change places in one step. Both must be there. */
int gb_file_exchange(const char *from, const char *to);

/* When the content, and when anything about the file changed last, in ns since 1970. */
int64_t gb_file_mtime_ns(const struct stat *info);
int64_t gb_file_ctime_ns(const struct stat *info);
