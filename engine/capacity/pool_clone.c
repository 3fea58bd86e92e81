/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. The steps of STARTING:
 *
 *   the clone answers ─> (NETWORK_REHEARSE ─ OK ─>) CONFIGURE ─ OK ─> a cell ─ DONE ─> READY
 *                            └── for each warm-up cell ──┘
 *
 * CONFIGURE gives it its own random numbers, so that no two running VMs share them, even before
 * they are taken; a session configures its VM again. The cell takes the same path as a user's cell,
 * and leaves nothing behind.
 *
 * Under emulation the first round translates all of this code (80 ms, measured), the second, with
 * another cell, translates what other cells need (40 ms), and the third is at full speed (2 ms).
 * When load takes every VM immediately, the first round has to do.
 *
 * Likewise a network: what the guest does to have one takes 40 ms the first time and 5 the second.
 *
 * A guest that sends anything unsolicited is discarded, and so is one that does not answer.
 */
#include "capacity/pool_clone.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

enum { STARTING_MS = 30000, GIVE_UP_MS = 8000 };

/* ---- the end ---- */

static void pool_clone_release(struct pool_clone *clone)
{
    gb_loop_undefer(&clone->told);
    gb_timer_free(clone->timer);
    gb_guest_free(clone->guest);
    gb_slot_unref(clone->slot);
    gb_snapshot_unref(clone->template);
    free(clone);
}

static void pool_clone_tell_gone(void *arg)
{
    struct pool_clone *clone = arg;

    clone->events->gone(clone->arg, clone, &clone->why);
}

static void pool_clone_fail(struct pool_clone *clone, const struct gb_err *err)
{
    if (clone->state == POOL_CLONE_GONE)
        return;
    clone->state = POOL_CLONE_GONE;
    clone->why = *err;
    gb_timer_stop(clone->timer);
    if (!clone->dropped)
        gb_loop_defer(clone->host->loop, &clone->told, pool_clone_tell_gone, clone);
}

static void pool_clone_fail_with(struct pool_clone *clone, const char *sentence)
{
    struct gb_err err = {0};

    (void)gb_err_set(&err, GB_EBOOT, "%s", sentence);
    pool_clone_fail(clone, &err);
}

void pool_clone_drop(struct pool_clone *clone, const char *reason)
{
    if (clone == NULL || clone->dropped)
        return;
    clone->dropped = true;
    clone->state = POOL_CLONE_GONE;
    gb_loop_undefer(&clone->told);
    gb_timer_stop(clone->timer);
    if (clone->clone != NULL)
        gb_clone_free(TAKE_PTR(clone->clone)); /* the process holds a reference to the slot */
    if (clone->guest != NULL && gb_guest_vm(clone->guest) != NULL)
        gb_guest_kill(clone->guest, reason);
    else
        pool_clone_release(clone);
}

/* ---- the guest ---- */

static void pool_clone_become_ready(struct pool_clone *clone)
{
    clone->state = POOL_CLONE_READY;
    clone->was_ready = true;
    gb_slot_settle(clone->slot);
    clone->answered_ns = gb_clock_mono_ns();
    gb_timer_stop(clone->timer);
    clone->events->ready(clone->arg, clone);
}

static void pool_clone_on_configured(void *arg, const struct gb_err *err)
{
    struct pool_clone *clone = arg;

    if (clone->state != POOL_CLONE_STARTING)
        return;
    if (err != NULL)
        pool_clone_fail(clone, err);
    else if (!gb_guest_warm_up(clone->guest, GB_WARMUP_POOL, clone->rounds))
        pool_clone_become_ready(clone); /* its language has no warm-up cells */
}

static void pool_clone_configure(struct pool_clone *clone)
{
    /* Sets names too, so that the code for it has run; nobody sees these. */
    static const struct gb_guest_settings settings = {
        .hostname = "glassbell",
        .machine_id = "00000000000000000000000000000000",
    };
    struct gb_err err = {0};

    if (gb_guest_configure(clone->guest, &settings, pool_clone_on_configured, clone, &err) < 0)
        pool_clone_fail(clone, &err);
}

static void pool_clone_on_rehearsed(void *arg, const struct gb_err *err)
{
    struct pool_clone *clone = arg;

    if (clone->state != POOL_CLONE_STARTING)
        return;
    if (err != NULL)
        pool_clone_fail(clone, err);
    else
        pool_clone_configure(clone);
}

static void pool_clone_rehearse(struct pool_clone *clone)
{
    struct gb_err err = {0};

    if (gb_guest_rehearse_network(clone->guest, pool_clone_on_rehearsed, clone, &err) < 0)
        pool_clone_fail(clone, &err);
}

static int pool_clone_on_done(void *arg, const struct gb_done *done, struct gb_err *err)
{
    struct pool_clone *clone = arg;

    (void)err;
    if (clone->state != POOL_CLONE_STARTING)
        return 0;
    if (done->exit_code != 0 || done->flags != 0)
        pool_clone_fail_with(clone, "its first cell failed");
    else if (++clone->rounds < gb_guest_warmup_count(clone->guest, GB_WARMUP_POOL) &&
             !clone->events->hurry(clone->arg))
        pool_clone_configure(clone);
    else
        pool_clone_become_ready(clone);
    return 0;
}

static void pool_clone_on_unasked(void *arg, const char *what)
{
    char text[96];

    (void)snprintf(text, sizeof(text), "the guest sent %s without being asked", what);
    pool_clone_fail_with(arg, text);
}

static void pool_clone_on_failed(void *arg, const struct gb_err *err)
{
    pool_clone_fail(arg, err);
}

static void pool_clone_on_dead(void *arg, const struct gb_err *why)
{
    struct pool_clone *clone = arg;

    if (clone->dropped)
        pool_clone_release(clone);
    else
        pool_clone_fail(clone, why);
}

/* ---- the clone ---- */

static void pool_clone_on_restored(void *arg)
{
    static const struct gb_guest_events events = {.done = pool_clone_on_done,
                                                  .unasked = pool_clone_on_unasked,
                                                  .failed = pool_clone_on_failed,
                                                  .dead = pool_clone_on_dead};
    struct pool_clone *clone = arg;

    clone->guest = gb_clone_take(TAKE_PTR(clone->clone));
    gb_guest_hand_over(clone->guest, &events, clone);
    if (clone->networked)
        pool_clone_rehearse(clone);
    else
        pool_clone_configure(clone);
}

static void pool_clone_on_lost(void *arg, const struct gb_err *err)
{
    pool_clone_fail(arg, err);
}

static void pool_clone_on_timer(void *arg)
{
    struct pool_clone *clone = arg;

    if (clone->state == POOL_CLONE_STARTING) {
        pool_clone_fail_with(clone, "it did not come up in time");
    } else if (clone->state == POOL_CLONE_ASKED && !clone->silent) {
        clone->silent = true;
        gb_timer_start(clone->timer, GIVE_UP_MS);
        clone->events->silent(clone->arg, clone);
    } else if (clone->state == POOL_CLONE_ASKED) {
        pool_clone_fail_with(clone, "it does not answer any more");
    }
}

int pool_clone_start(struct gb_host *host, struct gb_snapshot *template, struct gb_slot *slot,
                     bool networked, const struct pool_clone_events *events, void *arg,
                     struct pool_clone **ret_clone, struct gb_err *err)
{
    static const struct gb_clone_events clone_events = {.ready = pool_clone_on_restored,
                                                        .failed = pool_clone_on_lost};
    struct pool_clone *clone = xcalloc(1, sizeof(*clone));
    int r = gb_clone_start(host, template, &clone_events, clone, &clone->clone, err);

    if (r < 0) {
        free(clone);
        return r;
    }
    gb_slot_hold(slot, gb_clone_vm(clone->clone));
    clone->host = host;
    clone->template = gb_snapshot_ref(template);
    clone->slot = slot;
    clone->networked = networked;
    clone->events = events;
    clone->arg = arg;
    clone->timer = gb_timer_new(host->loop, pool_clone_on_timer, clone);
    gb_list_init(&clone->link);
    *ret_clone = clone;
    return 0;
}

void pool_clone_load(struct pool_clone *clone)
{
    if (clone->state != POOL_CLONE_WAITING)
        return;
    clone->state = POOL_CLONE_STARTING;
    gb_timer_start(clone->timer, STARTING_MS);
    gb_clone_load(clone->clone);
}

struct gb_vm *pool_clone_vm(const struct pool_clone *clone)
{
    if (clone->clone != NULL)
        return gb_clone_vm(clone->clone);
    return clone->guest != NULL ? gb_guest_vm(clone->guest) : NULL;
}

static void pool_clone_on_pong(void *arg, const struct gb_pong *pong, const struct gb_err *err)
{
    struct pool_clone *clone = arg;

    if (clone->state != POOL_CLONE_ASKED)
        return;
    if (pong != NULL)
        pool_clone_become_ready(clone);
    else
        pool_clone_fail(clone, err);
}

void pool_clone_ask(struct pool_clone *clone)
{
    struct gb_err err = {0};

    if (clone->state != POOL_CLONE_READY)
        return;
    clone->state = POOL_CLONE_ASKED;
    clone->silent = false;
    gb_timer_start(clone->timer, POOL_CLONE_ASK_MS);
    if (gb_guest_ping(clone->guest, 0, pool_clone_on_pong, clone, &err) < 0)
        pool_clone_fail(clone, &err);
}

struct gb_guest *pool_clone_take(struct pool_clone *clone, struct gb_slot **ret_slot)
{
    struct gb_guest *guest = TAKE_PTR(clone->guest);

    *ret_slot = TAKE_PTR(clone->slot);
    pool_clone_release(clone);
    return guest;
}

struct gb_clone *pool_clone_take_waiting(struct pool_clone *clone, struct gb_slot **ret_slot)
{
    struct gb_clone *taken = TAKE_PTR(clone->clone);

    *ret_slot = TAKE_PTR(clone->slot);
    pool_clone_release(clone);
    return taken;
}
