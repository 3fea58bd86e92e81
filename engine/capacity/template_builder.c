/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.
 *
 *   BOOTING ─ HELLO, READY ─> PREPARING ─ OK ─> WARMING ─ its cells are DONE
 *           ─> CONFIGURING ─ OK ─> SAVING ─ held and saved ─> ENDING ─ reaped ─> done
 *
 * What is warmed up here is ready in every clone. PREPARE loads what the image lists. A few cells
 * take the same path as a user's cells, and leave nothing behind in the interpreter. CONFIGURE runs
 * once through the agent, the kernel's random number generator and the interpreter's settings; its
 * random bytes are replaced in every clone before anybody runs code there.
 */
#include "capacity/template_builder.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/log.h"
#include "guest/guest.h"
#include "snapshot/save.h"

enum { STEP_MS = 60000, PREPARE_MS = 240000 };

enum builder_step { BOOTING, PREPARING, WARMING, CONFIGURING, SAVING, ENDING };

struct template_builder {
    struct gb_guest *guest;
    char *state_path;
    struct gb_snapshot_save save;
    enum builder_step step;
    unsigned cells; /* sent so far */
    struct gb_timer *timer;
    struct gb_err why; /* the first failure */
    void (*done)(void *arg, const struct gb_err *err);
    void *arg;
};

static void builder_give_up(struct template_builder *builder, const struct gb_err *err)
{
    if (builder->why.code == GB_OK)
        builder->why = *err;
    builder->step = ENDING;
    gb_timer_stop(builder->timer);
    gb_guest_kill(builder->guest, err->message);
}

/* After a time-out: CPU time used, to tell a stuck guest from a host without time for it. */
static uint64_t builder_cpu_ms(const struct template_builder *builder)
{
    struct gb_vm_sample sample = {0};

    (void)gb_vm_sample(gb_guest_vm(builder->guest), &sample, NULL); /* then 0 will do */
    return sample.cpu_ns / GB_NS_PER_MS;
}

static void builder_on_late(void *arg)
{
    static const char *const steps[] = {"boot",           "prepare", "warm up", "take its settings",
                                        "come to a stop", "end"};
    struct template_builder *builder = arg;
    uint64_t started_ns = gb_vm_started_ns(gb_guest_vm(builder->guest));
    struct gb_err err;

    (void)gb_err_set(&err, GB_EBOOT,
                     "the guest of a template did not %s in time (%ju ms of CPU since its start "
                     "%ju ms ago)",
                     steps[builder->step], (uintmax_t)builder_cpu_ms(builder),
                     (uintmax_t)((gb_clock_mono_ns() - started_ns) / GB_NS_PER_MS));
    builder_give_up(builder, &err);
}

/* ---- the steps, the last one first ---- */

static void builder_on_saved(void *arg, const struct gb_err *err)
{
    struct template_builder *builder = arg;

    if (err != NULL) {
        builder_give_up(builder, err);
        return;
    }
    builder->step = ENDING;
    gb_timer_stop(builder->timer);
    gb_guest_kill(builder->guest, "its template is made");
}

static void builder_on_configured(void *arg, const struct gb_err *err)
{
    struct template_builder *builder = arg;

    if (builder->step == ENDING)
        return;
    if (err != NULL) {
        builder_give_up(builder, err);
        return;
    }
    builder->step = SAVING;
    gb_snapshot_save(&builder->save, builder->guest, builder->state_path, builder_on_saved,
                     builder);
}

static void builder_configure(struct template_builder *builder)
{
    static const struct gb_guest_settings settings = {0};
    struct gb_err err = {0};

    builder->step = CONFIGURING;
    if (gb_guest_configure(builder->guest, &settings, builder_on_configured, builder, &err) < 0)
        builder_give_up(builder, &err);
}

/* Sends the next cell, or goes on after the last. */
static void builder_warm_up(struct template_builder *builder)
{
    builder->step = WARMING;
    if (!gb_guest_warm_up(builder->guest, GB_WARMUP_TEMPLATE, builder->cells++))
        builder_configure(builder);
}

/* A cell that did not end normally has left something behind, or restarted the worker. */
static int builder_on_done(void *arg, const struct gb_done *done, struct gb_err *err)
{
    const uint32_t bad = GB_DONE_TIMED_OUT | GB_DONE_INTERRUPTED | GB_DONE_OOM | GB_DONE_STATE_LOST;
    _cleanup_(gb_buf_release) struct gb_buf note = {0};
    struct template_builder *builder = arg;
    struct gb_err problem = {0};

    (void)err;
    if (builder->step != WARMING)
        return 0;
    gb_timer_start(builder->timer, STEP_MS);
    if ((done->flags & bad) == 0) {
        builder_warm_up(builder);
        return 0;
    }
    gb_escape(&note, done->note, GB_NOTE_MAX);
    (void)gb_err_set(&problem, GB_EBOOT,
                     "cell %u of a template did not end as it should (flags %x) after %ju ms, "
                     "%ju ms of CPU for it and %ju ms for its VM so far: %s",
                     builder->cells, done->flags, (uintmax_t)(done->wall_ns / GB_NS_PER_MS),
                     (uintmax_t)(done->cpu_ns / GB_NS_PER_MS), (uintmax_t)builder_cpu_ms(builder),
                     gb_buf_str(&note));
    builder_give_up(builder, &problem);
    return 0;
}

static void builder_on_prepared(void *arg, const struct gb_err *err)
{
    struct template_builder *builder = arg;

    if (builder->step == ENDING)
        return;
    if (err != NULL) {
        builder_give_up(builder, err);
        return;
    }
    gb_timer_start(builder->timer, STEP_MS);
    builder_warm_up(builder);
}

static void builder_on_ready(void *arg, bool replaced)
{
    struct template_builder *builder = arg;
    struct gb_err err = {0};

    (void)replaced;
    if (builder->step == ENDING)
        return;
    if (builder->step != BOOTING) {
        (void)gb_err_set(&err, GB_EBOOT, "the interpreter of a template restarted");
        builder_give_up(builder, &err);
        return;
    }
    builder->step = PREPARING;
    gb_timer_start(builder->timer, PREPARE_MS);
    if (gb_guest_prepare(builder->guest, builder_on_prepared, builder, &err) < 0)
        builder_give_up(builder, &err);
}

/* ---- what else the guest does ---- */

static void builder_on_listens(void *arg)
{
    struct template_builder *builder = arg;

    gb_timer_start(builder->timer, STEP_MS);
}

/* The cells' output does not matter, whenever it comes. */
static void builder_on_background(void *arg, uint32_t cell, enum gb_output stream,
                                  struct gb_bytes bytes)
{
    (void)arg;
    (void)cell;
    (void)stream;
    (void)bytes;
}

static void builder_on_unasked(void *arg, const char *what)
{
    struct template_builder *builder = arg;
    struct gb_err err = {0};

    if (builder->step == ENDING)
        return;
    (void)gb_err_set(&err, GB_EBOOT, "the guest of a template sent %s without being asked", what);
    builder_give_up(builder, &err);
}

static void builder_on_failed(void *arg, const struct gb_err *err)
{
    builder_give_up(arg, err);
}

static void builder_on_dead(void *arg, const struct gb_err *why)
{
    struct template_builder *builder = arg;

    /* ENDING without a failure is the normal end. */
    if (builder->step != ENDING && builder->why.code == GB_OK)
        builder->why = *why;
    gb_guest_free(builder->guest);
    gb_timer_free(builder->timer);
    builder->done(builder->arg, builder->why.code != GB_OK ? &builder->why : NULL);
    free(builder->state_path);
    free(builder);
}

int template_builder_start(struct gb_host *host, const struct template_builder_config *config,
                           void (*done)(void *arg, const struct gb_err *err), void *arg,
                           struct template_builder **ret_builder, struct gb_err *err)
{
    static const struct gb_guest_events events = {.listens = builder_on_listens,
                                                  .ready = builder_on_ready,
                                                  .done = builder_on_done,
                                                  .background = builder_on_background,
                                                  .unasked = builder_on_unasked,
                                                  .failed = builder_on_failed,
                                                  .dead = builder_on_dead};
    const struct gb_vm_config vm = {
        .image = config->image,
        .memory_mb = config->memory_mb,
        .ram = GB_RAM_SHARED_FILE,
        .ram_path = config->ram_path,
    };
    struct template_builder *builder = xcalloc(1, sizeof(*builder));
    int r;

    builder->done = done;
    builder->arg = arg;
    builder->guest = gb_guest_new(host->loop, NULL, &events, builder);
    r = gb_guest_start(builder->guest, host, &vm, err);
    if (r < 0) {
        gb_guest_free(builder->guest);
        free(builder);
        return r;
    }
    if (config->slot != NULL)
        gb_slot_hold(config->slot, gb_guest_vm(builder->guest));
    builder->state_path = xstrdup(config->state_path);
    builder->timer = gb_timer_new(host->loop, builder_on_late, builder);
    *ret_builder = builder;
    return 0;
}

void template_builder_cancel(struct template_builder *builder)
{
    struct gb_err err;

    (void)gb_err_set(&err, GB_ECLOSED, "it was cancelled");
    builder_give_up(builder, &err);
}
