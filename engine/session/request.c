/* SPDX-License-Identifier: Apache-2.0 */
/* Users' requests to a session's agent: they count as activity, and prevent its VM from being
 * exchanged. */
#include "base/mem.h"
#include "session/internal.h"

/* STAT and PING only look: the idle clock keeps running. Terminals count for as long as they exist.
 * The network is set up anew in each VM, whatever its past. The others are internal. */
static bool request_is_life(enum gb_guest_type type)
{
    static const enum gb_guest_type others[] = {
        GB_GUEST_STAT,          GB_GUEST_PING,     GB_GUEST_CONFIGURE,  GB_GUEST_HOLD,
        GB_GUEST_RESUME,        GB_GUEST_TERMINAL, GB_GUEST_RESIZE,     GB_GUEST_NETWORK_ON,
        GB_GUEST_NETWORK_START, GB_GUEST_TRUST,    GB_GUEST_NETWORK_OFF};

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (others[i] == type)
            return false;
    return true;
}

/* It changes nothing in the guest. */
static bool request_is_look(enum gb_guest_type type)
{
    return type == GB_GUEST_FILE_LIST || type == GB_GUEST_FILE_STAT || type == GB_GUEST_COMPLETE ||
           type == GB_GUEST_IS_COMPLETE || type == GB_GUEST_DESCRIBE;
}

/* A user has made a request that ends with session_request_ended(). */
static void request_count(struct gb_session *session, bool looks)
{
    session->asked = true;
    session->user_requests++;
    if (looks)
        session_look(session);
    else
        session_touch(session);
    session_want(session);
}

int session_request(struct gb_session *session, enum gb_guest_type type, uint32_t cell,
                    const struct gb_fields *table, const void *message, uint64_t deadline_ms,
                    gb_guest_reply_fn *done, void *arg, struct gb_err *err)
{
    int r = session_check_open(session, err);

    if (r == 0)
        r = gb_guest_request(session->guest, type, cell, table, message, deadline_ms, done, arg,
                             err);
    if (r < 0)
        return r;
    if (request_is_life(type))
        request_count(session, request_is_look(type));
    session->asked = session->asked || type != GB_GUEST_PING;
    return 0;
}

void session_request_ended(void *arg, enum gb_guest_type type)
{
    struct gb_session *session = arg;

    /* No checkpoint is taken while one is in progress: it was a change when it began. */
    if (request_is_life(type) && --session->user_requests == 0)
        session_look(session);
    if (session->state == SESSION_IDLE && !gb_list_empty(&session->queue))
        session_cells_pump(session); /* its first cell may have waited for that */
    session_tell_rested(session);
}

struct gb_guest_upload *gb_session_upload(struct gb_session *session, struct gb_bytes path,
                                          uint32_t mode)
{
    return gb_guest_upload_new(session->guest, path, mode);
}

int gb_session_upload_give(struct gb_session *session, struct gb_guest_upload *upload,
                           struct gb_bytes bytes, bool final, gb_vm_done_fn *done, void *arg,
                           struct gb_err *err)
{
    int r = session_check_open(session, err);

    if (r == 0)
        r = gb_guest_upload_give(upload, bytes, final, done, arg, err);
    if (r == 0)
        request_count(session, false);
    return r;
}

void gb_session_upload_free(struct gb_session *session, struct gb_guest_upload *upload)
{
    if (upload == NULL)
        return;
    gb_guest_upload_free(upload);
    session_tell_rested(session);
}

int gb_session_download(struct gb_session *session, const struct gb_download *what,
                        struct gb_buf *into, gb_guest_download_fn *done, void *arg,
                        struct gb_err *err)
{
    int r = session_check_open(session, err);

    if (r == 0)
        r = gb_guest_download(session->guest, what, into, done, arg, err);
    if (r == 0)
        request_count(session, true);
    return r;
}

void gb_session_forget(struct gb_session *session, void *arg)
{
    session_queries_forget(session, arg);
    session_input_forget(session, arg);
    gb_guest_forget(session->guest, arg);
}

size_t gb_session_queued(const struct gb_session *session)
{
    return gb_guest_queued(session->guest);
}
