/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/internal.h"

enum { READ_BYTES = 64 * 1024, TTL_S = 30, TYPE_A = 1 };

/* ---- names ---- */

/* Whether the refusal of this name was reported less than a second ago. A program asks for several
 * types of records, and often again. */
static bool net_was_reported(const struct gb_net *net, const char *name, uint64_t now_ns)
{
    return net->denied_ns > 0 && now_ns - net->denied_ns < GB_NS_PER_S &&
           net->denied_cell == net->cell && strcmp(net->denied_name, name) == 0;
}

static void net_deny_name(struct gb_net *net, const char *name, const char *reason)
{
    const struct gb_net_news news = {.name = name, .reason = reason, .cell = net->cell};
    uint64_t now = gb_clock_mono_ns();

    if (net_was_reported(net, name, now))
        return;
    net->denied_ns = now;
    net->denied_cell = net->cell;
    memcpy(net->denied_name, name, strlen(name) + 1);
    net->figures.denied++;
    net->events.denied(net->arg, &news);
}

/* The guest looks up a name: answered immediately. */
static int net_on_resolve(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                          struct gb_err *err)
{
    struct gb_net *net = arg;
    struct gb_resolve question;
    struct gb_resolve_end end = {.answer = GB_RESOLVED, .ttl_s = TTL_S};
    char name[GB_HOST_NAME_MAX + 1];
    int r = gb_fields_decode(&gb_resolve_fields, params, &question, err);

    if (r < 0)
        return r;
    if (!gb_name_normalise(question.name, name)) {
        end.answer = GB_RESOLVE_NO_NAME;
    } else if (!gb_policy_knows_name(&net->policy, name)) {
        end.answer = GB_RESOLVE_NO_NAME;
        net_deny_name(net, name, "no_rule");
    } else if (question.type == TYPE_A) {
        end.address = gb_synth_address(&net->synth, name, gb_clock_mono_ns());
        if (end.address == 0) {
            end.answer = GB_RESOLVE_NOT_NOW;
            net_deny_name(net, name, "too_many_names");
        }
    }
    (void)gb_mux_shut(stream, &end);
    return 0;
}

/* ---- the port ---- */

static int net_on_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                         struct gb_err *err)
{
    return link_opened(arg, stream, params, err);
}

static void net_on_fill(void *arg, struct gb_mux_stream *stream)
{
    (void)arg;
    link_fill(stream);
}

static int net_on_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                       struct gb_err *err)
{
    (void)arg;
    (void)err;
    return link_data(stream, bytes);
}

static int net_on_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                       struct gb_err *err)
{
    (void)arg;
    (void)word;
    (void)err;
    link_shut(stream);
    return 0;
}

static void net_on_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)arg;
    link_ended(stream, why);
}

static void net_on_forward_fill(void *arg, struct gb_mux_stream *stream)
{
    (void)arg;
    forward_fill(stream);
}

static int net_on_forward_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                               struct gb_err *err)
{
    (void)arg;
    (void)err;
    return forward_data(stream, bytes);
}

static int net_on_forward_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                               struct gb_err *err)
{
    (void)arg;
    (void)word;
    (void)err;
    forward_shut(stream);
    return 0;
}

static void net_on_forward_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)arg;
    forward_ended(stream, why);
}

static const struct gb_mux_kind net_kinds[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_CONNECT] = {.opened = net_on_opened,
                           .fill = net_on_fill,
                           .data = net_on_data,
                           .shut = net_on_shut,
                           .ended = net_on_ended},
    [GB_STREAM_RESOLVE] = {.opened = net_on_resolve},
    [GB_STREAM_FORWARD] = {.fill = net_on_forward_fill,
                           .data = net_on_forward_data,
                           .shut = net_on_forward_shut,
                           .ended = net_on_forward_ended},
};

static void net_fail(struct gb_net *net, const struct gb_err *err)
{
    net->failed = true;
    net->events.failed(net->arg, err);
}

/* If a guest sends requests without reading the answers, stop reading from it. */
static bool net_must_wait(const struct gb_net *net)
{
    return gb_stream_queued(net->port) + net->out.size > NET_ANSWERS_MAX;
}

/* Not before its mark has come: until then another process may read the port. */
static void net_answer_mark(struct gb_net *net)
{
    struct gb_buf mark = {0};

    gb_buf_add(&mark, net->sync.mark, GB_SYNC_BYTES);
    gb_stream_send_buf(net->port, &mark);
    gb_buf_release(&mark);
}

static void net_on_input(void *arg, struct gb_buf *input)
{
    struct gb_net *net = arg;
    struct gb_frame frame;
    struct gb_err err = {0};
    size_t size;
    int r = 0;

    if (!net->joined) {
        gb_buf_clear(input);
        return;
    }
    if (net->sync.left > 0) {
        gb_buf_consume(input, gb_sync_drop(&net->sync, gb_buf_bytes(input)));
        if (net->sync.left > 0)
            return;
        net_answer_mark(net);
    }
    while (!net->failed && !net_must_wait(net) &&
           (r = gb_frame_next(gb_buf_bytes(input), &frame, &size, &err)) == 1) {
        if (!gb_mux_takes(&frame))
            r = gb_err_set(&err, GB_EINTERNAL, "frames of type %u on the network's port",
                           frame.type);
        else
            r = gb_mux_frame(&net->mux, &frame, &err);
        gb_buf_consume(input, size);
        if (r < 0)
            break;
    }
    if (r < 0) {
        net_fail(net, &err);
        return;
    }
    flow_run(net);
    gb_stream_pause(net->port, net->stands || net_must_wait(net));
}

static void net_on_closed(void *arg, int sys_errno)
{
    (void)arg; /* the VM is dying: its owner is notified */
    (void)sys_errno;
}

static void net_on_sent(void *arg, size_t bytes)
{
    struct gb_net *net = arg;

    (void)bytes;
    if (!net->joined || net->stands || gb_stream_queued(net->port) >= NET_QUEUE_LOW)
        return;
    if (gb_mux_is_ready(&net->mux))
        flow_later(net);
    if (!net->failed)
        gb_stream_pause(net->port, false);
}

/* ---- life ---- */

static const struct gb_err net_gone = {.code = GB_ECLOSED, .message = "the network is gone"};

struct gb_net *gb_net_new(struct gb_loop *loop, struct gb_policy *policy,
                          const struct gb_net_limits *limits, const struct gb_net_events *events,
                          void *arg)
{
    struct gb_net *net = xcalloc(1, sizeof(*net));

    net->loop = loop;
    net->policy = *policy;
    *policy = (struct gb_policy){0};
    net->limits = *limits;
    net->synth.most = limits->names;
    net->events = *events;
    net->arg = arg;
    gb_list_init(&net->links);
    gb_list_init(&net->questions);
    gb_list_init(&net->forwards);
    gb_mux_init(&net->mux, GB_SIDE_HOST, net_kinds, net, &net->out);
    return net;
}

void gb_net_take_names(struct gb_net *net, const struct gb_net *origin)
{
    gb_synth_copy(&net->synth, &origin->synth);
}

void gb_net_join(struct gb_net *net, int fd, const uint8_t *mark)
{
    static const struct gb_stream_events port_events = {
        .input = net_on_input, .closed = net_on_closed, .sent = net_on_sent};

    static_assert((int)GB_NET_MARK_BYTES == (int)GB_SYNC_BYTES,
                  "a mark is what both sides drop up to");
    assert(!net->joined && (fd >= 0 || net->port != NULL));
    if (fd >= 0) {
        gb_stream_free(net->port);
        net->port = gb_stream_new(net->loop, fd, READ_BYTES, &port_events, net);
    }
    gb_mux_init(&net->mux, GB_SIDE_HOST, net_kinds, net, &net->out);
    gb_sync_expect(&net->sync, mark);
    net->joined = true;
    net->failed = false;
    gb_stream_pause(net->port, net->stands);
    flow_later(net);
    forward_go_on(net);
}

bool gb_net_is_joined(const struct gb_net *net)
{
    return net->joined;
}

void gb_net_stand(struct gb_net *net, bool stands)
{
    net->stands = stands;
    if (net->port == NULL)
        return;
    gb_stream_pause(net->port, stands || (net->joined && (net->failed || net_must_wait(net))));
    if (net->joined && !stands)
        flow_later(net);
}

void gb_net_leave(struct gb_net *net, const char *reason, bool vm_gone)
{
    if (net->joined) {
        net->joined = false;
        link_end_all(net, reason, false);
        forward_break_all(net, reason, false);
        gb_mux_clear(&net->mux, &net_gone);
        gb_buf_clear(&net->out);
    }
    if (vm_gone) {
        gb_stream_free(net->port);
        net->port = NULL;
    }
}

void gb_net_set_policy(struct gb_net *net, struct gb_policy *policy)
{
    gb_policy_release(&net->policy);
    net->policy = *policy;
    *policy = (struct gb_policy){0};
    link_check_all(net);
    flow_later(net);
}

void gb_net_set_cell(struct gb_net *net, uint32_t cell)
{
    net->cell = cell;
}

const struct gb_policy *gb_net_policy(const struct gb_net *net)
{
    return &net->policy;
}

struct gb_net_figures gb_net_figures(const struct gb_net *net)
{
    return net->figures;
}

void gb_net_end(struct gb_net *net)
{
    link_end_all(net, "session_ended", true);
    forward_end_all(net);
}

void gb_net_free(struct gb_net *net)
{
    if (net == NULL)
        return;
    gb_mux_clear(&net->mux, &net_gone);
    gb_loop_undefer(&net->flush);
    gb_stream_free(net->port);
    gb_buf_release(&net->out);
    gb_policy_release(&net->policy);
    gb_synth_release(&net->synth);
    free(net);
}
