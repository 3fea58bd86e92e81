/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. flock() on a file that is never written. A waiting server is notified when
 * the file may have become free (platform/lock.h) and keeps its own descriptor open, so that its
 * attempts do not wake others. Notifications may be slightly early: a failed attempt is repeated
 * once after AGAIN_MS. The holder may remove the file; a server that locks a removed file starts
 * over. */
#include "snapshot/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/lock.h"

enum { AGAIN_MS = 50, REMOVED_MAX = 16 };

static int lock_open_file(const char *path, struct gb_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

    return fd < 0 ? gb_err_sys(err, errno, "cannot open %s", path) : fd;
}

static bool lock_is_current(int fd, const char *path)
{
    struct stat ours, theirs;

    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

/* 1: taken; 0: another process has it; *@fd is open in both cases. */
static int lock_attempt(const char *path, int *fd, struct gb_err *err)
{
    for (int i = 0; i < REMOVED_MAX; i++) {
        if (*fd < 0 && (*fd = lock_open_file(path, err)) < 0)
            return *fd;
        if (flock(*fd, LOCK_EX | LOCK_NB) < 0)
            return errno == EWOULDBLOCK ? 0 : gb_err_sys(err, errno, "cannot lock %s", path);
        if (lock_is_current(*fd, path))
            return 1;
        *fd = gb_close(*fd);
    }
    return gb_err_set(err, GB_EBUSY, "%s keeps being removed", path);
}

int gb_snapshot_lock_try(const char *path, int *ret_fd, struct gb_err *err)
{
    _cleanup_(closep) int fd = -1;
    int r = lock_attempt(path, &fd, err);

    if (r < 0)
        return r;
    if (r == 0)
        return gb_err_set(err, GB_EBUSY, "another server has the lock");
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static void lock_stop_waiting(struct gb_snapshot_lock *lock)
{
    gb_watch_free(TAKE_PTR(lock->watch));
    gb_timer_free(TAKE_PTR(lock->again));
    gb_timer_free(TAKE_PTR(lock->patience));
    gb_lock_watch_close(&lock->closed);
}

static void lock_look(struct gb_snapshot_lock *lock, bool once_more)
{
    struct gb_err err;
    int r = lock_attempt(lock->path, &lock->fd, &err);

    if (r == 0) {
        if (once_more)
            gb_timer_start(lock->again, AGAIN_MS);
        return;
    }
    lock_stop_waiting(lock);
    lock->done(lock->arg, r < 0 ? &err : NULL);
}

static void lock_on_again(void *arg)
{
    lock_look(arg, false);
}

static void lock_on_closed(void *arg)
{
    struct gb_snapshot_lock *lock = arg;

    if (gb_lock_watch_take(&lock->closed))
        lock_look(lock, true);
}

static void lock_on_patience(void *arg)
{
    struct gb_snapshot_lock *lock = arg;
    struct gb_err err;

    lock_stop_waiting(lock);
    (void)gb_err_set(&err, GB_EBUSY, "another server is working on it, and does not finish");
    lock->done(lock->arg, &err);
}

int gb_snapshot_lock_take(struct gb_snapshot_lock *lock, struct gb_loop *loop, const char *path,
                          uint64_t patience_ms, void (*done)(void *arg, const struct gb_err *err),
                          void *arg, struct gb_err *err)
{
    int r;

    *lock = (struct gb_snapshot_lock){
        .loop = loop, .path = xstrdup(path), .fd = -1, .closed = GB_LOCK_WATCH_NONE};
    lock->done = done;
    lock->arg = arg;
    r = lock_attempt(path, &lock->fd, err);
    if (r == 0) {
        r = gb_lock_watch_open(path, &lock->closed);
        if (r < 0)
            r = gb_err_sys(err, -r, "cannot watch %s", path);
    }
    if (r < 0) {
        gb_snapshot_lock_release(lock);
        return r;
    }
    if (r == 1)
        return 1;
    lock->watch = gb_watch_new(loop, lock->closed.fd, lock_on_closed, lock);
    lock->again = gb_timer_new(loop, lock_on_again, lock);
    lock->patience = gb_timer_new(loop, lock_on_patience, lock);
    gb_timer_start(lock->patience, patience_ms);
    /* It may have been released between the attempt and the watch. */
    gb_timer_start(lock->again, AGAIN_MS);
    return 0;
}

void gb_snapshot_lock_release(struct gb_snapshot_lock *lock)
{
    if (lock->path == NULL)
        return;
    lock_stop_waiting(lock);
    lock->fd = gb_close(lock->fd);
    free(TAKE_PTR(lock->path));
}
