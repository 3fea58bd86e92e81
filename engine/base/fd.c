/* SPDX-License-Identifier: Apache-2.0 */
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int gb_close(int fd)
{
    int saved = errno;

    if (fd >= 0)
        (void)close(fd); /* Linux frees the descriptor whatever close() returns */
    errno = saved;
    return -1;
}

static int change_flag(int fd, int get, int set, int flag, bool on)
{
    int flags = fcntl(fd, get);

    if (flags < 0)
        return -errno;
    if (fcntl(fd, set, on ? flags | flag : flags & ~flag) < 0)
        return -errno;
    return 0;
}

int gb_fd_set_nonblocking(int fd, bool on)
{
    return change_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int gb_fd_set_cloexec(int fd, bool on)
{
    return change_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int gb_fd_copy(int fd, int *ret_fd, struct gb_err *err)
{
    const int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0 && copy < 0)
        return gb_err_sys(err, errno, "cannot keep another descriptor of a file");
    *ret_fd = copy;
    return 0;
}

ssize_t gb_fd_read_full(int fd, void *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, (char *)data + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t gb_fd_write_full(int fd, const void *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = write(fd, (const char *)data + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int gb_fd_read_file(const char *path, size_t limit, struct gb_buf *buf, struct gb_err *err)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t before = buf->size;

    if (fd < 0)
        return gb_err_sys(err, errno, "cannot open %s", path);
    for (;;) {
        uint8_t *to = gb_buf_reserve(buf, 4096, SIZE_MAX);
        ssize_t n;

        if (to == NULL)
            return gb_err_sys(err, ENOMEM, "cannot read %s", path);
        n = gb_fd_read_full(fd, to, 4096);
        if (n < 0)
            return gb_err_sys(err, (int)-n, "cannot read %s", path);
        gb_buf_commit(buf, (size_t)n);
        if (buf->size - before > limit)
            return gb_err_set(err, GB_ETOOLARGE, "%s is larger than %zu bytes", path, limit);
        if (n < 4096)
            return 0;
    }
}

int gb_fd_replace_file(const char *path, struct gb_bytes content, mode_t mode, struct gb_err *err)
{
    _cleanup_(freep) char *beside = xasprintf("%s.%ld.new", path, (long)getpid());
    _cleanup_(closep) int fd = -1;
    ssize_t n;

    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return gb_err_sys(err, errno, "cannot create %s", beside);
    n = gb_fd_write_full(fd, content.data, content.size);
    if (n >= 0 && fsync(fd) < 0)
        n = -errno;
    if (n >= 0 && rename(beside, path) < 0)
        n = -errno;
    if (n < 0) {
        (void)unlink(beside);
        return gb_err_sys(err, (int)-n, "cannot write %s", path);
    }
    return 0;
}

int gb_fd_make_dirs(const char *path, mode_t mode, struct gb_err *err)
{
    _cleanup_(freep) char *copy = xstrdup(path);

    for (char *slash = strchr(copy + (copy[0] == '/'), '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            return gb_err_sys(err, errno, "cannot make the directory %s", copy);
        if (slash == NULL)
            return 0;
        *slash = '/';
    }
}
