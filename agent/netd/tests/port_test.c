/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a conversation on a port, over a socket of this host in its place. */
#include "agent/port.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "check_run.h"

static const uint8_t mark[] = "0123456789abcdef";

static struct loop loop;
static struct port port;
static int host; /* the other end */
static struct gb_buf handed_out;
static unsigned refused, connected;

static void on_frame(struct port *of, const struct gb_frame *frame)
{
    ck_assert_ptr_eq(of, &port);
    gb_buf_add_u8(&handed_out, (uint8_t)frame->type);
    gb_buf_add(&handed_out, frame->payload.data, frame->payload.size);
}

static int on_check(struct port *of, uint64_t size, struct gb_err *err)
{
    (void)of;
    return gb_err_set(err, GB_ETOOLARGE, "%llu", (unsigned long long)size);
}

static void on_refused(struct port *of, const struct gb_frame *frame, const struct gb_err *why)
{
    (void)of;
    (void)frame;
    (void)why;
    refused++;
}

static void on_connected(struct port *of)
{
    (void)of;
    connected++;
}

static void on_drained(struct port *of)
{
    (void)of;
}

static const struct port_owner owner = {.frame = on_frame,
                                        .check_room = on_check,
                                        .refused = on_refused,
                                        .connected = on_connected,
                                        .drained = on_drained};

/* One round of the loop, which does not wait. */
static void turn(void)
{
    loop.goes_on = true;
    ck_assert_int_eq(loop_round(&loop), 0);
    port_flush(&port);
}

static void begin(void)
{
    int pair[2];

    port = (struct port){0};
    gb_buf_clear(&handed_out);
    refused = connected = 0;
    ck_assert_int_eq(loop_init(&loop), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    host = pair[1];
    ck_assert_int_eq(port_open(&port, &loop, pair[0], &owner), 0);
    port_begin(&port, mark);
}

static void end(void)
{
    loop_unwatch(&loop, &port.source);
    gb_buf_release(&port.in);
    gb_buf_release(&port.out);
    (void)close(port.source.fd);
    (void)close(host);
    (void)close(loop.epoll_fd);
}

static void host_says(struct gb_bytes bytes)
{
    ck_assert_int_eq(send(host, bytes.data, bytes.size, 0), (ssize_t)bytes.size);
    for (int i = 0; i < 3; i++)
        turn();
}

static void add_frame(struct gb_buf *to, uint16_t type, const char *payload)
{
    gb_frame_add(to, &(struct gb_frame){.type = type, .payload = gb_bytes_str(payload)});
}

START_TEST(its_own_mark_comes_first)
{
    uint8_t got[64];

    begin();
    port_send_ok(&port, 1);
    turn();
    ck_assert_int_eq(recv(host, got, sizeof(got), 0), GB_SYNC_BYTES + GB_FRAME_HEADER);
    ck_assert_mem_eq(got, mark, GB_SYNC_BYTES);
    ck_assert_uint_eq(connected, 1);
    end();
}
END_TEST

/* Whatever the host says comes in two pieces, in each way; the end of an earlier conversation
 * before the mark, two frames behind it. */
START_TEST(what_follows_the_mark_is_handed_out)
{
    _cleanup_(gb_buf_release) struct gb_buf said = {0};
    size_t before;

    add_frame(&said, 'x', "not for it");
    /* The header of one that would be refused, or be waited for. */
    gb_buf_add(&said, "\xff\xff\xff\x0f", 4);
    gb_buf_adds(&said, "0123456789abcde");
    before = said.size + GB_SYNC_BYTES;
    gb_buf_add(&said, mark, GB_SYNC_BYTES);
    add_frame(&said, 'a', "one");
    add_frame(&said, 'b', "");
    for (size_t at = 0; at <= said.size; at++) {
        const struct gb_bytes all = gb_buf_bytes(&said);

        begin();
        host_says((struct gb_bytes){all.data, at});
        if (at <= before + GB_FRAME_HEADER)
            ck_assert_uint_eq(handed_out.size, 0);
        host_says((struct gb_bytes){all.data + at, all.size - at});
        ck_assert_str_eq(gb_buf_str(&handed_out), "aoneb");
        ck_assert_uint_eq(refused, 0);
        end();
    }
}
END_TEST

/* More than is read at a time. */
START_TEST(much_before_the_mark_is_dropped)
{
    static uint8_t much[64 * 1024];
    _cleanup_(gb_buf_release) struct gb_buf said = {0};

    memset(much, 'f', sizeof(much));
    begin();
    for (int i = 0; i < 3; i++)
        host_says((struct gb_bytes){much, sizeof(much)});
    ck_assert_uint_eq(port.in.size, 0);
    gb_buf_add(&said, mark, GB_SYNC_BYTES);
    add_frame(&said, 'a', "one");
    host_says(gb_buf_bytes(&said));
    ck_assert_str_eq(gb_buf_str(&handed_out), "aone");
    ck_assert_uint_eq(refused, 0);
    end();
}
END_TEST

/* Without it nothing is a frame, however long it takes; after it everything is. */
START_TEST(a_mark_that_was_lost_is_waited_for)
{
    _cleanup_(gb_buf_release) struct gb_buf frame = {0};

    add_frame(&frame, 'a', "one");
    begin();
    host_says((struct gb_bytes){mark + 1, GB_SYNC_BYTES - 1});
    host_says(gb_buf_bytes(&frame));
    ck_assert_uint_eq(handed_out.size, 0);
    host_says((struct gb_bytes){mark, GB_SYNC_BYTES});
    host_says(gb_buf_bytes(&frame));
    host_says(gb_buf_bytes(&frame));
    ck_assert_str_eq(gb_buf_str(&handed_out), "aoneaone");
    end();
}
END_TEST

/* The agent's own port has none. */
START_TEST(without_a_mark_all_is_handed_out)
{
    _cleanup_(gb_buf_release) struct gb_buf frame = {0};

    add_frame(&frame, 'a', "one");
    begin();
    port.sync = (struct gb_sync){0};
    host_says(gb_buf_bytes(&frame));
    ck_assert_str_eq(gb_buf_str(&handed_out), "aone");
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("port");
    TCase *tests = tcase_create("port");

    tcase_add_test(tests, its_own_mark_comes_first);
    tcase_add_test(tests, what_follows_the_mark_is_handed_out);
    tcase_add_test(tests, much_before_the_mark_is_dropped);
    tcase_add_test(tests, a_mark_that_was_lost_is_waited_for);
    tcase_add_test(tests, without_a_mark_all_is_handed_out);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
