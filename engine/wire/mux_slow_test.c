/* SPDX-License-Identifier: Apache-2.0 */
/* All kinds of streams at once through a port that takes and gives pieces of any size, with
 * receivers that consume when they like and are paused now and then: no byte is lost or changes its
 * place, nobody who has something to send waits for more than a turn of each other, and what is
 * held anywhere is bounded. Each seed is another interleaving. */
#include "wire/mux.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"
#include "wire/guest.h"

enum {
    SEEDS = 20,
    FLOWS = 12,
    BYTES_MAX = 2 << 20,
    BUDGET = 96 << 10,
    /* What a port may hold: a budget, and the last piece over it, and small frames. */
    PORT_MAX = BUDGET + GB_STREAM_PIECE + 64 * 1024,
};

/* A stream with its bytes, which follow from its number. */
struct flow {
    struct gb_mux_stream *from, *to;
    size_t number, size, sent, came, consumed;
    unsigned waited; /* turns of others since it was ready */
    bool shut;
};

struct side {
    struct gb_mux mux;
    struct gb_buf out; /* on its way to the other */
};

static struct side sides[2];
static struct flow flows[FLOWS];
static uint64_t state;
static size_t ended;

static uint32_t random_below(uint32_t limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((state >> 33) * limit) >> 31);
}

static uint8_t byte_at(size_t number, size_t offset)
{
    uint64_t x = (offset + 1) * 0x9e3779b97f4a7c15u + number * 0xbf58476d1ce4e5b9u;

    return (uint8_t)(x >> 41);
}

/* The flow that a stream of either side belongs to: of the same cell. */
static struct flow *flow_of(const struct gb_mux_stream *stream)
{
    return &flows[stream->cell - 1];
}

static int on_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                     struct gb_err *err)
{
    struct flow *flow = flow_of(stream);

    (void)arg;
    (void)params;
    (void)err;
    if (stream->kind == GB_STREAM_DOWNLOAD) {
        flow->from = stream;
        gb_mux_want(stream, true);
    } else {
        flow->to = stream;
    }
    return 0;
}

/* What is ready besides may not wait for more than one turn of each. */
static void count_turn(const struct gb_mux *mux, struct flow *mine)
{
    mine->waited = 0;
    for (size_t i = 0; i < FLOWS; i++) {
        struct flow *flow = &flows[i];

        if (flow == mine || flow->from == NULL || flow->from->mux != mux)
            continue;
        if (gb_list_empty(&flow->from->ready))
            flow->waited = 0;
        else
            ck_assert_uint_lt(++flow->waited, FLOWS);
    }
}

static void on_fill(void *arg, struct gb_mux_stream *stream)
{
    struct flow *flow = flow_of(stream);
    size_t size = MIN(gb_mux_room(stream), flow->size - flow->sent);
    size_t small = 1 + random_below(300);
    uint8_t *to;

    (void)arg;
    count_turn(stream->mux, flow);
    if (random_below(4) == 0)
        size = MIN(size, small);
    if (size > 0) {
        to = gb_mux_send_begin(stream, size);
        for (size_t i = 0; i < size; i++)
            to[i] = byte_at(flow->number, flow->sent + i);
        flow->sent += size;
        gb_mux_send_end(stream, size, random_below(3) == 0);
    }
    if (flow->sent < flow->size)
        return;
    flow->shut = true;
    flow->from = NULL;
    (void)gb_mux_shut(stream, &(struct gb_download_end){flow->size, 1});
}

static int on_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                   struct gb_err *err)
{
    struct flow *flow = flow_of(stream);
    size_t same = 0;

    (void)arg;
    (void)err;
    while (same < bytes.size && bytes.data[same] == byte_at(flow->number, flow->came + same))
        same++;
    ck_assert_uint_eq(same, bytes.size);
    flow->came += bytes.size;
    ck_assert_uint_le(stream->held_bytes, GB_STREAM_WINDOW);
    return 0;
}

static int on_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                   struct gb_err *err)
{
    struct flow *flow = flow_of(stream);

    (void)arg;
    (void)word;
    (void)err;
    if (stream->kind == GB_STREAM_UPLOAD && !stream->opened_here)
        (void)gb_mux_shut(stream, &(struct gb_upload_end){flow->came});
    return 0;
}

static void on_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct flow *flow = flow_of(stream);

    (void)arg;
    ck_assert_ptr_null(why);
    if (flow->to == stream) {
        ck_assert_uint_eq(flow->came, flow->size);
        flow->to = NULL;
        ended++;
    }
}

#define KIND                                                                                       \
    {                                                                                              \
        on_opened, on_fill, on_data, NULL, on_shut, on_ended                                       \
    }
static const struct gb_mux_kind kinds[GB_STREAM_KIND_COUNT] = {{0}, KIND, KIND, KIND, KIND, KIND};

static void flow_begin(struct flow *flow, size_t number)
{
    static const enum gb_stream_kind order[] = {GB_STREAM_STDOUT, GB_STREAM_STDERR, GB_STREAM_STDIN,
                                                GB_STREAM_UPLOAD, GB_STREAM_DOWNLOAD};
    static const struct gb_upload upload = {{(const uint8_t *)"f", 1}, 0};
    static const struct gb_download download = {{(const uint8_t *)"f", 1}, 0, UINT64_MAX};
    enum gb_stream_kind kind = order[number % ARRAY_SIZE(order)];
    struct side *side = &sides[gb_stream_kinds[kind].opener];
    struct gb_mux_stream *stream;

    *flow = (struct flow){.number = number,
                          .size = random_below(4) == 0 ? random_below(3) : random_below(BYTES_MAX)};
    stream =
        gb_mux_open(&side->mux, kind, (uint32_t)number + 1,
                    kind == GB_STREAM_UPLOAD ? (const void *)&upload : (const void *)&download);
    ck_assert_ptr_nonnull(stream);
    if (kind == GB_STREAM_DOWNLOAD) {
        flow->to = stream;
    } else {
        flow->from = stream;
        gb_mux_want(stream, true);
    }
}

/* Hands a piece of what is on its way to the other side, and leaves half a frame lying. */
static void port_carry(size_t from)
{
    static struct gb_buf arrived[2];
    struct gb_buf *input = &arrived[from];
    size_t most = 1 + random_below(70000), size = MIN(sides[from].out.size, most);
    struct gb_frame frame;
    struct gb_err err = {0};
    size_t whole;

    gb_buf_add(input, gb_buf_data(&sides[from].out), size);
    gb_buf_consume(&sides[from].out, size);
    while (gb_frame_next(gb_buf_bytes(input), &frame, &whole, NULL) == 1) {
        ck_assert_msg(gb_mux_frame(&sides[1 - from].mux, &frame, &err) == 0, "%s", err.message);
        gb_buf_consume(input, whole);
    }
    if (input->size == 0)
        gb_buf_release(input);
}

static void flow_consume(struct flow *flow)
{
    struct gb_mux_stream *stream = flow->to;
    uint32_t few = random_below(5000);

    if (stream == NULL)
        return;
    if (random_below(8) == 0)
        gb_mux_pause(stream, !stream->paused);
    else if (stream->paused)
        return;
    gb_mux_consume(stream,
                   random_below(3) == 0 ? MIN(stream->held_bytes, few) : stream->held_bytes);
}

START_TEST(nothing_is_lost_and_nobody_starves)
{
    size_t begun = 0;

    state = (uint64_t)_i * 77 + 1;
    ended = 0;
    gb_mux_init(&sides[0].mux, GB_SIDE_HOST, kinds, NULL, &sides[0].out);
    gb_mux_init(&sides[1].mux, GB_SIDE_GUEST, kinds, NULL, &sides[1].out);
    while (ended < FLOWS) {
        size_t side = random_below(2);

        if (begun < FLOWS && random_below(10) == 0) {
            flow_begin(&flows[begun], begun);
            begun++;
        }
        if (sides[side].out.size < BUDGET)
            gb_mux_run(&sides[side].mux, BUDGET - sides[side].out.size);
        ck_assert_uint_le(sides[side].out.size, PORT_MAX);
        port_carry(random_below(2));
        if (begun > 0)
            flow_consume(&flows[random_below((uint32_t)begun)]);
    }
    while (sides[0].out.size > 0 || sides[1].out.size > 0) {
        port_carry(0);
        port_carry(1);
    }
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(sides[i].mux.count[0] + sides[i].mux.count[1], 0);
        gb_buf_release(&sides[i].out);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mux_slow");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, nothing_is_lost_and_nobody_starves, 0, SEEDS);
    tcase_set_timeout(all, 60);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
