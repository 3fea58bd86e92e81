/* SPDX-License-Identifier: Apache-2.0 */
/* What peers and sockets can do to a stream. Whatever it is, the loop comes to rest: it wakes up a
 * bounded number of times and then stands still until something else happens. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"
#include "loop/loop.h"

enum { READ_BYTES = 4096, QUEUED = 2 << 20, TURNS_MAX = 40 };

static uv_loop_t uv;
static struct gb_loop *loop;

/* ---- the socket's own faults: send() and recv() as the stream calls them ---- */

struct fault {
    int error;   /* fails with it; 0: does its work */
    size_t most; /* for so many bytes; 0: for all */
};

struct script {
    const struct fault *faults;
    size_t count, at;
    bool again; /* from the beginning when it is over */
};

static struct script sending, receiving;

static struct fault next_fault(struct script *script)
{
    if (script->at == script->count) {
        if (!script->again || script->count == 0)
            return (struct fault){0};
        script->at = 0;
    }
    return script->faults[script->at++];
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    struct fault fault = next_fault(&sending);

    if (fault.error != 0) {
        errno = fault.error;
        return -1;
    }
    size = fault.most > 0 ? MIN(size, fault.most) : size;
    return syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
    struct fault fault = next_fault(&receiving);

    if (fault.error != 0) {
        errno = fault.error;
        return -1;
    }
    size = fault.most > 0 ? MIN(size, fault.most) : size;
    return syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);
}

/* ---- a stream and its peer, a plain descriptor ---- */

static struct {
    struct gb_stream *stream;
    int peer;
    struct gb_buf got;
    size_t sent, dropped, taken;
    int closed, sys_errno;
    bool paused;
} one;

static void on_input(void *arg, struct gb_buf *input)
{
    (void)arg;
    ck_assert(!one.paused);
    ck_assert_int_eq(one.closed, 0);
    gb_buf_add(&one.got, gb_buf_data(input), input->size);
    gb_buf_consume(input, input->size);
}

static void on_closed(void *arg, int sys_errno)
{
    (void)arg;
    ck_assert(!one.paused);
    one.closed++;
    one.sys_errno = sys_errno;
}

static void on_sent(void *arg, size_t bytes)
{
    (void)arg;
    one.sent += bytes;
}

static void on_dropped(void *arg, size_t bytes)
{
    (void)arg;
    one.dropped += bytes;
}

static void pause_it(bool paused)
{
    one.paused = paused;
    gb_stream_pause(one.stream, paused);
}

static void setup(void)
{
    static const struct gb_stream_events events = {
        .input = on_input, .closed = on_closed, .sent = on_sent, .dropped = on_dropped};
    int pair[2];

    uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    memset(&one, 0, sizeof(one));
    memset(&sending, 0, sizeof(sending));
    memset(&receiving, 0, sizeof(receiving));
    one.stream = gb_stream_new(loop, pair[0], READ_BYTES, &events, NULL);
    one.peer = pair[1];
}

static void teardown(void)
{
    gb_stream_free(one.stream);
    gb_buf_release(&one.got);
    gb_close(one.peer);
    gb_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}

/* Turns the loop until it would sleep, which must not take many turns. */
static void rest(void)
{
    struct pollfd events = {.fd = uv_backend_fd(&uv), .events = POLLIN};
    uint64_t begin = gb_loop_turns(loop);
    int quiet = 0;

    while (quiet < 2) { /* what a turn has asked for is watched from the next one on */
        bool asleep;

        uv_run(&uv, UV_RUN_NOWAIT);
        asleep = uv_loop_alive(&uv) == 0 || uv_backend_timeout(&uv) != 0;
        quiet = asleep && poll(&events, 1, 0) == 0 ? quiet + 1 : 0;
        ck_assert_msg(gb_loop_turns(loop) - begin < TURNS_MAX, "the loop does not come to rest");
    }
}

static void queue(size_t size)
{
    uint8_t *data = xmalloc(size);

    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 7 >> 2);
    gb_stream_send(one.stream, data, size);
    free(data);
}

/* The peer reads what has been sent so far. */
static void drain(void)
{
    static uint8_t data[1 << 16];
    ssize_t n;

    while ((n = syscall(SYS_recvfrom, one.peer, data, sizeof(data), MSG_DONTWAIT, NULL, NULL)) > 0)
        for (ssize_t i = 0; i < n; i++)
            if (data[i] != (uint8_t)(one.taken++ * 7 >> 2))
                ck_abort_msg("byte %zu is not what was sent", one.taken - 1);
}

/* ---- what a peer does ---- */

enum fate { STAYS, CLOSES, CLOSES_UNREAD, ENDS_WRITING, ENDS_READING, ENDS_BOTH, FATES };

static const struct {
    bool writes_on, takes_more; /* the peer can still do so */
} fates[FATES] = {
    [STAYS] = {true, true},           [CLOSES] = {false, false},
    [CLOSES_UNREAD] = {false, false}, [ENDS_WRITING] = {false, true},
    [ENDS_READING] = {true, false},   [ENDS_BOTH] = {false, false},
};

static void meet(enum fate fate)
{
    switch (fate) {
    case CLOSES:
        drain();
        one.peer = gb_close(one.peer);
        break;
    case CLOSES_UNREAD:
        one.peer = gb_close(one.peer);
        break;
    case ENDS_WRITING:
        ck_assert_int_eq(shutdown(one.peer, SHUT_WR), 0);
        break;
    case ENDS_READING:
        ck_assert_int_eq(shutdown(one.peer, SHUT_RD), 0);
        break;
    case ENDS_BOTH:
        ck_assert_int_eq(shutdown(one.peer, SHUT_RDWR), 0);
        break;
    default:
        break;
    }
}

struct scene {
    enum fate fate;
    bool paused, queued, half_a_line;
};

/* The numbers of a loop test as scenes: fate first. */
static struct scene scene_of(int number)
{
    return (struct scene){(enum fate)(number % FATES), number / FATES % 2 == 1,
                          number / FATES / 2 % 2 == 1, number / FATES / 4 % 2 == 1};
}
enum { SCENES = FATES * 8 };

START_TEST(a_peers_fate)
{
    const struct scene scene = scene_of(_i);
    const char *half = scene.half_a_line ? "half a li" : "";
    bool ends = !fates[scene.fate].writes_on;

    pause_it(scene.paused);
    if (scene.queued)
        queue(QUEUED);
    rest();
    ck_assert_int_eq(write(one.peer, half, strlen(half)), (int)strlen(half));
    rest();
    meet(scene.fate);
    rest();
    /* A paused stream tells nothing of its end, but gives up what nobody takes. */
    ck_assert_int_eq(one.closed, ends && !scene.paused);
    ck_assert_int_eq((int)one.got.size, scene.paused ? 0 : (int)strlen(half));
    if (scene.fate == STAYS || scene.fate == ENDS_WRITING)
        ck_assert_uint_eq(gb_stream_queued(one.stream), QUEUED * scene.queued - one.sent);
    if (scene.fate == CLOSES || scene.fate == CLOSES_UNREAD) {
        ck_assert_uint_eq(gb_stream_queued(one.stream), 0);
        ck_assert_uint_eq(one.sent + one.dropped, QUEUED * scene.queued);
        ck_assert_int_eq(one.dropped > 0, scene.queued);
    }

    pause_it(false);
    rest();
    ck_assert_int_eq(one.closed, ends);
    ck_assert_uint_eq(one.got.size, strlen(half));
    ck_assert_mem_eq(gb_buf_data(&one.got), half, strlen(half));

    /* What was queued before still goes to one who takes it. */
    if (fates[scene.fate].takes_more) {
        for (int i = 0; i < 100 && one.taken < QUEUED; i++) {
            drain();
            rest();
        }
        ck_assert_uint_eq(one.taken, scene.queued ? QUEUED : 0);
        ck_assert_uint_eq(one.dropped, 0);
    }
    /* Later sending changes nothing. */
    gb_stream_send(one.stream, "late", 4);
    pause_it(true);
    rest();
    ck_assert_int_eq(one.closed, ends);
}
END_TEST

/* One that is finishing goes with its peer, without a word. */
START_TEST(a_peers_fate_at_the_end)
{
    queue(QUEUED);
    rest();
    gb_stream_finish(TAKE_PTR(one.stream), 3600 * 1000);
    rest();
    meet((enum fate)_i);
    rest();
    ck_assert_int_eq(one.closed, 0);
    if (_i == CLOSES || _i == CLOSES_UNREAD)
        ck_assert_int_eq(uv_loop_alive(&uv), 0); /* it is gone, and its timer as well */
    else
        one.peer = gb_close(one.peer);
    rest();
    ck_assert_int_eq(uv_loop_alive(&uv), 0);
}
END_TEST

/* ---- what a socket does ---- */

static const struct fault unsteady[] = {
    {EINTR, 0}, {0, 1}, {EAGAIN, 0}, {EINTR, 0}, {EINTR, 0}, {0, 3}, {0, 1000}, {EAGAIN, 0}, {0, 0},
};

/* Interrupted, short and vain calls lose and double nothing. */
START_TEST(unsteady_writes)
{
    sending = (struct script){unsteady, ARRAY_SIZE(unsteady), 0, true};
    queue(QUEUED);
    while (one.taken < QUEUED) {
        uv_run(&uv, UV_RUN_NOWAIT);
        drain();
    }
    rest();
    ck_assert_uint_eq(one.sent, QUEUED);
    ck_assert_int_eq(one.closed, 0);
}
END_TEST

START_TEST(unsteady_reads)
{
    enum { SIZE = 60000 };
    uint8_t data[SIZE];

    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i * 13 >> 3);
    receiving = (struct script){unsteady, ARRAY_SIZE(unsteady), 0, true};
    ck_assert_int_eq(write(one.peer, data, SIZE), SIZE);
    one.peer = gb_close(one.peer);
    while (one.closed == 0)
        uv_run(&uv, UV_RUN_NOWAIT);
    rest();
    ck_assert_int_eq(one.closed, 1);
    ck_assert_int_eq(one.sys_errno, 0);
    ck_assert_uint_eq(one.got.size, SIZE);
    ck_assert_mem_eq(gb_buf_data(&one.got), data, SIZE);
}
END_TEST

static const int errors[] = {EPIPE, ECONNRESET, ENOBUFS, ENOMEM, EIO, ENOTCONN};

/* A write that fails drops what is queued and says so, paused or not. Where the peer still lives
 * the connection ends, after what it wrote, so that nobody waits for an answer that was lost. */
START_TEST(writes_that_fail)
{
    int error = errors[_i / 2];
    bool paused = _i % 2 == 1;
    const struct fault fault = {error, 0};
    size_t left;

    pause_it(paused);
    queue(QUEUED);
    rest();
    left = gb_stream_queued(one.stream);
    ck_assert_uint_gt(left, 0);
    ck_assert_int_eq(write(one.peer, "rest", 4), 4);
    sending = (struct script){&fault, 1, 0, false};
    drain();
    rest();
    ck_assert_uint_eq(gb_stream_queued(one.stream), 0);
    ck_assert_uint_eq(one.dropped, left);
    pause_it(false);
    rest();
    ck_assert_uint_eq(one.got.size, 4);
    ck_assert_int_eq(one.closed, error != EPIPE && error != ECONNRESET);
    one.peer = gb_close(one.peer);
    rest();
    ck_assert_int_eq(one.closed, 1);
}
END_TEST

START_TEST(reads_that_fail)
{
    int error = errors[_i / 2];
    const struct fault fault = {error, 0};

    if (_i % 2 == 1)
        queue(QUEUED);
    rest();
    receiving = (struct script){&fault, 1, 0, false};
    ck_assert_int_eq(write(one.peer, "x", 1), 1);
    rest();
    ck_assert_int_eq(one.closed, 1);
    ck_assert_int_eq(one.sys_errno, error);
    ck_assert_uint_eq(gb_stream_queued(one.stream), 0);
    ck_assert_uint_eq(one.sent + one.dropped, _i % 2 == 1 ? QUEUED : 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fault");
    TCase *tests = tcase_create("fault");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_peers_fate, 0, SCENES);
    tcase_add_loop_test(tests, a_peers_fate_at_the_end, 1, FATES);
    tcase_add_test(tests, unsteady_writes);
    tcase_add_test(tests, unsteady_reads);
    tcase_add_loop_test(tests, writes_that_fail, 0, 2 * ARRAY_SIZE(errors));
    tcase_add_loop_test(tests, reads_that_fail, 0, 2 * ARRAY_SIZE(errors));
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
