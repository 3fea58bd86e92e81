/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as the server keeps them: open, attach, look at, close, and what is left of them.
 *
 * Theory of operation. A seat is made with its session and goes with the session's `closed`, which
 * the session tells after everything that was under way in it. Until then it may be *closing*:
 * asked to end, but with a VM that has not been reaped; it takes no calls any more and no longer
 * counts for its key. Those who wait for it stand in two queues: openers, answered by `opened`, and
 * closers, answered by `closed`. What remains is a tombstone in a ring, so that a late call learns
 * why the session is gone, and the next session with its key learns what became of this one.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/internal.h"

enum { STAT_DEADLINE_MS = 1000, REASON_MAX = 80, SAMPLE_BUDGET_MS = 20 };

static char *copy_name(struct gb_bytes name)
{
    return name.data == NULL ? NULL : xstrndup((const char *)name.data, name.size);
}

uint32_t seat_incarnation(const struct seat *seat)
{
    return seat->incarnation_before + gb_session_incarnation(seat->session);
}

/* ---- those that have ended ---- */

void bury(struct gb_server *server, const char *id, const char *key, uint32_t incarnation,
          const char *reason, const struct gb_err *why)
{
    struct tombstone *stone = &server->tombstones[server->tombstone_next];

    server->tombstone_next = (server->tombstone_next + 1) % GB_TOMBSTONES_MAX;
    free(stone->id);
    free(stone->key);
    stone->id = xstrdup(id);
    stone->key = key == NULL ? NULL : xstrdup(key);
    stone->incarnation = incarnation;
    stone->reason = reason;
    stone->why = *why;
}

/* The newest that @matches. */
static const struct tombstone *find_stone(const struct gb_server *server, struct gb_bytes name,
                                          bool by_key)
{
    for (size_t i = 0; i < GB_TOMBSTONES_MAX; i++) {
        size_t at = (server->tombstone_next + GB_TOMBSTONES_MAX - 1 - i) % GB_TOMBSTONES_MAX;
        const struct tombstone *stone = &server->tombstones[at];
        const char *text = by_key ? stone->key : stone->id;

        if (text != NULL && gb_bytes_equal(name, text))
            return stone;
    }
    return NULL;
}

/* ---- those that are open ---- */

static struct seat *lookup(struct gb_server *server, struct gb_bytes id)
{
    struct seat *seat;

    GB_LIST_FOREACH(seat, &server->seats, link)
        if (gb_bytes_equal(id, gb_session_id(seat->session)))
            return seat;
    return NULL;
}

struct seat *seat_find(struct gb_server *server, struct gb_bytes id, struct gb_err *err)
{
    struct seat *seat = lookup(server, id);
    const struct gb_journal_session *past = NULL;
    const struct tombstone *stone;

    if (seat != NULL && !seat->closing && !seat->ended)
        return seat;
    stone = find_stone(server, id, false);
    if (stone == NULL && seat == NULL && server->journal != NULL)
        past = gb_journal_find(server->journal, id);
    if (stone != NULL)
        (void)gb_err_set(err, GB_ECLOSED, "the session has ended: %.300s", stone->why.message);
    else if (seat != NULL)
        (void)gb_err_set(err, GB_ECLOSED, "the session is being closed");
    else if (past != NULL)
        (void)gb_err_set(err, GB_ECLOSED, "the session has ended: %.300s", past->message);
    else
        (void)gb_err_set(err, GB_ENOTFOUND, "there is no session \"%.*s\"",
                         (int)MIN(id.size, (size_t)REASON_MAX), (const char *)id.data);
    return NULL;
}

static struct seat *find_by_key(struct gb_server *server, struct gb_bytes key, bool closing)
{
    struct seat *seat;

    GB_LIST_FOREACH(seat, &server->seats, link)
        if (seat->key != NULL && seat->closing == closing && gb_bytes_equal(key, seat->key))
            return seat;
    return NULL;
}

void seat_close(struct seat *seat, const char *end, const char *reason)
{
    if (seat->closing)
        return;
    seat->closing = true;
    seat->end = end;
    gb_session_close(seat->session, reason);
}

void put_timing(struct gb_json_out *out, const struct seat *seat)
{
    struct gb_session_timing timing = gb_session_timing(seat->session);

    gb_json_object(out, "timing");
    gb_json_put_ms(out, "total_ms", timing.total_ns);
    gb_json_put_ms(out, "admission_ms", gb_start_admission_ns(&seat->start));
    gb_json_put_ms(out, "boot_ms", timing.boot_ns);
    gb_json_put_ms(out, "worker_ms", timing.worker_ns);
    gb_json_end(out);
}

static void reply_opened(struct request *request, const struct seat *seat, bool created)
{
    struct reply reply;

    reply_begin(&reply, request);
    gb_json_put_str(&reply.out, "session", gb_session_id(seat->session));
    gb_json_put_bool(&reply.out, "created", created);
    gb_json_put_u64(&reply.out, "incarnation", seat_incarnation(seat));
    gb_json_put_str(&reply.out, "reason", created ? seat->reason : "attached");
    gb_json_put_str(&reply.out, "source", gb_source_name(gb_session_source(seat->session)));
    put_timing(&reply.out, seat);
    reply_end(&reply);
}

void seat_refuse(struct seat *seat, struct request *request, const struct gb_err *err)
{
    struct gb_err told = *err;

    room_explain(seat->server, &told);
    request_fail_with(request, &told, put_shortage, seat);
}

/* ---- events of the session ---- */

static void on_opened(void *arg, const struct gb_err *err)
{
    struct seat *seat = arg;
    struct gb_list *link;

    if (err == NULL) {
        seat->opened = true;
        gb_start_settle(&seat->start);
        histogram_add(&seat->server->open_times, gb_clock_mono_ns() - seat->opened_ns);
    }
    while ((link = gb_list_pop(&seat->openers)) != NULL) {
        struct request *request = container_of(link, struct request, wait);

        if (err == NULL)
            reply_opened(request, seat, request->arg == seat);
        else if (err->code != GB_ECAPACITY)
            request_fail(request, err);
        else
            seat_refuse(seat, request, err);
    }
}

static void on_changed(void *arg)
{
    struct seat *seat = arg;

    if (!seat->closing)
        event_session(seat, EVENT_SESSION_CHANGED);
}

static void on_background(void *arg, uint32_t cell, enum gb_output stream, struct gb_bytes bytes)
{
    background_output(arg, cell, stream, bytes);
}

static bool on_lost(void *arg, const struct gb_err *why)
{
    struct seat *seat = arg;

    return gb_start_again(&seat->start, why);
}

/* The session closes itself when it was idle too long or is too old, and else only by the death of
 * its VM. */
static const char *own_end(const struct seat *seat)
{
    return gb_session_expired(seat->session) ? "expired" : "crashed";
}

static void on_closed(void *arg, const struct gb_err *why)
{
    struct seat *seat = arg;

    assert(gb_list_empty(&seat->openers));
    if (seat->end == NULL)
        seat->end = own_end(seat);
    seat->closing = true;
    seat->ended = true;
    seat->why = *why;
    gb_start_cancel(&seat->start);
    seat_exec_gone(seat);
}

/* Everything of the session has been told and recorded but its end. */
static void end_seat(struct seat *seat)
{
    struct gb_server *server = seat->server;
    const struct gb_err *why = &seat->why;
    struct gb_list *link;

    gb_info("%s: %s: %s", gb_session_id(seat->session), seat->end, why->message);
    while ((link = gb_list_pop(&seat->closers)) != NULL)
        request_ok(container_of(link, struct request, wait));
    upload_drop_all(&seat->uploads, false);
    lease_release(seat, why);
    while ((link = gb_list_pop(&seat->followers)) != NULL)
        follower_free(container_of(link, struct follower, of_seat));
    background_release(seat);
    history_session(seat, why);
    event_closed(seat, why);
    bury(server, gb_session_id(seat->session), seat->key, seat_incarnation(seat), seat->end, why);
    gb_list_remove(&seat->link);
    server->seat_count--;
    gb_session_free(seat->session);
    free(seat->key);
    free(seat->label);
    free(seat->owner);
    free(seat->client);
    free(seat);
    server_progress(server);
}

void seat_exec_gone(struct seat *seat)
{
    if (seat->ended && gb_list_empty(&seat->execs))
        end_seat(seat);
}

/* ---- open ---- */

/* What one could have meant. */
static void refuse_image(const struct gb_images *images, const char *name, struct gb_err *err)
{
    struct gb_buf names = {0};

    for (size_t i = 0; i < images->count; i++)
        gb_buf_addf(&names, "%s%s", i > 0 ? ", " : "", images->images[i].name);
    if (images->count == 0)
        (void)gb_err_set(err, GB_EIMAGE,
                         "there is no image \"%.64s\", and no other: `glassbell image build` makes "
                         "them",
                         name);
    else
        (void)gb_err_set(
            err, GB_EIMAGE,
            "there is no image \"%.64s\"; there are %.300s (`glassbell image ls`), and "
            "`glassbell image build NAME` makes more",
            name, gb_buf_str(&names));
    gb_buf_release(&names);
}

struct gb_image *seat_image(const struct gb_server *server, struct gb_bytes name,
                            struct gb_err *err)
{
    _cleanup_(freep) char *text = name.data == NULL ? xstrdup("python") : copy_name(name);
    struct gb_image *image = gb_host_find_image(server->host, text);

    if (image != NULL)
        return image;
    refuse_image(server->host->images, text, err);
    return NULL;
}

int seat_check_memory(int64_t memory_mb, struct gb_err *err)
{
    struct sysinfo info;
    uint64_t host_mb;

    if (memory_mb == 0 || sysinfo(&info) < 0)
        return 0;
    host_mb = (uint64_t)info.totalram * info.mem_unit >> 20;
    if ((uint64_t)memory_mb <= host_mb)
        return 0;
    return gb_err_set(err, GB_EINVALID,
                      "memory_mb must be between 64 and %llu, which is all that this host has",
                      (unsigned long long)host_mb);
}

static int check_network(const struct gb_json *network, struct gb_err *err)
{
    const struct gb_json *mode;

    if (network == NULL ||
        (network->type == GB_JSON_STRING && gb_bytes_equal(network->text, "none")))
        return 0;
    mode = gb_json_member(network, "mode");
    if (network->type == GB_JSON_OBJECT && network->count == 1 && mode != NULL &&
        mode->type == GB_JSON_STRING && gb_bytes_equal(mode->text, "none"))
        return 0;
    return gb_err_set(err, GB_EUNSUPPORTED,
                      "this version gives no network to VMs: leave `network` out, or say \"none\"");
}

int params_env(const struct gb_json *object, struct gb_env *env, struct gb_err *err)
{
    const struct gb_json *child;
    int r = 0;

    if (object == NULL)
        return 0;
    child = gb_json_first(object);
    for (uint32_t i = 0; i < object->count && r == 0; i++, child = gb_json_next(child))
        r = gb_env_add(env, child->key, child->text, err);
    return r;
}

/* Why there is no session with this key any more, and how often its state was lost. */
static void remember(struct gb_server *server, struct seat *seat, struct gb_bytes key)
{
    const struct seat *before;
    const struct tombstone *stone;

    seat->reason = "new";
    if (key.data == NULL)
        return;
    before = find_by_key(server, key, true);
    stone = find_stone(server, key, true);
    if (before != NULL) {
        seat->reason = before->end;
        seat->incarnation_before = seat_incarnation(before);
    } else if (stone != NULL) {
        seat->reason = stone->reason;
        seat->incarnation_before = stone->incarnation;
    }
}

bool same_client(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* A client is who says the same name in `hello`; those without a name are one. */
static int check_quota(const struct gb_server *server, const char *client, struct gb_err *err)
{
    int64_t quota = server->settings.sessions.per_client, count = 0;
    const struct seat *seat;

    if (quota == 0)
        return 0;
    GB_LIST_FOREACH(seat, &server->seats, link)
        count += !seat->closing && same_client(seat->client, client);
    if (count < quota)
        return 0;
    return gb_err_set(err, GB_ECAPACITY,
                      "%.128s has %lld sessions open, and the settings allow it no more "
                      "([sessions] per_client)",
                      client == NULL ? "a client without a name" : client, (long long)count);
}

int check_cell_quota(const struct connection *connection, struct gb_err *err)
{
    const struct gb_server *server = connection->server;
    int64_t quota = server->settings.sessions.cells_per_client, count = 0;
    const struct seat *seat;
    const struct exec *exec;

    if (quota == 0)
        return 0;
    GB_LIST_FOREACH(seat, &server->seats, link) {
        for (const struct gb_list *at = seat->execs.next; at != &seat->execs; at = at->next) {
            exec = container_of((struct gb_list *)(uintptr_t)at, struct exec, of_seat);
            count += same_client(exec->client, connection->client);
        }
        count += (int64_t)lease_waiting(seat, connection->client);
    }
    if (count < quota)
        return 0;
    return gb_err_set(err, GB_EBUSY,
                      "%.128s has %lld cells under way, and the settings allow it no more "
                      "([sessions] cells_per_client)",
                      connection->client == NULL ? "a client without a name" : connection->client,
                      (long long)count);
}

int seat_open(struct connection *connection, const struct gb_params *params, bool run,
              struct seat **ret_seat, struct gb_err *err)
{
    struct gb_server *server = connection->server;
    static const struct gb_session_events events = {.opened = on_opened,
                                                    .changed = on_changed,
                                                    .background = on_background,
                                                    .lost = on_lost,
                                                    .closed = on_closed};
    _cleanup_(gb_env_release) struct gb_env env = {0};
    struct gb_session_config config = {.env = &env};
    const struct gb_settings_sessions *settings = &server->settings.sessions;
    struct gb_session *session;
    struct seat *seat;
    int r = server_check_open(server, err);

    if (r == 0 && (config.image = seat_image(server, params->image, err)) == NULL)
        r = -(int)err->code;
    if (r == 0)
        r = seat_check_memory(params->memory_mb, err);
    if (r == 0)
        r = check_network(params->network, err);
    if (r == 0 && !run)
        r = params_env(params->env, &env, err);
    if (r == 0 && server->seat_count >= (size_t)settings->maximum)
        r = gb_err_set(err, GB_ECAPACITY,
                       "%zu session%s open, and the settings allow no more ([sessions] maximum)",
                       server->seat_count, server->seat_count == 1 ? " is" : "s are");
    if (r == 0)
        r = check_quota(server, connection->client, err);
    if (r < 0)
        return r;
    config.memory_mb = (uint32_t)params->memory_mb;
    config.timeout_ms =
        (uint32_t)(params->timeout_ms > 0 ? (uint64_t)params->timeout_ms : settings->timeout_ms);
    if (!run) {
        config.idle_ms = params->idle_ms >= 0 ? (uint64_t)params->idle_ms : settings->idle_ms;
        config.lifetime_ms =
            params->lifetime_ms >= 0 ? (uint64_t)params->lifetime_ms : settings->lifetime_ms;
    }
    seat = xcalloc(1, sizeof(*seat));
    r = gb_session_new(server->host, &config, &events, seat, &session, err);
    if (r < 0) {
        free(seat);
        return r;
    }
    seat->server = server;
    seat->session = session;
    seat->run = run;
    seat->opened_ns = gb_clock_mono_ns();
    seat->created_at_ns = gb_clock_wall_ns();
    seat->label = copy_name(params->label);
    seat->owner = copy_name(params->owner);
    seat->client = connection->client == NULL ? NULL : xstrdup(connection->client);
    gb_list_init(&seat->openers);
    gb_list_init(&seat->closers);
    gb_list_init(&seat->execs);
    gb_list_init(&seat->uploads);
    gb_list_init(&seat->followers);
    gb_list_init(&seat->lease_waiters);
    remember(server, seat, params->key);
    seat->key = copy_name(params->key);
    gb_list_add_tail(&server->seats, &seat->link);
    server->seat_count++;
    server->opened++;
    history_session(seat, NULL);
    event_session(seat, EVENT_SESSION_OPENED);
    figures_begin(seat->server);
    gb_start_begin(&seat->start, server->room->pool, session,
                   params->wait_ms >= 0 ? (uint64_t)params->wait_ms
                                        : server->settings.admission.wait_ms);
    *ret_seat = seat;
    return 0;
}

/* Nobody would know the id of a session without a key whose opener has gone. */
static void opener_gone(struct request *request)
{
    struct seat *seat = request->arg;

    gb_list_remove(&request->wait);
    if (seat != NULL && seat->key == NULL && !seat->opened)
        seat_close(seat, "closed", "the client that opened it went away");
}

/* Attaches to the session with the key. 1: done; 0: there is none. */
static int attach(struct request *request, const struct gb_params *params, struct gb_err *err)
{
    struct gb_server *server = request->connection->server;
    struct seat *seat;
    const struct gb_image *image;

    if (params->key.data == NULL || (seat = find_by_key(server, params->key, false)) == NULL)
        return 0;
    image = gb_session_image(seat->session);
    if (params->image.data != NULL && seat_image(server, params->image, err) != image)
        return gb_err_set(err, GB_EINVALID,
                          "the session with the key \"%s\" is one of the image %s", seat->key,
                          image->name);
    if (seat->opened) {
        reply_opened(request, seat, false);
        return 1;
    }
    /* Its start is awaited like by the one who asked first; arg stays NULL: it did not create it.
     */
    request->abandon = opener_gone;
    gb_list_add_tail(&seat->openers, &request->wait);
    return 1;
}

void handle_open(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct seat *seat = NULL;
    int r = server_check_open(request->connection->server, &err);

    if (r == 0)
        r = attach(request, params, &err);
    if (r == 1)
        return;
    if (r == 0)
        r = seat_open(request->connection, params, false, &seat, &err);
    if (r < 0) {
        request_fail(request, &err);
        return;
    }
    assert(seat != NULL);
    request->arg = seat;
    request->abandon = opener_gone;
    gb_list_add_tail(&seat->openers, &request->wait);
}

/* ---- look ---- */

static void put_wall(struct gb_json_out *out, const char *key, uint64_t mono_ns)
{
    /* Both clocks now: the wall clock may have been set since. */
    uint64_t now = gb_clock_mono_ns(), wall = gb_clock_wall_ns();

    gb_json_put_seconds(out, key, mono_ns > now ? wall + (mono_ns - now) : wall - (now - mono_ns));
}

uint64_t sample_budget(void)
{
    return gb_clock_mono_ns() + SAMPLE_BUDGET_MS * GB_NS_PER_MS;
}

const struct gb_vm_sample *seat_sample(struct seat *seat, uint64_t until_ns)
{
    struct gb_vm *vm = gb_session_vm(seat->session);

    return vm != NULL ? gb_vm_look(vm, until_ns) : NULL;
}

void put_sample(struct gb_json_out *out, struct seat *seat, uint64_t until_ns)
{
    const struct gb_vm_sample *sample = seat_sample(seat, until_ns);

    if (sample != NULL) {
        gb_json_put_u64(out, "memory_bytes", sample->pss_bytes);
        gb_json_put_ms(out, "cpu_ms", sample->cpu_ns);
    } else {
        gb_json_put_null(out, "memory_bytes");
        gb_json_put_null(out, "cpu_ms");
    }
    if (seat->has_status) {
        gb_json_object(out, "guest_memory");
        gb_json_put_u64(out, "total", seat->guest_total);
        gb_json_put_u64(out, "used", seat->guest_used);
        gb_json_end(out);
    } else {
        gb_json_put_null(out, "guest_memory");
    }
}

void put_session(struct gb_json_out *out, struct seat *seat, uint64_t until_ns)
{
    struct gb_session *session = seat->session;
    const struct gb_image *image = gb_session_image(session);
    uint64_t expires = gb_session_expires_ns(session);

    gb_json_put_str(out, "session", gb_session_id(session));
    gb_json_put_str(out, "key", seat->key);
    gb_json_put_str(out, "label", seat->label);
    gb_json_put_str(out, "owner", seat->owner);
    gb_json_put_str(out, "image", image->name);
    gb_json_put_str(out, "language", image->language);
    gb_json_put_str(out, "state", gb_session_state_name(gb_session_state(session)));
    gb_json_put_bool(out, "run", seat->run);
    gb_json_put_u64(out, "incarnation", seat_incarnation(seat));
    gb_json_put_u64(out, "cells", gb_session_cells(session));
    gb_json_put_u64(out, "queued", gb_session_waiting(session));
    gb_json_put_seconds(out, "created_at", seat->created_at_ns);
    put_wall(out, "last_active_at", gb_session_last_active_ns(session));
    gb_json_put_u64(out, "memory_mb", gb_session_memory_mb(session));
    put_sample(out, seat, until_ns);
    put_lease(out, seat);
    put_session_waiting(out, seat);
    gb_json_put_bool(out, "failed", seat->failed);
    gb_json_put_str(out, "source", gb_source_name(gb_session_source(session)));
    gb_json_put_str(out, "network", "none");
    if (expires > 0)
        put_wall(out, "expires_at", expires);
    else
        gb_json_put_null(out, "expires_at");
}

static void reply_session(struct request *request, struct seat *seat)
{
    struct reply reply;

    reply_begin(&reply, request);
    put_session(&reply.out, seat, sample_budget());
    reply_end(&reply);
}

void seat_status(struct seat *seat, const struct gb_status *status)
{
    seat->has_status = true;
    seat->guest_total = status->memory_total;
    seat->guest_used = status->memory_used;
}

static void on_status(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct request *request = arg;
    struct seat *seat = request->arg;
    struct gb_status status;
    struct gb_err bad = {0};

    (void)err; /* a guest that does not answer in time is shown as it was last known */
    if (frame != NULL && gb_fields_decode(&gb_status_fields, frame->payload, &status, &bad) == 0)
        seat_status(seat, &status);
    else if (frame != NULL)
        gb_session_violation(seat->session, &bad);
    reply_session(request, seat);
}

static void asker_gone(struct request *request)
{
    gb_session_forget(((struct seat *)request->arg)->session, request);
}

void handle_get(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct seat *seat = seat_find(request->connection->server, params->session, &err);

    if (seat == NULL) {
        request_fail(request, &err);
        return;
    }
    request->arg = seat;
    if (!seat->opened || gb_session_request(seat->session, GB_GUEST_STAT, NULL, NULL,
                                            STAT_DEADLINE_MS, on_status, request, NULL) < 0)
        reply_session(request, seat);
    else
        request->abandon = asker_gone;
}

bool selected(struct gb_bytes wanted, const char *value)
{
    return wanted.data == NULL || (value != NULL && gb_bytes_equal(wanted, value));
}

void handle_list(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct reply reply;
    struct seat *seat;

    reply_begin(&reply, request);
    gb_json_array(&reply.out, "sessions");
    if (list_past(&reply.out, server, params)) {
        gb_json_end(&reply.out);
        reply_end(&reply);
        return;
    }
    figures_look(server);
    GB_LIST_FOREACH(seat, &server->seats, link) {
        if (seat->closing || !selected(params->key, seat->key) ||
            !selected(params->label, seat->label) || !selected(params->owner, seat->owner) ||
            !selected(params->image, gb_session_image(seat->session)->name) ||
            !selected(params->state, gb_session_state_name(gb_session_state(seat->session))))
            continue;
        gb_json_object(&reply.out, NULL);
        put_session(&reply.out, seat, 0);
        gb_json_end(&reply.out);
    }
    gb_json_end(&reply.out);
    reply_end(&reply);
}

/* ---- close ---- */

void handle_close(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct seat *seat = lookup(server, params->session);
    struct gb_err err = {0};

    if (seat != NULL) {
        gb_list_add_tail(&seat->closers, &request->wait);
        seat_close(seat, "closed", "it was closed");
    } else if (find_stone(server, params->session, false) != NULL) {
        request_ok(request);
    } else {
        (void)seat_find(server, params->session, &err);
        request_fail(request, &err);
    }
}
