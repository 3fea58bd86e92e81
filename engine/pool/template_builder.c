/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.
 *
 *   BOOTING ─ HELLO, READY ─> PREPARING ─ OK ─> WARMING ─ its cells are DONE
 *           ─> CONFIGURING ─ OK ─> SETTLING
 *           ─ PONG ─> SAVING ─ saved ─> ENDING ─ reaped ─> done
 *
 * What is warmed up here no clone has to do. PREPARE loads what the image names. A few cells go the
 * whole way that a user's will go; they end with nothing left of them in the interpreter. CONFIGURE
 * runs once through the agent, the kernel's random numbers and the interpreter's settings; it
 * carries random bytes of its own, which every clone replaces before anybody runs code in it.
 */
#include "pool/maker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "snapshot/save.h"
#include "wire/guest.h"

/* The numbers of the cells are those that no session comes to. */
enum { STEP_MS = 60000, PREPARE_MS = 240000, CELL_MS = 30000, ENTROPY_BYTES = 64, CELLS_MAX = 4 };
#define CELL_FIRST 0xffffff00u

enum step { BOOTING, PREPARING, WARMING, CONFIGURING, SETTLING, SAVING, ENDING };

/* Output, a value, and the first error, which loads what prints it: a second under emulation. The
 * last cell forgets what the others left. */
static const struct {
    const char *language, *cells[CELLS_MAX];
} warm_ups[] = {
    {"python",
     {"print('warm', flush=True)", "1/0",
      "import sys as _\nfor __ in 'last_type', 'last_value', 'last_traceback':\n"
      "    _.__dict__.pop(__, None)\ndel _, __"}},
    {"javascript", {"console.log('warm')", "throw new Error('warm')"}},
    {"shell", {"echo warm", "false", "true"}},
};

struct maker {
    struct gb_vm *vm;
    const struct gb_image *image;
    char *state_path;
    struct gb_snapshot_save save;
    enum step step;
    const char *const *cells; /* of warm_ups */
    unsigned cells_sent;
    struct gb_timer *timer;
    struct gb_err why; /* the first failure */
    void (*done)(void *arg, const struct gb_err *err);
    void *arg;
};

static const char *const *cells_of(const struct gb_image *image)
{
    for (size_t i = 0; i < ARRAY_SIZE(warm_ups); i++)
        if (strcmp(warm_ups[i].language, image->language) == 0)
            return warm_ups[i].cells;
    return NULL;
}

void maker_describe(const struct gb_image *image, struct gb_buf *text)
{
    const char *const *cells = cells_of(image);

    for (size_t i = 0; cells != NULL && i < CELLS_MAX && cells[i] != NULL; i++) {
        gb_buf_adds(text, "cell ");
        gb_escape(text, gb_bytes_str(cells[i]), GB_CODE_MAX);
        gb_buf_adds(text, "\n");
    }
}

static void give_up(struct maker *maker, const struct gb_err *err)
{
    if (maker->why.code == GB_OK)
        maker->why = *err;
    maker->step = ENDING;
    gb_timer_stop(maker->timer);
    gb_vm_kill(maker->vm, err->message);
}

/* Who waited too long has to know whether the guest slept or the host had no time for it. */
static uint64_t cpu_ms(const struct maker *maker)
{
    struct gb_vm_sample sample = {0};

    (void)gb_vm_sample(maker->vm, &sample, NULL); /* 0 is as good as any, then */
    return sample.cpu_ns / GB_NS_PER_MS;
}

static void on_late(void *arg)
{
    static const char *const steps[] = {"boot",   "prepare", "warm up", "take its settings",
                                        "settle", "save",    "end"};
    struct maker *maker = arg;
    struct gb_err err;

    (void)gb_err_set(
        &err, GB_EBOOT,
        "the guest of a template did not %s in time (%ju ms of CPU since its start "
        "%ju ms ago)",
        steps[maker->step], (uintmax_t)cpu_ms(maker),
        (uintmax_t)((gb_clock_mono_ns() - gb_vm_started_ns(maker->vm)) / GB_NS_PER_MS));
    give_up(maker, &err);
}

static void send_request(struct maker *maker, enum gb_guest_type type,
                         const struct gb_fields *table, const void *message)
{
    _cleanup_(gb_buf_release) struct gb_buf frames = {0};

    gb_guest_add(&frames, (struct gb_frame){.type = (uint16_t)type, .id = (uint32_t)maker->step},
                 table, message);
    gb_vm_send(maker->vm, &frames);
}

static void configure(struct maker *maker)
{
    uint8_t entropy[ENTROPY_BYTES];
    struct gb_configure message = {
        .entropy = {entropy, sizeof(entropy)},
        .wall_ns = gb_clock_wall_ns(),
    };
    struct gb_err err;

    maker->step = CONFIGURING;
    if (getrandom(entropy, sizeof(entropy), 0) != (ssize_t)sizeof(entropy)) {
        (void)gb_err_sys(&err, errno, "no random numbers");
        give_up(maker, &err);
        return;
    }
    send_request(maker, GB_GUEST_CONFIGURE, &gb_configure_fields, &message);
}

/* The next cell, or what comes after the last. */
static void warm_up(struct maker *maker)
{
    _cleanup_(gb_buf_release) struct gb_buf frames = {0};
    const char *code = maker->cells != NULL && maker->cells_sent < CELLS_MAX
                           ? maker->cells[maker->cells_sent]
                           : NULL;
    struct gb_exec message = {.mode = GB_MODE_KERNEL,
                              .timeout_ms = CELL_MS,
                              .max_stdout = GB_STDOUT_DEFAULT,
                              .max_stderr = GB_STDERR_DEFAULT};

    maker->step = WARMING;
    if (code == NULL) {
        configure(maker);
        return;
    }
    message.code = gb_bytes_str(code);
    gb_guest_add(&frames,
                 (struct gb_frame){.type = GB_GUEST_EXEC, .cell = CELL_FIRST + maker->cells_sent++},
                 &gb_exec_fields, &message);
    gb_vm_send(maker->vm, &frames);
}

static void on_saved(void *arg, const struct gb_err *err)
{
    struct maker *maker = arg;

    if (err != NULL) {
        give_up(maker, err);
        return;
    }
    maker->step = ENDING;
    gb_timer_stop(maker->timer);
    gb_vm_kill(maker->vm, "its template is made");
}

static void on_ready(struct maker *maker, const struct gb_frame *frame)
{
    struct gb_ready message;
    struct gb_err err = {0};

    if (gb_fields_decode(&gb_ready_fields, frame->payload, &message, &err) < 0)
        give_up(maker, &err);
    else if (maker->step == BOOTING && gb_bytes_equal(message.language, maker->image->language)) {
        maker->step = PREPARING;
        send_request(maker, GB_GUEST_PREPARE, NULL, NULL);
        gb_timer_start(maker->timer, PREPARE_MS);
    } else if (gb_bytes_equal(message.language, maker->image->language)) {
        (void)gb_err_set(&err, GB_EBOOT, "the interpreter of a template started anew");
        give_up(maker, &err);
    }
}

/* What did not end by itself has left something behind, or a worker that is another one. */
static void on_cell(struct maker *maker, const struct gb_frame *frame)
{
    const uint32_t bad = GB_DONE_TIMED_OUT | GB_DONE_INTERRUPTED | GB_DONE_OOM | GB_DONE_STATE_LOST;
    _cleanup_(gb_buf_release) struct gb_buf note = {0};
    struct gb_done done;
    struct gb_err err = {0};
    int r = gb_fields_decode(&gb_done_fields, frame->payload, &done, &err);

    if (r == 0 && (done.flags & bad) != 0) {
        gb_escape(&note, done.note, GB_NOTE_MAX);
        r = gb_err_set(&err, GB_EBOOT,
                       "cell %u of a template did not end as it should (flags %x) after %ju ms, "
                       "%ju ms of CPU for it and %ju ms for its VM so far: %s",
                       maker->cells_sent, done.flags, (uintmax_t)(done.wall_ns / GB_NS_PER_MS),
                       (uintmax_t)(done.cpu_ns / GB_NS_PER_MS), (uintmax_t)cpu_ms(maker),
                       gb_buf_str(&note));
    }
    if (r < 0)
        give_up(maker, &err);
    else
        warm_up(maker);
}

/* Only a guest whose interpreter is there goes into a template. */
static void on_settled(struct maker *maker, const struct gb_frame *frame)
{
    struct gb_pong pong;
    struct gb_err err = {0};
    int r = gb_fields_decode(&gb_pong_fields, frame->payload, &pong, &err);

    if (r == 0 && pong.ready == 0)
        r = gb_err_set(&err, GB_EBOOT, "the interpreter of a template is not ready any more");
    if (r < 0) {
        give_up(maker, &err);
        return;
    }
    maker->step = SAVING;
    gb_snapshot_save(&maker->save, maker->vm, maker->state_path, on_saved, maker);
}

static void on_frame(void *arg, const struct gb_frame *frame)
{
    struct maker *maker = arg;
    struct gb_err err;

    if (maker->step == ENDING || frame->type == GB_GUEST_LOG || frame->type == GB_GUEST_OUTPUT)
        return;
    if (frame->type == GB_GUEST_READY) {
        on_ready(maker, frame);
    } else if (maker->step == PREPARING && frame->type == GB_GUEST_OK) {
        gb_timer_start(maker->timer, STEP_MS);
        warm_up(maker);
    } else if (maker->step == WARMING && frame->type == GB_GUEST_DONE) {
        gb_timer_start(maker->timer, STEP_MS);
        on_cell(maker, frame);
    } else if (maker->step == CONFIGURING && frame->type == GB_GUEST_OK) {
        maker->step = SETTLING;
        send_request(maker, GB_GUEST_PING, NULL, NULL);
    } else if (maker->step == SETTLING && frame->type == GB_GUEST_PONG) {
        on_settled(maker, frame);
    } else {
        (void)gb_err_set(&err, GB_EBOOT, "the guest of a template says %s unasked",
                         gb_guest_type_name(frame->type));
        give_up(maker, &err);
    }
}

static void on_running(void *arg, const struct gb_hello *hello)
{
    struct maker *maker = arg;

    (void)hello;
    gb_timer_start(maker->timer, STEP_MS);
}

static void on_dead(void *arg, const struct gb_err *why)
{
    struct maker *maker = arg;

    /* ENDING without a failure is the end as it should be. */
    if (maker->step != ENDING && maker->why.code == GB_OK)
        maker->why = *why;
    gb_vm_free(maker->vm);
    gb_timer_free(maker->timer);
    maker->done(maker->arg, maker->why.code != GB_OK ? &maker->why : NULL);
    free(maker->state_path);
    free(maker);
}

int maker_start(struct gb_host *host, const struct maker_config *config,
                void (*done)(void *arg, const struct gb_err *err), void *arg,
                struct maker **ret_maker, struct gb_err *err)
{
    static const struct gb_vm_events events = {
        .running = on_running, .frame = on_frame, .dead = on_dead};
    const struct gb_vm_config vm = {
        .image = config->image,
        .memory_mb = config->memory_mb,
        .ram = GB_RAM_SHARED_FILE,
        .ram_path = config->ram_path,
    };
    struct maker *maker = xcalloc(1, sizeof(*maker));
    int r;

    maker->image = config->image;
    maker->cells = cells_of(config->image);
    maker->done = done;
    maker->arg = arg;
    r = gb_vm_start(host, &vm, &events, maker, &maker->vm, err);
    if (r < 0) {
        free(maker);
        return r;
    }
    if (config->slot != NULL)
        gb_slot_hold(config->slot, maker->vm);
    maker->state_path = xstrdup(config->state_path);
    maker->timer = gb_timer_new(host->loop, on_late, maker);
    *ret_maker = maker;
    return 0;
}

void maker_cancel(struct maker *maker)
{
    struct gb_err err;

    (void)gb_err_set(&err, GB_ECLOSED, "it was cancelled");
    give_up(maker, &err);
}
