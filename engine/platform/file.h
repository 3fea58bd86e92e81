/* SPDX-License-Identifier: Apache-2.0 */
/* File operations beyond POSIX. Functions that return int return 0, a descriptor (close-on-exec) or
 * -errno. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* ---- files without a name ---- */

/* An empty file in memory, or on disk where a system has none in memory; freed when its last
 * descriptor is closed. @name only helps those who inspect our descriptors. @ret_writer: NULL, or
 * gets a second descriptor, with its own position, that can only write. */
int gb_file_in_memory(const char *name, int *ret_writer);

/* An empty unnamed file in @folder: nothing is left behind if the process is killed. -EOPNOTSUPP or
 * another error where the file system cannot do that. */
int gb_file_unnamed(const char *folder);
/* Links the file of gb_file_unnamed(), or one that has a name, at @path; -EEXIST if that exists. */
int gb_file_link(int fd, const char *path);

/* ---- descriptors and paths ---- */

/* Reopens the file that @fd refers to, as open() does with @flags: position and O_NONBLOCK are not
 * shared with @fd. -errno if the system cannot do that (never possible for sockets). */
int gb_file_reopen(int fd, int flags);

/* A path by which another process of this user can open the file that @fd refers to for as long as
 * this process keeps @fd open: on Linux even if it was renamed or removed. Where it was removed and
 * the system has no such path, this process at least can open it, and shares its position with @fd.
 * Gives. */
char *gb_file_path_of(int fd);

/* The descriptor of this process that @name in the folder @folder (links followed) refers to; -1:
 * it is an ordinary name. */
int gb_file_own_descriptor(const char *folder, const char *name);
/* Whether @folder contains magic links, which only the kernel can follow: their targets are
 * descriptions, not paths. */
bool gb_file_kernel_links(const char *folder);

/* ---- the disk ---- */

/* Reserves disk space for @size bytes without changing the file's size. -EOPNOTSUPP if the file
 * system cannot guarantee that. */
int gb_file_reserve(int fd, uint64_t size);
/* Frees the disk blocks of a range, which then reads as zeros. -EOPNOTSUPP as above. */
int gb_file_punch_hole(int fd, uint64_t at, uint64_t size);
/* Waits until written data is on the disk, with the metadata needed to read it. */
int gb_file_sync_data(int fd);

/* Renames @from to @to; if @to exists, does nothing and returns -EEXIST. */
int gb_file_rename_new(const char *from, const char *to);
/* Atomically exchanges @from and @to. Both must exist. */
int gb_file_exchange(const char *from, const char *to);

/* When the content changed last, and when anything about the file did, in ns since 1970. */
int64_t gb_file_mtime_ns(const struct stat *info);
int64_t gb_file_ctime_ns(const struct stat *info);
