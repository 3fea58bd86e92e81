/* SPDX-License-Identifier: Apache-2.0 */
#include "ports.h"

#include <string.h>

#include "base/mem.h"
#include "model/network.h"
#include "rpc/object.h"
#include "server/core/event.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/state.h"
#include "server/network/report.h"
#include "server/network/start.h"
#include "server/network/state.h"

enum { LISTENING_PAUSE_MS = 100 };

static struct gb_port_info ports_info(const struct gb_net_forward *forward)
{
    return (struct gb_port_info){
        .port = forward->port,
        .address = gb_bytes_str(forward->at),
        .open = forward->open,
        .opened = forward->opened,
        .received = forward->received,
        .sent = forward->sent,
    };
}

static bool ports_next(const void *owner, size_t *at, void *ret_item)
{
    struct hosted *hosted = (struct hosted *)(uintptr_t)owner;
    const struct network_session *state = network_state(hosted);
    const struct gb_net_forward *forward =
        state->net == NULL ? NULL : gb_net_forwarded(state->net, *at);

    if (forward == NULL)
        return false;
    *at = forward->number;
    *(struct gb_port_info *)ret_item = ports_info(forward);
    return true;
}

struct gb_items ports_list(struct hosted *hosted)
{
    return (struct gb_items){.next = ports_next, .owner = hosted};
}

/* Tells watchers and the journal that a port was `opened` or `closed`. */
static void ports_tell(struct hosted *hosted, const struct gb_net_forward *forward,
                       const char *what, const char *client)
{
    struct event event;

    report_record(hosted, (struct gb_network_record){.kind = GB_NETWORK_PORT,
                                                     .cell = network_state(hosted)->cell,
                                                     .address = gb_bytes_str(forward->at),
                                                     .port = forward->port,
                                                     .reason = gb_bytes_str(what),
                                                     .client = gb_bytes_str(client)});
    if (!event_begin(&event, hosted->server, "network.port", hosted))
        return;
    gb_json_put_u64(&event.out, "port", forward->port);
    gb_json_put_str(&event.out, "address", forward->at);
    gb_json_put_str(&event.out, "action", what);
    gb_json_put_str(&event.out, "client", client);
    event_end(&event);
}

/* ---- session.port_open ---- */

static int ports_open(struct hosted *hosted, const struct gb_params *params,
                      const struct gb_net_forward **ret_forward, struct gb_err *err)
{
    struct network_session *state = network_state(hosted);
    const struct gb_net_forward_ask ask = {
        .port = (uint16_t)params->port, .path = params->unix_path, .address = params->address};
    struct gb_policy nothing = {0};
    int r = 0;

    if (!hosted->opened)
        return gb_err_set(err, GB_EBUSY, "the session is not open yet");
    if (ask.path.data != NULL && ask.address.data != NULL)
        return gb_err_set(err, GB_EINVALID, "give address or unix, and not both");
    if (state->net == NULL) {
        start_make(hosted, &nothing);
        if (!gb_session_is_asleep(hosted->session))
            r = start_join(hosted, err);
    }
    if (r < 0)
        return r;
    return gb_net_forward(state->net, &ask, ret_forward, err);
}

void ports_handle_open(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    const struct gb_net_forward *forward = NULL;
    struct gb_port_info info;
    struct reply reply;

    if (hosted == NULL || ports_open(hosted, params, &forward, &err) < 0) {
        request_fail(request, &err);
        return;
    }
    ports_tell(hosted, forward, "opened", request->connection->client);
    info = ports_info(forward);
    reply_begin(&reply, request);
    gb_object_write(&reply.out, &gb_port_object, &info);
    reply_end(&reply);
}

/* ---- session.port_close ---- */

static bool ports_is_meant(const struct gb_net_forward *forward, const struct gb_params *params)
{
    return forward->port == params->port &&
           (params->address.data == NULL || gb_bytes_equal(params->address, forward->at));
}

void ports_handle_close(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    struct network_session *state = hosted == NULL ? NULL : network_state(hosted);
    const struct gb_net_forward *forward;
    unsigned count = 0;

    for (uint64_t at = 0; state != NULL && state->net != NULL &&
                          (forward = gb_net_forwarded(state->net, at)) != NULL;) {
        at = forward->number;
        if (!ports_is_meant(forward, params))
            continue;
        ports_tell(hosted, forward, "closed", request->connection->client);
        (void)gb_net_unforward(state->net, at);
        count++;
    }
    if (count > 0) {
        request_ok(request);
        return;
    }
    if (hosted != NULL)
        (void)gb_err_set(&err, GB_ENOTFOUND, "port %lld of the session is not open to this host%s",
                         (long long)params->port,
                         params->address.data != NULL ? " at that address" : "");
    request_fail(request, &err);
}

/* ---- what programs listen on ---- */

static bool ports_next_listening(const void *owner, size_t *at, void *ret_item)
{
    const struct network_listening *listening =
        &network_state((struct hosted *)(uintptr_t)owner)->listening;

    if (*at >= listening->count)
        return false;
    *(struct gb_listening_info *)ret_item =
        (struct gb_listening_info){.port = listening->ports[(*at)++]};
    return true;
}

struct gb_items ports_listening(struct hosted *hosted)
{
    return (struct gb_items){.next = ports_next_listening, .owner = hosted};
}

static bool ports_were_told(const struct network_listening *listening, uint16_t port)
{
    for (unsigned i = 0; i < listening->told_count; i++) {
        if (listening->told[i] == port)
            return true;
    }
    return false;
}

static bool ports_have_changed(const struct network_listening *listening)
{
    return listening->count != listening->told_count ||
           memcmp(listening->ports, listening->told,
                  listening->count * sizeof(listening->ports[0])) != 0;
}

static void ports_tell_listening(struct hosted *hosted)
{
    struct network_listening *listening = &network_state(hosted)->listening;
    struct event event;

    if (event_begin(&event, hosted->server, "network.listening", hosted)) {
        gb_json_array(&event.out, "ports");
        for (unsigned i = 0; i < listening->count; i++)
            gb_json_put_u64(&event.out, NULL, listening->ports[i]);
        gb_json_end(&event.out);
        gb_json_array(&event.out, "began");
        for (unsigned i = 0; i < listening->count; i++) {
            if (!ports_were_told(listening, listening->ports[i]))
                gb_json_put_u64(&event.out, NULL, listening->ports[i]);
        }
        gb_json_end(&event.out);
        event_end(&event);
    }
    memcpy(listening->told, listening->ports, sizeof(listening->told));
    listening->told_count = listening->count;
    gb_timer_start(listening->pause, LISTENING_PAUSE_MS);
}

static void ports_on_pause(void *arg)
{
    struct hosted *hosted = arg;

    if (ports_have_changed(&network_state(hosted)->listening))
        ports_tell_listening(hosted);
}

void ports_on_listening(struct hosted *hosted, const uint16_t *ports, unsigned count)
{
    struct network_listening *listening = &network_state(hosted)->listening;

    memcpy(listening->ports, ports, count * sizeof(*ports));
    listening->count = count;
    if (listening->pause == NULL)
        listening->pause = gb_timer_new(hosted->server->loop, ports_on_pause, hosted);
    if (!gb_timer_active(listening->pause) && ports_have_changed(listening))
        ports_tell_listening(hosted);
}

void ports_release(struct hosted *hosted)
{
    struct network_listening *listening = &network_state(hosted)->listening;

    gb_timer_free(listening->pause);
    listening->pause = NULL;
}
