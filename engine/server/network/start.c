/* SPDX-License-Identifier: Apache-2.0 */
#include "start.h"

#include "base/log.h"
#include "base/mem.h"
#include "server/core/hosted.h"
#include "server/core/state.h"
#include "server/network/asking.h"
#include "server/network/report.h"
#include "server/network/secrets.h"
#include "server/network/state.h"
#include "vm/vm.h"

static void start_on_failed(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct gb_err violation = *err;

    gb_session_violation(hosted->session, &violation);
}

static void start_on_answer(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;

    if (err == NULL || hosted->closing)
        return;
    gb_warning("%s: no network: %s", gb_session_id(hosted->session), err->message);
    hosted_close(hosted, GB_END_CRASHED, err->message);
}

int start_request(struct hosted *hosted, enum gb_session_network how, struct gb_err *err)
{
    return gb_session_network(hosted->session, how, start_on_answer, hosted, err);
}

int start_check(struct hosted *hosted, struct gb_err *err)
{
    if (network_state(hosted)->net != NULL)
        return 0;
    if (gb_session_is_held(hosted->session))
        return gb_err_set(err, GB_EBUSY, "a checkpoint of the session is being taken or restored");
    if (gb_session_is_asleep(hosted->session))
        return gb_err_set(err, GB_EBUSY, "the session is asleep: wake it first");
    return 0;
}

int start_network(struct hosted *hosted, enum gb_session_network how, struct gb_err *err)
{
    static const struct gb_net_events events = {.opened = report_opened,
                                                .denied = report_denied,
                                                .closed = report_closed,
                                                .visited = report_visited,
                                                .asked = asking_on_asked,
                                                .answered = asking_on_answered,
                                                .diverted = secrets_divert,
                                                .failed = start_on_failed};
    const struct gb_settings_sessions *settings = &hosted->server->settings.sessions;
    const struct gb_net_limits limits = {.connections = (unsigned)settings->network_connections,
                                         .bytes = settings->network_bytes,
                                         .names = (unsigned)settings->network_names};
    struct network_session *state = network_state(hosted);
    int fd;

    if (state->net == NULL) {
        fd = gb_vm_take_network(gb_session_vm(hosted->session));
        if (fd < 0)
            return gb_err_set(err, GB_ECLOSED, "the VM is gone");
        state->net = gb_net_new(hosted->server->loop, fd, &state->policy, &limits, &events, hosted);
        gb_net_set_cell(state->net, state->cell);
    }
    return start_request(hosted, how, err);
}
