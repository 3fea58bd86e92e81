/* SPDX-License-Identifier: Apache-2.0 */
/* Rollbacks: a session whose interpreter had to be killed goes back to a checkpoint.
 *
 * Theory of operation. The interpreter of a session ends with a cell that exceeded its time or the
 * VM's memory, or did not end when interrupted. If there is a checkpoint that may be used, no other
 * cell is sent, the result of this one waits, and once nothing else is in progress in the session
 * it gets the VM of that moment. The VM that it had is ended: its present is neither kept nor
 * needed. If anything goes wrong, the session continues with its own VM and a new interpreter, as
 * it does without a past.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "server/checkpoint/state.h"
#include "server/core/state.h"

/* For what is in progress besides the cell. */
enum { ROLLBACK_WAIT_MS = 10000 };

/* The checkpoint to go back to after a cell before which the session had last changed at
 * @before_ns; 0: none. */
static uint64_t rollback_find(struct hosted *hosted, uint64_t before_ns)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);
    const bool is_exact = state->is_known && state->known_ns == before_ns;
    const int64_t wanted = hosted->server->settings.past.rollback;

    if (state->past == NULL || wanted == GB_SETTINGS_ROLLBACK_OFF ||
        (!is_exact && wanted != GB_SETTINGS_ROLLBACK_NEAREST))
        return 0;
    return gb_past_here(state->past);
}

static void rollback_begin(struct hosted *hosted)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);
    struct job *job = state->job;
    const uint64_t seq = rollback_find(hosted, job->rollback.before_ns);
    const struct gb_past_moment *moment = seq == 0 ? NULL : gb_past_find(state->past, seq);
    const struct gb_lives *lives = &state->lives;
    uint32_t before = lives->count == 0 ? 0 : lives->all[lives->count - 1].cells_before;
    struct gb_err err = {0};

    if (moment == NULL) {
        (void)gb_err_set(&err, GB_EGONE, "there is no checkpoint of the state before the cell");
        job_fail(hosted, &err);
        return;
    }
    before = MAX(before, moment->cell);
    job->rollback.told =
        (struct rollback){.checkpoint = seq,
                          .cell = moment->cell,
                          .lost = job->cells > before ? job->cells - before - 1 : 0};
    job_return_to(hosted, seq);
}

static void rollback_end(struct hosted *hosted, struct job *job, bool done)
{
    const struct job_rollback rollback = job->rollback;

    job_free(job);
    gb_session_go_on(hosted->session, !done);
    job_next(hosted);
    if (rollback.waits)
        rollback.wait.done(rollback.wait.arg, done ? &rollback.told : NULL);
}

static const struct job_rollback_calls rollback_calls = {.begin = rollback_begin,
                                                         .end = rollback_end};

bool rollback_on_interpreter_lost(struct hosted *hosted, const struct gb_cell *cell)
{
    const uint32_t killed = GB_CELL_TIMED_OUT | GB_CELL_INTERRUPTED | GB_CELL_OOM;
    const struct checkpoint_session *state = checkpoint_of(hosted);
    struct job *job;

    /* A checkpoint may still be being written. */
    if (cell->keeps_loss || (cell->flags & killed) == 0 ||
        hosted->server->settings.past.rollback == GB_SETTINGS_ROLLBACK_OFF ||
        (state->job == NULL && rollback_find(hosted, cell->changed_before_ns) == 0))
        return false;
    job = xcalloc(1, sizeof(*job));
    job->hosted = hosted;
    job->kind = JOB_ROLLBACK;
    job->target.cell = -1;
    job->cells = cell->number; /* others wait, and are not part of the life that ends */
    job->rollback.calls = &rollback_calls;
    job->rollback.before_ns = cell->changed_before_ns;
    job_add_first(job, ROLLBACK_WAIT_MS);
    return true;
}

/* The session's rollback; NULL: none. */
static struct job *rollback_of(struct hosted *hosted)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);
    struct job *first;

    if (state->job != NULL && state->job->kind == JOB_ROLLBACK)
        return state->job;
    if (gb_list_empty(&state->waiting))
        return NULL;
    first = container_of(state->waiting.next, struct job, link);
    return first->kind == JOB_ROLLBACK ? first : NULL;
}

bool rollback_await(struct hosted *hosted, uint32_t cell, const struct rollback_wait *wait)
{
    struct job *job = rollback_of(hosted);

    if (job == NULL || job->cells != cell)
        return false;
    job->rollback.waits = true;
    job->rollback.wait = *wait;
    return true;
}

void rollback_give_up(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    if (state->job != NULL && state->job->kind == JOB_ROLLBACK)
        rollback_end(hosted, TAKE_PTR(state->job), false);
}

void rollback_on_session_closed(struct hosted *hosted)
{
    struct job *job = rollback_of(hosted);

    if (job == NULL || job == checkpoint_of(hosted)->job)
        return; /* the one that has started finds out by itself */
    gb_list_remove(&job->link);
    rollback_end(hosted, job, false);
}
