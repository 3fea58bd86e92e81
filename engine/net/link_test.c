/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of a guest's end of the second port to servers on this host. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "check_run.h"
#include "net/net.h"
#include "wire/guest.h"
#include "wire/mux.h"
#include "wire/sync.h"

enum { READ_BYTES = 64 * 1024, LOCALHOST = 0x7f000001 };

static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_net *net;
static int listener = -1;
static uint16_t port;

/* The guest's side: one connection, and lookups. */
static struct {
    struct gb_stream *port;
    struct gb_buf out, got;
    struct gb_mux mux;
    struct gb_sync sync;
    struct gb_mux_stream *stream;
    uint32_t address; /* of the last lookup */
    unsigned looked_up, shut, ended, reset;
    bool holds;
    size_t held;
} guest;

static struct {
    unsigned opened, denied, closed, failed;
    char reason[32];
    uint64_t received, sent;
} told;

/* ---- the guest ---- */

static int guest_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                      struct gb_err *err)
{
    (void)arg;
    (void)err;
    gb_buf_add(&guest.got, bytes.data, bytes.size);
    if (guest.holds)
        guest.held += bytes.size;
    else
        gb_mux_consume(stream, bytes.size);
    return 0;
}

static int guest_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                      struct gb_err *err)
{
    (void)arg;
    (void)stream;
    (void)word;
    (void)err;
    guest.shut++;
    return 0;
}

static void guest_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)arg;
    (void)stream;
    guest.ended++;
    guest.reset += why != NULL;
    guest.stream = NULL;
}

static int guest_looked_up(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                           struct gb_err *err)
{
    struct gb_resolve_end end;

    (void)arg;
    (void)stream;
    ck_assert_int_eq(gb_fields_decode(&gb_resolve_end_fields, word, &end, err), 0);
    ck_assert_uint_eq(end.answer, GB_RESOLVED);
    guest.address = end.address;
    guest.looked_up++;
    return 0;
}

static const struct gb_mux_kind guest_kinds[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_CONNECT] = {.data = guest_data, .shut = guest_shut, .ended = guest_ended},
    [GB_STREAM_RESOLVE] = {.shut = guest_looked_up}};

static void guest_flush(void)
{
    gb_stream_send_buf(guest.port, &guest.out);
}

static void guest_input(void *arg, struct gb_buf *input)
{
    struct gb_frame frame;
    size_t size;

    (void)arg;
    gb_buf_consume(input, gb_sync_drop(&guest.sync, gb_buf_bytes(input)));
    while (gb_frame_next(gb_buf_bytes(input), &frame, &size, NULL) == 1) {
        ck_assert_int_eq(gb_mux_frame(&guest.mux, &frame, NULL), 0);
        gb_buf_consume(input, size);
    }
    guest_flush();
}

static void guest_closed(void *arg, int sys_errno)
{
    (void)arg;
    (void)sys_errno;
}

static void guest_say(struct gb_bytes bytes)
{
    ck_assert_uint_le(bytes.size, gb_mux_room(guest.stream));
    gb_mux_send(guest.stream, bytes, false);
    guest_flush();
}

/* ---- what the owner is told ---- */

static void on_opened(void *arg, const struct gb_net_news *news)
{
    (void)arg;
    told.opened++;
    ck_assert_uint_eq(news->port, port);
}

static void note_end(const struct gb_net_news *news)
{
    (void)snprintf(told.reason, sizeof(told.reason), "%s",
                   news->reason == NULL ? "-" : news->reason);
    told.received = news->received;
    told.sent = news->sent;
}

static void on_denied(void *arg, const struct gb_net_news *news)
{
    (void)arg;
    told.denied++;
    note_end(news);
}

static void on_closed(void *arg, const struct gb_net_news *news)
{
    (void)arg;
    told.closed++;
    note_end(news);
}

static void on_failed(void *arg, const struct gb_err *err)
{
    (void)arg;
    (void)err;
    told.failed++;
}

/* ---- the scene ---- */

static void listen_here(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    port = ntohs(at.sin_port);
}

/* The rules are @before, the port, and @after. @bytes: the limit; 0: none. */
static void start(const char *before, const char *after, uint64_t bytes)
{
    static const struct gb_stream_events events = {.input = guest_input, .closed = guest_closed};
    static const struct gb_net_events net_events = {
        .opened = on_opened, .denied = on_denied, .closed = on_closed, .failed = on_failed};
    const struct gb_net_limits limits = {.connections = 16, .names = 16, .bytes = bytes};
    struct gb_policy policy = {0};
    uint8_t mark[GB_SYNC_BYTES];
    char text[256];
    int pair[2];

    memset(&guest, 0, sizeof(guest));
    memset(&told, 0, sizeof(told));
    listen_here();
    (void)snprintf(text, sizeof(text), "%s :%u %s\n", before, port, after);
    ck_assert_int_eq(gb_policy_parse(&policy, gb_bytes_str(text), NULL), 0);
    ck_assert_int_eq(uv_loop_init(&uv), 0);
    loop = gb_loop_new(&uv);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    net = gb_net_new(loop, &policy, &limits, &net_events, NULL);
    gb_mux_init(&guest.mux, GB_SIDE_GUEST, guest_kinds, NULL, &guest.out);
    guest.port = gb_stream_new(loop, pair[1], READ_BYTES, &events, NULL);
    memset(mark, 'a', sizeof(mark));
    gb_net_join(net, pair[0], mark);
    gb_sync_expect(&guest.sync, mark);
    gb_buf_add(&guest.out, mark, sizeof(mark));
    guest_flush();
}

static void finish(void)
{
    ck_assert_uint_eq(told.failed, 0);
    gb_net_end(net);
    gb_net_free(net);
    gb_mux_clear(&guest.mux, NULL);
    gb_stream_free(guest.port);
    gb_buf_release(&guest.out);
    gb_buf_release(&guest.got);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    (void)close(listener);
}

#define TURN_UNTIL(condition_)                                                                     \
    while (!(condition_))                                                                          \
    (void)uv_run(&uv, UV_RUN_ONCE)

/* The guest connects, and a server accepts: its end. */
static int connect_to(uint32_t address)
{
    const struct gb_connect to = {.address = address, .port = port};
    const uint8_t connected = GB_CONNECTED;
    int fd;

    guest.stream = gb_mux_open(&guest.mux, GB_STREAM_CONNECT, 0, &to);
    ck_assert_ptr_nonnull(guest.stream);
    guest_flush();
    TURN_UNTIL(guest.got.size > 0);
    ck_assert_uint_eq(guest.got.size, 1);
    ck_assert_mem_eq(gb_buf_data(&guest.got), &connected, 1);
    gb_buf_clear(&guest.got);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_eq(told.opened, 1);
    return fd;
}

/* The same with a name. */
static int connect_to_name(const char *name)
{
    const struct gb_resolve question = {.name = gb_bytes_str(name), .type = 1};

    (void)gb_mux_open(&guest.mux, GB_STREAM_RESOLVE, 0, &question);
    guest_flush();
    TURN_UNTIL(guest.looked_up == 1);
    return connect_to(guest.address);
}

/* What the server reads next: a number of bytes, 0 at the end, or -errno. */
static ssize_t server_read(int fd, void *to, size_t size)
{
    ssize_t n;

    while ((n = recv(fd, to, size, 0)) < 0 && errno == EAGAIN)
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    return n < 0 ? -errno : n;
}

#define ANYWHERE "allow ip 127.0.0.1", "tcp private"

/* ---- tests ---- */

START_TEST(each_half_ends_by_itself)
{
    char bytes[16];
    int fd;

    start(ANYWHERE, 0);
    fd = connect_to(LOCALHOST);
    guest_say(gb_bytes_str("question"));
    (void)gb_mux_shut(guest.stream, NULL);
    guest_flush();
    ck_assert_int_eq(server_read(fd, bytes, sizeof(bytes)), 8);
    ck_assert_int_eq(server_read(fd, bytes, sizeof(bytes)), 0);
    ck_assert_uint_eq(told.closed, 0);
    ck_assert_int_eq(send(fd, "answer", 6, 0), 6);
    TURN_UNTIL(guest.got.size == 6);
    (void)close(fd);
    TURN_UNTIL(told.closed == 1);
    ck_assert_str_eq(told.reason, "-");
    ck_assert_uint_eq(told.received, 6);
    ck_assert_uint_eq(told.sent, 8);
    TURN_UNTIL(guest.ended == 1);
    ck_assert_uint_eq(guest.reset, 0);
    ck_assert_uint_eq(gb_net_figures(net).open, 0);
    ck_assert_uint_eq(gb_net_figures(net).received, 6);
    ck_assert_uint_eq(gb_net_figures(net).sent, 8);
    finish();
}
END_TEST

START_TEST(a_broken_half_breaks_the_other)
{
    const struct linger at_once = {.l_onoff = 1};
    const struct gb_err gone = {.code = GB_EINTERNAL, .message = "gone"};
    char bytes[16];
    int fd;

    start(ANYWHERE, 0);
    fd = connect_to(LOCALHOST);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    (void)close(fd);
    TURN_UNTIL(guest.reset == 1);
    ck_assert_uint_eq(told.closed, 1);
    ck_assert_str_eq(told.reason, "reset");
    told.opened = 0;
    fd = connect_to(LOCALHOST);
    gb_mux_reset(guest.stream, &gone);
    guest_flush();
    ck_assert_int_eq(server_read(fd, bytes, sizeof(bytes)), -ECONNRESET);
    ck_assert_uint_eq(told.closed, 2);
    ck_assert_str_eq(told.reason, "reset");
    (void)close(fd);
    finish();
}
END_TEST

/* Nothing is read for a guest that does not read, beyond its window; when it does, all comes. */
START_TEST(a_guest_that_does_not_read_bounds_what_is_read)
{
    enum { MUCH = 4 * GB_CONNECT_WINDOW };
    static uint8_t bytes[MUCH];
    size_t sent = 0;
    int fd;

    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = (uint8_t)(i * 7 >> 3);
    start(ANYWHERE, 0);
    fd = connect_to(LOCALHOST);
    guest.holds = true;
    while (sent < MUCH) {
        ssize_t n = send(fd, bytes + sent, MUCH - sent, 0);

        if (n > 0)
            sent += (size_t)n;
        for (int i = 0; i < 20; i++)
            (void)uv_run(&uv, UV_RUN_NOWAIT);
        if (n < 0 && guest.held > 0)
            break;
    }
    ck_assert_uint_gt(guest.held, 0);
    ck_assert_uint_le(guest.held, GB_CONNECT_WINDOW);
    guest.holds = false;
    gb_mux_consume(guest.stream, guest.held);
    guest_flush();
    while (guest.got.size < MUCH) {
        ssize_t n = sent < MUCH ? send(fd, bytes + sent, MUCH - sent, 0) : 0;

        sent += n > 0 ? (size_t)n : 0;
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    }
    ck_assert_mem_eq(gb_buf_data(&guest.got), bytes, MUCH);
    (void)close(fd);
    finish();
}
END_TEST

/* Credit is granted when the server's socket has taken what the guest has sent. */
START_TEST(a_server_that_does_not_read_bounds_what_is_sent)
{
    static uint8_t piece[4096];
    size_t sent = 0, got = 0;
    unsigned still = 0;
    int fd;

    start(ANYWHERE, 0);
    fd = connect_to(LOCALHOST);
    /* Until the sockets are full, and the window is used up. */
    while (still < 200) {
        size_t size = MIN(gb_mux_room(guest.stream), sizeof(piece));

        still = size > 0 ? 0 : still + 1;
        for (size_t i = 0; i < size; i++)
            piece[i] = (uint8_t)(sent + i);
        if (size > 0)
            guest_say((struct gb_bytes){piece, size});
        sent += size;
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    }
    (void)gb_mux_shut(guest.stream, NULL);
    guest_flush();
    for (ssize_t n; (n = server_read(fd, piece, sizeof(piece))) != 0; got += (size_t)n) {
        ck_assert_int_gt(n, 0);
        for (ssize_t i = 0; i < n; i++)
            ck_assert_uint_eq(piece[i], (uint8_t)(got + (size_t)i));
    }
    ck_assert_uint_eq(got, sent);
    (void)close(fd);
    finish();
}
END_TEST

START_TEST(a_session_has_so_many_bytes)
{
    char bytes[16];
    int fd;

    start(ANYWHERE, 10);
    fd = connect_to(LOCALHOST);
    guest_say(gb_bytes_str("0123456789"));
    ck_assert_int_eq(server_read(fd, bytes, sizeof(bytes)), 10);
    ck_assert_int_eq(send(fd, "x", 1, 0), 1);
    TURN_UNTIL(guest.reset == 1);
    ck_assert_uint_eq(told.denied, 1);
    ck_assert_str_eq(told.reason, "too_many_bytes");
    ck_assert_uint_eq(gb_net_figures(net).received, 0);
    ck_assert_int_eq(server_read(fd, bytes, sizeof(bytes)), -ECONNRESET);
    (void)close(fd);
    finish();
}
END_TEST

START_TEST(requests_go_to_their_host_alone)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: app.test\r\n";
    char bytes[256];
    int fd;

    start("allow app.test", "http private\nresolve app.test 127.0.0.1", 0);
    fd = connect_to_name("app.test");
    /* Half a head is kept, and credit is granted for it all the same. */
    gb_mux_send(guest.stream, gb_bytes_str(head), true);
    guest_flush();
    TURN_UNTIL(gb_mux_was_granted(guest.stream, guest.stream->sent_cost));
    ck_assert_int_eq(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), -1);
    guest_say(gb_bytes_str("\r\n"));
    ck_assert_int_eq(server_read(fd, bytes, sizeof(bytes)), sizeof(head) + 1);
    guest_say(gb_bytes_str("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n"));
    TURN_UNTIL(guest.reset == 1);
    ck_assert_uint_eq(told.denied, 1);
    ck_assert_int_eq(server_read(fd, bytes, sizeof(bytes)), -ECONNRESET);
    ck_assert_uint_eq(told.closed, 1);
    ck_assert_str_eq(told.reason, "other_host");
    ck_assert_uint_eq(told.sent, sizeof(head) + 1);
    (void)close(fd);
    finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link");
    TCase *tests = tcase_create("link");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, each_half_ends_by_itself);
    tcase_add_test(tests, a_broken_half_breaks_the_other);
    tcase_add_test(tests, a_guest_that_does_not_read_bounds_what_is_read);
    tcase_add_test(tests, a_server_that_does_not_read_bounds_what_is_sent);
    tcase_add_test(tests, a_session_has_so_many_bytes);
    tcase_add_test(tests, requests_go_to_their_host_alone);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
