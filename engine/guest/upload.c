/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads: a piece is completed when the agent has written it, the last one when the file is in
 * place.
 *
 * Theory of operation. An upload's stream is opened with its first piece, once the guest listens.
 * The last frame of the data so far requests credit immediately, so that credit is the answer to a
 * piece; the last piece is answered by the agent's final message. An empty first piece has no frame
 * for which credit could be granted: a ping after OPEN tells that it was not refused. Files get
 * their names in the order of their last pieces, and later calls find them: order.c.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "guest/private.h"

struct gb_guest_upload {
    struct gb_list link; /* in guest->uploads */
    struct gb_guest *guest;
    struct guest_feed feed;
    char *path;
    uint32_t mode;
    uint64_t begun, finished; /* calls */
    bool opened;              /* the guest knows about it */
    bool shut;                /* of all of it */
    bool over;                /* the file is in place */
    struct gb_err err;        /* why there will be none */
    uint64_t deadline_ns;
};

struct gb_guest_upload *gb_guest_upload_new(struct gb_guest *guest, struct gb_bytes path,
                                            uint32_t mode)
{
    struct gb_guest_upload *upload = xcalloc(1, sizeof(*upload));

    upload->guest = guest;
    upload->path = xstrndup((const char *)path.data, path.size);
    upload->mode = mode;
    upload->begun = gb_guest_call(guest);
    guest_feed_init(&upload->feed);
    gb_list_add_tail(&guest->uploads, &upload->link);
    return upload;
}

/* Its pieces end with @why, and no further ones are accepted. */
static void guest_upload_fail(struct gb_guest_upload *upload, const struct gb_err *why)
{
    if (upload->err.code == GB_OK)
        upload->err = *why;
    guest_feed_fail(upload->guest, &upload->feed, why);
    if (upload->feed.stream != NULL)
        guest_give_up(TAKE_PTR(upload->feed.stream));
    upload->guest->moved = true;
}

void gb_guest_upload_free(struct gb_guest_upload *upload)
{
    struct gb_err why = {0};

    if (upload == NULL)
        return;
    (void)gb_err_set(&why, GB_EINVALID, "the upload was given up");
    guest_upload_fail(upload, &why);
    gb_guest_forget(upload->guest, upload);
    guest_flush(upload->guest);
    gb_list_remove(&upload->link);
    free(upload->path);
    free(upload);
}

/* The guest has processed OPEN, and not refused it. */
static void guest_upload_on_pong(void *arg, const struct gb_pong *pong, const struct gb_err *err)
{
    struct gb_guest_upload *upload = arg;

    (void)pong;
    if (err == NULL)
        guest_feed_settle_empty(upload->guest, &upload->feed);
}

/* False: there are too many streams. */
static bool guest_upload_open(struct gb_guest_upload *upload)
{
    struct gb_guest *guest = upload->guest;
    const struct gb_upload params = {gb_bytes_str(upload->path), upload->mode};
    struct gb_err err = {0};

    upload->feed.stream = gb_mux_open(&guest->mux, GB_STREAM_UPLOAD, 0, &params);
    if (upload->feed.stream == NULL)
        return false;
    upload->feed.stream->user = upload;
    upload->opened = true;
    gb_mux_want(upload->feed.stream, true);
    if (upload->feed.given == 0 && !upload->feed.ended &&
        gb_guest_ping(guest, 0, guest_upload_on_pong, upload, &err) < 0)
        guest_upload_fail(upload, &err);
    return true;
}

/* All of it has been sent except the SHUT. */
static bool guest_upload_is_sent(const struct gb_guest_upload *upload)
{
    return upload->feed.stream != NULL && upload->feed.ended && !upload->shut &&
           guest_feed_unsent(&upload->feed) == 0;
}

void guest_uploads_open(struct gb_guest *guest)
{
    struct gb_guest_upload *upload;
    size_t count = 0;

    GB_LIST_FOREACH(upload, &guest->uploads, link) {
        count += upload->feed.stream != NULL;
        if (guest_upload_is_sent(upload) && !gb_guest_is_behind(guest, upload->finished))
            gb_mux_want(upload->feed.stream, true);
        if (upload->opened || upload->err.code != GB_OK || gb_list_empty(&upload->feed.pieces) ||
            count >= GB_UPLOADS_MAX || guest_requests_hold(guest, upload->begun))
            continue;
        if (!guest_upload_open(upload))
            return;
        count++;
    }
}

bool guest_uploads_hold(const struct gb_guest *guest, uint64_t call)
{
    const struct gb_guest_upload *upload;

    GB_LIST_FOREACH_CONST(upload, &guest->uploads, link)
        if (upload->feed.ended && upload->finished < call && !upload->shut &&
            upload->err.code == GB_OK)
            return true;
    return false;
}

int gb_guest_upload_give(struct gb_guest_upload *upload, struct gb_bytes bytes, bool final,
                         gb_vm_done_fn *done, void *arg, struct gb_err *err)
{
    struct gb_guest *guest = upload->guest;
    bool ask = upload->opened && bytes.size == 0 && upload->feed.given == 0 && !final;
    int r;

    if (upload->err.code != GB_OK) {
        *err = upload->err;
        return -(int)err->code;
    }
    r = guest_transfer_check(guest, err);
    if (r == 0)
        r = guest_feed_give(&upload->feed, bytes, true, done, arg, err);
    if (r < 0)
        return r;
    guest_transfer_begun(guest);
    upload->feed.ended = final;
    upload->finished = gb_guest_call(guest);
    upload->deadline_ns = guest_transfer_deadline();
    guest_go_on(guest);
    if (upload->feed.stream != NULL)
        gb_mux_want(upload->feed.stream, true);
    if (ask && gb_guest_ping(guest, 0, guest_upload_on_pong, upload, err) < 0)
        guest_upload_fail(upload, err);
    guest_flush(guest);
    return 0;
}

/* ---- its stream ---- */

void guest_upload_fill(void *arg, struct gb_mux_stream *stream)
{
    struct gb_guest_upload *upload = stream->user;
    struct gb_guest *guest = arg;
    const bool sent = guest_feed_fill(&upload->feed);

    guest_feed_settle_taken(guest, &upload->feed); /* an empty piece brings no credit */
    if (!sent || !upload->feed.ended || gb_guest_is_behind(guest, upload->finished))
        return;
    upload->shut = guest->moved = true;
    (void)gb_mux_shut(stream, NULL);
}

void guest_upload_credited(void *arg, struct gb_mux_stream *stream)
{
    struct gb_guest_upload *upload = stream->user;

    upload->deadline_ns = guest_transfer_deadline();
    guest_feed_settle_taken(arg, &upload->feed);
}

int guest_upload_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                      struct gb_err *err)
{
    struct gb_guest_upload *upload = stream->user;
    struct gb_upload_end end;
    int r = gb_fields_decode(&gb_upload_end_fields, word, &end, err);

    if (r < 0)
        return r;
    if (stream->ours_open || end.size != upload->feed.given)
        return gb_err_set(err, GB_EINTERNAL, "SHUT: the file is not what was sent");
    upload->over = true;
    guest_feed_fail(arg, &upload->feed, NULL);
    return 0;
}

void guest_upload_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct gb_guest_upload *upload = stream->user;
    struct gb_guest *guest = arg;

    upload->feed.stream = NULL;
    /* Without a reason, the guest is gone: that is reported with the requests. */
    if (!upload->over && why != NULL)
        guest_upload_fail(upload, why);
    guest_go_on(guest);
}

/* ---- other ends ---- */

bool guest_uploads_are_open(const struct gb_guest *guest)
{
    const struct gb_guest_upload *upload;

    GB_LIST_FOREACH_CONST(upload, &guest->uploads, link)
        if (upload->feed.stream != NULL)
            return true;
    return guest_uploads_wait(guest);
}

bool guest_uploads_wait(const struct gb_guest *guest)
{
    const struct gb_guest_upload *upload;

    GB_LIST_FOREACH_CONST(upload, &guest->uploads, link)
        if (upload->opened && !gb_list_empty(&upload->feed.pieces))
            return true;
    return false;
}

size_t guest_uploads_queued(const struct gb_guest *guest)
{
    const struct gb_guest_upload *upload;
    size_t bytes = 0;

    GB_LIST_FOREACH_CONST(upload, &guest->uploads, link)
        bytes += guest_feed_unsent(&upload->feed);
    return bytes;
}

uint64_t guest_uploads_expire(struct gb_guest *guest, uint64_t now_ns)
{
    struct gb_guest_upload *upload;
    uint64_t first = UINT64_MAX;
    struct gb_err why = {0};

    GB_LIST_FOREACH(upload, &guest->uploads, link) {
        if (gb_list_empty(&upload->feed.pieces))
            continue;
        if (upload->deadline_ns > now_ns) {
            first = MIN(first, upload->deadline_ns);
            continue;
        }
        (void)gb_err_set(&why, GB_EBUSY, "the guest did not take the upload in time");
        why.dispatched = upload->opened;
        guest_upload_fail(upload, &why);
    }
    return first;
}

void guest_uploads_forget(struct gb_guest *guest, const void *arg)
{
    struct gb_guest_upload *upload;

    GB_LIST_FOREACH(upload, &guest->uploads, link)
        guest_feed_forget(guest, &upload->feed, arg);
}

void guest_uploads_fail(struct gb_guest *guest, const struct gb_err *why)
{
    struct gb_guest_upload *upload;

    GB_LIST_FOREACH(upload, &guest->uploads, link) {
        struct gb_err err = *why;

        err.dispatched = upload->opened;
        guest_upload_fail(upload, &err);
    }
}
