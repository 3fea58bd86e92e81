/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the agent: numbered, answered in any order, each with a deadline. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "guest/private.h"
#include "wire/frames.h"

struct guest_request {
    struct gb_list link; /* in guest->requests */
    uint32_t id;         /* 0: not sent */
    enum gb_guest_type type;
    uint32_t cell;
    struct gb_buf payload;   /* until it is sent */
    gb_guest_reply_fn *done; /* NULL: nobody waits any more */
    gb_guest_pong_fn *pong;  /* likewise, for a PING */
    gb_vm_done_fn *obeyed;   /* likewise, for one of guest_order() */
    void *arg;
    uint64_t call;
    uint64_t deadline_ns;
};

bool guest_is_answer(const struct gb_frame *frame)
{
    const struct gb_frame_info *info = gb_frame_info(frame->type);

    return info != NULL && info->role == GB_ROLE_ANSWER &&
           (frame->type != GB_GUEST_ERROR || frame->cell == 0);
}

static void guest_request_arm_timer(struct gb_guest *guest)
{
    uint64_t first = UINT64_MAX, now;
    struct guest_request *request;

    GB_LIST_FOREACH(request, &guest->requests, link)
        first = MIN(first, request->deadline_ns);
    if (first == UINT64_MAX) {
        gb_timer_stop(guest->request_timer);
        return;
    }
    now = gb_clock_mono_ns();
    gb_timer_start(guest->request_timer, first > now ? (first - now) / GB_NS_PER_MS + 1 : 0);
}

/* Removes it from its list. */
static void guest_request_remove(struct gb_guest *guest, struct guest_request *request)
{
    gb_list_remove(&request->link);
    guest->request_count--;
    if (request->id != 0)
        return;
    guest->waiting_bytes -= GB_FRAME_HEADER + request->payload.size;
    guest->moved = true;
}

static void guest_request_free(struct guest_request *request)
{
    gb_buf_release(&request->payload);
    free(request);
}

/* Removes the request and notifies its owner. */
static void guest_request_end(struct gb_guest *guest, struct guest_request *request,
                              const struct gb_frame *frame, const struct gb_err *err)
{
    struct gb_pong pong;
    struct gb_err bad = {0};

    guest_request_remove(guest, request);
    if (guest->events.request_ended != NULL)
        guest->events.request_ended(guest->arg, request->type);
    if (request->done != NULL)
        request->done(request->arg, frame, err);
    if (request->obeyed != NULL)
        request->obeyed(request->arg, err);
    if (request->pong != NULL && frame == NULL)
        request->pong(request->arg, NULL, err);
    else if (request->pong != NULL &&
             gb_fields_decode(&gb_pong_fields, frame->payload, &pong, &bad) == 0)
        request->pong(request->arg, &pong, NULL);
    else if (request->pong != NULL)
        guest_violation(guest, &bad);
    guest_request_free(request);
}

/* ---- asking ---- */

static int guest_request_check(const struct gb_guest *guest, struct gb_err *err)
{
    if (guest->request_count >= GB_GUEST_REQUESTS_MAX)
        return gb_err_set(err, GB_EBUSY, "%d requests of this session wait for an answer already",
                          GB_GUEST_REQUESTS_MAX);
    if (gb_guest_queued(guest) > GB_GUEST_QUEUE_MAX)
        return gb_err_set(err, GB_EBUSY, "the guest does not read, and %zu bytes wait for it",
                          gb_guest_queued(guest));
    return 0;
}

static uint32_t guest_request_next_id(struct gb_guest *guest)
{
    if (++guest->next_id == 0)
        guest->next_id = 1;
    return guest->next_id;
}

/* Adds it to the list, and to the deadlines. */
static struct guest_request *guest_request_new(struct gb_guest *guest, enum gb_guest_type type,
                                               uint32_t cell, uint64_t deadline_ms, void *arg)
{
    struct guest_request *request = xcalloc(1, sizeof(*request));
    bool first = gb_list_empty(&guest->requests);

    if (deadline_ms == 0)
        deadline_ms = gb_frame_deadline_ms(gb_frame_info((uint16_t)type)->deadline);
    request->type = type;
    request->cell = cell;
    request->arg = arg;
    request->call = gb_guest_call(guest);
    request->deadline_ns = gb_clock_mono_ns() + deadline_ms * GB_NS_PER_MS;
    gb_list_add_tail(&guest->requests, &request->link);
    guest->request_count++;
    /* Deadlines are seconds or more: searching for the earliest with each request would cost more
     * than an occasional early wake-up. */
    if (first || !gb_timer_active(guest->request_timer))
        guest_request_arm_timer(guest);
    return request;
}

static bool guest_request_is_of_files(const struct guest_request *request)
{
    return gb_frame_info((uint16_t)request->type)->files;
}

static void guest_request_send(struct gb_guest *guest, struct guest_request *request,
                               const struct gb_fields *table, const void *message)
{
    if (gb_guest_listens(guest) &&
        !(guest_request_is_of_files(request) && gb_guest_is_behind(guest, request->call))) {
        request->id = guest_request_next_id(guest);
        gb_guest_add(&guest->out,
                     (struct gb_frame){
                         .type = (uint16_t)request->type, .id = request->id, .cell = request->cell},
                     table, message);
        guest_flush(guest);
        return;
    }
    if (table != NULL)
        gb_fields_encode(table, message, &request->payload);
    guest->waiting_bytes += GB_FRAME_HEADER + request->payload.size;
}

int gb_guest_request(struct gb_guest *guest, enum gb_guest_type type, uint32_t cell,
                     const struct gb_fields *table, const void *message, uint64_t deadline_ms,
                     gb_guest_reply_fn *done, void *arg, struct gb_err *err)
{
    struct guest_request *request;
    int r = guest_request_check(guest, err);

    if (r < 0)
        return r;
    request = guest_request_new(guest, type, cell, deadline_ms, arg);
    request->done = done;
    guest_request_send(guest, request, table, message);
    return 0;
}

int gb_guest_ping(struct gb_guest *guest, uint64_t deadline_ms, gb_guest_pong_fn *done, void *arg,
                  struct gb_err *err)
{
    struct guest_request *request;
    int r = guest_request_check(guest, err);

    if (r < 0)
        return r;
    request = guest_request_new(guest, GB_GUEST_PING, 0, deadline_ms, arg);
    request->pong = done;
    guest_request_send(guest, request, NULL, NULL);
    return 0;
}

int guest_order(struct gb_guest *guest, enum gb_guest_type type, gb_vm_done_fn *done, void *arg,
                struct gb_err *err)
{
    struct guest_request *request;
    int r = guest_request_check(guest, err);

    if (r < 0)
        return r;
    request = guest_request_new(guest, type, 0, 0, arg);
    request->obeyed = done;
    guest_request_send(guest, request, NULL, NULL);
    return 0;
}

bool guest_requests_hold(const struct gb_guest *guest, uint64_t call)
{
    const struct guest_request *request;

    if (guest->waiting_bytes == 0)
        return false;
    GB_LIST_FOREACH_CONST(request, &guest->requests, link)
        if (request->id == 0 && request->call < call && guest_request_is_of_files(request))
            return true;
    return false;
}

void guest_requests_send(struct gb_guest *guest)
{
    struct guest_request *request;
    bool held = false; /* one about files waits: later ones have to as well */

    if (guest->waiting_bytes == 0)
        return;
    GB_LIST_FOREACH(request, &guest->requests, link) {
        bool of_files = guest_request_is_of_files(request);

        held = held || (request->id == 0 && of_files && guest_uploads_hold(guest, request->call));
        if (request->id != 0 || (held && of_files))
            continue;
        guest->waiting_bytes -= GB_FRAME_HEADER + request->payload.size;
        guest->moved = true;
        request->id = guest_request_next_id(guest);
        gb_frame_add(&guest->out, &(struct gb_frame){.type = (uint16_t)request->type,
                                                     .id = request->id,
                                                     .cell = request->cell,
                                                     .payload = gb_buf_bytes(&request->payload)});
        gb_buf_release(&request->payload);
    }
}

void guest_send_waiting(struct gb_guest *guest)
{
    guest_go_on(guest);
    guest_flush(guest);
}

bool guest_is_asked(const struct gb_guest *guest)
{
    const struct guest_request *request;

    GB_LIST_FOREACH_CONST(request, &guest->requests, link)
        if (request->id != 0)
            return true;
    return guest_uploads_wait(guest) || guest_downloads_wait(guest);
}

size_t gb_guest_queued(const struct gb_guest *guest)
{
    return guest->waiting_bytes + guest_uploads_queued(guest) +
           (guest->vm != NULL ? gb_vm_queued(guest->vm) : 0);
}

/* ---- answers ---- */

static struct guest_request *guest_request_find(struct gb_guest *guest, uint32_t id)
{
    struct guest_request *request;

    GB_LIST_FOREACH(request, &guest->requests, link)
        if (id != 0 && request->id == id)
            return request;
    return NULL;
}

int guest_answer(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err)
{
    struct guest_request *request = guest_request_find(guest, frame->id);
    struct gb_err error = {0};
    int r;

    /* An answer after its deadline matches none, and is not a violation. */
    if (request == NULL) {
        guest_unasked(guest, frame);
        return 0;
    }
    if (frame->type == GB_GUEST_ERROR) {
        r = gb_guest_error_read(frame, &error, err);
        if (r < 0)
            return r;
        guest_request_end(guest, request, NULL, &error);
        return 0;
    }
    if (frame->type != gb_frame_info((uint16_t)request->type)->answer)
        return gb_err_set(err, GB_EINTERNAL, "%s is no answer to %s",
                          gb_guest_type_name(frame->type),
                          gb_guest_type_name((uint16_t)request->type));
    guest_request_end(guest, request, frame, NULL);
    return 0;
}

/* ---- other ends ---- */

void gb_guest_forget(struct gb_guest *guest, const void *arg)
{
    struct guest_request *request;

    GB_LIST_FOREACH(request, &guest->requests, link)
        if (request->arg == arg) {
            request->done = NULL;
            request->pong = NULL;
            request->obeyed = NULL;
        }
    guest_feed_forget(guest, &guest->input, arg);
    guest_uploads_forget(guest, arg);
    guest_downloads_forget(guest, arg);
    guest_flush(guest);
}

void gb_guest_refuse_requests(struct gb_guest *guest, const struct gb_err *why)
{
    guest_stdin_close(guest, why);
    guest_uploads_fail(guest, why);
    guest_downloads_fail(guest, why);
    guest_feed_tell(guest);
    guest_downloads_tell(guest);
    /* Only those that exist now: requests made by a callback come later. */
    for (uint32_t left = guest->request_count; left > 0; left--) {
        struct guest_request *request =
            container_of(guest->requests.next, struct guest_request, link);
        struct gb_err err = *why;

        err.dispatched = request->id != 0 && gb_frame_info((uint16_t)request->type)->changes;
        guest_request_end(guest, request, NULL, &err);
    }
    guest_request_arm_timer(guest);
}

void gb_guest_fail_requests(struct gb_guest *guest, const struct gb_err *why)
{
    struct gb_err err = *why;

    err.code = GB_ECLOSED;
    gb_guest_refuse_requests(guest, &err);
}

void guest_requests_forget_rest(struct gb_guest *guest)
{
    struct guest_request *request;

    GB_LIST_FOREACH(request, &guest->requests, link) {
        if (request->id == 0 ||
            (request->type != GB_GUEST_HOLD && request->type != GB_GUEST_RESUME))
            continue;
        guest_request_remove(guest, request);
        guest_request_free(request);
    }
}

void gb_guest_drop_requests(struct gb_guest *guest)
{
    struct gb_list *link;

    guest_feed_fail(guest, &guest->input, NULL);
    guest_uploads_fail(guest, &(struct gb_err){.code = GB_ECLOSED});
    guest_feed_drop(guest);
    guest_downloads_drop(guest);
    while ((link = gb_list_pop(&guest->requests)) != NULL) {
        struct guest_request *request = container_of(link, struct guest_request, link);

        guest_request_remove(guest, request);
        if (guest->events.request_ended != NULL)
            guest->events.request_ended(guest->arg, request->type);
        guest_request_free(request);
    }
    gb_timer_stop(guest->request_timer);
}

static struct guest_request *guest_request_first_due(struct gb_guest *guest, uint64_t now_ns)
{
    struct guest_request *request;

    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see that requests left the list */
    GB_LIST_FOREACH(request, &guest->requests, link)
        if (request->deadline_ns <= now_ns)
            return request;
    return NULL;
}

/* The earliest deadline has come. Each request stays in the list until it is reported: its callback
 * may forget others. */
void guest_request_expired(void *arg)
{
    struct gb_guest *guest = arg;
    uint64_t now = gb_clock_mono_ns();
    struct guest_request *request;

    while ((request = guest_request_first_due(guest, now)) != NULL) {
        struct gb_err err = {0};

        (void)gb_err_set(&err, GB_EBUSY, "the guest did not answer %s in time",
                         gb_guest_type_name((uint16_t)request->type));
        err.dispatched = request->id != 0 && gb_frame_info((uint16_t)request->type)->changes;
        guest_request_end(guest, request, NULL, &err);
    }
    guest_request_arm_timer(guest);
    guest_flush(guest);
}
