/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for another process's flock() without polling. */
#pragma once

#include <stdbool.h>

/* Embed it; GB_LOCK_WATCH_NONE is none. */
struct gb_lock_watch {
    int fd; /* becomes readable when the lock may have become free: for gb_watch_new(); -1: none */
    int file_fd; /* -1: this system needs none */
};
#define GB_LOCK_WATCH_NONE ((struct gb_lock_watch){.fd = -1, .file_fd = -1})

/* Watches the lock on the file @path: its holder closes it or dies, or the file is removed.
 * Wake-ups may be early, or caused by others who only tried; try again with a lock descriptor that
 * stays open meanwhile. 0 or -errno. */
int gb_lock_watch_open(const char *path, struct gb_lock_watch *ret_watch);

/* Consumes pending events, so that the descriptor is quiet again. False if there were none. */
bool gb_lock_watch_take(const struct gb_lock_watch *watch);
/* No-op on GB_LOCK_WATCH_NONE. */
void gb_lock_watch_close(struct gb_lock_watch *watch);
