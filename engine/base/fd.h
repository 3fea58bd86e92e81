/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: born close-on-exec, owned by one place, closed once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"
#include "mem.h"

/* Closes @fd when it is >= 0, keeps errno, and returns -1: `fd = gb_close(fd);` */
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

/* Reads or writes all of @size, over short counts and EINTR; for files and blocking descriptors.
 * Returns the bytes moved (less than @size only at the end of the file), or -errno. */
ssize_t gb_fd_read_full(int fd, void *data, size_t size);
ssize_t gb_fd_write_full(int fd, const void *data, size_t size);

/* The whole of a small file, at most @limit bytes (GB_ETOOLARGE above). Appends to @buf; after
 * a failure a part of it may be there. */
int gb_fd_read_file(const char *path, size_t limit, struct gb_buf *buf, struct gb_err *err);

/* Writes a file beside @path, syncs it and renames it over @path: who reads it sees the old content
 * or the new one. The folder is not synced: after a crash of the host it may be the old one. */
int gb_fd_replace_file(const char *path, struct gb_bytes content, mode_t mode, struct gb_err *err);

/* mkdir -p; directories that are made get @mode. What is there already is not looked at. */
int gb_fd_make_dirs(const char *path, mode_t mode, struct gb_err *err);
