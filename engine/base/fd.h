/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: close-on-exec from creation, one owner, closed once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"
#include "mem.h"

/* Closes @fd if it is >= 0, preserves errno, and returns -1: `fd = gb_close(fd);` */
int gb_close(int fd);

static inline void closep(int *fd)
{
    *fd = gb_close(*fd);
}

#define TAKE_FD(fd)                                                                                \
    __extension__({                                                                                \
        int take_fd_ = (fd);                                                                       \
        (fd) = -1;                                                                                 \
        take_fd_;                                                                                  \
    })

/* 0 or -errno. */
int gb_fd_set_nonblocking(int fd, bool on);
int gb_fd_set_cloexec(int fd, bool on);

/* Another descriptor of the same file; of -1, -1. GB_ECAPACITY: no more can be open. */
int gb_fd_copy(int fd, int *ret_fd, struct gb_err *err);

/* Reads or writes all of @size, retrying short counts and EINTR; for files and blocking
 * descriptors. Returns the bytes transferred (less than @size only at end of file), or -errno. */
ssize_t gb_fd_read_full(int fd, void *data, size_t size);
ssize_t gb_fd_write_full(int fd, const void *data, size_t size);

/* Appends a whole small file, at most @limit bytes (else GB_ETOOLARGE), to @buf. After a failure
 * @buf may hold part of it. */
int gb_fd_read_file(const char *path, size_t limit, struct gb_buf *buf, struct gb_err *err);

/* Replaces @path atomically: writes a temporary file next to it, syncs it and renames it, so that
 * readers see either the old or the new content. The folder is not synced: after the host crashes,
 * the old content may be back. */
int gb_fd_replace_file(const char *path, struct gb_bytes content, mode_t mode, struct gb_err *err);

/* mkdir -p; new directories get @mode. Existing ones are not checked. */
int gb_fd_make_dirs(const char *path, mode_t mode, struct gb_err *err);
