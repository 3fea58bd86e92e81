/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for another process's flock() without polling. */
#pragma once

#include <stdbool.h>

/* A descriptor that becomes readable when the lock on the file @path may have become free: its
 * holder closed it or died, or the file was removed. Wake-ups may be early, or caused by others who
 * only tried; try again with a lock descriptor that stays open meanwhile. -errno. */
int gb_lock_watch_open(const char *path);

/* Consumes pending events, so that the descriptor is quiet again. False if there were none. */
bool gb_lock_watch_take(int fd);
