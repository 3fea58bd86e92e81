/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a session: from its VM's start to its end. */
#include "session/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "platform/random.h"
#include "session/env.h"
#include "session/internal.h"

/* The maximum time in PREPARING: the start of an interpreter; a clone has one already. */
enum { PREPARE_TIMEOUT_MS = 60000, CLONE_TIMEOUT_MS = 20000, MACHINE_ID_BYTES = 16 };

static int session_random_hex(size_t bytes, char *hex, struct gb_err *err)
{
    uint8_t random[32];
    int r = gb_random_fill(random, bytes);

    if (r < 0)
        return gb_err_sys(err, -r, "cannot get random numbers");
    for (size_t i = 0; i < bytes; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", random[i]);
    return 0;
}

/* ---- states ---- */

/* The idle timer also ends one that sleeps for too long. */
static void session_arm_idle(struct gb_session *session)
{
    if (session->state == SESSION_ASLEEP && session->asleep_ms > 0) {
        session->asleep_end_ns = gb_clock_mono_ns() + session->asleep_ms * GB_NS_PER_MS;
        gb_timer_start(session->idle_timer, session->asleep_ms);
        return;
    }
    if (session->idle_ms == 0 && session->asleep_ms == 0)
        return;
    if (session->idle_ms > 0 && session->state == SESSION_IDLE && session->user_requests == 0 &&
        !session->kept && session->terminals == 0)
        gb_timer_start(session->idle_timer, session->idle_ms);
    else
        gb_timer_stop(session->idle_timer);
}

void session_enter(struct gb_session *session, enum session_state state)
{
    enum session_state from = session->state;

    assert(session_may_enter(from, state));
    if (state == SESSION_ENDING)
        session->ended_from = from;
    session->state = state;
    session_arm_idle(session);
    if (!session_is_over(session) && session_state_shown(from) != session_state_shown(state))
        session_tell_changed(session);
}

void session_tell_changed(struct gb_session *session)
{
    if (session->state == SESSION_CLOSED)
        return;
    session->changed = true;
    gb_loop_defer(session->host->loop, &session->pump, session_cells_tell, session);
}

void session_tell_rested(struct gb_session *session)
{
    if (session->state != SESSION_IDLE)
        return;
    session->rested = true;
    gb_loop_defer(session->host->loop, &session->pump, session_cells_tell, session);
}

void session_want(struct gb_session *session)
{
    if (session->state != SESSION_ASLEEP)
        return;
    session->wanted = true;
    gb_loop_defer(session->host->loop, &session->pump, session_cells_tell, session);
}

bool session_is_over(const struct gb_session *session)
{
    return session->state == SESSION_ENDING || session->state == SESSION_CLOSED;
}

bool session_was_open(const struct gb_session *session)
{
    enum session_state state = session_is_over(session) ? session->ended_from : session->state;

    return state >= SESSION_IDLE && state <= SESSION_WAITING_INPUT;
}

int session_check_open(const struct gb_session *session, struct gb_err *err)
{
    if (!session_is_over(session))
        return 0;
    return gb_err_set(err, GB_ECLOSED, "the session has ended: %s",
                      session->why.message[0] != '\0' ? session->why.message : "closing");
}

void gb_session_rest_anew(struct gb_session *session)
{
    session_arm_idle(session);
}

void session_look(struct gb_session *session)
{
    session->last_active_ns = gb_clock_mono_ns();
    session_arm_idle(session);
}

void session_touch(struct gb_session *session)
{
    session_look(session);
    session->last_changed_ns = session->last_active_ns;
}

/* ---- the guest is of no use ---- */

/* Whether the VM can be exchanged for another one without anybody noticing. */
static bool session_is_replaceable(const struct gb_session *session)
{
    return session->state == SESSION_PREPARING && session->source != GB_SOURCE_BOOT &&
           session->source != GB_SOURCE_FORK && !session->asked && session->events.lost != NULL;
}

/* The end of the VM, and of the session unless the VM can be replaced. */
static void session_vm_failed(struct gb_session *session, const char *reason)
{
    if (session_is_replaceable(session))
        gb_guest_kill(session->guest, reason);
    else
        gb_session_close(session, reason);
}

void gb_session_violation(struct gb_session *session, struct gb_err *err)
{
    char reason[GB_ERR_MESSAGE_MAX];

    (void)snprintf(reason, sizeof(reason), "the guest broke the protocol: %.300s", err->message);
    session_vm_failed(session, reason);
    (void)gb_err_set(err, GB_ECLOSED, "%s", reason);
}

static void session_on_failed(void *arg, const struct gb_err *err)
{
    if (!session_rest_failed(arg, err->message))
        session_vm_failed(arg, err->message);
}

/* ---- the way to IDLE ---- */

/* PREPARING ends when nothing is missing. */
static void session_open_when_ready(struct gb_session *session)
{
    if (session->state != SESSION_PREPARING || session->needs != 0)
        return;
    gb_timer_stop(session->prepare_timer);
    session->timing.total_ns = gb_clock_mono_ns() - session->opened_at_ns;
    session->timing.worker_ns = session->timing.total_ns - session->timing.boot_ns;
    session_enter(session, SESSION_IDLE);
    session_touch(session);
    session->events.opened(session->arg, NULL);
    session_cells_pump(session);
}

static void session_on_configured(void *arg, const struct gb_err *err)
{
    struct gb_session *session = arg;

    if (err != NULL) {
        if (!session_is_over(session) && err->code != GB_ECLOSED)
            session_vm_failed(session, err->message);
        return;
    }
    session->needs &= ~(unsigned)SESSION_NEEDS_SETTINGS;
    session_open_when_ready(session);
}

static int session_configure(struct gb_session *session, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf encoded = {0};
    char machine_id[2 * MACHINE_ID_BYTES + 1], hostname[32];
    struct gb_guest_settings settings = {
        .hostname = hostname,
        .machine_id = machine_id,
        .exact_clock = true,
        .resumed = session->source == GB_SOURCE_FORK,
    };
    int r = session_random_hex(MACHINE_ID_BYTES, machine_id, err);

    if (r < 0)
        return r;
    (void)snprintf(hostname, sizeof(hostname), "glassbell-%.6s", session->id + 2);
    settings.env = env_pairs(&session->env, &encoded);
    return gb_guest_configure(session->guest, &settings, session_on_configured, session, err);
}

/* The agent listens, or is HELD and will. */
static void session_begin_preparing(struct gb_session *session)
{
    session_enter(session, SESSION_PREPARING);
    session->timing.boot_ns = gb_clock_mono_ns() - session->opened_at_ns;
    gb_timer_start(session->prepare_timer,
                   session_is_replaceable(session) ? CLONE_TIMEOUT_MS : PREPARE_TIMEOUT_MS);
}

static void session_prepare(struct gb_session *session)
{
    struct gb_err err = {0};

    session_begin_preparing(session);
    if (session_configure(session, &err) < 0)
        gb_session_close(session, err.message);
}

static void session_on_listens(void *arg)
{
    session_prepare(arg);
}

void session_state_lost(struct gb_session *session)
{
    if (session->loss_counted)
        return;
    session->loss_counted = true;
    if (session->incarnation < UINT32_MAX)
        session->incarnation++;
}

static void session_on_ready(void *arg, bool replaced)
{
    struct gb_session *session = arg;

    if (replaced && session->paused) {
        session->restarted = true; /* the loss is counted, or not, by gb_session_go_on() */
    } else if (replaced) {
        if ((session->needs & SESSION_NEEDS_INTERPRETER) == 0)
            session_state_lost(session);
        session->loss_counted = false;
    }
    session->needs &= ~(unsigned)SESSION_NEEDS_INTERPRETER;
    session_open_when_ready(session);
}

static void session_on_listening(void *arg, const uint16_t *ports, unsigned count)
{
    struct gb_session *session = arg;

    if (session->events.listening != NULL)
        session->events.listening(session->arg, ports, count);
}

static void session_on_network_lost(void *arg)
{
    struct gb_session *session = arg;

    if (session->events.network_lost != NULL)
        session->events.network_lost(session->arg);
}

static void session_on_background(void *arg, uint32_t cell, enum gb_output stream,
                                  struct gb_bytes bytes)
{
    struct gb_session *session = arg;

    if (session->events.background != NULL)
        session->events.background(session->arg, cell, stream, bytes);
}

/* ---- the end ---- */

/* Ends the session once no VM is left and no answer is awaited. May free the session. */
static void session_end_when_due(void *arg)
{
    struct gb_session *session = arg;

    if (session->state != SESSION_ENDING || gb_guest_vm(session->guest) != NULL ||
        (session->needs & SESSION_NEEDS_DIGESTS) != 0)
        return;
    session_enter(session, SESSION_CLOSED);
    if (!session_was_open(session)) {
        if (session->why.code == GB_ECLOSED)
            session->why.code = GB_EBOOT;
        session->events.opened(session->arg, &session->why);
    }
    session_cells_fail(session, &session->why);
    gb_guest_fail_requests(session->guest, &session->why);
    session->events.closed(session->arg, &session->why);
}

/* The digests were verified during the boot: nothing has run for anybody yet. */
static void session_on_verified(void *arg, const struct gb_err *err)
{
    struct gb_session *session = arg;

    session->needs &= ~(unsigned)SESSION_NEEDS_DIGESTS;
    if (err != NULL) {
        gb_session_close(session, err->message);
        session->why = *err;
    }
    if (session_is_over(session))
        session_end_when_due(session);
    else
        session_open_when_ready(session);
}

static void session_on_dead(void *arg, const struct gb_err *why)
{
    struct gb_session *session = arg;

    gb_timer_stop(session->prepare_timer);
    if (session->state == SESSION_ASLEEP)
        return; /* it was to get that VM, and lives on without */
    if (session_rest_dead(session))
        return;
    if (session_is_replaceable(session)) {
        gb_guest_drop_requests(session->guest);
        session_enter(session, SESSION_WITHOUT_VM);
        if (session->events.lost(session->arg, why))
            return;
    }
    /* The original cause says more than how the process ended. */
    if (session->why.code == GB_OK)
        session->why = *why;
    if (!session_is_over(session))
        session_enter(session, SESSION_ENDING);
    gb_timer_stop(session->idle_timer);
    gb_timer_stop(session->lifetime_timer);
    /* If a guest failed to start, a damaged image may be the cause: it is worth waiting for that
     * result. */
    session_end_when_due(session);
}

static void session_expire(struct gb_session *session, const char *reason)
{
    if (session_is_over(session))
        return;
    session->expired = true;
    gb_session_close(session, reason);
}

static void session_on_idle(void *arg)
{
    struct gb_session *session = arg;

    if (session->state == SESSION_ASLEEP)
        session_expire(session,
                       "it was asleep for longer than the settings allow ([past] asleep), or "
                       "than its idle time");
    else if (!gb_list_empty(&session->queue))
        session_arm_idle(session); /* a cell waits until it may be sent */
    else if (session->events.expiring == NULL || !session->events.expiring(session->arg))
        session_expire(session, "it was not used for longer than its idle time");
}

static void session_on_lifetime(void *arg)
{
    session_expire(arg, "its lifetime is over");
}

static void session_on_prepare_deadline(void *arg)
{
    session_vm_failed(arg, "the interpreter did not start in time");
}

/* ---- life ---- */

static const struct gb_guest_events session_guest_events = {
    .listens = session_on_listens,
    .ready = session_on_ready,
    .output = session_cell_output,
    .display = session_cell_display,
    .waiting = session_cell_waiting,
    .done = session_cell_done,
    .background = session_on_background,
    .listening = session_on_listening,
    .network_lost = session_on_network_lost,
    .request_ended = session_request_ended,
    .failed = session_on_failed,
    .dead = session_on_dead,
};

/* Without an id. */
static struct gb_session *session_make(struct gb_host *host, const struct gb_session_config *config,
                                       const struct gb_session_events *events, void *arg)
{
    struct gb_session *session = xcalloc(1, sizeof(*session));

    session->host = host;
    session->image = config->image;
    session->events = *events;
    session->arg = arg;
    session->memory_mb = config->memory_mb > 0 ? config->memory_mb : config->image->memory_mb;
    session->timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : GB_TIMEOUT_DEFAULT_MS;
    session->idle_ms = config->idle_ms;
    session->lifetime_ms = config->lifetime_ms;
    session->env = env_copy(config->env);
    session->cells_before = session->cells_numbered = config->cells;
    session->incarnation = 1;
    session->epoch = 1;
    session->opened_at_ns = session->last_active_ns = session->last_changed_ns = gb_clock_mono_ns();
    gb_list_init(&session->queue);
    gb_list_init(&session->queries);
    session->guest = gb_guest_new(host->loop, session->id, &session_guest_events, session);
    session->idle_timer = gb_timer_new(host->loop, session_on_idle, session);
    session->lifetime_timer = gb_timer_new(host->loop, session_on_lifetime, session);
    session->prepare_timer = gb_timer_new(host->loop, session_on_prepare_deadline, session);
    return session;
}

static void session_arm_lifetime(struct gb_session *session, uint64_t left_ms)
{
    if (left_ms == 0)
        return;
    session->lifetime_end_ns = session->opened_at_ns + left_ms * GB_NS_PER_MS;
    gb_timer_start(session->lifetime_timer, left_ms);
}

int gb_session_new(struct gb_host *host, const struct gb_session_config *config,
                   const struct gb_session_events *events, void *arg,
                   struct gb_session **ret_session, struct gb_err *err)
{
    struct gb_session *session = session_make(host, config, events, arg);
    int r;

    (void)snprintf(session->id, sizeof(session->id), "s-");
    r = session_random_hex(SESSION_ID_BYTES, session->id + 2, err);
    if (r == 0)
        r = gb_verify_start(host->loop, host->images, session->image, &session->verify,
                            session_on_verified, session, err);
    if (r < 0) {
        gb_session_free(session);
        return r;
    }
    session->needs = r == 0 ? SESSION_NEEDS_DIGESTS : 0;
    session_arm_lifetime(session, session->lifetime_ms);
    *ret_session = session;
    return 0;
}

int gb_session_restore(struct gb_host *host, const struct gb_session_config *config,
                       const struct gb_session_restored *restored,
                       const struct gb_session_events *events, void *arg,
                       struct gb_session **ret_session, struct gb_err *err)
{
    struct gb_session *session;

    if (strlen(restored->id) != sizeof(session->id) - 1 || strncmp(restored->id, "s-", 2) != 0 ||
        strspn(restored->id + 2, "0123456789abcdef") != 2 * SESSION_ID_BYTES)
        return gb_err_set(err, GB_EINVALID, "%.40s is not the id of a session", restored->id);
    session = session_make(host, config, events, arg);
    memcpy(session->id, restored->id, sizeof(session->id));
    session->cells_numbered = restored->cells;
    session->incarnation = restored->incarnation;
    session->epoch = restored->epoch;
    session->source = GB_SOURCE_TEMPLATE;
    session->asked = true;
    session->asleep_ms = restored->asleep_left_ms;
    session_enter(session, SESSION_ASLEEP);
    session_arm_lifetime(session, restored->lifetime_left_ms);
    *ret_session = session;
    return 0;
}

int gb_session_boot(struct gb_session *session, struct gb_err *err)
{
    const struct gb_vm_config config = {
        .image = session->image, .memory_mb = session->memory_mb, .ram = GB_RAM_ANONYMOUS};
    int r;

    if (session_is_over(session))
        return gb_err_set(err, GB_ECLOSED, "the session has ended");
    r = gb_guest_start(session->guest, session->host, &config, err);
    if (r < 0)
        return r;
    session->source = GB_SOURCE_BOOT;
    session->needs |= SESSION_NEEDS_SETTINGS | SESSION_NEEDS_INTERPRETER;
    session_enter(session, SESSION_BOOTING);
    return 0;
}

void gb_session_adopt(struct gb_session *session, struct gb_guest *guest, enum gb_source source)
{
    assert(source != GB_SOURCE_BOOT && session->state != SESSION_CLOSED);
    gb_guest_adopt(session->guest, guest);
    if (session_is_over(session)) {
        gb_guest_kill(session->guest, session->why.message);
        return;
    }
    session->source = source;
    session->loss_counted = false;
    session->needs |= SESSION_NEEDS_SETTINGS;
    session->needs &= ~(unsigned)SESSION_NEEDS_INTERPRETER;
    session_prepare(session);
}

static void session_on_resumed(void *arg, const struct gb_err *err)
{
    struct gb_session *session = arg;
    struct gb_err problem = {0};

    if (session_is_over(session))
        return;
    if (err != NULL || session_configure(session, &problem) < 0)
        session_vm_failed(session, err != NULL ? err->message : problem.message);
}

void gb_session_fork(struct gb_session *session, struct gb_guest *guest)
{
    assert(session->state != SESSION_CLOSED);
    gb_guest_adopt_held(session->guest, guest, session->cells_before);
    if (session_is_over(session)) {
        gb_guest_kill(session->guest, session->why.message);
        return;
    }
    session->source = GB_SOURCE_FORK;
    session->loss_counted = false;
    session->needs |= SESSION_NEEDS_SETTINGS;
    session->needs &= ~(unsigned)SESSION_NEEDS_INTERPRETER;
    session_begin_preparing(session);
    gb_guest_resume(session->guest, true, session_on_resumed, session);
}

struct gb_session_config gb_session_config_of(const struct gb_session *session)
{
    return (struct gb_session_config){
        .image = session->image,
        .memory_mb = session->memory_mb,
        .timeout_ms = session->timeout_ms,
        .idle_ms = session->idle_ms,
        .lifetime_ms = session->lifetime_ms,
        .env = &session->env,
    };
}

void gb_session_fail(struct gb_session *session, const struct gb_err *err)
{
    if (session_is_over(session))
        return;
    gb_session_close(session, err->message);
    session->why = *err;
}

void gb_session_close(struct gb_session *session, const char *reason)
{
    if (session_is_over(session))
        return;
    (void)gb_err_set(&session->why, GB_ECLOSED, "%s", reason != NULL ? reason : "it was closed");
    session_enter(session, SESSION_ENDING);
    if (gb_guest_vm(session->guest) != NULL) {
        gb_guest_kill(session->guest, session->why.message);
        return;
    }
    gb_verify_cancel(&session->verify);
    session->needs &= ~(unsigned)SESSION_NEEDS_DIGESTS;
    gb_timer_stop(session->lifetime_timer);
    gb_loop_defer(session->host->loop, &session->end, session_end_when_due, session);
}

void gb_session_keep(struct gb_session *session, bool keep)
{
    if (session->kept == keep)
        return;
    session->kept = keep;
    session_look(session);
    session_tell_changed(session);
}

int gb_session_terminal(struct gb_session *session, const struct gb_terminal_config *config,
                        const struct gb_terminal_events *events, void *arg,
                        struct gb_terminal **ret_terminal, struct gb_err *err)
{
    int r = session_check_open(session, err);

    if (r == 0)
        r = gb_terminal_open(session->guest, config, events, arg, ret_terminal, err);
    if (r < 0)
        return r;
    session->asked = true;
    session->terminals++;
    session_touch(session);
    session_want(session);
    session_tell_changed(session);
    return 0;
}

void gb_session_terminal_over(struct gb_session *session)
{
    assert(session->terminals > 0);
    session->terminals--;
    session_touch(session);
    session_tell_changed(session);
    session_tell_rested(session);
}

void gb_session_free(struct gb_session *session)
{
    if (session == NULL)
        return;
    gb_loop_undefer(&session->pump);
    gb_loop_undefer(&session->drop);
    gb_loop_undefer(&session->refuse);
    gb_loop_undefer(&session->end);
    gb_verify_cancel(&session->verify);
    gb_timer_free(session->idle_timer);
    gb_timer_free(session->lifetime_timer);
    gb_timer_free(session->prepare_timer);
    gb_guest_free(session->guest);
    session_queries_free(session);
    gb_env_release(&session->env);
    free(session);
}

const char *gb_session_id(const struct gb_session *session)
{
    return session->id;
}

enum gb_session_state gb_session_state(const struct gb_session *session)
{
    enum session_state state = session->state;

    return session_state_shown(state == SESSION_ENDING ? session->ended_from : state);
}

const struct gb_image *gb_session_image(const struct gb_session *session)
{
    return session->image;
}

struct gb_vm *gb_session_vm(struct gb_session *session)
{
    return gb_guest_vm(session->guest);
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

uint32_t gb_session_cells_sent(const struct gb_session *session)
{
    const struct cell *first;

    if (gb_list_empty(&session->queue))
        return session->cells_numbered;
    first = container_of(session->queue.next, struct cell, link);
    return first->shown.number - 1;
}

uint32_t gb_session_memory_mb(const struct gb_session *session)
{
    return session->memory_mb;
}

uint64_t gb_session_last_active_ns(const struct gb_session *session)
{
    return session->last_active_ns;
}

uint64_t gb_session_last_changed_ns(const struct gb_session *session)
{
    return session->last_changed_ns;
}

uint64_t gb_session_expires_ns(const struct gb_session *session)
{
    uint64_t idle_end = session->last_active_ns + session->idle_ms * GB_NS_PER_MS;

    if (session->state == SESSION_ASLEEP && session->asleep_ms > 0)
        return session->lifetime_end_ns == 0
                   ? session->asleep_end_ns
                   : MIN(session->asleep_end_ns, session->lifetime_end_ns);
    if (session->idle_ms == 0 || gb_session_state(session) != GB_SESSION_IDLE || session->kept ||
        session->terminals > 0)
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
