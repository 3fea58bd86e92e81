/* SPDX-License-Identifier: Apache-2.0 */
/* How a session gets its VM: one of the pool, else a clone of a template where there is one or will
 * be one, else a boot; and room for it, unless the pool's VM has that already. A VM that fails
 * before the session has it is replaced by the next in this order, and nobody is told: nothing has
 * run in it. */
#pragma once

#include "base/err.h"
#include "capacity/admission.h"
#include "snapshot/clone.h"
#include "capacity/pool.h"
#include "capacity/templates.h"
#include "session/session.h"

/* A start under way. Embed it, zeroed; do not touch its members. */
struct gb_start {
    struct gb_pool *pool;
    struct gb_session *session;
    uint64_t wait_ms;
    uint64_t begun_ns;
    uint64_t asked_ns, admission_ns; /* for room: when, and how long it took */
    struct gb_pool_take take;
    struct gb_template_waiter waiter;
    struct gb_ticket ticket;
    struct gb_snapshot *template; /* of the clone; NULL: boots */
    struct gb_clone *clone;
    struct gb_snapshot *origin; /* what the session's VM was made of; NULL: it boots */
    struct gb_slot *slot;       /* until the session is open; the process has its share */
    bool was_waiting;           /* the clone waited in the pool */
    unsigned lost; /* clones that died after the session had them, or stood in the pool */
    struct gb_deferred fail;
    struct gb_err why; /* of that */
};

/* Begins it for a session without a VM; borrows all until the session is open or has ended, or the
 * cancel. When no VM can be started, or there is no room for one within @wait_ms, the session is
 * failed. */
void gb_start_begin(struct gb_start *start, struct gb_pool *pool, struct gb_session *session,
                    uint64_t wait_ms);
/* The session's `lost`: begins again, at last with a boot, within what is left of the time to wait.
 */
bool gb_start_again(struct gb_start *start, const struct gb_err *why);
/* The session is open. */
void gb_start_settle(struct gb_start *start);
/* What the session's VM was made of; NULL: it was booted, or there is none. Borrowed. */
struct gb_snapshot *gb_start_origin(const struct gb_start *start);
/* How long it waited for room. */
uint64_t gb_start_admission_ns(const struct gb_start *start);
/* Nobody needs it any more; harmless when it is over. */
void gb_start_cancel(struct gb_start *start);
