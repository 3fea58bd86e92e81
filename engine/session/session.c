/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a session: from the VM's start to its end. */
#include "session/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "session/env.h"
#include "session/internal.h"

/* HELLO to READY: the start of an interpreter. */
enum {
    READY_TIMEOUT_MS = 60000,
    CLONE_TIMEOUT_MS = 20000,
    ENTROPY_BYTES = 64,
    MACHINE_ID_BYTES = 16
};

/* A clone's clock is set again while it is later than this, a few times. */
enum { CLOCK_LATE_MS = 30, CLOCK_TRIES = 5 };

static const char *const state_names[] = {"starting", "idle", "running", "waiting_input", "closed"};
static_assert(ARRAY_SIZE(state_names) == GB_SESSION_STATE_COUNT, "a name for each state");

const char *gb_session_state_name(enum gb_session_state state)
{
    return state_names[state];
}

const char *gb_source_name(enum gb_source source)
{
    static const char *const names[] = {"boot", "template", "pool"};

    static_assert(ARRAY_SIZE(names) == GB_SOURCE_COUNT, "a name for each source");
    return names[source];
}

static int random_hex(size_t bytes, char *hex, struct gb_err *err)
{
    uint8_t random[32];

    if (getrandom(random, bytes, 0) != (ssize_t)bytes)
        return gb_err_sys(err, errno, "no random numbers");
    for (size_t i = 0; i < bytes; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", random[i]);
    return 0;
}

static void arm_idle(struct gb_session *session)
{
    if (session->idle_ms == 0)
        return;
    if (session->state == GB_SESSION_IDLE && session->user_requests == 0 && !session->kept)
        gb_timer_start(session->idle_timer, session->idle_ms);
    else
        gb_timer_stop(session->idle_timer);
}

void session_touch(struct gb_session *session)
{
    session->last_active_ns = gb_clock_mono_ns();
    arm_idle(session);
}

void session_update(struct gb_session *session)
{
    enum gb_session_state state = session->state;

    if (state == GB_SESSION_CLOSED)
        return;
    if (!session->opened_told)
        state = GB_SESSION_STARTING;
    else if (session->current == NULL)
        state = GB_SESSION_IDLE;
    else if (state != GB_SESSION_WAITING_INPUT || session->current->started_told == false)
        state = GB_SESSION_RUNNING;
    session->state = state;
    session->changed = true;
    arm_idle(session);
}

/* Whether the VM may be exchanged for another one, and nobody would see it. */
static bool is_replaceable(const struct gb_session *session)
{
    return !session->closing && !session->opened_told && !session->asked &&
           session->source != GB_SOURCE_BOOT && session->events.lost != NULL;
}

/* The VM is of no use: the end of it, and of the session if that needs this one. */
static void vm_failed(struct gb_session *session, const char *reason)
{
    if (is_replaceable(session))
        gb_vm_kill(session->vm, reason);
    else
        gb_session_close(session, reason);
}

void gb_session_violation(struct gb_session *session, struct gb_err *err)
{
    char reason[GB_ERR_MESSAGE_MAX];

    (void)snprintf(reason, sizeof(reason), "the guest broke the protocol: %.300s", err->message);
    vm_failed(session, reason);
    (void)gb_err_set(err, GB_ECLOSED, "%s", reason);
}

void session_send(struct gb_session *session, struct gb_buf *frames)
{
    if (session->vm == NULL || session->closing) {
        gb_buf_clear(frames);
    } else if (session->running) {
        gb_vm_send(session->vm, frames);
    } else {
        gb_buf_add(&session->early, gb_buf_data(frames), frames->size);
        gb_buf_clear(frames);
    }
}

static void tell_opened_when_ready(struct gb_session *session)
{
    if (!session->ready || !session->configured || !session->verified || session->opened_told)
        return;
    session->opened_told = true;
    gb_timer_stop(session->ready_timer);
    session->timing.total_ns = gb_clock_mono_ns() - session->opened_at_ns;
    session->timing.worker_ns = session->timing.total_ns - session->timing.boot_ns;
    session->state = GB_SESSION_IDLE;
    session_touch(session);
    session->events.opened(session->arg, NULL);
    cell_pump(session);
}

static void end_session(struct gb_session *session);

/* When no VM is left and no answer is awaited. The session may be gone after. */
static void end_when_due(void *arg)
{
    struct gb_session *session = arg;

    if (session->closing && session->vm == NULL && !session->verifying &&
        session->state != GB_SESSION_CLOSED)
        end_session(session);
}

/* The digests were compared beside the boot: nothing has run for anybody yet. */
static void on_verified(void *arg, const struct gb_err *err)
{
    struct gb_session *session = arg;

    session->verifying = false;
    session->verified = err == NULL;
    if (err != NULL) {
        gb_session_close(session, err->message);
        session->why = *err;
    }
    if (session->closing)
        end_when_due(session);
    else
        tell_opened_when_ready(session);
}

static int send_clock(struct gb_session *session, struct gb_configure *message, struct gb_err *err);

static void on_configured(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct gb_session *session = arg;
    struct gb_configure again = {0};
    struct gb_err problem = {0};

    if (frame == NULL) {
        if (!session->closing && err->code != GB_ECLOSED)
            vm_failed(session, err->message);
        return;
    }
    if (session->clock_late && session->clock_tries < CLOCK_TRIES) {
        if (send_clock(session, &again, &problem) < 0)
            gb_session_close(session, problem.message);
        return;
    }
    session->configured = true;
    tell_opened_when_ready(session);
}

/* The agent answers right after it has set the clock. What lies between its clock then and ours now
 * is the error and the way of the answer, so the error is no larger than that. */
static void on_clock(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct gb_session *session = arg;
    struct gb_pong pong;
    uint64_t now = gb_clock_wall_ns();
    struct gb_err bad = {0};

    (void)err;
    session->clock_late = true;
    if (frame == NULL)
        return;
    if (gb_fields_decode(&gb_pong_fields, frame->payload, &pong, &bad) < 0)
        gb_session_violation(session, &bad);
    else
        session->clock_late =
            pong.wall_ns > now || now - pong.wall_ns > CLOCK_LATE_MS * GB_NS_PER_MS;
}

/* Sends CONFIGURE with the time of now; after a restore with a question for the guest's clock. */
static int send_clock(struct gb_session *session, struct gb_configure *message, struct gb_err *err)
{
    int r;

    message->wall_ns = gb_clock_wall_ns();
    r = request_send(session, GB_GUEST_CONFIGURE, 0, &gb_configure_fields, message, 0,
                     on_configured, session, err);
    if (r == 0 && session->source != GB_SOURCE_BOOT) {
        session->clock_tries++;
        r = request_send(session, GB_GUEST_PING, 0, NULL, NULL, READY_TIMEOUT_MS, on_clock, session,
                         err);
    }
    return r;
}

static int send_configure(struct gb_session *session, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf encoded = {0};
    char machine_id[2 * MACHINE_ID_BYTES + 1], hostname[32];
    uint8_t entropy[ENTROPY_BYTES];
    struct gb_configure message = {0};
    int r = random_hex(MACHINE_ID_BYTES, machine_id, err);

    if (r < 0)
        return r;
    if (getrandom(entropy, sizeof(entropy), 0) != (ssize_t)sizeof(entropy))
        return gb_err_sys(err, errno, "no random numbers");
    (void)snprintf(hostname, sizeof(hostname), "glassbell-%.6s", session->id + 2);
    message.entropy = (struct gb_bytes){entropy, sizeof(entropy)};
    message.hostname = gb_bytes_str(hostname);
    message.machine_id = gb_bytes_str(machine_id);
    message.env = env_pairs(&session->env, &encoded);
    return send_clock(session, &message, err);
}

/* The agent listens. */
static void begin(struct gb_session *session)
{
    struct gb_buf early = session->early;
    struct gb_err err = {0};

    session->running = true;
    session->early = (struct gb_buf){0};
    session->timing.boot_ns = gb_clock_mono_ns() - session->opened_at_ns;
    if (send_configure(session, &err) < 0) {
        gb_session_close(session, err.message);
    } else {
        gb_timer_start(session->ready_timer,
                       is_replaceable(session) ? CLONE_TIMEOUT_MS : READY_TIMEOUT_MS);
        gb_vm_send(session->vm, &early);
    }
    gb_buf_release(&early);
}

static void on_running(void *arg, const struct gb_hello *hello)
{
    (void)hello;
    begin(arg);
}

void session_state_lost(struct gb_session *session)
{
    if (session->loss_counted)
        return;
    session->loss_counted = true;
    if (session->incarnation < UINT32_MAX)
        session->incarnation++;
}

static int on_ready(struct gb_session *session, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_ready message;
    int r = gb_fields_decode(&gb_ready_fields, frame->payload, &message, err);

    if (r < 0 || !gb_bytes_equal(message.language, session->image->language))
        return r;
    /* A fresh guest begins with 1. A clone's interpreter was there before us, so that the first
     * number that we hear of is any, and says that it was replaced. */
    if (message.generation == 0 ||
        (session->generation == 0 && message.generation != 1 && session->source == GB_SOURCE_BOOT))
        return gb_err_set(err, GB_EINTERNAL, "READY: generation %u is not the first",
                          message.generation);
    if (session->generation != 0 && message.generation != session->generation &&
        message.generation - 1 != session->generation)
        return gb_err_set(err, GB_EINTERNAL, "READY: generation %u does not follow %u",
                          message.generation, session->generation);
    if (message.generation != session->generation) {
        if (session->ready)
            session_state_lost(session);
        session->loss_counted = false;
    }
    session->generation = message.generation;
    session->ready = true;
    tell_opened_when_ready(session);
    return 0;
}

static int on_log(struct gb_session *session, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_guest_log message;
    int r = gb_fields_decode(&gb_guest_log_fields, frame->payload, &message, err);

    if (r < 0 || session->log_bytes > GB_GUEST_LOGS_MAX)
        return r;
    session->log_bytes += message.text.size + 1;
    if (session->log_bytes > GB_GUEST_LOGS_MAX)
        gb_debug("%s: guest: it has said too much; nothing more of it is logged", session->id);
    else
        gb_debug("%s: guest: %.*s", session->id, (int)message.text.size,
                 (const char *)message.text.data);
    return 0;
}

static void on_frame(void *arg, const struct gb_frame *frame)
{
    struct gb_session *session = arg;
    struct gb_err err = {0};
    int r;

    if (session->closing)
        return;
    if (frame->type == GB_GUEST_READY)
        r = on_ready(session, frame, &err);
    else if (frame->type == GB_GUEST_LOG)
        r = on_log(session, frame, &err);
    else if (request_is_answer(frame))
        r = request_answer(session, frame, &err);
    else
        r = cell_frame(session, frame, &err);
    if (r < 0)
        gb_session_violation(session, &err);
}

static void end_session(struct gb_session *session)
{
    bool opened_told = session->opened_told;

    session->state = GB_SESSION_CLOSED;
    if (!opened_told) {
        if (session->why.code == GB_ECLOSED)
            session->why.code = GB_EBOOT;
        session->opened_told = true;
        session->events.opened(session->arg, &session->why);
    }
    cell_fail_all(session, &session->why);
    request_fail_all(session, &session->why);
    session->events.closed(session->arg, &session->why);
}

/* As before it was given a VM. */
static void forget_vm(struct gb_session *session)
{
    gb_vm_free(TAKE_PTR(session->vm));
    gb_timer_stop(session->ready_timer);
    request_drop_all(session);
    session->running = session->configured = session->ready = session->clock_late = false;
    session->loss_counted = false;
    session->clock_tries = 0;
    session->generation = 0;
    session->log_bytes = 0;
}

static void on_dead(void *arg, const struct gb_err *why)
{
    struct gb_session *session = arg;

    if (is_replaceable(session)) {
        forget_vm(session);
        if (session->events.lost(session->arg, why))
            return;
    }
    /* What began the end says more than how the process ended. */
    if (session->why.code == GB_OK)
        session->why = *why;
    session->closing = true;
    gb_vm_free(TAKE_PTR(session->vm));
    gb_timer_stop(session->idle_timer);
    gb_timer_stop(session->lifetime_timer);
    gb_timer_stop(session->ready_timer);
    gb_timer_stop(session->request_timer);
    /* A guest that did not come up may have done so because its image is damaged: that answer is
     * worth the wait. */
    end_when_due(session);
}

static void on_idle(void *arg)
{
    struct gb_session *session = arg;

    session->expired = !session->closing;
    gb_session_close(session, "it was not used for longer than its idle time");
}

static void on_lifetime(void *arg)
{
    struct gb_session *session = arg;

    session->expired = !session->closing;
    gb_session_close(session, "its lifetime is over");
}

static void on_cell_deadline(void *arg)
{
    gb_session_close(arg, "the guest did not end a cell in time");
}

static void on_ready_deadline(void *arg)
{
    vm_failed(arg, "the interpreter did not start in time");
}

static const struct gb_vm_events vm_events = {
    .running = on_running, .frame = on_frame, .dead = on_dead};

int gb_session_new(struct gb_host *host, const struct gb_session_config *config,
                   const struct gb_session_events *events, void *arg,
                   struct gb_session **ret_session, struct gb_err *err)
{
    struct gb_session *session = xcalloc(1, sizeof(*session));
    int r;

    session->host = host;
    session->image = config->image;
    session->events = *events;
    session->arg = arg;
    session->memory_mb = config->memory_mb > 0 ? config->memory_mb : config->image->memory_mb;
    session->timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : GB_TIMEOUT_DEFAULT_MS;
    session->idle_ms = config->idle_ms;
    session->lifetime_ms = config->lifetime_ms;
    session->env = env_copy(config->env);
    session->incarnation = 1;
    session->opened_at_ns = session->last_active_ns = gb_clock_mono_ns();
    gb_list_init(&session->queue);
    gb_list_init(&session->requests);
    session->idle_timer = gb_timer_new(host->loop, on_idle, session);
    session->lifetime_timer = gb_timer_new(host->loop, on_lifetime, session);
    session->cell_timer = gb_timer_new(host->loop, on_cell_deadline, session);
    session->ready_timer = gb_timer_new(host->loop, on_ready_deadline, session);
    session->request_timer = gb_timer_new(host->loop, request_expired, session);
    (void)snprintf(session->id, sizeof(session->id), "s-");
    r = random_hex(SESSION_ID_BYTES, session->id + 2, err);
    if (r == 0)
        r = gb_verify_start(host->loop, host->images, session->image, &session->verify, on_verified,
                            session, err);
    if (r < 0) {
        gb_session_free(session);
        return r;
    }
    session->verified = r == 1;
    session->verifying = r == 0;
    if (session->lifetime_ms > 0) {
        session->lifetime_end_ns = session->opened_at_ns + session->lifetime_ms * GB_NS_PER_MS;
        gb_timer_start(session->lifetime_timer, session->lifetime_ms);
    }
    *ret_session = session;
    return 0;
}

int gb_session_boot(struct gb_session *session, struct gb_err *err)
{
    const struct gb_vm_config config = {
        .image = session->image, .memory_mb = session->memory_mb, .ram = GB_RAM_ANONYMOUS};

    assert(session->vm == NULL);
    if (session->closing)
        return gb_err_set(err, GB_ECLOSED, "the session has ended");
    session->source = GB_SOURCE_BOOT;
    return gb_vm_start(session->host, &config, &vm_events, session, &session->vm, err);
}

void gb_session_adopt(struct gb_session *session, struct gb_vm *vm, enum gb_source source)
{
    assert(session->vm == NULL && source != GB_SOURCE_BOOT);
    session->vm = vm;
    session->source = source;
    session->ready = true;
    gb_vm_hand_over(vm, &vm_events, session);
    if (session->closing)
        gb_vm_kill(vm, session->why.message);
    else
        begin(session);
}

void gb_session_fail(struct gb_session *session, const struct gb_err *err)
{
    if (session->closing)
        return;
    gb_session_close(session, err->message);
    session->why = *err;
}

void gb_session_close(struct gb_session *session, const char *reason)
{
    if (session->closing)
        return;
    session->closing = true;
    if (reason == NULL)
        reason = "it was closed";
    (void)gb_err_set(&session->why, GB_ECLOSED, "%s", reason);
    if (session->vm != NULL) {
        gb_vm_kill(session->vm, reason);
        return;
    }
    gb_verify_cancel(&session->verify);
    session->verifying = false;
    gb_timer_stop(session->lifetime_timer);
    gb_loop_defer(session->host->loop, &session->end, end_when_due, session);
}

void gb_session_keep(struct gb_session *session, bool keep)
{
    if (session->kept == keep)
        return;
    session->kept = keep;
    session_touch(session);
    cell_pump(session); /* which tells that it has changed */
}

void gb_session_free(struct gb_session *session)
{
    if (session == NULL)
        return;
    gb_loop_undefer(&session->pump);
    gb_loop_undefer(&session->drop);
    gb_loop_undefer(&session->end);
    gb_verify_cancel(&session->verify);
    gb_timer_free(session->idle_timer);
    gb_timer_free(session->lifetime_timer);
    gb_timer_free(session->cell_timer);
    gb_timer_free(session->ready_timer);
    gb_timer_free(session->request_timer);
    gb_env_release(&session->env);
    gb_buf_release(&session->early);
    free(session);
}

const char *gb_session_id(const struct gb_session *session)
{
    return session->id;
}

enum gb_session_state gb_session_state(const struct gb_session *session)
{
    return session->state;
}

const struct gb_image *gb_session_image(const struct gb_session *session)
{
    return session->image;
}

struct gb_vm *gb_session_vm(struct gb_session *session)
{
    return session->vm;
}

enum gb_source gb_session_source(const struct gb_session *session)
{
    return session->source;
}

uint32_t gb_session_cells(const struct gb_session *session)
{
    return session->cells_numbered;
}

uint32_t gb_session_waiting(const struct gb_session *session)
{
    return session->queued_count;
}

uint32_t gb_session_memory_mb(const struct gb_session *session)
{
    return session->memory_mb;
}

uint64_t gb_session_last_active_ns(const struct gb_session *session)
{
    return session->last_active_ns;
}

uint64_t gb_session_expires_ns(const struct gb_session *session)
{
    uint64_t idle_end = session->last_active_ns + session->idle_ms * GB_NS_PER_MS;

    if (session->idle_ms == 0 || session->state != GB_SESSION_IDLE || session->kept)
        return session->lifetime_end_ns;
    return session->lifetime_end_ns == 0 ? idle_end : MIN(idle_end, session->lifetime_end_ns);
}

uint32_t gb_session_incarnation(const struct gb_session *session)
{
    return session->incarnation;
}

struct gb_session_timing gb_session_timing(const struct gb_session *session)
{
    return session->timing;
}

bool gb_session_expired(const struct gb_session *session)
{
    return session->expired;
}

size_t gb_session_queued(const struct gb_session *session)
{
    if (session->vm == NULL)
        return 0;
    return session->running ? gb_vm_queued(session->vm) : session->early.size;
}
