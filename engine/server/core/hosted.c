/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "model/session.h"
#include "model/answer.h"
#include "rpc/object.h"
#include "server/core/ended.h"
#include "server/core/event.h"
#include "server/core/part.h"
#include "server/core/request.h"
#include "server/core/sample.h"
#include "server/core/shortage.h"
#include "server/core/state.h"

enum { REASON_MAX = 80 };

uint32_t hosted_incarnation(const struct hosted *hosted)
{
    return hosted->incarnation_before + gb_session_incarnation(hosted->session);
}

bool hosted_is_left(const struct hosted *hosted)
{
    return hosted->left || (hosted->died && hosted->server->state > SERVER_OPEN);
}

/* ---- the registry ---- */

struct hosted *hosted_lookup(struct gb_server *server, struct gb_bytes id)
{
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        if (gb_bytes_equal(id, gb_session_id(hosted->session)))
            return hosted;
    }
    return NULL;
}

struct hosted *hosted_find(struct gb_server *server, struct gb_bytes id, struct gb_err *err)
{
    struct hosted *hosted = hosted_lookup(server, id);
    const struct ended *ended;

    if (hosted != NULL && !hosted->closing && !hosted->ended)
        return hosted;
    ended = ended_by_id(&server->ended, id);
    if (ended != NULL)
        (void)gb_err_set(err, GB_ECLOSED, "the session has ended: %.300s", ended->why.message);
    else if (hosted != NULL)
        (void)gb_err_set(err, GB_ECLOSED, "the session is being closed");
    else if (!part_explain_missing(server, id, err))
        (void)gb_err_set(err, GB_ENOTFOUND, "there is no session \"%.*s\"",
                         (int)MIN(id.size, (size_t)REASON_MAX), (const char *)id.data);
    return NULL;
}

struct hosted *hosted_by_key(struct gb_server *server, struct gb_bytes key, bool closing)
{
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        if (hosted->key != NULL && hosted->closing == closing && gb_bytes_equal(key, hosted->key))
            return hosted;
    }
    return NULL;
}

void hosted_close(struct hosted *hosted, enum gb_end end, const char *reason)
{
    if (hosted->closing)
        return;
    hosted->closing = true;
    if (gb_session_state(hosted->session) == GB_SESSION_CLOSED)
        return;
    hosted->end = end;
    hosted->end_known = true;
    gb_session_close(hosted->session, reason);
}

void hosted_relapse(struct hosted *hosted, const char *reason)
{
    const struct gb_part *const *part;

    if (hosted->closing || gb_session_state(hosted->session) == GB_SESSION_CLOSED)
        return;
    PART_FOREACH(part, hosted->server, session_failing)
        if ((*part)->session_failing(hosted, reason))
            return;
    hosted->left = true; /* if something is kept of it, the next server has it again */
    hosted_close(hosted, GB_END_CRASHED, reason);
}

/* ---- its description ---- */

static void hosted_describe_start(struct gb_opened_info *info, const struct hosted *hosted)
{
    const struct gb_session_timing timing = gb_session_timing(hosted->session);

    *info = (struct gb_opened_info){
        .source = (uint8_t)gb_session_source(hosted->session),
        .total_ns = timing.total_ns,
        .admission_ns = gb_start_admission_ns(&hosted->start),
        .boot_ns = timing.boot_ns,
        .worker_ns = timing.worker_ns,
    };
}

void hosted_put_start(struct gb_json_out *out, const struct hosted *hosted)
{
    struct gb_opened_info info;

    hosted_describe_start(&info, hosted);
    gb_object_write(out, &gb_start_object, &info);
}

void hosted_reply_opened(struct request *request, const struct hosted *hosted, bool created)
{
    struct gb_opened_info info;
    struct reply reply;

    hosted_describe_start(&info, hosted);
    info.session = gb_bytes_str(gb_session_id(hosted->session));
    info.reason = gb_bytes_str(created ? hosted->reason : "attached");
    info.incarnation = hosted_incarnation(hosted);
    info.flags = created ? GB_OPENED_CREATED : 0;
    reply_begin(&reply, request);
    gb_object_write(&reply.out, &gb_opened_object, &info);
    reply_end(&reply);
}

/* Both clocks now: the wall clock may have been changed since. */
static uint64_t hosted_wall_ns(uint64_t mono_ns)
{
    uint64_t now = gb_clock_mono_ns(), wall = gb_clock_wall_ns();

    return mono_ns > now ? wall + (mono_ns - now) : wall - (now - mono_ns);
}

void hosted_put(struct gb_json_out *out, struct hosted *hosted, uint64_t until_ns)
{
    struct gb_session *session = hosted->session;
    const struct gb_image *image = gb_session_image(session);
    uint64_t expires = gb_session_expires_ns(session);
    struct gb_session_info info = {
        .id = gb_bytes_str(gb_session_id(session)),
        .key = gb_bytes_str(hosted->key),
        .label = gb_bytes_str(hosted->label),
        .owner = gb_bytes_str(hosted->owner),
        .client = gb_bytes_str(hosted->client),
        .image = gb_bytes_str(image->name),
        .language = gb_bytes_str(image->language),
        .state = (uint8_t)gb_session_state(session),
        .flags = GB_SESSION_IS_OPEN | (hosted->run ? GB_SESSION_RUN : 0u),
        .incarnation = hosted_incarnation(hosted),
        .cells = gb_session_cells(session),
        .queued = gb_session_waiting(session),
        .created_at_ns = hosted->created_at_ns,
        .last_active_at_ns = hosted_wall_ns(gb_session_last_active_ns(session)),
        .expires_at_ns = expires > 0 ? hosted_wall_ns(expires) : 0,
        .memory_mb = gb_session_memory_mb(session),
        .source = (uint8_t)gb_session_source(session),
        .network = gb_bytes_str("none"),
        .origin = gb_bytes_str(hosted->origin.session),
        .origin_checkpoint = hosted->origin.checkpoint,
        .origin_cell = hosted->origin.cell,
        .packages = gb_bytes_str(hosted->packages),
    };

    if (hosted->origin.session != NULL)
        info.flags |= GB_SESSION_HAS_ORIGIN;
    sample_describe(&info, hosted, until_ns);
    PART_CALL(hosted->server, describe_session, &info, hosted);
    gb_object_write(out, &gb_session_object, &info);
}

void hosted_take_status(struct hosted *hosted, const struct gb_status *status)
{
    hosted->has_status = true;
    hosted->guest_total = status->memory_total;
    hosted->guest_used = status->memory_used;
}

static void hosted_tell(struct hosted *hosted, const char *kind)
{
    struct event event;

    if (!event_begin(&event, hosted->server, kind, hosted))
        return;
    gb_json_object(&event.out, "info");
    hosted_put(&event.out, hosted, 0);
    gb_json_end(&event.out);
    event_end(&event);
}

static void hosted_tell_closed(const struct hosted *hosted)
{
    struct event event;

    if (!event_begin(&event, hosted->server, "session.closed", hosted))
        return;
    gb_json_put_str(&event.out, "reason", gb_end_to_string(hosted->end));
    gb_json_put_str(&event.out, "message", hosted->why.message);
    event_end(&event);
}

/* ---- its end ---- */

/* Everything about the session has been reported and recorded except its end. */
static void hosted_end(struct hosted *hosted)
{
    struct gb_server *server = hosted->server;
    const struct gb_err *why = &hosted->why;
    struct gb_list *link;

    gb_info("%s: %s: %s", gb_session_id(hosted->session), gb_end_to_string(hosted->end),
            why->message);
    while ((link = gb_list_pop(&hosted->closers)) != NULL)
        request_ok(container_of(link, struct request, wait));
    PART_CALL(server, session_ended, hosted, why);
    hosted_tell_closed(hosted);
    ended_add(&server->ended, gb_session_id(hosted->session), hosted->key,
              hosted_incarnation(hosted), hosted->end, why);
    gb_list_remove(&hosted->link);
    server->session_count--;
    gb_session_free(hosted->session);
    free(hosted->key);
    free(hosted->label);
    free(hosted->owner);
    free(hosted->client);
    free(hosted->origin.session);
    free(hosted->packages);
    free(hosted->layer);
    hosted->disk_fd = gb_close(hosted->disk_fd);
    free(hosted);
    server_changed(server);
}

static void hosted_end_if_over(struct hosted *hosted)
{
    if (hosted->ended && hosted->cells == 0 && hosted->delays == 0)
        hosted_end(hosted);
}

void hosted_delay_end(struct hosted *hosted)
{
    hosted->delays++;
}

void hosted_allow_end(struct hosted *hosted)
{
    hosted->delays--;
    hosted_end_if_over(hosted);
}

void hosted_add_cell(struct hosted *hosted)
{
    hosted->cells++;
    hosted->server->cell_count++;
}

void hosted_drop_cell(struct hosted *hosted)
{
    struct gb_server *server = hosted->server;

    hosted->cells--;
    server->cell_count--;
    hosted_end_if_over(hosted);
    server_changed(server);
}

/* ---- events of the session ---- */

/* @err NULL: it is open. */
static void hosted_answer_openers(struct hosted *hosted, const struct gb_err *err)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&hosted->openers)) != NULL) {
        struct request *request = container_of(link, struct request, wait);

        if (err == NULL)
            hosted_reply_opened(request, hosted, request->arg == hosted);
        else if (err->code != GB_ECAPACITY)
            request_fail(request, err);
        else
            shortage_refuse(hosted, request, err);
    }
}

void hosted_delay_ready(struct hosted *hosted)
{
    hosted->preparing++;
}

void hosted_allow_ready(struct hosted *hosted)
{
    if (--hosted->preparing == 0)
        hosted_answer_openers(hosted, NULL);
}

static void hosted_on_opened(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;

    if (err == NULL) {
        hosted->opened = true;
        gb_start_settle(&hosted->start);
        histogram_add(&hosted->server->open_times, gb_clock_mono_ns() - hosted->opened_ns);
        gb_session_delay(hosted->session, true); /* until all parts have made their requests */
        PART_CALL(hosted->server, session_opened, hosted);
        gb_session_delay(hosted->session, false);
    }
    if (err != NULL || hosted->preparing == 0)
        hosted_answer_openers(hosted, err);
}

static void hosted_on_changed(void *arg)
{
    struct hosted *hosted = arg;

    if (hosted->closing)
        return;
    hosted_tell(hosted, "session.changed");
    PART_CALL(hosted->server, session_changed, hosted);
}

static void hosted_on_rested(void *arg)
{
    struct hosted *hosted = arg;

    if (!hosted->closing)
        PART_CALL(hosted->server, session_rested, hosted);
}

static void hosted_on_wanted(void *arg)
{
    struct hosted *hosted = arg;

    if (!hosted->closing)
        PART_CALL(hosted->server, session_wanted, hosted);
}

static bool hosted_on_expiring(void *arg)
{
    struct hosted *hosted = arg;
    const struct gb_part *const *part;

    if (hosted->closing)
        return false;
    PART_FOREACH(part, hosted->server, session_expiring)
        if ((*part)->session_expiring(hosted))
            return true;
    return false;
}

static void hosted_on_background(void *arg, uint32_t cell, enum gb_output stream,
                                 struct gb_bytes bytes)
{
    struct hosted *hosted = arg;

    PART_CALL(hosted->server, session_output, hosted, cell, stream, bytes);
}

static void hosted_on_listening(void *arg, const uint16_t *ports, unsigned count)
{
    struct hosted *hosted = arg;

    PART_CALL(hosted->server, session_listening, hosted, ports, count);
}

static void hosted_on_network_lost(void *arg)
{
    struct hosted *hosted = arg;

    if (!hosted->closing)
        PART_CALL(hosted->server, session_network_lost, hosted);
}

static int hosted_on_moved(void *arg, struct gb_err *err)
{
    struct hosted *hosted = arg;
    const struct gb_part *const *part;
    int r = 0;

    if (hosted->closing)
        return 0;
    PART_FOREACH(part, hosted->server, session_moved)
        if (r == 0)
            r = (*part)->session_moved(hosted, err);
    return r;
}

static void hosted_on_stayed(void *arg)
{
    struct hosted *hosted = arg;

    if (!hosted->closing)
        PART_CALL(hosted->server, session_stayed, hosted);
}

static void hosted_on_refused(void *arg)
{
    struct hosted *hosted = arg;

    if (!hosted->closing)
        PART_CALL(hosted->server, session_refused, hosted);
}

static bool hosted_on_lost(void *arg, const struct gb_err *why)
{
    struct hosted *hosted = arg;

    return gb_start_again(&hosted->start, why); /* not called for forks */
}

static bool hosted_on_interpreter_lost(void *arg, const struct gb_cell *cell)
{
    struct hosted *hosted = arg;
    const struct gb_part *const *part;

    if (hosted->closing || hosted->run)
        return false;
    PART_FOREACH(part, hosted->server, interpreter_lost)
        if ((*part)->interpreter_lost(hosted, cell))
            return true;
    return false;
}

static bool hosted_on_sending(void *arg)
{
    struct hosted *hosted = arg;
    const struct gb_part *const *part;

    PART_FOREACH(part, hosted->server, cell_sending)
        if ((*part)->cell_sending(hosted))
            return true;
    return false;
}

/* The session closes itself if it was idle too long or is too old; otherwise only its VM's death
 * ends it. */
static enum gb_end hosted_own_end(const struct hosted *hosted)
{
    return gb_session_expired(hosted->session) ? GB_END_EXPIRED : GB_END_CRASHED;
}

static void hosted_on_closed(void *arg, const struct gb_err *why)
{
    struct hosted *hosted = arg;

    hosted_answer_openers(hosted, why); /* where it was being prepared; else they have been */
    if (!hosted->end_known)
        hosted->end = hosted_own_end(hosted);
    hosted->died = !hosted->end_known && hosted->end == GB_END_CRASHED;
    hosted->closing = true;
    hosted->why = *why;
    PART_CALL(hosted->server, session_closed, hosted);
    hosted->ended = true;
    gb_start_cancel(&hosted->start);
    hosted_end_if_over(hosted);
}

/* ---- its beginning ---- */

static const struct gb_session_events hosted_events = {
    .opened = hosted_on_opened,
    .changed = hosted_on_changed,
    .rested = hosted_on_rested,
    .background = hosted_on_background,
    .listening = hosted_on_listening,
    .network_lost = hosted_on_network_lost,
    .moved = hosted_on_moved,
    .stayed = hosted_on_stayed,
    .refused = hosted_on_refused,
    .lost = hosted_on_lost,
    .interpreter_lost = hosted_on_interpreter_lost,
    .sending = hosted_on_sending,
    .wanted = hosted_on_wanted,
    .expiring = hosted_on_expiring,
    .closed = hosted_on_closed,
};

/* Without a session. */
static struct hosted *hosted_make(struct gb_server *server)
{
    struct hosted *hosted = xcalloc(1, sizeof(*hosted) + server->part_sizes.session);

    hosted->server = server;
    hosted->disk_fd = -1;
    hosted->opened_ns = gb_clock_mono_ns();
    hosted->created_at_ns = gb_clock_wall_ns();
    gb_list_init(&hosted->openers);
    gb_list_init(&hosted->closers);
    return hosted;
}

int hosted_new(struct gb_server *server, const struct gb_session_config *config,
               struct hosted **ret_hosted, struct gb_err *err)
{
    struct hosted *hosted = hosted_make(server);
    int r = gb_session_new(server->host, config, &hosted_events, hosted, &hosted->session, err);

    if (r < 0)
        free(hosted);
    else
        *ret_hosted = hosted;
    return r;
}

int hosted_restore(struct gb_server *server, const struct gb_session_config *config,
                   const struct gb_session_restored *restored, struct hosted **ret_hosted,
                   struct gb_err *err)
{
    struct hosted *hosted = hosted_make(server);
    int r = gb_session_restore(server->host, config, restored, &hosted_events, hosted,
                               &hosted->session, err);

    if (r < 0) {
        free(hosted);
        return r;
    }
    hosted->opened = true;
    *ret_hosted = hosted;
    return 0;
}

static void hosted_register(struct hosted *hosted)
{
    struct gb_server *server = hosted->server;

    gb_list_add_tail(&server->sessions, &hosted->link);
    server->session_count++;
    server->opened++;
    PART_CALL(server, session_new, hosted);
    hosted_tell(hosted, "session.opened");
}

void hosted_begin(struct hosted *hosted, uint64_t wait_ms)
{
    hosted->wait_ms = wait_ms;
    hosted_register(hosted);
    hosted_go_on(hosted);
}

void hosted_go_on(struct hosted *hosted)
{
    const struct gb_server *server = hosted->server;

    while (hosted->prepared < server->part_count) {
        const struct gb_part *part = server->parts[hosted->prepared++];

        if (part->session_preparing != NULL && part->session_preparing(hosted))
            return;
    }
    gb_start_begin(&hosted->start, hosted->server->capacity->pool, hosted->session,
                   hosted->networked, hosted->wait_ms);
}

void hosted_begin_asleep(struct hosted *hosted, struct gb_snapshot *origin)
{
    gb_start_restored(&hosted->start, hosted->server->capacity->pool, hosted->session, origin);
    hosted_register(hosted);
}

void hosted_begin_made(struct hosted *hosted, uint64_t wait_ms, struct gb_snapshot *origin,
                       void (*make)(void *arg), void *arg)
{
    hosted_register(hosted);
    gb_start_begin_made(&hosted->start, hosted->server->capacity->pool, hosted->session, wait_ms,
                        origin, make, arg);
}
