/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "agent/console.h"
#include "agent/device.h"
#include "agent/init.h"
#include "agent/netd/capture.h"
#include "agent/netd/relay.h"
#include "agent/netd/resolver.h"
#include "confine/confine.h"
#include "wire/guest.h"

enum {
    SERVE_UID = 65521,                        /* used by nobody else in a guest */
    SERVE_FILES = RELAY_CONNECTIONS_MAX + 64, /* and what is open for good, and one that comes */
    PORT_WAIT_MS = 100,
    QUEUE_HIGH = 256 * 1024, /* bytes queued for the host above which streams get no turns */
};

struct serve {
    struct loop loop;
    struct source agent;
    struct port port;
    struct gb_mux mux;
    struct relay relay;
    struct resolver resolver;
    struct deadline again;
};

_Noreturn static void serve_fail(const char *what)
{
    console_say("netd: %s: %s", what, strerror(errno));
    _exit(1);
}

/* ---- streams ---- */

static int serve_on_forward(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                            struct gb_err *err)
{
    return relay_enter(&((struct serve *)arg)->relay, stream, params, err);
}

static void serve_on_fill(void *arg, struct gb_mux_stream *stream)
{
    relay_fill(&((struct serve *)arg)->relay, stream);
}

static int serve_on_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                         struct gb_err *err)
{
    return relay_data(&((struct serve *)arg)->relay, stream, bytes, err);
}

static int serve_on_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                         struct gb_err *err)
{
    (void)word;
    (void)err;
    relay_shut(&((struct serve *)arg)->relay, stream);
    return 0;
}

static void serve_on_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    relay_ended(&((struct serve *)arg)->relay, stream, why);
}

static int serve_on_answer(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                           struct gb_err *err)
{
    return resolver_shut(&((struct serve *)arg)->resolver, stream, word, err);
}

static void serve_on_answered(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)why;
    resolver_ended(&((struct serve *)arg)->resolver, stream);
}

static const struct gb_mux_kind serve_kinds[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_CONNECT] = {.fill = serve_on_fill,
                           .data = serve_on_data,
                           .shut = serve_on_shut,
                           .ended = serve_on_ended},
    [GB_STREAM_FORWARD] = {.opened = serve_on_forward,
                           .fill = serve_on_fill,
                           .data = serve_on_data,
                           .shut = serve_on_shut,
                           .ended = serve_on_ended},
    [GB_STREAM_RESOLVE] = {.shut = serve_on_answer, .ended = serve_on_answered},
};

/* ---- the port ---- */

static void serve_on_frame(struct port *port, const struct gb_frame *frame)
{
    struct serve *serve = container_of(port, struct serve, port);
    struct gb_err err = {0};

    if (!gb_mux_takes(frame))
        (void)gb_err_set(&err, GB_EINTERNAL, "frames of type %u are not allowed here", frame->type);
    else if (gb_mux_frame(&serve->mux, frame, &err) == 0)
        return;
    console_say("netd: the host broke the protocol: %s", err.message);
    _exit(1);
}

static void serve_on_port(struct port *port)
{
    (void)port;
}

/* No frame of a stream is as large as that. */
static int serve_check_room(struct port *port, uint64_t size, struct gb_err *err)
{
    (void)port;
    return gb_err_set(err, GB_EINTERNAL, "a frame of %llu bytes is not allowed here",
                      (unsigned long long)size);
}

static void serve_on_large(struct port *port, const struct gb_frame *frame,
                           const struct gb_err *why)
{
    (void)port;
    console_say("netd: the host broke the protocol: type %u, %s", frame->type, why->message);
    _exit(1);
}

static const struct port_owner serve_port = {
    .frame = serve_on_frame,
    .check_room = serve_check_room,
    .refused = serve_on_large,
    .connected = serve_on_port,
    .drained = serve_on_port,
};

static int serve_open_port(const struct boot *boot, int tries)
{
    char name[64];

    /* In a guest that has just booted, the kernel may not know the port's name yet. */
    for (int i = 0; i < tries; i++) {
        struct pollfd news = {.fd = boot->uevent_fd, .events = POLLIN};
        int fd = -1;

        if (device_find_port(boot->sys_fd, GB_GUEST_NETWORK_PORT, name, sizeof(name)) == 0)
            fd = openat(boot->dev_fd, name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0)
            return fd;
        (void)poll(&news, 1, PORT_WAIT_MS); /* check again, event or not */
        device_drain_uevents(boot->uevent_fd);
    }
    return -1;
}

/* ---- the agent ---- */

static void serve_tell_agent(struct serve *serve, uint8_t word)
{
    if (send(serve->agent.fd, &word, 1, MSG_NOSIGNAL) != 1)
        serve_fail("the agent");
}

static void serve_agent_ready(struct source *source)
{
    struct serve *serve = container_of(source, struct serve, agent);
    uint8_t word;
    ssize_t n = recv(source->fd, &word, 1, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n != 1)
        serve_fail("the agent");
    relay_turn(&serve->relay, word == SERVE_ON);
    if (word == SERVE_OFF)
        serve_tell_agent(serve, SERVE_OFF);
}

/* ---- rights ---- */

static int serve_compare(const void *one, const void *other)
{
    return *(const int *)one - *(const int *)other;
}

/* Closes all descriptors except @keep, which gets sorted. */
static void serve_close_others(int *keep, size_t count)
{
    int from = 0;

    qsort(keep, count, sizeof(*keep), serve_compare);
    for (size_t i = 0; i < count; i++) {
        if (keep[i] > from)
            (void)close_range((unsigned)from, (unsigned)keep[i] - 1, 0);
        from = keep[i] + 1;
    }
    (void)close_range((unsigned)from, ~0u, 0);
}

/* The agent, whose child it is, is never killed when memory runs out. Connections whose data nobody
 * reads hold too much of it for that. */
static void serve_be_mortal(const struct boot *boot)
{
    _cleanup_(closep) int fd = openat(boot->proc_fd, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "0", 1) != 1)
        serve_fail("oom_score_adj");
}

/* Open descriptors can be used without privileges. */
static void serve_drop_rights(void)
{
    const struct rlimit files = {SERVE_FILES, SERVE_FILES}, none = {0, 0};

    if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
        setrlimit(RLIMIT_NPROC, &none) < 0)
        serve_fail("limits");
    if (setgroups(0, NULL) < 0 || setresgid(SERVE_UID, SERVE_UID, SERVE_UID) < 0 ||
        setresuid(SERVE_UID, SERVE_UID, SERVE_UID) < 0)
        serve_fail("the user");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
        serve_fail("prctl");
    errno = -confine_calls();
    if (errno != 0)
        serve_fail("the filter for system calls");
}

/* ---- life ---- */

static void serve_again(struct deadline *deadline)
{
    (void)deadline; /* only needed to cause another round */
}

/* Streams get turns while the host accepts their data. */
static void serve_streams(struct serve *serve)
{
    if (serve->port.out.size < QUEUE_HIGH)
        gb_mux_run(&serve->mux, QUEUE_HIGH - serve->port.out.size);
    port_flush(&serve->port);
    if (gb_mux_is_ready(&serve->mux) && serve->port.out.size < QUEUE_HIGH)
        deadline_set(&serve->loop, &serve->again, 0);
}

/* What takes long, and what programs cannot notice: in /proc they see no processes of others. It
 * must not keep open what the agent closes: ends of pipes. Returns the port. */
static int serve_get_ready(struct serve *serve, const struct boot *boot, int tries, int agent_fd,
                           int link_fd)
{
    int port_fd = serve_open_port(boot, tries);
    int r;

    if (port_fd < 0)
        serve_fail("the port");
    serve_be_mortal(boot);
    r = loop_init(&serve->loop);
    errno = -r;
    if (r < 0)
        serve_fail("the loop");
    serve_close_others(
        (int[]){agent_fd, port_fd, link_fd, serve->loop.epoll_fd, console_descriptor()}, 5);
    serve_drop_rights();
    return port_fd;
}

/* Waits for its conversation and the sockets. */
static void serve_await(struct serve *serve, int agent_fd, struct capture *capture,
                        uint8_t ret_mark[GB_SYNC_BYTES])
{
    struct serve_start start;
    struct iovec part = {&start, sizeof(start)};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * SERVE_SOCKETS)];
    } control = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    int fds[SERVE_SOCKETS];
    ssize_t n;

    serve->agent = (struct source){.fd = agent_fd, .rank = RANK_SIGNAL, .ready = serve_agent_ready};
    serve_tell_agent(serve, SERVE_PARKED);
    while ((n = recvmsg(agent_fd, &message, 0)) < 0 && errno == EINTR)
        ;
    if (n == 0)
        _exit(0); /* the agent wants it no more */
    if (n != sizeof(start) || start.word != SERVE_START ||
        (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
        control.head.cmsg_type != SCM_RIGHTS || control.head.cmsg_len != CMSG_LEN(sizeof(fds)))
        serve_fail("the agent");
    memcpy(fds, CMSG_DATA(&control.head), sizeof(fds));
    *capture = (struct capture){.listener = fds[0],
                                .resolver = fds[1],
                                .syns = fds[2],
                                .out = fds[3],
                                .link = -1,
                                .map = -1};
    memcpy(ret_mark, start.mark, GB_SYNC_BYTES);
}

static void serve_start(struct serve *serve, int port_fd, const struct capture *capture,
                        const uint8_t *mark)
{
    int r = port_open(&serve->port, &serve->loop, port_fd, &serve_port);

    port_begin(&serve->port, mark);
    gb_mux_init(&serve->mux, GB_SIDE_GUEST, serve_kinds, serve, &serve->port.out);
    if (r == 0)
        r = relay_init(&serve->relay, &serve->loop, &serve->mux, capture);
    if (r == 0)
        r = resolver_init(&serve->resolver, &serve->loop, &serve->mux, capture);
    if (r == 0)
        r = loop_watch(&serve->loop, &serve->agent, EPOLLIN);
    errno = -r;
    if (r < 0)
        serve_fail("the loop");
    deadline_init(&serve->again, serve_again);
}

void serve_network(const struct boot *boot, int tries, int agent_fd, int link_fd)
{
    static struct serve serve;
    struct capture capture;
    uint8_t mark[GB_SYNC_BYTES];
    int port_fd;

    (void)prctl(PR_SET_NAME, "netd");
    port_fd = serve_get_ready(&serve, boot, tries, agent_fd, link_fd);
    serve_await(&serve, agent_fd, &capture, mark);
    serve_start(&serve, port_fd, &capture, mark);
    serve_tell_agent(&serve, SERVE_READY);
    for (;;) {
        int r = loop_round(&serve.loop);

        errno = -r;
        if (r < 0)
            serve_fail("epoll");
        serve_streams(&serve);
    }
}
