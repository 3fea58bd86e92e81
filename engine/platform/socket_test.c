/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: close-on-exec, silent about peers that have gone, and honest about who they are. */
#include "platform/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"

static void check_flags(int fd, bool nonblocking)
{
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, nonblocking);
}

START_TEST(a_peer_that_has_gone_is_an_error)
{
    char big[4096] = "";
    ssize_t n;
    int pair[2], ends[2];

    ck_assert_int_eq(gb_socket_pair(pair), 0);
    check_flags(pair[0], false);
    check_flags(pair[1], false);
    while ((n = gb_socket_send(pair[0], big, sizeof(big))) > 0)
        ;
    ck_assert_int_eq(n, -EAGAIN); /* full: it does not wait */
    (void)gb_close(pair[1]);
    ck_assert_int_eq(gb_socket_send(pair[0], big, 1), -EPIPE);
    (void)gb_close(pair[0]);
    ck_assert_int_eq(gb_socket_pipe(ends), 0);
    check_flags(ends[0], false);
    check_flags(ends[1], false);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(read(ends[0], big, sizeof(big)), 1);
    (void)gb_close(ends[0]);
    (void)gb_close(ends[1]);
}
END_TEST

START_TEST(tells_who_is_there)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_(closep) int listener = gb_socket_new(SOCK_STREAM, true), client = -1, served = -1;
    struct gb_socket_peer peer = {0};
    struct iovec data = {(char[]){"hi"}, 2};
    const struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    char text[4];

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/glassbell-socket-test-%d",
                   (int)getpid());
    check_flags(listener, true);
    ck_assert_int_eq(gb_socket_accept(listener), -EINVAL); /* it does not listen */
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(gb_socket_accept(listener), -EAGAIN);
    client = gb_socket_new(SOCK_STREAM, false);
    check_flags(client, false);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)unlink(address.sun_path);
    served = gb_socket_accept(listener);
    check_flags(served, true);
    ck_assert_int_eq(gb_socket_peer(served, &peer), 0);
    ck_assert_uint_eq(peer.uid, geteuid());
    ck_assert_int_eq(peer.pid, getpid());
    ck_assert_int_eq(gb_socket_send_message(client, &message), 2);
    ck_assert_int_eq(read(served, text, sizeof(text)), 2);
    ck_assert_int_lt(gb_socket_peer(-1, &peer), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("socket");
    TCase *tests = tcase_create("socket");

    tcase_add_test(tests, a_peer_that_has_gone_is_an_error);
    tcase_add_test(tests, tells_who_is_there);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
