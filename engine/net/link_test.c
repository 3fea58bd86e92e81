/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of a guest's end of the second port to servers on this host. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/testing.h"

enum { LOCALHOST = 0x7f000001 };

static int listener = -1;
static uint16_t port;

/* The guest's connection, and its lookups. */
static struct gb_mux_stream *stream; /* NULL: it has ended */
static unsigned looked_up;
static uint32_t address; /* of the last lookup */

static struct {
    unsigned opened, denied, closed, failed;
} told;

/* ---- the guest ---- */

static void guest_lost(void *arg, struct gb_mux_stream *which, const struct gb_err *why)
{
    guest_ended(arg, which, why);
    stream = NULL;
}

static int guest_looked_up(void *arg, struct gb_mux_stream *which, struct gb_bytes word,
                           struct gb_err *err)
{
    struct gb_resolve_end end;

    (void)arg;
    (void)which;
    ck_assert_int_eq(gb_fields_decode(&gb_resolve_end_fields, word, &end, err), 0);
    ck_assert_uint_eq(end.answer, GB_RESOLVED);
    address = end.address;
    looked_up++;
    return 0;
}

static const struct gb_mux_kind guest_kinds[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_CONNECT] = {.data = guest_data, .shut = guest_shut, .ended = guest_lost},
    [GB_STREAM_RESOLVE] = {.shut = guest_looked_up}};

static void guest_say(struct gb_bytes bytes)
{
    ck_assert_uint_le(bytes.size, gb_mux_room(stream));
    gb_mux_send(stream, bytes, false);
    guest_flush();
}

/* ---- what the owner is told ---- */

static void on_opened(void *arg, const struct gb_net_news *news)
{
    (void)arg;
    told.opened++;
    ck_assert_uint_eq(news->port, port);
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
    static const struct gb_net_events events = {
        .opened = on_opened, .denied = on_denied, .closed = on_closed, .failed = on_failed};
    struct gb_policy policy = {0};
    char text[256];

    memset(&told, 0, sizeof(told));
    stream = NULL;
    looked_up = 0;
    listen_here();
    (void)snprintf(text, sizeof(text), "%s :%u %s\n", before, port, after);
    ck_assert_int_eq(gb_policy_parse(&policy, gb_bytes_str(text), NULL), 0);
    begin(&policy, bytes, &events, guest_kinds);
}

static void finish(void)
{
    ck_assert_uint_eq(told.failed, 0);
    end();
    (void)close(listener);
}

/* The guest connects, and a server accepts: its end. */
static int connect_to(uint32_t address)
{
    const struct gb_connect to = {.address = address, .port = port};
    const uint8_t connected = GB_CONNECTED;
    int fd;

    stream = gb_mux_open(&guest.mux, GB_STREAM_CONNECT, 0, &to);
    ck_assert_ptr_nonnull(stream);
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
    TURN_UNTIL(looked_up == 1);
    return connect_to(address);
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
    (void)gb_mux_shut(stream, NULL);
    guest_flush();
    ck_assert_int_eq(other_read(fd, bytes, sizeof(bytes)), 8);
    ck_assert_int_eq(other_read(fd, bytes, sizeof(bytes)), 0);
    ck_assert_uint_eq(told.closed, 0);
    ck_assert_int_eq(send(fd, "answer", 6, 0), 6);
    TURN_UNTIL(guest.got.size == 6);
    (void)close(fd);
    TURN_UNTIL(told.closed == 1);
    ck_assert_str_eq(last.reason, "-");
    ck_assert_uint_eq(last.received, 6);
    ck_assert_uint_eq(last.sent, 8);
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
    ck_assert_str_eq(last.reason, "reset");
    told.opened = 0;
    fd = connect_to(LOCALHOST);
    gb_mux_reset(stream, &gone);
    guest_flush();
    ck_assert_int_eq(other_read(fd, bytes, sizeof(bytes)), -ECONNRESET);
    ck_assert_uint_eq(told.closed, 2);
    ck_assert_str_eq(last.reason, "reset");
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
    gb_mux_consume(stream, guest.held);
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
        size_t size = MIN(gb_mux_room(stream), sizeof(piece));

        still = size > 0 ? 0 : still + 1;
        for (size_t i = 0; i < size; i++)
            piece[i] = (uint8_t)(sent + i);
        if (size > 0)
            guest_say((struct gb_bytes){piece, size});
        sent += size;
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    }
    (void)gb_mux_shut(stream, NULL);
    guest_flush();
    for (ssize_t n; (n = other_read(fd, piece, sizeof(piece))) != 0; got += (size_t)n) {
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
    ck_assert_int_eq(other_read(fd, bytes, sizeof(bytes)), 10);
    ck_assert_int_eq(send(fd, "x", 1, 0), 1);
    TURN_UNTIL(guest.reset == 1);
    ck_assert_uint_eq(told.denied, 1);
    ck_assert_str_eq(last.reason, "too_many_bytes");
    ck_assert_uint_eq(gb_net_figures(net).received, 0);
    ck_assert_int_eq(other_read(fd, bytes, sizeof(bytes)), -ECONNRESET);
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
    gb_mux_send(stream, gb_bytes_str(head), true);
    guest_flush();
    TURN_UNTIL(gb_mux_was_granted(stream, stream->sent_cost));
    ck_assert_int_eq(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), -1);
    guest_say(gb_bytes_str("\r\n"));
    ck_assert_int_eq(other_read(fd, bytes, sizeof(bytes)), sizeof(head) + 1);
    guest_say(gb_bytes_str("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n"));
    TURN_UNTIL(guest.reset == 1);
    ck_assert_uint_eq(told.denied, 1);
    ck_assert_int_eq(other_read(fd, bytes, sizeof(bytes)), -ECONNRESET);
    ck_assert_uint_eq(told.closed, 1);
    ck_assert_str_eq(last.reason, "other_host");
    ck_assert_uint_eq(last.sent, sizeof(head) + 1);
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
