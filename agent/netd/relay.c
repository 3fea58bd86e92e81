/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "parse/packet.h"

enum {
    BATCH = 64,        /* SYNs and connections handled per round */
    ACCEPT_WAIT_S = 5, /* for a granted connection */
    ROOM_WAIT_S = 1,   /* for room that does not depend on us */
    NOBODY = 65534,
};

/* From ENTERING on it has a socket. */
enum relay_state { RELAY_HELD, RELAY_GRANTED, RELAY_ENTERING, RELAY_OPEN };

struct relay_connection {
    struct gb_list link;
    struct relay *relay;
    struct gb_mux_stream *stream; /* NULL: ended, but received data has not been written yet */
    enum relay_state state;
    struct packet_syn syn;
    uint8_t packet[PACKET_SYN_MAX]; /* the SYN, until the connection is accepted */
    size_t packet_size;
    uint64_t granted_ns;
    struct source source; /* from ENTERING on */
    uint16_t port;        /* of an entering connection */
    bool is_v6;           /* likewise: the second attempt */
    struct gb_buf out;    /* data for the program: at most a window */
    bool host_done;       /* the host's half has ended */
    bool told;            /* the program has been told */
};

static const struct gb_err relay_given_up = {.code = GB_EINTERNAL,
                                             .message = "the connection was given up"};

static void relay_ready(struct source *source);
static void relay_write(struct relay_connection *connection);

/* ---- the listener ---- */

/* Without room for another descriptor it would be ready again and again. */
static void relay_stop_listening(struct relay *relay)
{
    loop_unwatch(relay->loop, &relay->listener);
    deadline_set(relay->loop, &relay->again, gb_clock_mono_ns() + ROOM_WAIT_S * GB_NS_PER_S);
}

static void relay_listen(struct relay *relay)
{
    deadline_clear(&relay->again);
    if (loop_watch(relay->loop, &relay->listener, EPOLLIN) < 0)
        relay_stop_listening(relay);
}

static void relay_listen_again(struct deadline *deadline)
{
    relay_listen(container_of(deadline, struct relay, again));
}

/* ---- begin and end ---- */

static struct relay_connection *relay_new(struct relay *relay)
{
    struct relay_connection *connection = xcalloc(1, sizeof(*connection));

    connection->relay = relay;
    gb_list_add_tail(&relay->connections, &connection->link);
    relay->count++;
    return connection;
}

/* How the kernel is to end the connection when its socket is closed, also because netd is gone: by
 * breaking it, so that the program gets ECONNRESET, or as one that is complete. */
static void relay_breaks(const struct relay_connection *connection, bool breaks)
{
    const struct linger linger = {.l_onoff = breaks};

    (void)setsockopt(connection->source.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void relay_free(struct relay_connection *connection)
{
    struct relay *relay = connection->relay;

    gb_list_remove(&connection->link);
    relay->count--;
    if (connection->state >= RELAY_ENTERING) {
        loop_unwatch(relay->loop, &connection->source);
        (void)gb_close(connection->source.fd);
        relay_listen(relay);
    }
    gb_buf_release(&connection->out);
    free(connection);
}

static void relay_give_up(struct relay_connection *connection)
{
    if (connection->stream != NULL)
        gb_mux_reset(connection->stream, &relay_given_up);
    relay_free(connection);
}

/* ---- a connection that the host opens ---- */

/* Begins to connect. 0 or -errno, and then there is no socket. */
static int relay_dial(struct relay_connection *connection)
{
    const struct sockaddr_in v4 = {.sin_family = AF_INET,
                                   .sin_port = htons(connection->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                                    .sin6_port = htons(connection->port),
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const void *address = connection->is_v6 ? (const void *)&v6 : &v4;
    socklen_t size = connection->is_v6 ? sizeof(v6) : sizeof(v4);
    int fd = socket(connection->is_v6 ? AF_INET6 : AF_INET,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int r = fd < 0 ? -errno : 0;

    if (r == 0 && connect(fd, address, size) < 0 && errno != EINPROGRESS)
        r = -errno;
    connection->source = (struct source){.fd = fd, .rank = RANK_PIPE, .ready = relay_ready};
    if (r == 0)
        r = loop_watch(connection->relay->loop, &connection->source, EPOLLOUT);
    if (r < 0 && fd >= 0)
        (void)gb_close(fd);
    return r;
}

/* Likewise, or with the other address if nobody listens at the first. */
static int relay_dial_either(struct relay_connection *connection)
{
    int r = relay_dial(connection);

    if (r == -ECONNREFUSED && !connection->is_v6) {
        connection->is_v6 = true;
        r = relay_dial(connection);
    }
    return r;
}

static struct gb_err relay_why_not(int failed)
{
    struct gb_err why = {0};

    /* Also without IPv6: the first attempt was refused then. */
    if (failed == -ECONNREFUSED || failed == -EADDRNOTAVAIL || failed == -EAFNOSUPPORT)
        (void)gb_err_set(&why, GB_ENOTFOUND, "nobody listens on that port");
    else
        (void)gb_err_set(&why, GB_EINTERNAL, "%s", strerror(-failed));
    return why;
}

/* The attempt is over. */
static void relay_entered(struct relay_connection *connection)
{
    const int on = 1;
    int failed = 0;
    socklen_t size = sizeof(failed);
    struct gb_err why;

    if (getsockopt(connection->source.fd, SOL_SOCKET, SO_ERROR, &failed, &size) < 0)
        failed = errno;
    if (failed == 0) {
        (void)setsockopt(connection->source.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        connection->state = RELAY_OPEN;
        relay_breaks(connection, true);
        relay_write(connection);
        return;
    }
    loop_unwatch(connection->relay->loop, &connection->source);
    (void)gb_close(connection->source.fd);
    failed = -failed;
    if (failed == -ECONNREFUSED && !connection->is_v6) {
        connection->is_v6 = true;
        failed = relay_dial(connection);
        if (failed == 0)
            return;
    }
    connection->state = RELAY_HELD; /* without a socket */
    why = relay_why_not(failed);
    gb_mux_reset(connection->stream, &why);
    relay_free(connection);
}

int relay_enter(struct relay *relay, struct gb_mux_stream *stream, struct gb_bytes params,
                struct gb_err *err)
{
    struct gb_forward wanted;
    struct relay_connection *connection;
    int r = gb_fields_decode(&gb_forward_fields, params, &wanted, err);

    if (r == 0 && (wanted.port == 0 || wanted.port > UINT16_MAX))
        r = gb_err_set(err, GB_EINTERNAL, "FORWARD: the port %u", wanted.port);
    if (r < 0)
        return r;
    if (relay->count == RELAY_CONNECTIONS_MAX) {
        (void)gb_err_set(err, GB_EBUSY, "the guest's network has %u connections already",
                         relay->count);
        return 1;
    }
    connection = relay_new(relay);
    connection->port = (uint16_t)wanted.port;
    r = relay_dial_either(connection);
    if (r < 0) {
        *err = relay_why_not(r);
        relay_free(connection);
        return 1;
    }
    connection->state = RELAY_ENTERING;
    connection->stream = stream;
    stream->user = connection;
    return 0;
}

/* ---- an open connection ---- */

/* Which events to wait for: room for data from the host; data from the program, unless some already
 * waits for the stream's turn, because the kernel would report the same again and again. */
static void relay_watch(struct relay_connection *connection)
{
    const struct gb_mux_stream *stream = connection->stream;
    uint32_t events = connection->out.size > 0 ? EPOLLOUT : 0;

    if (stream != NULL && stream->ours_open && !stream->wants)
        events |= EPOLLIN;
    if (events == 0)
        loop_unwatch(connection->relay->loop, &connection->source);
    else if (loop_watch(connection->relay->loop, &connection->source, events) < 0)
        relay_give_up(connection);
}

/* Writes data from the host. May free the connection. */
static void relay_write(struct relay_connection *connection)
{
    while (connection->out.size > 0) {
        ssize_t n = send(connection->source.fd, gb_buf_data(&connection->out), connection->out.size,
                         MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            relay_give_up(connection);
            return;
        }
        gb_buf_consume(&connection->out, (size_t)n);
        if (connection->stream != NULL)
            gb_mux_consume(connection->stream, (size_t)n);
    }
    if (connection->out.size == 0 && connection->host_done && !connection->told) {
        (void)shutdown(connection->source.fd, SHUT_WR); /* fails if the program has closed it */
        connection->told = true;
    }
    if (connection->out.size == 0 && connection->stream == NULL) {
        relay_breaks(connection, false); /* both have ended it */
        relay_free(connection);
    } else {
        relay_watch(connection);
    }
}

static void relay_ready(struct source *source)
{
    struct relay_connection *connection = container_of(source, struct relay_connection, source);

    if (connection->state == RELAY_ENTERING) {
        relay_entered(connection);
        return;
    }
    if (connection->stream != NULL && connection->stream->ours_open &&
        (source->revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        gb_mux_want(connection->stream, true);
    relay_write(connection);
}

/* Forwards the program's data, or its end of file, to the host. */
void relay_fill(struct relay *relay, struct gb_mux_stream *stream)
{
    struct relay_connection *connection = stream->user;
    size_t room = gb_mux_room(stream);
    uint8_t *to = gb_mux_send_begin(stream, room);
    ssize_t n = to == NULL ? -1 : recv(connection->source.fd, to, room, MSG_DONTWAIT);

    (void)relay;
    if (n > 0) {
        gb_mux_send_end(stream, (size_t)n, true);
        return;
    }
    if (n == 0) {
        if (gb_mux_shut(stream, NULL))
            connection->stream = NULL;
        relay_write(connection);
    } else if (to != NULL && (errno == EAGAIN || errno == EINTR)) {
        gb_mux_want(stream, false);
        relay_watch(connection);
    } else {
        relay_give_up(connection);
    }
}

/* ---- what the host says ---- */

static void relay_send_packet(const struct relay *relay, const uint8_t *packet, size_t size,
                              uint32_t to)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(to)};

    /* A lost packet is retransmitted, as usual. */
    (void)sendto(relay->out_fd, packet, size, 0, (const struct sockaddr *)&address,
                 sizeof(address));
}

static void relay_grant(struct relay_connection *connection)
{
    packet_grant(connection->packet, connection->packet_size);
    relay_send_packet(connection->relay, connection->packet, connection->packet_size,
                      connection->syn.destination);
}

/* Tells the program at @to why not. For a time-out the kernel's own timer does that. */
static void relay_send_refusal(const struct relay *relay, struct gb_bytes syn, uint32_t to,
                               uint8_t answer)
{
    uint8_t packet[PACKET_ANSWER_MAX];
    size_t size = 0;

    if (answer == GB_CONNECT_REFUSED)
        size = packet_refuse(syn, packet);
    else if (answer == GB_CONNECT_UNREACHABLE)
        size = packet_unreachable(syn, packet);
    if (size > 0)
        relay_send_packet(relay, packet, size, to);
}

static void relay_refuse(struct relay_connection *connection, uint8_t answer)
{
    relay_send_refusal(connection->relay,
                       (struct gb_bytes){connection->packet, connection->packet_size},
                       connection->syn.source, answer);
    relay_give_up(connection);
}

static void relay_answered(struct relay_connection *connection, uint8_t answer)
{
    struct relay *relay = connection->relay;

    if (answer != GB_CONNECTED) {
        relay_refuse(connection, answer);
        return;
    }
    connection->state = RELAY_GRANTED;
    connection->granted_ns = gb_clock_mono_ns();
    relay_grant(connection);
    if (!deadline_is_set(&relay->sweep))
        deadline_set(relay->loop, &relay->sweep,
                     connection->granted_ns + ACCEPT_WAIT_S * GB_NS_PER_S);
}

int relay_data(struct relay *relay, struct gb_mux_stream *stream, struct gb_bytes bytes,
               struct gb_err *err)
{
    struct relay_connection *connection = stream->user;

    (void)relay;
    (void)err;
    if (connection->state == RELAY_HELD) {
        uint8_t answer = bytes.data[0];

        gb_mux_consume(stream, 1);
        bytes.data++;
        bytes.size--;
        if (answer != GB_CONNECTED)
            bytes.size = 0;
        relay_answered(connection, answer);
    }
    if (bytes.size == 0)
        return 0;
    gb_buf_add(&connection->out, bytes.data, bytes.size);
    if (connection->state == RELAY_OPEN)
        relay_write(connection);
    return 0;
}

void relay_shut(struct relay *relay, struct gb_mux_stream *stream)
{
    struct relay_connection *connection = stream->user;

    (void)relay;
    if (connection->state == RELAY_HELD) {
        relay_give_up(connection);
        return;
    }
    connection->host_done = true;
    if (connection->state == RELAY_OPEN)
        relay_write(connection);
}

void relay_ended(struct relay *relay, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct relay_connection *connection = stream->user;

    (void)relay;
    connection->stream = NULL;
    if (why != NULL || connection->state != RELAY_OPEN)
        relay_free(connection);
    else
        relay_write(connection);
}

/* ---- what programs do ---- */

static bool relay_is_of(const struct relay_connection *connection, const struct packet_syn *syn)
{
    return connection->state < RELAY_ENTERING && connection->syn.source == syn->source &&
           connection->syn.source_port == syn->source_port &&
           connection->syn.destination == syn->destination &&
           connection->syn.destination_port == syn->destination_port;
}

static struct relay_connection *relay_find(struct relay *relay, const struct packet_syn *syn)
{
    struct relay_connection *connection;

    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed is in no list any more */
    GB_LIST_FOREACH(connection, &relay->connections, link) {
        if (relay_is_of(connection, syn))
            return connection;
    }
    return NULL;
}

/* A retransmitted SYN, while the host decides, has the same number; another number means another
 * connection from the same port. */
static void relay_on_syn(struct relay *relay, struct gb_bytes packet, const struct packet_syn *syn)
{
    struct relay_connection *connection = relay_find(relay, syn);
    const struct gb_connect message = {
        .address = syn->destination, .port = syn->destination_port, .uid = NOBODY};
    struct gb_mux_stream *stream;

    if (relay->off) {
        relay_send_refusal(relay, packet, syn->source, GB_CONNECT_UNREACHABLE);
        return;
    }
    if (connection != NULL && connection->syn.sequence == syn->sequence) {
        if (connection->state == RELAY_GRANTED)
            relay_grant(connection);
        return;
    }
    if (connection != NULL)
        relay_give_up(connection);
    if (relay->count == RELAY_CONNECTIONS_MAX)
        return; /* it will be retransmitted */
    stream = gb_mux_open(relay->mux, GB_STREAM_CONNECT, 0, &message);
    if (stream == NULL)
        return; /* likewise */
    connection = relay_new(relay);
    connection->stream = stream;
    connection->syn = *syn;
    connection->packet_size = packet.size;
    memcpy(connection->packet, packet.data, packet.size);
    stream->user = connection;
}

static void relay_syns_ready(struct source *source)
{
    struct relay *relay = container_of(source, struct relay, syns);
    uint8_t packet[PACKET_SYN_MAX + 1];

    for (int i = 0; i < BATCH; i++) {
        struct packet_syn syn;
        ssize_t n = recv(source->fd, packet, sizeof(packet), 0);

        if (n < 0)
            return;
        if (packet_read_syn((struct gb_bytes){packet, (size_t)n}, &syn) == 0)
            relay_on_syn(relay, (struct gb_bytes){packet, (size_t)n}, &syn);
    }
}

/* The connection being accepted; it is identified by the numbers of its SYN. */
static struct relay_connection *relay_accepted(struct relay *relay, int fd,
                                               const struct sockaddr_in *from)
{
    struct sockaddr_in to = {0};
    socklen_t size = sizeof(to);
    struct relay_connection *connection;
    struct packet_syn syn;

    if (getsockname(fd, (struct sockaddr *)&to, &size) < 0)
        return NULL;
    syn = (struct packet_syn){.source = ntohl(from->sin_addr.s_addr),
                              .source_port = ntohs(from->sin_port),
                              .destination = ntohl(to.sin_addr.s_addr),
                              .destination_port = ntohs(to.sin_port)};
    connection = relay_find(relay, &syn);
    return connection != NULL && connection->state == RELAY_GRANTED ? connection : NULL;
}

/* What says that nothing can be accepted at present, and not that one connection was broken. */
static bool relay_lacks_room(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void relay_accept(struct relay *relay)
{
    const int on = 1;

    for (int i = 0; i < BATCH; i++) {
        struct sockaddr_in from = {0};
        socklen_t size = sizeof(from);
        int fd = accept4(relay->listener.fd, (struct sockaddr *)&from, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct relay_connection *connection;

        if (fd < 0 && relay_lacks_room(errno))
            relay_stop_listening(relay);
        if (fd < 0)
            return;
        connection = relay_accepted(relay, fd, &from);
        if (connection == NULL) {
            (void)gb_close(fd); /* it was not granted: a program has set the mark itself */
            continue;
        }
        /* The filter is inherited from the listener, and no longer needed. */
        (void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        connection->state = RELAY_OPEN;
        connection->source = (struct source){.fd = fd, .rank = RANK_PIPE, .ready = relay_ready};
        relay_breaks(connection, true);
        relay_write(connection);
    }
}

static void relay_listener_ready(struct source *source)
{
    relay_accept(container_of(source, struct relay, listener));
}

void relay_turn(struct relay *relay, bool on)
{
    struct relay_connection *connection;

    relay->off = !on;
    if (on)
        return;
    /* What was granted is broken like any other that is open. */
    for (int i = 0; i < RELAY_CONNECTIONS_MAX / BATCH; i++)
        relay_accept(relay);
    GB_LIST_FOREACH(connection, &relay->connections, link) {
        if (connection->state < RELAY_ENTERING)
            relay_refuse(connection, GB_CONNECT_UNREACHABLE);
        else if (connection->port == 0) /* a program's */
            relay_give_up(connection);
    }
}

static void relay_sweep(struct deadline *deadline)
{
    struct relay *relay = container_of(deadline, struct relay, sweep);
    struct relay_connection *connection;
    uint64_t now = gb_clock_mono_ns(), earliest = UINT64_MAX;

    GB_LIST_FOREACH(connection, &relay->connections, link) {
        uint64_t end = connection->granted_ns + ACCEPT_WAIT_S * GB_NS_PER_S;

        if (connection->state != RELAY_GRANTED)
            continue;
        if (end <= now)
            relay_give_up(connection);
        else
            earliest = MIN(earliest, end);
    }
    if (earliest != UINT64_MAX)
        deadline_set(relay->loop, &relay->sweep, earliest);
}

int relay_init(struct relay *relay, struct loop *loop, struct gb_mux *mux,
               const struct capture *capture)
{
    int r;

    *relay = (struct relay){.loop = loop, .mux = mux, .out_fd = capture->out};
    gb_list_init(&relay->connections);
    deadline_init(&relay->sweep, relay_sweep);
    deadline_init(&relay->again, relay_listen_again);
    relay->syns =
        (struct source){.fd = capture->syns, .rank = RANK_PIPE, .ready = relay_syns_ready};
    relay->listener = (struct source){
        .fd = capture->listener, .rank = RANK_CHANNEL, .ready = relay_listener_ready};
    r = loop_watch(loop, &relay->syns, EPOLLIN);
    return r < 0 ? r : loop_watch(loop, &relay->listener, EPOLLIN);
}
