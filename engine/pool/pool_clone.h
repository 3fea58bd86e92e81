/* SPDX-License-Identifier: Apache-2.0 */
/* One VM of the warm pool: a clone that has done once all that a user's first cell will do.
 *
 * Life: STANDING (a process in `-incoming defer`) → STARTING (loads, then is configured and runs a
 * cell) → READY ⇄ ASKED (whether it still answers) → taken, or GONE. A STANDING one may be taken as
 * the clone that it is.
 *
 * All functions: loop thread only. No callback is made from within a call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "pool/admission.h"
#include "snapshot/clone.h"

enum member_state { MEMBER_STANDING, MEMBER_STARTING, MEMBER_READY, MEMBER_ASKED, MEMBER_GONE };

struct member {
    struct gb_list link; /* the owner's */
    void *user;          /* the owner's */
    /* To be read only. */
    enum member_state state;
    bool was_ready;       /* once at least */
    bool silent;          /* ASKED, and late with the answer */
    uint64_t answered_ns; /* when it last answered */
    struct gb_snapshot *template;

    /* Nobody else's. */
    struct gb_host *host;
    struct gb_clone *clone; /* STANDING, and STARTING until it is restored */
    struct gb_vm *vm;       /* from then on; NULL when dead */
    struct gb_slot *slot;
    struct gb_timer *timer;
    struct gb_deferred told;
    struct gb_err why;
    uint32_t pings;
    int step;
    unsigned rounds;
    bool dropped;
    const struct member_events *events;
    void *arg;
};

struct member_events {
    /* It is READY: for the first time, or it has answered. */
    void (*ready)(void *arg, struct member *member);
    /* It has not answered in MEMBER_ASK_MS; it is ASKED still, and GONE if it goes on like that. */
    void (*silent)(void *arg, struct member *member);
    /* Whether it is wanted now rather than warm: asked between the rounds of its warming. */
    bool (*hurry)(void *arg);
    /* It is GONE: @err says why. The owner takes it out of its list and calls member_drop(). */
    void (*gone)(void *arg, struct member *member, const struct gb_err *err);
};

enum { MEMBER_ASK_MS = 200 };

/* Starts the process. Takes @slot on success. Gives. */
int member_start(struct gb_host *host, struct gb_snapshot *template, struct gb_slot *slot,
                 const struct member_events *events, void *arg, struct member **ret_member,
                 struct gb_err *err);
/* A STANDING one loads and warms up. */
void member_load(struct member *member);
/* Borrowed; NULL when it is dead. */
struct gb_vm *member_vm(const struct member *member);
/* Asks a READY one whether it answers. */
void member_ask(struct member *member);
/* Takes the VM of a READY one, with its slot (gives both); gb_vm_hand_over() has to follow before
 * the return to the loop. The member is gone. */
struct gb_vm *member_take(struct member *member, struct gb_slot **ret_slot);
/* The same for the clone of a STANDING one; gb_clone_hand_over() has to follow. */
struct gb_clone *member_take_clone(struct member *member, struct gb_slot **ret_slot);

/* Ends it, in whatever state: no callback any more; the memory goes when the process has been
 * reaped. Accepts NULL. */
void member_drop(struct member *member, const char *reason);
