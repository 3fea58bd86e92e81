/* SPDX-License-Identifier: Apache-2.0 */
/* One VM of the warm pool: a clone that has done once all that a user's first cell will do.
 *
 * Life: WAITING (a process in `-incoming defer`) → STARTING (loads, then is configured and runs a
 * cell) → READY ⇄ ASKED (whether it still answers) → taken, or GONE. A WAITING one may be taken as
 * the clone that it is.
 *
 * All functions: loop thread only. No callback is made from within a call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "capacity/admission.h"
#include "snapshot/clone.h"

enum pool_clone_state {
    POOL_CLONE_WAITING,
    POOL_CLONE_STARTING,
    POOL_CLONE_READY,
    POOL_CLONE_ASKED,
    POOL_CLONE_GONE
};

struct pool_clone {
    struct gb_list link; /* the owner's */
    void *user;          /* the owner's */
    /* To be read only. */
    enum pool_clone_state state;
    bool was_ready;       /* once at least */
    bool silent;          /* ASKED, and late with the answer */
    uint64_t answered_ns; /* when it last answered */
    struct gb_snapshot *template;

    /* Nobody else's. */
    struct gb_host *host;
    struct gb_clone *clone; /* WAITING, and STARTING until it is restored */
    struct gb_guest *guest; /* from then on; without a VM when that is dead */
    struct gb_slot *slot;
    struct gb_timer *timer;
    struct gb_deferred told;
    struct gb_err why;
    unsigned rounds; /* of the warm-up that are over */
    bool dropped;
    const struct pool_clone_events *events;
    void *arg;
};

struct pool_clone_events {
    /* It is READY: for the first time, or it has answered. */
    void (*ready)(void *arg, struct pool_clone *clone);
    /* It has not answered in POOL_CLONE_ASK_MS; it is ASKED still, and GONE if it goes on so. */
    void (*silent)(void *arg, struct pool_clone *clone);
    /* Whether it is wanted now rather than warm: asked between the rounds of its warm-up. */
    bool (*hurry)(void *arg);
    /* It is GONE: @err says why. The owner takes it out of its list and calls pool_clone_drop(). */
    void (*gone)(void *arg, struct pool_clone *clone, const struct gb_err *err);
};

enum { POOL_CLONE_ASK_MS = 200 };

/* Starts the process. Takes @slot on success. Gives. */
int pool_clone_start(struct gb_host *host, struct gb_snapshot *template, struct gb_slot *slot,
                     const struct pool_clone_events *events, void *arg,
                     struct pool_clone **ret_clone, struct gb_err *err);
/* A WAITING one loads and warms up. */
void pool_clone_load(struct pool_clone *clone);
/* Borrowed; NULL when it is dead. */
struct gb_vm *pool_clone_vm(const struct pool_clone *clone);
/* Asks a READY one whether it answers. */
void pool_clone_ask(struct pool_clone *clone);
/* Takes the guest of a READY one, with its slot (gives both); gb_guest_adopt() has to follow before
 * the return to the loop. The pool's clone is gone. */
struct gb_guest *pool_clone_take(struct pool_clone *clone, struct gb_slot **ret_slot);
/* The same for the clone of a WAITING one; gb_clone_hand_over() has to follow. */
struct gb_clone *pool_clone_take_waiting(struct pool_clone *clone, struct gb_slot **ret_slot);

/* Ends it, in whatever state: no callback any more; the memory goes when the process has been
 * reaped. Accepts NULL. */
void pool_clone_drop(struct pool_clone *clone, const char *reason);
