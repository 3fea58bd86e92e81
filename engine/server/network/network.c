/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/cell.h"
#include "model/network.h"
#include "model/session.h"
#include "net/preset.h"
#include "rpc/object.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/state.h"
#include "server/network/ask.h"
#include "server/network/asking.h"
#include "server/network/ports.h"
#include "server/network/report.h"
#include "server/network/secrets.h"
#include "server/network/start.h"
#include "server/network/state.h"

static void network_server_new(struct gb_server *server)
{
    network_server(server)->indexes = gb_indexes_new(server->loop);
}

static void network_server_free(struct gb_server *server)
{
    gb_indexes_free(network_server(server)->indexes);
}

/* A connection's state is split between a process in the guest (netd) and this server: a guest
 * restored to another moment would continue in the middle of frames that were never sent. */
static int network_check_past(struct hosted *hosted, struct gb_err *err)
{
    const struct network_session *state = network_state(hosted);

    if (!state->on && state->net == NULL)
        return 0;
    return gb_err_set(err, GB_ENOPAST,
                      "the session has had a network or an open port, and such sessions cannot be "
                      "rewound");
}

static int network_check_open(struct gb_server *server, const struct gb_params *params,
                              struct gb_err *err)
{
    struct network_ask ask;
    int r = network_ask_read(&server->settings, params->network, &ask, err);

    gb_policy_release(&ask.policy);
    return r < 0 ? r : secrets_check(server, params, ask.on, err);
}

static void network_take_open(struct hosted *hosted, const struct gb_params *params)
{
    struct network_session *state = network_state(hosted);
    struct network_ask ask;

    /* It was validated just before. */
    if (network_ask_read(&hosted->server->settings, params->network, &ask, NULL) < 0 || !ask.on) {
        gb_policy_release(&ask.policy);
        return;
    }
    state->policy = ask.policy;
    state->on = true;
    state->pending = ask.preset >= 0;
    state->preset = ask.preset;
    memcpy(state->name, ask.name, sizeof(state->name));
    secrets_take(hosted, params);
}

struct network_env {
    const struct gb_languages *languages;
    struct gb_env *env;
    struct gb_err *err;
};

/* What the client says stands. */
static int network_add_variable(void *arg, const char *name, struct gb_bytes value)
{
    const struct network_env *to = arg;

    for (size_t i = 0; i < to->env->count; i++)
        if (strcmp(to->env->names[i], name) == 0)
            return 0;
    return gb_env_add(to->env, to->languages, gb_bytes_str(name), value, to->err);
}

/* What a guest's package manager is to use, if the host's is told so too. */
static int network_add_env(struct gb_server *server, const struct gb_params *params,
                           struct gb_env *env, struct gb_err *err)
{
    const bool is_name = params->network != NULL && params->network->type == GB_JSON_STRING;
    const int preset = is_name ? gb_preset_number(params->network->text) : -1;
    const struct gb_bytes nothing = {0};
    struct network_env to = {&server->host->images->languages, env, err};
    _cleanup_(gb_buf_release) struct gb_buf index = {0};
    int r = secrets_add_env(server, params, env, err);

    if (r < 0 || preset < 0 || gb_preset_index(preset, nothing, &index, NULL) < 0)
        return r;
    return gb_preset_variables(preset, gb_buf_bytes(&index), network_add_variable, &to);
}

/* ---- a policy that has to be found ---- */

static int network_find(struct hosted *hosted, struct gb_err *err)
{
    struct network_session *state = network_state(hosted);
    struct gb_bytes said = gb_indexes_said(network_server(hosted->server)->indexes, state->preset);

    state->pending = false;
    return network_ask_preset(state->preset, said, &state->policy, err);
}

static void network_on_told(void *arg)
{
    struct hosted *hosted = arg;
    struct gb_err err = {0};

    if (hosted->closing)
        return;
    if (network_find(hosted, &err) < 0)
        gb_session_fail(hosted->session, &err);
    else
        hosted_go_on(hosted);
}

static bool network_on_preparing(struct hosted *hosted)
{
    struct network_session *state = network_state(hosted);
    struct gb_err err = {0};

    if (!state->pending)
        return false;
    if (!gb_indexes_ask(network_server(hosted->server)->indexes, state->preset, &state->wait,
                        network_on_told, hosted))
        return true;
    if (network_find(hosted, &err) == 0)
        return false;
    gb_session_fail(hosted->session, &err);
    return true;
}

static void network_on_session(struct hosted *hosted)
{
    struct gb_err err = {0};

    if (!network_state(hosted)->on)
        return;
    if (start_network(hosted, GB_SESSION_NETWORK_ON, &err) < 0) {
        hosted_close(hosted, GB_END_CRASHED, err.message);
        return;
    }
    report_policy(hosted, hosted->client);
    secrets_on_open(hosted);
}

static void network_on_session_end(struct hosted *hosted, const struct gb_err *why)
{
    struct network_session *state = network_state(hosted);

    (void)why;
    gb_indexes_forget(&state->wait);
    if (state->net != NULL) {
        gb_net_end(state->net);
        report_end(hosted);
    }
    asking_release(hosted);
    secrets_release(hosted);
    ports_release(hosted);
    gb_net_free(TAKE_PTR(state->net));
    gb_policy_release(&state->policy);
}

/* ---- session.network ---- */

/* Sets another policy, or none. */
static int network_change(struct hosted *hosted, struct network_ask *ask, struct gb_err *err)
{
    struct network_session *state = network_state(hosted);
    bool was_on = state->on;
    int r;

    if (!ask->on && state->net == NULL)
        return 0;
    r = start_check(hosted, err);
    if (r < 0)
        return r;
    if (state->net != NULL)
        gb_net_set_policy(state->net, &ask->policy);
    else {
        state->policy = ask->policy;
        ask->policy = (struct gb_policy){0};
    }
    state->on = ask->on;
    memcpy(state->name, ask->on ? ask->name : "", ask->on ? sizeof(state->name) : 1);
    if (ask->on && !was_on)
        return start_network(hosted, GB_SESSION_NETWORK_ON, err);
    return ask->on || !was_on ? 0 : start_request(hosted, GB_SESSION_NETWORK_OFF, err);
}

static int network_add(struct hosted *hosted, const struct gb_json *rules, struct gb_err *err)
{
    struct network_session *state = network_state(hosted);
    struct network_ask ask = {.on = true, .name = "rules"};
    const struct gb_policy *policy =
        state->net != NULL ? gb_net_policy(state->net) : &state->policy;
    int r = network_ask_add(policy, rules, &ask.policy, err);

    if (r == 0)
        r = network_change(hosted, &ask, err);
    gb_policy_release(&ask.policy);
    return r;
}

static void network_reply(struct request *request, struct hosted *hosted)
{
    const struct network_session *state = network_state(hosted);
    struct gb_net_figures figures = {0};
    _cleanup_(gb_buf_release) struct gb_buf rules = {0};
    struct gb_network_info info;
    struct reply reply;

    if (state->net != NULL && state->on) {
        figures = gb_net_figures(state->net);
        gb_policy_write(gb_net_policy(state->net), &rules);
    }
    info = (struct gb_network_info){
        .network = gb_bytes_str(state->on ? state->name : "none"),
        .rules = gb_buf_bytes(&rules),
        .open = figures.open,
        .opened = figures.opened,
        .denied = figures.denied,
        .received = figures.received,
        .sent = figures.sent,
        .questions = asking_list(hosted),
        .ports = ports_list(hosted),
        .listening = ports_listening(hosted),
    };
    reply_begin(&reply, request);
    gb_object_write(&reply.out, &gb_network_object, &info);
    reply_end(&reply);
}

static void network_answer_change(struct request *request, struct hosted *hosted)
{
    report_policy(hosted, request->connection->client);
    network_reply(request, hosted);
}

/* A request for a preset whose rules are not known yet. */
struct network_held {
    struct gb_index_wait wait;
    struct request *request;
    struct network_ask ask;
    char *session; /* id */
};

static void network_held_free(struct network_held *held)
{
    gb_indexes_forget(&held->wait);
    gb_policy_release(&held->ask.policy);
    free(held->session);
    free(held);
}

static void network_held_abandon(struct request *request)
{
    network_held_free(request->arg);
}

static void network_held_go_on(void *arg)
{
    struct network_held *held = arg;
    struct request *request = held->request;
    struct gb_server *server = request->connection->server;
    struct gb_bytes said = gb_indexes_said(network_server(server)->indexes, held->ask.preset);
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(server, gb_bytes_str(held->session), &err);
    int r = hosted == NULL ? -1 : 0;

    if (r == 0)
        r = network_ask_preset(held->ask.preset, said, &held->ask.policy, &err);
    if (r == 0)
        r = network_change(hosted, &held->ask, &err);
    request->abandon = NULL;
    network_held_free(held);
    if (r < 0)
        request_fail(request, &err);
    else
        network_answer_change(request, hosted);
}

static void network_hold(struct request *request, const struct hosted *hosted,
                         const struct network_ask *ask)
{
    struct network_held *held = xcalloc(1, sizeof(*held));

    held->request = request;
    held->ask = *ask;
    held->session = xstrdup(gb_session_id(hosted->session));
    request->arg = held;
    request->abandon = network_held_abandon;
    if (gb_indexes_ask(network_server(hosted->server)->indexes, ask->preset, &held->wait,
                       network_held_go_on, held))
        network_held_go_on(held);
}

static void network_handle(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(server, params->session, &err);
    struct network_ask ask = {0};
    int r = hosted == NULL ? -1 : 0;

    if (r == 0 && !hosted->opened)
        r = gb_err_set(&err, GB_EBUSY, "the session is not open yet");
    if (r == 0 && params->network != NULL && params->rules != NULL)
        r = gb_err_set(&err, GB_EINVALID, "give network or rules, and not both");
    if (r == 0 && params->network != NULL) {
        r = network_ask_read(&server->settings, params->network, &ask, &err);
        if (r == 0 && ask.preset >= 0) {
            network_hold(request, hosted, &ask);
            return;
        }
        if (r == 0)
            r = network_change(hosted, &ask, &err);
        gb_policy_release(&ask.policy);
    } else if (r == 0 && params->rules != NULL) {
        r = network_add(hosted, params->rules, &err);
    }
    if (r < 0) {
        request_fail(request, &err);
        return;
    }
    if (params->network != NULL || params->rules != NULL)
        network_answer_change(request, hosted);
    else
        network_reply(request, hosted);
}

/* ---- session.network_answer ---- */

static int network_answer(struct hosted *hosted, uint64_t number, enum gb_network_answer answer,
                          struct gb_err *err)
{
    struct network_session *state = network_state(hosted);
    const struct gb_net_question *question =
        state->net == NULL ? NULL : gb_net_question(state->net, number - 1);
    const bool allow = answer == GB_ANSWER_ONCE || answer == GB_ANSWER_SESSION;
    struct network_ask ask = {.on = true, .name = "rules"};
    _cleanup_(gb_buf_release) struct gb_buf rule = {0};
    int r = 0;

    if (question == NULL || question->number != number)
        return gb_err_set(err, GB_ENOTFOUND, "the session has no question %llu that waits",
                          (unsigned long long)number);
    if (answer == GB_ANSWER_SESSION || answer == GB_ANSWER_NEVER) {
        asking_put_rule(&rule, question, allow);
        r = network_ask_add_text(gb_net_policy(state->net), gb_buf_bytes(&rule), &ask.policy, err);
    }
    if (r < 0)
        return r;
    (void)gb_net_answer(state->net, number, allow, gb_network_answer_to_string(answer),
                        "answered_no");
    if (rule.size > 0)
        r = network_change(hosted, &ask, err);
    if (rule.size > 0 && r == 0)
        report_policy(hosted, state->answerer);
    gb_policy_release(&ask.policy);
    return r;
}

static void network_handle_answer(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    int r = -1;

    if (hosted != NULL) {
        network_state(hosted)->answerer = request->connection->client;
        r = network_answer(hosted, (uint64_t)params->question,
                           (enum gb_network_answer)params->answer, &err);
        network_state(hosted)->answerer = NULL;
    }
    if (r < 0)
        request_fail(request, &err);
    else
        request_ok(request);
}

/* ---- descriptions for clients ---- */

static void network_describe_session(struct gb_session_info *info, struct hosted *hosted)
{
    const struct network_session *state = network_state(hosted);

    if (state->on)
        info->network = gb_bytes_str(state->name);
}

static void network_put_reply(struct gb_json_out *out, struct hosted *hosted,
                              const struct connection *connection)
{
    (void)connection;
    report_put_refused(out, hosted);
}

/* ---- cells ---- */

static void network_set_cell(struct hosted *hosted, uint32_t cell)
{
    struct network_session *state = network_state(hosted);

    state->cell = cell;
    if (state->net != NULL)
        gb_net_set_cell(state->net, cell);
}

static void network_on_cell(struct hosted *hosted, const struct gb_cell_info *cell)
{
    network_set_cell(hosted, cell->number);
}

static void network_on_cell_end(struct hosted *hosted, uint32_t cell, struct gb_buf *note)
{
    struct network_session *state = network_state(hosted);

    if (state->cell != cell)
        return;
    network_set_cell(hosted, 0);
    report_put_notes(note, hosted);
}

static const struct method_handler network_methods[] = {
    {"session.network", network_handle},      {"session.network_answer", network_handle_answer},
    {"session.port_open", ports_handle_open}, {"session.port_close", ports_handle_close},
    {"secret.list", secrets_handle_list},     {NULL, NULL},
};

static const char *const network_event_kinds[] = {
    "network.open",    "network.denied", "network.closed", "network.question",  "network.answered",
    "network.request", "network.port",   "network.visit",  "network.listening", NULL};

const struct gb_part network_part = {
    .name = "network",
    .methods = network_methods,
    .event_kinds = network_event_kinds,
    .state = &network_sizes,
    .server_new = network_server_new,
    .server_free = network_server_free,
    .check_open = network_check_open,
    .add_env = network_add_env,
    .take_open = network_take_open,
    .session_new = secrets_start,
    .session_preparing = network_on_preparing,
    .check_past = network_check_past,
    .session_opened = network_on_session,
    .session_ended = network_on_session_end,
    .session_listening = ports_on_listening,
    .describe_session = network_describe_session,
    .put_snapshot = asking_put_snapshot,
    .watcher_gone = asking_on_watcher_gone,
    .put_reply = network_put_reply,
    .cell_started = network_on_cell,
    .cell_ending = network_on_cell_end,
};
