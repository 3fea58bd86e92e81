/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's connections, with sockets of this host in the place of those that capture packets. */
#include "agent/netd/relay.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"

static const struct gb_err broken = {.code = GB_EINTERNAL, .message = "broken"};

/* From 10.113.0.2:40000 to 198.18.0.2:443. */
static const uint8_t syn_bytes[] = {0x45, 0,    0,    40,   0,    1,    0x40, 0,    64, 6,
                                    0,    0,    10,   113,  0,    2,    198,  18,   0,  2,
                                    0x9c, 0x40, 0x01, 0xbb, 0x11, 0x22, 0x33, 0x44, 0,  0,
                                    0,    0,    0x50, 0x02, 0xff, 0xff, 0,    0,    0,  0};

static struct loop loop;
static struct relay relay;
static struct capture capture;
static int syns; /* the other end of what the capture gives */

static struct {
    struct gb_mux mux;
    struct gb_buf out;
} guest, host;

/* ---- both ends of the port ---- */

static int on_forward(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                      struct gb_err *err)
{
    (void)arg;
    return relay_enter(&relay, stream, params, err);
}

static void on_fill(void *arg, struct gb_mux_stream *stream)
{
    (void)arg;
    relay_fill(&relay, stream);
}

static int on_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                   struct gb_err *err)
{
    (void)arg;
    return relay_data(&relay, stream, bytes, err);
}

static int on_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                   struct gb_err *err)
{
    (void)arg;
    (void)word;
    (void)err;
    relay_shut(&relay, stream);
    return 0;
}

static void on_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)arg;
    relay_ended(&relay, stream, why);
}

static const struct gb_mux_kind guest_kinds[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_CONNECT] = {.fill = on_fill, .data = on_data, .shut = on_shut, .ended = on_ended},
    [GB_STREAM_FORWARD] = {.opened = on_forward,
                           .fill = on_fill,
                           .data = on_data,
                           .shut = on_shut,
                           .ended = on_ended},
};

static unsigned asked, ended; /* of and to the host */
static struct gb_mux_stream *last_asked;

static int host_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                       struct gb_err *err)
{
    (void)arg;
    (void)params;
    (void)err;
    asked++;
    last_asked = stream;
    return 0;
}

static void host_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)arg;
    (void)stream;
    (void)why;
    ended++;
}

static const struct gb_mux_kind host_kinds[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_CONNECT] = {.opened = host_opened, .ended = host_ended},
    [GB_STREAM_FORWARD] = {.ended = host_ended},
};

static void pass(struct gb_buf *from, struct gb_mux *to)
{
    struct gb_frame frame;
    size_t size;

    while (gb_frame_next(gb_buf_bytes(from), &frame, &size, NULL) == 1) {
        ck_assert_int_eq(gb_mux_frame(to, &frame, NULL), 0);
        gb_buf_consume(from, size);
    }
}

static void pass_all(void)
{
    pass(&host.out, &guest.mux);
    pass(&guest.out, &host.mux);
}

#define TURN_UNTIL(condition_)                                                                     \
    while (!(condition_)) {                                                                        \
        ck_assert_int_eq(loop_round(&loop), 0);                                                    \
        pass_all();                                                                                \
    }

/* ---- sockets ---- */

static struct sockaddr_in name_of(int fd)
{
    struct sockaddr_in name = {0};
    socklen_t size = sizeof(name);

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    return name;
}

static int listening(int flags)
{
    const struct sockaddr_in any = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

static int connected_to(int listener)
{
    const struct sockaddr_in name = name_of(listener);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

static void start(void)
{
    int pair[2];

    asked = ended = 0;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    syns = pair[1];
    capture = (struct capture){.listener = listening(SOCK_NONBLOCK),
                               .resolver = -1,
                               .syns = pair[0],
                               .out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                               .link = -1};
    ck_assert_int_eq(loop_init(&loop), 0);
    gb_mux_init(&guest.mux, GB_SIDE_GUEST, guest_kinds, NULL, &guest.out);
    gb_mux_init(&host.mux, GB_SIDE_HOST, host_kinds, NULL, &host.out);
    ck_assert_int_eq(relay_init(&relay, &loop, &guest.mux, &capture), 0);
}

static void finish(void)
{
    gb_mux_clear(&guest.mux, &broken);
    gb_mux_clear(&host.mux, &broken);
    ck_assert_uint_eq(relay.count, 0);
    gb_buf_release(&guest.out);
    gb_buf_release(&host.out);
    (void)gb_close(capture.listener);
    (void)gb_close(capture.syns);
    (void)gb_close(capture.out);
    (void)gb_close(syns);
    (void)gb_close(loop.epoll_fd);
}

static struct gb_mux_stream *enter(int listener)
{
    const struct gb_forward wanted = {.port = ntohs(name_of(listener).sin_port)};
    struct gb_mux_stream *stream = gb_mux_open(&host.mux, GB_STREAM_FORWARD, 0, &wanted);

    ck_assert_ptr_nonnull(stream);
    pass_all();
    return stream;
}

static void send_syn(uint16_t port)
{
    uint8_t packet[sizeof(syn_bytes)];

    memcpy(packet, syn_bytes, sizeof(packet));
    packet[20] = (uint8_t)(port >> 8);
    packet[21] = (uint8_t)port;
    ck_assert_int_eq(send(syns, packet, sizeof(packet), 0), sizeof(packet));
}

/* No descriptor can be made any more. Returns the limit before. */
static struct rlimit take_all_descriptors(void)
{
    struct rlimit before, none;
    int next = dup(syns);

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    (void)gb_close(next);
    none = (struct rlimit){(rlim_t)next, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    return before;
}

static void ck_assert_closed(int fd)
{
    char byte;

    ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
    (void)gb_close(fd);
}

/* ---- tests ---- */

START_TEST(without_room_the_listener_waits_until_one_of_ours_ends)
{
    struct gb_mux_stream *stream;
    struct rlimit before;
    int server, client, visitor;

    start();
    server = listening(0);
    stream = enter(server);
    TURN_UNTIL(relay.count == 1 && !gb_list_empty(&relay.connections));
    visitor = accept(server, NULL, NULL);
    client = connected_to(capture.listener);
    before = take_all_descriptors();
    TURN_UNTIL(relay.listener.events == 0);
    gb_mux_reset(stream, &broken);
    pass_all();
    ck_assert_uint_eq(relay.count, 0);
    ck_assert_uint_ne(relay.listener.events, 0);
    ck_assert_int_eq(loop_round(&loop), 0);
    ck_assert_closed(client); /* nothing had been granted to it */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_uint_ne(relay.listener.events, 0);
    (void)gb_close(visitor);
    (void)gb_close(server);
    finish();
}
END_TEST

/* The room may be somebody else's. */
START_TEST(without_room_the_listener_tries_again_after_a_while)
{
    struct rlimit before;
    int client;

    start();
    client = connected_to(capture.listener);
    before = take_all_descriptors();
    TURN_UNTIL(relay.listener.events == 0);
    ck_assert(deadline_is_set(&relay.again));
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    TURN_UNTIL(relay.listener.events != 0);
    ck_assert_int_eq(loop_round(&loop), 0);
    ck_assert_closed(client);
    finish();
}
END_TEST

/* Of both directions, also those whose stream has ended. */
START_TEST(connections_are_bounded)
{
    int server;

    start();
    server = listening(0);
    for (unsigned i = 0; i < GB_STREAMS_MAX; i++) {
        send_syn((uint16_t)i);
        TURN_UNTIL(asked == i + 1);
    }
    ck_assert_uint_eq(relay.count, GB_STREAMS_MAX);
    relay.count = RELAY_CONNECTIONS_MAX; /* as if the others only had data left */
    (void)enter(server);
    ck_assert_uint_eq(ended, 1);
    gb_mux_reset(last_asked, &broken);
    pass_all();
    ck_assert_uint_eq(relay.count, RELAY_CONNECTIONS_MAX - 1);
    send_syn(UINT16_MAX);
    TURN_UNTIL(asked == GB_STREAMS_MAX + 1);
    gb_mux_reset(last_asked, &broken);
    pass_all();
    relay.count = RELAY_CONNECTIONS_MAX;
    send_syn(UINT16_MAX);
    ck_assert_int_eq(loop_round(&loop), 0);
    pass_all();
    ck_assert_uint_eq(asked, GB_STREAMS_MAX + 1);
    relay.count = GB_STREAMS_MAX - 1;
    (void)gb_close(server);
    finish();
}
END_TEST

START_TEST(turned_off_it_ends_what_programs_have_and_nothing_else)
{
    int server, visitor;

    start();
    server = listening(0);
    (void)enter(server);
    visitor = accept(server, NULL, NULL);
    send_syn(1);
    send_syn(2);
    TURN_UNTIL(asked == 2);
    ck_assert_uint_eq(relay.count, 3);
    relay_turn(&relay, false);
    pass_all();
    ck_assert_uint_eq(relay.count, 1);
    ck_assert_uint_eq(ended, 2);
    send_syn(3);
    ck_assert_int_eq(loop_round(&loop), 0);
    pass_all();
    ck_assert_uint_eq(asked, 2); /* it was refused here */
    relay_turn(&relay, true);
    send_syn(3);
    TURN_UNTIL(asked == 3);
    (void)gb_close(visitor);
    (void)gb_close(server);
    finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("relay");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, without_room_the_listener_waits_until_one_of_ours_ends);
    tcase_add_test(tests, without_room_the_listener_tries_again_after_a_while);
    tcase_add_test(tests, connections_are_bounded);
    tcase_add_test(tests, turned_off_it_ends_what_programs_have_and_nothing_else);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
