/* SPDX-License-Identifier: Apache-2.0 */
/* The lock on a template's name, between servers, and the wait for it without polling: the kernel
 * tells when the file of the lock is closed by who holds it, be it by his death.
 *
 * All functions: loop thread only. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "loop/loop.h"

/* Embed it, zeroed; do not touch its members. */
struct gb_snapshot_lock {
    struct gb_loop *loop;
    char *path;
    int fd, closed_fd; /* valid while `path` is set; -1: none */
    struct gb_watch *watch;
    struct gb_timer *again, *patience;
    void (*done)(void *arg, const struct gb_err *err);
    void *arg;
};

/* Takes the lock of @path, which is made. Returns 1 when it is taken, 0 when another holds it: then
 * @done is called from the loop, with NULL when it is taken, or with GB_EBUSY when it was not free
 * within @patience_ms. Only gb_snapshot_lock_release() ends either. */
int gb_snapshot_lock_take(struct gb_snapshot_lock *lock, struct gb_loop *loop, const char *path,
                          uint64_t patience_ms, void (*done)(void *arg, const struct gb_err *err),
                          void *arg, struct gb_err *err);

/* Gives it back, or stops waiting for it. Harmless when it is neither held nor awaited. */
void gb_snapshot_lock_release(struct gb_snapshot_lock *lock);

/* Takes the lock if it is free: the descriptor, to be closed, or GB_EBUSY. May be called on any
 * thread. */
int gb_snapshot_lock_try(const char *path, int *ret_fd, struct gb_err *err);
