/* SPDX-License-Identifier: Apache-2.0 */
/* A connection of a guest: a stream of the mux on one side, a socket on the other.
 *
 *   opened ── no rule ──> the guest is told (REFUSED and the like), and the stream ends
 *      ├── the rule says to ask: it waits (question.c); then no ──> likewise, yes: dial
 *      └── dial ── fails ──> likewise
 *             └── connected: the guest is told, and bytes go both ways (splice.c); what the
 *                 guest sends first is checked against the name */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/hello.h"
#include "net/internal.h"

struct net_link {
    struct gb_list link;
    struct gb_net *net;
    struct net_splice splice; /* its socket: the host's, or a pipe to what stands in between */
    char name[GB_HOST_NAME_MAX + 1]; /* "": connected to an address */
    uint32_t address;                /* that the guest connected to */
    uint16_t port;
    struct net_waiter waiter;
    uint32_t cell;
    unsigned line; /* the rule's */
    char rule[NET_RULE_TEXT];
    char dialled[GB_ADDRESS_TEXT]; /* "": not yet */
    enum gb_policy_mode mode;
    struct gb_dial *dial;
    bool shut_wanted, checked;
    uint64_t number, opened_ns;
    struct gb_buf first; /* what the guest has sent, until it is known to be for the right name */
    struct gb_http http;
};

static const struct gb_err link_broken = {.code = GB_EINTERNAL,
                                          .message = "the connection is broken"};

static bool link_has_tls(const struct net_link *link)
{
    return link->mode == GB_POLICY_TLS || link->mode == GB_POLICY_INSPECT;
}

/* ---- news ---- */

static struct gb_net_news link_news(const struct net_link *link, char address[GB_ADDRESS_TEXT])
{
    const struct gb_address literal = gb_address_from_v4(link->address);

    if (link->dialled[0] != '\0')
        memcpy(address, link->dialled, GB_ADDRESS_TEXT);
    else
        gb_address_format(&literal, address);
    return (struct gb_net_news){
        .number = link->number,
        .name = link->name[0] != '\0' ? link->name : NULL,
        .address = link->name[0] != '\0' && link->dialled[0] == '\0' ? NULL : address,
        .port = link->port,
        .cell = link->cell,
        .opened = link->opened_ns > 0,
        .inspected = link->mode == GB_POLICY_INSPECT,
        .rule = link->rule[0] != '\0' ? link->rule : NULL,
        .line = link->line,
        .received = link->splice.received,
        .sent = link->splice.sent,
        .duration_ns = link->opened_ns > 0 ? gb_clock_mono_ns() - link->opened_ns : 0,
    };
}

static void link_tell_denied(struct net_link *link, const char *reason)
{
    char address[GB_ADDRESS_TEXT];
    struct gb_net_news news = link_news(link, address);

    news.reason = reason;
    link->net->figures.denied++;
    link->net->events.denied(link->net->arg, &news);
}

static void link_tell_closed(struct net_link *link, const char *reason)
{
    char address[GB_ADDRESS_TEXT];
    struct gb_net_news news = link_news(link, address);

    news.reason = reason;
    link->net->figures.open--;
    link->net->events.closed(link->net->arg, &news);
}

/* Once for each connection. */
static void link_tell_end(struct net_link *link, const char *reason)
{
    if (link->opened_ns > 0)
        link_tell_closed(link, reason);
    else
        link_tell_denied(link, reason);
}

static bool link_is_spent(const struct net_link *link)
{
    const struct gb_net *net = link->net;

    return net->limits.bytes > 0 && net->figures.received + net->figures.sent >= net->limits.bytes;
}

/* The reason why the session may not have this connection; NULL: it may. */
static const char *link_over_limit(const struct net_link *link)
{
    const struct gb_net *net = link->net;

    if (link_is_spent(link))
        return "too_many_bytes";
    return gb_list_count(&net->links) > net->limits.connections ? "too_many_connections" : NULL;
}

/* ---- end ---- */

static void link_on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void link_close_socket(uv_stream_t *socket, bool reset)
{
    if (socket->type == UV_TCP)
        gb_dial_close((uv_tcp_t *)socket, reset);
    else if (!uv_is_closing((uv_handle_t *)socket))
        uv_close((uv_handle_t *)socket, link_on_closed);
}

static void link_free(struct net_link *link, bool reset)
{
    question_leave(link->net, &link->waiter, "abandoned");
    gb_list_remove(&link->link);
    gb_dial_free(link->dial);
    if (link->splice.socket != NULL) {
        link->splice.socket->data = NULL;
        link_close_socket(link->splice.socket, reset);
    }
    if (link->splice.stream != NULL)
        link->splice.stream->user = NULL;
    gb_buf_release(&link->first);
    gb_http_release(&link->http);
    free(link);
}

/* Breaks both sides. */
static void link_break(struct net_link *link, const char *reason)
{
    if (link->splice.stream != NULL)
        gb_mux_reset(link->splice.stream, &link_broken);
    link->splice.stream = NULL;
    if (link->opened_ns > 0)
        link_tell_closed(link, reason);
    flow_later(link->net);
    link_free(link, true);
}

static void link_on_done(struct net_splice *splice)
{
    struct net_link *link = container_of(splice, struct net_link, splice);

    link_tell_closed(link, NULL);
    link_free(link, false);
}

/* Tells the guest the result, and ends the stream. */
static void link_refuse(struct net_link *link, enum gb_connected answer)
{
    const uint8_t byte = (uint8_t)answer;

    gb_mux_send(link->splice.stream, (struct gb_bytes){&byte, 1}, false);
    (void)gb_mux_shut(link->splice.stream, NULL); /* the guest's half is still open */
    flow_later(link->net);
    link_free(link, false);
}

/* The guest's program sees a connection reset. */
static void link_deny(struct net_link *link, const char *reason)
{
    link_tell_denied(link, reason);
    link_break(link, reason);
}

/* ---- bytes ---- */

static bool link_may_receive(struct net_splice *splice)
{
    struct net_link *link = container_of(splice, struct net_link, splice);

    if (!link_is_spent(link))
        return true;
    link_deny(link, "too_many_bytes");
    return false;
}

static void link_on_broken(struct net_splice *splice)
{
    link_break(container_of(splice, struct net_link, splice), "reset");
}

static const struct net_splice_events link_splice_events = {
    .may_receive = link_may_receive, .broken = link_on_broken, .done = link_on_done};

void link_fill(struct gb_mux_stream *stream)
{
    struct net_link *link = stream->user;

    gb_mux_want(stream, false);
    if (link != NULL)
        splice_read(&link->splice);
}

static void link_check_hello(struct net_link *link, struct gb_bytes bytes)
{
    _cleanup_(gb_buf_release) struct gb_buf first = {0};
    char name[GB_HOST_NAME_MAX + 1];

    gb_buf_add(&link->first, bytes.data, bytes.size);
    switch (gb_hello_read(gb_buf_bytes(&link->first), name)) {
    case GB_HELLO_MORE:
        return;
    case GB_HELLO_BAD:
        link_deny(link, "not_tls");
        return;
    case GB_HELLO_UNNAMED:
        link_deny(link, "no_server_name");
        return;
    case GB_HELLO_NAMED:
        break;
    }
    if (strcmp(name, link->name) != 0) {
        link_deny(link, "other_server_name");
        return;
    }
    link->checked = true;
    first = link->first;
    link->first = (struct gb_buf){0};
    splice_write(&link->splice, gb_buf_bytes(&first), first.size);
}

static void link_check_http(struct net_link *link, struct gb_bytes bytes)
{
    _cleanup_(gb_buf_release) struct gb_buf pass = {0};

    if (!gb_http_feed(&link->http, bytes, &pass)) {
        link_deny(link, "other_host");
        return;
    }
    /* Data waiting for the end of a head is bounded there, so credit is granted immediately. */
    if (pass.size == 0)
        splice_grant(&link->splice, bytes.size);
    else
        splice_write(&link->splice, gb_buf_bytes(&pass), bytes.size);
}

int link_data(struct gb_mux_stream *stream, struct gb_bytes bytes)
{
    struct net_link *link = stream->user;

    if (link == NULL || link->splice.socket == NULL)
        gb_mux_consume(stream, bytes.size); /* for a connection that does not exist */
    else if (link_is_spent(link))
        link_deny(link, "too_many_bytes");
    else if (link_has_tls(link) && !link->checked)
        link_check_hello(link, bytes);
    else if (link->mode == GB_POLICY_HTTP)
        link_check_http(link, bytes);
    else
        splice_write(&link->splice, bytes, bytes.size);
    return 0;
}

void link_shut(struct gb_mux_stream *stream)
{
    struct net_link *link = stream->user;

    if (link == NULL)
        return;
    if (link->splice.socket == NULL)
        link->shut_wanted = true;
    else
        splice_shut(&link->splice);
}

void link_ended(struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct net_link *link = stream->user;

    if (link == NULL)
        return;
    link->splice.stream = NULL;
    if (link->splice.socket == NULL)
        link_tell_denied(link, "abandoned");
    if (why != NULL || link->splice.socket == NULL)
        link_break(link, why != NULL ? "reset" : NULL);
    else
        splice_ended(&link->splice);
}

/* ---- beginning ---- */

/* Puts what stands in between, if anything, in the place of the socket. False: refused. */
static bool link_divert(struct net_link *link, const struct gb_net_news *news)
{
    uv_pipe_t *pipe;
    uv_os_fd_t socket;
    int fd;

    if (!link_has_tls(link))
        return true;
    fd = link->net->events.diverted == NULL ||
                 uv_fileno((const uv_handle_t *)link->splice.socket, &socket) < 0
             ? GB_NET_STRAIGHT
             : link->net->events.diverted(link->net->arg, news, socket);
    if (fd < 0)
        return fd == GB_NET_STRAIGHT && !news->inspected;
    pipe = xcalloc(1, sizeof(*pipe));
    (void)uv_pipe_init(gb_loop_uv(link->net->loop), pipe, 0);
    link_close_socket(link->splice.socket, false);
    link->splice.socket = (uv_stream_t *)pipe;
    if (uv_pipe_open(pipe, fd) == 0)
        return true;
    (void)close(fd);
    return false;
}

static void link_on_dialled(void *arg, const struct gb_dial_result *result)
{
    struct net_link *link = arg;
    const uint8_t connected = GB_CONNECTED;
    char address[GB_ADDRESS_TEXT];
    struct gb_net_news news;

    gb_dial_free(TAKE_PTR(link->dial));
    if (result->socket == NULL) {
        link_tell_denied(link, result->why);
        link_refuse(link, result->answer);
        return;
    }
    link->splice.socket = (uv_stream_t *)result->socket;
    gb_address_format(&result->address, link->dialled);
    news = link_news(link, address);
    if (!link_divert(link, &news)) {
        link_tell_denied(link, "no_edge");
        link_refuse(link, GB_CONNECT_UNREACHABLE);
        return;
    }
    link->splice.socket->data = &link->splice;
    link->opened_ns = gb_clock_mono_ns();
    link->net->figures.opened++;
    link->net->figures.open++;
    news = link_news(link, address);
    link->net->events.opened(link->net->arg, &news);
    gb_mux_send(link->splice.stream, (struct gb_bytes){&connected, 1}, false);
    flow_later(link->net);
    if (link->shut_wanted)
        splice_shut(&link->splice);
    splice_read(&link->splice);
}

static void link_take_rule(struct net_link *link, const struct gb_policy_rule *rule)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    size_t size;

    gb_policy_write_rule(rule, &text);
    size = MIN(text.size - 1, sizeof(link->rule) - 1); /* without the newline */
    memcpy(link->rule, gb_buf_data(&text), size);
    link->rule[size] = '\0';
    link->line = rule->line;
}

static void link_dial(struct net_link *link, const struct gb_policy_rule *rule)
{
    const struct gb_address literal = gb_address_from_v4(link->address);
    const struct gb_policy_place *place = gb_policy_place(&link->net->policy, link->name);
    struct gb_dial_target target = {.port = link->port, .is_private = rule->is_private};

    if (link->name[0] == '\0') {
        target.addresses = &literal;
        target.count = 1;
    } else if (place != NULL) {
        target.addresses = place->addresses;
        target.count = place->count;
    } else {
        target.name = link->name;
    }
    link->dial = gb_dial_new(link->net->loop, &target, link_on_dialled, link);
}

static void link_begin(struct net_link *link, const struct gb_policy_rule *rule)
{
    link_take_rule(link, rule);
    link->mode = link->name[0] != '\0' ? gb_policy_mode(rule, link->port) : GB_POLICY_TCP;
    link_dial(link, rule);
}

static void link_answered(struct net_waiter *waiter, bool allow, const char *reason)
{
    struct net_link *link = container_of(waiter, struct net_link, waiter);
    const char *name;
    const struct gb_policy_rule *rule = flow_rule(link->net, link->address, link->port, &name);

    if (allow && rule != NULL) {
        link_begin(link, rule);
        return;
    }
    link_tell_denied(link, reason);
    link_refuse(link, GB_CONNECT_UNREACHABLE);
}

static void link_ask(struct net_link *link, const struct gb_policy_rule *rule)
{
    char address[GB_ADDRESS_TEXT];
    struct gb_net_news news;
    const char *why;

    link_take_rule(link, rule);
    news = link_news(link, address);
    link->waiter.answered = link_answered;
    why = question_join(link->net, &link->waiter, &news, rule);
    if (why == NULL)
        return;
    link_tell_denied(link, why);
    link_refuse(link, GB_CONNECT_UNREACHABLE);
}

int link_opened(struct gb_net *net, struct gb_mux_stream *stream, struct gb_bytes params,
                struct gb_err *err)
{
    const struct gb_policy_rule *rule;
    struct gb_connect wanted;
    struct net_link *link;
    const char *name, *why;
    int r = gb_fields_decode(&gb_connect_fields, params, &wanted, err);

    if (r == 0 && (wanted.port == 0 || wanted.port > UINT16_MAX))
        r = gb_err_set(err, GB_EINTERNAL, "CONNECT: the port %u", wanted.port);
    if (r < 0)
        return r;
    link = xcalloc(1, sizeof(*link));
    link->net = net;
    link->splice = (struct net_splice){.net = net,
                                       .stream = stream,
                                       .events = &link_splice_events,
                                       .all_received = &net->figures.received,
                                       .all_sent = &net->figures.sent};
    link->address = wanted.address;
    link->port = (uint16_t)wanted.port;
    link->number = ++net->numbered;
    link->cell = net->cell;
    gb_list_add_tail(&net->links, &link->link);
    stream->user = link;
    rule = flow_rule(net, link->address, link->port, &name);
    if (name != NULL)
        memcpy(link->name, name, strlen(name) + 1);
    if (rule == NULL) {
        link_tell_denied(link, gb_synth_is(link->address) && name == NULL ? "no_name" : "no_rule");
        link_refuse(link, GB_CONNECT_UNREACHABLE);
        return 0;
    }
    memcpy(link->http.name, link->name, sizeof(link->name));
    link->http.port = link->port;
    why = link_over_limit(link);
    if (why != NULL) {
        link_tell_denied(link, why);
        link_refuse(link, GB_CONNECT_UNREACHABLE);
        return 0;
    }
    if (rule->ask)
        link_ask(link, rule);
    else
        link_begin(link, rule);
    return 0;
}

/* The policy has changed while it waits. */
static void link_check_waiting(struct net_link *link, const struct gb_policy_rule *rule)
{
    if (rule != NULL && rule->ask)
        return;
    question_leave(link->net, &link->waiter, "rules");
    if (rule != NULL) {
        link_begin(link, rule);
        return;
    }
    link_tell_denied(link, "no_rule");
    link_refuse(link, GB_CONNECT_UNREACHABLE);
}

void link_end_all(struct gb_net *net, const char *reason, bool finishing)
{
    struct net_link *link;

    GB_LIST_FOREACH(link, &net->links, link) {
        if (link->splice.stream == NULL && !finishing)
            continue;
        question_leave(net, &link->waiter, reason);
        link_tell_end(link, reason);
        link_free(link, true);
    }
}

void link_check_all(struct gb_net *net)
{
    struct net_link *link;

    GB_LIST_FOREACH(link, &net->links, link) {
        const char *name;
        const struct gb_policy_rule *rule = flow_rule(net, link->address, link->port, &name);

        if (link->waiter.question != NULL) {
            link_check_waiting(link, rule);
        } else if (rule == NULL && (link->splice.socket != NULL || link->dial == NULL)) {
            link_break(link, "no_rule");
        } else if (rule == NULL) {
            link_tell_denied(link, "no_rule");
            link_refuse(link, GB_CONNECT_UNREACHABLE);
        }
    }
}
