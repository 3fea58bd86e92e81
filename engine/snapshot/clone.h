/* SPDX-License-Identifier: Apache-2.0 */
/* A clone: a QEMU process that waits for a snapshot's device state, loads it, and answers.
 *
 * Life: WAITING (the process waits in `-incoming defer`, its RAM is the snapshot's, copied on
 * write) → LOADING → READY (the guest runs and has answered a ping) → taken, or freed.
 * It has not been configured: until it is, it is the snapshot's twin in every random number.
 *
 * All functions: loop thread only. No callback is made from within a call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "guest/guest.h"
#include "snapshot/snapshot.h"

struct gb_clone;

struct gb_clone_events {
    /* It is READY. */
    void (*ready)(void *arg);
    /* The process has ended, the state cannot be loaded, or the guest does not answer. At any time
     * before the take; then only gb_clone_free() is left. */
    void (*failed)(void *arg, const struct gb_err *err);
};

/* Starts the process. Holds @snapshot until the process has ended. Gives. */
int gb_clone_start(struct gb_host *host, struct gb_snapshot *snapshot,
                   const struct gb_clone_events *events, void *arg, struct gb_clone **ret_clone,
                   struct gb_err *err);
/* The events of a WAITING clone go to another owner from now on. */
void gb_clone_hand_over(struct gb_clone *clone, const struct gb_clone_events *events, void *arg);
/* Loads and pings as soon as the process can; once. */
void gb_clone_load(struct gb_clone *clone);

/* For another state than the snapshot's: @done (once, from the loop) when the process of a WAITING
 * clone has its memory, which may be written to from then on; then its device state is loaded from
 * @state_path, which may be gone when the clone is READY. It was saved with the memory of a guest
 * that was HELD, as the clone's is when it is READY. */
void gb_clone_await(struct gb_clone *clone, gb_vm_done_fn *done, void *arg);
void gb_clone_load_state(struct gb_clone *clone, const char *state_path);

/* Takes the guest of a READY clone; the caller calls gb_guest_hand_over() or gb_guest_adopt()
 * before it returns to the loop. The clone is gone. Gives. */
struct gb_guest *gb_clone_take(struct gb_clone *clone);

/* Borrowed; NULL when it is dead. */
struct gb_vm *gb_clone_vm(const struct gb_clone *clone);
struct gb_snapshot *gb_clone_snapshot(const struct gb_clone *clone);

/* Ends a clone that nobody takes: its process is killed, and the rest goes when it has been reaped.
 * No callback is made any more. Accepts NULL. */
void gb_clone_free(struct gb_clone *clone);
