/* SPDX-License-Identifier: Apache-2.0 */
/* When checkpoints are taken, and the methods. */
#include "server/checkpoint/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/past.h"
#include "platform/memory.h"
#include "rpc/object.h"
#include "server/checkpoint/diff.h"
#include "server/checkpoint/lock.h"
#include "server/checkpoint/state.h"
#include "server/core/state.h"

/* Long enough not to get in the way of a client that sends the next cell immediately. */
enum {
    CHECKPOINT_IDLE_MS = 20,
    CHECKPOINT_BEFORE_CELL_MS = 2000,
    /* Twice as long after each time that the guest was busy. */
    CHECKPOINT_RETRY_MAX_MS = 60000,
    /* For the last one, after what is going on in the session. */
    CHECKPOINT_LAST_MS = 5000,
};

/* ---- the folder ---- */

/* Without the folder, the server works without checkpoints; it does not start where the folder is
 * another one's. */
static int checkpoint_on_start(struct gb_server *server, struct gb_err *err)
{
    struct checkpoint_server *state = checkpoint_of_server(server);
    int r = 0;

    gb_list_init(&state->noted);
    gb_list_init(&state->missing);
    if (server->past_folder == NULL) {
        (void)gb_err_set(&state->why, GB_ENOPAST, "this server has no folder for checkpoints");
    } else if ((r = gb_memory_check_system(&state->why)) < 0 ||
               (r = gb_fd_make_dirs(server->past_folder, 0700, &state->why)) < 0 ||
               (r = lock_take(server->past_folder, &state->lock, &state->why)) < 0) {
        if (r == -GB_EBUSY) {
            *err = state->why;
            return r;
        }
        state->why.code = GB_ENOPAST;
        gb_warning("no checkpoints will be taken: %s", state->why.message);
    } else {
        state->folder = xstrdup(server->past_folder);
        restore_begin(server);
    }
    return 0;
}

static void checkpoint_on_server_free(struct gb_server *server)
{
    struct checkpoint_server *state = checkpoint_of_server(server);

    restore_end(server);
    lock_drop(TAKE_PTR(state->lock));
    free(TAKE_PTR(state->folder));
}

/* ---- by itself ---- */

/* Whether one is missing of the state as it is now. */
static bool checkpoint_is_missing(struct hosted *hosted)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);

    return checkpoint_is_automatic(hosted) && !hosted->closing && !state->too_large &&
           !checkpoint_is_now(hosted) &&
           state->tried_ns != gb_session_last_changed_ns(hosted->session) &&
           gb_session_check_rest(hosted->session, NULL) == 0;
}

static bool checkpoint_is_due(struct hosted *hosted)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);

    return state->job == NULL && gb_list_empty(&state->waiting) && checkpoint_is_missing(hosted);
}

static struct job *checkpoint_new_automatic(struct hosted *hosted)
{
    struct job *job = xcalloc(1, sizeof(*job));

    checkpoint_of(hosted)->tried_ns = gb_session_last_changed_ns(hosted->session);
    job->hosted = hosted;
    job->target.cell = -1;
    return job;
}

static void checkpoint_on_idle(void *arg)
{
    struct hosted *hosted = arg;
    struct gb_err err = {0};

    if (checkpoint_is_due(hosted) && checkpoint_may_be(hosted, &err) == 0)
        job_add(checkpoint_new_automatic(hosted), 0);
}

/* With the policy `cell` a session has each cell's moment, also if the next cell was sent with this
 * one or shortly after it: that one waits for it. With `idle` it is on no cell's way. */
static bool checkpoint_on_sending(struct hosted *hosted)
{
    struct gb_err err = {0};
    struct job *job;

    if (checkpoint_policy(hosted) != GB_SETTINGS_CHECKPOINTS_CELL ||
        !checkpoint_is_missing(hosted) || checkpoint_may_be(hosted, &err) < 0)
        return false;
    job = checkpoint_new_automatic(hosted);
    job->before_cell = true;
    job_add_first(job, CHECKPOINT_BEFORE_CELL_MS);
    return true;
}

/* The server ends: a session that is idle and would have got a checkpoint in a moment gets it now.
 * `saving` is not 0 in here, so that no job that ends at once ends the wait. */
static bool checkpoint_on_server_ending(struct gb_server *server)
{
    size_t *saving = &checkpoint_of_server(server)->saving;
    struct hosted *hosted;
    struct gb_err err = {0};

    ++*saving;
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        struct job *job = checkpoint_of(hosted)->job;

        if (job != NULL && (job->kind == JOB_CHECKPOINT || job->kind == JOB_SLEEP)) {
            job->is_last = true; /* it is being taken */
            ++*saving;
        } else if (hosted->opened && checkpoint_is_missing(hosted) &&
                   checkpoint_may_be(hosted, &err) == 0) {
            job = checkpoint_new_automatic(hosted);
            job->is_last = true;
            ++*saving;
            job_add(job, CHECKPOINT_LAST_MS);
        }
    }
    return --*saving > 0;
}

/* Whoever continues with it after its server has ended, or it has relapsed, may not know that. */
static void checkpoint_on_cell_ending(struct hosted *hosted, uint32_t cell, struct gb_buf *note)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    (void)cell;
    if (!state->has_lost)
        return;
    state->has_lost = false;
    gb_buf_addf(
        note,
        "%s%s, and the session was as after cell %u when this cell started: later cells are "
        "undone",
        note->size > 0 ? "; " : "", state->lost_how, state->lost_after);
}

/* It comes back, but not as it is now. */
static void checkpoint_say_what_is_lost(struct hosted *hosted)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);
    const bool has_reason = state->trouble.code != GB_OK &&
                            state->trouble_ns == gb_session_last_changed_ns(hosted->session);
    const struct gb_past_moment *here;

    if (state->past == NULL || !checkpoint_is_automatic(hosted) || checkpoint_is_now(hosted))
        return;
    here = gb_past_find(state->past, gb_past_here(state->past));
    if (here != NULL)
        gb_warning("%s: it had changed since its last checkpoint, and will be as it was after cell "
                   "%u%s%s",
                   gb_session_id(hosted->session), here->cell, has_reason ? ": " : "",
                   has_reason ? state->trouble.message : "");
}

static uint64_t checkpoint_idle_ms(struct hosted *hosted)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);
    uint64_t ms = CHECKPOINT_IDLE_MS;

    if (state->trouble_ns != gb_session_last_changed_ns(hosted->session))
        return ms;
    for (unsigned i = 0; i < state->refusals && ms < CHECKPOINT_RETRY_MAX_MS; i++)
        ms *= 2;
    return MIN(ms, (uint64_t)CHECKPOINT_RETRY_MAX_MS);
}

static void checkpoint_watch(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    if (!checkpoint_is_due(hosted))
        gb_timer_stop(state->idle);
    else if (!gb_timer_active(state->idle))
        gb_timer_start(state->idle, checkpoint_idle_ms(hosted));
}

static void checkpoint_on_session(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    gb_list_init(&state->waiting);
    state->watch = checkpoint_watch;
    state->idle = gb_timer_new(hosted->server->loop, checkpoint_on_idle, hosted);
    sleep_on_session(hosted);
}

static void checkpoint_on_opened(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    checkpoint_announce(hosted);
    if (state->birth != NULL)
        fork_child_born(TAKE_PTR(state->birth), NULL);
}

static void checkpoint_on_change(struct hosted *hosted)
{
    checkpoint_announce(hosted);                /* the settings may have changed */
    gb_timer_stop(checkpoint_of(hosted)->idle); /* it begins anew */
    job_next(hosted);
}

static void checkpoint_on_past_gone(void *arg)
{
    hosted_allow_end(arg);
}

/* Its end is delayed until its past is gone, or as the next server is to find it. */
static void checkpoint_part_from_past(void *arg)
{
    struct hosted *hosted = arg;
    struct checkpoint_session *state = checkpoint_of(hosted);

    rollback_give_up(hosted);
    job_end_all(hosted, &hosted->why);
    if (hosted_is_left(hosted)) {
        checkpoint_say_what_is_lost(hosted);
        gb_past_leave(TAKE_PTR(state->past), checkpoint_on_past_gone, hosted);
    } else {
        gb_past_destroy(TAKE_PTR(state->past), checkpoint_on_past_gone, hosted);
    }
}

/* One with a mark, or which might get one, does not come back after somebody was told that it has
 * ended. If its VM has died, the server may have been told to end as well, and only hears of it in
 * this turn of the loop. */
static void checkpoint_on_session_closed(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    rollback_on_session_closed(hosted);
    if (state->past == NULL ||
        !(gb_past_is_busy(state->past) || gb_past_may_be_marked(state->past)))
        return;
    hosted_delay_end(hosted);
    if (hosted->died)
        gb_loop_defer(hosted->server->loop, &state->parting, checkpoint_part_from_past, hosted);
    else
        checkpoint_part_from_past(hosted);
}

static void checkpoint_on_session_end(struct hosted *hosted, const struct gb_err *why)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    if (state->birth != NULL)
        fork_child_born(TAKE_PTR(state->birth), why);
    job_end_all(hosted, why);
    if (hosted_is_left(hosted))
        checkpoint_say_what_is_lost(hosted);
    gb_past_free(TAKE_PTR(state->past)); /* it has no mark */
    free(TAKE_PTR(state->template));
    gb_lives_release(&state->lives);
    checkpoint_count(hosted);
    gb_loop_undefer(&state->turn);
    gb_timer_free(TAKE_PTR(state->idle));
    gb_timer_free(TAKE_PTR(state->drowsy));
}

/* ---- what a session was opened with ---- */

static void checkpoint_take_open(struct hosted *hosted, const struct gb_params *params)
{
    static const enum gb_settings_checkpoints policies[] = {
        GB_SETTINGS_CHECKPOINTS_OFF, GB_SETTINGS_CHECKPOINTS_ASKED, GB_SETTINGS_CHECKPOINTS_IDLE,
        GB_SETTINGS_CHECKPOINTS_CELL};
    struct checkpoint_session *state = checkpoint_of(hosted);

    if (params->checkpoints == 0) /* as the settings say */
        return;
    state->has_policy = true;
    state->policy = policies[params->checkpoints - 1];
}

/* Forks that are bound to it end. */
static void checkpoint_on_connection_closing(struct connection *connection)
{
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &connection->server->sessions, link) {
        struct checkpoint_session *state = checkpoint_of(hosted);

        if (state->bound != connection)
            continue;
        state->bound = NULL;
        if (!hosted->closing)
            hosted_close(hosted, GB_END_CLOSED, "the client that forked it went away");
    }
}

/* ---- methods ---- */

static void checkpoint_handle(struct request *request, const struct gb_params *params)
{
    struct hosted *hosted = checkpoint_find(request, params, true);

    if (hosted != NULL)
        job_add(checkpoint_new_job(request, hosted, params->name), (uint64_t)params->wait_ms);
}

static int checkpoint_read_target(const struct gb_params *params, struct gb_err *err)
{
    const int given = (params->cell >= 0) + (params->seq != 0) + (params->name.data != NULL) +
                      (params->cells != 0) + (params->steps != 0);

    if (given == 1)
        return 0;
    return gb_err_set(err, GB_EINVALID,
                      "one of `cell`, `seq`, `name`, `cells` and `steps` has to be given");
}

static void checkpoint_handle_rewind(struct request *request, const struct gb_params *params)
{
    struct hosted *hosted = checkpoint_find(request, params, true);
    const struct gate *gate;
    struct gb_err err = {0};
    struct job *job;

    if (hosted == NULL)
        return;
    if (checkpoint_read_target(params, &err) < 0) {
        request_fail(request, &err);
        return;
    }
    gate = part_shut_gate(hosted, request->connection);
    if (gate != NULL) {
        gate->refuse(request, hosted);
        return;
    }
    job = checkpoint_new_job(request, hosted, params->name);
    job->kind = JOB_REWIND;
    job->target = (struct job_target){.seq = (uint64_t)params->seq,
                                      .cell = params->cell,
                                      .name = job->name,
                                      .cells = params->cells,
                                      .steps = params->steps};
    job->drops = params->drop_queued;
    job->interrupts = params->interrupt;
    job_add(job, (uint64_t)params->wait_ms);
}

static void checkpoint_handle_fork(struct request *request, const struct gb_params *params)
{
    const int given = (params->cell >= 0) + (params->seq != 0) + (params->name.data != NULL);
    struct hosted *hosted;
    struct gb_err err = {0};
    struct job *job;

    if (given > 1) {
        (void)gb_err_set(&err, GB_EINVALID, "give one of `cell`, `seq` and `name`, or none");
        request_fail(request, &err);
        return;
    }
    hosted = checkpoint_find(request, params, given == 0);
    if (hosted == NULL)
        return;
    job = checkpoint_new_job(request, hosted, params->name);
    job->kind = JOB_FORK;
    job->target =
        (struct job_target){.seq = (uint64_t)params->seq, .cell = params->cell, .name = job->name};
    job->fork = (struct job_fork){.count = (size_t)params->count,
                                  .wait_ms = (uint64_t)params->wait_ms,
                                  .bound = params->bound};
    if (params->label.data != NULL)
        job->fork.label = xstrndup((const char *)params->label.data, params->label.size);
    job_add(job, (uint64_t)params->wait_ms);
}

/* A page of a session's checkpoints. */
struct checkpoint_page {
    const struct gb_past_moment *moments; /* the first of them */
    size_t count;
    uint64_t here;
};

static bool checkpoint_page_next(const void *owner, size_t *at, void *ret_item)
{
    const struct checkpoint_page *page = owner;
    const struct gb_past_moment *moment = page->moments + *at;
    struct gb_checkpoint_info *info = ret_item;

    if (*at >= page->count)
        return false;
    *info = (struct gb_checkpoint_info){
        .seq = moment->seq,
        .parent = moment->parent,
        .epoch = moment->epoch,
        .at_ns = moment->at_ns,
        .bytes = moment->bytes,
        .cell = moment->cell,
        .name = gb_bytes_str(moment->name),
        .flags = moment->seq == page->here ? GB_CHECKPOINT_HERE : 0,
    };
    (*at)++;
    return true;
}

/* The requested page of @past (NULL: there are none); returns whether more follow. */
static bool checkpoint_page_find(const struct gb_past *past, const struct gb_params *params,
                                 struct checkpoint_page *ret_page)
{
    const size_t limit = (size_t)params->limit;

    *ret_page = (struct checkpoint_page){0};
    if (past == NULL)
        return false;
    ret_page->here = gb_past_here(past);
    ret_page->moments = gb_past_moments(past, &ret_page->count);
    while (ret_page->count > 0 && ret_page->moments->seq <= (uint64_t)params->offset) {
        ret_page->moments++;
        ret_page->count--;
    }
    if (ret_page->count <= limit)
        return false;
    ret_page->count = limit;
    return true;
}

/* Why there is no checkpoint of the present, and none is about to be taken. False: neither is
 * so. */
static bool checkpoint_explain(struct hosted *hosted, struct gb_err *err)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);

    if (checkpoint_is_now(hosted))
        return false;
    if (checkpoint_may_be(hosted, err) < 0)
        return true;
    if (!checkpoint_is_automatic(hosted))
        (void)gb_err_set(err, GB_ENOPAST, "checkpoints of it are only taken when asked for");
    else if (gb_session_check_rest(hosted->session, err) == 0 && state->trouble.code != GB_OK &&
             state->trouble_ns == gb_session_last_changed_ns(hosted->session))
        *err = state->trouble;
    return err->code != GB_OK;
}

static void checkpoint_handle_list(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    const struct gb_past *past;
    struct checkpoint_page page;
    struct gb_checkpoints_info info = {0};
    struct gb_err why = {0};
    struct reply reply;

    if (hosted == NULL) {
        request_fail(request, &err);
        return;
    }
    past = checkpoint_of(hosted)->past;
    if (checkpoint_page_find(past, params, &page))
        info.flags = GB_CHECKPOINTS_MORE;
    info.checkpoints = (struct gb_items){.next = checkpoint_page_next, .owner = &page};
    info.epoch = gb_session_epoch(hosted->session);
    info.bytes = past == NULL ? 0 : gb_past_bytes(past);
    if (checkpoint_explain(hosted, &why))
        info.missing = gb_bytes_str(why.message);
    reply_begin(&reply, request);
    gb_object_write(&reply.out, &gb_checkpoints_object, &info);
    reply_end(&reply);
}

static const struct method_handler checkpoint_methods[] = {
    {"session.checkpoint", checkpoint_handle},
    {"session.checkpoints", checkpoint_handle_list},
    {"session.rewind", checkpoint_handle_rewind},
    {"session.fork", checkpoint_handle_fork},
    {"session.diff", diff_handle},
    {"session.sleep", sleep_handle},
    {"session.wake", sleep_handle_wake},
    {NULL, NULL},
};

static const char *const checkpoint_event_kinds[] = {"session.checkpointed", "session.rewound",
                                                     "session.forked",       "session.asleep",
                                                     "session.awake",        NULL};

const struct gb_part checkpoint_part = {
    .name = "checkpoint",
    .methods = checkpoint_methods,
    .event_kinds = checkpoint_event_kinds,
    .state = &checkpoint_sizes,
    .server_start = checkpoint_on_start,
    .server_ending = checkpoint_on_server_ending,
    .server_free = checkpoint_on_server_free,
    .connection_closing = checkpoint_on_connection_closing,
    .take_open = checkpoint_take_open,
    .session_new = checkpoint_on_session,
    .session_opened = checkpoint_on_opened,
    .session_changed = checkpoint_on_change,
    .session_rested = checkpoint_on_change,
    .session_wanted = sleep_on_wanted,
    .session_expiring = sleep_on_expiring,
    .session_failing = sleep_on_failing,
    .session_closed = checkpoint_on_session_closed,
    .session_ended = checkpoint_on_session_end,
    .explain_missing = restore_explain,
    .close_missing = restore_close,
    .cell_sending = checkpoint_on_sending,
    .cell_ending = checkpoint_on_cell_ending,
    .interpreter_lost = rollback_on_interpreter_lost,
    .await_rollback = rollback_await,
};
