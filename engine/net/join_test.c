/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a conversation with a guest: whatever the order in which its bytes come, nothing
 * is sent or believed before its mark, and all is after it. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "check_run.h"
#include "net/net.h"
#include "wire/guest.h"
#include "wire/mux.h"
#include "wire/sync.h"

static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_net *net;
static int guest; /* the guest's end of the port */
static unsigned failed;

static void on_failed(void *arg, const struct gb_err *err)
{
    (void)arg;
    (void)err;
    failed++;
}

static void begin(void)
{
    static const struct gb_net_events events = {.failed = on_failed};
    const struct gb_net_limits limits = {.connections = 16, .names = 16};
    struct gb_policy policy = {0};

    failed = 0;
    ck_assert_int_eq(uv_loop_init(&uv), 0);
    loop = gb_loop_new(&uv);
    ck_assert_int_eq(gb_policy_parse(&policy, gb_bytes_str("allow app.test\n"), NULL), 0);
    net = gb_net_new(loop, &policy, &limits, &events, NULL);
}

static void end(void)
{
    gb_net_end(net);
    gb_net_free(net);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    (void)close(guest);
}

/* Of 16 times @byte. */
static void join(int fd, char byte)
{
    uint8_t mark[GB_SYNC_BYTES];

    memset(mark, byte, sizeof(mark));
    gb_net_join(net, fd, mark);
}

/* The network's end of a new port. */
static int make_port(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    guest = pair[1];
    return pair[0];
}

static void guest_says(struct gb_bytes bytes)
{
    if (bytes.size > 0)
        ck_assert_int_eq(send(guest, bytes.data, bytes.size, 0), (ssize_t)bytes.size);
    for (int i = 0; i < 4; i++)
        (void)uv_run(&uv, UV_RUN_NOWAIT);
}

/* What has come for the guest since it was asked last. */
static struct gb_bytes guest_hears(void)
{
    static uint8_t heard[4096];
    ssize_t n = recv(guest, heard, sizeof(heard), MSG_DONTWAIT);

    return (struct gb_bytes){heard, n > 0 ? (size_t)n : 0};
}

/* A name is looked up by a program. */
static void add_question(struct gb_buf *to, uint32_t stream)
{
    static const struct gb_mux_kind kinds[GB_STREAM_KIND_COUNT];
    const struct gb_resolve question = {.name = gb_bytes_str("app.test"), .type = 1};
    struct gb_buf out = {0};
    struct gb_mux mux;

    gb_mux_init(&mux, GB_SIDE_GUEST, kinds, NULL, &out);
    for (uint32_t i = 0; i < stream; i++) {
        gb_buf_clear(&out);
        ck_assert_ptr_nonnull(gb_mux_open(&mux, GB_STREAM_RESOLVE, 0, &question));
    }
    gb_buf_add(to, gb_buf_data(&out), out.size);
    gb_mux_clear(&mux, NULL);
    gb_buf_release(&out);
}

static void add_mark(struct gb_buf *to, char byte)
{
    for (int i = 0; i < GB_SYNC_BYTES; i++)
        gb_buf_add_u8(to, (uint8_t)byte);
}

/* The host's mark, and behind it the answers to @count lookups; nothing else. */
static void check_heard(struct gb_bytes heard, char byte, unsigned count)
{
    struct gb_frame frame;
    size_t size;
    unsigned answers = 0;

    ck_assert_uint_ge(heard.size, GB_SYNC_BYTES);
    for (int i = 0; i < GB_SYNC_BYTES; i++)
        ck_assert_int_eq(heard.data[i], byte);
    heard.data += GB_SYNC_BYTES;
    heard.size -= GB_SYNC_BYTES;
    while (heard.size > 0) {
        ck_assert_int_eq(gb_frame_next(heard, &frame, &size, NULL), 1);
        answers += frame.type == GB_GUEST_SHUT;
        heard.data += size;
        heard.size -= size;
    }
    ck_assert_uint_eq(answers, count);
}

/* In two pieces, cut at each byte, with the end of an earlier conversation in front. */
START_TEST(a_mark_and_what_follows_come_in_any_pieces)
{
    _cleanup_(gb_buf_release) struct gb_buf said = {0};
    size_t marked;

    gb_buf_adds(&said, "the rest of a frame aaaa");
    add_mark(&said, 'b');
    marked = said.size;
    add_question(&said, 1);
    for (size_t at = 0; at <= said.size; at++) {
        const struct gb_bytes all = gb_buf_bytes(&said);
        struct gb_buf heard = {0};
        struct gb_bytes piece;

        begin();
        join(make_port(), 'b');
        guest_says((struct gb_bytes){all.data, at});
        piece = guest_hears();
        if (at < marked)
            ck_assert_uint_eq(piece.size, 0);
        else
            check_heard(piece, 'b', at == all.size ? 1 : 0);
        gb_buf_add(&heard, piece.data, piece.size);
        guest_says((struct gb_bytes){all.data + at, all.size - at});
        piece = guest_hears();
        gb_buf_add(&heard, piece.data, piece.size);
        check_heard(gb_buf_bytes(&heard), 'b', 1);
        ck_assert_uint_eq(failed, 0);
        gb_buf_release(&heard);
        end();
    }
}
END_TEST

/* Nothing is sent to a guest that stands still, nor read from it: before its mark, and later. */
START_TEST(a_guest_that_stands_still_is_left_alone)
{
    _cleanup_(gb_buf_release) struct gb_buf said = {0};

    begin();
    join(make_port(), 'b');
    gb_net_stand(net, true);
    add_mark(&said, 'b');
    add_question(&said, 1);
    guest_says(gb_buf_bytes(&said));
    ck_assert_uint_eq(guest_hears().size, 0);
    gb_net_stand(net, false);
    guest_says((struct gb_bytes){0});
    check_heard(guest_hears(), 'b', 1);
    gb_net_stand(net, true);
    gb_buf_clear(&said);
    add_question(&said, 2);
    guest_says(gb_buf_bytes(&said));
    ck_assert_uint_eq(guest_hears().size, 0);
    gb_net_stand(net, false);
    guest_says((struct gb_bytes){0});
    ck_assert_uint_gt(guest_hears().size, 0);
    ck_assert_uint_eq(failed, 0);
    end();
}
END_TEST

/* A guest that is faster than the host's loop. */
START_TEST(a_mark_that_is_there_before_the_conversation_counts)
{
    _cleanup_(gb_buf_release) struct gb_buf said = {0};
    int fd;

    begin();
    fd = make_port();
    add_mark(&said, 'b');
    add_question(&said, 1);
    guest_says(gb_buf_bytes(&said));
    join(fd, 'b');
    guest_says((struct gb_bytes){0});
    check_heard(guest_hears(), 'b', 1);
    end();
}
END_TEST

/* What is said between two conversations is heard by nobody; nor does the host say anything. */
START_TEST(a_mark_between_two_conversations_is_lost)
{
    _cleanup_(gb_buf_release) struct gb_buf said = {0};

    begin();
    join(make_port(), 'a');
    add_mark(&said, 'a');
    add_question(&said, 1);
    guest_says(gb_buf_bytes(&said));
    check_heard(guest_hears(), 'a', 1);
    gb_net_leave(net, "moved", false);
    gb_buf_clear(&said);
    add_mark(&said, 'b');
    guest_says(gb_buf_bytes(&said));
    join(-1, 'b');
    gb_buf_clear(&said);
    add_question(&said, 1);
    guest_says(gb_buf_bytes(&said));
    ck_assert_uint_eq(guest_hears().size, 0);
    gb_buf_clear(&said);
    add_mark(&said, 'b');
    add_question(&said, 1);
    guest_says(gb_buf_bytes(&said));
    check_heard(guest_hears(), 'b', 1);
    ck_assert_uint_eq(failed, 0);
    end();
}
END_TEST

/* The host has begun anew before anything of the guest came: only the last mark counts. */
START_TEST(the_mark_of_a_conversation_that_was_left_is_none)
{
    _cleanup_(gb_buf_release) struct gb_buf said = {0};

    begin();
    join(make_port(), 'a');
    gb_net_leave(net, "moved", false);
    join(-1, 'b');
    add_mark(&said, 'a');
    add_question(&said, 1);
    guest_says(gb_buf_bytes(&said));
    ck_assert_uint_eq(guest_hears().size, 0);
    gb_buf_clear(&said);
    add_mark(&said, 'b');
    add_question(&said, 1);
    add_question(&said, 2);
    guest_says(gb_buf_bytes(&said));
    check_heard(guest_hears(), 'b', 2);
    ck_assert_uint_eq(failed, 0);
    end();
}
END_TEST

/* A byte of it has gone, or it comes twice: the first is waited for, the second is no frame. */
START_TEST(a_mark_is_whole_and_comes_once)
{
    _cleanup_(gb_buf_release) struct gb_buf said = {0};

    begin();
    join(make_port(), 'b');
    gb_buf_adds(&said, "bbbbbbbbbbbbbbb");
    add_question(&said, 1);
    guest_says(gb_buf_bytes(&said));
    ck_assert_uint_eq(guest_hears().size, 0);
    ck_assert_uint_eq(failed, 0);
    gb_buf_clear(&said);
    add_mark(&said, 'b');
    guest_says(gb_buf_bytes(&said));
    check_heard(guest_hears(), 'b', 0);
    ck_assert_uint_eq(failed, 0);
    guest_says(gb_buf_bytes(&said));
    ck_assert_uint_eq(failed, 1);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("join");
    TCase *tests = tcase_create("join");

    tcase_add_test(tests, a_mark_and_what_follows_come_in_any_pieces);
    tcase_add_test(tests, a_guest_that_stands_still_is_left_alone);
    tcase_add_test(tests, a_mark_that_is_there_before_the_conversation_counts);
    tcase_add_test(tests, a_mark_between_two_conversations_is_lost);
    tcase_add_test(tests, the_mark_of_a_conversation_that_was_left_is_none);
    tcase_add_test(tests, a_mark_is_whole_and_comes_once);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
