/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of a port, whose bytes a test carries from one to the other as it likes. */
#include "wire/mux.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check_run.h"
#include "wire/guest.h"

enum { SEEN_MAX = 8 };

/* One side: what its streams have told it. */
struct end {
    struct gb_mux mux;
    struct gb_buf out;
    struct gb_mux_stream *opened[SEEN_MAX];
    struct gb_buf params, bytes, word;
    int opens, shuts, ends, resets, credits, fills;
    struct gb_err why;
    bool refuses, consumes;
};

static int end_on_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                         struct gb_err *err)
{
    struct end *end = arg;

    gb_buf_clear(&end->params);
    gb_buf_add(&end->params, params.data, params.size);
    end->opened[end->opens++ % SEEN_MAX] = stream;
    if (!end->refuses)
        return 0;
    (void)gb_err_set(err, GB_EBUSY, "not now");
    return 1;
}

static void end_on_fill(void *arg, struct gb_mux_stream *stream)
{
    struct end *end = arg;

    end->fills++;
    gb_mux_want(stream, false);
}

static int end_on_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                       struct gb_err *err)
{
    struct end *end = arg;

    (void)err;
    gb_buf_add(&end->bytes, bytes.data, bytes.size);
    if (end->consumes)
        gb_mux_consume(stream, bytes.size);
    return 0;
}

static void end_on_credited(void *arg, struct gb_mux_stream *stream)
{
    (void)stream;
    ((struct end *)arg)->credits++;
}

static int end_on_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                       struct gb_err *err)
{
    struct end *end = arg;

    (void)stream;
    (void)err;
    end->shuts++;
    gb_buf_clear(&end->word);
    gb_buf_add(&end->word, word.data, word.size);
    return 0;
}

static void end_on_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct end *end = arg;

    (void)stream;
    end->ends++;
    if (why == NULL)
        return;
    end->resets++;
    end->why = *why;
}

#define KIND                                                                                       \
    {                                                                                              \
        end_on_opened, end_on_fill, end_on_data, end_on_credited, end_on_shut, end_on_ended        \
    }
static const struct gb_mux_kind end_kinds[GB_STREAM_KIND_COUNT] = {{0},  KIND, KIND,
                                                                   KIND, KIND, KIND};

static struct end host, guest;

static void setup(void)
{
    gb_mux_init(&host.mux, GB_SIDE_HOST, end_kinds, &host, &host.out);
    gb_mux_init(&guest.mux, GB_SIDE_GUEST, end_kinds, &guest, &guest.out);
}

static void end_release(struct end *end)
{
    gb_mux_clear(&end->mux, NULL);
    ck_assert_uint_eq(end->mux.count[0] + end->mux.count[1], 0);
    gb_buf_release(&end->out);
    gb_buf_release(&end->params);
    gb_buf_release(&end->bytes);
    gb_buf_release(&end->word);
    *end = (struct end){0};
}

static void teardown(void)
{
    end_release(&host);
    end_release(&guest);
}

/* Hands all that @from has sent to @to. 0, or the violation. */
static int carry(struct end *from, struct end *to, struct gb_err *err)
{
    struct gb_frame frame;
    size_t size;
    int r = 0;

    while (r == 0 && gb_frame_next(gb_buf_bytes(&from->out), &frame, &size, NULL) == 1) {
        ck_assert(gb_mux_takes(&frame));
        r = gb_mux_frame(&to->mux, &frame, err);
        gb_buf_consume(&from->out, size);
    }
    return r;
}

/* Both ways, until nothing is left to say. */
static void talk(void)
{
    while (host.out.size > 0 || guest.out.size > 0) {
        ck_assert_int_eq(carry(&host, &guest, NULL), 0);
        ck_assert_int_eq(carry(&guest, &host, NULL), 0);
    }
}

/* A frame that no side of ours would send. */
static int forge(struct end *to, struct gb_frame frame, struct gb_err *err)
{
    *err = (struct gb_err){0};
    return gb_mux_frame(&to->mux, &frame, err);
}

#define BREAKS(to, sentence, ...)                                                                  \
    do {                                                                                           \
        struct gb_err err_;                                                                        \
        ck_assert_int_eq(forge(to, (struct gb_frame){__VA_ARGS__}, &err_), -GB_EINTERNAL);         \
        ck_assert_msg(strstr(err_.message, sentence) != NULL, "%s", err_.message);                 \
    } while (0)

static size_t send_all(struct gb_mux_stream *stream)
{
    static const uint8_t zeros[GB_STREAM_PIECE];
    size_t sent = 0, room;

    while ((room = gb_mux_room(stream)) > 0) {
        gb_mux_send(stream, (struct gb_bytes){zeros, room}, false);
        sent += room;
    }
    return sent;
}

static const struct gb_upload upload = {{(const uint8_t *)"f", 1}, 0600};

START_TEST(an_upload_from_end_to_end)
{
    const struct gb_upload_end done = {5};
    struct gb_mux_stream *stream = gb_mux_open(&host.mux, GB_STREAM_UPLOAD, 0, &upload);
    struct gb_upload_end told;
    struct gb_upload asked;

    guest.consumes = true;
    gb_mux_send(stream, gb_bytes_str("he"), false);
    gb_mux_send(stream, gb_bytes_str("llo"), true);
    talk();
    ck_assert_int_eq(guest.opens, 1);
    ck_assert_int_eq(gb_fields_decode(&gb_upload_fields, gb_buf_bytes(&guest.params), &asked, NULL),
                     0);
    ck_assert(gb_bytes_equal(asked.path, "f") && asked.mode == 0600);
    ck_assert(gb_bytes_equal(gb_buf_bytes(&guest.bytes), "hello"));
    /* What was pushed is granted without waiting for more. */
    ck_assert_int_eq(host.credits, 1);
    ck_assert(gb_mux_was_granted(stream, stream->sent_cost));
    ck_assert(!gb_mux_shut(stream, NULL));
    talk();
    ck_assert_int_eq(guest.shuts, 1);
    ck_assert_int_eq(guest.ends + host.ends, 0);
    ck_assert(gb_mux_shut(guest.opened[0], &done));
    talk();
    ck_assert_int_eq(host.shuts, 1);
    ck_assert_int_eq(gb_fields_decode(&gb_upload_end_fields, gb_buf_bytes(&host.word), &told, NULL),
                     0);
    ck_assert_uint_eq(told.size, 5);
    ck_assert_int_eq(host.ends, 1);
    ck_assert_int_eq(host.resets, 0);
    ck_assert_uint_eq(host.mux.count[1] + guest.mux.count[0], 0);
}
END_TEST

START_TEST(the_window_opens_in_steps)
{
    struct gb_mux_stream *stream = gb_mux_open(&guest.mux, GB_STREAM_STDOUT, 7, NULL), *other;
    size_t sent = send_all(stream);

    ck_assert_uint_gt(sent, GB_STREAM_WINDOW * 9 / 10);
    ck_assert_uint_le(sent, GB_STREAM_WINDOW);
    talk();
    ck_assert_int_eq(guest.credits, 0);
    other = host.opened[0];
    ck_assert_uint_eq(other->cell, 7);
    gb_mux_consume(other, GB_STREAM_WINDOW / 4 - 1);
    talk();
    ck_assert_int_eq(guest.credits, 0);
    ck_assert_uint_eq(gb_mux_room(stream), 0);
    gb_mux_consume(other, 1);
    talk();
    ck_assert_int_eq(guest.credits, 1);
    ck_assert_uint_gt(send_all(stream), GB_STREAM_WINDOW / 5);
    talk();
    /* A pause keeps it shut, and its end opens it. */
    gb_mux_pause(other, true);
    gb_mux_consume(other, other->held_bytes);
    talk();
    ck_assert_int_eq(guest.credits, 1);
    gb_mux_pause(other, false);
    talk();
    ck_assert_int_eq(guest.credits, 2);
    ck_assert_uint_eq(stream->send_left, GB_STREAM_WINDOW);
}
END_TEST

START_TEST(small_frames_take_more_than_their_bytes)
{
    struct gb_mux_stream *stream = gb_mux_open(&guest.mux, GB_STREAM_STDERR, 1, NULL);
    size_t frames = 0;

    for (; gb_mux_room(stream) > 0; frames++)
        gb_mux_send(stream, gb_bytes_str("x"), false);
    ck_assert_uint_eq(frames, GB_STREAM_WINDOW / (GB_STREAM_COST + 1));
    talk();
    gb_mux_consume(host.opened[0], frames);
    talk();
    ck_assert_uint_eq(stream->send_left, GB_STREAM_WINDOW);
}
END_TEST

START_TEST(an_open_that_is_refused)
{
    struct gb_mux_stream *stream = gb_mux_open(&host.mux, GB_STREAM_UPLOAD, 0, &upload);

    guest.refuses = true;
    (void)send_all(stream); /* before the refusal is heard of: dropped */
    talk();
    ck_assert_int_eq(host.resets, 1);
    ck_assert_int_eq(host.why.code, GB_EBUSY);
    ck_assert_str_eq(host.why.message, "not now");
    ck_assert_int_eq(guest.ends, 0);
    ck_assert_uint_eq(guest.bytes.size, 0);
    ck_assert_uint_eq(host.mux.count[1] + guest.mux.count[0], 0);
    stream = gb_mux_open(&host.mux, GB_STREAM_STDIN, 3, NULL);
    ck_assert_uint_eq(stream->id, 3);
    guest.refuses = false;
    talk();
    ck_assert_int_eq(guest.opens, 2);
}
END_TEST

/* Each side gives it up, before or behind the other's words. */
START_TEST(resets_that_cross)
{
    const struct gb_err why = {.code = GB_ENOTFOUND, .message = "no more"};
    struct gb_mux_stream *stream = gb_mux_open(&host.mux, GB_STREAM_UPLOAD, 0, &upload);

    talk();
    gb_mux_reset(stream, &why);
    if (_i == 1)
        gb_mux_reset(guest.opened[0], &why);
    if (_i == 2)
        (void)gb_mux_shut(guest.opened[0], &(struct gb_upload_end){0});
    if (_i == 3) {
        gb_mux_want(guest.opened[0], true);
        ck_assert(!gb_mux_is_ready(&guest.mux)); /* it has no data */
    }
    talk();
    ck_assert_int_eq(host.ends, 0);
    ck_assert_int_eq(guest.resets, _i == 1 ? 0 : 1);
    ck_assert_uint_eq(host.mux.count[1] + guest.mux.count[0], 0);
}
END_TEST

START_TEST(credit_for_what_has_ended_is_late)
{
    struct gb_mux_stream *stream = gb_mux_open(&guest.mux, GB_STREAM_STDOUT, 1, NULL);

    host.consumes = true;
    (void)send_all(stream);
    ck_assert(gb_mux_shut(stream, NULL));
    talk();
    ck_assert_int_eq(host.ends, 1);
    ck_assert_int_eq(guest.credits, 0);
    BREAKS(&host, "has ended", .type = GB_GUEST_DATA, .id = 2, .cell = 1,
           .payload = gb_bytes_str("x"));
    BREAKS(&host, "has ended", .type = GB_GUEST_SHUT, .id = 2, .cell = 1);
    BREAKS(&host, "was not opened", .type = GB_GUEST_CREDIT, .id = 4);
    BREAKS(&host, "was not opened", .type = GB_GUEST_DATA, .id = 1);
}
END_TEST

static struct gb_bytes encoded(struct gb_buf *buf, const struct gb_fields *table,
                               const void *message)
{
    gb_buf_clear(buf);
    gb_fields_encode(table, message, buf);
    return gb_buf_bytes(buf);
}

START_TEST(opens_that_break_the_rules)
{
    static const struct {
        uint32_t id;
        struct gb_open open;
        const char *sentence;
    } bad[] = {
        {2, {0, {0}}, "no streams of kind 0"},
        {2, {GB_STREAM_KIND_COUNT, {0}}, "no streams of kind"},
        {2, {255, {0}}, "no streams of kind"},
        {2, {GB_STREAM_STDIN, {0}}, "must not open"},
        {2, {GB_STREAM_UPLOAD, {0}}, "must not open"},
        {1, {GB_STREAM_STDOUT, {0}}, "not the next"},
        {4, {GB_STREAM_STDOUT, {0}}, "not the next"},
        {0, {GB_STREAM_STDOUT, {0}}, "not the next"},
        {2, {GB_STREAM_STDOUT, {(const uint8_t *)"x", 1}}, "no parameters"},
    };
    struct gb_buf buf = {0};
    struct gb_err err;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        BREAKS(&host, bad[i].sentence, .type = GB_GUEST_OPEN, .id = bad[i].id,
               .payload = encoded(&buf, &gb_open_fields, &bad[i].open));
    BREAKS(&host, "OPEN", .type = GB_GUEST_OPEN, .id = 2);
    for (uint32_t i = 0; i < GB_STREAMS_MAX; i++)
        ck_assert_int_eq(
            forge(&host,
                  (struct gb_frame){.type = GB_GUEST_OPEN,
                                    .id = 2 + 2 * i,
                                    .payload = encoded(&buf, &gb_open_fields, &bad[5].open)},
                  &err),
            0);
    BREAKS(&host, "are open already", .type = GB_GUEST_OPEN, .id = 2 + 2 * GB_STREAMS_MAX,
           .payload = encoded(&buf, &gb_open_fields, &bad[5].open));
    BREAKS(&host, "not the next", .type = GB_GUEST_OPEN, .id = 2,
           .payload = encoded(&buf, &gb_open_fields, &bad[5].open));
    gb_buf_release(&buf);
}
END_TEST

START_TEST(frames_that_break_the_rules)
{
    static const uint8_t zeros[GB_STREAM_WINDOW];
    const struct gb_credit none = {0}, much = {GB_STREAM_WINDOW}, huge = {UINT64_MAX};
    const struct gb_guest_error closed = {GB_ECLOSED, {0}};
    struct gb_mux_stream *in = gb_mux_open(&host.mux, GB_STREAM_STDIN, 1, NULL);
    struct gb_buf buf = {0};

    (void)gb_mux_open(&guest.mux, GB_STREAM_STDOUT, 1, NULL);
    gb_mux_send(in, gb_bytes_str("x"), false);
    talk();
    BREAKS(&host, "nothing for stdout", .type = GB_GUEST_DATA, .id = 2, .cell = 1);
    BREAKS(&host, "does not belong to cell 2", .type = GB_GUEST_DATA, .id = 2, .cell = 2);
    BREAKS(&host, "unknown flags", .type = GB_GUEST_DATA, .id = 2, .cell = 1, .flags = 2);
    BREAKS(&host, "unknown flags", .type = GB_GUEST_SHUT, .id = 2, .cell = 1, .flags = 1);
    BREAKS(&host, "credit", .type = GB_GUEST_DATA, .id = 2, .cell = 1,
           .payload = {zeros, GB_STREAM_WINDOW});
    BREAKS(&host, "credit", .type = GB_GUEST_DATA, .id = 2, .cell = 1,
           .payload = {zeros, GB_STREAM_WINDOW - GB_STREAM_COST + 1});
    BREAKS(&host, "has no fields", .type = GB_GUEST_SHUT, .id = 2, .cell = 1,
           .payload = gb_bytes_str("x"));
    BREAKS(&host, "has ended", .type = GB_GUEST_DATA, .id = 1, .cell = 1,
           .payload = gb_bytes_str("x"));
    BREAKS(&host, "has ended", .type = GB_GUEST_SHUT, .id = 1, .cell = 1);
    BREAKS(&host, "CREDIT", .type = GB_GUEST_CREDIT, .id = 1, .cell = 1);
    BREAKS(&host, "used less", .type = GB_GUEST_CREDIT, .id = 1, .cell = 1,
           .payload = encoded(&buf, &gb_credit_fields, &none));
    BREAKS(&host, "used less", .type = GB_GUEST_CREDIT, .id = 1, .cell = 1,
           .payload = encoded(&buf, &gb_credit_fields, &much));
    BREAKS(&host, "used less", .type = GB_GUEST_CREDIT, .id = 1, .cell = 1,
           .payload = encoded(&buf, &gb_credit_fields, &huge));
    BREAKS(&host, "used less", .type = GB_GUEST_CREDIT, .id = 2, .cell = 1,
           .payload = encoded(&buf, &gb_credit_fields, &much));
    BREAKS(&host, "a guest never sends", .type = GB_GUEST_RESET, .id = 1, .cell = 1,
           .payload = encoded(&buf, &gb_guest_error_fields, &closed));
    BREAKS(&host, "cannot begin again", .type = GB_GUEST_RESET,
           .payload = encoded(&buf, &gb_guest_error_fields, &(struct gb_guest_error){0}));
    /* None of that has changed anything. */
    ck_assert_uint_eq(host.bytes.size, 0);
    talk();
    ck_assert_uint_eq(guest.bytes.size, 1);
    gb_buf_release(&buf);
}
END_TEST

/* A host that takes a guest over, which knows streams that this host does not. */
START_TEST(a_conversation_begins_anew)
{
    struct gb_mux_stream *out;

    out = gb_mux_open(&guest.mux, GB_STREAM_STDOUT, 1, NULL);
    gb_mux_send(out, gb_bytes_str("before"), false);
    ck_assert_ptr_nonnull(gb_mux_open(&host.mux, GB_STREAM_UPLOAD, 0, &upload));
    talk();
    end_release(&host);
    gb_mux_init(&host.mux, GB_SIDE_HOST, end_kinds, &host, &host.out);
    gb_mux_send(out, gb_bytes_str("stale"), false);
    for (int i = 0; i <= _i; i++) /* so often, without an answer in between */
        gb_mux_restart(&host.mux, NULL);
    ck_assert_ptr_nonnull(gb_mux_open(&host.mux, GB_STREAM_STDIN, 2, NULL));
    ck_assert_int_eq(carry(&guest, &host, NULL), 0);
    ck_assert_uint_eq(host.bytes.size, 0);
    talk();
    ck_assert_int_eq(guest.resets, 2);
    ck_assert_int_eq(host.ends, 0);
    ck_assert_uint_eq(host.mux.restarts, 0);
    out = gb_mux_open(&guest.mux, GB_STREAM_STDOUT, 3, NULL);
    ck_assert_uint_eq(out->id, 2);
    gb_mux_send(out, gb_bytes_str("after"), false);
    talk();
    ck_assert(gb_bytes_equal(gb_buf_bytes(&host.bytes), "after"));
    BREAKS(&host, "cannot begin again", .type = GB_GUEST_RESET,
           .payload = {(const uint8_t *)"\0\0\0\0\0\0\0\0", 8});
}
END_TEST

START_TEST(no_more_streams_than_allowed)
{
    for (uint32_t i = 0; i < GB_STREAMS_MAX; i++)
        ck_assert_ptr_nonnull(gb_mux_open(&host.mux, GB_STREAM_UPLOAD, 0, &upload));
    ck_assert_ptr_null(gb_mux_open(&host.mux, GB_STREAM_UPLOAD, 0, &upload));
    talk();
    ck_assert_int_eq(guest.opens, GB_STREAMS_MAX);
    ck_assert_int_eq(guest.resets, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mux");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, an_upload_from_end_to_end);
    tcase_add_test(all, the_window_opens_in_steps);
    tcase_add_test(all, small_frames_take_more_than_their_bytes);
    tcase_add_test(all, an_open_that_is_refused);
    tcase_add_loop_test(all, resets_that_cross, 0, 4);
    tcase_add_test(all, credit_for_what_has_ended_is_late);
    tcase_add_test(all, opens_that_break_the_rules);
    tcase_add_test(all, frames_that_break_the_rules);
    tcase_add_loop_test(all, a_conversation_begins_anew, 0, 3);
    tcase_add_test(all, no_more_streams_than_allowed);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
