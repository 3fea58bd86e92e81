/* SPDX-License-Identifier: Apache-2.0 */
/* Which checkpoint is meant. */
#include <string.h>

#include "server/checkpoint/state.h"

/* Whether @at is @seq, or leads to it. */
static bool target_leads_to(const struct gb_past *past, uint64_t at, uint64_t seq)
{
    const struct gb_past_moment *moment;

    while (seq > at && (moment = gb_past_find(past, seq)) != NULL)
        seq = moment->parent;
    return seq == at;
}

/* The child that leads to the newest successor: the branch that was left last. */
static uint64_t target_forward(const struct gb_past *past, uint64_t from)
{
    size_t count;
    const struct gb_past_moment *moments = gb_past_moments(past, &count);

    for (size_t i = count; i-- > 0;) {
        uint64_t seq = moments[i].seq;

        if (seq <= from || !target_leads_to(past, from, seq))
            continue;
        while (gb_past_find(past, seq)->parent != from)
            seq = gb_past_find(past, seq)->parent;
        return seq;
    }
    return 0;
}

/* There is no moment so many steps away. */
static void target_say_steps(int64_t steps, struct gb_err *err)
{
    if (steps == 1)
        (void)gb_err_set(
            err, GB_EGONE,
            "there is no checkpoint before this moment: one is taken after a cell when "
            "the session has been idle for a moment, unless [past] checkpoints says "
            "otherwise, and when a client asks for one");
    else if (steps == -1)
        (void)gb_err_set(err, GB_EGONE, "nothing that was undone follows this moment");
    else
        (void)gb_err_set(err, GB_EGONE, "there are no %lld checkpoints %s this moment",
                         (long long)(steps > 0 ? steps : -steps), steps > 0 ? "before" : "behind");
}

static uint64_t target_step(const struct gb_past *past, int64_t steps, struct gb_err *err)
{
    const int64_t wanted = steps;
    uint64_t seq = gb_past_here(past);

    for (; steps > 0 && seq != 0; steps--)
        seq = gb_past_find(past, seq) == NULL ? 0 : gb_past_find(past, seq)->parent;
    for (; steps < 0 && seq != 0; steps++)
        seq = target_forward(past, seq);
    if (seq == 0)
        target_say_steps(wanted, err);
    return seq;
}

static uint32_t target_cell(const struct gb_past *past, uint64_t seq)
{
    const struct gb_past_moment *moment = gb_past_find(past, seq);

    return moment == NULL ? 0 : moment->cell;
}

/* The last moment of the cell that follows @from; 0: none. */
static uint64_t target_next_cell(const struct gb_past *past, uint64_t from)
{
    uint64_t seq = target_forward(past, from), next;

    while (seq != 0 && target_cell(past, seq) == target_cell(past, from))
        seq = target_forward(past, seq);
    while (seq != 0 && (next = target_forward(past, seq)) != 0 &&
           target_cell(past, next) == target_cell(past, seq))
        seq = next;
    return seq;
}

/* So many cells forward. Backward it is only known whether there is anything: which cell that is
 * depends on those that end before. */
static uint64_t target_by_cells(const struct gb_past *past, int64_t cells, struct gb_err *err)
{
    uint64_t seq = gb_past_here(past);

    for (; cells < 0 && seq != 0; cells++)
        seq = target_next_cell(past, seq);
    if (seq == 0 && cells > 0)
        (void)gb_err_set(err, GB_EGONE, "there is no checkpoint of the session yet");
    else if (seq == 0)
        (void)gb_err_set(err, GB_EGONE, "nothing that was undone follows this moment");
    return seq;
}

/* The newest one after @cell that leads to the session's last one, or is that. */
static const struct gb_past_moment *target_of_line(const struct gb_past *past, int64_t cell)
{
    const struct gb_past_moment *moment = gb_past_find(past, gb_past_here(past));

    while (moment != NULL && (int64_t)moment->cell != cell)
        moment = gb_past_find(past, moment->parent);
    return moment;
}

static const struct gb_past_moment *target_of_cell(const struct gb_past *past, int64_t cell)
{
    size_t count;
    const struct gb_past_moment *moments = gb_past_moments(past, &count);

    for (size_t i = count; i-- > 0;)
        if ((int64_t)moments[i].cell == cell)
            return moments + i;
    return NULL;
}

static const struct gb_past_moment *target_of_name(const struct gb_past *past, const char *name)
{
    size_t count;
    const struct gb_past_moment *moments = gb_past_moments(past, &count);

    for (size_t i = 0; i < count; i++)
        if (moments[i].name != NULL && strcmp(moments[i].name, name) == 0)
            return moments + i;
    return NULL;
}

/* There is no such moment. */
static void target_say_cell(const struct gb_past *past, const struct job_target *target,
                            struct gb_err *err)
{
    const struct gb_past_moment *nearest = target_nearest(past, target);

    if (nearest == NULL)
        (void)gb_err_set(err, GB_EGONE, "there is no checkpoint of the moment after cell %lld",
                         (long long)target->cell);
    else
        (void)gb_err_set(err, GB_EGONE,
                         "there is no checkpoint of the moment after cell %lld; the nearest one is "
                         "that after cell %u%s",
                         (long long)target->cell, nearest->cell,
                         target->of_line ? " (each cell has its own if [past] checkpoints is "
                                           "`cell`, here or in session.open)"
                                         : "");
}

uint64_t target_find(const struct gb_past *past, const struct job_target *target,
                     struct gb_err *err)
{
    const struct gb_past_moment *moment;

    if (target->seq == 0 && target->cell < 0 && target->name == NULL)
        return target->cells != 0 ? target_by_cells(past, target->cells, err)
                                  : target_step(past, target->steps, err);
    if (target->seq != 0)
        moment = gb_past_find(past, target->seq);
    else if (target->cell >= 0 && target->of_line)
        moment = target_of_line(past, target->cell);
    else if (target->cell >= 0)
        moment = target_of_cell(past, target->cell);
    else
        moment = target_of_name(past, target->name);
    if (moment != NULL)
        return moment->seq;
    if (target->seq != 0)
        (void)gb_err_set(err, GB_EGONE, "there is no checkpoint %llu",
                         (unsigned long long)target->seq);
    else if (target->cell >= 0)
        target_say_cell(past, target, err);
    else
        (void)gb_err_set(err, GB_EGONE, "there is no checkpoint \"%.128s\"", target->name);
    return 0;
}

uint64_t target_ahead(const struct gb_past *past, const struct job_target *target,
                      struct gb_err *err)
{
    struct job_target ahead = *target;
    const uint64_t here = gb_past_here(past);
    uint64_t seq;

    /* The checkpoint of the present will follow the last one, and nothing will follow it. */
    if (target->cells < 0)
        target_say_steps(-1, err);
    if (target->cells < 0)
        return 0;
    if (target->steps == 0)
        return target_find(past, target, err);
    ahead.steps--;
    if (target->steps == 1 && here != 0)
        return here;
    if (target->steps > 1 && (seq = target_find(past, &ahead, NULL)) != 0)
        return seq;
    target_say_steps(target->steps, err);
    return 0;
}

/* The newest one before @cell that leads to the present; else the oldest that does so. */
static const struct gb_past_moment *target_nearest_of_line(const struct gb_past *past, int64_t cell)
{
    const struct gb_past_moment *at = gb_past_find(past, gb_past_here(past)), *nearest = NULL;

    for (; at != NULL; at = gb_past_find(past, at->parent)) {
        nearest = at;
        if ((int64_t)at->cell <= cell)
            break;
    }
    return nearest;
}

const struct gb_past_moment *target_nearest(const struct gb_past *past,
                                            const struct job_target *target)
{
    size_t count = 0;
    const struct gb_past_moment *moments = past == NULL ? NULL : gb_past_moments(past, &count);
    const struct gb_past_moment *nearest = NULL;
    const int64_t wanted = target->seq != 0 ? (int64_t)target->seq : target->cell;
    int64_t least = INT64_MAX;

    if (past != NULL && target->of_line)
        return target_nearest_of_line(past, target->cell);
    for (size_t i = 0; i < count; i++) {
        const int64_t at = target->seq != 0 ? (int64_t)moments[i].seq : (int64_t)moments[i].cell;
        const int64_t far = at < wanted ? wanted - at : at - wanted;

        /* For names and steps there is no nearest one: the oldest, or the newest. */
        if (target->seq == 0 && target->cell < 0) {
            if (nearest == NULL || target->steps <= 0)
                nearest = moments + i;
        } else if (far <= least) {
            least = far;
            nearest = moments + i;
        }
    }
    return nearest;
}

struct target_missed {
    const struct gb_past *past;
    const struct job_target *target;
};

static void target_add_nearest(struct gb_json_out *out, void *arg)
{
    const struct target_missed *missed = arg;
    const struct gb_past_moment *nearest = target_nearest(missed->past, missed->target);

    if (nearest == NULL) {
        gb_json_put_null(out, "nearest");
        return;
    }
    gb_json_object(out, "nearest");
    gb_json_put_u64(out, "seq", nearest->seq);
    gb_json_put_u64(out, "cell", nearest->cell);
    gb_json_end(out);
}

void target_refuse(struct request *request, const struct gb_past *past,
                   const struct job_target *target, const struct gb_err *err)
{
    struct target_missed missed = {past, target};

    request_fail_with(request, err, err->code == GB_EGONE ? target_add_nearest : NULL, &missed);
}
