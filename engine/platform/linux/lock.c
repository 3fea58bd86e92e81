/* SPDX-License-Identifier: Apache-2.0 */
/* inotify reports the close slightly before the kernel releases the lock of a dead process. */
#include "platform/lock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"

enum { EVENTS_BYTES = 4096 };

int gb_lock_watch_open(const char *path)
{
    _cleanup_(closep) int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd < 0 || inotify_add_watch(fd, path, IN_CLOSE_WRITE | IN_DELETE_SELF) < 0)
        return -errno;
    return TAKE_FD(fd);
}

bool gb_lock_watch_take(int fd)
{
    uint8_t events[EVENTS_BYTES];

    /* Only the wake-up matters, not the events. */
    return read(fd, events, sizeof(events)) > 0;
}
