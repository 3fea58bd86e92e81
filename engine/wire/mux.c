/* SPDX-License-Identifier: Apache-2.0 */
#include "mux.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/frames.h"

/* Indexes of count[] and last[]. */
enum { BY_PEER, BY_US };

/* Credit is granted in steps of this fraction of the window. */
enum { GRANT_PART = 4 };

static const struct gb_stream_kind_info *mux_info(const struct gb_mux_stream *stream)
{
    return &gb_stream_kinds[stream->kind];
}

/* Indexes of window[] and shut[]: our half, and the peer's. */
static size_t mux_our_half(const struct gb_mux_stream *stream)
{
    return stream->opened_here ? 0 : 1;
}

static bool mux_has_half(const struct gb_stream_kind_info *info, size_t half)
{
    return info->window[half] > 0 || info->shut[half] != NULL;
}

/* The host's ids are odd, the guest's even. */
static uint32_t mux_next_id(const struct gb_mux *mux, int by)
{
    bool host = (mux->side == GB_SIDE_HOST) == (by == BY_US);

    return mux->last[by] > 0 ? mux->last[by] + 2 : host ? 1 : 2;
}

/* ---- the set ---- */

void gb_mux_init(struct gb_mux *mux, enum gb_side side, const struct gb_mux_kind *kinds, void *arg,
                 struct gb_buf *out)
{
    *mux = (struct gb_mux){.side = side, .kinds = kinds, .arg = arg, .out = out};
    gb_list_init(&mux->streams);
    for (size_t i = 0; i < GB_MUX_BUCKETS; i++)
        gb_list_init(&mux->buckets[i]);
    gb_list_init(&mux->turns);
}

static struct gb_mux_stream *mux_add(struct gb_mux *mux, int by, enum gb_stream_kind kind,
                                     uint32_t cell)
{
    struct gb_mux_stream *stream = xcalloc(1, sizeof(*stream));
    const struct gb_stream_kind_info *info = &gb_stream_kinds[kind];
    size_t ours;

    stream->mux = mux;
    stream->id = mux->last[by] = mux_next_id(mux, by);
    stream->cell = cell;
    stream->kind = kind;
    stream->opened_here = by == BY_US;
    ours = mux_our_half(stream);
    stream->ours_open = mux_has_half(info, ours);
    stream->theirs_open = mux_has_half(info, 1 - ours);
    stream->send_left = info->window[ours];
    stream->receive_left = info->window[1 - ours];
    gb_list_init(&stream->ready);
    gb_list_add_tail(&mux->streams, &stream->link);
    gb_list_add_tail(&mux->buckets[stream->id % GB_MUX_BUCKETS], &stream->bucket);
    mux->count[by]++;
    return stream;
}

static void mux_remove(struct gb_mux_stream *stream)
{
    stream->mux->count[stream->opened_here ? BY_US : BY_PEER]--;
    gb_list_remove(&stream->link);
    gb_list_remove(&stream->bucket);
    gb_list_remove(&stream->ready);
    free(stream);
}

/* Notifies its owner that it has ended, and frees it. */
static void mux_end(struct gb_mux_stream *stream, const struct gb_err *why)
{
    const struct gb_mux *mux = stream->mux;

    if (!stream->given_up && mux->kinds[stream->kind].ended != NULL)
        mux->kinds[stream->kind].ended(mux->arg, stream, why);
    mux_remove(stream);
}

static struct gb_mux_stream *mux_find(const struct gb_mux *mux, uint32_t id)
{
    struct gb_mux_stream *stream;

    GB_LIST_FOREACH_CONST(stream, &mux->buckets[id % GB_MUX_BUCKETS], bucket)
        if (stream->id == id)
            return stream;
    return NULL;
}

void gb_mux_clear(struct gb_mux *mux, const struct gb_err *why)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&mux->streams)) != NULL)
        mux_end(container_of(link, struct gb_mux_stream, link), why);
    mux->last[BY_PEER] = mux->last[BY_US] = 0;
    mux->restarts = 0;
}

/* ---- what we send ---- */

static void mux_send_frame(const struct gb_mux_stream *stream, uint16_t type,
                           const struct gb_fields *table, const void *message)
{
    gb_guest_add(stream->mux->out,
                 (struct gb_frame){.type = type, .id = stream->id, .cell = stream->cell}, table,
                 message);
}

static void mux_send_reset(struct gb_mux *mux, uint32_t id, uint32_t cell, const struct gb_err *why)
{
    const struct gb_guest_error message = {
        .code = why == NULL ? 0 : (uint32_t)why->code,
        .message = gb_bytes_str(why == NULL ? "" : why->message),
    };

    gb_guest_add(mux->out, (struct gb_frame){.type = GB_GUEST_RESET, .id = id, .cell = cell},
                 &gb_guest_error_fields, &message);
}

struct gb_mux_stream *gb_mux_open(struct gb_mux *mux, enum gb_stream_kind kind, uint32_t cell,
                                  const void *params)
{
    const struct gb_stream_kind_info *info = &gb_stream_kinds[kind];
    _cleanup_(gb_buf_release) struct gb_buf encoded = {0};
    struct gb_open message = {.kind = (uint8_t)kind};
    struct gb_mux_stream *stream;

    assert(info->opener == mux->side);
    if (mux->count[BY_US] >= GB_STREAMS_MAX || mux->last[BY_US] >= UINT32_MAX - 2)
        return NULL;
    if (info->open != NULL)
        gb_fields_encode(info->open, params, &encoded);
    message.params = gb_buf_bytes(&encoded);
    stream = mux_add(mux, BY_US, kind, cell);
    mux_send_frame(stream, GB_GUEST_OPEN, &gb_open_fields, &message);
    return stream;
}

size_t gb_mux_room(const struct gb_mux_stream *stream)
{
    if (!stream->ours_open || stream->send_left <= GB_STREAM_COST)
        return 0;
    return MIN((size_t)(stream->send_left - GB_STREAM_COST),
               (size_t)(GB_STREAM_PIECE - GB_FRAME_HEADER));
}

/* Adds it to the round-robin list, or removes it. */
static void mux_update_turn(struct gb_mux_stream *stream)
{
    bool ready = stream->wants && gb_mux_room(stream) > 0;

    if (!ready)
        gb_list_remove(&stream->ready);
    else if (gb_list_empty(&stream->ready))
        gb_list_add_tail(&stream->mux->turns, &stream->ready);
}

void gb_mux_want(struct gb_mux_stream *stream, bool wants)
{
    stream->wants = wants;
    mux_update_turn(stream);
}

uint8_t *gb_mux_send_begin(struct gb_mux_stream *stream, size_t size)
{
    uint8_t *to;

    assert(size > 0 && size <= gb_mux_room(stream));
    to = gb_buf_reserve(stream->mux->out, GB_FRAME_HEADER + size, SIZE_MAX);
    return to == NULL ? NULL : to + GB_FRAME_HEADER;
}

void gb_mux_send_end(struct gb_mux_stream *stream, size_t size, bool push)
{
    struct gb_buf *out = stream->mux->out;
    const struct gb_frame frame = {.type = GB_GUEST_DATA,
                                   .flags = push ? GB_DATA_PUSH : 0,
                                   .id = stream->id,
                                   .cell = stream->cell};
    uint32_t cost = (uint32_t)size + GB_STREAM_COST;

    if (size == 0)
        return;
    gb_frame_header(out->memory + out->start + out->size, &frame, size);
    gb_buf_commit(out, GB_FRAME_HEADER + size);
    stream->send_left -= cost;
    stream->sent_cost += cost;
    mux_update_turn(stream);
}

void gb_mux_send(struct gb_mux_stream *stream, struct gb_bytes bytes, bool push)
{
    uint8_t *to = gb_mux_send_begin(stream, bytes.size);

    if (to == NULL)
        abort(); /* like gb_buf_add() */
    memcpy(to, bytes.data, bytes.size);
    gb_mux_send_end(stream, bytes.size, push);
}

void gb_mux_run(struct gb_mux *mux, size_t bytes)
{
    size_t end = mux->out->size + bytes;

    while (mux->out->size < end && gb_mux_is_ready(mux)) {
        struct gb_mux_stream *stream = container_of(mux->turns.next, struct gb_mux_stream, ready);

        gb_list_remove(&stream->ready);
        gb_list_add_tail(&mux->turns, &stream->ready);
        mux->kinds[stream->kind].fill(mux->arg, stream);
    }
}

bool gb_mux_shut(struct gb_mux_stream *stream, const void *word)
{
    assert(stream->ours_open);
    mux_send_frame(stream, GB_GUEST_SHUT, mux_info(stream)->shut[mux_our_half(stream)], word);
    stream->ours_open = stream->wants = false;
    mux_update_turn(stream);
    if (stream->theirs_open)
        return false;
    mux_remove(stream);
    return true;
}

void gb_mux_reset(struct gb_mux_stream *stream, const struct gb_err *why)
{
    assert(!stream->given_up);
    mux_send_reset(stream->mux, stream->id, stream->cell, why);
    stream->given_up = true;
    stream->user = NULL;
    stream->ours_open = stream->wants = false;
    mux_update_turn(stream);
    /* Data in flight still arrives, until the peer has received this. */
    if (!stream->theirs_open)
        mux_remove(stream);
}

/* ---- what we grant ---- */

/* The only place where credit is granted: in steps, or immediately if the sender waits for it and
 * everything has been consumed. */
static void mux_grant(struct gb_mux_stream *stream)
{
    uint32_t step = mux_info(stream)->window[1 - mux_our_half(stream)] / GRANT_PART;
    bool at_once = stream->push && stream->held_bytes == 0;
    const struct gb_credit message = {stream->owed};

    if (stream->owed == 0 || stream->paused || !stream->theirs_open || stream->given_up ||
        (stream->owed < step && !at_once))
        return;
    mux_send_frame(stream, GB_GUEST_CREDIT, &gb_credit_fields, &message);
    stream->receive_left += stream->owed;
    stream->owed = 0;
    stream->push = stream->push && !at_once;
}

void gb_mux_consume(struct gb_mux_stream *stream, size_t bytes)
{
    assert(bytes <= stream->held_bytes);
    stream->held_bytes -= (uint32_t)bytes;
    stream->owed += (uint32_t)bytes;
    if (stream->held_bytes == 0) {
        stream->owed += stream->held_cost;
        stream->held_cost = 0;
    }
    mux_grant(stream);
}

void gb_mux_pause(struct gb_mux_stream *stream, bool paused)
{
    stream->paused = paused;
    mux_grant(stream);
}

/* ---- what the peer sends ---- */

bool gb_mux_takes(const struct gb_frame *frame)
{
    const struct gb_frame_info *info = gb_frame_info(frame->type);

    return info != NULL && info->role == GB_ROLE_STREAM;
}

static int mux_check_open(const struct gb_mux *mux, const struct gb_frame *frame,
                          const struct gb_open *message, struct gb_err *err)
{
    const struct gb_stream_kind_info *info;

    if (message->kind >= GB_STREAM_KIND_COUNT || gb_stream_kinds[message->kind].name == NULL)
        return gb_err_set(err, GB_EINTERNAL, "OPEN: there are no streams of kind %u",
                          message->kind);
    info = &gb_stream_kinds[message->kind];
    /* A guest refuses kinds that it does not know; a guest that opens a kind which its port does
     * not offer only makes work for the host. */
    if (mux->side == GB_SIDE_HOST && mux->kinds[message->kind].opened == NULL &&
        info->opener != mux->side)
        return gb_err_set(err, GB_EINTERNAL, "OPEN: there are no streams %s on this port",
                          info->name);
    if (info->opener == mux->side)
        return gb_err_set(err, GB_EINTERNAL, "OPEN: this side must not open a stream %s",
                          info->name);
    if (frame->id != mux_next_id(mux, BY_PEER))
        return gb_err_set(err, GB_EINTERNAL, "OPEN: stream %u is not the next", frame->id);
    if (mux->count[BY_PEER] >= GB_STREAMS_MAX)
        return gb_err_set(err, GB_EINTERNAL, "OPEN: %u streams are open already", GB_STREAMS_MAX);
    if (info->open == NULL && message->params.size > 0)
        return gb_err_set(err, GB_EINTERNAL, "OPEN: a stream %s has no parameters", info->name);
    return 0;
}

static int mux_on_open(struct gb_mux *mux, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_open message;
    struct gb_mux_stream *stream;
    struct gb_err refusal = {0};
    int r = gb_fields_decode(&gb_open_fields, frame->payload, &message, err);

    if (r == 0)
        r = mux_check_open(mux, frame, &message, err);
    if (r < 0)
        return r;
    stream = mux_add(mux, BY_PEER, (enum gb_stream_kind)message.kind, frame->cell);
    if (mux->kinds[message.kind].opened == NULL)
        r = -gb_err_set(&refusal, GB_EUNSUPPORTED, "no streams %s here", mux_info(stream)->name);
    else
        r = mux->kinds[message.kind].opened(mux->arg, stream, message.params, &refusal);
    if (r > 0)
        gb_mux_reset(stream, &refusal);
    else if (r < 0 && err != NULL)
        *err = refusal;
    return MIN(r, 0);
}

static int mux_on_data(struct gb_mux_stream *stream, const struct gb_frame *frame,
                       struct gb_err *err)
{
    const struct gb_mux *mux = stream->mux;
    const char *name = mux_info(stream)->name;
    size_t size = frame->payload.size;

    if (!stream->theirs_open)
        return gb_err_set(err, GB_EINTERNAL, "DATA: the stream %s has ended", name);
    if (size == 0)
        return gb_err_set(err, GB_EINTERNAL, "DATA: nothing for %s", name);
    if (size > stream->receive_left || size + GB_STREAM_COST > stream->receive_left)
        return gb_err_set(err, GB_EINTERNAL, "DATA: more for %s than there was credit for", name);
    stream->receive_left -= (uint32_t)size + GB_STREAM_COST;
    if (stream->given_up)
        return 0;
    stream->held_bytes += (uint32_t)size;
    stream->held_cost += GB_STREAM_COST;
    stream->push = stream->push || (frame->flags & GB_DATA_PUSH) != 0;
    return mux->kinds[stream->kind].data(mux->arg, stream, frame->payload, err);
}

static int mux_on_credit(struct gb_mux_stream *stream, const struct gb_frame *frame,
                         struct gb_err *err)
{
    const struct gb_mux *mux = stream->mux;
    uint32_t window = mux_info(stream)->window[mux_our_half(stream)];
    struct gb_credit message;
    int r = gb_fields_decode(&gb_credit_fields, frame->payload, &message, err);

    if (r < 0)
        return r;
    if (message.bytes == 0 || message.bytes > window - stream->send_left)
        return gb_err_set(err, GB_EINTERNAL, "CREDIT: %llu for %s, which has used less",
                          (unsigned long long)message.bytes, mux_info(stream)->name);
    stream->send_left += (uint32_t)message.bytes;
    stream->granted_cost += message.bytes;
    mux_update_turn(stream);
    if (!stream->given_up && mux->kinds[stream->kind].credited != NULL)
        mux->kinds[stream->kind].credited(mux->arg, stream);
    return 0;
}

static int mux_on_shut(struct gb_mux_stream *stream, const struct gb_frame *frame,
                       struct gb_err *err)
{
    const struct gb_mux *mux = stream->mux;
    const struct gb_stream_kind_info *info = mux_info(stream);
    int r = 0;

    if (!stream->theirs_open)
        return gb_err_set(err, GB_EINTERNAL, "SHUT: the stream %s has ended", info->name);
    if (info->shut[1 - mux_our_half(stream)] == NULL && frame->payload.size > 0)
        return gb_err_set(err, GB_EINTERNAL, "SHUT: the end of %s has no fields", info->name);
    if (!stream->given_up && mux->kinds[stream->kind].shut != NULL)
        r = mux->kinds[stream->kind].shut(mux->arg, stream, frame->payload, err);
    stream->theirs_open = false;
    if (!stream->ours_open)
        mux_end(stream, NULL);
    return r;
}

static int mux_on_reset(struct gb_mux_stream *stream, const struct gb_frame *frame,
                        struct gb_err *err)
{
    struct gb_err why = {0};
    int r = gb_guest_error_read(frame, &why, err);

    if (r < 0)
        return r;
    /* The peer waits for the end of our half. */
    if (stream->ours_open)
        mux_send_reset(stream->mux, stream->id, stream->cell, &(struct gb_err){.code = why.code});
    mux_end(stream, &why);
    return 0;
}

/* ---- restarting ---- */

void gb_mux_restart(struct gb_mux *mux, const struct gb_err *why)
{
    unsigned before = mux->restarts;

    assert(mux->side == GB_SIDE_HOST);
    gb_mux_clear(mux, why);
    mux->restarts = before + 1;
    mux_send_reset(mux, 0, 0, NULL);
}

static int mux_on_restart(struct gb_mux *mux, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_guest_error message;
    struct gb_err why = {0};
    int r = gb_fields_decode(&gb_guest_error_fields, frame->payload, &message, err);

    if (r < 0)
        return r;
    if (message.code != 0 || (mux->side == GB_SIDE_HOST && mux->restarts == 0))
        return gb_err_set(err, GB_EINTERNAL, "RESET: this conversation cannot begin again");
    if (mux->side == GB_SIDE_HOST) {
        mux->restarts--;
        return 0;
    }
    (void)gb_err_set(&why, GB_ENOTFOUND, "another conversation begins");
    gb_mux_clear(mux, &why);
    mux_send_reset(mux, 0, 0, NULL);
    return 0;
}

/* ---- frames ---- */

/* A frame for a stream that does not exist. */
static int mux_on_absent(const struct gb_mux *mux, const struct gb_frame *frame, struct gb_err *err)
{
    bool host_opened = frame->id % 2 == 1;
    int by = host_opened == (mux->side == GB_SIDE_HOST) ? BY_US : BY_PEER;
    bool was_there = frame->id <= mux->last[by];

    if (was_there && (frame->type == GB_GUEST_CREDIT || frame->type == GB_GUEST_RESET))
        return 0;
    return gb_err_set(err, GB_EINTERNAL, "%s: stream %u %s", gb_guest_type_name(frame->type),
                      frame->id, was_there ? "has ended" : "was not opened");
}

int gb_mux_frame(struct gb_mux *mux, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_mux_stream *stream;

    if (frame->type == GB_GUEST_RESET && frame->id == 0)
        return mux_on_restart(mux, frame, err);
    if (mux->restarts > 0)
        return 0; /* still from the previous conversation */
    if ((frame->flags & ~(frame->type == GB_GUEST_DATA ? GB_DATA_PUSH : 0)) != 0)
        return gb_err_set(err, GB_EINTERNAL, "%s: unknown flags %u",
                          gb_guest_type_name(frame->type), frame->flags);
    if (frame->type == GB_GUEST_OPEN)
        return mux_on_open(mux, frame, err);
    stream = mux_find(mux, frame->id);
    if (stream == NULL)
        return mux_on_absent(mux, frame, err);
    if (frame->cell != stream->cell)
        return gb_err_set(err, GB_EINTERNAL, "%s: stream %u does not belong to cell %u",
                          gb_guest_type_name(frame->type), frame->id, frame->cell);
    switch (frame->type) {
    case GB_GUEST_DATA:
        return mux_on_data(stream, frame, err);
    case GB_GUEST_CREDIT:
        return mux_on_credit(stream, frame, err);
    case GB_GUEST_SHUT:
        return mux_on_shut(stream, frame, err);
    default:
        return mux_on_reset(stream, frame, err);
    }
}
