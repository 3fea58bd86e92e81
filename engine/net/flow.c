/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the conversation and connections: sending, and rule lookup. */
#include "net/internal.h"

/* ---- sending ---- */

void flow_run(struct gb_net *net)
{
    size_t queued;

    if (!net->joined || net->stands || net->sync.left > 0)
        return;
    queued = gb_stream_queued(net->port) + net->out.size;
    if (queued < NET_QUEUE_HIGH)
        gb_mux_run(&net->mux, NET_QUEUE_HIGH - queued);
    gb_stream_send_buf(net->port, &net->out);
}

static void flow_on_flush(void *arg)
{
    flow_run(arg);
}

void flow_later(struct gb_net *net)
{
    gb_loop_defer(net->loop, &net->flush, flow_on_flush, net);
}

/* ---- rules ---- */

const struct gb_policy_rule *flow_rule(const struct gb_net *net, uint32_t address, uint16_t port,
                                       const char **ret_name)
{
    const struct gb_address literal = gb_address_from_v4(address);

    *ret_name = NULL;
    if (!gb_synth_is(address))
        return gb_policy_allows_address(&net->policy, &literal, port);
    *ret_name = gb_synth_name(&net->synth, address);
    return *ret_name == NULL ? NULL : gb_policy_allows_name(&net->policy, *ret_name, port);
}
