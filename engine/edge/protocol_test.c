/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/protocol.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/socket.h"
#include "check_run.h"

static void send_text(int socket, const char *text)
{
    ck_assert_int_eq(gb_edge_send(socket, gb_bytes_str(text), NULL, 0, false), 0);
}

static void receives(int socket, const char *text)
{
    uint8_t packet[GB_EDGE_PACKET_MAX];
    int fds[GB_EDGE_FDS_MAX];
    size_t count;

    ck_assert_int_eq(gb_edge_receive(socket, packet, fds, &count), (ptrdiff_t)strlen(text));
    ck_assert(memcmp(packet, text, strlen(text)) == 0 && count == 0);
}

static ptrdiff_t receives_nothing(int socket)
{
    uint8_t packet[GB_EDGE_PACKET_MAX];
    int fds[GB_EDGE_FDS_MAX];
    size_t count;

    return gb_edge_receive(socket, packet, fds, &count);
}

/* Whether or not it has read what was sent to it. */
START_TEST(last_words_are_heard)
{
    int pair[2];

    ck_assert_int_eq(gb_socket_packet_pair(pair), 0);
    ck_assert_int_eq(receives_nothing(pair[0]), -EAGAIN);
    if (_i == 1)
        send_text(pair[0], "unread");
    send_text(pair[1], "one");
    send_text(pair[1], "two");
    pair[1] = gb_close(pair[1]);
    receives(pair[0], "one");
    receives(pair[0], "two");
    ck_assert_int_eq(receives_nothing(pair[0]), 0);
    ck_assert_int_eq(receives_nothing(pair[0]), 0);
    pair[0] = gb_close(pair[0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("protocol");
    TCase *tests = tcase_create("all");

    tcase_add_loop_test(tests, last_words_are_heard, 0, 2);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
