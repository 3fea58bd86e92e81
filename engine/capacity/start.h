/* SPDX-License-Identifier: Apache-2.0 */
/* How a session gets its VM: from the pool, else as a clone of a template that exists or is being
 * built, else by booting; or the caller makes it. Also reserves capacity for it, unless it comes
 * from the pool, where it has a slot already. If a VM fails before the session has it, the next
 * method in this order silently replaces it: nothing has run in it. */
#pragma once

#include "base/err.h"
#include "capacity/admission.h"
#include "snapshot/clone.h"
#include "capacity/pool.h"
#include "capacity/templates.h"
#include "session/session.h"

/* A start in progress. Embed it, zeroed; do not touch its members. */
struct gb_start {
    struct gb_pool *pool;
    struct gb_session *session;
    uint64_t wait_ms;
    bool networked; /* a VM that has rehearsed a network is preferred */
    uint64_t begun_ns;
    uint64_t asked_ns, admission_ns; /* when the slot was requested, and how long it took */
    struct gb_pool_take take;
    struct gb_template_waiter waiter;
    struct gb_ticket ticket;
    struct gb_snapshot *template; /* of the clone; NULL: boots */
    struct gb_clone *clone;
    struct gb_snapshot *origin; /* what the session's VM was made from; NULL: booted */
    struct gb_slot *slot;       /* until the session is open; the process holds a reference */
    bool was_waiting;           /* the clone was WAITING in the pool */
    unsigned lost; /* clones that died after the session had them or while ready in the pool */
    void (*make)(void *arg); /* NULL, or who makes the VM once there is room for it */
    void *make_arg;
    struct gb_deferred fail;
    struct gb_err why; /* the last of these failures */
};

/* Begins a start for a session without a VM, which has a network if @networked; borrows everything
 * until the session is open or has ended, or until the cancel. Fails the session if no VM can be
 * started, or if there is no capacity for one within @wait_ms. */
void gb_start_begin(struct gb_start *start, struct gb_pool *pool, struct gb_session *session,
                    bool networked, uint64_t wait_ms);
/* The same for a session whose VM the caller makes, as a clone of @origin (held): @make is called
 * once when there is capacity for it, which may be from within the call; never after the cancel.
 * Then gb_start_hold() follows for the process, and gb_session_fork(), or gb_start_fail().
 */
void gb_start_begin_made(struct gb_start *start, struct gb_pool *pool, struct gb_session *session,
                         uint64_t wait_ms, struct gb_snapshot *origin, void (*make)(void *arg),
                         void *arg);
/* For a session that is asleep, and whose VMs are clones of @origin (held). */
void gb_start_restored(struct gb_start *start, struct gb_pool *pool, struct gb_session *session,
                       struct gb_snapshot *origin);
/* The process has the capacity until it has been reaped. */
void gb_start_hold(struct gb_start *start, struct gb_vm *vm);
/* Ends the session, from the loop, with @err. */
void gb_start_fail(struct gb_start *start, const struct gb_err *err);
/* For the session's `lost`: begins again, in the end with a boot, within the remaining time to
 * wait. */
bool gb_start_again(struct gb_start *start, const struct gb_err *why);
/* The session is open. */
void gb_start_settle(struct gb_start *start);
/* What the session's VM was made from; NULL if it was booted or there is none. Borrowed. */
struct gb_snapshot *gb_start_origin(const struct gb_start *start);
/* How long it waited for capacity. */
uint64_t gb_start_admission_ns(const struct gb_start *start);
/* Cancels the start; no-op if it is over. */
void gb_start_cancel(struct gb_start *start);
