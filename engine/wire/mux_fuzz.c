/* SPDX-License-Identifier: Apache-2.0 */
/* A peer's frames against the state of streams, from either side: the first byte says which, and
 * how its user behaves. Whatever comes, what is counted stays within its bounds. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "wire/guest.h"
#include "wire/mux.h"

enum {
    AS_GUEST = 1,
    REFUSES = 2,
    CONSUMES = 4,
    ANSWERS = 8,
    OPENS = 16,
    RESTARTS = 32,
    GIVES_UP = 64
};

static uint8_t manner;

static int on_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                     struct gb_err *err)
{
    (void)arg;
    (void)params;
    if ((manner & REFUSES) != 0 && stream->id % 4 == 2)
        return -gb_err_set(err, GB_EBUSY, "no");
    gb_mux_want(stream, true);
    return 0;
}

static void on_fill(void *arg, struct gb_mux_stream *stream)
{
    (void)arg;
    assert(gb_mux_room(stream) > 0);
    gb_mux_send(stream, gb_bytes_str("x"), false);
    gb_mux_want(stream, false);
}

static int on_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                   struct gb_err *err)
{
    (void)arg;
    assert(bytes.size > 0 && stream->held_bytes <= GB_STREAM_WINDOW);
    if ((manner & GIVES_UP) != 0 && bytes.data[0] == 'r')
        gb_mux_reset(stream, &(struct gb_err){.code = GB_EBUSY});
    else if ((manner & CONSUMES) != 0)
        gb_mux_consume(stream, stream->held_bytes);
    (void)err;
    return 0;
}

static int on_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                   struct gb_err *err)
{
    static const struct gb_upload_end end = {1};

    (void)arg;
    (void)word;
    (void)err;
    if ((manner & ANSWERS) != 0 && stream->ours_open)
        (void)gb_mux_shut(stream, stream->kind == GB_STREAM_UPLOAD ? &end : NULL);
    return 0;
}

static void on_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)arg;
    assert(!stream->given_up);
    if (why != NULL)
        assert(memchr(why->message, '\0', sizeof(why->message)) != NULL);
}

#define KIND                                                                                       \
    {                                                                                              \
        on_opened, on_fill, on_data, NULL, on_shut, on_ended                                       \
    }
static const struct gb_mux_kind kinds[GB_STREAM_KIND_COUNT] = {
    {0}, KIND, KIND, KIND, KIND, KIND, [GB_STREAM_FORWARD] = KIND};

static void open_some(struct gb_mux *mux)
{
    static const struct gb_upload upload = {{(const uint8_t *)"f", 1}, 0};
    static const struct gb_forward forward = {8000};
    static const struct gb_download download = {{(const uint8_t *)"f", 1}, 0, 9};

    if (mux->side == GB_SIDE_HOST) {
        gb_mux_want(gb_mux_open(mux, GB_STREAM_UPLOAD, 0, &upload), true);
        gb_mux_want(gb_mux_open(mux, GB_STREAM_STDIN, 1, NULL), true);
        (void)gb_mux_open(mux, GB_STREAM_DOWNLOAD, 0, &download);
        gb_mux_want(gb_mux_open(mux, GB_STREAM_FORWARD, 0, &forward), true);
    } else {
        gb_mux_want(gb_mux_open(mux, GB_STREAM_STDOUT, 1, NULL), true);
        gb_mux_want(gb_mux_open(mux, GB_STREAM_STDERR, 1, NULL), true);
    }
}

static void check(const struct gb_mux *mux)
{
    const struct gb_mux_stream *stream;
    unsigned count = 0;

    GB_LIST_FOREACH_CONST(stream, &mux->streams, link) {
        assert(stream->ours_open || stream->theirs_open);
        assert(stream->send_left <= GB_STREAM_WINDOW);
        assert((uint64_t)stream->receive_left + stream->held_bytes + stream->owed <=
               GB_STREAM_WINDOW);
        assert(stream->granted_cost <= stream->sent_cost);
        count++;
    }
    assert(count == mux->count[0] + mux->count[1] && count <= 2 * GB_STREAMS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_bytes input;
    struct gb_buf out = {0};
    struct gb_frame frame;
    struct gb_mux mux;
    size_t whole;

    if (size == 0)
        return 0;
    input = (struct gb_bytes){data + 1, size - 1};
    manner = data[0];
    gb_mux_init(&mux, (manner & AS_GUEST) != 0 ? GB_SIDE_GUEST : GB_SIDE_HOST, kinds, NULL, &out);
    if ((manner & RESTARTS) != 0 && mux.side == GB_SIDE_HOST)
        gb_mux_restart(&mux, NULL);
    if ((manner & OPENS) != 0)
        open_some(&mux);
    while (gb_frame_next(input, &frame, &whole, NULL) > 0) {
        if (gb_mux_takes(&frame) && gb_mux_frame(&mux, &frame, NULL) < 0)
            break;
        gb_mux_run(&mux, 1000);
        check(&mux);
        input.data += whole;
        input.size -= whole;
    }
    gb_mux_clear(&mux, NULL);
    gb_buf_release(&out);
    return 0;
}
