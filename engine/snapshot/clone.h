/* SPDX-License-Identifier: Apache-2.0 */
/* A clone: a QEMU process that waits for a snapshot's device state, loads it, and answers.
 *
 * Life: WAITING (the process waits in `-incoming defer`; its RAM is the snapshot's, mapped
 * copy-on-write) → LOADING → READY (the guest runs and has answered a ping) → taken, or freed. It
 * has not been configured: until it is, it shares all random state with the snapshot's other
 * clones.
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
    /* The process ended, the state cannot be loaded, or the guest does not answer. Called at any
     * time before the clone is taken; afterwards only gb_clone_free() is allowed. */
    void (*failed)(void *arg, const struct gb_err *err);
};

/* Starts the process. Holds a reference to @snapshot until the process has ended. Gives. */
int gb_clone_start(struct gb_host *host, struct gb_snapshot *snapshot,
                   const struct gb_clone_events *events, void *arg, struct gb_clone **ret_clone,
                   struct gb_err *err);
/* Whether it is WAITING: it may have failed, and its owner not have been told yet. */
bool gb_clone_is_waiting(const struct gb_clone *clone);
/* From now on the events of a WAITING clone go to another owner. */
void gb_clone_hand_over(struct gb_clone *clone, const struct gb_clone_events *events, void *arg);
/* Loads the state and pings the guest as soon as the process is ready; call it once. */
void gb_clone_load(struct gb_clone *clone);

/* To load another state than the snapshot's: @done is called (once, from the loop) when the process
 * of a WAITING clone has mapped its memory, which may be overwritten from then on; the device state
 * is then loaded from @state_path, which may be removed when the clone is READY. State and memory
 * must have been saved while the guest was HELD; the clone's guest is HELD too when it is READY. */
void gb_clone_await(struct gb_clone *clone, gb_vm_done_fn *done, void *arg);
void gb_clone_load_state(struct gb_clone *clone, const char *state_path);

/* Takes the guest of a READY clone; the caller calls gb_guest_hand_over() or gb_guest_adopt()
 * before returning to the loop. The clone is freed. Gives. */
struct gb_guest *gb_clone_take(struct gb_clone *clone);

/* Borrowed; NULL if it is dead. */
struct gb_vm *gb_clone_vm(const struct gb_clone *clone);
struct gb_snapshot *gb_clone_snapshot(const struct gb_clone *clone);

/* Ends a clone that was not taken: kills its process, and frees the rest when that has been reaped.
 * No further callbacks. No-op on NULL. */
void gb_clone_free(struct gb_clone *clone);
