/* SPDX-License-Identifier: Apache-2.0 */
/* inotify reports the close slightly before the kernel releases the lock of a dead process. */
#include "platform/lock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"

enum { EVENTS_BYTES = 4096 };

int gb_lock_watch_open(const char *path, struct gb_lock_watch *ret_watch)
{
    _cleanup_(closep) int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd < 0 || inotify_add_watch(fd, path, IN_CLOSE_WRITE | IN_DELETE_SELF) < 0)
        return -errno;
    *ret_watch = (struct gb_lock_watch){.fd = TAKE_FD(fd), .file_fd = -1};
    return 0;
}

bool gb_lock_watch_take(const struct gb_lock_watch *watch)
{
    uint8_t events[EVENTS_BYTES];

    /* Only the wake-up matters, not the events. */
    return read(watch->fd, events, sizeof(events)) > 0;
}

void gb_lock_watch_close(struct gb_lock_watch *watch)
{
    watch->fd = gb_close(watch->fd);
}
