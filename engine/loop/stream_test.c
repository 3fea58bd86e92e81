/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check_run.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "loop/loop.h"

enum { LARGE = 8 << 20, READ_BYTES = 64 * 1024 };

static uv_loop_t uv;
static struct gb_loop *loop;

struct end {
    struct gb_stream *stream;
    struct gb_buf got;
    size_t sent;
    int inputs, closed, sys_errno;
    bool echo, keep, free_at_input, free_at_close, pause_at_input;
};

static void on_input(void *arg, struct gb_buf *input)
{
    struct end *end = arg;

    ck_assert_int_eq(end->closed, 0);
    end->inputs++;
    if (end->keep)
        return;
    if (end->echo)
        gb_stream_send(end->stream, gb_buf_data(input), input->size);
    else
        gb_buf_add(&end->got, gb_buf_data(input), input->size);
    gb_buf_consume(input, input->size);
    if (end->pause_at_input)
        gb_stream_pause(end->stream, true);
    if (end->free_at_input)
        gb_stream_free(TAKE_PTR(end->stream));
}

static void on_closed(void *arg, int sys_errno)
{
    struct end *end = arg;

    end->closed++;
    end->sys_errno = sys_errno;
    if (end->free_at_close)
        gb_stream_free(TAKE_PTR(end->stream));
}

static void on_sent(void *arg, size_t bytes)
{
    struct end *end = arg;

    end->sent += bytes;
}

static const struct gb_stream_events events = {
    .input = on_input, .closed = on_closed, .sent = on_sent};

static void open_pair(struct end *a, struct end *b)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    *a = *b = (struct end){0};
    a->stream = gb_stream_new(loop, pair[0], READ_BYTES, &events, a);
    b->stream = gb_stream_new(loop, pair[1], READ_BYTES, &events, b);
}

/* One end only; the other is a plain descriptor. */
static int open_one(struct end *end)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    *end = (struct end){0};
    end->stream = gb_stream_new(loop, pair[0], READ_BYTES, &events, end);
    return pair[1];
}

static void close_end(struct end *end)
{
    gb_stream_free(end->stream);
    gb_buf_release(&end->got);
}

static void turn(void)
{
    uv_run(&uv, UV_RUN_ONCE);
}

static void turns(int count)
{
    while (count-- > 0)
        uv_run(&uv, UV_RUN_NOWAIT);
}

static void setup(void)
{
    uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
}

static void teardown(void)
{
    gb_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}

START_TEST(echoes_large_data)
{
    struct end a, b;
    uint8_t *data = xmalloc(LARGE);

    for (size_t i = 0; i < LARGE; i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    open_pair(&a, &b);
    b.echo = true;
    gb_stream_send(a.stream, data, LARGE / 2);
    ck_assert_uint_eq(a.sent, 0); /* never from within */
    gb_stream_send(a.stream, data + LARGE / 2, LARGE / 2);
    while (a.got.size < LARGE)
        turn();
    ck_assert_mem_eq(gb_buf_data(&a.got), data, LARGE);
    turns(3);
    ck_assert_uint_eq(a.sent, LARGE);
    ck_assert_uint_eq(gb_stream_queued(a.stream), 0);
    close_end(&a);
    close_end(&b);
    free(data);
}
END_TEST

START_TEST(pause_holds_the_peer_up)
{
    struct end a, b;
    struct gb_buf data = {0};
    size_t before;

    memset(gb_buf_reserve(&data, LARGE, LARGE), 'x', LARGE);
    gb_buf_commit(&data, LARGE);
    open_pair(&a, &b);
    gb_stream_pause(b.stream, true);
    gb_stream_send_buf(a.stream, &data);
    ck_assert_uint_eq(data.size, 0);
    turns(50);
    ck_assert_uint_eq(b.got.size, 0);
    before = gb_stream_queued(a.stream);
    ck_assert_uint_gt(before, LARGE / 2); /* the socket takes some */
    turns(50);
    ck_assert_uint_eq(gb_stream_queued(a.stream), before);
    gb_stream_pause(b.stream, false);
    while (b.got.size < LARGE)
        turn();
    close_end(&a);
    close_end(&b);
    gb_buf_release(&data);
}
END_TEST

/* What the peer wrote comes out before its end, also when the reader was paused meanwhile. */
START_TEST(everything_comes_before_the_end)
{
    struct end end;
    int peer = open_one(&end);

    gb_stream_pause(end.stream, true);
    ck_assert_int_eq(write(peer, "last words", 10), 10);
    close(peer);
    turns(20);
    ck_assert_int_eq(end.inputs + end.closed, 0);
    gb_stream_pause(end.stream, false);
    while (end.closed == 0)
        turn();
    ck_assert_uint_eq(end.got.size, 10);
    ck_assert_int_eq(end.sys_errno, 0);
    turns(5);
    ck_assert_int_eq(end.closed, 1);
    close_end(&end);
}
END_TEST

/* A reader that left input, paused and goes on is called without new bytes. */
START_TEST(input_left_over_comes_again)
{
    struct end end;
    int peer = open_one(&end);

    end.keep = true;
    ck_assert_int_eq(write(peer, "abc", 3), 3);
    while (end.inputs == 0)
        turn();
    gb_stream_pause(end.stream, true);
    close(peer);
    turns(5);
    end.keep = false;
    gb_stream_pause(end.stream, false);
    ck_assert_int_eq(end.inputs, 1); /* not from within */
    while (end.closed == 0)
        turn();
    ck_assert_uint_eq(end.got.size, 3);
    close_end(&end);
}
END_TEST

/* The peer dies with our bytes unread (ECONNRESET) and its own last bytes on the way to us. */
START_TEST(a_reset_loses_nothing)
{
    struct end end;
    int peer = open_one(&end);

    gb_stream_send(end.stream, "ignored", 7);
    turns(3);
    ck_assert_int_eq(write(peer, "result", 6), 6);
    close(peer);
    gb_stream_send(end.stream, "to nobody", 9); /* EPIPE must not be taken for the end */
    ck_assert_uint_eq(gb_stream_queued(end.stream), 0);
    while (end.closed == 0)
        turn();
    ck_assert_uint_eq(end.got.size, 6);
    gb_stream_send(end.stream, "dropped", 7);
    ck_assert_uint_eq(gb_stream_queued(end.stream), 0);
    close_end(&end);
}
END_TEST

START_TEST(freed_in_its_own_callback)
{
    struct end end;
    int peer = open_one(&end);

    end.free_at_input = true;
    ck_assert_int_eq(write(peer, "x", 1), 1);
    while (end.stream != NULL)
        turn();
    turns(5);
    ck_assert_int_eq(end.inputs, 1);
    ck_assert_int_eq(end.closed, 0);
    close(peer);
    gb_buf_release(&end.got);

    peer = open_one(&end);
    end.free_at_close = true;
    close(peer);
    while (end.stream != NULL)
        turn();
    turns(5);
    ck_assert_int_eq(end.closed, 1);
    gb_buf_release(&end.got);
}
END_TEST

START_TEST(pausing_from_within)
{
    struct end end;
    int peer = open_one(&end);

    end.pause_at_input = true;
    ck_assert_int_eq(write(peer, "a", 1), 1);
    while (end.inputs == 0)
        turn();
    ck_assert_int_eq(write(peer, "b", 1), 1);
    turns(10);
    ck_assert_int_eq(end.inputs, 1);
    gb_stream_pause(end.stream, false);
    while (end.inputs == 1)
        turn();
    ck_assert_uint_eq(end.got.size, 2);
    close(peer);
    close_end(&end);
}
END_TEST

START_TEST(finish_sends_the_rest)
{
    struct end end;
    int peer = open_one(&end);
    uint8_t *data = xcalloc(1, LARGE);
    size_t got = 0;

    gb_stream_send(end.stream, data, LARGE);
    gb_stream_finish(end.stream, 60000);
    gb_fd_set_nonblocking(peer, true);
    for (;;) {
        ssize_t n;

        uv_run(&uv, UV_RUN_NOWAIT);
        n = read(peer, data, LARGE);
        if (n == 0)
            break;
        if (n > 0)
            got += (size_t)n;
    }
    ck_assert_uint_eq(got, LARGE);
    ck_assert_int_eq(end.closed, 0);
    close(peer);

    /* A peer that takes nothing holds it for the limit only; one that is gone not at all. */
    peer = open_one(&end);
    gb_stream_send(end.stream, data, LARGE);
    gb_stream_finish(end.stream, 20);
    uv_run(&uv, UV_RUN_DEFAULT);
    close(peer);
    peer = open_one(&end);
    gb_stream_send(end.stream, data, LARGE);
    gb_stream_finish(end.stream, 600000);
    close(peer);
    uv_run(&uv, UV_RUN_DEFAULT);
    free(data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *tests = tcase_create("stream");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, echoes_large_data);
    tcase_add_test(tests, pause_holds_the_peer_up);
    tcase_add_test(tests, everything_comes_before_the_end);
    tcase_add_test(tests, input_left_over_comes_again);
    tcase_add_test(tests, a_reset_loses_nothing);
    tcase_add_test(tests, freed_in_its_own_callback);
    tcase_add_test(tests, pausing_from_within);
    tcase_add_test(tests, finish_sends_the_rest);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
