/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by tests of connections: a network, and a guest's end of the second port. */
#pragma once

#include "net/net.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "check_run.h"
#include "wire/guest.h"
#include "wire/mux.h"
#include "wire/sync.h"

static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_net *net;

/* The guest's side. */
static struct {
    struct gb_stream *port;
    struct gb_buf out, got;
    struct gb_mux mux;
    struct gb_sync sync;
    unsigned shut, ended, reset;
    bool holds; /* what it gets, which is then: */
    size_t held;
} guest;

/* What the owner of the network has been told of the last connection that ended. */
static struct {
    char reason[32]; /* "-": none */
    uint64_t received, sent;
} last;

#define TURN_UNTIL(condition_)                                                                     \
    while (!(condition_))                                                                          \
    (void)uv_run(&uv, UV_RUN_ONCE)

/* ---- handlers of the guest's streams ---- */

static inline int guest_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
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

static inline int guest_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                             struct gb_err *err)
{
    (void)arg;
    (void)stream;
    (void)word;
    (void)err;
    guest.shut++;
    return 0;
}

static inline void guest_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)arg;
    (void)stream;
    guest.ended++;
    guest.reset += why != NULL;
}

/* ---- the guest's port ---- */

static inline void guest_flush(void)
{
    gb_stream_send_buf(guest.port, &guest.out);
}

static inline void guest_input(void *arg, struct gb_buf *input)
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

static inline void guest_closed(void *arg, int sys_errno)
{
    (void)arg;
    (void)sys_errno;
}

/* ---- the network ---- */

static inline void note_end(const struct gb_net_news *news)
{
    (void)snprintf(last.reason, sizeof(last.reason), "%s",
                   news->reason == NULL ? "-" : news->reason);
    last.received = news->received;
    last.sent = news->sent;
}

/* The network begins a conversation, with the mark of 16 times @byte, and so does the guest, after
 * @before. @fd: the network's end, or -1. */
static inline void join(int fd, char byte, const char *before)
{
    uint8_t mark[GB_SYNC_BYTES];

    memset(mark, byte, sizeof(mark));
    gb_net_join(net, fd, mark);
    gb_sync_expect(&guest.sync, mark);
    gb_buf_adds(&guest.out, before);
    gb_buf_add(&guest.out, mark, sizeof(mark));
    guest_flush();
}

/* Takes @policy. @bytes: the limit; 0: none. */
static inline void begin(struct gb_policy *policy, uint64_t bytes,
                         const struct gb_net_events *told_of, const struct gb_mux_kind *kinds)
{
    static const struct gb_stream_events events = {.input = guest_input, .closed = guest_closed};
    const struct gb_net_limits limits = {.connections = 16, .names = 16, .bytes = bytes};
    int pair[2];

    memset(&guest, 0, sizeof(guest));
    memset(&last, 0, sizeof(last));
    ck_assert_int_eq(uv_loop_init(&uv), 0);
    loop = gb_loop_new(&uv);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    net = gb_net_new(loop, policy, &limits, told_of, NULL);
    gb_mux_init(&guest.mux, GB_SIDE_GUEST, kinds, NULL, &guest.out);
    guest.port = gb_stream_new(loop, pair[1], 64 * 1024, &events, NULL);
    join(pair[0], 'a', "");
}

static inline void end(void)
{
    gb_net_end(net);
    gb_net_free(net);
    gb_mux_clear(&guest.mux, NULL);
    gb_stream_free(guest.port);
    gb_buf_release(&guest.out);
    gb_buf_release(&guest.got);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}

/* What a program at the other side, which does not block, reads next: a number of bytes, 0 at the
 * end, or -errno. */
static inline ssize_t other_read(int fd, void *to, size_t size)
{
    ssize_t n;

    while ((n = recv(fd, to, size, 0)) < 0 && errno == EAGAIN)
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    return n < 0 ? -errno : n;
}
