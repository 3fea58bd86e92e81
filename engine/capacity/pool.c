/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <assert.h>
#include <stdlib.h>

#include "base/fingerprint.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "capacity/pool_clone.h"
#include "capacity/pool_lines.h"

enum {
    TICK_MS = 1000,
    /* A taken VM is only replaced after its user has had time for a first cell. */
    LATER_MS = 50,
    LATER_RESTORE_MS = 250, /* the same when it starts with a restore */
    CHECK_MS = 10000,       /* ping a ready VM that has been silent for this long */
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 60000,
};

/* ---- telling ---- */

/* Only reports if a value has changed. */
static void pool_on_change(void *arg)
{
    struct gb_pool *pool = arg;
    struct gb_pool_status status;
    uint64_t sum = GB_FINGERPRINT_EMPTY;

    /* A digest of all values. */
    for (size_t at = 0; gb_pool_next(pool, &at, &status);) {
        const uint64_t figures[] = {status.ready,   status.target, status.starting,
                                    status.waiting, status.floor,  status.ceiling,
                                    status.hits,    status.misses, status.lost};

        sum = gb_fingerprint(sum, figures, sizeof(figures));
    }
    if (pool->changed == NULL || sum == pool->told)
        return;
    pool->told = sum;
    pool->changed(pool->arg);
}

static void pool_on_fill(void *arg);

static void pool_fill_soon(struct gb_pool *pool)
{
    if (!pool->stopped)
        gb_loop_defer(pool->host->loop, &pool->fill, pool_on_fill, pool);
}

/* Something has changed: report it, and check whether VMs are missing. */
static void pool_touch(struct gb_pool *pool)
{
    gb_loop_defer(pool->host->loop, &pool->change, pool_on_change, pool);
    pool_fill_soon(pool);
}

static void pool_on_later(void *arg)
{
    pool_fill_soon(arg);
}

/* ---- lines ---- */

static struct pool_clone *line_first(const struct pool_line *line, enum pool_clone_state state)
{
    struct pool_clone *clone;

    GB_LIST_FOREACH_CONST(clone, &line->clones, link)
        if (clone->state == state)
            return clone;
    return NULL;
}

static struct pool_line *pool_find_line(struct gb_pool *pool, const struct gb_pool_kind *kind)
{
    struct pool_line *line;

    GB_LIST_FOREACH(line, &pool->lines, link)
        if (line->kind.image == kind->image && line->kind.memory_mb == kind->memory_mb &&
            line->kind.networked == kind->networked)
            return line;
    return NULL;
}

/* The one without a network. */
static struct pool_line *pool_find_usual(struct gb_pool *pool, const struct gb_pool_kind *kind)
{
    return pool_find_line(pool, &(struct gb_pool_kind){kind->image, kind->memory_mb, false});
}

static void line_set_sizes(struct pool_line *line, const struct gb_pool_sizes *sizes)
{
    line->sizes = *sizes;
    if (line->kind.networked)
        line->sizes.floor = 0;
}

static struct pool_line *pool_get_line(struct gb_pool *pool, const struct gb_pool_kind *kind)
{
    struct pool_line *line = pool_find_line(pool, kind);
    const struct pool_line *usual = pool_find_usual(pool, kind);

    if (line != NULL)
        return line;
    line = xcalloc(1, sizeof(*line));
    line->pool = pool;
    line->kind = *kind;
    line_set_sizes(line, usual != NULL ? &usual->sizes : &pool->config.sizes);
    line->demand.seen_ns = gb_clock_mono_ns();
    gb_list_init(&line->clones);
    gb_list_add_tail(&pool->lines, &line->link);
    return line;
}

/* There are more requests than ready VMs: each VM is needed immediately. */
static bool line_in_hurry(void *arg)
{
    struct pool_line *line = arg;

    pool_line_fade(line);
    return demand_is_burst(&line->demand) && line_first(line, POOL_CLONE_READY) == NULL;
}

/* A VM was taken. Delays its replacement so that it does not slow down the taker, unless there are
 * more requests. */
static void line_touch_taken(struct pool_line *line, uint64_t later_ms)
{
    uint64_t now = gb_clock_mono_ns();

    /* Further requests do not extend the delay; only a restore does. */
    if (line_in_hurry(line))
        line->rest_ns = 0;
    else if (line->rest_ns <= now || later_ms == LATER_RESTORE_MS)
        line->rest_ns = now + later_ms * GB_NS_PER_MS;
    pool_touch(line->pool);
}

static void line_drop(struct pool_clone *clone, const char *reason)
{
    gb_list_remove(&clone->link);
    pool_clone_drop(clone, reason);
}

/* @taken: also those about to be taken, whose takers are not notified. */
static void line_drop_all(struct pool_line *line, bool taken, const char *reason)
{
    struct pool_clone *clone;

    GB_LIST_FOREACH(clone, &line->clones, link) {
        struct gb_pool_take *take = clone->user;

        if (take != NULL && !taken)
            continue;
        if (take != NULL)
            take->clone = NULL;
        line_drop(clone, reason);
    }
}

static void line_free(struct pool_line *line)
{
    line_drop_all(line, true, "the pool has no use for it");
    gb_templates_cancel(&line->waiter);
    gb_verify_cancel(&line->verify);
    gb_list_remove(&line->link);
    free(line);
}

/* ---- taking ---- */

static void take_end(struct gb_pool_take *take, struct gb_guest *guest, struct gb_slot *slot)
{
    take->clone = NULL;
    take->done(take->arg, guest, slot);
}

static void take_attach(struct gb_pool_take *take, struct pool_clone *clone)
{
    take->clone = clone;
    clone->user = take;
}

/* Prefers the one that answered longest ago, so that each is checked in turn. One that is already
 * being pinged is fine too, unless its answer is overdue. */
static struct pool_clone *line_choose(const struct pool_line *line)
{
    struct pool_clone *clone = line_first(line, POOL_CLONE_READY);

    if (clone != NULL)
        return clone;
    GB_LIST_FOREACH_CONST(clone, &line->clones, link)
        if (clone->state == POOL_CLONE_ASKED && clone->user == NULL && !clone->silent)
            return clone;
    return NULL;
}

static bool line_ask_next(struct pool_line *line, struct gb_pool_take *take)
{
    struct pool_clone *clone = line_choose(line);

    if (clone == NULL)
        return false;
    take_attach(take, clone);
    pool_clone_ask(clone);
    return true;
}

bool gb_pool_take(struct gb_pool *pool, const struct gb_pool_kind *kind, struct gb_pool_take *take,
                  void (*done)(void *arg, struct gb_guest *guest, struct gb_slot *slot), void *arg)
{
    struct pool_line *line = pool_get_line(pool, kind), *usual = pool_find_usual(pool, kind);

    assert(take->clone == NULL);
    demand_add(&line->demand, pool->config.half_life_ms, gb_clock_mono_ns());
    if (!gb_timer_active(pool->tick))
        gb_timer_start(pool->tick, TICK_MS);
    line_touch_taken(line, LATER_MS);
    take->line = line;
    take->done = done;
    take->arg = arg;
    if (line_ask_next(line, take))
        return true;
    line->misses++;
    if (usual == NULL || usual == line || !line_ask_next(usual, take))
        return false;
    take->line = usual;
    return true;
}

void gb_pool_cancel(struct gb_pool_take *take)
{
    if (take->clone == NULL)
        return;
    take->clone->user = NULL;
    take->clone = NULL;
}

static struct gb_clone *line_take_waiting(struct pool_line *line, struct pool_clone *clone,
                                          struct gb_slot **ret_slot)
{
    gb_list_remove(&clone->link);
    line_touch_taken(line, LATER_RESTORE_MS);
    return pool_clone_take_waiting(clone, ret_slot);
}

struct gb_clone *gb_pool_take_waiting(struct gb_pool *pool, const struct gb_pool_kind *kind,
                                      struct gb_slot **ret_slot)
{
    struct pool_line *line = pool_find_line(pool, kind);
    struct pool_clone *clone = line != NULL ? line_first(line, POOL_CLONE_WAITING) : NULL;

    if (clone == NULL && kind->networked) {
        line = pool_find_usual(pool, kind);
        clone = line != NULL ? line_first(line, POOL_CLONE_WAITING) : NULL;
    }
    return clone != NULL ? line_take_waiting(line, clone, ret_slot) : NULL;
}

static struct pool_clone *line_find_waiting(const struct pool_line *line,
                                            const struct gb_snapshot *template)
{
    struct pool_clone *clone;

    GB_LIST_FOREACH_CONST(clone, &line->clones, link)
        if (clone->state == POOL_CLONE_WAITING && clone->template == template &&
            gb_clone_is_waiting(clone->clone))
            return clone;
    return NULL;
}

struct gb_clone *gb_pool_take_waiting_of(struct gb_pool *pool, const struct gb_snapshot *template,
                                         struct gb_slot **ret_slot)
{
    struct pool_line *line;

    GB_LIST_FOREACH(line, &pool->lines, link) {
        struct pool_clone *clone = line_find_waiting(line, template);

        if (clone != NULL)
            return line_take_waiting(line, clone, ret_slot);
    }
    return NULL;
}

/* ---- clones ---- */

static void line_on_ready(void *arg, struct pool_clone *clone)
{
    struct pool_line *line = arg;
    struct gb_pool_take *take = clone->user;
    struct gb_slot *slot;
    struct gb_guest *guest;

    line->failures = 0;
    gb_templates_trust(line->pool->templates, clone->template);
    /* To the end: the head of the list is the one not pinged for longest. */
    gb_list_remove(&clone->link);
    if (take == NULL) {
        gb_list_add_tail(&line->clones, &clone->link);
        pool_touch(line->pool);
        return;
    }
    line->hits++;
    line_touch_taken(line, LATER_MS);
    take->template = gb_snapshot_ref(clone->template);
    guest = pool_clone_take(clone, &slot);
    take_end(take, guest, slot);
}

/* Whoever waits for it moves on to the next. */
static void line_leave(struct pool_line *line, struct pool_clone *clone)
{
    struct gb_pool_take *take = clone->user;

    clone->user = NULL;
    if (take == NULL || line_ask_next(line, take))
        return;
    line->misses++;
    take_end(take, NULL, NULL);
}

static void line_on_silent(void *arg, struct pool_clone *clone)
{
    line_leave(arg, clone);
}

static void line_on_gone(void *arg, struct pool_clone *clone, const struct gb_err *err)
{
    struct pool_line *line = arg;
    struct gb_pool *pool = line->pool;
    uint64_t wait_ms = RETRY_MAX_MS;

    gb_warning("a VM of the pool (%s) is replaced: %s", line->kind.image->name, err->message);
    line->lost++;
    gb_list_remove(&clone->link);
    if (clone->was_ready) {
        line->failures = 0;
    } else {
        gb_templates_suspect(pool->templates, clone->template);
        if (line->failures < 6)
            wait_ms = (uint64_t)RETRY_FIRST_MS << line->failures;
        line->failures++;
        line->retry_ns = gb_clock_mono_ns() + wait_ms * GB_NS_PER_MS;
    }
    line_leave(line, clone);
    pool_clone_drop(clone, err->message);
    pool_touch(pool);
}

/* ---- filling ---- */

static const struct pool_clone_events pool_clone_events = {
    .ready = line_on_ready, .silent = line_on_silent, .hurry = line_in_hurry, .gone = line_on_gone};

static void line_on_template(void *arg, struct gb_snapshot *template, const struct gb_err *err)
{
    struct pool_line *line = arg;

    (void)template; /* pool_on_fill() asks for it again */
    line->awaits_template = false;
    if (err != NULL) {
        gb_debug("the pool of %s has to wait: %s", line->kind.image->name, err->message);
        line->retry_ns = gb_clock_mono_ns() + RETRY_MAX_MS * GB_NS_PER_MS;
    }
    pool_touch(line->pool);
}

/* Borrowed; NULL if it is not available yet. */
static struct gb_snapshot *line_template(struct pool_line *line)
{
    struct gb_snapshot *template = NULL;
    struct gb_err err = {0};
    int r;

    if (line->awaits_template)
        return NULL;
    r = gb_templates_get(line->pool->templates, line->kind.image, line->kind.memory_mb,
                         line->sizes.floor > 0, &template, &line->waiter, line_on_template, line,
                         &err);
    if (r == 0)
        line->awaits_template = true;
    else if (r < 0)
        line_on_template(line, NULL, &err);
    return template;
}

static void line_on_verified(void *arg, const struct gb_err *err)
{
    struct pool_line *line = arg;

    line->verifying = false;
    line->verified = err == NULL;
    if (err != NULL)
        line->retry_ns = gb_clock_mono_ns() + RETRY_MAX_MS * GB_NS_PER_MS;
    pool_touch(line->pool);
}

/* Verifies the image's files in advance: otherwise a session would have to wait for that. */
static bool line_is_verified(struct pool_line *line)
{
    struct gb_host *host = line->pool->host;
    struct gb_image *image = gb_host_find_image(host, line->kind.image->name);
    struct gb_err err = {0};
    int r;

    if (line->verified || line->verifying || image != line->kind.image)
        return line->verified;
    r = gb_verify_start(host->loop, host->images, image, &line->verify, line_on_verified, line,
                        &err);
    line->verified = r == 1;
    line->verifying = r == 0;
    if (r < 0)
        line->retry_ns = gb_clock_mono_ns() + RETRY_MAX_MS * GB_NS_PER_MS;
    return line->verified;
}

/* Starts one more VM, or waiting process. False: not now. */
static bool line_start_one(struct pool_line *line, bool load)
{
    struct gb_pool *pool = line->pool;
    struct gb_charge charge = gb_charge_of(pool->host->accel, line->kind.memory_mb, true);
    struct gb_snapshot *template = line_template(line);
    struct gb_err err = {0};
    struct pool_clone *clone;
    struct gb_slot *slot;

    if (template == NULL || (slot = gb_admission_spare(pool->admission, &charge)) == NULL)
        return false;
    if (pool_clone_start(pool->host, template, slot, line->kind.networked, &pool_clone_events, line,
                         &clone, &err) < 0) {
        gb_slot_unref(slot);
        line_on_template(line, NULL, &err); /* wait as long as after a failure */
        return false;
    }
    gb_list_add_tail(&line->clones, &clone->link);
    if (load)
        pool_clone_load(clone);
    else
        gb_slot_settle(slot);
    return true;
}

/* A waiting process saves the start of a new one. */
static bool line_fill_one(struct pool_line *line)
{
    struct pool_clone *waiting = line_first(line, POOL_CLONE_WAITING);

    if (waiting == NULL)
        return line_start_one(line, true);
    pool_clone_load(waiting);
    return true;
}

static unsigned pool_starting(const struct gb_pool *pool)
{
    const struct pool_line *line;
    unsigned n = 0;

    GB_LIST_FOREACH_CONST(line, &pool->lines, link)
        n += pool_line_count(line, POOL_CLONE_STARTING, POOL_CLONE_STARTING);
    return n;
}

static void line_fill(struct pool_line *line, unsigned starting_max)
{
    struct gb_timer *later = line->pool->later;
    uint64_t now = gb_clock_mono_ns();
    unsigned target, waiting;

    if (now < line->rest_ns) {
        if (!gb_timer_active(later))
            gb_timer_start(later, (line->rest_ns - now) / GB_NS_PER_MS + 1);
        return;
    }

    pool_line_fade(line);
    target = pool_line_target(line);
    if (target == 0 || now < line->retry_ns || !line_is_verified(line))
        return;
    while (pool_line_count(line, POOL_CLONE_STARTING, POOL_CLONE_ASKED) < target &&
           pool_starting(line->pool) < starting_max)
        if (!line_fill_one(line))
            return;
    /* Waiting processes come after VMs that are to be ready. */
    waiting = target > 0 ? line->sizes.waiting : 0;
    if (pool_starting(line->pool) == 0)
        while (pool_line_count(line, POOL_CLONE_WAITING, POOL_CLONE_WAITING) < waiting)
            if (!line_start_one(line, false))
                return;
}

static void pool_on_fill(void *arg)
{
    struct gb_pool *pool = arg;
    struct gb_admission_status status;
    struct pool_line *line;

    if (pool->stopped)
        return;
    gb_admission_status(pool->admission, &status);
    /* Queued requests come first; pool_on_room() is called later. */
    if (status.waiting > 0)
        return;
    GB_LIST_FOREACH(line, &pool->lines, link)
        line_fill(line, MAX((unsigned)status.cpus, 1));
}

static void pool_on_room(void *arg)
{
    struct gb_pool *pool = arg;

    pool_fill_soon(pool);
}

/* ---- giving ---- */

/* The most dispensable VM: a waiting process, else one that is not ready yet, else a ready one,
 * from the line that has the most. */
static struct pool_clone *pool_least_missed(struct gb_pool *pool)
{
    static const enum pool_clone_state order[] = {POOL_CLONE_WAITING, POOL_CLONE_STARTING,
                                                  POOL_CLONE_READY};

    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        struct pool_clone *best = NULL;
        unsigned most = 0;
        struct pool_line *line;

        GB_LIST_FOREACH(line, &pool->lines, link) {
            unsigned n = pool_line_count(line, order[i], order[i]);

            if (n > most) {
                most = n;
                best = line_first(line, order[i]);
            }
        }
        if (best != NULL)
            return best;
    }
    return NULL;
}

/* Somebody waits for capacity. Ends one VM at a time; when its process is dead, admission asks
 * again. */
static bool pool_on_give(void *arg)
{
    struct gb_pool *pool = arg;
    struct pool_clone *clone = pool_least_missed(pool);

    if (clone == NULL)
        return false;
    line_drop(clone, "its room is needed");
    gb_loop_defer(pool->host->loop, &pool->change, pool_on_change, pool);
    return true;
}

/* ---- from time to time ---- */

/* Removes VMs above the target, one at a time. */
static void line_shrink(struct pool_line *line)
{
    unsigned target = pool_line_target(line);
    unsigned waiting = target > 0 ? line->sizes.waiting : 0;
    struct pool_clone *clone = NULL;

    if (pool_line_count(line, POOL_CLONE_STARTING, POOL_CLONE_ASKED) > target)
        clone = line_first(line, POOL_CLONE_READY);
    else if (pool_line_count(line, POOL_CLONE_WAITING, POOL_CLONE_WAITING) > waiting)
        clone = line_first(line, POOL_CLONE_WAITING);
    if (clone == NULL)
        return;
    line_drop(clone, "the pool needs it no more");
    pool_touch(line->pool);
}

static void line_check(struct pool_line *line)
{
    uint64_t now = gb_clock_mono_ns();
    struct pool_clone *clone;

    GB_LIST_FOREACH(clone, &line->clones, link)
        if (clone->state == POOL_CLONE_READY && now - clone->answered_ns > CHECK_MS * GB_NS_PER_MS)
            pool_clone_ask(clone);
}

/* Demand for an image becomes demand for the one that now has its name. */
static void line_hand_on(struct pool_line *line)
{
    struct gb_image *image = gb_host_find_image(line->pool->host, line->kind.image->name);
    bool usual = line->kind.memory_mb == line->kind.image->memory_mb;

    if (image != NULL && line->sizes.floor > 0)
        gb_pool_size(line->pool, image, usual ? image->memory_mb : line->kind.memory_mb,
                     &line->sizes);
    line->sizes = (struct gb_pool_sizes){0};
    line->demand.peak = 0;
}

static void pool_on_tick(void *arg)
{
    struct gb_pool *pool = arg;
    bool again = false;
    struct pool_line *line;

    GB_LIST_FOREACH(line, &pool->lines, link) {
        /* Its image has been rebuilt: there will be no more requests for this one. */
        if (gb_host_find_image(pool->host, line->kind.image->name) != line->kind.image) {
            line_drop_all(line, false, "its image was replaced");
            line_hand_on(line);
            if (gb_list_empty(&line->clones)) {
                line_free(line);
                continue;
            }
        }
        pool_line_fade(line);
        line_shrink(line);
        line_check(line);
        again = again || line->demand.peak > 0 || pool_line_target(line) > 0 ||
                !gb_list_empty(&line->clones);
    }
    pool_touch(pool);
    if (again && !pool->stopped)
        gb_timer_start(pool->tick, TICK_MS);
}

/* ---- life ---- */

struct gb_pool *gb_pool_new(struct gb_host *host, struct gb_templates *templates,
                            struct gb_admission *admission, const struct gb_pool_config *config,
                            void (*changed)(void *arg), void *arg)
{
    struct gb_pool *pool = xcalloc(1, sizeof(*pool));

    pool->host = host;
    pool->templates = templates;
    pool->admission = admission;
    pool->config = *config;
    pool->changed = changed;
    pool->arg = arg;
    gb_list_init(&pool->lines);
    pool->tick = gb_timer_new(host->loop, pool_on_tick, pool);
    pool->later = gb_timer_new(host->loop, pool_on_later, pool);
    gb_admission_set_spare(admission, pool_on_give, pool_on_room, pool);
    return pool;
}

void gb_pool_configure(struct gb_pool *pool, const struct gb_pool_config *config)
{
    struct pool_line *line;

    pool->config = *config;
    GB_LIST_FOREACH(line, &pool->lines, link) {
        line_set_sizes(line, &config->sizes);
        line->retry_ns = 0;
    }
    gb_timer_start(pool->tick, TICK_MS);
    pool_touch(pool);
}

void gb_pool_size(struct gb_pool *pool, const struct gb_image *image, uint32_t memory_mb,
                  const struct gb_pool_sizes *sizes)
{
    const struct gb_pool_kind networked = {image, memory_mb, true};
    struct pool_line *other = pool_find_line(pool, &networked);

    line_set_sizes(pool_get_line(pool, &(struct gb_pool_kind){image, memory_mb, false}), sizes);
    if (other != NULL)
        line_set_sizes(other, sizes);
    gb_timer_start(pool->tick, TICK_MS);
    pool_touch(pool);
}

void gb_pool_stop(struct gb_pool *pool)
{
    struct pool_line *line;

    pool->stopped = true;
    gb_timer_stop(pool->tick);
    gb_timer_stop(pool->later);
    gb_loop_undefer(&pool->fill);
    gb_admission_set_spare(pool->admission, NULL, NULL, NULL);
    GB_LIST_FOREACH(line, &pool->lines, link) {
        gb_templates_cancel(&line->waiter);
        gb_verify_cancel(&line->verify);
        line_drop_all(line, true, "the server is shutting down");
    }
}

void gb_pool_free(struct gb_pool *pool)
{
    struct pool_line *line;

    if (pool == NULL)
        return;
    gb_pool_stop(pool);
    GB_LIST_FOREACH(line, &pool->lines, link)
        line_free(line);
    gb_loop_undefer(&pool->change);
    gb_timer_free(pool->tick);
    gb_timer_free(pool->later);
    free(pool);
}

struct gb_templates *gb_pool_templates(struct gb_pool *pool)
{
    return pool->templates;
}

struct gb_admission *gb_pool_admission(struct gb_pool *pool)
{
    return pool->admission;
}
