/* SPDX-License-Identifier: Apache-2.0 */
#include "capacity/start.h"

#include "base/clock.h"
#include "base/log.h"

/* After a second death the template may be the cause. */
enum { LOST_MAX = 2 };

/* ---- no VM ---- */

static void start_on_fail(void *arg)
{
    struct gb_start *start = arg;

    gb_session_fail(start->session, &start->why);
}

/* From the loop, so that the caller has a session for its cells in any case. */
void gb_start_fail(struct gb_start *start, const struct gb_err *err)
{
    struct gb_host *host = gb_templates_host(gb_pool_templates(start->pool));

    start->why = *err;
    gb_loop_defer(host->loop, &start->fail, start_on_fail, start);
}

/* ---- the last resort ---- */

static void start_boot(struct gb_start *start)
{
    const struct gb_host *host = gb_templates_host(gb_pool_templates(start->pool));
    struct gb_charge charge =
        gb_charge_of(host->accel, gb_session_memory_mb(start->session), false);
    struct gb_err err = {0};

    gb_slot_charge(start->slot, &charge);
    if (gb_session_boot(start->session, &err) < 0)
        gb_start_fail(start, &err);
    else
        gb_slot_hold(start->slot, gb_session_vm(start->session));
}

/* ---- a clone ---- */

static void start_drop_clone(struct gb_start *start)
{
    gb_clone_free(TAKE_PTR(start->clone));
    gb_snapshot_unref(TAKE_PTR(start->template));
}

static void start_on_ready(void *arg)
{
    struct gb_start *start = arg;
    struct gb_guest *guest = gb_clone_take(TAKE_PTR(start->clone));

    gb_templates_trust(gb_pool_templates(start->pool), start->template);
    start->origin = TAKE_PTR(start->template);
    gb_session_adopt(start->session, guest, GB_SOURCE_TEMPLATE);
}

static void start_on_failed(void *arg, const struct gb_err *err)
{
    struct gb_start *start = arg;

    if (start->was_waiting) { /* the process's fault: it may have been frozen, or killed */
        start->why = *err;    /* which is freed with the clone */
        start_drop_clone(start);
        (void)gb_start_again(start, &start->why);
        return;
    }
    gb_warning("%s: its clone did not come up, so it boots: %s", gb_session_id(start->session),
               err->message);
    gb_templates_suspect(gb_pool_templates(start->pool), start->template);
    start_drop_clone(start);
    start_boot(start);
}

static const struct gb_clone_events clone_events = {.ready = start_on_ready,
                                                    .failed = start_on_failed};

static void start_restore(struct gb_start *start)
{
    struct gb_host *host = gb_templates_host(gb_pool_templates(start->pool));
    struct gb_err err = {0};

    start->was_waiting = false;
    if (gb_clone_start(host, start->template, &clone_events, start, &start->clone, &err) < 0) {
        gb_start_fail(start, &err);
        return;
    }
    gb_slot_hold(start->slot, gb_clone_vm(start->clone));
    gb_clone_load(start->clone);
}

/* ---- room ---- */

static void start_on_room(void *arg, struct gb_slot *slot, const struct gb_err *err)
{
    struct gb_start *start = arg;

    start->admission_ns = gb_clock_mono_ns() - start->asked_ns;
    start->slot = slot;
    if (slot == NULL)
        gb_start_fail(start, err);
    else if (start->make != NULL)
        start->make(start->make_arg);
    else if (start->template != NULL)
        start_restore(start);
    else
        start_boot(start);
}

/* The rest of the time to wait; all of it at the first attempt. */
static uint64_t start_time_left_ms(const struct gb_start *start)
{
    uint64_t gone_ms = (gb_clock_mono_ns() - start->begun_ns) / GB_NS_PER_MS;

    if (start->lost == 0)
        return start->wait_ms;
    return start->wait_ms > gone_ms ? start->wait_ms - gone_ms : 0;
}

/* With or without start->template. */
static void start_ask_for_room(struct gb_start *start)
{
    const struct gb_host *host = gb_templates_host(gb_pool_templates(start->pool));
    const bool is_clone = start->template != NULL || start->make != NULL;
    struct gb_charge charge =
        gb_charge_of(host->accel, gb_session_memory_mb(start->session), is_clone);
    struct gb_slot *slot = NULL;
    struct gb_err err = {0};
    int r;

    start->asked_ns = gb_clock_mono_ns();
    r = gb_admission_ask(gb_pool_admission(start->pool), &charge, start_time_left_ms(start),
                         &start->ticket, start_on_room, start, &slot, &err);
    if (r != 0)
        start_on_room(start, slot, &err);
}

/* ---- the template ---- */

static void start_on_template(void *arg, struct gb_snapshot *template, const struct gb_err *err)
{
    struct gb_start *start = arg;

    if (template != NULL) {
        start->template = gb_snapshot_ref(template);
    } else if (err->code == GB_ECLOSED) {
        gb_start_fail(start, err);
        return;
    } else {
        gb_debug("%s boots: %s", gb_session_id(start->session), err->message);
    }
    start_ask_for_room(start);
}

/* ---- the pool ---- */

/* No VM is ready: takes a process that waits for a template's state, else starts one. */
static void start_begin_anew(struct gb_start *start)
{
    const struct gb_image *image = gb_session_image(start->session);
    uint32_t memory_mb = gb_session_memory_mb(start->session);
    struct gb_snapshot *template = NULL;
    struct gb_err err = {0};
    int r;

    if (start->lost == 0)
        start->clone = gb_pool_take_waiting(
            start->pool, &(struct gb_pool_kind){image, memory_mb, start->networked}, &start->slot);
    if (start->clone != NULL) {
        start->was_waiting = true;
        start->template = gb_snapshot_ref(gb_clone_snapshot(start->clone));
        gb_clone_hand_over(start->clone, &clone_events, start);
        gb_clone_load(start->clone);
        return;
    }
    r = gb_templates_get(gb_pool_templates(start->pool), image, memory_mb, false, &template,
                         &start->waiter, start_on_template, start, &err);
    if (r != 0)
        start_on_template(start, template, &err);
}

static void start_on_taken(void *arg, struct gb_guest *guest, struct gb_slot *slot)
{
    struct gb_start *start = arg;

    start->slot = slot;
    start->origin = TAKE_PTR(start->take.template);
    if (guest != NULL)
        gb_session_adopt(start->session, guest, GB_SOURCE_POOL);
    else
        start_begin_anew(start);
}

static void start_take(struct gb_start *start)
{
    const struct gb_pool_kind kind = {.image = gb_session_image(start->session),
                                      .memory_mb = gb_session_memory_mb(start->session),
                                      .networked = start->networked};

    if (!gb_pool_take(start->pool, &kind, &start->take, start_on_taken, start))
        start_begin_anew(start);
}

void gb_start_begin(struct gb_start *start, struct gb_pool *pool, struct gb_session *session,
                    bool networked, uint64_t wait_ms)
{
    start->networked = networked;
    start->pool = pool;
    start->session = session;
    start->wait_ms = wait_ms;
    start->begun_ns = gb_clock_mono_ns();
    start_take(start);
}

void gb_start_begin_made(struct gb_start *start, struct gb_pool *pool, struct gb_session *session,
                         uint64_t wait_ms, struct gb_snapshot *origin, void (*make)(void *arg),
                         void *arg)
{
    start->pool = pool;
    start->session = session;
    start->wait_ms = wait_ms;
    start->begun_ns = gb_clock_mono_ns();
    start->origin = gb_snapshot_ref(origin);
    start->make = make;
    start->make_arg = arg;
    start_ask_for_room(start);
}

void gb_start_restored(struct gb_start *start, struct gb_pool *pool, struct gb_session *session,
                       struct gb_snapshot *origin)
{
    start->pool = pool;
    start->session = session;
    start->origin = gb_snapshot_ref(origin);
}

void gb_start_hold(struct gb_start *start, struct gb_vm *vm)
{
    gb_slot_hold(start->slot, vm);
}

bool gb_start_again(struct gb_start *start, const struct gb_err *why)
{
    gb_warning("%s: its VM was lost before anything ran in it, and is replaced: %s",
               gb_session_id(start->session), why->message);
    gb_slot_unref(TAKE_PTR(start->slot));
    gb_snapshot_unref(TAKE_PTR(start->origin));
    if (++start->lost < LOST_MAX)
        start_take(start);
    else
        start_ask_for_room(start);
    return true;
}

void gb_start_settle(struct gb_start *start)
{
    if (start->slot != NULL)
        gb_slot_settle(start->slot);
    gb_slot_unref(TAKE_PTR(start->slot));
}

struct gb_snapshot *gb_start_origin(const struct gb_start *start)
{
    return start->origin;
}

uint64_t gb_start_admission_ns(const struct gb_start *start)
{
    return start->admission_ns;
}

void gb_start_cancel(struct gb_start *start)
{
    gb_pool_cancel(&start->take);
    gb_templates_cancel(&start->waiter);
    gb_ticket_cancel(&start->ticket);
    gb_loop_undefer(&start->fail);
    start_drop_clone(start);
    gb_snapshot_unref(TAKE_PTR(start->origin));
    gb_slot_unref(TAKE_PTR(start->slot));
}
