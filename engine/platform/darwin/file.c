/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors lead to files by their path here (F_GETPATH), which ends when the file is removed,
 * and may lead to another file when names change meanwhile: whatever is opened or linked by such a
 * path is compared with the descriptor's file. /dev/fd/N is no way: opening it duplicates the
 * descriptor, with its position and its mode. */
#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

#define DESCRIPTORS "/dev/fd"

enum { FILE_ZEROS = 64 * 1024 };

static bool file_is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_rdev == b->st_rdev;
}

/* 0 or -errno. */
static int file_find_path(int fd, char path[PATH_MAX])
{
    return fcntl(fd, F_GETPATH, path) < 0 ? -errno : 0;
}

/* Opens the file of @fd by its path. */
static int file_open_same(int fd, int flags)
{
    struct stat info, opened;
    char path[PATH_MAX];
    _cleanup_(closep) int anew = -1;
    int r = file_find_path(fd, path);

    if (r < 0)
        return r;
    anew = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    if (anew < 0 || fstat(fd, &info) < 0 || fstat(anew, &opened) < 0)
        return -errno;
    return file_is_same(&info, &opened) ? TAKE_FD(anew) : -ENOENT;
}

/* There are no files in memory that can be written to: this one is on disk, in the user's own
 * folder for temporary files, and loses its name at once. */
int gb_file_in_memory(const char *name, int *ret_writer)
{
    char path[PATH_MAX];
    _cleanup_(closep) int fd = -1, writer = -1;
    const size_t n = confstr(_CS_DARWIN_USER_TEMP_DIR, path, sizeof(path) / 2);
    int r = 0;

    if (n == 0 || n > sizeof(path) / 2)
        (void)snprintf(path, sizeof(path), "/tmp/");
    (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "%.40s.XXXXXX", name);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (ret_writer != NULL) {
        writer = file_open_same(fd, O_WRONLY);
        r = writer < 0 ? writer : 0;
    }
    if (unlink(path) < 0 && r == 0)
        r = -errno;
    if (r < 0)
        return r;
    if (ret_writer != NULL)
        *ret_writer = TAKE_FD(writer);
    return TAKE_FD(fd);
}

/* A file cannot get its first name late. */
int gb_file_unnamed(const char *folder)
{
    (void)folder;
    return -EOPNOTSUPP;
}

int gb_file_link(int fd, const char *path)
{
    struct stat info, linked;
    char from[PATH_MAX];
    int r = file_find_path(fd, from);

    if (r < 0)
        return r;
    if (link(from, path) < 0)
        return -errno;
    if (fstat(fd, &info) == 0 && lstat(path, &linked) == 0 && file_is_same(&info, &linked))
        return 0;
    (void)unlink(path); /* a link of another file, which has its own name still */
    return -ENOENT;
}

int gb_file_reopen(int fd, int flags)
{
    return file_open_same(fd, flags);
}

char *gb_file_path_of(int fd)
{
    char path[PATH_MAX];

    if (file_find_path(fd, path) == 0 && access(path, F_OK) == 0)
        return xstrdup(path);
    return xasprintf(DESCRIPTORS "/%d", fd); /* for this process alone */
}

int gb_file_own_descriptor(const char *folder, const char *name)
{
    char *end;
    long fd;

    if (strcmp(folder, DESCRIPTORS) != 0 || name[0] < '0' || name[0] > '9')
        return -1;
    fd = strtol(name, &end, 10);
    return *end == '\0' && fd <= INT_MAX ? (int)fd : -1;
}

bool gb_file_kernel_links(const char *folder)
{
    return strcmp(folder, DESCRIPTORS) == 0;
}

/* 0 or -errno; -EOPNOTSUPP whatever a file system calls it. */
static int file_result(int result)
{
    if (result >= 0)
        return 0;
    return errno == ENOTSUP || errno == ENOTTY || errno == EINVAL ? -EOPNOTSUPP : -errno;
}

int gb_file_reserve(int fd, uint64_t size)
{
    enum { BLOCK = 512 }; /* of st_blocks */
    fstore_t more = {.fst_flags = F_ALLOCATEALL, .fst_posmode = F_PEOFPOSMODE};
    struct stat info;
    uint64_t has;

    if (fstat(fd, &info) < 0)
        return -errno;
    has = (uint64_t)info.st_blocks * BLOCK;
    if (has >= size)
        return 0;
    more.fst_length = (off_t)(size - has); /* beyond the last block */
    return file_result(fcntl(fd, F_PREALLOCATE, &more));
}

static int file_write_zeros(int fd, uint64_t at, uint64_t size)
{
    _cleanup_(freep) char *zeros = xcalloc(1, FILE_ZEROS);

    while (size > 0) {
        const ssize_t n = pwrite(fd, zeros, (size_t)MIN(size, FILE_ZEROS), (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        at += (uint64_t)n;
        size -= (uint64_t)n;
    }
    return 0;
}

/* Holes consist of whole blocks; what is beside them is overwritten. Nothing beyond the end of the
 * file. */
int gb_file_punch_hole(int fd, uint64_t at, uint64_t size)
{
    fpunchhole_t hole = {0};
    uint64_t block, first, last, end;
    struct stat info;
    int r;

    if (fstat(fd, &info) < 0)
        return -errno;
    end = MIN(at + size, (uint64_t)info.st_size);
    if (at >= end)
        return 0;
    block = (uint64_t)MAX(info.st_blksize, 1);
    first = (at + block - 1) / block * block;
    last = end / block * block;
    if (first >= last)
        return file_write_zeros(fd, at, end - at);
    hole.fp_offset = (off_t)first;
    hole.fp_length = (off_t)(last - first);
    r = file_result(fcntl(fd, F_PUNCHHOLE, &hole));
    if (r == 0)
        r = file_write_zeros(fd, at, first - at);
    if (r == 0)
        r = file_write_zeros(fd, last, end - last);
    return r;
}

/* fsync() leaves the data in the disk's own memory. */
int gb_file_sync_data(int fd)
{
    int r = file_result(fcntl(fd, F_FULLFSYNC));

    if (r != -EOPNOTSUPP)
        return r;
    return fsync(fd) < 0 ? -errno : 0; /* a file system of another machine */
}

int gb_file_rename_new(const char *from, const char *to)
{
    return renamex_np(from, to, RENAME_EXCL) < 0 ? -errno : 0;
}

int gb_file_exchange(const char *from, const char *to)
{
    return renamex_np(from, to, RENAME_SWAP) < 0 ? -errno : 0;
}

static int64_t file_ns(const struct timespec *time)
{
    return time->tv_sec * (int64_t)GB_NS_PER_S + time->tv_nsec;
}

int64_t gb_file_mtime_ns(const struct stat *info)
{
    return file_ns(&info->st_mtimespec);
}

int64_t gb_file_ctime_ns(const struct stat *info)
{
    return file_ns(&info->st_ctimespec);
}
