/* SPDX-License-Identifier: Apache-2.0 */
/* Forks: sessions that continue from a checkpoint of another one.
 *
 * Theory of operation. Each child is a session like any other: it counts, waits for capacity, fails
 * and ends by itself. Only its VM is made here, from the chain of the parent, one after the other;
 * the parent's job is over when the last one is made, and the request is answered when each child
 * is open or has failed. From then on nothing connects them: a child's own checkpoints are based on
 * the snapshot that the parent's VM was made from, and its parent may end.
 *
 * If the client goes away before the answer, nobody knows the children, and they are closed.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/past.h"
#include "rpc/object.h"
#include "server/checkpoint/state.h"
#include "server/core/event.h"
#include "server/core/open.h"
#include "server/core/state.h"

struct fork_child {
    struct gb_list link; /* in `ready` of its fork: it may have a VM now */
    struct fork *fork;
    struct hosted *hosted; /* until it is born; NULL: none */
    char *id;              /* NULL: there was none */
    bool made;             /* it has its VM, or never will */
    bool born;             /* it is open, or has failed with: */
    struct gb_err err;     /* code GB_OK: it is open */
};

struct fork {
    struct hosted *parent; /* NULL: no child is made any more */
    struct gb_server *server;
    struct request *request; /* NULL: the client has gone */
    void (*over)(struct hosted *parent);
    struct fork_taker taker;
    uint64_t seq, epoch, begun_ns;
    uint32_t cell;
    bool is_beginning;         /* children are still being added */
    struct fork_child *making; /* NULL: none */
    struct gb_list ready;
    size_t count, unmade, unborn;
    struct fork_child children[];
};

static void fork_free(struct fork *fork)
{
    for (size_t i = 0; i < fork->count; i++)
        free(fork->children[i].id);
    free(fork);
}

/* ---- what is told ---- */

static bool fork_next(const void *owner, size_t *at, void *ret_item)
{
    const struct fork *fork = owner;
    const struct fork_child *child = fork->children + *at;
    const bool is_open = *at < fork->count && child->err.code == GB_OK;
    struct gb_fork_info *info = ret_item;

    if (*at >= fork->count)
        return false;
    *info = (struct gb_fork_info){
        .session = gb_bytes_str(is_open ? child->id : NULL),
        .error = (uint32_t)child->err.code,
        .message = gb_bytes_str(child->err.message),
        .flags = is_open ? 0 : GB_FORK_FAILED,
    };
    (*at)++;
    return true;
}

static void fork_tell(struct fork *fork)
{
    const struct gb_forked_info info = {
        .sessions = {.next = fork_next, .owner = fork},
        .seq = fork->seq,
        .cell = fork->cell,
        .took_us = (gb_clock_mono_ns() - fork->begun_ns) / 1000,
    };
    struct reply reply;

    if (fork->request == NULL)
        return;
    reply_begin(&reply, fork->request);
    gb_object_write(&reply.out, &gb_forked_object, &info);
    reply_end(&reply);
}

/* To the one that takes the child. */
static void fork_give(struct fork *fork)
{
    const struct fork_child *child = &fork->children[0];
    const struct gb_past_moment moment = {
        .seq = fork->seq, .epoch = fork->epoch, .cell = fork->cell};
    struct gb_err err = child->err;
    struct hosted *hosted = NULL;

    if (fork->request == NULL) {
        fork->taker.drop(fork->taker.arg);
        return;
    }
    if (err.code == GB_OK)
        hosted = hosted_find(fork->server, gb_bytes_str(child->id), &err);
    fork->taker.take(fork->taker.arg, TAKE_PTR(fork->request), hosted, &moment, &err);
}

static void fork_tell_watchers(struct fork *fork)
{
    struct event event;

    if (!event_begin(&event, fork->server, "session.forked", fork->parent))
        return;
    gb_json_put_u64(&event.out, "checkpoint", fork->seq);
    gb_json_put_u64(&event.out, "cell", fork->cell);
    gb_json_array(&event.out, "sessions");
    for (size_t i = 0; i < fork->count; i++)
        if (fork->children[i].id != NULL)
            gb_json_put_str(&event.out, NULL, fork->children[i].id);
    gb_json_end(&event.out);
    event_end(&event);
}

/* ---- progress ---- */

static void fork_count_made(struct fork_child *child)
{
    if (child->made)
        return;
    child->made = true;
    child->fork->unmade--;
}

/* What has to happen after each step. May free @fork. */
static void fork_settle(struct fork *fork)
{
    struct hosted *parent = fork->parent;

    if (fork->is_beginning)
        return;
    if (fork->unmade == 0 && parent != NULL) {
        fork->parent = NULL;
        checkpoint_of(parent)->fork = NULL;
        fork->over(parent);
    }
    if (fork->unmade == 0 && fork->unborn == 0) {
        if (fork->taker.take != NULL)
            fork_give(fork);
        else
            fork_tell(fork);
        fork_free(fork);
    }
}

/* Whether a VM would be of use to it. */
static bool fork_child_lives(const struct fork_child *child)
{
    return child->hosted != NULL && !child->hosted->ended;
}

static void fork_make_next(struct fork *fork);

static void fork_on_made(void *arg, struct gb_clone *clone, const struct gb_err *err)
{
    struct fork *fork = arg;
    struct fork_child *child = TAKE_PTR(fork->making);
    const bool lives = fork_child_lives(child);

    if (clone != NULL)
        gb_past_settle(checkpoint_of(fork->parent)->past, false);
    if (clone != NULL && lives)
        gb_session_fork(child->hosted->session, gb_clone_take(clone));
    else if (clone != NULL)
        gb_clone_free(clone);
    else if (lives)
        gb_start_fail(&child->hosted->start, err);
    fork_count_made(child);
    fork_make_next(fork);
    fork_settle(fork);
}

/* Begins to make the next VM, unless one is being made. */
static void fork_make_next(struct fork *fork)
{
    struct gb_past *past = checkpoint_of(fork->parent)->past;
    struct gb_err err = {0};
    struct gb_list *link;

    while (fork->making == NULL && (link = gb_list_pop(&fork->ready)) != NULL) {
        struct fork_child *child = container_of(link, struct fork_child, link);

        if (!fork_child_lives(child)) {
            fork_count_made(child);
        } else if (gb_past_return(past, fork->server->host, NULL, fork->seq, false, fork_on_made,
                                  fork, &err) < 0) {
            gb_start_fail(&child->hosted->start, &err);
            fork_count_made(child);
        } else {
            fork->making = child;
            gb_start_hold(&child->hosted->start, gb_past_returning_vm(past));
        }
    }
}

static void fork_on_room(void *arg)
{
    struct fork_child *child = arg;
    struct fork *fork = child->fork;

    if (fork->parent == NULL)
        return; /* it is about to fail for that */
    gb_list_add_tail(&fork->ready, &child->link);
    fork_make_next(fork);
    fork_settle(fork);
}

/* ---- the children ---- */

void fork_child_born(struct fork_child *child, const struct gb_err *err)
{
    struct fork *fork = child->fork;

    if (err != NULL) {
        if (child->err.code == GB_OK)
            child->err = *err;
        gb_list_remove(&child->link);
        if (fork->making != child)
            fork_count_made(child);
    }
    child->hosted = NULL; /* from here on it may end without our being told */
    child->born = true;
    fork->unborn--;
    fork_settle(fork);
}

static void fork_add_child(struct fork *fork, struct fork_child *child,
                           const struct job_fork *wanted)
{
    struct hosted *parent = fork->parent;
    const struct origin origin = {(char *)(uintptr_t)gb_session_id(parent->session), fork->seq,
                                  fork->cell};
    struct checkpoint_session *state;
    struct gb_err err = {0};

    child->fork = fork;
    gb_list_init(&child->link);
    if (open_fork(fork->request->connection, parent, wanted->label, &origin, &child->hosted, &err) <
        0) {
        fork_child_born(child, &err);
        return;
    }
    child->id = xstrdup(gb_session_id(child->hosted->session));
    state = checkpoint_of(child->hosted);
    state->birth = child;
    state->has_policy = checkpoint_of(parent)->has_policy;
    state->policy = checkpoint_of(parent)->policy;
    state->bound = wanted->bound ? fork->request->connection : NULL;
    PART_CALL(fork->server, session_forked, child->hosted, parent, wanted->alone);
    hosted_begin_made(child->hosted, wanted->wait_ms, gb_start_origin(&parent->start), fork_on_room,
                      child);
}

static void fork_abandon(struct request *request)
{
    struct fork *fork = request->arg;
    struct gb_err err;

    fork->request = NULL;
    for (size_t i = 0; i < fork->count; i++) {
        const char *id = fork->children[i].id;
        struct hosted *hosted =
            id != NULL ? hosted_find(fork->server, gb_bytes_str(id), &err) : NULL;

        if (hosted != NULL)
            hosted_close(hosted, GB_END_CLOSED, "the client that forked it went away");
    }
}

void fork_begin(struct hosted *hosted, uint64_t seq, void (*over)(struct hosted *hosted))
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    struct job *job = state->job;
    struct fork *fork;

    if (job->request == NULL) { /* nobody wants them any more */
        over(hosted);
        return;
    }
    fork = xcalloc(1, sizeof(*fork) + job->fork.count * sizeof(*fork->children));
    fork->parent = hosted;
    fork->server = hosted->server;
    fork->over = over;
    fork->request = TAKE_PTR(job->request);
    fork->request->arg = fork;
    fork->request->abandon = fork_abandon;
    fork->seq = seq;
    fork->taker = job->fork.taker;
    job->fork.taker = (struct fork_taker){0};
    fork->begun_ns = job->begun_ns;
    fork->cell = gb_past_find(state->past, seq)->cell;
    fork->epoch = gb_past_find(state->past, seq)->epoch;
    fork->count = fork->unmade = fork->unborn = job->fork.count;
    gb_list_init(&fork->ready);
    state->fork = fork;
    fork->is_beginning = true;
    for (size_t i = 0; i < fork->count; i++)
        fork_add_child(fork, fork->children + i, &job->fork);
    fork->is_beginning = false;
    fork_tell_watchers(fork);
    fork_settle(fork);
}

void fork_parent_ended(struct fork *fork)
{
    struct gb_err err = {0};

    (void)gb_err_set(&err, GB_ECLOSED, "the session that it was to be forked from has ended");
    fork->parent = NULL;
    fork->making = NULL;
    for (size_t i = 0; i < fork->count; i++) {
        struct fork_child *child = fork->children + i;

        if (child->made)
            continue;
        fork_count_made(child);
        gb_list_remove(&child->link);
        child->err = err;
        if (fork_child_lives(child))
            gb_start_fail(&child->hosted->start, &err);
    }
    fork_settle(fork);
}
