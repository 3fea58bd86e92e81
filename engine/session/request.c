/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the agent: numbered, answered in any order, each with a deadline. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "session/internal.h"

enum { FILE_DEADLINE_MS = 120000 };

/* The type of the right answer, and the message that a mere ERROR is not. */
static enum gb_guest_type answer_type(enum gb_guest_type request)
{
    switch (request) {
    case GB_GUEST_PING:
        return GB_GUEST_PONG;
    case GB_GUEST_STAT:
        return GB_GUEST_STATUS;
    case GB_GUEST_COMPLETE:
        return GB_GUEST_COMPLETIONS;
    case GB_GUEST_IS_COMPLETE:
        return GB_GUEST_COMPLETENESS;
    case GB_GUEST_FILE_WRITE:
        return GB_GUEST_FILE_SIZE;
    case GB_GUEST_FILE_READ:
        return GB_GUEST_FILE_DATA;
    case GB_GUEST_FILE_LIST:
    case GB_GUEST_FILE_STAT:
        return GB_GUEST_FILE_ENTRIES;
    default:
        return GB_GUEST_OK;
    }
}

/* Requests that change something: when they were sent and the VM died, they may have been done. */
static bool changes_something(enum gb_guest_type type)
{
    return type == GB_GUEST_FILE_WRITE || type == GB_GUEST_FILE_REMOVE ||
           type == GB_GUEST_FILE_MKDIR || type == GB_GUEST_STDIN;
}

bool request_is_answer(const struct gb_frame *frame)
{
    switch (frame->type) {
    case GB_GUEST_PONG:
    case GB_GUEST_STATUS:
    case GB_GUEST_COMPLETIONS:
    case GB_GUEST_COMPLETENESS:
    case GB_GUEST_FILE_SIZE:
    case GB_GUEST_FILE_DATA:
    case GB_GUEST_FILE_ENTRIES:
    case GB_GUEST_OK:
        return true;
    case GB_GUEST_ERROR:
        return frame->cell == 0;
    default:
        return false;
    }
}

static void arm_timer(struct gb_session *session)
{
    uint64_t first = UINT64_MAX, now;
    struct request *request;

    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see that requests left the list */
    GB_LIST_FOREACH(request, &session->requests, link)
        first = MIN(first, request->deadline_ns);
    if (first == UINT64_MAX) {
        gb_timer_stop(session->request_timer);
        return;
    }
    now = gb_clock_mono_ns();
    gb_timer_start(session->request_timer, first > now ? (first - now) / GB_NS_PER_MS + 1 : 0);
}

/* Takes the request out, if that was not done before, and tells its owner. */
static void finish(struct gb_session *session, struct request *request,
                   const struct gb_frame *frame, const struct gb_err *err)
{
    gb_list_remove(&request->link);
    session->request_count--;
    if (!request->looks_only && --session->user_requests == 0)
        session_touch(session);
    if (request->done != NULL)
        request->done(request->arg, frame, err);
    free(request);
}

int request_send(struct gb_session *session, enum gb_guest_type type, uint32_t cell,
                 const struct gb_fields *table, const void *message, uint64_t deadline_ms,
                 gb_reply_fn *done, void *arg, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf frames = {0};
    struct request *request;
    bool first;

    if (session->state == GB_SESSION_CLOSED || session->closing)
        return gb_err_set(err, GB_ECLOSED, "the session has ended: %s",
                          session->why.message[0] != '\0' ? session->why.message : "closing");
    if (session->request_count >= REQUESTS_MAX)
        return gb_err_set(err, GB_EBUSY, "%d requests of this session wait for an answer already",
                          REQUESTS_MAX);
    if (gb_session_queued(session) > GB_GUEST_QUEUE_MAX)
        return gb_err_set(err, GB_EBUSY, "the guest takes nothing, and %zu bytes wait for it",
                          gb_session_queued(session));
    if (deadline_ms == 0)
        deadline_ms = type == GB_GUEST_COMPLETE || type == GB_GUEST_IS_COMPLETE
                          ? GB_QUERY_TIMEOUT_MS
                          : FILE_DEADLINE_MS;
    request = xcalloc(1, sizeof(*request));
    if (++session->next_id == 0)
        session->next_id = 1;
    request->id = session->next_id;
    request->type = type;
    request->done = done;
    request->arg = arg;
    request->deadline_ns = gb_clock_mono_ns() + deadline_ms * GB_NS_PER_MS;
    request->looks_only = type == GB_GUEST_STAT || type == GB_GUEST_PING;
    session->user_requests += !request->looks_only;
    session->asked = session->asked || (type != GB_GUEST_CONFIGURE && type != GB_GUEST_PING);
    if (!request->looks_only)
        session_touch(session);
    first = gb_list_empty(&session->requests);
    gb_list_add_tail(&session->requests, &request->link);
    session->request_count++;
    /* Deadlines are seconds and more: looking for the earliest at each request would cost more than
     * an early wake-up now and then. */
    if (first || !gb_timer_active(session->request_timer))
        arm_timer(session);
    gb_guest_add(&frames,
                 (struct gb_frame){.type = (uint16_t)type, .id = request->id, .cell = cell}, table,
                 message);
    session_send(session, &frames);
    return 0;
}

int gb_session_request(struct gb_session *session, enum gb_guest_type type,
                       const struct gb_fields *table, const void *message, uint64_t deadline_ms,
                       gb_reply_fn *done, void *arg, struct gb_err *err)
{
    return request_send(session, type, 0, table, message, deadline_ms, done, arg, err);
}

void gb_session_forget(struct gb_session *session, void *arg)
{
    struct request *request;

    GB_LIST_FOREACH(request, &session->requests, link)
        if (request->arg == arg)
            request->done = NULL;
}

/* What a guest can say of itself. It knows nothing of sessions, images, leases or other VMs, and
 * what came of a cell is not told this way. */
static bool may_say(uint32_t code)
{
    static const enum gb_code codes[] = {GB_EINVALID, GB_ENOTFOUND,    GB_EBUSY,     GB_ECAPACITY,
                                         GB_EPOLICY,  GB_EUNSUPPORTED, GB_ETOOLARGE, GB_EINTERNAL};

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (code == (uint32_t)codes[i])
            return true;
    return false;
}

/* The guest's own error, its words made harmless. */
static int error_from_guest(const struct gb_frame *frame, struct gb_err *ret_error,
                            struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_guest_error message;
    int r = gb_fields_decode(&gb_guest_error_fields, frame->payload, &message, err);

    if (r < 0)
        return r;
    if (!may_say(message.code))
        return gb_err_set(err, GB_EINTERNAL, "ERROR: the code %u is none of a guest's",
                          message.code);
    gb_escape(&text, message.message, GB_ERR_MESSAGE_MAX);
    (void)gb_err_set(ret_error, (enum gb_code)message.code, "%s", gb_buf_str(&text));
    return 0;
}

int request_answer(struct gb_session *session, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_err error = {0};
    struct request *request;
    bool found = false;
    int r;

    GB_LIST_FOREACH(request, &session->requests, link) {
        if (request->id == frame->id) {
            found = true;
            break;
        }
    }
    /* An answer that came after its deadline finds nobody, and that is no crime. */
    if (!found)
        return 0;
    if (frame->type == GB_GUEST_ERROR) {
        r = error_from_guest(frame, &error, err);
        if (r < 0)
            return r;
        finish(session, request, NULL, &error);
        return 0;
    }
    if (frame->type != answer_type(request->type))
        return gb_err_set(err, GB_EINTERNAL, "%s is no answer to %s",
                          gb_guest_type_name(frame->type),
                          gb_guest_type_name((uint16_t)request->type));
    finish(session, request, frame, NULL);
    return 0;
}

void request_fail_all(struct gb_session *session, const struct gb_err *why)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&session->requests)) != NULL) {
        struct request *request = container_of(link, struct request, link);
        struct gb_err err = *why;

        err.code = GB_ECLOSED;
        err.dispatched = session->running && changes_something(request->type);
        finish(session, request, NULL, &err);
    }
}

void request_drop_all(struct gb_session *session)
{
    struct request *request;

    GB_LIST_FOREACH(request, &session->requests, link)
        request->done = NULL;
    request_fail_all(session, &session->why);
    arm_timer(session);
}

void request_expired(void *arg)
{
    struct gb_session *session = arg;
    uint64_t now = gb_clock_mono_ns();
    struct request *request;
    struct gb_list expired, *link;
    struct gb_err err;

    gb_list_init(&expired);
    GB_LIST_FOREACH(request, &session->requests, link) {
        if (request->deadline_ns <= now) {
            gb_list_remove(&request->link);
            gb_list_add_tail(&expired, &request->link);
        }
    }
    while ((link = gb_list_pop(&expired)) != NULL) {
        request = container_of(link, struct request, link);
        (void)gb_err_set(&err, GB_EBUSY, "the guest did not answer %s in time",
                         gb_guest_type_name((uint16_t)request->type));
        err.dispatched = changes_something(request->type);
        finish(session, request, NULL, &err);
    }
    arm_timer(session);
}
