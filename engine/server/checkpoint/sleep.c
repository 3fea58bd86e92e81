/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that sleep: they have no VM, and continue from their last checkpoint when something is
 * requested of them.
 *
 * Theory of operation. state.h describes the two jobs. What is requested of a session that is
 * asleep waits in it, as it does while a session is held. If it cannot be woken, all of that fails
 * with the reason, nothing has been executed, and the session stays asleep: the next request tries
 * again. It never continues from anything but the checkpoint with which it fell asleep.
 *
 * A session relapses if its VM runs, but cannot get what it needs besides, such as its network's
 * secrets: it must not go on without that, and its past must not be lost for that either.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/past.h"
#include "rpc/object.h"
#include "server/checkpoint/state.h"
#include "server/core/event.h"
#include "server/core/state.h"

enum {
    /* How long another job may keep a session awake whose idle time is over. */
    SLEEP_PATIENCE_MS = 60000,
    /* When it is tried again after a session could not be put to sleep, although nobody uses it:
     * each try copies and writes its memory. Twice as long after each further failure. */
    SLEEP_RETRY_MS = 60000,
    SLEEP_RETRY_MAX_MS = 3600000,
};

/* ---- what is told ---- */

static struct gb_slept_info sleep_slept(struct hosted *hosted, const struct job *job)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);
    const struct gb_past_moment *here = gb_past_find(state->past, gb_past_here(state->past));

    return (struct gb_slept_info){
        .seq = gb_past_here(state->past),
        .cell = here == NULL ? 0 : here->cell,
        .bytes = gb_past_bytes(state->past),
        .took_us = (gb_clock_mono_ns() - job->begun_ns) / 1000,
    };
}

static void sleep_tell_watchers(struct hosted *hosted, const char *kind,
                                const struct gb_slept_info *info)
{
    struct event event;

    if (!event_begin(&event, hosted->server, kind, hosted))
        return;
    gb_json_put_u64(&event.out, "checkpoint", info->seq); /* `seq` is the event's own */
    gb_json_put_u64(&event.out, "cell", info->cell);
    gb_json_put_u64(&event.out, "bytes", info->bytes);
    gb_json_put_u64(&event.out, "took_us", info->took_us);
    event_end(&event);
}

static void sleep_tell(struct hosted *hosted)
{
    struct job *job = checkpoint_of(hosted)->job;
    struct gb_slept_info info = {0};
    struct reply reply;

    if (job->request != NULL) {
        if (checkpoint_of(hosted)->past != NULL)
            info = sleep_slept(hosted, job);
        reply_begin(&reply, TAKE_PTR(job->request));
        gb_object_write(&reply.out, &gb_slept_object, &info);
        reply_end(&reply);
    }
    job_over(hosted);
}

/* The job has changed the session. */
static void sleep_done(struct hosted *hosted, const char *kind)
{
    const struct gb_slept_info info = sleep_slept(hosted, checkpoint_of(hosted)->job);

    gb_debug("%s: %s", gb_session_id(hosted->session), kind);
    sleep_tell_watchers(hosted, kind, &info);
    sleep_tell(hosted);
}

/* ---- falling asleep ---- */

/* Whether it can still fall asleep. */
static int sleep_check(struct hosted *hosted, struct gb_err *err)
{
    if (!gb_session_is_held(hosted->session))
        return gb_err_set(err, GB_ECLOSED, "the session has ended");
    if (!checkpoint_is_last(hosted))
        return gb_err_set(err, GB_EBUSY, "something was asked of the session while it fell asleep");
    return 0;
}

static void sleep_end_vm(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    gb_session_sleep(hosted->session, hosted->server->settings.past.asleep_ms);
    gb_past_forget_vm(state->past);
    state->retry_ms = state->retry_ns = 0;
    sleep_done(hosted, "session.asleep");
}

/* It was to stay awake. With a note that says that it sleeps it must not go on. */
static void sleep_on_awake_again(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct gb_err problem = {0};

    if (err != NULL && gb_session_is_held(hosted->session)) {
        sleep_end_vm(hosted); /* what was asked meanwhile wakes it */
        return;
    }
    (void)gb_err_set(&problem, GB_EBUSY, "the session did not fall asleep");
    (void)sleep_check(hosted, &problem); /* says why */
    job_fail(hosted, &problem);
}

/* @unmarked: why it has no mark, and ends with its server. */
static void sleep_without_mark(struct hosted *hosted, const struct gb_err *unmarked)
{
    struct gb_err err = {0};

    if (sleep_check(hosted, &err) < 0) {
        job_fail(hosted, &err);
        return;
    }
    if (unmarked != NULL)
        gb_warning("%s: it sleeps, but not beyond the end of this server: %s",
                   gb_session_id(hosted->session), unmarked->message);
    sleep_end_vm(hosted);
}

static void sleep_on_marked(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct gb_past *past = checkpoint_of(hosted)->past;
    struct gb_err problem = {0};

    if (err != NULL && err->code == GB_EUNSUPPORTED)
        sleep_without_mark(hosted, err);
    else if (err != NULL)
        job_fail(hosted, err);
    else if (sleep_check(hosted, &problem) == 0)
        sleep_end_vm(hosted);
    else if (gb_past_mark_awake(past, sleep_on_awake_again, hosted, &problem) < 0)
        sleep_on_awake_again(hosted, &problem);
}

static void sleep_fall(struct hosted *hosted)
{
    _cleanup_(gb_buf_release) struct gb_buf note = {0};
    struct gb_err err = {0};
    int r = sleep_check(hosted, &err);

    if (r < 0) {
        job_fail(hosted, &err);
        return;
    }
    if (!checkpoint_outlives_server(hosted)) {
        sleep_without_mark(hosted, NULL);
        return;
    }
    restore_write(hosted, &note);
    r = gb_past_mark(checkpoint_of(hosted)->past, false, gb_buf_bytes(&note), sleep_on_marked,
                     hosted, &err);
    if (r == -GB_EUNSUPPORTED)
        sleep_without_mark(hosted, &err);
    else if (r < 0)
        job_fail(hosted, &err);
}

/* It was not asked for, and nobody has used the session since. */
static void sleep_put_off(struct hosted *hosted, const struct gb_err *err)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    state->retry_ms =
        MIN(MAX(2 * state->retry_ms, (uint64_t)SLEEP_RETRY_MS), (uint64_t)SLEEP_RETRY_MAX_MS);
    state->retry_ns = gb_clock_mono_ns() + state->retry_ms * GB_NS_PER_MS;
    gb_warning("%s: it cannot be put to sleep, which is tried again in %u s: %s",
               gb_session_id(hosted->session), (unsigned)(state->retry_ms / 1000), err->message);
}

static void sleep_failed(struct hosted *hosted, const struct job *job, const struct gb_err *err)
{
    if (gb_session_state(hosted->session) == GB_SESSION_CLOSED)
        return; /* it has ended for another reason */
    if (job_is_impatient(job, err))
        gb_session_want_if_asked(hosted->session);
    else if (job->kind == JOB_WAKE && gb_session_is_asleep(hosted->session))
        gb_session_refuse(hosted->session, err);
    if (job->kind != JOB_SLEEP || job->asked)
        return;
    if (job->expires && err->code == GB_EBUSY)
        gb_session_rest_anew(hosted->session);
    else if (job->expires)
        hosted_close(hosted, GB_END_EXPIRED,
                     "it was not used for longer than its idle time, and cannot be put to sleep");
    else if (job->since_ns == gb_session_last_active_ns(hosted->session))
        sleep_put_off(hosted, err);
}

static struct job *sleep_new_job(struct hosted *hosted, enum job_kind kind)
{
    struct job *job = xcalloc(1, sizeof(*job));

    job->hosted = hosted;
    job->kind = kind;
    job->target.cell = -1;
    job->wait_ms = hosted->server->settings.admission.wait_ms;
    job->since_ns = gb_session_last_active_ns(hosted->session);
    return job;
}

static bool sleep_may_begin(struct hosted *hosted, const struct job *job, struct gb_err *err)
{
    if (job->kind != JOB_SLEEP || job->asked ||
        job->since_ns == gb_session_last_active_ns(hosted->session))
        return true;
    (void)gb_err_set(err, GB_EBUSY, "something was asked of the session meanwhile");
    return false;
}

/* Whether it may be put to sleep without being asked. */
static bool sleep_is_drowsy(struct hosted *hosted)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);

    return hosted->opened && !hosted->run && !hosted->closing && state->job == NULL &&
           gb_list_empty(&state->waiting) && !gb_session_is_kept(hosted->session) &&
           gb_session_check_rest(hosted->session, NULL) == 0;
}

static uint64_t sleep_after_ms(struct hosted *hosted)
{
    const uint64_t ms = hosted->server->settings.past.hibernate_ms;
    const uint64_t now_ns = gb_clock_mono_ns(), retry_ns = checkpoint_of(hosted)->retry_ns;
    const uint64_t idle_ms = (now_ns - gb_session_last_active_ns(hosted->session)) / GB_NS_PER_MS;
    const uint64_t off_ms = retry_ns > now_ns ? (retry_ns - now_ns) / GB_NS_PER_MS + 1 : 0;

    return MAX(ms > idle_ms ? ms - idle_ms : 0, off_ms);
}

static void sleep_watch(struct hosted *hosted);

static void sleep_on_drowsy(void *arg)
{
    struct hosted *hosted = arg;
    struct gb_err err = {0};

    if (hosted->server->settings.past.hibernate_ms == 0 || !sleep_is_drowsy(hosted))
        return;
    if (sleep_after_ms(hosted) > 0)
        sleep_watch(hosted);
    else if (checkpoint_may_be(hosted, &err) < 0)
        gb_debug("%s: it is not put to sleep: %s", gb_session_id(hosted->session), err.message);
    else
        job_add(sleep_new_job(hosted, JOB_SLEEP), 0);
}

static void sleep_watch(struct hosted *hosted)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);

    if (hosted->server->settings.past.hibernate_ms > 0 && sleep_is_drowsy(hosted))
        gb_timer_start(state->drowsy, MAX(sleep_after_ms(hosted), 1));
    else
        gb_timer_stop(state->drowsy);
}

bool sleep_on_expiring(struct hosted *hosted)
{
    struct job *job;

    if (hosted->server->settings.past.asleep_ms == 0 || !hosted->opened || hosted->run ||
        checkpoint_may_be(hosted, NULL) < 0)
        return false;
    job = sleep_new_job(hosted, JOB_SLEEP);
    job->expires = true;
    job_add(job, MIN(gb_session_config_of(hosted->session).idle_ms, (uint64_t)SLEEP_PATIENCE_MS));
    return true;
}

/* ---- waking ---- */

/* The kinds with which a chain or a VM fails would tell a client something else: that its request
 * is wrong, or the session has ended. */
static void sleep_cannot(struct hosted *hosted, const struct gb_err *err)
{
    struct gb_err problem = *err;

    if (err->code == GB_EINVALID || err->code == GB_ENOTFOUND)
        problem.code = GB_EGONE;
    else if (err->code == GB_ECLOSED)
        problem.code = GB_EBOOT;
    (void)gb_err_wrap(&problem, 0, "the session cannot be woken");
    job_fail(hosted, &problem);
}

static void sleep_on_woken(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;

    gb_past_settle(checkpoint_of(hosted)->past, err == NULL);
    if (err != NULL) {
        sleep_cannot(hosted, err);
        return;
    }
    sleep_done(hosted, "session.awake");
}

static void sleep_go_on(struct hosted *hosted, struct gb_clone *clone, const struct gb_err *why)
{
    struct gb_err err = {0};

    if (clone == NULL) {
        sleep_cannot(hosted, why);
        return;
    }
    if (gb_session_is_asleep(hosted->session)) {
        gb_session_wake(hosted->session, gb_clone_take(clone), sleep_on_woken, hosted);
        return;
    }
    gb_clone_free(clone);
    gb_past_settle(checkpoint_of(hosted)->past, false);
    (void)gb_err_set(&err, GB_ECLOSED, "the session has ended");
    job_fail(hosted, &err);
}

static void sleep_on_room(void *arg, struct gb_slot *slot, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct checkpoint_session *state = checkpoint_of(hosted);

    if (slot == NULL) {
        job_fail(hosted, err);
        return;
    }
    state->job->slot = slot;
    job_return_to(hosted, gb_past_here(state->past));
}

static void sleep_wake(struct hosted *hosted)
{
    struct job *job = checkpoint_of(hosted)->job;
    struct gb_server *server = hosted->server;
    const struct gb_charge charge =
        gb_charge_of(server->host->accel, gb_session_memory_mb(hosted->session), true);
    struct gb_slot *slot = NULL;
    struct gb_err err = {0};
    int r;

    if (!restore_fits(hosted, &err)) {
        job_fail(hosted, &err);
        return;
    }
    r = gb_admission_ask(server->capacity->admission, &charge, job->wait_ms, &job->ticket,
                         sleep_on_room, hosted, &slot, &err);
    if (r != 0)
        sleep_on_room(hosted, slot, &err);
}

static void sleep_add_wake(struct hosted *hosted)
{
    job_add_first(sleep_new_job(hosted, JOB_WAKE), UINT32_MAX);
}

/* Whether a wake has started, or waits. */
static bool sleep_is_waking(const struct checkpoint_session *state)
{
    const struct job *job;

    if (state->job != NULL && state->job->kind == JOB_WAKE)
        return true;
    GB_LIST_FOREACH_CONST(job, &state->waiting, link)
        if (job->kind == JOB_WAKE)
            return true;
    return false;
}

void sleep_on_wanted(struct hosted *hosted)
{
    if (!sleep_is_waking(checkpoint_of(hosted)))
        sleep_add_wake(hosted);
}

/* ---- relapsing ---- */

static void sleep_begin_life(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    _cleanup_(gb_buf_release) struct gb_buf undone = {0};
    const struct gb_past_moment *here = gb_past_find(state->past, gb_past_here(state->past));
    const uint64_t epoch = gb_session_epoch(hosted->session);
    const uint32_t cells = gb_session_cells(hosted->session);

    if (here == NULL)
        return; /* it cannot be woken */
    state->has_lost = state->relapse_loses;
    state->lost_how = "the session's VM could not be used";
    state->lost_after = here->cell;
    gb_lives_begin(&state->lives, here->epoch, here->cell, cells);
    gb_lives_undone(&state->lives, epoch, cells, &undone);
    PART_CALL(hosted->server, session_rewound, hosted, gb_buf_bytes(&undone));
}

static void sleep_on_relapsed(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct checkpoint_session *state = checkpoint_of(hosted);
    const struct job none = {.begun_ns = gb_clock_mono_ns()};
    const struct gb_err why = state->failing;
    struct gb_slept_info info;

    (void)err; /* none: it cannot fail */
    rollback_on_session_closed(
        hosted); /* the last that was heard of the VM may be a lost interpreter */
    state->failing = (struct gb_err){0};
    state->relapses = false;
    sleep_begin_life(hosted);
    checkpoint_is_known(hosted);
    gb_session_delay(hosted->session, false);
    info = sleep_slept(hosted, &none);
    sleep_tell_watchers(hosted, "session.asleep", &info);
    job_refuse_waiting(hosted, &why);
    job_next(hosted);
}

/* No job has started. */
static bool sleep_relapse(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    const struct gb_err why = state->failing;

    if (why.code == GB_OK || hosted->closing)
        return false;
    if (state->relapses)
        return true;
    if (state->job != NULL || gb_past_is_busy(state->past))
        return false; /* it comes back */
    if (gb_session_is_asleep(hosted->session)) {
        /* A wake has failed, or it has fallen asleep: the next VM has done nothing wrong. */
        state->failing = (struct gb_err){0};
        gb_session_delay(hosted->session, false);
        return false;
    }
    if (gb_session_check_relapse(hosted->session, NULL) < 0)
        return false; /* a rollback is about to begin */
    state->relapses = true;
    state->relapse_loses = !checkpoint_is_now(hosted);
    gb_past_forget_vm(state->past);
    gb_session_relapse(hosted->session, &why, hosted->server->settings.past.asleep_ms,
                       sleep_on_relapsed, hosted);
    return true;
}

bool sleep_on_failing(struct hosted *hosted, const char *reason)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    if (state->failing.code != GB_OK)
        return true;
    if (!hosted->opened || hosted->run || state->past == NULL ||
        gb_past_find(state->past, gb_past_here(state->past)) == NULL)
        return false;
    if (gb_session_is_asleep(hosted->session))
        return true; /* nothing of it goes on */
    gb_warning("%s: it goes back to its last checkpoint, and to sleep: %s",
               gb_session_id(hosted->session), reason);
    (void)gb_err_set(&state->failing, GB_EBOOT, "%s: the session is asleep at its last checkpoint",
                     reason);
    gb_session_delay(hosted->session, true); /* no cell is sent until then */
    job_next(hosted);
    return true;
}

/* ---- its place ---- */

static const struct job_rest sleep_rest = {
    .may_begin = sleep_may_begin,
    .fall = sleep_fall,
    .wake = sleep_wake,
    .tell = sleep_tell,
    .go_on = sleep_go_on,
    .failed = sleep_failed,
    .rouse = sleep_add_wake,
    .watch = sleep_watch,
    .relapse = sleep_relapse,
};

void sleep_on_session(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    state->drowsy = gb_timer_new(hosted->server->loop, sleep_on_drowsy, hosted);
    state->rest = &sleep_rest;
}

/* ---- methods ---- */

void sleep_handle(struct request *request, const struct gb_params *params)
{
    struct hosted *hosted = checkpoint_find(request, params, true);
    const struct gate *gate;
    struct job *job;

    if (hosted == NULL)
        return;
    gate = part_shut_gate(hosted, request->connection);
    if (gate != NULL) {
        gate->refuse(request, hosted);
        return;
    }
    job = checkpoint_new_job(request, hosted, params->name);
    job->kind = JOB_SLEEP;
    job_add(job, (uint64_t)params->wait_ms);
}

void sleep_handle_wake(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    struct job *job;

    if (hosted == NULL) {
        request_fail(request, &err);
        return;
    }
    job = checkpoint_new_job(request, hosted, (struct gb_bytes){0});
    job->kind = JOB_WAKE;
    job->wait_ms = (uint64_t)params->wait_ms;
    job_add(job, UINT32_MAX);
}
