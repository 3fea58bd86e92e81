/* SPDX-License-Identifier: Apache-2.0 */
#include "server/checkpoint/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/fd.h"
#include "base/mem.h"

struct folder_lock {
    int fd;
    unsigned uses;
};

int lock_take(const char *folder, struct folder_lock **ret_lock, struct gb_err *err)
{
    _cleanup_(freep) char *path = xasprintf("%s/lock", folder);
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return gb_err_sys(err, errno, "cannot open the lock %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_lock = xcalloc(1, sizeof(**ret_lock));
        **ret_lock = (struct folder_lock){.fd = TAKE_FD(fd), .uses = 1};
        return 0;
    }
    if (errno != EWOULDBLOCK)
        return gb_err_sys(err, errno, "cannot lock %s", path);
    return gb_err_set(err, GB_EBUSY,
                      "another server, at another socket, keeps its checkpoints in %s", folder);
}

struct folder_lock *lock_share(struct folder_lock *lock)
{
    lock->uses++;
    return lock;
}

void lock_drop(struct folder_lock *lock)
{
    if (lock == NULL || --lock->uses > 0)
        return;
    (void)gb_close(lock->fd);
    free(lock);
}
