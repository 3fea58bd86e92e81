/* SPDX-License-Identifier: Apache-2.0 */
/* Forwarded ports between real clients and a guest's end of the second port. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/testing.h"

enum { MANY = GB_NET_VISITORS_MAX + 5, PORT = 8000 };

/* The guest's streams. */
static struct gb_mux_stream *streams[MANY];
static unsigned opened;
static uint32_t wanted_port;
static bool refuses;

static const struct gb_err broken = {.code = GB_EINTERNAL, .message = "broken"};

static struct {
    unsigned visited, failed, wanted;
} told;

/* ---- the guest ---- */

static int guest_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                        struct gb_err *err)
{
    struct gb_forward wanted;

    (void)arg;
    ck_assert_int_eq(gb_fields_decode(&gb_forward_fields, params, &wanted, err), 0);
    wanted_port = wanted.port;
    if (refuses)
        return -gb_err_set(err, GB_ENOTFOUND, "nobody listens");
    ck_assert_uint_lt(opened, MANY);
    streams[opened++] = stream;
    return 0;
}

static const struct gb_mux_kind guest_kinds[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_FORWARD] = {
        .opened = guest_opened, .data = guest_data, .shut = guest_shut, .ended = guest_ended}};

/* ---- what the owner is told ---- */

static void on_visited(void *arg, const struct gb_net_news *news)
{
    (void)arg;
    told.visited++;
    note_end(news);
    ck_assert_uint_eq(news->port, PORT);
}

static void on_failed(void *arg, const struct gb_err *err)
{
    (void)arg;
    (void)err;
    told.failed++;
}

static void on_wanted(void *arg)
{
    (void)arg;
    told.wanted++;
}

static void start(void)
{
    static const struct gb_net_events events = {
        .visited = on_visited, .wanted = on_wanted, .failed = on_failed};
    struct gb_policy policy = {0};

    memset(&told, 0, sizeof(told));
    opened = 0;
    refuses = false;
    begin(&policy, 0, &events, guest_kinds);
}

/* ---- clients ---- */

static const struct gb_net_forward *forward(const char *address, const char *path)
{
    const struct gb_net_forward_ask ask = {
        .port = PORT, .address = gb_bytes_str(address), .path = gb_bytes_str(path)};
    const struct gb_net_forward *made = NULL;
    struct gb_err err = {0};
    int r = gb_net_forward(net, &ask, &made, &err);

    ck_assert_msg(r == 0, "%s", err.message);
    return made;
}

static int connect_to(const struct gb_net_forward *made)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    bool is_local = made->at[0] == '/';
    int fd = socket(is_local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (is_local)
        memcpy(local.sun_path, made->at, MIN(sizeof(local.sun_path), strlen(made->at) + 1));
    else
        v4.sin_port = htons((uint16_t)strtoul(strchr(made->at, ':') + 1, NULL, 10));
    ck_assert_int_eq(is_local ? connect(fd, (const struct sockaddr *)&local, sizeof(local))
                              : connect(fd, (const struct sockaddr *)&v4, sizeof(v4)),
                     0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* ---- tests ---- */

/* The guest's end starts over, as another process would. */
static void guest_restart(void)
{
    gb_mux_clear(&guest.mux, NULL);
    gb_mux_init(&guest.mux, GB_SIDE_GUEST, guest_kinds, NULL, &guest.out);
    gb_buf_clear(&guest.out);
    opened = 0;
}

START_TEST(between_two_conversations_connections_break_and_clients_wait)
{
    const struct gb_net_forward *made;
    char bytes[16];
    int open, waits;

    start();
    made = forward(NULL, NULL);
    open = connect_to(made);
    ck_assert_int_eq(send(open, "a question", 10, 0), 10);
    TURN_UNTIL(guest.got.size == 10);
    gb_net_leave(net, "moved", false);
    gb_net_leave(net, "moved again", false);
    ck_assert_uint_eq(told.visited, 1);
    ck_assert_str_eq(last.reason, "moved");
    ck_assert_int_eq(other_read(open, bytes, sizeof(bytes)), -ECONNRESET);
    waits = connect_to(made);
    ck_assert_int_eq(send(waits, "hi", 2, 0), 2);
    TURN_UNTIL(told.wanted == 1);
    ck_assert_uint_eq(made->open, 0);
    /* The rest of a frame of the first conversation is still on its way, in both directions. */
    guest_restart();
    gb_buf_clear(&guest.got);
    join(-1, 'b', "half a frame, and aaaaaaaaaaaaaaaabbbbbbbbbbbbbbb.");
    TURN_UNTIL(guest.got.size == 2);
    ck_assert_uint_eq(made->open, 1);
    gb_mux_send(streams[0], gb_bytes_str("yes"), false);
    guest_flush();
    ck_assert_int_eq(other_read(waits, bytes, sizeof(bytes)), 3);
    ck_assert_uint_eq(told.failed, 0);
    (void)close(open);
    (void)close(waits);
    end();
}
END_TEST

START_TEST(what_both_have_ended_is_still_delivered)
{
    enum { MUCH = 4 * 1024 * 1024 };
    static uint8_t piece[GB_STREAM_PIECE / 2];
    const struct gb_net_forward *made;
    static char bytes[64 * 1024];
    size_t sent = 0, got = 0;
    ssize_t n;
    int fd;

    start();
    made = forward(NULL, NULL);
    fd = connect_to(made);
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    TURN_UNTIL(guest.shut == 1);
    /* More than the client's socket takes. */
    while (gb_mux_room(streams[0]) > 0 && sent < MUCH) {
        size_t size = MIN(gb_mux_room(streams[0]), sizeof(piece));

        gb_mux_send(streams[0], (struct gb_bytes){piece, size}, false);
        guest_flush();
        sent += size;
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    }
    (void)gb_mux_shut(streams[0], NULL);
    guest_flush();
    for (int i = 0; i < 100; i++)
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    gb_net_leave(net, "moved", true);
    while ((n = other_read(fd, bytes, sizeof(bytes))) > 0)
        got += (size_t)n;
    ck_assert_int_eq(n, 0);
    ck_assert_uint_eq(got, sent);
    TURN_UNTIL(told.visited == 1);
    ck_assert_str_eq(last.reason, "-");
    (void)close(fd);
    end();
}
END_TEST

START_TEST(who_waits_in_vain_is_turned_away)
{
    const struct gb_net_forward *made;
    char bytes[16];
    int first, second;

    start();
    made = forward(NULL, NULL);
    gb_net_leave(net, "asleep", false);
    first = connect_to(made);
    TURN_UNTIL(told.wanted == 1);
    gb_net_turn_away(net);
    ck_assert_int_eq(other_read(first, bytes, sizeof(bytes)), -ECONNRESET);
    second = connect_to(made);
    TURN_UNTIL(told.wanted == 2);
    join(-1, 'b', "");
    TURN_UNTIL(opened == 1);
    gb_net_turn_away(net); /* nobody waits */
    ck_assert_uint_eq(made->open, 1);
    (void)close(first);
    (void)close(second);
    end();
}
END_TEST

static void exchange(const char *path)
{
    const struct gb_net_forward *made;
    char bytes[16];
    int fd;

    start();
    made = forward(NULL, path);
    fd = connect_to(made);
    ck_assert_int_eq(send(fd, "hi", 2, 0), 2);
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    TURN_UNTIL(guest.shut == 1);
    ck_assert_uint_eq(wanted_port, PORT);
    ck_assert_uint_eq(guest.got.size, 2);
    ck_assert_uint_eq(made->open, 1);
    gb_mux_send(streams[0], gb_bytes_str("answer"), false);
    (void)gb_mux_shut(streams[0], NULL);
    guest_flush();
    ck_assert_int_eq(other_read(fd, bytes, sizeof(bytes)), 6);
    ck_assert_int_eq(other_read(fd, bytes, sizeof(bytes)), 0);
    TURN_UNTIL(told.visited == 1);
    ck_assert_str_eq(last.reason, "-");
    ck_assert_uint_eq(last.received, 2);
    ck_assert_uint_eq(last.sent, 6);
    ck_assert_uint_eq(made->open, 0);
    ck_assert_uint_eq(made->opened, 1);
    (void)close(fd);
    end();
}

START_TEST(each_half_ends_by_itself)
{
    exchange(NULL);
}
END_TEST

START_TEST(a_socket_with_a_path_is_for_its_user_only)
{
    char folder[] = "/tmp/forwardXXXXXX", path[64];
    struct gb_net_forward_ask ask = {.port = PORT};
    const struct gb_net_forward *made;
    struct stat info;
    struct gb_err err;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/socket", folder);
    exchange(path);
    ck_assert_int_ne(stat(path, &info), 0); /* it went with the session */
    start();
    made = forward(NULL, path);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    ask.path = gb_bytes_str(path);
    ck_assert_int_eq(gb_net_forward(net, &ask, &made, &err), -GB_EBUSY);
    ck_assert_int_eq(stat(path, &info), 0); /* what was there is left alone */
    end();
    (void)rmdir(folder);
}
END_TEST

START_TEST(a_path_is_removed_only_with_its_own_socket)
{
    char folder[] = "/tmp/forwardXXXXXX", path[64], moved[64];
    struct stat info;
    int fd;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/socket", folder);
    (void)snprintf(moved, sizeof(moved), "%s/moved", folder);
    start();
    (void)forward(NULL, path);
    ck_assert_int_eq(rename(path, moved), 0);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    end();
    ck_assert_int_eq(stat(path, &info), 0); /* somebody else's file */
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(unlink(moved), 0);
    (void)rmdir(folder);
}
END_TEST

START_TEST(a_folder_in_which_everybody_can_replace_it_is_refused)
{
    char folder[] = "/tmp/forwardXXXXXX", path[64];
    struct gb_net_forward_ask ask = {.port = PORT};
    const struct gb_net_forward *made;
    struct gb_err err;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/socket", folder);
    ask.path = gb_bytes_str(path);
    start();
    ck_assert_int_eq(chmod(folder, 0777), 0);
    ck_assert_int_eq(gb_net_forward(net, &ask, &made, &err), -GB_EINVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "written by everybody"));
    ck_assert_int_eq(chmod(folder, 01777), 0); /* as /tmp is */
    ck_assert_int_eq(gb_net_forward(net, &ask, &made, &err), 0);
    end();
    (void)rmdir(folder);
}
END_TEST

START_TEST(a_guest_that_refuses_resets_the_client)
{
    char byte;
    int fd;

    start();
    refuses = true;
    fd = connect_to(forward(NULL, NULL));
    ck_assert_int_eq(other_read(fd, &byte, 1), -ECONNRESET);
    TURN_UNTIL(told.visited == 1);
    ck_assert_str_eq(last.reason, "refused");
    ck_assert_uint_eq(told.failed, 0);
    (void)close(fd);
    end();
}
END_TEST

START_TEST(a_broken_connection_is_reset_on_the_other_side)
{
    const struct linger at_once = {.l_onoff = 1};
    char byte;
    int fd;

    start();
    fd = connect_to(forward(NULL, NULL));
    TURN_UNTIL(opened == 1);
    gb_mux_reset(streams[0], &broken);
    guest_flush();
    ck_assert_int_eq(other_read(fd, &byte, 1), -ECONNRESET);
    TURN_UNTIL(told.visited == 1);
    ck_assert_str_eq(last.reason, "reset");
    (void)close(fd);
    fd = connect_to(gb_net_forwarded(net, 0));
    TURN_UNTIL(opened == 2);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    (void)close(fd);
    TURN_UNTIL(guest.ended == 1);
    ck_assert_uint_eq(told.visited, 2);
    end();
}
END_TEST

START_TEST(a_slow_reader_holds_up_its_own_guest_only)
{
    static uint8_t bytes[GB_STREAM_PIECE];
    const struct gb_net_forward *made;
    int slow, quick;
    uint64_t sent = 0, got = 0;
    unsigned still = 0;

    start();
    made = forward(NULL, NULL);
    slow = connect_to(made);
    TURN_UNTIL(opened == 1);
    quick = connect_to(made);
    TURN_UNTIL(opened == 2);
    /* As much as sockets and windows hold; no credit comes then, however often the loop runs. */
    while (still < 1000) {
        size_t room = gb_mux_room(streams[0]);

        if (room > 0)
            gb_mux_send(streams[0], (struct gb_bytes){bytes, room}, false);
        sent += room;
        still = room > 0 ? 0 : still + 1;
        guest_flush();
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    }
    gb_mux_send(streams[1], gb_bytes_str("x"), false);
    guest_flush();
    ck_assert_int_eq(other_read(quick, bytes, 1), 1);
    while (got < sent) {
        ssize_t n = other_read(slow, bytes, sizeof(bytes));

        ck_assert_int_gt(n, 0);
        got += (uint64_t)n;
    }
    TURN_UNTIL(gb_mux_room(streams[0]) > 0);
    (void)close(slow);
    (void)close(quick);
    end();
}
END_TEST

START_TEST(a_guest_that_does_not_read_bounds_what_is_taken_from_the_client)
{
    static uint8_t bytes[GB_STREAM_PIECE];
    unsigned still = 0;
    int fd;

    start();
    guest.holds = true;
    fd = connect_to(forward(NULL, NULL));
    while (still < 1000) {
        still = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0 ? 0 : still + 1;
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    }
    ck_assert_uint_le(guest.got.size, GB_CONNECT_WINDOW);
    ck_assert_uint_gt(guest.got.size, GB_CONNECT_WINDOW / 2);
    (void)close(fd);
    end();
}
END_TEST

START_TEST(visitors_beyond_the_limit_wait)
{
    const struct gb_net_forward *made, *other;
    int fds[MANY];

    start();
    made = forward(NULL, NULL);
    other = forward("[::1]:0", NULL);
    ck_assert_int_eq(strncmp(other->at, "[::1]:", 6), 0);
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = connect_to(made);
        (void)uv_run(&uv, UV_RUN_NOWAIT); /* otherwise the kernel's backlog would be full */
    }
    TURN_UNTIL(opened == GB_NET_VISITORS_MAX);
    for (int i = 0; i < 100; i++)
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    ck_assert_uint_eq(opened, GB_NET_VISITORS_MAX);
    ck_assert_uint_eq(made->open, GB_NET_VISITORS_MAX);
    for (unsigned i = 0; i < MANY - GB_NET_VISITORS_MAX; i++) {
        gb_mux_reset(streams[i], &broken);
        guest_flush();
        TURN_UNTIL(opened == GB_NET_VISITORS_MAX + i + 1);
    }
    ck_assert(gb_net_unforward(net, made->number));
    ck_assert(!gb_net_unforward(net, 1));
    ck_assert_uint_eq(told.visited, MANY);
    ck_assert_str_eq(last.reason, "port_closed");
    for (size_t i = 0; i < MANY; i++)
        (void)close(fds[i]);
    end();
}
END_TEST

START_TEST(forwards_are_bounded)
{
    const struct gb_net_forward_ask ask = {.port = PORT};
    const struct gb_net_forward *made = NULL;
    struct gb_err err;
    uint64_t at = 0;

    start();
    for (unsigned i = 0; i < GB_NET_FORWARDS_MAX; i++)
        (void)forward(NULL, NULL);
    ck_assert_int_eq(gb_net_forward(net, &ask, &made, &err), -GB_EBUSY);
    while ((made = gb_net_forwarded(net, at)) != NULL)
        ck_assert_uint_eq(made->number, ++at);
    ck_assert_uint_eq(at, GB_NET_FORWARDS_MAX);
    end();
}
END_TEST

START_TEST(only_places_of_this_host)
{
    static const char *const none[] = {"0.0.0.0:80",
                                       "192.0.2.1:80",
                                       "[::]:80",
                                       "[2001:db8::1]:80",
                                       "[::ffff:127.0.0.1]:80",
                                       "localhost:80",
                                       "127.0.0.1",
                                       "127.0.0.1:",
                                       "127.0.0.1:65536",
                                       "127.0.0.1:080000",
                                       "127.0.0.1:-1",
                                       "127.0.0.1: 1",
                                       "::1:80",
                                       "[127.0.0.1]:80",
                                       "[::1]80",
                                       "[::1]",
                                       "[::1",
                                       "[]:1",
                                       ":1",
                                       ":",
                                       "[",
                                       "[127.0.0.1:80",
                                       "127.0.0.1:80/"};
    static const char *const paths[] = {
        "relative", "/nowhere/at/all",
        "/0123456789012345678901234567890123456789012345678901234567"
        "89012345678901234567890123456789012345678901234567890123456"};
    const struct gb_net_forward *made = NULL;
    struct gb_net_forward_ask ask = {.port = PORT};
    struct gb_err err;

    start();
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        ask.address = gb_bytes_str(none[i]);
        ck_assert_msg(gb_net_forward(net, &ask, &made, &err) == -GB_EINVALID, "%s", none[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        ask.path = gb_bytes_str(paths[i]);
        ck_assert_msg(gb_net_forward(net, &ask, &made, &err) == -GB_EINVALID, "%s", paths[i]);
    }
    made = forward("127.0.0.1:0", NULL);
    ask = (struct gb_net_forward_ask){.port = PORT, .address = gb_bytes_str(made->at)};
    ck_assert_int_eq(gb_net_forward(net, &ask, &made, &err), -GB_EBUSY);
    end();
}
END_TEST

/* What a guest that was taken over might send. */
START_TEST(a_guest_cannot_have_streams_of_its_own)
{
    static const struct gb_forward port = {.port = PORT};
    struct gb_buf params = {0};
    struct gb_open open = {.kind = GB_STREAM_FORWARD};
    const struct gb_frame wrong[] = {
        {.type = GB_GUEST_OPEN, .id = 2},
        {.type = GB_GUEST_DATA, .id = 1, .payload = gb_bytes_str("x")},
        {.type = GB_GUEST_DATA, .id = 7, .payload = gb_bytes_str("x")},
        {.type = GB_GUEST_SHUT, .id = 1},
        {.type = GB_GUEST_NETWORK_ON, .id = 1},
    };

    gb_fields_encode(&gb_forward_fields, &port, &params);
    open.params = gb_buf_bytes(&params);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        start();
        if (wrong[i].type == GB_GUEST_OPEN)
            gb_guest_add(&guest.out, wrong[i], &gb_open_fields, &open);
        else
            gb_frame_add(&guest.out, &wrong[i]);
        guest_flush();
        TURN_UNTIL(told.failed == 1);
        end();
    }
    gb_buf_release(&params);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forward");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, each_half_ends_by_itself);
    tcase_add_test(tests, a_socket_with_a_path_is_for_its_user_only);
    tcase_add_test(tests, a_path_is_removed_only_with_its_own_socket);
    tcase_add_test(tests, a_folder_in_which_everybody_can_replace_it_is_refused);
    tcase_add_test(tests, a_guest_that_refuses_resets_the_client);
    tcase_add_test(tests, a_broken_connection_is_reset_on_the_other_side);
    tcase_add_test(tests, a_slow_reader_holds_up_its_own_guest_only);
    tcase_add_test(tests, a_guest_that_does_not_read_bounds_what_is_taken_from_the_client);
    tcase_add_test(tests, visitors_beyond_the_limit_wait);
    tcase_add_test(tests, forwards_are_bounded);
    tcase_add_test(tests, only_places_of_this_host);
    tcase_add_test(tests, between_two_conversations_connections_break_and_clients_wait);
    tcase_add_test(tests, what_both_have_ended_is_still_delivered);
    tcase_add_test(tests, who_waits_in_vain_is_turned_away);
    tcase_add_test(tests, a_guest_cannot_have_streams_of_its_own);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
