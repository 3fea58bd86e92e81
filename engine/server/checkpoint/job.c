/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: state.h describes their steps. */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/past.h"
#include "model/undone.h"
#include "rpc/object.h"
#include "server/checkpoint/state.h"
#include "server/core/event.h"
#include "server/core/state.h"

/* ---- the end of one ---- */

void job_free(struct job *job)
{
    struct gb_server *server = job->hosted->server;

    if (job->before_cell)
        gb_session_send_next(job->hosted->session);
    if (job->is_last && --checkpoint_of_server(server)->saving == 0)
        server_saved(server);
    gb_timer_free(job->patience);
    if (job->slot != NULL)
        gb_slot_settle(job->slot);
    gb_slot_unref(job->slot);
    gb_ticket_cancel(&job->ticket);
    gb_loan_return(&job->loan);
    if (job->fork.taker.drop != NULL)
        job->fork.taker.drop(job->fork.taker.arg);
    free(job->fork.label);
    free(job->name);
    free(job);
}

/* Answers the requester, if there is one. Takes @job, which has left its list. */
static void job_refuse(struct job *job, const struct gb_err *err)
{
    if (job->request != NULL)
        target_refuse(TAKE_PTR(job->request), checkpoint_of(job->hosted)->past, &job->target, err);
    else
        gb_debug("%s: no checkpoint: %s", gb_session_id(job->hosted->session), err->message);
    job_free(job);
}

static bool job_needs_vm(struct hosted *hosted, const struct job *job);

void job_refuse_waiting(struct hosted *hosted, const struct gb_err *err)
{
    struct gb_list waiting, refused, *link;

    gb_list_init(&waiting);
    gb_list_init(&refused);
    while ((link = gb_list_pop(&checkpoint_of(hosted)->waiting)) != NULL) {
        const struct job *job = container_of(link, struct job, link);

        gb_list_add_tail(job->kind == JOB_WAKE || job_needs_vm(hosted, job) ? &refused : &waiting,
                         link);
    }
    while ((link = gb_list_pop(&waiting)) != NULL)
        gb_list_add_tail(&checkpoint_of(hosted)->waiting, link);
    while ((link = gb_list_pop(&refused)) != NULL)
        job_refuse(container_of(link, struct job, link), err);
}

static void job_on_turn(void *arg)
{
    job_next(arg);
}

/* Nobody has asked for it, and nobody is told, except who asks why there is none. What kept the
 * guest busy may be over in a moment, without an event that would say so. */
static void job_note_trouble(struct hosted *hosted, const struct gb_err *err)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    const uint64_t changed_ns = gb_session_last_changed_ns(hosted->session);

    state->refusals = state->trouble_ns == changed_ns ? state->refusals + 1 : 1;
    state->trouble = *err;
    state->trouble_ns = changed_ns;
    if (err->code == GB_EBUSY)
        state->tried_ns = 0;
}

void job_fail(struct hosted *hosted, const struct gb_err *err)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    struct job *job = TAKE_PTR(state->job);
    const bool is_impatient = job_is_impatient(job, err);

    if (err->code == GB_ETOOLARGE && !job->asked &&
        job->room >= hosted->server->settings.past.largest)
        state->too_large = true;
    if (job->kind == JOB_CHECKPOINT && !job->asked)
        job_note_trouble(hosted, err);
    if (!job->released && gb_session_is_held(hosted->session))
        gb_session_release(hosted->session, NULL, NULL);
    if (job->kind == JOB_ROLLBACK) {
        gb_debug("%s: it is not taken back: %s", gb_session_id(hosted->session), err->message);
        job->rollback.calls->end(hosted, job, false);
        return;
    }
    if (job->kind == JOB_WAKE && !is_impatient)
        job_refuse_waiting(hosted, err);
    checkpoint_of(hosted)->rest->failed(hosted, job, err);
    job_refuse(job, err);
    if (is_impatient) /* others may be, and many */
        gb_loop_defer(hosted->server->loop, &state->turn, job_on_turn, hosted);
    else
        job_next(hosted);
}

bool job_is_impatient(const struct job *job, const struct gb_err *err)
{
    return job->kind == JOB_WAKE && job->asked && err->code == GB_ECAPACITY;
}

void job_over(struct hosted *hosted)
{
    job_free(TAKE_PTR(checkpoint_of(hosted)->job));
    job_next(hosted);
}

static void job_abandon(struct request *request)
{
    struct job *job = request->arg;

    job->request = NULL;
    if (checkpoint_of(job->hosted)->job == job)
        return; /* it has started */
    gb_list_remove(&job->link);
    job_free(job);
}

static void job_on_patience_over(void *arg)
{
    struct job *job = arg;
    struct gb_err err = {0};

    gb_list_remove(&job->link);
    if (job->kind == JOB_ROLLBACK) {
        job->rollback.calls->end(job->hosted, job, false);
        return;
    }
    if (gb_session_check_rest(job->hosted->session, &err) == 0)
        (void)gb_err_set(&err, GB_EBUSY, "another checkpoint or rewind is under way");
    checkpoint_of(job->hosted)->rest->failed(job->hosted, job, &err);
    job_refuse(job, &err);
}

void job_end_all(struct hosted *hosted, const struct gb_err *why)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    struct gb_list *link;
    struct gb_err err = *why;

    err.code = GB_ECLOSED;
    err.dispatched = false;
    if (state->fork != NULL)
        fork_parent_ended(TAKE_PTR(state->fork));
    if (state->job != NULL)
        job_refuse(TAKE_PTR(state->job), &err);
    while ((link = gb_list_pop(&state->waiting)) != NULL)
        job_refuse(container_of(link, struct job, link), &err);
}

/* ---- descriptions for clients ---- */

static void job_tell_checkpoint(struct job *job)
{
    const struct gb_past_taken *taken = &job->taken;
    struct gb_kept_info info;
    struct event event;
    struct reply reply;

    if (event_begin(&event, job->hosted->server, "session.checkpointed", job->hosted)) {
        gb_json_put_u64(&event.out, "checkpoint", taken->seq); /* `seq` is the event's own */
        gb_json_put_u64(&event.out, "cell", job->cell);
        gb_json_put_u64(&event.out, "bytes", taken->bytes);
        gb_json_put_u64(&event.out, "pause_us", taken->pause_ns / 1000);
        event_end(&event);
    }
    if (job->request == NULL || job->kind != JOB_CHECKPOINT)
        return;
    info = (struct gb_kept_info){.seq = taken->seq,
                                 .cell = job->cell,
                                 .bytes = taken->bytes,
                                 .pages = taken->pages,
                                 .pause_us = taken->pause_ns / 1000};
    reply_begin(&reply, TAKE_PTR(job->request));
    gb_object_write(&reply.out, &gb_kept_object, &info);
    reply_end(&reply);
}

static struct gb_rewound_info job_rewound(const struct job *job)
{
    const struct gb_past *past = checkpoint_of(job->hosted)->past;
    const struct gb_past_moment *here = gb_past_find(past, gb_past_here(past));

    return (struct gb_rewound_info){
        .seq = gb_past_here(past),
        .cell = here == NULL ? 0 : here->cell,
        .epoch = gb_session_epoch(job->hosted->session),
        .from_seq = job->from_seq,
        .from_cell = job->cell,
        .took_us = (gb_clock_mono_ns() - job->begun_ns) / 1000,
    };
}

/* Each as [first, last]. */
static void job_put_undone(struct gb_json_out *out, struct gb_bytes text)
{
    struct gb_undone at = gb_undone_of(text);

    gb_json_array(out, "undone");
    while (gb_undone_next(&at)) {
        gb_json_array(out, NULL);
        gb_json_put_u64(out, NULL, at.first);
        gb_json_put_u64(out, NULL, at.last);
        gb_json_end(out);
    }
    gb_json_end(out);
}

/* Tells the other parts which cells are undone now. */
static void job_count_life(struct job *job, struct gb_buf *undone)
{
    struct hosted *hosted = job->hosted;
    struct checkpoint_session *state = checkpoint_of(hosted);
    const struct gb_past_moment *here = gb_past_find(state->past, gb_past_here(state->past));

    if (here != NULL)
        gb_lives_begin(&state->lives, here->epoch, here->cell, job->cells);
    gb_lives_undone(&state->lives, gb_session_epoch(hosted->session), job->cells, undone);
    PART_CALL(hosted->server, session_rewound, hosted, gb_buf_bytes(undone));
}

static void job_tell_rewind(struct job *job, struct gb_bytes undone)
{
    const struct gb_rewound_info info = job_rewound(job);
    struct event event;
    struct reply reply;

    if (event_begin(&event, job->hosted->server, "session.rewound", job->hosted)) {
        gb_json_put_u64(&event.out, "checkpoint", info.seq); /* `seq` is the event's own */
        gb_json_put_u64(&event.out, "cell", info.cell);
        gb_json_put_u64(&event.out, "epoch", info.epoch);
        gb_json_put_u64(&event.out, "from_checkpoint", info.from_seq);
        gb_json_put_u64(&event.out, "from_cell", info.from_cell);
        if (job->kind == JOB_ROLLBACK)
            gb_json_put_u64(&event.out, "rolled_back", job->cells); /* the cell */
        job_put_undone(&event.out, undone);
        event_end(&event);
    }
    if (job->request == NULL)
        return;
    reply_begin(&reply, TAKE_PTR(job->request));
    gb_object_write(&reply.out, &gb_rewound_object, &info);
    reply_end(&reply);
}

/* ---- a mark ---- */

static void job_on_marked(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;

    if (err != NULL)
        gb_debug("%s: it will not come back as of this moment if the server ends: %s",
                 gb_session_id(hosted->session), err->message);
    if (checkpoint_of(hosted)->job != NULL)
        checkpoint_of(hosted)->job->marked(hosted);
    else
        job_next(hosted);
}

/* From now on, the session comes back at its last checkpoint if the server ends. False: it does
 * not, or at an earlier one; else job_on_marked() is called. */
static bool job_begin_mark(struct hosted *hosted)
{
    _cleanup_(gb_buf_release) struct gb_buf note = {0};

    if (!checkpoint_outlives_server(hosted))
        return false;
    restore_write(hosted, &note);
    return gb_past_mark(checkpoint_of(hosted)->past, true, gb_buf_bytes(&note), job_on_marked,
                        hosted, NULL) == 0;
}

/* Then the job that has started goes on with @then. */
static void job_mark(struct hosted *hosted, void (*then)(struct hosted *hosted))
{
    checkpoint_of(hosted)->job->marked = then;
    if (!job_begin_mark(hosted))
        then(hosted);
}

/* ---- a rewind ---- */

static void job_end_rewind(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    _cleanup_(gb_buf_release) struct gb_buf undone = {0};

    gb_lives_undone(&state->lives, gb_session_epoch(hosted->session), state->job->cells, &undone);
    job_tell_rewind(state->job, gb_buf_bytes(&undone));
    job_over(hosted);
}

/* The result of its cell waits for it, and does not wait for the mark. */
static void job_end_rollback(struct hosted *hosted, struct gb_bytes undone)
{
    struct job *job = TAKE_PTR(checkpoint_of(hosted)->job);

    job_tell_rewind(job, undone);
    (void)job_begin_mark(hosted);
    job->rollback.calls->end(hosted, job, true);
}

static void job_on_exchanged(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct checkpoint_session *state = checkpoint_of(hosted);
    _cleanup_(gb_buf_release) struct gb_buf undone = {0};

    gb_past_settle(state->past, err == NULL);
    if (err != NULL) {
        job_fail(hosted, err);
        return;
    }
    state->is_known = true;
    state->known_ns = state->job->held_ns;
    job_count_life(state->job, &undone);
    if (state->job->kind == JOB_ROLLBACK)
        job_end_rollback(hosted, gb_buf_bytes(&undone));
    else
        job_mark(hosted, job_end_rewind);
}

static void job_on_returned(void *arg, struct gb_clone *clone, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct gb_err problem = {0};

    if (checkpoint_of(hosted)->job->kind == JOB_WAKE) {
        checkpoint_of(hosted)->rest->go_on(hosted, clone, err);
    } else if (clone == NULL) {
        job_fail(hosted, err);
    } else if (gb_session_is_held(hosted->session)) {
        gb_session_exchange(hosted->session, gb_clone_take(clone), job_on_exchanged, hosted);
    } else {
        gb_clone_free(clone);
        gb_past_settle(checkpoint_of(hosted)->past, false);
        (void)gb_err_set(&problem, GB_ECLOSED, "the session has ended");
        job_fail(hosted, &problem);
    }
}

void job_return_to(struct hosted *hosted, uint64_t seq)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    struct job *job = state->job;
    struct gb_server *server = hosted->server;
    const struct gb_charge charge =
        gb_charge_of(server->host->accel, gb_session_memory_mb(hosted->session), true);
    struct gb_slot *slot = NULL;
    struct gb_clone *waiting =
        gb_pool_take_waiting_of(server->capacity->pool, gb_start_origin(&hosted->start), &slot);
    struct gb_err err = {0};

    if (gb_past_return(state->past, server->host, waiting, seq, true, job_on_returned, hosted,
                       &err) < 0) {
        gb_slot_unref(slot);
        job_fail(hosted, &err);
        return;
    }
    /* One that waited brings its own, which its process holds. */
    if (waiting != NULL) {
        gb_slot_unref(job->slot);
        job->slot = slot;
        return;
    }
    /* It replaces one that has a slot already, and that ends a moment later; one that is woken has
     * got another. */
    if (job->slot == NULL)
        job->slot = gb_admission_force(server->capacity->admission, &charge);
    gb_slot_hold(job->slot, gb_past_returning_vm(state->past));
}

/* The checkpoint of the present exists. */
static void job_return(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    struct gb_err err = {0};
    uint64_t seq = target_find(state->past, &state->job->target, &err);

    state->job->from_seq = gb_past_here(state->past);
    if (seq == 0)
        job_fail(hosted, &err);
    else
        job_return_to(hosted, seq);
}

/* ---- a checkpoint ---- */

static void job_on_copied(void *arg)
{
    struct hosted *hosted = arg;
    struct job *job = checkpoint_of(hosted)->job;

    PART_CALL(hosted->server, session_copied, hosted, false);
    gb_loan_take(&job->loan, hosted->server->capacity->admission,
                 gb_past_copied_bytes(checkpoint_of(hosted)->past));
    if (job->kind == JOB_REWIND || job->kind == JOB_SLEEP || !gb_session_is_held(hosted->session))
        return;
    job->released = true;
    if (job->before_cell)
        gb_session_send_next(hosted->session); /* once it is released */
    job->before_cell = false;                  /* the one behind it may wait for another job */
    gb_session_release(hosted->session, NULL, NULL);
}

/* A client is not told about a setting that does not concern it. */
static void job_fail_to_take(struct hosted *hosted, const struct gb_err *err)
{
    const struct job *job = checkpoint_of(hosted)->job;
    struct gb_err problem = *err;

    if (err->code == GB_ETOOLARGE && job->asked)
        (void)gb_err_set(&problem, GB_ECAPACITY, "%s, which is what the host can spare now",
                         err->message);
    job_fail(hosted, &problem);
}

static void job_end_checkpoint(struct hosted *hosted)
{
    struct job *job = checkpoint_of(hosted)->job;

    job_tell_checkpoint(job);
    if (job->kind == JOB_FORK)
        fork_begin(hosted, job->taken.seq, job_over);
    else
        job_over(hosted);
}

static void job_on_taken(void *arg, const struct gb_past_taken *taken, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct checkpoint_session *state = checkpoint_of(hosted);
    struct job *job = state->job;

    gb_loan_return(&job->loan);
    checkpoint_count(hosted);
    if (err != NULL) {
        job_fail_to_take(hosted, err);
        return;
    }
    state->is_known = true;
    state->too_large = false;
    state->refusals = 0;
    state->trouble.code = GB_OK;
    job->taken = *taken;
    if (job->kind == JOB_REWIND) {
        job_return(hosted);
    } else if (job->kind == JOB_SLEEP) {
        job_tell_checkpoint(job);
        checkpoint_of(hosted)->rest->fall(hosted);
    } else {
        job_mark(hosted, job_end_checkpoint);
    }
}

static struct gb_vm *job_held_vm(void *arg)
{
    const struct hosted *hosted = arg;

    return gb_session_is_held(hosted->session) ? gb_session_vm(hosted->session) : NULL;
}

static void job_on_held(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct checkpoint_session *state = checkpoint_of(hosted);
    struct job *job = state->job;
    const uint64_t room = gb_admission_room(hosted->server->capacity->admission);
    const uint64_t most =
        job->asked || job->kind == JOB_SLEEP ? SIZE_MAX / 2 : hosted->server->settings.past.largest;
    struct gb_past_take take = {
        .vm = gb_session_vm(hosted->session),
        .cell = job->cell,
        .epoch = gb_session_epoch(hosted->session),
        .limit = (size_t)MIN(most, room),
        .most = checkpoint_share(hosted->server),
        .keep = job->kind == JOB_REWIND ? target_ahead(state->past, &job->target, NULL) : 0,
        .name = job->kind == JOB_CHECKPOINT ? job->name : NULL,
        .copied = job_on_copied,
        .done = job_on_taken,
        .arg = hosted};
    struct gb_err problem = {0};

    if (err != NULL) {
        job_fail(hosted, err);
        return;
    }
    /* What has been asked meanwhile waits. */
    if (job->kind == JOB_REWIND && state->is_known && state->known_ns == job->held_ns) {
        job_return(hosted);
        return;
    }
    if (job->kind == JOB_SLEEP && checkpoint_is_now(hosted)) {
        checkpoint_of(hosted)->rest->fall(hosted);
        return;
    }
    if (gb_vm_network_is_taken(take.vm))
        take.held_vm = job_held_vm;
    job->room = room;
    state->is_known = false;
    state->known_ns = job->held_ns;
    PART_CALL(hosted->server, session_copied, hosted, true);
    if (gb_past_take(state->past, &take, &problem) < 0) {
        PART_CALL(hosted->server, session_copied, hosted, false);
        job_fail(hosted, &problem);
    }
}

/* ---- the beginning ---- */

static bool job_has_target(const struct job *job)
{
    const struct job_target *target = &job->target;

    return target->seq != 0 || target->cell >= 0 || target->name != NULL || target->cells != 0 ||
           target->steps != 0;
}

/* Whether it has to wait until the session, which is asleep, has been woken. */
static bool job_needs_vm(struct hosted *hosted, const struct job *job)
{
    return job->kind != JOB_WAKE && job->kind != JOB_SLEEP &&
           !(job->kind == JOB_FORK && (job_has_target(job) || checkpoint_is_last(hosted)));
}

/* The next one; NULL: none, or it may not start now. */
static struct job *job_find_next(struct hosted *hosted)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);
    struct job *job;

    if (state->job != NULL || gb_list_empty(&state->waiting) || !hosted->opened ||
        hosted->closing || (state->past != NULL && gb_past_is_busy(state->past)))
        return NULL;
    job = container_of(state->waiting.next, struct job, link);
    if (job->kind == JOB_FORK && job_has_target(job))
        return job;
    if (job->kind == JOB_ROLLBACK)
        return gb_session_set_aside(hosted->session, NULL) == 0 ? job : NULL;
    if (gb_session_is_asleep(hosted->session))
        return job_needs_vm(hosted, job) ? NULL : job;
    if (job->kind == JOB_WAKE)
        return job;
    return gb_session_check_rest(hosted->session, NULL) == 0 ? job : NULL;
}

/* The existing checkpoint that a fork is to be made of. 0: there is none yet, or @err is set. */
static uint64_t job_find_fork(struct hosted *hosted, const struct job *job, struct gb_err *err)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);

    if (job_has_target(job))
        return target_find(state->past, &job->target, err);
    return checkpoint_is_last(hosted) ? gb_past_here(state->past) : 0;
}

/* Finds the cell after which the session was when so many others had not been executed yet. */
static int job_count_back(struct hosted *hosted, struct job *job, struct gb_err *err)
{
    const struct gb_lives *lives = &checkpoint_of(hosted)->lives;
    uint64_t epoch = gb_session_epoch(hosted->session);
    uint32_t cell = job->cells;

    for (int64_t i = -1; i < job->target.cells; i++)
        if (!gb_lives_before(lives, i < 0, &epoch, &cell))
            return gb_err_set(err, GB_EGONE, "there are only %lld cells before this moment",
                              (long long)i);
    job->target.cell = cell;
    job->target.cells = 0;
    job->target.of_line = true;
    return 0;
}

static void job_begin(struct hosted *hosted, struct job *job)
{
    struct gb_err err = {0};
    uint64_t seq = 0;
    int r;

    checkpoint_of(hosted)->job = job;
    gb_timer_stop(job->patience);
    job->begun_ns = gb_clock_mono_ns();
    job->held_ns = gb_session_last_changed_ns(hosted->session);
    if (job->kind != JOB_ROLLBACK)
        job->cells = gb_session_cells_sent(hosted->session); /* later ones wait */
    job->cell = gb_lives_last_cell(&checkpoint_of(hosted)->lives, gb_session_epoch(hosted->session),
                                   job->cells);
    if (job->kind == JOB_ROLLBACK) {
        job->rollback.calls->begin(hosted);
        return;
    }
    if (job->kind == JOB_WAKE && gb_session_is_asleep(hosted->session)) {
        checkpoint_of(hosted)->rest->wake(hosted);
        return;
    }
    if (job->kind == JOB_WAKE ||
        (job->kind == JOB_SLEEP && gb_session_is_asleep(hosted->session))) {
        checkpoint_of(hosted)->rest->tell(hosted);
        return;
    }
    if (job->before_cell && checkpoint_is_now(hosted)) {
        job_over(hosted); /* another one was being taken of the same state */
        return;
    }
    if (!checkpoint_of(hosted)->rest->may_begin(hosted, job, &err)) {
        job_fail(hosted, &err);
        return;
    }
    r = checkpoint_of(hosted)->past != NULL && job->kind == JOB_FORK && job_has_target(job)
            ? 0
            : checkpoint_make_past(hosted, &err);
    if (r == 0 && job->kind == JOB_FORK) {
        seq = job_find_fork(hosted, job, &err);
        r = -(int)err.code;
    }
    if (seq != 0) {
        fork_begin(hosted, seq, job_over);
        return;
    }
    /* If the target does not exist there is no need to wait; but where steps start is not known
     * yet. */
    if (r == 0 && job->target.cells > 0)
        r = job_count_back(hosted, job, &err);
    if (r == 0 && job->kind == JOB_REWIND && job->target.steps == 0 && job->target.cells >= 0 &&
        target_find(checkpoint_of(hosted)->past, &job->target, &err) == 0)
        r = -GB_EGONE;
    if (r == 0)
        r = gb_session_hold(hosted->session, job_on_held, hosted, &err);
    if (r < 0)
        job_fail(hosted, &err);
}

/* A rewind that is to make the session come to rest. */
static struct job *job_find_impatient(const struct checkpoint_session *state)
{
    struct job *job;

    GB_LIST_FOREACH(job, &state->waiting, link)
        if (job->drops || job->interrupts)
            return job;
    return NULL;
}

/* What a rewind asks for costs cells: only if there is something to rewind to. */
static void job_hurry(struct hosted *hosted, struct job *job)
{
    const bool drops = job->drops, interrupts = job->interrupts;
    struct gb_err err = {0};

    job->drops = job->interrupts = false;
    if (checkpoint_make_past(hosted, &err) < 0 ||
        (checkpoint_is_last(hosted)
             ? target_find(checkpoint_of(hosted)->past, &job->target, &err)
             : target_ahead(checkpoint_of(hosted)->past, &job->target, &err)) == 0) {
        gb_list_remove(&job->link);
        job_refuse(job, &err);
        return;
    }
    if (drops)
        gb_session_drop_queued(hosted->session);
    if (interrupts)
        (void)gb_session_interrupt(hosted->session, NULL); /* no cell is running, which is fine */
}

static void job_hurry_all(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    struct job *job;

    /* The last moment is known when it has been written. */
    while (hosted->opened && !hosted->closing && state->job == NULL &&
           (state->past == NULL || !gb_past_is_busy(state->past)) &&
           gb_session_check_rest(hosted->session, NULL) < 0 &&
           (job = job_find_impatient(state)) != NULL)
        job_hurry(hosted, job);
}

/* A session that is asleep is woken for a job that needs its VM. */
static void job_rouse(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    if (state->job == NULL && !gb_list_empty(&state->waiting) &&
        gb_session_is_asleep(hosted->session) &&
        job_needs_vm(hosted, container_of(state->waiting.next, struct job, link)))
        state->rest->rouse(hosted);
}

void job_next(struct hosted *hosted)
{
    struct job *job;

    if (checkpoint_of(hosted)->rest->relapse(hosted))
        return;
    job_hurry_all(hosted);
    job_rouse(hosted);
    job = job_find_next(hosted);
    if (job == NULL) {
        checkpoint_of(hosted)->watch(hosted);
        checkpoint_of(hosted)->rest->watch(hosted);
        return;
    }
    gb_list_remove(&job->link);
    job_begin(hosted, job);
}

void job_add_first(struct job *job, uint64_t wait_ms)
{
    struct checkpoint_session *state = checkpoint_of(job->hosted);

    job->patience = gb_timer_new(job->hosted->server->loop, job_on_patience_over, job);
    gb_list_add_tail(state->waiting.next, &job->link); /* before the first */
    gb_timer_start(job->patience, wait_ms);
    job_next(job->hosted);
}

void job_add(struct job *job, uint64_t wait_ms)
{
    struct hosted *hosted = job->hosted;

    if (job->request != NULL) {
        job->request->arg = job;
        job->request->abandon = job_abandon;
    }
    job->patience = gb_timer_new(hosted->server->loop, job_on_patience_over, job);
    gb_list_add_tail(&checkpoint_of(hosted)->waiting, &job->link);
    gb_timer_start(job->patience, wait_ms);
    job_next(hosted);
}
