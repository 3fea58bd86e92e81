/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

/* A link through which a descriptor's file can be opened or linked. */
struct descriptor_link {
    char path[32];
};

static struct descriptor_link file_link_of(int fd)
{
    struct descriptor_link link;

    (void)snprintf(link.path, sizeof(link.path), "/proc/self/fd/%d", fd);
    return link;
}

int gb_file_in_memory(const char *name, int *ret_writer)
{
    _cleanup_(closep) int fd = memfd_create(name, MFD_CLOEXEC);
    int writer;

    if (fd < 0)
        return -errno;
    if (ret_writer != NULL) {
        writer = gb_file_reopen(fd, O_WRONLY);
        if (writer < 0)
            return writer;
        *ret_writer = writer;
    }
    return TAKE_FD(fd);
}

int gb_file_unnamed(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : fd;
}

int gb_file_link(int fd, const char *path)
{
    return linkat(AT_FDCWD, file_link_of(fd).path, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno
                                                                                          : 0;
}

int gb_file_reopen(int fd, int flags)
{
    int anew = open(file_link_of(fd).path, flags | O_CLOEXEC | O_NOCTTY);

    return anew < 0 ? -errno : anew;
}

char *gb_file_path_of(int fd)
{
    return xasprintf("/proc/%ld/fd/%d", (long)getpid(), fd);
}

int gb_file_own_descriptor(const char *folder, const char *name)
{
    char mine[64];
    char *end;
    long fd;

    (void)snprintf(mine, sizeof(mine), "/proc/%ld/fd", (long)getpid());
    if (strcmp(folder, mine) != 0 || name[0] < '0' || name[0] > '9')
        return -1;
    fd = strtol(name, &end, 10);
    return *end == '\0' && fd <= INT_MAX ? (int)fd : -1;
}

bool gb_file_kernel_links(const char *folder)
{
    return strncmp(folder, "/proc/", 6) == 0;
}

int gb_file_reserve(int fd, uint64_t size)
{
    return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) < 0 ? -errno : 0;
}

int gb_file_punch_hole(int fd, uint64_t at, uint64_t size)
{
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

    return fallocate(fd, mode, (off_t)at, (off_t)size) < 0 ? -errno : 0;
}

int gb_file_sync_data(int fd)
{
    return fdatasync(fd) < 0 ? -errno : 0;
}

int gb_file_rename_new(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

int gb_file_exchange(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) < 0 ? -errno : 0;
}

int64_t gb_file_mtime_ns(const struct stat *info)
{
    return info->st_mtim.tv_sec * (int64_t)GB_NS_PER_S + info->st_mtim.tv_nsec;
}

int64_t gb_file_ctime_ns(const struct stat *info)
{
    return info->st_ctim.tv_sec * (int64_t)GB_NS_PER_S + info->st_ctim.tv_nsec;
}
