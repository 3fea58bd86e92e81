/* SPDX-License-Identifier: Apache-2.0 */
/* Watching: events.subscribe, and what has to run while somebody watches. */
#include "watch.h"

#include <assert.h>
#include <stdlib.h>

#include "model/answer.h"
#include "rpc/object.h"
#include "server/core/event.h"
#include "server/core/request.h"
#include "server/core/state.h"
#include "server/watch/figures.h"
#include "server/watch/log.h"
#include "server/watch/samples.h"
#include "server/watch/subscription.h"

/* ---- kinds ---- */

/* The kinds that this part sends. */
static const char *const watch_event_kinds[] = {"snapshot", "gap", "sample", "server.log", NULL};

static void watch_add_kinds(struct watch_server *state, const char *const *kinds)
{
    for (; *kinds != NULL; kinds++) {
        assert(state->kind_count < EVENT_KINDS_MAX);
        state->kinds[state->kind_count++] = *kinds;
    }
}

static uint64_t watch_kind_bit(const struct watch_server *state, const char *kind)
{
    return UINT64_C(1) << subscription_kind(state, gb_bytes_str(kind));
}

/* Updates which kinds are wanted, and what has to run for them. */
static void watch_update(struct gb_server *server)
{
    struct watch_server *state = watch_of_server(server);
    uint64_t sample = watch_kind_bit(state, "sample"), log = watch_kind_bit(state, "server.log");
    uint64_t before = state->wanted;
    struct subscription *subscription;

    state->wanted = 0;
    GB_LIST_FOREACH(subscription, &state->subscriptions, of_server) {
        state->wanted |= subscription->kinds;
    }
    if (((state->wanted ^ before) & sample) != 0)
        samples_run(server, (state->wanted & sample) != 0);
    if (((state->wanted ^ before) & log) != 0)
        log_watch(server, (state->wanted & log) != 0);
}

/* ---- events ---- */

static bool watch_wants(struct gb_server *server, const char *kind, const char *session)
{
    const struct watch_server *state = watch_of_server(server);
    const struct subscription *subscription;

    if (state->wanted == 0 || (state->wanted & watch_kind_bit(state, kind)) == 0)
        return false;
    GB_LIST_FOREACH(subscription, &state->subscriptions, of_server) {
        if (subscription_wants(subscription, kind) && subscription_covers(subscription, session))
            return true;
    }
    return false;
}

/* One that has fallen behind does not see the question. */
static bool watch_can_answer(struct gb_server *server, const char *kind, const char *session)
{
    const struct subscription *subscription;

    GB_LIST_FOREACH(subscription, &watch_of_server(server)->subscriptions, of_server) {
        if (subscription->answers && !subscription->behind &&
            subscription_wants(subscription, kind) && subscription_covers(subscription, session))
            return true;
    }
    return false;
}

static void watch_tell(const struct event *event)
{
    struct subscription *subscription;

    if (event->to != NULL) {
        subscription_offer(event->to, event);
        return;
    }
    GB_LIST_FOREACH(subscription, &watch_of_server(event->server)->subscriptions, of_server) {
        if (subscription_wants(subscription, event->kind) &&
            subscription_covers(subscription, event->session))
            subscription_offer(subscription, event);
    }
}

/* ---- methods ---- */

static int watch_read_kinds(const struct watch_server *state, const struct gb_params *params,
                            uint64_t *ret_kinds, struct gb_err *err)
{
    const struct gb_json *child;
    uint64_t kinds = 0;

    if (params->kinds == NULL) {
        kinds = UINT64_MAX;
    } else {
        child = gb_json_first(params->kinds);
        for (uint32_t i = 0; i < params->kinds->count; i++, child = gb_json_next(child)) {
            size_t kind = subscription_kind(state, child->text);

            if (kind == state->kind_count)
                return gb_err_set(err, GB_EINVALID, "there is no kind of events \"%.*s\"",
                                  (int)MIN(child->text.size, (size_t)64),
                                  (const char *)child->text.data);
            kinds |= UINT64_C(1) << kind;
        }
    }
    if (!params->output)
        kinds &= ~watch_kind_bit(state, "cell.output");
    *ret_kinds = kinds;
    return 0;
}

static int watch_read_sessions(struct gb_server *server, const struct gb_params *params,
                               char ***ret_names, size_t *ret_count, struct gb_err *err)
{
    const struct gb_json *child;
    size_t count = params->sessions == NULL ? 0 : params->sessions->count;
    char **names;

    if (params->sessions != NULL && count == 0)
        return gb_err_set(err, GB_EINVALID, "sessions is empty; leave it out to watch them all");
    child = count == 0 ? NULL : gb_json_first(params->sessions);
    for (size_t i = 0; i < count; i++, child = gb_json_next(child))
        if (hosted_find(server, child->text, err) == NULL)
            return -(int)err->code;
    names = xcalloc(count + 1, sizeof(*names));
    child = count == 0 ? NULL : gb_json_first(params->sessions);
    for (size_t i = 0; i < count; i++, child = gb_json_next(child))
        names[i] = xstrndup((const char *)child->text.data, child->text.size);
    qsort(names, count, sizeof(*names), subscription_compare);
    *ret_names = names;
    *ret_count = count;
    return 0;
}

static int watch_check_count(struct connection *connection, struct gb_err *err)
{
    if (gb_list_count(&watch_of_connection(connection)->subscriptions) < GB_SUBSCRIPTIONS_MAX)
        return 0;
    return gb_err_set(err, GB_EBUSY, "a connection has %u subscriptions at most",
                      GB_SUBSCRIPTIONS_MAX);
}

static void watch_replay(struct subscription *subscription)
{
    struct gb_server *server = subscription->connection->server;
    struct hosted *hosted;

    if (subscription_wants(subscription, "sample"))
        figures_replay(server, subscription);
    if (!subscription_wants(subscription, "cell.output"))
        return;
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        if (subscription_covers(subscription, gb_session_id(hosted->session)))
            PART_CALL(server, replay, hosted, subscription);
    }
}

static void watch_subscribe(struct request *request, const struct gb_params *params)
{
    struct connection *connection = request->connection;
    struct gb_server *server = connection->server;
    struct subscription *subscription;
    char **sessions = NULL;
    size_t session_count = 0;
    struct gb_err err = {0};
    struct reply reply;
    uint64_t kinds = 0;
    bool with_replay = params->replay;
    int r = watch_check_count(connection, &err);

    if (r == 0)
        r = watch_read_kinds(watch_of_server(server), params, &kinds, &err);
    if (r == 0)
        r = watch_read_sessions(server, params, &sessions, &session_count, &err);
    if (r < 0) {
        request_fail(request, &err);
        return;
    }
    subscription = subscription_new(connection, kinds, sessions, session_count);
    subscription->answers = params->answers;
    reply_begin(&reply, request);
    gb_object_write(&reply.out, &gb_subscribed_object,
                    &(struct gb_subscribed_info){.subscription = subscription->number});
    reply_end(&reply);
    subscription_snapshot(subscription);
    if (with_replay)
        watch_replay(subscription);
    watch_update(server);
}

static void watch_unsubscribe(struct request *request, const struct gb_params *params)
{
    struct connection *connection = request->connection;
    struct subscription *subscription;
    struct gb_err err = {0};

    GB_LIST_FOREACH(subscription, &watch_of_connection(connection)->subscriptions, of_connection) {
        if (subscription->number == params->subscription) {
            subscription_free(subscription);
            watch_update(connection->server);
            PART_CALL(connection->server, watcher_gone, connection->server);
            request_ok(request);
            return;
        }
    }
    (void)gb_err_set(&err, GB_ENOTFOUND, "this connection has no subscription %lld",
                     (long long)params->subscription);
    request_fail(request, &err);
}

/* ---- hooks ---- */

static void watch_on_server(struct gb_server *server)
{
    struct watch_server *state = watch_of_server(server);
    const struct gb_part *const *at;

    gb_list_init(&state->subscriptions);
    watch_add_kinds(state, event_core_kinds);
    PART_FOREACH(at, server, event_kinds) {
        watch_add_kinds(state, (*at)->event_kinds);
    }
    figures_init(server);
    samples_init(server);
    log_init(server);
}

static void watch_on_server_end(struct gb_server *server)
{
    assert(gb_list_empty(&watch_of_server(server)->subscriptions));
    log_release(server);
    samples_release(server);
    figures_release(server);
}

static void watch_on_connection(struct connection *connection)
{
    gb_list_init(&watch_of_connection(connection)->subscriptions);
}

static void watch_on_disconnect(struct connection *connection)
{
    struct gb_list *subscriptions = &watch_of_connection(connection)->subscriptions;

    while (!gb_list_empty(subscriptions))
        subscription_free(container_of(subscriptions->next, struct subscription, of_connection));
    watch_update(connection->server);
    PART_CALL(connection->server, watcher_gone, connection->server);
}

static const struct method_handler watch_methods[] = {
    {"events.subscribe", watch_subscribe},
    {"events.unsubscribe", watch_unsubscribe},
    {NULL, NULL},
};

const struct gb_part watch_part = {
    .name = "watch",
    .methods = watch_methods,
    .event_kinds = watch_event_kinds,
    .state = &watch_state,
    .server_new = watch_on_server,
    .server_free = watch_on_server_end,
    .connection_new = watch_on_connection,
    .connection_sent = subscription_resume,
    .connection_closing = watch_on_disconnect,
    .session_new = figures_begin,
    .wants_event = watch_wants,
    .can_answer = watch_can_answer,
    .tell_event = watch_tell,
};
