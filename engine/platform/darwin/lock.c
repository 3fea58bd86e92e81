/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel reports the end of a flock() as an event of the file, whether it was given up, its
 * last descriptor was closed or its holder died. Events belong to a descriptor of the file, so that
 * has to stay open, too. */
#include "platform/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/event.h>
#include <time.h>

#include "base/fd.h"

enum { LOCK_EVENTS = NOTE_FUNLOCK | NOTE_DELETE | NOTE_RENAME };

int gb_lock_watch_open(const char *path, struct gb_lock_watch *ret_watch)
{
    _cleanup_(closep) int file_fd = open(path, O_EVTONLY | O_CLOEXEC);
    _cleanup_(closep) int fd = file_fd < 0 ? -1 : kqueue();
    struct kevent event;
    int r;

    if (fd < 0)
        return -errno;
    r = gb_fd_set_cloexec(fd, true);
    if (r < 0)
        return r;
    EV_SET(&event, (uintptr_t)file_fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, LOCK_EVENTS, 0, NULL);
    if (kevent(fd, &event, 1, NULL, 0, NULL) < 0)
        return -errno;
    *ret_watch = (struct gb_lock_watch){.fd = TAKE_FD(fd), .file_fd = TAKE_FD(file_fd)};
    return 0;
}

bool gb_lock_watch_take(const struct gb_lock_watch *watch)
{
    const struct timespec now = {0};
    struct kevent event;

    return kevent(watch->fd, NULL, 0, &event, 1, &now) > 0;
}

void gb_lock_watch_close(struct gb_lock_watch *watch)
{
    watch->fd = gb_close(watch->fd);
    watch->file_fd = gb_close(watch->file_fd);
}
