/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the server: connecting, losing it, reconnecting; and the first requests. */
#include <stdio.h>
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"
#include "model/answer.h"
#include "rpc/object.h"

enum {
    CALL_DEADLINE_MS = 30000,
    RETRY_FIRST_MS = 200,
    RETRY_MAX_MS = 5000,
    RETRY_FAR_MAX_MS = 60000, /* each attempt is a login there */
    HISTORY_CALLS_MAX = 16,
};

static void uplink_on_hello(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct tui *tui = arg;

    if (error == NULL)
        store_hello(&tui->store, result);
    tui_redraw(tui);
}

static void uplink_on_sessions(void *arg, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    struct tui *tui = arg;

    if (error == NULL)
        store_sessions(&tui->store, result);
    tui_known(tui);
    tui_redraw(tui);
}

static void uplink_on_stats(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct tui *tui = arg;

    if (error == NULL)
        store_stats(&tui->store, result);
    tui_redraw(tui);
}

static void uplink_on_pools(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct tui *tui = arg;

    if (error == NULL)
        store_pools(&tui->store, result);
    tui_redraw(tui);
}

/* From here on the display is up to date. */
static void uplink_arrive(struct tui *tui)
{
    if (tui->connection.was_up)
        tui_say(tui, MESSAGE_GOOD, "the server is back");
    tui->connection.was_up = true;
}

static void uplink_on_subscribed(void *arg, const struct gb_json *result,
                                 const struct gb_call_error *error)
{
    struct tui *tui = arg;
    struct gb_subscribed_info told;

    if (error != NULL && strcmp(error->kind, "unsupported") != 0)
        return; /* the end of the connection is reported elsewhere */
    uplink_arrive(tui);
    if (error != NULL) {
        /* A server without events: show what there is now. */
        tui_say(tui, MESSAGE_WARNING, "this server sends no events: what is shown does not change");
        (void)tui_call(tui, "session.list", NULL, CALL_DEADLINE_MS, uplink_on_sessions, tui);
        (void)tui_call(tui, "pool.status", NULL, CALL_DEADLINE_MS, uplink_on_pools, tui);
        return;
    }
    gb_object_take(&gb_subscribed_object, result, &told);
    tui->store.subscription = (int64_t)told.subscription;
}

/* Everything except the output of cells: a few values per second. */
static void uplink_begin(struct tui *tui)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "client", "glassbell tui " GB_VERSION);
    gb_json_put_u64(&out, "protocol", 1);
    gb_json_end(&out);
    (void)tui_call(tui, "hello", &params, CALL_DEADLINE_MS, uplink_on_hello, tui);
    gb_buf_clear(&params);
    out = (struct gb_json_out){.buf = &params};
    gb_json_object(&out, NULL);
    gb_json_put_bool(&out, "output", false);
    gb_json_put_bool(&out, "replay", true);
    gb_json_put_bool(&out, "answers", true); /* question.c */
    gb_json_end(&out);
    (void)tui_call(tui, "events.subscribe", &params, CALL_DEADLINE_MS, uplink_on_subscribed, tui);
    (void)tui_call(tui, "stats", NULL, CALL_DEADLINE_MS, uplink_on_stats, tui);
    gb_buf_release(&params);
}

struct history_call {
    struct gb_list link;
    struct tui *tui;
    char session[STORE_NAME_MAX];
};

static void uplink_on_history(void *arg, const struct gb_json *result,
                              const struct gb_call_error *error)
{
    struct history_call *call = arg;

    /* A server without a history has nothing to report. */
    if (error == NULL)
        store_history(&call->tui->store, call->session, result);
    tui_redraw(call->tui);
    gb_list_remove(&call->link);
    free(call);
}

static void uplink_ask_history(struct tui *tui, const struct session *session)
{
    struct history_call *call = xcalloc(1, sizeof(*call));
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    call->tui = tui;
    (void)snprintf(call->session, sizeof(call->session), "%s", session->id);
    gb_list_add_tail(&tui->history_calls, &call->link);
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session->id);
    gb_json_put_u64(&out, "after",
                    session->cells > STORE_HISTORY ? session->cells - STORE_HISTORY : 0);
    gb_json_put_u64(&out, "limit", STORE_HISTORY);
    gb_json_put_bool(&out, "output", false);
    gb_json_put_i64(&out, "offset", -STORE_ERROR_MAX); /* the end is enough */
    gb_json_put_u64(&out, "length", STORE_ERROR_MAX);
    gb_json_end(&out);
    (void)tui_call(tui, "session.history", &params, CALL_DEADLINE_MS, uplink_on_history, call);
    gb_buf_release(&params);
}

/* A few at a time: with very many sessions, the rest is requested with the next events. */
static void uplink_look_up(struct tui *tui)
{
    struct session *session;

    GB_LIST_FOREACH(session, &tui->store.sessions, link) {
        if (tui->connection.client == NULL ||
            gb_client_calls(tui->connection.client) >= HISTORY_CALLS_MAX)
            return;
        if (store_wants_history(session))
            uplink_ask_history(tui, session);
    }
}

void tui_listen(struct tui *tui, struct tui_listener *listener, tui_notice_cb *call, void *arg)
{
    listener->call = call;
    listener->arg = arg;
    gb_list_add_tail(&tui->notices, &listener->link);
}

void tui_unlisten(struct tui_listener *listener)
{
    gb_list_remove(&listener->link);
}

static void uplink_pass_on(struct tui *tui, const char *method, const struct gb_json *params)
{
    struct tui_listener *listener;

    GB_LIST_FOREACH(listener, &tui->notices, link)
        listener->call(listener->arg, method, params);
}

static void uplink_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct tui *tui = arg;

    const char *trouble;

    if (store_notified(&tui->store, method, params)) {
        trouble = store_new_trouble(&tui->store);
        if (trouble != NULL)
            tui_say(tui, MESSAGE_WARNING, "left out: %s", trouble);
        uplink_look_up(tui);
        tui_redraw(tui);
    } else if (params != NULL) {
        uplink_pass_on(tui, method, params);
    }
    tui_known(tui);
}

static void uplink_on_retry(void *arg)
{
    uplink_open(arg, false);
}

static void uplink_on_closed(void *arg, const struct gb_err *why)
{
    struct tui *tui = arg;
    struct connection *connection = &tui->connection;
    uint64_t wait = RETRY_FIRST_MS;
    uint64_t most = tui->config.host != NULL ? RETRY_FAR_MAX_MS : RETRY_MAX_MS;

    /* After the reason why the server could not be started, it is no news that nobody listens. */
    if (connection->starts || connection->state == CONNECTION_UP || connection->why[0] == '\0')
        (void)snprintf(connection->why, sizeof(connection->why), "%s", why->message);
    if (connection->asked)
        tui_say(tui, MESSAGE_ERROR, "%s", why->message);
    connection->asked = false;
    if (connection->state == CONNECTION_UP)
        connection->attempts = 0;
    connection->state = CONNECTION_LOST;
    closing_give_up(tui);
    tui->store.subscription = 0;
    tui->store.missed = true;
    for (unsigned i = 0; i < connection->attempts && wait < most; i++)
        wait *= 2;
    connection->attempts++;
    gb_timer_start(connection->retry, MIN(wait, most));
    tui_redraw(tui);
}

/* The first answer proves that the server works. */
static void uplink_on_alive(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct tui *tui = arg;

    (void)result;
    if (error != NULL)
        return;
    tui->connection.state = CONNECTION_UP;
    tui->connection.why[0] = '\0';
    tui->connection.asked = false;
    tui_redraw(tui);
}

bool tui_is_up(const struct tui *tui)
{
    return tui->connection.state == CONNECTION_UP;
}

const char *tui_no_server(const struct tui *tui)
{
    return tui->connection.state == CONNECTION_LOST && tui->connection.why[0] != '\0'
               ? tui->connection.why
               : NULL;
}

void uplink_open(struct tui *tui, bool start_server)
{
    static const struct gb_client_events events = {uplink_on_notified, uplink_on_closed};
    struct connection *connection = &tui->connection;
    struct gb_client_config config = {
        .host = tui->config.host,
        .socket = tui->config.socket,
        .program = start_server ? tui->config.program : NULL,
        .first_call = connection->client != NULL ? gb_client_next_call(connection->client) : 0};

    if (connection->retry == NULL)
        connection->retry = gb_timer_new(tui->loop, uplink_on_retry, tui);
    gb_timer_stop(connection->retry);
    gb_client_free(connection->client);
    connection->number++;
    connection->starts = config.program != NULL;
    connection->client = gb_client_new(tui->loop, &config, &events, tui);
    if (connection->state != CONNECTION_LOST)
        connection->state = CONNECTION_DIALING;
    tui->store.subscription = 0;
    (void)tui_call(tui, "pool.status", NULL, 0, uplink_on_alive, tui);
    uplink_begin(tui);
}

/* A call of which only the result is reported. */
struct simple_call {
    struct gb_list link;
    struct tui *tui;
    char what[64];
    char done[128];
};

void uplink_close(struct tui *tui)
{
    struct simple_call *call;
    struct history_call *history;

    GB_LIST_FOREACH(call, &tui->simple_calls, link) {
        gb_list_remove(&call->link);
        free(call);
    }
    GB_LIST_FOREACH(history, &tui->history_calls, link) {
        gb_list_remove(&history->link);
        free(history);
    }
    gb_client_free(tui->connection.client);
    gb_timer_free(tui->connection.retry);
    tui->connection.client = NULL;
    tui->connection.retry = NULL;
}

uint64_t tui_call(struct tui *tui, const char *method, struct gb_buf *params, uint64_t deadline_ms,
                  gb_reply_cb *reply, void *arg)
{
    if (tui->connection.client == NULL)
        return 0;
    return gb_client_call(tui->connection.client, method, params, deadline_ms, reply, arg);
}

struct gb_client *tui_client(struct tui *tui)
{
    return tui->connection.client;
}

uint64_t tui_connection(struct tui *tui)
{
    return tui->connection.number;
}

void tui_forget(struct tui *tui, uint64_t call)
{
    if (tui->connection.client != NULL && call != 0)
        gb_client_forget(tui->connection.client, call);
}

/* Nobody waits for the result any more. */
static void uplink_on_unwanted(void *arg, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    struct tui *tui = arg;
    struct gb_subscribed_info told;

    gb_object_take(&gb_subscribed_object, result, &told);
    if (error == NULL && told.subscription > 0)
        tui_unsubscribe(tui, (int64_t)told.subscription, 0);
}

void tui_unsubscribe(struct tui *tui, int64_t subscription, uint64_t call)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    if (tui->connection.client == NULL)
        return;
    if (subscription == 0) {
        gb_client_redirect(tui->connection.client, call, uplink_on_unwanted, tui);
        return;
    }
    gb_json_object(&out, NULL);
    gb_json_put_i64(&out, "subscription", subscription);
    gb_json_end(&out);
    (void)tui_call(tui, "events.unsubscribe", &params, CALL_DEADLINE_MS, NULL, NULL);
    gb_buf_release(&params);
}

static void uplink_on_simple(void *arg, const struct gb_json *result,
                             const struct gb_call_error *error)
{
    struct simple_call *call = arg;

    (void)result;
    if (error != NULL)
        tui_say_error(call->tui, call->what, error);
    else if (call->done[0] != '\0')
        tui_say(call->tui, MESSAGE_GOOD, "%s", call->done);
    gb_list_remove(&call->link);
    free(call);
}

void tui_call_on(struct tui *tui, const char *method, const char *session, const char *done)
{
    struct simple_call *call = xcalloc(1, sizeof(*call));
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    call->tui = tui;
    gb_list_add_tail(&tui->simple_calls, &call->link);
    (void)snprintf(call->what, sizeof(call->what), "%s", method);
    (void)snprintf(call->done, sizeof(call->done), "%s", done != NULL ? done : "");
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    gb_json_end(&out);
    (void)tui_call(tui, method, &params, CALL_DEADLINE_MS, uplink_on_simple, call);
    gb_buf_release(&params);
}
