/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pool/demand.h"
#include "pool/member.h"
#include "vm/verify.h"

enum {
    TICK_MS = 1000,
    /* What was taken is replaced when who took it has had time for his first cell. */
    LATER_MS = 50,
    LATER_RESTORE_MS = 250, /* which begins with the restore */
    CHECK_MS = 10000,       /* a ready VM that has said nothing for so long is asked */
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 60000,
};

struct shelf {
    struct gb_list link;
    struct gb_pool *pool;
    const struct gb_image *image;
    uint32_t memory_mb;
    struct gb_pool_sizes sizes;
    struct gb_list members;
    struct demand demand;
    struct gb_template_waiter waiter;
    bool awaits_template;
    struct gb_verify_waiter verify;
    bool verified, verifying;
    unsigned failures;
    uint64_t retry_ns;
    uint64_t rest_ns; /* nothing is filled before: who took a VM has the machine to himself */
    uint64_t hits, misses, lost;
};

struct gb_pool {
    struct gb_host *host;
    struct gb_templates *templates;
    struct gb_admission *admission;
    struct gb_pool_config config;
    void (*changed)(void *arg);
    void *arg;
    struct gb_list shelves;
    struct gb_deferred fill, change;
    uint64_t told; /* the figures that were told last, in one number */
    struct gb_timer *tick, *later;
    bool stopped;
};

/* ---- telling ---- */

/* Told only when a figure is another one. */
static void on_change(void *arg)
{
    struct gb_pool *pool = arg;
    struct gb_pool_status status;
    uint64_t sum = 0;

    /* All figures in one number, by which two lists of them can hardly be mistaken (FNV-1a). */
    for (size_t at = 0; gb_pool_next(pool, &at, &status);) {
        const uint64_t figures[] = {status.ready,    status.target, status.starting,
                                    status.standing, status.floor,  status.ceiling,
                                    status.hits,     status.misses, status.lost};

        for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
            sum = (sum ^ (figures[i] + 1)) * UINT64_C(1099511628211);
    }
    if (pool->changed == NULL || sum == pool->told)
        return;
    pool->told = sum;
    pool->changed(pool->arg);
}

static void on_fill(void *arg);

static void fill_soon(struct gb_pool *pool)
{
    if (!pool->stopped)
        gb_loop_defer(pool->host->loop, &pool->fill, on_fill, pool);
}

/* Something is another one: it is told, and looked at whether VMs are missing. */
static void touch(struct gb_pool *pool)
{
    gb_loop_defer(pool->host->loop, &pool->change, on_change, pool);
    fill_soon(pool);
}

static void on_later(void *arg)
{
    fill_soon(arg);
}

/* ---- demand ---- */

static void fade(struct shelf *shelf)
{
    demand_fade(&shelf->demand, shelf->pool->config.half_life_ms, gb_clock_mono_ns());
}

static unsigned target_of(const struct shelf *shelf)
{
    if (shelf->pool->stopped)
        return 0;
    return demand_target(&shelf->demand, shelf->sizes.floor, shelf->sizes.ceiling);
}

/* ---- shelves ---- */

static unsigned count(const struct shelf *shelf, enum member_state first, enum member_state last)
{
    const struct member *member;
    unsigned n = 0;

    GB_LIST_FOREACH_CONST(member, &shelf->members, link)
        n += member->state >= first && member->state <= last ? 1 : 0;
    return n;
}

static struct member *first_of(const struct shelf *shelf, enum member_state state)
{
    struct member *member;

    GB_LIST_FOREACH_CONST(member, &shelf->members, link)
        if (member->state == state)
            return member;
    return NULL;
}

static struct shelf *find_shelf(struct gb_pool *pool, const struct gb_image *image,
                                uint32_t memory_mb, bool make)
{
    struct shelf *shelf;

    GB_LIST_FOREACH(shelf, &pool->shelves, link)
        if (shelf->image == image && shelf->memory_mb == memory_mb)
            return shelf;
    if (!make)
        return NULL;
    shelf = xcalloc(1, sizeof(*shelf));
    shelf->pool = pool;
    shelf->image = image;
    shelf->memory_mb = memory_mb;
    shelf->sizes = pool->config.sizes;
    shelf->demand.seen_ns = gb_clock_mono_ns();
    gb_list_init(&shelf->members);
    gb_list_add_tail(&pool->shelves, &shelf->link);
    return shelf;
}

/* More are asked for than stand ready: each is wanted at once. */
static bool in_hurry(void *arg)
{
    struct shelf *shelf = arg;

    fade(shelf);
    return demand_is_burst(&shelf->demand) && first_of(shelf, MEMBER_READY) == NULL;
}

/* One is taken. Its successor does not get in the way of who took it, unless others come. */
static void touch_taken(struct shelf *shelf, uint64_t later_ms)
{
    uint64_t now = gb_clock_mono_ns();

    /* A rest that has begun is not begun anew by each who comes: only a restore makes it longer. */
    if (in_hurry(shelf))
        shelf->rest_ns = 0;
    else if (shelf->rest_ns <= now || later_ms == LATER_RESTORE_MS)
        shelf->rest_ns = now + later_ms * GB_NS_PER_MS;
    touch(shelf->pool);
}

static void drop(struct member *member, const char *reason)
{
    gb_list_remove(&member->link);
    member_drop(member, reason);
}

/* @taken: also those that somebody is about to take, who hears no more of it. */
static void drop_all(struct shelf *shelf, bool taken, const char *reason)
{
    struct member *member;

    GB_LIST_FOREACH(member, &shelf->members, link) {
        struct gb_pool_take *take = member->user;

        if (take != NULL && !taken)
            continue;
        if (take != NULL)
            take->member = NULL;
        drop(member, reason);
    }
}

static void free_shelf(struct shelf *shelf)
{
    drop_all(shelf, true, "the pool has no use for it");
    gb_templates_cancel(&shelf->waiter);
    gb_verify_cancel(&shelf->verify);
    gb_list_remove(&shelf->link);
    free(shelf);
}

/* ---- taking ---- */

static void finish(struct gb_pool_take *take, struct gb_vm *vm, struct gb_slot *slot)
{
    take->member = NULL;
    take->done(take->arg, vm, slot);
}

static void attach(struct gb_pool_take *take, struct member *member)
{
    take->member = member;
    member->user = take;
}

/* The one that answered longest ago is asked first: so each is looked at. One that is being asked
 * anyway serves as well, unless it lets us wait already. */
static struct member *choose(const struct shelf *shelf)
{
    struct member *member = first_of(shelf, MEMBER_READY);

    if (member != NULL)
        return member;
    GB_LIST_FOREACH_CONST(member, &shelf->members, link)
        if (member->state == MEMBER_ASKED && member->user == NULL && !member->silent)
            return member;
    return NULL;
}

static bool ask_next(struct shelf *shelf, struct gb_pool_take *take)
{
    struct member *member = choose(shelf);

    if (member == NULL)
        return false;
    attach(take, member);
    member_ask(member);
    return true;
}

bool gb_pool_take(struct gb_pool *pool, const struct gb_image *image, uint32_t memory_mb,
                  struct gb_pool_take *take,
                  void (*done)(void *arg, struct gb_vm *vm, struct gb_slot *slot), void *arg)
{
    struct shelf *shelf = find_shelf(pool, image, memory_mb, true);

    assert(take->member == NULL);
    demand_add(&shelf->demand, pool->config.half_life_ms, gb_clock_mono_ns());
    if (!gb_timer_active(pool->tick))
        gb_timer_start(pool->tick, TICK_MS);
    touch_taken(shelf, LATER_MS);
    take->shelf = shelf;
    take->done = done;
    take->arg = arg;
    if (ask_next(shelf, take))
        return true;
    shelf->misses++;
    return false;
}

void gb_pool_cancel(struct gb_pool_take *take)
{
    if (take->member == NULL)
        return;
    take->member->user = NULL;
    take->member = NULL;
}

struct gb_clone *gb_pool_take_standing(struct gb_pool *pool, const struct gb_image *image,
                                       uint32_t memory_mb, struct gb_slot **ret_slot)
{
    struct shelf *shelf = find_shelf(pool, image, memory_mb, false);
    struct member *member = shelf != NULL ? first_of(shelf, MEMBER_STANDING) : NULL;

    if (member == NULL)
        return NULL;
    gb_list_remove(&member->link);
    touch_taken(shelf, LATER_RESTORE_MS);
    return member_take_clone(member, ret_slot);
}

/* ---- members ---- */

static void on_ready(void *arg, struct member *member)
{
    struct shelf *shelf = arg;
    struct gb_pool_take *take = member->user;
    struct gb_slot *slot;
    struct gb_vm *vm;

    shelf->failures = 0;
    gb_templates_trust(shelf->pool->templates, member->template);
    /* Behind the others: the head of the list is who has not been asked for the longest. */
    gb_list_remove(&member->link);
    if (take == NULL) {
        gb_list_add_tail(&shelf->members, &member->link);
        touch(shelf->pool);
        return;
    }
    shelf->hits++;
    touch_taken(shelf, LATER_MS);
    vm = member_take(member, &slot);
    finish(take, vm, slot);
}

/* Who waits for it goes on to the next. */
static void leave(struct shelf *shelf, struct member *member)
{
    struct gb_pool_take *take = member->user;

    member->user = NULL;
    if (take == NULL || ask_next(shelf, take))
        return;
    shelf->misses++;
    finish(take, NULL, NULL);
}

static void on_silent(void *arg, struct member *member)
{
    leave(arg, member);
}

static void on_gone(void *arg, struct member *member, const struct gb_err *err)
{
    struct shelf *shelf = arg;
    struct gb_pool *pool = shelf->pool;
    uint64_t wait_ms = RETRY_MAX_MS;

    gb_warning("a VM of the pool (%s) is replaced: %s", shelf->image->name, err->message);
    shelf->lost++;
    gb_list_remove(&member->link);
    if (member->was_ready) {
        shelf->failures = 0;
    } else {
        gb_templates_suspect(pool->templates, member->template);
        if (shelf->failures < 6)
            wait_ms = (uint64_t)RETRY_FIRST_MS << shelf->failures;
        shelf->failures++;
        shelf->retry_ns = gb_clock_mono_ns() + wait_ms * GB_NS_PER_MS;
    }
    leave(shelf, member);
    member_drop(member, err->message);
    touch(pool);
}

/* ---- filling ---- */

static const struct member_events member_events = {
    .ready = on_ready, .silent = on_silent, .hurry = in_hurry, .gone = on_gone};

static void on_template(void *arg, struct gb_snapshot *template, const struct gb_err *err)
{
    struct shelf *shelf = arg;

    (void)template; /* asked for again by on_fill() */
    shelf->awaits_template = false;
    if (err != NULL) {
        gb_debug("the pool of %s has to wait: %s", shelf->image->name, err->message);
        shelf->retry_ns = gb_clock_mono_ns() + RETRY_MAX_MS * GB_NS_PER_MS;
    }
    touch(shelf->pool);
}

/* Borrowed; NULL when it has to be waited for. */
static struct gb_snapshot *find_template(struct shelf *shelf)
{
    struct gb_snapshot *template = NULL;
    struct gb_err err = {0};
    int r;

    if (shelf->awaits_template)
        return NULL;
    r = gb_templates_get(shelf->pool->templates, shelf->image, shelf->memory_mb,
                         shelf->sizes.floor > 0, &template, &shelf->waiter, on_template, shelf,
                         &err);
    if (r == 0)
        shelf->awaits_template = true;
    else if (r < 0)
        on_template(shelf, NULL, &err);
    return template;
}

static void on_verified(void *arg, const struct gb_err *err)
{
    struct shelf *shelf = arg;

    shelf->verifying = false;
    shelf->verified = err == NULL;
    if (err != NULL)
        shelf->retry_ns = gb_clock_mono_ns() + RETRY_MAX_MS * GB_NS_PER_MS;
    touch(shelf->pool);
}

/* The image's files are compared before anybody waits for it: a session would have to. */
static bool is_verified(struct shelf *shelf)
{
    struct gb_host *host = shelf->pool->host;
    struct gb_image *image = gb_host_find_image(host, shelf->image->name);
    struct gb_err err = {0};
    int r;

    if (shelf->verified || shelf->verifying || image != shelf->image)
        return shelf->verified;
    r = gb_verify_start(host->loop, host->images, image, &shelf->verify, on_verified, shelf, &err);
    shelf->verified = r == 1;
    shelf->verifying = r == 0;
    if (r < 0)
        shelf->retry_ns = gb_clock_mono_ns() + RETRY_MAX_MS * GB_NS_PER_MS;
    return shelf->verified;
}

/* One more VM, or process that waits. False: not now. */
static bool start_one(struct shelf *shelf, bool load)
{
    struct gb_pool *pool = shelf->pool;
    struct gb_charge charge = gb_charge_of(pool->host->accel, shelf->memory_mb, true);
    struct gb_snapshot *template = find_template(shelf);
    struct gb_err err = {0};
    struct member *member;
    struct gb_slot *slot;

    if (template == NULL || (slot = gb_admission_spare(pool->admission, &charge)) == NULL)
        return false;
    if (member_start(pool->host, template, slot, &member_events, shelf, &member, &err) < 0) {
        gb_slot_unref(slot);
        on_template(shelf, NULL, &err); /* as long a wait */
        return false;
    }
    gb_list_add_tail(&shelf->members, &member->link);
    if (load)
        member_load(member);
    else
        gb_slot_settle(slot);
    return true;
}

/* A process that stands there is spared its start. */
static bool fill_one(struct shelf *shelf)
{
    struct member *standing = first_of(shelf, MEMBER_STANDING);

    if (standing == NULL)
        return start_one(shelf, true);
    member_load(standing);
    return true;
}

static unsigned starting_in(const struct gb_pool *pool)
{
    const struct shelf *shelf;
    unsigned n = 0;

    GB_LIST_FOREACH_CONST(shelf, &pool->shelves, link)
        n += count(shelf, MEMBER_STARTING, MEMBER_STARTING);
    return n;
}

static void fill_shelf(struct shelf *shelf, unsigned starting_max)
{
    struct gb_timer *later = shelf->pool->later;
    uint64_t now = gb_clock_mono_ns();
    unsigned target, standing;

    if (now < shelf->rest_ns) {
        if (!gb_timer_active(later))
            gb_timer_start(later, (shelf->rest_ns - now) / GB_NS_PER_MS + 1);
        return;
    }

    fade(shelf);
    target = target_of(shelf);
    if (target == 0 || now < shelf->retry_ns || !is_verified(shelf))
        return;
    while (count(shelf, MEMBER_STARTING, MEMBER_ASKED) < target &&
           starting_in(shelf->pool) < starting_max)
        if (!fill_one(shelf))
            return;
    /* What stands behind comes after what is to be ready. */
    standing = target > 0 ? shelf->sizes.standing : 0;
    if (starting_in(shelf->pool) == 0)
        while (count(shelf, MEMBER_STANDING, MEMBER_STANDING) < standing)
            if (!start_one(shelf, false))
                return;
}

static void on_fill(void *arg)
{
    struct gb_pool *pool = arg;
    struct gb_admission_status status;
    struct shelf *shelf;

    if (pool->stopped)
        return;
    gb_admission_status(pool->admission, &status);
    /* Who waits goes first; then on_room() comes. */
    if (status.waiting > 0)
        return;
    GB_LIST_FOREACH(shelf, &pool->shelves, link)
        fill_shelf(shelf, MAX((unsigned)status.cpus, 1));
}

static void on_room(void *arg)
{
    struct gb_pool *pool = arg;

    fill_soon(pool);
}

/* ---- giving ---- */

/* What is least missed: a process that waits, then one that is not ready yet, then a ready one, of
 * the shelf that has most. */
static struct member *least_missed(struct gb_pool *pool)
{
    static const enum member_state order[] = {MEMBER_STANDING, MEMBER_STARTING, MEMBER_READY};

    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        struct member *best = NULL;
        unsigned most = 0;
        struct shelf *shelf;

        GB_LIST_FOREACH(shelf, &pool->shelves, link) {
            unsigned n = count(shelf, order[i], order[i]);

            if (n > most) {
                most = n;
                best = first_of(shelf, order[i]);
            }
        }
        if (best != NULL)
            return best;
    }
    return NULL;
}

/* Somebody waits for room. One goes at a time; when its process is dead, admission asks again. */
static bool on_give(void *arg)
{
    struct gb_pool *pool = arg;
    struct member *member = least_missed(pool);

    if (member == NULL)
        return false;
    drop(member, "its room is needed");
    gb_loop_defer(pool->host->loop, &pool->change, on_change, pool);
    return true;
}

/* ---- from time to time ---- */

/* Takes back what the target no longer asks for, one at a time. */
static void shrink(struct shelf *shelf)
{
    unsigned target = target_of(shelf);
    unsigned standing = target > 0 ? shelf->sizes.standing : 0;
    struct member *member = NULL;

    if (count(shelf, MEMBER_STARTING, MEMBER_ASKED) > target)
        member = first_of(shelf, MEMBER_READY);
    else if (count(shelf, MEMBER_STANDING, MEMBER_STANDING) > standing)
        member = first_of(shelf, MEMBER_STANDING);
    if (member == NULL)
        return;
    drop(member, "the pool needs it no more");
    touch(shelf->pool);
}

static void check_members(struct shelf *shelf)
{
    uint64_t now = gb_clock_mono_ns();
    struct member *member;

    GB_LIST_FOREACH(member, &shelf->members, link)
        if (member->state == MEMBER_READY && now - member->answered_ns > CHECK_MS * GB_NS_PER_MS)
            member_ask(member);
}

/* What was wanted of an image is wanted of the one that has its name now. */
static void hand_on(struct shelf *shelf)
{
    struct gb_image *image = gb_host_find_image(shelf->pool->host, shelf->image->name);
    bool usual = shelf->memory_mb == shelf->image->memory_mb;

    if (image != NULL && shelf->sizes.floor > 0)
        find_shelf(shelf->pool, image, usual ? image->memory_mb : shelf->memory_mb, true)->sizes =
            shelf->sizes;
    shelf->sizes = (struct gb_pool_sizes){0};
    shelf->demand.peak = 0;
}

static void on_tick(void *arg)
{
    struct gb_pool *pool = arg;
    bool again = false;
    struct shelf *shelf;

    GB_LIST_FOREACH(shelf, &pool->shelves, link) {
        /* Its image has been built anew: nobody asks for this one any more. */
        if (gb_host_find_image(pool->host, shelf->image->name) != shelf->image) {
            drop_all(shelf, false, "its image is another one now");
            hand_on(shelf);
            if (gb_list_empty(&shelf->members)) {
                free_shelf(shelf);
                continue;
            }
        }
        fade(shelf);
        shrink(shelf);
        check_members(shelf);
        again = again || shelf->demand.peak > 0 || target_of(shelf) > 0 ||
                !gb_list_empty(&shelf->members);
    }
    touch(pool);
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
    gb_list_init(&pool->shelves);
    pool->tick = gb_timer_new(host->loop, on_tick, pool);
    pool->later = gb_timer_new(host->loop, on_later, pool);
    gb_admission_set_spare(admission, on_give, on_room, pool);
    return pool;
}

void gb_pool_configure(struct gb_pool *pool, const struct gb_pool_config *config)
{
    struct shelf *shelf;

    pool->config = *config;
    GB_LIST_FOREACH(shelf, &pool->shelves, link) {
        shelf->sizes = config->sizes;
        shelf->retry_ns = 0;
    }
    gb_timer_start(pool->tick, TICK_MS);
    touch(pool);
}

void gb_pool_size(struct gb_pool *pool, const struct gb_image *image, uint32_t memory_mb,
                  const struct gb_pool_sizes *sizes)
{
    find_shelf(pool, image, memory_mb, true)->sizes = *sizes;
    gb_timer_start(pool->tick, TICK_MS);
    touch(pool);
}

void gb_pool_stop(struct gb_pool *pool)
{
    struct shelf *shelf;

    pool->stopped = true;
    gb_timer_stop(pool->tick);
    gb_timer_stop(pool->later);
    gb_loop_undefer(&pool->fill);
    gb_admission_set_spare(pool->admission, NULL, NULL, NULL);
    GB_LIST_FOREACH(shelf, &pool->shelves, link) {
        gb_templates_cancel(&shelf->waiter);
        gb_verify_cancel(&shelf->verify);
        drop_all(shelf, true, "the server is shutting down");
    }
}

void gb_pool_free(struct gb_pool *pool)
{
    struct shelf *shelf;

    if (pool == NULL)
        return;
    gb_pool_stop(pool);
    GB_LIST_FOREACH(shelf, &pool->shelves, link)
        free_shelf(shelf);
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

bool gb_pool_next(struct gb_pool *pool, size_t *at, struct gb_pool_status *ret_status)
{
    struct shelf *shelf;
    size_t i = 0;

    GB_LIST_FOREACH(shelf, &pool->shelves, link) {
        if (i++ != *at)
            continue;
        fade(shelf);
        *ret_status = (struct gb_pool_status){
            .image = shelf->image,
            .memory_mb = shelf->memory_mb,
            .ready = count(shelf, MEMBER_READY, MEMBER_ASKED),
            .target = target_of(shelf),
            .floor = shelf->sizes.floor,
            .ceiling = MAX(shelf->sizes.ceiling, shelf->sizes.floor),
            .starting = count(shelf, MEMBER_STARTING, MEMBER_STARTING),
            .standing = count(shelf, MEMBER_STANDING, MEMBER_STANDING),
            .hits = shelf->hits,
            .misses = shelf->misses,
            .lost = shelf->lost,
        };
        (*at)++;
        return true;
    }
    return false;
}

/* The member of the shelf behind @skip others that have a VM; counts down *@skip. */
static struct member *nth_vm(const struct shelf *shelf, size_t *skip)
{
    struct member *member;

    GB_LIST_FOREACH_CONST(member, &shelf->members, link)
        if (member->state != MEMBER_GONE && member_vm(member) != NULL && (*skip)-- == 0)
            return member;
    return NULL;
}

bool gb_pool_next_vm(struct gb_pool *pool, size_t *at, struct gb_pool_vm *ret_vm)
{
    static const char *const states[] = {[MEMBER_STANDING] = "waiting",
                                         [MEMBER_STARTING] = "starting",
                                         [MEMBER_READY] = "ready",
                                         [MEMBER_ASKED] = "ready"};
    size_t skip = *at;
    struct shelf *shelf;

    GB_LIST_FOREACH(shelf, &pool->shelves, link) {
        const struct member *member = nth_vm(shelf, &skip);

        if (member == NULL)
            continue;
        *ret_vm = (struct gb_pool_vm){.vm = member_vm(member),
                                      .image = shelf->image,
                                      .memory_mb = shelf->memory_mb,
                                      .state = states[member->state]};
        (*at)++;
        return true;
    }
    return false;
}
