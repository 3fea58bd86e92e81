/* SPDX-License-Identifier: Apache-2.0 */
/* One VM of the warm pool: a clone that has already done once everything that a user's first cell
 * needs, and, if that is wanted, everything that a network needs.
 *
 * Life: WAITING (a process in `-incoming defer`) → STARTING (loads, is configured and runs a
 * warm-up cell) → READY ⇄ ASKED (pinged) → taken, or GONE. A WAITING one may be taken as a bare
 * clone.
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
    /* Read-only. */
    enum pool_clone_state state;
    bool was_ready;       /* has been READY at least once */
    bool silent;          /* ASKED, and the answer is overdue */
    uint64_t answered_ns; /* time of its last answer */
    struct gb_snapshot *template;

    /* Private. */
    struct gb_host *host;
    struct gb_clone *clone; /* WAITING, and STARTING until it is restored */
    struct gb_guest *guest; /* from then on; without a VM once that is dead */
    struct gb_slot *slot;
    struct gb_timer *timer;
    struct gb_deferred told;
    struct gb_err why;
    unsigned rounds; /* completed warm-up rounds */
    bool networked;  /* its network has to be rehearsed */
    bool dropped;
    const struct pool_clone_events *events;
    void *arg;
};

struct pool_clone_events {
    /* It is READY: for the first time, or because it has answered. */
    void (*ready)(void *arg, struct pool_clone *clone);
    /* No answer within POOL_CLONE_ASK_MS; it stays ASKED, and becomes GONE if it still does not
     * answer. */
    void (*silent)(void *arg, struct pool_clone *clone);
    /* Whether a session needs it now more than a full warm-up; called between warm-up rounds. */
    bool (*hurry)(void *arg);
    /* It is GONE, for the reason in @err. The owner removes it from its list and calls
     * pool_clone_drop(). */
    void (*gone)(void *arg, struct pool_clone *clone, const struct gb_err *err);
};

enum { POOL_CLONE_ASK_MS = 200 };

/* Starts the process. @networked: for a session with a network. Takes @slot on success. Gives. */
int pool_clone_start(struct gb_host *host, struct gb_snapshot *template, struct gb_slot *slot,
                     bool networked, const struct pool_clone_events *events, void *arg,
                     struct pool_clone **ret_clone, struct gb_err *err);
/* Loads the state into a WAITING one and warms it up. */
void pool_clone_load(struct pool_clone *clone);
/* Borrowed; NULL if it is dead. */
struct gb_vm *pool_clone_vm(const struct pool_clone *clone);
/* Pings a READY one. */
void pool_clone_ask(struct pool_clone *clone);
/* Takes the guest of a READY one with its slot (gives both); call gb_guest_adopt() before returning
 * to the loop. The pool_clone is freed. */
struct gb_guest *pool_clone_take(struct pool_clone *clone, struct gb_slot **ret_slot);
/* The same for the clone of a WAITING one; call gb_clone_hand_over(). */
struct gb_clone *pool_clone_take_waiting(struct pool_clone *clone, struct gb_slot **ret_slot);

/* Ends it in any state, without further callbacks; it is freed when the process has been reaped.
 * No-op on NULL. */
void pool_clone_drop(struct pool_clone *clone, const char *reason);
