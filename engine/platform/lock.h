/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the flock() of another process without polling. */
#pragma once

#include <stdbool.h>

/* A descriptor that becomes readable when the lock on the file @path may have become free: its
 * holder closed it or died, or the file was removed. It may tell a moment too early, and of others
 * who only tried; who waits tries again, with a descriptor that stays open in between. -errno. */
int gb_lock_watch_open(const char *path);

/* Takes what was told, so that the descriptor is quiet again. False when nothing was. */
bool gb_lock_watch_take(int fd);
