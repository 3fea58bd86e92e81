/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as the server keeps them: open, attach, look at, close, and what is left of them.
 *
 * Theory of operation. A hosted is made with its session and goes with the session's `closed`,
 * which the session tells after everything that was under way in it. Until then it may be
 * *closing*: asked to end, but with a VM that has not been reaped; it takes no calls any more and
 * no longer counts for its key. Those who wait for it stand in two queues: openers, answered by
 * `opened`, and closers, answered by `closed`. What remains is a tombstone in a ring, so that a
 * late call learns why the session is gone, and the next session with its key learns what became of
 * this one.
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

uint32_t hosted_incarnation(const struct hosted *hosted)
{
    return hosted->incarnation_before + gb_session_incarnation(hosted->session);
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

static struct hosted *lookup(struct gb_server *server, struct gb_bytes id)
{
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link)
        if (gb_bytes_equal(id, gb_session_id(hosted->session)))
            return hosted;
    return NULL;
}

struct hosted *hosted_find(struct gb_server *server, struct gb_bytes id, struct gb_err *err)
{
    struct hosted *hosted = lookup(server, id);
    const struct gb_journal_session *past = NULL;
    const struct tombstone *stone;

    if (hosted != NULL && !hosted->closing && !hosted->ended)
        return hosted;
    stone = find_stone(server, id, false);
    if (stone == NULL && hosted == NULL && server->journal != NULL)
        past = gb_journal_find(server->journal, id);
    if (stone != NULL)
        (void)gb_err_set(err, GB_ECLOSED, "the session has ended: %.300s", stone->why.message);
    else if (hosted != NULL)
        (void)gb_err_set(err, GB_ECLOSED, "the session is being closed");
    else if (past != NULL)
        (void)gb_err_set(err, GB_ECLOSED, "the session has ended: %.300s", past->message);
    else
        (void)gb_err_set(err, GB_ENOTFOUND, "there is no session \"%.*s\"",
                         (int)MIN(id.size, (size_t)REASON_MAX), (const char *)id.data);
    return NULL;
}

static struct hosted *find_by_key(struct gb_server *server, struct gb_bytes key, bool closing)
{
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link)
        if (hosted->key != NULL && hosted->closing == closing && gb_bytes_equal(key, hosted->key))
            return hosted;
    return NULL;
}

void hosted_close(struct hosted *hosted, const char *end, const char *reason)
{
    if (hosted->closing)
        return;
    hosted->closing = true;
    hosted->end = end;
    gb_session_close(hosted->session, reason);
}

void put_timing(struct gb_json_out *out, const struct hosted *hosted)
{
    struct gb_session_timing timing = gb_session_timing(hosted->session);

    gb_json_object(out, "timing");
    gb_json_put_ms(out, "total_ms", timing.total_ns);
    gb_json_put_ms(out, "admission_ms", gb_start_admission_ns(&hosted->start));
    gb_json_put_ms(out, "boot_ms", timing.boot_ns);
    gb_json_put_ms(out, "worker_ms", timing.worker_ns);
    gb_json_end(out);
}

static void reply_opened(struct request *request, const struct hosted *hosted, bool created)
{
    struct reply reply;

    reply_begin(&reply, request);
    gb_json_put_str(&reply.out, "session", gb_session_id(hosted->session));
    gb_json_put_bool(&reply.out, "created", created);
    gb_json_put_u64(&reply.out, "incarnation", hosted_incarnation(hosted));
    gb_json_put_str(&reply.out, "reason", created ? hosted->reason : "attached");
    gb_json_put_str(&reply.out, "source", gb_source_name(gb_session_source(hosted->session)));
    put_timing(&reply.out, hosted);
    reply_end(&reply);
}

void hosted_refuse(struct hosted *hosted, struct request *request, const struct gb_err *err)
{
    struct gb_err told = *err;

    room_explain(hosted->server, &told);
    request_fail_with(request, &told, put_shortage, hosted);
}

/* ---- events of the session ---- */

static void on_opened(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct gb_list *link;

    if (err == NULL) {
        hosted->opened = true;
        gb_start_settle(&hosted->start);
        histogram_add(&hosted->server->open_times, gb_clock_mono_ns() - hosted->opened_ns);
    }
    while ((link = gb_list_pop(&hosted->openers)) != NULL) {
        struct request *request = container_of(link, struct request, wait);

        if (err == NULL)
            reply_opened(request, hosted, request->arg == hosted);
        else if (err->code != GB_ECAPACITY)
            request_fail(request, err);
        else
            hosted_refuse(hosted, request, err);
    }
}

static void on_changed(void *arg)
{
    struct hosted *hosted = arg;

    if (!hosted->closing)
        event_session(hosted, EVENT_SESSION_CHANGED);
}

static void on_background(void *arg, uint32_t cell, enum gb_output stream, struct gb_bytes bytes)
{
    background_output(arg, cell, stream, bytes);
}

static bool on_lost(void *arg, const struct gb_err *why)
{
    struct hosted *hosted = arg;

    return gb_start_again(&hosted->start, why);
}

/* The session closes itself when it was idle too long or is too old, and else only by the death of
 * its VM. */
static const char *own_end(const struct hosted *hosted)
{
    return gb_session_expired(hosted->session) ? "expired" : "crashed";
}

static void on_closed(void *arg, const struct gb_err *why)
{
    struct hosted *hosted = arg;

    assert(gb_list_empty(&hosted->openers));
    if (hosted->end == NULL)
        hosted->end = own_end(hosted);
    hosted->closing = true;
    hosted->ended = true;
    hosted->why = *why;
    gb_start_cancel(&hosted->start);
    hosted_exec_gone(hosted);
}

/* Everything of the session has been told and recorded but its end. */
static void hosted_end(struct hosted *hosted)
{
    struct gb_server *server = hosted->server;
    const struct gb_err *why = &hosted->why;
    struct gb_list *link;

    gb_info("%s: %s: %s", gb_session_id(hosted->session), hosted->end, why->message);
    while ((link = gb_list_pop(&hosted->closers)) != NULL)
        request_ok(container_of(link, struct request, wait));
    PART_CALL(server, session_ended, hosted, why);
    while ((link = gb_list_pop(&hosted->followers)) != NULL)
        follower_free(container_of(link, struct follower, of_session));
    background_release(hosted);
    history_session(hosted, why);
    event_closed(hosted, why);
    bury(server, gb_session_id(hosted->session), hosted->key, hosted_incarnation(hosted),
         hosted->end, why);
    gb_list_remove(&hosted->link);
    server->session_count--;
    gb_session_free(hosted->session);
    free(hosted->key);
    free(hosted->label);
    free(hosted->owner);
    free(hosted->client);
    free(hosted);
    server_progress(server);
}

void hosted_exec_gone(struct hosted *hosted)
{
    if (hosted->ended && gb_list_empty(&hosted->execs))
        hosted_end(hosted);
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

struct gb_image *hosted_image(const struct gb_server *server, struct gb_bytes name,
                              struct gb_err *err)
{
    _cleanup_(freep) char *text = name.data == NULL ? xstrdup("python") : copy_name(name);
    struct gb_image *image = gb_host_find_image(server->host, text);

    if (image != NULL)
        return image;
    refuse_image(server->host->images, text, err);
    return NULL;
}

int hosted_check_memory(int64_t memory_mb, struct gb_err *err)
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
static void remember(struct gb_server *server, struct hosted *hosted, struct gb_bytes key)
{
    const struct hosted *before;
    const struct tombstone *stone;

    hosted->reason = "new";
    if (key.data == NULL)
        return;
    before = find_by_key(server, key, true);
    stone = find_stone(server, key, true);
    if (before != NULL) {
        hosted->reason = before->end;
        hosted->incarnation_before = hosted_incarnation(before);
    } else if (stone != NULL) {
        hosted->reason = stone->reason;
        hosted->incarnation_before = stone->incarnation;
    }
}

bool client_is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* A client is who says the same name in `hello`; those without a name are one. */
static int check_quota(const struct gb_server *server, const char *client, struct gb_err *err)
{
    int64_t quota = server->settings.sessions.per_client, count = 0;
    const struct hosted *hosted;

    if (quota == 0)
        return 0;
    GB_LIST_FOREACH(hosted, &server->sessions, link)
        count += !hosted->closing && client_is_same(hosted->client, client);
    if (count < quota)
        return 0;
    return gb_err_set(err, GB_ECAPACITY,
                      "%.128s has %lld sessions open, and the settings allow it no more "
                      "([sessions] per_client)",
                      client == NULL ? "a client without a name" : client, (long long)count);
}

int client_check_cells(const struct connection *connection, struct gb_err *err)
{
    const struct gb_server *server = connection->server;
    int64_t quota = server->settings.sessions.cells_per_client, count = 0;
    struct hosted *hosted;
    const struct exec *exec;

    if (quota == 0)
        return 0;
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        for (const struct gb_list *at = hosted->execs.next; at != &hosted->execs; at = at->next) {
            exec = container_of((struct gb_list *)(uintptr_t)at, struct exec, of_session);
            count += client_is_same(exec->client, connection->client);
        }
        count += (int64_t)part_cells_of(hosted, connection->client);
    }
    if (count < quota)
        return 0;
    return gb_err_set(err, GB_EBUSY,
                      "%.128s has %lld cells under way, and the settings allow it no more "
                      "([sessions] cells_per_client)",
                      connection->client == NULL ? "a client without a name" : connection->client,
                      (long long)count);
}

int hosted_open(struct connection *connection, const struct gb_params *params, bool run,
                struct hosted **ret_hosted, struct gb_err *err)
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
    struct hosted *hosted;
    int r = server_check_open(server, err);

    if (r == 0 && (config.image = hosted_image(server, params->image, err)) == NULL)
        r = -(int)err->code;
    if (r == 0)
        r = hosted_check_memory(params->memory_mb, err);
    if (r == 0)
        r = check_network(params->network, err);
    if (r == 0 && !run)
        r = params_env(params->env, &env, err);
    if (r == 0 && server->session_count >= (size_t)settings->maximum)
        r = gb_err_set(err, GB_ECAPACITY,
                       "%zu session%s open, and the settings allow no more ([sessions] maximum)",
                       server->session_count, server->session_count == 1 ? " is" : "s are");
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
    hosted = xcalloc(1, sizeof(*hosted) + server->part_sizes.session);
    r = gb_session_new(server->host, &config, &events, hosted, &session, err);
    if (r < 0) {
        free(hosted);
        return r;
    }
    hosted->server = server;
    hosted->session = session;
    hosted->run = run;
    hosted->opened_ns = gb_clock_mono_ns();
    hosted->created_at_ns = gb_clock_wall_ns();
    hosted->label = copy_name(params->label);
    hosted->owner = copy_name(params->owner);
    hosted->client = connection->client == NULL ? NULL : xstrdup(connection->client);
    gb_list_init(&hosted->openers);
    gb_list_init(&hosted->closers);
    gb_list_init(&hosted->execs);
    gb_list_init(&hosted->followers);
    remember(server, hosted, params->key);
    hosted->key = copy_name(params->key);
    gb_list_add_tail(&server->sessions, &hosted->link);
    server->session_count++;
    server->opened++;
    PART_CALL(server, session_new, hosted);
    history_session(hosted, NULL);
    event_session(hosted, EVENT_SESSION_OPENED);
    figures_begin(hosted->server);
    gb_start_begin(&hosted->start, server->room->pool, session,
                   params->wait_ms >= 0 ? (uint64_t)params->wait_ms
                                        : server->settings.admission.wait_ms);
    *ret_hosted = hosted;
    return 0;
}

/* Nobody would know the id of a session without a key whose opener has gone. */
static void opener_gone(struct request *request)
{
    struct hosted *hosted = request->arg;

    gb_list_remove(&request->wait);
    if (hosted != NULL && hosted->key == NULL && !hosted->opened)
        hosted_close(hosted, "closed", "the client that opened it went away");
}

/* Attaches to the session with the key. 1: done; 0: there is none. */
static int attach(struct request *request, const struct gb_params *params, struct gb_err *err)
{
    struct gb_server *server = request->connection->server;
    struct hosted *hosted;
    const struct gb_image *image;

    if (params->key.data == NULL || (hosted = find_by_key(server, params->key, false)) == NULL)
        return 0;
    image = gb_session_image(hosted->session);
    if (params->image.data != NULL && hosted_image(server, params->image, err) != image)
        return gb_err_set(err, GB_EINVALID,
                          "the session with the key \"%s\" is one of the image %s", hosted->key,
                          image->name);
    if (hosted->opened) {
        reply_opened(request, hosted, false);
        return 1;
    }
    /* Its start is awaited like by the one who asked first; arg stays NULL: it did not create it.
     */
    request->abandon = opener_gone;
    gb_list_add_tail(&hosted->openers, &request->wait);
    return 1;
}

void handle_open(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = NULL;
    int r = server_check_open(request->connection->server, &err);

    if (r == 0)
        r = attach(request, params, &err);
    if (r == 1)
        return;
    if (r == 0)
        r = hosted_open(request->connection, params, false, &hosted, &err);
    if (r < 0) {
        request_fail(request, &err);
        return;
    }
    assert(hosted != NULL);
    request->arg = hosted;
    request->abandon = opener_gone;
    gb_list_add_tail(&hosted->openers, &request->wait);
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

const struct gb_vm_sample *hosted_sample(struct hosted *hosted, uint64_t until_ns)
{
    struct gb_vm *vm = gb_session_vm(hosted->session);

    return vm != NULL ? gb_vm_look(vm, until_ns) : NULL;
}

void put_sample(struct gb_json_out *out, struct hosted *hosted, uint64_t until_ns)
{
    const struct gb_vm_sample *sample = hosted_sample(hosted, until_ns);

    if (sample != NULL) {
        gb_json_put_u64(out, "memory_bytes", sample->pss_bytes);
        gb_json_put_ms(out, "cpu_ms", sample->cpu_ns);
    } else {
        gb_json_put_null(out, "memory_bytes");
        gb_json_put_null(out, "cpu_ms");
    }
    if (hosted->has_status) {
        gb_json_object(out, "guest_memory");
        gb_json_put_u64(out, "total", hosted->guest_total);
        gb_json_put_u64(out, "used", hosted->guest_used);
        gb_json_end(out);
    } else {
        gb_json_put_null(out, "guest_memory");
    }
}

void put_session(struct gb_json_out *out, struct hosted *hosted, uint64_t until_ns)
{
    struct gb_session *session = hosted->session;
    const struct gb_image *image = gb_session_image(session);
    uint64_t expires = gb_session_expires_ns(session);

    gb_json_put_str(out, "session", gb_session_id(session));
    gb_json_put_str(out, "key", hosted->key);
    gb_json_put_str(out, "label", hosted->label);
    gb_json_put_str(out, "owner", hosted->owner);
    gb_json_put_str(out, "image", image->name);
    gb_json_put_str(out, "language", image->language);
    gb_json_put_str(out, "state", gb_session_state_name(gb_session_state(session)));
    gb_json_put_bool(out, "run", hosted->run);
    gb_json_put_u64(out, "incarnation", hosted_incarnation(hosted));
    gb_json_put_u64(out, "cells", gb_session_cells(session));
    gb_json_put_u64(out, "queued", gb_session_waiting(session));
    gb_json_put_seconds(out, "created_at", hosted->created_at_ns);
    put_wall(out, "last_active_at", gb_session_last_active_ns(session));
    gb_json_put_u64(out, "memory_mb", gb_session_memory_mb(session));
    put_sample(out, hosted, until_ns);
    PART_CALL(hosted->server, put_session, out, hosted);
    put_session_waiting(out, hosted);
    gb_json_put_bool(out, "failed", hosted->failed);
    gb_json_put_str(out, "source", gb_source_name(gb_session_source(session)));
    gb_json_put_str(out, "network", "none");
    if (expires > 0)
        put_wall(out, "expires_at", expires);
    else
        gb_json_put_null(out, "expires_at");
}

static void reply_session(struct request *request, struct hosted *hosted)
{
    struct reply reply;

    reply_begin(&reply, request);
    put_session(&reply.out, hosted, sample_budget());
    reply_end(&reply);
}

void hosted_status(struct hosted *hosted, const struct gb_status *status)
{
    hosted->has_status = true;
    hosted->guest_total = status->memory_total;
    hosted->guest_used = status->memory_used;
}

static void on_status(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct request *request = arg;
    struct hosted *hosted = request->arg;
    struct gb_status status;
    struct gb_err bad = {0};

    (void)err; /* a guest that does not answer in time is shown as it was last known */
    if (frame != NULL && gb_fields_decode(&gb_status_fields, frame->payload, &status, &bad) == 0)
        hosted_status(hosted, &status);
    else if (frame != NULL)
        gb_session_violation(hosted->session, &bad);
    reply_session(request, hosted);
}

static void asker_gone(struct request *request)
{
    gb_session_forget(((struct hosted *)request->arg)->session, request);
}

void handle_get(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);

    if (hosted == NULL) {
        request_fail(request, &err);
        return;
    }
    request->arg = hosted;
    if (!hosted->opened || gb_session_request(hosted->session, GB_GUEST_STAT, NULL, NULL,
                                              STAT_DEADLINE_MS, on_status, request, NULL) < 0)
        reply_session(request, hosted);
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
    struct hosted *hosted;

    reply_begin(&reply, request);
    gb_json_array(&reply.out, "sessions");
    if (list_past(&reply.out, server, params)) {
        gb_json_end(&reply.out);
        reply_end(&reply);
        return;
    }
    figures_look(server);
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        if (hosted->closing || !selected(params->key, hosted->key) ||
            !selected(params->label, hosted->label) || !selected(params->owner, hosted->owner) ||
            !selected(params->image, gb_session_image(hosted->session)->name) ||
            !selected(params->state, gb_session_state_name(gb_session_state(hosted->session))))
            continue;
        gb_json_object(&reply.out, NULL);
        put_session(&reply.out, hosted, 0);
        gb_json_end(&reply.out);
    }
    gb_json_end(&reply.out);
    reply_end(&reply);
}

/* ---- close ---- */

void handle_close(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct hosted *hosted = lookup(server, params->session);
    struct gb_err err = {0};

    if (hosted != NULL) {
        gb_list_add_tail(&hosted->closers, &request->wait);
        hosted_close(hosted, "closed", "it was closed");
    } else if (find_stone(server, params->session, false) != NULL) {
        request_ok(request);
    } else {
        (void)hosted_find(server, params->session, &err);
        request_fail(request, &err);
    }
}
