/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <stdio.h>
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
#include "server/network/always.h"
#include "server/network/ask.h"
#include "server/network/asking.h"
#include "server/network/ports.h"
#include "server/network/report.h"
#include "server/network/secrets.h"
#include "server/network/start.h"
#include "server/network/state.h"
#include "server/network/trust.h"

static void network_server_new(struct gb_server *server)
{
    network_server(server)->indexes = gb_indexes_new(server->loop);
}

static void network_server_free(struct gb_server *server)
{
    gb_indexes_free(network_server(server)->indexes);
    gb_anchors_release(&network_server(server)->anchors);
}

/* What the answer `always` may write to, and the preset whose authorities are told: rules that were
 * given as a whole have no name. */
static void network_set_policy_name(struct network_session *state, const struct network_ask *ask)
{
    (void)snprintf(state->policy_name, sizeof(state->policy_name), "%s",
                   ask->is_named ? ask->name : "");
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
    start_make(hosted, &ask.policy);
    state->on = true;
    state->pending = ask.preset >= 0;
    state->preset = ask.preset;
    memcpy(state->name, ask.name, sizeof(state->name));
    network_set_policy_name(state, &ask);
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

static bool network_stop(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return false;
}

static bool network_inspects(const struct gb_server *server, const struct gb_params *params)
{
    struct network_ask ask;
    const bool good = network_ask_read(&server->settings, params->network, &ask, NULL) == 0;
    const bool inspects = good && !gb_policy_each_inspected(&ask.policy, network_stop, NULL);

    gb_policy_release(&ask.policy);
    return inspects;
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
    int r = secrets_add_env(server, params, network_inspects(server, params), env, err);

    if (r == 0 && trust_is_wanted(server, params))
        r = trust_add_env(to.languages, env, err);
    if (r < 0 || preset < 0 || gb_preset_index(preset, nothing, &index, NULL) < 0)
        return r;
    return gb_preset_variables(preset, gb_buf_bytes(&index), network_add_variable, &to);
}

/* ---- a policy that has to be found ---- */

static int network_find(struct hosted *hosted, struct gb_err *err)
{
    struct network_session *state = network_state(hosted);
    const struct gb_preset_known known =
        gb_indexes_known(network_server(hosted->server)->indexes, state->preset);
    struct gb_policy policy = {0};
    int r = network_ask_preset(state->preset, &known, &policy, err);

    state->pending = false;
    if (r == 0)
        gb_net_set_policy(state->net, &policy);
    gb_policy_release(&policy);
    return r;
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
    const struct gb_bytes nothing = {0};
    struct gb_err err = {0};

    if (network_state(hosted)->net == NULL)
        return;
    if (start_join(hosted, &err) < 0 ||
        (network_state(hosted)->secrets == NULL && trust_tell(hosted, nothing, &err) < 0)) {
        hosted_close(hosted, GB_END_CRASHED, err.message);
        return;
    }
    if (network_state(hosted)->on)
        report_policy(hosted, hosted->client);
    secrets_on_open(hosted);
}

/* The connection to the other VM's network comes last: if anything before it fails, the session may
 * go on with the network that it has. */
static int network_on_moved(struct hosted *hosted, struct gb_err *err)
{
    const struct gb_bytes nothing = {0};
    int r;

    if (gb_session_is_asleep(hosted->session)) {
        secrets_on_asleep(hosted);
        return start_moved(hosted, err);
    }
    r = network_state(hosted)->secrets == NULL ? trust_tell(hosted, nothing, err)
                                               : secrets_on_moved(hosted, err);
    if (r == 0)
        r = start_moved(hosted, err);
    if (r < 0)
        err->code = GB_EBOOT; /* nothing is wrong with what was requested */
    return r;
}

static void network_on_copied(struct hosted *hosted, bool begins)
{
    struct network_session *state = network_state(hosted);

    if (state->net != NULL)
        gb_net_stand(state->net, begins);
}

static void network_on_stayed(struct hosted *hosted)
{
    if (gb_session_is_asleep(hosted->session))
        secrets_on_asleep(hosted);
    start_stayed(hosted);
}

/* Whoever waits at a port is told; the next one is another reason to try it. */
static void network_on_refused(struct hosted *hosted)
{
    struct network_session *state = network_state(hosted);

    if (state->net != NULL)
        gb_net_turn_away(state->net);
}

/* ---- what a session has besides its VM ---- */

/* One that is alone has no network, and none of the secrets. */
static void network_on_forked(struct hosted *hosted, struct hosted *origin, bool alone)
{
    struct network_session *state = network_state(hosted);
    const struct network_session *from = network_state(origin);
    struct gb_policy policy = {0};

    if (from->net == NULL || alone)
        return;
    /* Cannot fail: it is a policy's own text. */
    (void)network_ask_add_text(gb_net_policy(from->net), (struct gb_bytes){0}, &policy, NULL);
    start_make(hosted, &policy);
    gb_net_take_names(state->net, from->net);
    state->on = from->on;
    memcpy(state->name, from->name, sizeof(state->name));
    memcpy(state->policy_name, from->policy_name, sizeof(state->policy_name));
    secrets_fork(hosted, origin);
}

static void network_save(struct hosted *hosted, struct saved_session *saved)
{
    const struct network_session *state = network_state(hosted);

    if (state->net == NULL)
        return;
    gb_buf_adds(&saved->network, state->on ? state->name : "none");
    gb_buf_adds(&saved->policy, state->policy_name);
    gb_policy_write(gb_net_policy(state->net), &saved->rules);
    secrets_save(hosted, &saved->secrets);
}

static int network_check_saved(struct gb_server *server, const struct saved_session *saved,
                               struct gb_err *err)
{
    struct gb_policy policy = {0};
    int r = gb_policy_parse(&policy, gb_buf_bytes(&saved->rules), err);

    gb_policy_release(&policy);
    return r < 0 ? r : secrets_check_saved(server, gb_buf_bytes(&saved->secrets), err);
}

static void network_load(struct hosted *hosted, const struct saved_session *saved)
{
    struct network_session *state = network_state(hosted);
    struct gb_policy policy = {0};

    if (saved->network.size == 0)
        return;
    (void)gb_policy_parse(&policy, gb_buf_bytes(&saved->rules), NULL); /* it was checked */
    start_make(hosted, &policy);
    state->on = !gb_bytes_equal(gb_buf_bytes(&saved->network), "none");
    if (state->on)
        (void)snprintf(state->name, sizeof(state->name), "%.*s", (int)saved->network.size,
                       (const char *)gb_buf_data(&saved->network));
    if (saved->policy.size > 0)
        (void)snprintf(state->policy_name, sizeof(state->policy_name), "%.*s",
                       (int)saved->policy.size, (const char *)gb_buf_data(&saved->policy));
    secrets_load(hosted, gb_buf_bytes(&saved->secrets));
}

static void network_on_session_end(struct hosted *hosted, const struct gb_err *why)
{
    struct network_session *state = network_state(hosted);

    (void)why;
    gb_indexes_forget(&state->wait);
    if (state->net != NULL) {
        gb_net_end(state->net);
        if (hosted->opened)
            report_end(hosted);
    }
    asking_release(hosted);
    secrets_release(hosted);
    ports_release(hosted);
    start_release(hosted);
    gb_net_free(TAKE_PTR(state->net));
}

/* ---- session.network ---- */

/* Sets another policy, or none. What has no conversation with its guest now is told when it has. */
static int network_change(struct hosted *hosted, struct network_ask *ask, struct gb_err *err)
{
    struct network_session *state = network_state(hosted);
    const bool was_on = state->on, is_new = state->net == NULL;
    int r;

    if (!ask->on && is_new)
        return 0;
    if (gb_session_is_asleep(hosted->session)) /* what is stored would not follow */
        return gb_err_set(err, GB_EBUSY, "the session is asleep: wake it first");
    r = secrets_check_policy(hosted, &ask->policy, err);
    if (r < 0)
        return r;
    if (is_new)
        start_make(hosted, &ask->policy);
    else
        gb_net_set_policy(state->net, &ask->policy);
    state->on = ask->on;
    memcpy(state->name, ask->on ? ask->name : "", ask->on ? sizeof(state->name) : 1);
    if (is_new)
        return start_join(hosted, err);
    return gb_net_is_joined(state->net) && ask->on != was_on ? start_turn(hosted, err) : 0;
}

/* The same, and it is what it begins with. */
static int network_begin(struct hosted *hosted, struct network_ask *ask, struct gb_err *err)
{
    struct network_session *state = network_state(hosted);
    const bool had = gb_preset_number(gb_bytes_str(state->policy_name)) >= 0;
    int r = network_change(hosted, ask, err);

    if (r < 0)
        return r;
    network_set_policy_name(state, ask);
    if (had || gb_preset_number(gb_bytes_str(ask->name)) < 0)
        return 0;
    return trust_tell(hosted, secrets_authority(hosted), err);
}

static int network_add(struct hosted *hosted, const struct gb_json *rules, struct gb_err *err)
{
    static const struct gb_policy none;
    struct network_session *state = network_state(hosted);
    struct network_ask ask = {.on = true, .name = "rules"};
    const struct gb_policy *policy = state->net != NULL ? gb_net_policy(state->net) : &none;
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
    _cleanup_(gb_buf_release) struct gb_buf rules = {0}, secrets = {0};
    struct gb_network_info info;
    struct reply reply;

    if (state->net != NULL && state->on) {
        figures = gb_net_figures(state->net);
        gb_policy_write(gb_net_policy(state->net), &rules);
    }
    secrets_put_names(hosted, &secrets);
    info = (struct gb_network_info){
        .network = gb_bytes_str(state->on ? state->name : "none"),
        .rules = gb_buf_bytes(&rules),
        .secrets = secrets.size > 0 ? gb_buf_bytes(&secrets) : (struct gb_bytes){0},
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
    const struct gb_preset_known known =
        gb_indexes_known(network_server(server)->indexes, held->ask.preset);
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(server, gb_bytes_str(held->session), &err);
    int r = hosted == NULL ? -1 : 0;

    if (r == 0)
        r = network_ask_preset(held->ask.preset, &known, &held->ask.policy, &err);
    if (r == 0)
        r = network_begin(hosted, &held->ask, &err);
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
            r = network_begin(hosted, &ask, &err);
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
    const bool allow = answer != GB_ANSWER_REFUSE && answer != GB_ANSWER_NEVER;
    struct network_ask ask = {.on = true, .name = "rules"};
    _cleanup_(gb_buf_release) struct gb_buf rule = {0};
    int r = 0;

    if (question == NULL || question->number != number)
        return gb_err_set(err, GB_ENOTFOUND, "the session has no question %llu that waits",
                          (unsigned long long)number);
    if (answer != GB_ANSWER_ONCE && answer != GB_ANSWER_REFUSE) {
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

/* The rule is in the settings, or could not be written: then the question still waits. */
static void network_on_always(struct hosted *hosted, struct request *request, uint64_t number,
                              const struct gb_err *problem)
{
    struct gb_err err = {0};

    if (problem == NULL && !hosted->closing) {
        network_state(hosted)->answerer = request == NULL ? NULL : request->connection->client;
        (void)network_answer(hosted, number, GB_ANSWER_ALWAYS, &err); /* it may be over by now */
        network_state(hosted)->answerer = NULL;
    }
    if (request != NULL && problem != NULL)
        request_fail(request, problem);
    else if (request != NULL)
        request_ok(request);
}

/* 0: @request is answered later. */
static int network_answer_always(struct request *request, struct hosted *hosted, uint64_t number,
                                 struct gb_err *err)
{
    const struct network_session *state = network_state(hosted);
    const struct gb_net_question *question =
        state->net == NULL ? NULL : gb_net_question(state->net, number - 1);
    _cleanup_(gb_buf_release) struct gb_buf rule = {0};
    _cleanup_(freep) char *line = NULL;

    if (question == NULL || question->number != number)
        return gb_err_set(err, GB_ENOTFOUND, "the session has no question %llu that waits",
                          (unsigned long long)number);
    asking_put_rule(&rule, question, true);
    line = xstrndup((const char *)gb_buf_data(&rule), rule.size - 1); /* without the newline */
    return always_begin(request, hosted, number, line, network_on_always, err);
}

static void network_handle_answer(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    int r = -1;

    if (hosted != NULL && params->answer == GB_ANSWER_ALWAYS) {
        r = network_answer_always(request, hosted, (uint64_t)params->question, &err);
        if (r == 0)
            return;
    } else if (hosted != NULL) {
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

static const char *const network_event_kinds[] = {"network.open",
                                                  "network.denied",
                                                  "network.closed",
                                                  "network.question",
                                                  "network.answered",
                                                  "network.request",
                                                  "network.port",
                                                  "network.visit",
                                                  "network.listening",
                                                  "network.changed",
                                                  NULL};

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
    .session_opened = network_on_session,
    .session_moved = network_on_moved,
    .session_stayed = network_on_stayed,
    .session_copied = network_on_copied,
    .session_refused = network_on_refused,
    .session_network_lost = start_lost,
    .session_forked = network_on_forked,
    .save_session = network_save,
    .check_saved = network_check_saved,
    .load_session = network_load,
    .session_ended = network_on_session_end,
    .session_listening = ports_on_listening,
    .describe_session = network_describe_session,
    .put_snapshot = asking_put_snapshot,
    .watcher_gone = asking_on_watcher_gone,
    .put_reply = network_put_reply,
    .cell_started = network_on_cell,
    .cell_ending = network_on_cell_end,
};
