/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions at rest, and exchanging their VM.
 *
 * Theory of operation. What is requested of a HELD session waits: cells in its queue, requests,
 * unsent, in its conversation. So nothing is in progress when the conversation changes its VM, and
 * nothing is lost. A program at a terminal, to which somebody may be typing, cannot be left behind
 * in the old VM: a session with one does not come to rest. The old VM is kept stopped until the new
 * one has reported that it runs: if that fails, the session gets it back unchanged.
 *
 * A session that is put to sleep exchanges its VM for none, and one that is woken none for a VM.
 *
 * The user may find that the new VM cannot be used: at once, in `moved`, while the old one is still
 * kept; or later, when it is gone. Then the session relapses: its VM is ended, whatever goes on in
 * it, and it is asleep.
 */
#include <assert.h>

#include "base/mem.h"
#include "session/internal.h"

static void rest_begin(struct gb_session *session, gb_vm_done_fn *done, void *arg)
{
    assert(session->rest_done == NULL);
    session->rest_done = done;
    session->rest_arg = arg;
}

static void rest_tell(struct gb_session *session, const struct gb_err *err)
{
    gb_vm_done_fn *done = TAKE_PTR(session->rest_done);

    if (done != NULL)
        done(session->rest_arg, err);
}

/* Whether the VM that has come can be used. Otherwise it is ended, and session_rest_dead() follows.
 */
static bool rest_arrive(struct gb_session *session)
{
    struct gb_err err = {0};
    int r = 0;

    session->arriving = true;
    if (session->events.moved != NULL)
        r = session->events.moved(session->arg, &err);
    session->arriving = false;
    if (r == 0 || session_is_over(session))
        return true;
    session->unmoved = err;
    gb_guest_kill(session->guest, err.message);
    return false;
}

static void rest_asleep(struct gb_session *session)
{
    struct gb_err err = {0};

    session_enter(session, SESSION_ASLEEP);
    if (session->events.moved != NULL)
        (void)session->events.moved(session->arg, &err);
}

static void rest_stayed(struct gb_session *session)
{
    if (session->events.stayed != NULL)
        session->events.stayed(session->arg);
}

static void rest_end(struct gb_session *session)
{
    session_enter(session, SESSION_IDLE);
    session_cells_pump(session);
}

/* ---- hold ---- */

static void rest_on_held(void *arg, const struct gb_err *err)
{
    struct gb_session *session = arg;

    if (err != NULL && !session_is_over(session) && gb_guest_vm(session->guest) != NULL)
        rest_end(session);
    rest_tell(session, err);
}

int gb_session_check_rest(const struct gb_session *session, struct gb_err *err)
{
    int r = session_check_open(session, err);

    if (r < 0)
        return r;
    if (session->state == SESSION_RUNNING || session->state == SESSION_WAITING_INPUT)
        return gb_err_set(err, GB_EBUSY, "a cell runs");
    if (session->state == SESSION_HELD)
        return gb_err_set(err, GB_EBUSY,
                          "a checkpoint of it is being taken, or it is being rewound");
    if (session->state == SESSION_ASLEEP)
        return gb_err_set(err, GB_EBUSY, "it is asleep");
    if (session->state != SESSION_IDLE)
        return gb_err_set(err, GB_EBUSY, "the session is not open yet");
    if (session->delayed > 0)
        return gb_err_set(err, GB_EBUSY, "it is being prepared");
    if (session->paused)
        return gb_err_set(err, GB_EBUSY, "it is taken back because its interpreter has ended");
    if (!gb_list_empty(&session->queue) && session->next != SESSION_NEXT_WAITS)
        return gb_err_set(err, GB_EBUSY, "cells wait");
    return gb_guest_check_rest(session->guest, err);
}

int gb_session_hold(struct gb_session *session, gb_vm_done_fn *done, void *arg, struct gb_err *err)
{
    int r = gb_session_check_rest(session, err);

    if (r < 0)
        return r;
    rest_begin(session, done, arg);
    session_enter(session, SESSION_HELD);
    gb_guest_hold(session->guest, rest_on_held, session);
    return 0;
}

int gb_session_set_aside(struct gb_session *session, struct gb_err *err)
{
    int r = session_check_open(session, err);

    if (r == 0 && session->state != SESSION_IDLE)
        r = gb_err_set(err, GB_EBUSY, "the session is not idle");
    if (r == 0)
        r = gb_guest_check_rest(session->guest, err);
    if (r < 0)
        return r;
    assert(session->paused);
    session_enter(session, SESSION_HELD);
    gb_guest_silence(session->guest);
    return 0;
}

void gb_session_delay(struct gb_session *session, bool delay)
{
    assert(delay || session->delayed > 0);
    session->delayed += delay ? 1 : -1;
    if (session->delayed == 0 && !session_is_over(session))
        session_cells_pump(session);
}

void gb_session_go_on(struct gb_session *session, bool lost)
{
    if (session_is_over(session))
        return;
    session->paused = false;
    if (lost)
        session_state_lost(session);
    if (lost && session->restarted)
        session->loss_counted = false; /* of the next one */
    session->restarted = false;
    session_cells_pump(session);
}

/* ---- release ---- */

static void rest_on_released(void *arg, const struct gb_err *err)
{
    struct gb_session *session = arg;

    if (session->relapse.code != GB_OK)
        return; /* session_rest_dead() follows */
    if (err == NULL && !session_is_over(session))
        rest_end(session);
    else if (err != NULL)
        gb_session_close(session, err->message);
    rest_tell(session, err);
}

void gb_session_release(struct gb_session *session, gb_vm_done_fn *done, void *arg)
{
    assert(session->state == SESSION_HELD);
    rest_begin(session, done, arg);
    gb_guest_resume(session->guest, false, rest_on_released, session);
}

/* ---- exchange ---- */

static void rest_on_aside_dead(void *arg, const struct gb_err *why)
{
    struct gb_session *session = arg;

    (void)why;
    gb_guest_free(TAKE_PTR(session->aside));
}

static const struct gb_guest_events rest_aside_events = {.dead = rest_on_aside_dead};

static void rest_on_discarded_dead(void *arg, const struct gb_err *why)
{
    (void)why;
    gb_guest_free(arg);
}

/* Ends the VM that was kept; the session does not wait for that. */
static void rest_discard(struct gb_session *session, const char *reason)
{
    static const struct gb_guest_events events = {.dead = rest_on_discarded_dead};
    struct gb_guest *guest = TAKE_PTR(session->aside);

    if (guest == NULL)
        return;
    gb_guest_hand_over(guest, &events, guest);
    if (gb_guest_vm(guest) != NULL)
        gb_guest_kill(guest, reason);
    else
        gb_guest_free(guest);
}

bool session_rest_failed(struct gb_session *session, const char *reason)
{
    if (session->aside == NULL || session_is_over(session))
        return false;
    gb_guest_kill(session->guest, reason);
    return true;
}

static void rest_on_exchanged(void *arg, const struct gb_err *err)
{
    struct gb_session *session = arg;

    if (err == NULL && !session_is_over(session)) {
        if (!rest_arrive(session))
            return;
        session->epoch++;
        rest_discard(session, "the session lives on in another VM");
        if (!session_is_over(session))
            rest_end(session);
    } else if (err != NULL && !session_is_over(session) && session->aside != NULL) {
        gb_guest_exchange(session->guest, session->aside);
        rest_discard(session, err->message);
        rest_stayed(session);
    } else {
        rest_discard(session, session->why.message);
    }
    rest_tell(session, err);
}

void gb_session_exchange(struct gb_session *session, struct gb_guest *guest, gb_vm_done_fn *done,
                         void *arg)
{
    assert(session->state == SESSION_HELD && session->aside == NULL);
    rest_begin(session, done, arg);
    session->aside = guest;
    gb_guest_hand_over(guest, &rest_aside_events, session);
    gb_guest_exchange(session->guest, guest);
    gb_guest_resume(session->guest, true, rest_on_exchanged, session);
}

/* ---- sleep ---- */

void gb_session_sleep(struct gb_session *session, uint64_t keep_ms)
{
    assert(session->state == SESSION_HELD && session->aside == NULL);
    session->aside = gb_guest_new(session->host->loop, NULL, &rest_aside_events, session);
    gb_guest_exchange(session->guest, session->aside);
    rest_discard(session, "the session is asleep");
    session->asleep_ms = keep_ms;
    rest_asleep(session);
    gb_session_want_if_asked(session);
}

static void rest_on_woken(void *arg, const struct gb_err *err)
{
    struct gb_session *session = arg;

    if (err == NULL && !session_is_over(session)) {
        if (!rest_arrive(session))
            return;
        rest_discard(session, "the session is awake"); /* there was none */
        if (!session_is_over(session))
            rest_end(session);
    } else if (err != NULL && !session_is_over(session) && session->aside != NULL) {
        gb_guest_exchange(session->guest, session->aside);
        rest_discard(session, err->message);
        session_enter(session, SESSION_ASLEEP);
        rest_stayed(session);
    } else {
        rest_discard(session, session->why.message);
    }
    rest_tell(session, err);
}

void gb_session_wake(struct gb_session *session, struct gb_guest *guest, gb_vm_done_fn *done,
                     void *arg)
{
    assert(session->state == SESSION_ASLEEP && session->aside == NULL);
    rest_begin(session, done, arg);
    session_enter(session, SESSION_HELD);
    session->aside = guest;
    gb_guest_hand_over(guest, &rest_aside_events, session);
    gb_guest_exchange(session->guest, guest);
    gb_guest_knows_cells(session->guest, session->cells_numbered - session->queued_count);
    gb_guest_resume(session->guest, true, rest_on_woken, session);
}

/* ---- a VM that cannot be used ---- */

/* Back to the VM that was kept, or to sleep. */
static bool rest_return(struct gb_session *session, const struct gb_err *why)
{
    bool sleeps;

    if (session_is_over(session) || session->aside == NULL) {
        rest_discard(session, why->message);
        rest_tell(session, why);
        return false;
    }
    sleeps = gb_guest_vm(session->aside) == NULL;
    /* What waited was sent to that VM as soon as it listened: it may have had an effect there, and
     * fails; cells were not, and wait on. It is moving still, so that nobody takes this for more
     * than that. */
    gb_guest_refuse_requests(session->guest, why);
    gb_guest_exchange(session->guest, session->aside);
    rest_discard(session, why->message);
    if (sleeps)
        session_enter(session, SESSION_ASLEEP);
    rest_stayed(session);
    rest_tell(session, why);
    return true;
}

int gb_session_check_relapse(const struct gb_session *session, struct gb_err *err)
{
    int r = session_check_open(session, err);

    if (r < 0)
        return r;
    if (session->state < SESSION_IDLE || session->state == SESSION_ASLEEP || session->paused ||
        session->aside != NULL || session->rest_done != NULL)
        return gb_err_set(err, GB_EBUSY, "it has no VM, or is to get another one");
    return 0;
}

void gb_session_relapse(struct gb_session *session, const struct gb_err *err, uint64_t keep_ms,
                        gb_vm_done_fn *done, void *arg)
{
    assert(gb_session_check_relapse(session, NULL) == 0 && err->code != GB_OK);
    rest_begin(session, done, arg);
    session->relapse = *err;
    session->asleep_ms = keep_ms;
    gb_guest_kill(session->guest, err->message);
}

/* What waits fails too: it would wake the session again. */
static void rest_relapse(struct gb_session *session, const struct gb_err *why)
{
    session->epoch++;
    rest_asleep(session);
    session_cell_fail(session, why);
    session_cells_refuse(session, why);
    gb_guest_refuse_requests(session->guest, why);
    session_tell_changed(session);
    rest_tell(session, NULL);
}

bool session_rest_dead(struct gb_session *session)
{
    const struct gb_err unmoved = session->unmoved, relapse = session->relapse;

    session->unmoved = session->relapse = (struct gb_err){0};
    if (unmoved.code != GB_OK)
        return rest_return(session, &unmoved);
    if (relapse.code == GB_OK || session_is_over(session))
        return false;
    rest_relapse(session, &relapse);
    return true;
}

/* ---- refusing ---- */

static void rest_on_refused(void *arg)
{
    struct gb_session *session = arg;

    if (session->state != SESSION_ASLEEP)
        return; /* it has been woken after all, or has ended */
    session_cells_refuse(session, &session->refusal);
    gb_guest_refuse_requests(session->guest, &session->refusal);
    if (session->events.refused != NULL)
        session->events.refused(session->arg);
    session_tell_changed(session);
}

void gb_session_refuse(struct gb_session *session, const struct gb_err *err)
{
    session->refusal = *err;
    session->refusal.dispatched = false;
    gb_loop_defer(session->host->loop, &session->refuse, rest_on_refused, session);
}

void gb_session_want_if_asked(struct gb_session *session)
{
    if (session->user_requests > 0 || session->terminals > 0 || !gb_list_empty(&session->queue))
        session_want(session);
}

void gb_session_want(struct gb_session *session)
{
    session_want(session);
}

bool gb_session_is_asleep(const struct gb_session *session)
{
    return session->state == SESSION_ASLEEP;
}

bool gb_session_is_kept(const struct gb_session *session)
{
    return session->kept;
}

bool gb_session_is_held(const struct gb_session *session)
{
    return session->state == SESSION_HELD;
}

bool gb_session_is_moving(const struct gb_session *session)
{
    return session->aside != NULL && !session->arriving;
}

uint64_t gb_session_epoch(const struct gb_session *session)
{
    return session->epoch;
}
