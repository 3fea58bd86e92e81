/* SPDX-License-Identifier: Apache-2.0 */
/* Two servers cannot race for one path: only the holder of the lock on PATH.lock may replace the
 * socket, and the kernel releases the lock with the process. The lock file is never removed: an
 * unlinked one could be locked twice. */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "platform/socket.h"

enum { BACKLOG = 128 };

/* Anyone who can rename entries of the directory could put another socket in our place. */
static int listen_check_directory(const char *path, struct gb_err *err)
{
    struct stat st;

    /* The owner of a link can redirect it later, and no client would trust it. */
    if (lstat(path, &st) < 0)
        return gb_err_sys(err, errno, "cannot inspect the directory %s", path);
    if (S_ISLNK(st.st_mode))
        return gb_err_set(
            err, GB_EPOLICY,
            "the directory %s of the socket is a symbolic link: name the directory itself", path);
    if (!S_ISDIR(st.st_mode))
        return gb_err_set(err, GB_EINVALID, "%s is not a directory", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return gb_err_set(err, GB_EPOLICY, "the directory %s of the socket belongs to uid %ld",
                          path, (long)st.st_uid);
    if ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)
        return gb_err_set(err, GB_EPOLICY, "others can write to the directory %s of the socket",
                          path);
    return 0;
}

static int listen_prepare_directory(const char *path, struct gb_err *err)
{
    _cleanup_(freep) char *directory = xstrdup(path);
    char *slash = strrchr(directory, '/');
    int r;

    if (slash == NULL)
        return listen_check_directory(".", err);
    if (slash == directory)
        return listen_check_directory("/", err);
    *slash = '\0';
    r = gb_fd_make_dirs(directory, 0700, err);
    return r < 0 ? r : listen_check_directory(directory, err);
}

static int listen_take_lock(const char *path, int *ret_fd, struct gb_err *err)
{
    _cleanup_(freep) char *name = xasprintf("%s.lock", path);
    _cleanup_(closep) int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return gb_err_sys(err, errno, "cannot open the lock %s", name);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return gb_err_set(err, GB_EBUSY, "another server already runs on %s", path);
        return gb_err_sys(err, errno, "cannot lock %s", name);
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* Removes a socket left behind by a dead server. */
static int listen_remove_stale(const char *path, const struct sockaddr_un *address,
                               struct gb_err *err)
{
    _cleanup_(closep) int fd = -1;
    struct stat st;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : gb_err_sys(err, errno, "cannot look at %s", path);
    if (!S_ISSOCK(st.st_mode))
        return gb_err_set(err, GB_EINVALID, "%s exists, and is not a socket", path);
    fd = gb_socket_new(SOCK_STREAM, true);
    if (fd < 0)
        return gb_err_sys(err, -fd, "cannot make a socket");
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
        return gb_err_set(err, GB_EBUSY, "somebody else answers on %s", path);
    if (errno != ECONNREFUSED)
        return gb_err_sys(err, errno, "cannot tell whether somebody answers on %s", path);
    if (unlink(path) < 0)
        return gb_err_sys(err, errno, "cannot remove the old socket %s", path);
    return 0;
}

int listen_open(const char *path, int handed_fd, int *ret_lock_fd, int *ret_fd, struct gb_err *err)
{
    _cleanup_(closep) int lock = -1;
    _cleanup_(closep) int fd = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int r;

    if (strlen(path) >= sizeof(address.sun_path))
        return gb_err_set(err, GB_EINVALID, "the socket's path has %zu bytes; %zu is the most",
                          strlen(path), sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path));
    r = listen_prepare_directory(path, err);
    if (r == 0)
        r = listen_take_lock(path, &lock, err);
    if (r == 0 && handed_fd >= 0) {
        *ret_lock_fd = TAKE_FD(lock);
        *ret_fd = handed_fd;
        return 0;
    }
    if (r == 0)
        r = listen_remove_stale(path, &address, err);
    if (r < 0)
        return r;
    fd = gb_socket_new(SOCK_STREAM, true);
    if (fd < 0)
        return gb_err_sys(err, -fd, "cannot make a socket");
    /* Nobody can connect before listen(), so setting the mode now is early enough. */
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0600) < 0 ||
        listen(fd, BACKLOG) < 0)
        return gb_err_sys(err, errno, "cannot listen on %s", path);
    *ret_lock_fd = TAKE_FD(lock);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

bool listen_trusted(int fd, pid_t *ret_pid)
{
    struct gb_socket_peer peer;

    if (gb_socket_peer(fd, &peer) < 0)
        return false;
    if (peer.uid != geteuid()) {
        gb_warning("a client of uid %ld (pid %ld) was refused", (long)peer.uid, (long)peer.pid);
        return false;
    }
    *ret_pid = peer.pid;
    return true;
}
