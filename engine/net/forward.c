/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the guest to which sockets of this host lead.
 *
 * A forward listens; a client that connects is a visitor, with a stream to the guest, which
 * connects to the port on its side:
 *
 *   accepted ── the guest resets the stream: nobody listens there ──> the client is reset
 *      └── bytes go both ways (splice.c), and each half ends by itself
 *
 * When GB_NET_VISITORS_MAX are connected, or there is no conversation with the guest, libuv keeps
 * the next client and stops polling the listening socket until it is accepted; those after it wait
 * in the kernel's backlog. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "net/internal.h"
#include "platform/socket.h"

enum {
    FORWARD_BACKLOG = 128,
    FORWARD_MODE = 0600,
    LOOPBACK_NET = 127,
};

/* Closing a handle frees it. */
union forward_handle {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct net_forward {
    struct gb_list link, visitors;
    struct gb_net *net;
    struct gb_net_forward what;
    union forward_handle *server;
    dev_t device; /* of the socket's file */
    ino_t inode;  /* 0: there is none */
    bool waiting; /* a client waits to be accepted */
};

struct net_visitor {
    struct gb_list link;
    struct net_forward *forward;
    union forward_handle *client;
    struct net_splice splice; /* its socket: the client's */
    uint64_t number, opened_ns;
};

static const struct gb_err visitor_gone = {.code = GB_EINTERNAL,
                                           .message = "the connection is broken"};

static void forward_accept(struct net_forward *forward);

/* ---- handles ---- */

static void forward_on_closed(uv_handle_t *handle)
{
    free(handle);
}

static union forward_handle *forward_handle_new(struct gb_net *net, bool is_local, void *data)
{
    union forward_handle *handle = xcalloc(1, sizeof(*handle));

    if (is_local)
        (void)uv_pipe_init(gb_loop_uv(net->loop), &handle->pipe, 0); /* never fails */
    else
        (void)uv_tcp_init(gb_loop_uv(net->loop), &handle->tcp); /* likewise, without a family */
    handle->any.data = data;
    return handle;
}

static void forward_handle_close(union forward_handle *handle, bool reset)
{
    handle->any.data = NULL;
    if (handle->any.type != UV_TCP || !reset ||
        uv_tcp_close_reset(&handle->tcp, forward_on_closed) < 0)
        uv_close(&handle->any, forward_on_closed);
}

/* ---- a visitor's end ---- */

static void visitor_free(struct net_visitor *visitor, const char *reason)
{
    struct net_forward *forward = visitor->forward;
    struct gb_net *net = forward->net;
    const struct gb_net_news news = {
        .number = visitor->number,
        .address = forward->what.at,
        .port = forward->what.port,
        .opened = true,
        .reason = reason,
        .received = visitor->splice.received,
        .sent = visitor->splice.sent,
        .duration_ns = gb_clock_mono_ns() - visitor->opened_ns,
    };

    net->events.visited(net->arg, &news);
    gb_list_remove(&visitor->link);
    forward->what.open--;
    net->visitors--;
    forward_handle_close(visitor->client, reason != NULL);
    if (visitor->splice.stream != NULL)
        gb_mux_reset(visitor->splice.stream, &visitor_gone);
    free(visitor);
    flow_later(net);
}

static bool forward_has_room(const struct gb_net *net)
{
    return net->joined && net->visitors < GB_NET_VISITORS_MAX;
}

void forward_go_on(struct gb_net *net)
{
    struct net_forward *forward;

    GB_LIST_FOREACH(forward, &net->forwards, link) {
        if (forward->waiting && forward_has_room(net))
            forward_accept(forward);
    }
}

static void visitor_break(struct net_visitor *visitor, const char *reason)
{
    struct gb_net *net = visitor->forward->net;

    visitor_free(visitor, reason);
    forward_go_on(net);
}

static void visitor_on_broken(struct net_splice *splice)
{
    visitor_break(container_of(splice, struct net_visitor, splice), "reset");
}

static void visitor_on_done(struct net_splice *splice)
{
    visitor_break(container_of(splice, struct net_visitor, splice), NULL);
}

static const struct net_splice_events visitor_splice_events = {.broken = visitor_on_broken,
                                                               .done = visitor_on_done};

/* ---- bytes ---- */

void forward_fill(struct gb_mux_stream *stream)
{
    struct net_visitor *visitor = stream->user;

    gb_mux_want(stream, false);
    if (visitor != NULL)
        splice_read(&visitor->splice);
}

int forward_data(struct gb_mux_stream *stream, struct gb_bytes bytes)
{
    struct net_visitor *visitor = stream->user;

    /* If it was reset, the mux drops what is still on its way. */
    if (visitor != NULL)
        splice_write(&visitor->splice, bytes, bytes.size);
    return 0;
}

void forward_shut(struct gb_mux_stream *stream)
{
    struct net_visitor *visitor = stream->user;

    if (visitor != NULL)
        splice_shut(&visitor->splice);
}

void forward_ended(struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct net_visitor *visitor = stream->user;

    if (visitor == NULL)
        return;
    if (why == NULL) {
        splice_ended(&visitor->splice);
        return;
    }
    visitor->splice.stream = NULL;
    visitor_break(visitor,
                  why->code == GB_ENOTFOUND && visitor->splice.sent == 0 ? "refused" : "reset");
}

/* ---- a visitor's beginning ---- */

static void forward_accept(struct net_forward *forward)
{
    struct gb_net *net = forward->net;
    const struct gb_forward port = {.port = forward->what.port};
    struct gb_mux_stream *stream = NULL;
    struct net_visitor *visitor;
    bool is_local = forward->server->any.type == UV_NAMED_PIPE;

    forward->waiting = !forward_has_room(net);
    if (forward->waiting) {
        if (!net->joined && net->events.wanted != NULL)
            net->events.wanted(net->arg);
        return;
    }
    visitor = xcalloc(1, sizeof(*visitor));
    visitor->client = forward_handle_new(net, is_local, &visitor->splice);
    /* Accepting first: a client that is not taken would stop the listening socket. */
    if (uv_accept(&forward->server->stream, &visitor->client->stream) == 0)
        stream = gb_mux_open(&net->mux, GB_STREAM_FORWARD, 0, &port);
    if (stream == NULL) {
        forward_handle_close(visitor->client, true);
        free(visitor);
        return;
    }
    if (!is_local)
        (void)uv_tcp_nodelay(&visitor->client->tcp, 1);
    visitor->forward = forward;
    stream->user = visitor;
    visitor->splice = (struct net_splice){.net = net,
                                          .stream = stream,
                                          .socket = &visitor->client->stream,
                                          .events = &visitor_splice_events,
                                          .all_received = &forward->what.received,
                                          .all_sent = &forward->what.sent};
    visitor->number = ++net->numbered;
    visitor->opened_ns = gb_clock_mono_ns();
    forward->what.open++;
    forward->what.opened++;
    net->visitors++;
    gb_list_add_tail(&forward->visitors, &visitor->link);
    flow_later(net);
    splice_read(&visitor->splice);
}

/* Those behind it in the backlog want a conversation anew. */
void gb_net_turn_away(struct gb_net *net)
{
    struct net_forward *forward;

    GB_LIST_FOREACH(forward, &net->forwards, link) {
        union forward_handle *client;

        if (!forward->waiting || net->joined)
            continue;
        forward->waiting = false;
        client = forward_handle_new(net, forward->server->any.type == UV_NAMED_PIPE, NULL);
        (void)uv_accept(&forward->server->stream, &client->stream); /* closed in any case */
        forward_handle_close(client, true);
    }
}

static void forward_on_client(uv_stream_t *server, int status)
{
    if (status == 0 && server->data != NULL)
        forward_accept(server->data);
}

/* ---- forwards ---- */

static int forward_fail(int failed, const char *at, struct gb_err *err)
{
    if (failed == UV_EADDRINUSE)
        return gb_err_set(err, GB_EBUSY, "something is at %s already", at);
    return gb_err_set(err, GB_EINVALID, "cannot listen at %s: %s", at, uv_strerror(failed));
}

/* Where everybody can put another file in the socket's place, clients would connect to that. */
static int forward_check_folder(const char *at, struct gb_err *err)
{
    const size_t size = (size_t)(strrchr(at, '/') - at);
    char folder[GB_NET_FORWARD_TEXT];
    struct stat status;

    (void)snprintf(folder, sizeof(folder), "%.*s", size == 0 ? 1 : (int)size, at);
    if (stat(folder, &status) < 0)
        return forward_fail(uv_translate_sys_error(errno), at, err);
    if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0)
        return gb_err_set(err, GB_EINVALID,
                          "%s can be written by everybody, who could replace the socket: choose "
                          "another folder",
                          folder);
    return 0;
}

/* Binds a socket of its own: libuv would remove whatever is at the path when it closes one.
 * Nobody can connect before listen(), so setting the mode in between is early enough. 0 or one of
 * libuv's errors. */
static int forward_bind_file(struct net_forward *forward)
{
    const char *at = forward->what.at;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_(closep) int fd = gb_socket_new(SOCK_STREAM, true);
    struct stat status;
    int r;

    if (fd < 0)
        return uv_translate_sys_error(-fd);
    memcpy(address.sun_path, at, strlen(at) + 1);
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return uv_translate_sys_error(errno);
    if (lstat(at, &status) < 0)
        return uv_translate_sys_error(errno);
    forward->device = status.st_dev;
    forward->inode = status.st_ino;
    if (chmod(at, FORWARD_MODE) < 0)
        return uv_translate_sys_error(errno);
    r = uv_pipe_open(&forward->server->pipe, fd);
    if (r == 0)
        (void)TAKE_FD(fd);
    return r;
}

/* Only what was put there: somebody may have replaced it. */
static void forward_remove_file(const struct net_forward *forward)
{
    struct stat status;

    if (forward->inode != 0 && lstat(forward->what.at, &status) == 0 && S_ISSOCK(status.st_mode) &&
        status.st_dev == forward->device && status.st_ino == forward->inode)
        (void)unlink(forward->what.at); /* it is of no use any more, but does no harm */
}

static int forward_bind_path(struct net_forward *forward, struct gb_bytes path, struct gb_err *err)
{
    char *at = forward->what.at;
    int r;

    if (path.size >= MIN(sizeof(((struct sockaddr_un *)0)->sun_path), sizeof(forward->what.at)))
        return gb_err_set(err, GB_EINVALID, "the path of a socket has at most %zu bytes",
                          sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
    if (path.data[0] != '/' || memchr(path.data, '\0', path.size) != NULL)
        return gb_err_set(err, GB_EINVALID, "the path of a socket must begin with /");
    memcpy(at, path.data, path.size);
    at[path.size] = '\0';
    r = forward_check_folder(at, err);
    if (r < 0)
        return r;
    forward->server = forward_handle_new(forward->net, true, forward);
    r = forward_bind_file(forward);
    return r < 0 ? forward_fail(r, at, err) : 0;
}

/* "127.0.0.1:8000", "[::1]:8000"; port 0: one that is free. */
static bool forward_parse(struct gb_bytes text, struct sockaddr_storage *ret_address)
{
    static const uint8_t v6_loopback[16] = {[15] = 1};
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
    size_t colon = text.size, begin = text.size > 0 && text.data[0] == '[' ? 1 : 0, end;
    struct gb_address address;
    unsigned port = 0;

    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    end = colon < 1 + 2 * begin ? 0 : colon - 1 - begin;
    if (end <= begin || text.size == colon || text.size - colon > 5 ||
        (begin > 0 && text.data[end] != ']') ||
        !gb_address_parse((struct gb_bytes){text.data + begin, end - begin}, &address) ||
        gb_address_is_v4(&address) == (begin > 0))
        return false;
    for (size_t i = colon; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.data[i] - '0');
    }
    if (port > UINT16_MAX)
        return false;
    *ret_address = (struct sockaddr_storage){0};
    if (begin == 0) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        v4->sin_addr.s_addr = htonl(gb_address_v4(&address));
        return gb_address_v4(&address) >> 24 == LOOPBACK_NET;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    memcpy(&v6->sin6_addr, address.bytes, sizeof(address.bytes));
    return memcmp(address.bytes, v6_loopback, sizeof(v6_loopback)) == 0;
}

/* Where it listens now. */
static int forward_name(struct net_forward *forward)
{
    struct sockaddr_storage address = {0};
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
    int size = sizeof(address);
    bool is_v4;
    char text[INET6_ADDRSTRLEN];
    int r = uv_tcp_getsockname(&forward->server->tcp, (struct sockaddr *)&address, &size);

    if (r < 0)
        return r;
    is_v4 = address.ss_family == AF_INET;
    r = is_v4 ? uv_ip4_name(v4, text, sizeof(text)) : uv_ip6_name(v6, text, sizeof(text));
    (void)snprintf(forward->what.at, sizeof(forward->what.at), is_v4 ? "%s:%u" : "[%s]:%u", text,
                   ntohs(is_v4 ? v4->sin_port : v6->sin6_port));
    return r;
}

static int forward_bind_address(struct net_forward *forward, struct gb_bytes text,
                                struct gb_err *err)
{
    struct sockaddr_storage address;
    char *at = forward->what.at;
    int r;

    if (text.size >= sizeof(forward->what.at) || !forward_parse(text, &address))
        return gb_err_set(err, GB_EINVALID,
                          "an address is 127.0.0.1:PORT or [::1]:PORT: a forwarded port is only "
                          "reachable from this host");
    memcpy(at, text.data, text.size);
    at[text.size] = '\0';
    forward->server = forward_handle_new(forward->net, false, forward);
    r = uv_tcp_bind(&forward->server->tcp, (const struct sockaddr *)&address, 0);
    return r < 0 ? forward_fail(r, at, err) : 0;
}

static void forward_free(struct net_forward *forward)
{
    forward_remove_file(forward);
    if (forward->server != NULL)
        forward_handle_close(forward->server, false);
    gb_list_remove(&forward->link);
    free(forward);
}

static int forward_listen(struct net_forward *forward, const struct gb_net_forward_ask *ask,
                          struct gb_err *err)
{
    struct gb_bytes address = ask->address;
    int r;

    if (address.data == NULL)
        address = gb_bytes_str("127.0.0.1:0");
    r = ask->path.data != NULL ? forward_bind_path(forward, ask->path, err)
                               : forward_bind_address(forward, address, err);
    if (r < 0)
        return r;
    r = uv_listen(&forward->server->stream, FORWARD_BACKLOG, forward_on_client);
    if (r == 0 && ask->path.data == NULL)
        r = forward_name(forward);
    return r < 0 ? forward_fail(r, forward->what.at, err) : 0;
}

int gb_net_forward(struct gb_net *net, const struct gb_net_forward_ask *ask,
                   const struct gb_net_forward **ret_forward, struct gb_err *err)
{
    struct net_forward *forward;
    int r;

    if (gb_list_count(&net->forwards) >= GB_NET_FORWARDS_MAX)
        return gb_err_set(err, GB_EBUSY, "%d ports of the session are forwarded already",
                          GB_NET_FORWARDS_MAX);
    forward = xcalloc(1, sizeof(*forward));
    forward->net = net;
    forward->what.port = ask->port;
    gb_list_init(&forward->visitors);
    gb_list_add_tail(&net->forwards, &forward->link);
    r = forward_listen(forward, ask, err);
    if (r < 0) {
        forward_free(forward);
        return r;
    }
    forward->what.number = ++net->forwards_numbered;
    *ret_forward = &forward->what;
    return 0;
}

static void forward_end_visitors(struct net_forward *forward, const char *reason, bool finishing)
{
    struct net_visitor *visitor;

    GB_LIST_FOREACH(visitor, &forward->visitors, link) {
        if (visitor->splice.stream != NULL || finishing)
            visitor_free(visitor, reason);
    }
}

void forward_break_all(struct gb_net *net, const char *reason, bool finishing)
{
    struct net_forward *forward;

    GB_LIST_FOREACH(forward, &net->forwards, link)
        forward_end_visitors(forward, reason, finishing);
}

bool gb_net_unforward(struct gb_net *net, uint64_t number)
{
    struct net_forward *forward;

    GB_LIST_FOREACH(forward, &net->forwards, link) {
        if (forward->what.number != number)
            continue;
        forward_end_visitors(forward, "port_closed", true);
        gb_list_remove(&forward->link);
        forward_go_on(net);
        forward_free(forward);
        return true;
    }
    return false;
}

const struct gb_net_forward *gb_net_forwarded(const struct gb_net *net, uint64_t after)
{
    const struct net_forward *forward;

    GB_LIST_FOREACH_CONST(forward, &net->forwards, link) {
        if (forward->what.number > after)
            return &forward->what;
    }
    return NULL;
}

void forward_end_all(struct gb_net *net)
{
    struct net_forward *forward;

    GB_LIST_FOREACH(forward, &net->forwards, link) {
        forward_end_visitors(forward, "session_ended", true);
        forward_free(forward);
    }
}
