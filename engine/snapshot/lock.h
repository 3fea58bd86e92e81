/* SPDX-License-Identifier: Apache-2.0 */
/* The lock on a template's name, shared between servers, with a wait that does not poll: the kernel
 * reports when the holder closes the lock file, be it by dying.
 *
 * All functions: loop thread only. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "loop/loop.h"
#include "platform/lock.h"

/* Embed it, zeroed; do not touch its members. */
struct gb_snapshot_lock {
    struct gb_loop *loop;
    char *path;
    int fd; /* valid if `path` is set, as the next one; -1: none */
    struct gb_lock_watch closed;
    struct gb_watch *watch;
    struct gb_timer *again, *patience;
    void (*done)(void *arg, const struct gb_err *err);
    void *arg;
};

/* Takes the lock of @path, creating the file. Returns 1 if it is taken, 0 if another process holds
 * it: then @done is called from the loop, with NULL when it has been taken, or with GB_EBUSY if it
 * was not free within @patience_ms. Only gb_snapshot_lock_release() ends either. */
int gb_snapshot_lock_take(struct gb_snapshot_lock *lock, struct gb_loop *loop, const char *path,
                          uint64_t patience_ms, void (*done)(void *arg, const struct gb_err *err),
                          void *arg, struct gb_err *err);

/* Releases the lock, or stops waiting for it. No-op if it is neither held nor awaited. */
void gb_snapshot_lock_release(struct gb_snapshot_lock *lock);

/* Takes the lock if it is free: returns a descriptor, to be closed to release it, or GB_EBUSY. Any
 * thread. */
int gb_snapshot_lock_try(const char *path, int *ret_fd, struct gb_err *err);
