/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/clone.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/file.h"

/* An unanswered ping is repeated: data written to a port that the guest has not opened can be lost.
 * A clone that answers none of them is useless. */
enum { PING_MS = 500, PINGS_MAX = 20 };

/* QEMU's own memory while the guest has done little: some 20 MB under emulation, less without. A
 * clone that uses more than this plus a quarter of the snapshot's data has copied the data instead
 * of sharing it. */
#define OWN_BYTES (UINT64_C(32) << 20)

enum clone_state { CLONE_WAITING, CLONE_LOADING, CLONE_PINGED, CLONE_READY, CLONE_FAILED };

struct gb_clone {
    struct gb_host *host;
    struct gb_snapshot *snapshot;
    struct gb_guest *guest; /* without a VM once that is dead */
    struct gb_clone_events events;
    void *arg;
    enum clone_state state;
    bool dropped; /* by its owner: freed with the VM */
    bool changed; /* its memory was overwritten before it ran: it is HELD when it is READY */
    unsigned pings;
    struct gb_timer *timer;
    struct gb_deferred fail;
    struct gb_err why;
};

static void clone_release(struct gb_clone *clone)
{
    gb_loop_undefer(&clone->fail);
    gb_timer_free(clone->timer);
    gb_guest_free(clone->guest);
    gb_snapshot_unref(clone->snapshot);
    free(clone);
}

static void clone_tell_failed(void *arg)
{
    struct gb_clone *clone = arg;

    clone->events.failed(clone->arg, &clone->why);
}

static void clone_fail(struct gb_clone *clone, const struct gb_err *err)
{
    if (clone->state == CLONE_FAILED)
        return;
    clone->state = CLONE_FAILED;
    clone->why = *err;
    gb_timer_stop(clone->timer);
    if (!clone->dropped)
        gb_loop_defer(clone->host->loop, &clone->fail, clone_tell_failed, clone);
}

static void clone_on_pong(void *arg, const struct gb_pong *pong, const struct gb_err *err);

static void clone_ping(struct gb_clone *clone)
{
    struct gb_err err = {0};

    clone->pings++;
    if (gb_guest_ping(clone->guest, (uint64_t)PING_MS * (PINGS_MAX + 1), clone_on_pong, clone,
                      &err) < 0)
        clone_fail(clone, &err);
    else
        gb_timer_start(clone->timer, PING_MS);
}

static void clone_on_silence(void *arg)
{
    struct gb_clone *clone = arg;
    struct gb_err err;

    if (clone->pings < PINGS_MAX) {
        clone_ping(clone);
        return;
    }
    (void)gb_err_set(&err, GB_EBOOT, "a restored guest does not answer");
    clone_fail(clone, &err);
}

/* Verifies that the guest's memory is still shared with the snapshot, apart from what it has
 * written. */
static int clone_check_memory(struct gb_clone *clone, struct gb_err *err)
{
    struct gb_vm_sample sample;
    uint64_t most = OWN_BYTES + clone->snapshot->files.disk_bytes / 4;

    if (gb_vm_sample(gb_guest_vm(clone->guest), &sample, NULL) < 0 ||
        sample.anonymous_bytes <= most)
        return 0;
    return gb_err_set(err, GB_EINTERNAL,
                      "a clone has copied its template's memory instead of sharing it: %ju MB are "
                      "its own, and at most %ju MB can be",
                      (uintmax_t)(sample.anonymous_bytes >> 20), (uintmax_t)(most >> 20));
}

/* The first answer counts, whichever ping it belongs to. */
static void clone_on_pong(void *arg, const struct gb_pong *pong, const struct gb_err *err)
{
    struct gb_clone *clone = arg;
    struct gb_err problem = {0};
    int r = 0;

    if (clone->state != CLONE_PINGED)
        return;
    if (pong == NULL)
        r = gb_err_set(&problem, GB_EBOOT, "%s", err->message);
    else if (pong->ready == 0)
        r = gb_err_set(&problem, GB_EBOOT, "a restored guest has no interpreter");
    if (r == 0)
        r = clone_check_memory(clone, &problem);
    if (r < 0) {
        clone_fail(clone, &problem);
        return;
    }
    clone->state = CLONE_READY;
    gb_timer_stop(clone->timer);
    gb_guest_forget(clone->guest, clone);
    clone->events.ready(clone->arg);
}

static void clone_on_unasked(void *arg, const char *what)
{
    struct gb_clone *clone = arg;
    struct gb_err err = {0};

    if (clone->state != CLONE_PINGED)
        return;
    (void)gb_err_set(&err, GB_EBOOT, "a restored guest sent %s", what);
    clone_fail(clone, &err);
}

static void clone_on_failed(void *arg, const struct gb_err *err)
{
    clone_fail(arg, err);
}

static void clone_on_dead(void *arg, const struct gb_err *why)
{
    struct gb_clone *clone = arg;

    if (clone->dropped)
        clone_release(clone);
    else
        clone_fail(clone, why);
}

static void clone_on_loaded(void *arg, const struct gb_err *err)
{
    struct gb_clone *clone = arg;

    if (err != NULL) {
        clone_fail(clone, err);
    } else if (clone->state == CLONE_LOADING && !clone->dropped && clone->changed) {
        clone->state = CLONE_READY; /* a held guest sends nothing */
        clone->events.ready(clone->arg);
    } else if (clone->state == CLONE_LOADING && !clone->dropped) {
        clone->state = CLONE_PINGED;
        clone_ping(clone);
    }
}

int gb_clone_start(struct gb_host *host, struct gb_snapshot *snapshot,
                   const struct gb_clone_events *events, void *arg, struct gb_clone **ret_clone,
                   struct gb_err *err)
{
    static const struct gb_guest_events guest_events = {
        .unasked = clone_on_unasked, .failed = clone_on_failed, .dead = clone_on_dead};
    _cleanup_(freep) char *ram = gb_file_path_of(snapshot->files.ram_fd);
    const struct gb_vm_config config = {
        .image = snapshot->image,
        .memory_mb = snapshot->memory_mb,
        .ram = GB_RAM_PRIVATE_FILE,
        .ram_path = ram,
        .incoming = true,
    };
    struct gb_clone *clone = xcalloc(1, sizeof(*clone));
    int r;

    clone->host = host;
    clone->events = *events;
    clone->arg = arg;
    clone->guest = gb_guest_new(host->loop, NULL, &guest_events, clone);
    r = gb_guest_start(clone->guest, host, &config, err);
    if (r < 0) {
        gb_guest_free(clone->guest);
        free(clone);
        return r;
    }
    clone->snapshot = gb_snapshot_ref(snapshot);
    clone->timer = gb_timer_new(host->loop, clone_on_silence, clone);
    *ret_clone = clone;
    return 0;
}

bool gb_clone_is_waiting(const struct gb_clone *clone)
{
    return clone->state == CLONE_WAITING;
}

void gb_clone_hand_over(struct gb_clone *clone, const struct gb_clone_events *events, void *arg)
{
    assert(clone->state == CLONE_WAITING || clone->state == CLONE_FAILED);
    clone->events = *events;
    clone->arg = arg;
}

void gb_clone_load(struct gb_clone *clone)
{
    _cleanup_(freep) char *state = gb_file_path_of(clone->snapshot->files.state_fd);

    if (clone->state != CLONE_WAITING)
        return;
    clone->state = CLONE_LOADING;
    gb_guest_load(clone->guest, state, false, clone_on_loaded, clone);
}

void gb_clone_await(struct gb_clone *clone, gb_vm_done_fn *done, void *arg)
{
    assert(clone->state == CLONE_WAITING);
    gb_vm_await(gb_guest_vm(clone->guest), done, arg);
}

void gb_clone_load_state(struct gb_clone *clone, const char *state_path)
{
    if (clone->state != CLONE_WAITING)
        return;
    clone->state = CLONE_LOADING;
    clone->changed = true;
    gb_guest_load(clone->guest, state_path, true, clone_on_loaded, clone);
}

struct gb_guest *gb_clone_take(struct gb_clone *clone)
{
    struct gb_guest *guest = TAKE_PTR(clone->guest);

    clone_release(clone);
    return guest;
}

struct gb_vm *gb_clone_vm(const struct gb_clone *clone)
{
    return gb_guest_vm(clone->guest);
}

struct gb_snapshot *gb_clone_snapshot(const struct gb_clone *clone)
{
    return clone->snapshot;
}

void gb_clone_free(struct gb_clone *clone)
{
    if (clone == NULL)
        return;
    clone->dropped = true;
    gb_timer_stop(clone->timer);
    gb_loop_undefer(&clone->fail);
    if (gb_guest_vm(clone->guest) != NULL)
        gb_guest_kill(clone->guest, NULL);
    else
        clone_release(clone);
}
