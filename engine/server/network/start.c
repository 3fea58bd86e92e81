/* SPDX-License-Identifier: Apache-2.0 */
#include "start.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "platform/random.h"
#include "server/core/hosted.h"
#include "server/core/state.h"
#include "server/network/asking.h"
#include "server/network/report.h"
#include "server/network/secrets.h"
#include "server/network/state.h"
#include "session/query.h"
#include "vm/vm.h"

/* A program that has taken over the guest can end its network as often as it likes: so many times
 * it is started again at once, and then once in each period. */
enum { RESTARTS_AT_ONCE = 4, RESTART_PERIOD_MS = 30000 };

static void start_on_failed(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct gb_err violation = *err;

    gb_session_violation(hosted->session, &violation);
}

static void start_on_wanted(void *arg)
{
    struct hosted *hosted = arg;

    gb_session_want(hosted->session);
}

void start_make(struct hosted *hosted, struct gb_policy *policy)
{
    static const struct gb_net_events events = {.opened = report_opened,
                                                .denied = report_denied,
                                                .closed = report_closed,
                                                .visited = report_visited,
                                                .asked = asking_on_asked,
                                                .answered = asking_on_answered,
                                                .diverted = secrets_divert,
                                                .wanted = start_on_wanted,
                                                .failed = start_on_failed};
    const struct gb_settings_sessions *settings = &hosted->server->settings.sessions;
    const struct gb_net_limits limits = {.connections = (unsigned)settings->network_connections,
                                         .bytes = settings->network_bytes,
                                         .names = (unsigned)settings->network_names};
    struct network_session *state = network_state(hosted);

    hosted->networked = true;
    state->net = gb_net_new(hosted->server->loop, policy, &limits, &events, hosted);
    gb_net_set_cell(state->net, state->cell);
}

/* ---- the guest ---- */

static void start_on_answer(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;

    /* Where the VM goes, what was not sent to it expires, and is begun anew. */
    if (err == NULL || hosted->closing || gb_session_is_asleep(hosted->session) ||
        gb_session_is_moving(hosted->session))
        return;
    gb_warning("%s: no network: %s", gb_session_id(hosted->session), err->message);
    hosted_relapse(hosted, err->message);
}

static int start_request(struct hosted *hosted, enum gb_session_network how, const uint8_t *mark,
                         struct gb_err *err)
{
    return gb_session_network(hosted->session, how, mark, start_on_answer, hosted, err);
}

/* @leaves: what was joined before, which stays so if this fails. */
static int start_join_anew(struct hosted *hosted, bool leaves, struct gb_err *err)
{
    struct network_session *state = network_state(hosted);
    struct gb_vm *vm = gb_session_vm(hosted->session);
    uint8_t mark[GB_NET_MARK_BYTES];
    int r;

    if (vm == NULL)
        return gb_err_set(err, GB_ECLOSED, "the VM is gone");
    if (gb_session_is_moving(hosted->session))
        return 0;
    r = gb_random_fill(mark, sizeof(mark));
    if (r < 0)
        return gb_err_sys(err, -r, "cannot get random numbers");
    /* The guest answers later: what it says at its port until then waits there. */
    r = start_request(hosted, state->on ? GB_SESSION_NETWORK_ON : GB_SESSION_NETWORK_START, mark,
                      err);
    if (r < 0)
        return r;
    memcpy(state->mark, mark, sizeof(mark));
    if (leaves)
        gb_net_leave(state->net, "session_rewound", true);
    gb_net_join(state->net, gb_vm_take_network(vm), state->mark);
    return 0;
}

int start_join(struct hosted *hosted, struct gb_err *err)
{
    return start_join_anew(hosted, false, err);
}

int start_turn(struct hosted *hosted, struct gb_err *err)
{
    const struct network_session *state = network_state(hosted);

    return start_request(hosted, state->on ? GB_SESSION_NETWORK_ON : GB_SESSION_NETWORK_OFF,
                         state->mark, err);
}

/* ---- another VM ---- */

static void start_join_or_relapse(struct hosted *hosted)
{
    struct gb_err err = {0};

    if (start_join(hosted, &err) < 0)
        hosted_relapse(hosted, err.message);
}

int start_moved(struct hosted *hosted, struct gb_err *err)
{
    struct network_session *state = network_state(hosted);

    if (state->net == NULL)
        return 0;
    if (state->restart_timer != NULL)
        gb_timer_stop(state->restart_timer);
    if (!gb_session_is_asleep(hosted->session))
        return start_join_anew(hosted, true, err);
    gb_net_leave(state->net, "session_asleep", true);
    return 0;
}

void start_stayed(struct hosted *hosted)
{
    const struct network_session *state = network_state(hosted);

    if (state->net != NULL && !gb_net_is_joined(state->net) &&
        !gb_session_is_asleep(hosted->session))
        start_join_or_relapse(hosted);
}

/* ---- a network that has ended ---- */

static void start_again(void *arg);

/* As soon as that is allowed. */
static void start_again_or_wait(struct hosted *hosted)
{
    static const struct gb_allowance_rate rate = {RESTARTS_AT_ONCE,
                                                  RESTART_PERIOD_MS * GB_NS_PER_MS};
    struct network_session *state = network_state(hosted);

    if (gb_allowance_take(&state->restarts, &rate, gb_clock_mono_ns())) {
        start_join_or_relapse(hosted);
        return;
    }
    if (state->restart_timer == NULL)
        state->restart_timer = gb_timer_new(hosted->server->loop, start_again, hosted);
    gb_timer_start(state->restart_timer, RESTART_PERIOD_MS);
}

/* It may have been joined meanwhile, because another VM did not come: start_stayed(). */
static void start_again(void *arg)
{
    struct hosted *hosted = arg;

    if (!hosted->closing && !gb_net_is_joined(network_state(hosted)->net))
        start_again_or_wait(hosted);
}

void start_lost(struct hosted *hosted)
{
    struct network_session *state = network_state(hosted);

    if (state->net == NULL || !gb_net_is_joined(state->net))
        return;
    gb_warning("%s: the network in its guest has ended by itself", gb_session_id(hosted->session));
    gb_net_leave(state->net, "guest_network_ended", false);
    start_again_or_wait(hosted);
}

void start_release(struct hosted *hosted)
{
    struct network_session *state = network_state(hosted);

    gb_timer_free(state->restart_timer);
    state->restart_timer = NULL;
}
