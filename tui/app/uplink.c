/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to a server: connecting, losing it, reconnecting; and the first requests. Each
 * uplink does this by itself: what happens to one never delays another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/answer.h"
#include "model/event.h"
#include "rpc/object.h"

enum {
    CALL_DEADLINE_MS = 30000,
    RETRY_FIRST_MS = 200,
    RETRY_MAX_MS = 5000,
    RETRY_FAR_MAX_MS = 60000, /* each attempt is a login there */
    HISTORY_CALLS_MAX = 16,
    PREPARING_SHOWN = 200, /* bytes */
};

static void uplink_on_hello(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct uplink *uplink = arg;

    if (error == NULL)
        store_hello(&uplink->store, result);
    tui_redraw(uplink->tui);
}

static void uplink_on_sessions(void *arg, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    struct uplink *uplink = arg;

    if (error == NULL)
        store_sessions(&uplink->store, result);
    tui_known(uplink->tui);
    tui_redraw(uplink->tui);
}

static void uplink_on_stats(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct uplink *uplink = arg;

    if (error == NULL)
        store_stats(&uplink->store, result);
    tui_redraw(uplink->tui);
}

static void uplink_on_pools(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct uplink *uplink = arg;

    if (error == NULL)
        store_pools(&uplink->store, result);
    tui_redraw(uplink->tui);
}

/* From here on the display is up to date. */
static void uplink_arrive(struct uplink *uplink)
{
    if (uplink->was_up)
        tui_say(uplink->tui, MESSAGE_GOOD, "%s is back",
                uplink->store.name[0] != '\0' ? uplink->store.name : "the server");
    uplink->was_up = true;
    store_set_offline(&uplink->store, false);
}

static void uplink_on_subscribed(void *arg, const struct gb_json *result,
                                 const struct gb_call_error *error)
{
    struct uplink *uplink = arg;
    struct gb_subscribed_info told;

    if (error != NULL && strcmp(error->kind, "unsupported") != 0)
        return; /* the end of the connection is reported elsewhere */
    uplink_arrive(uplink);
    if (error != NULL) {
        /* A server without events: show what there is now. */
        tui_say(uplink->tui, MESSAGE_WARNING,
                "this server sends no events: what is shown does not change");
        (void)uplink_call(uplink, "session.list", NULL, CALL_DEADLINE_MS, uplink_on_sessions,
                          uplink);
        (void)uplink_call(uplink, "pool.status", NULL, CALL_DEADLINE_MS, uplink_on_pools, uplink);
        return;
    }
    gb_object_take(&gb_subscribed_object, result, &told);
    uplink->store.subscription = (int64_t)told.subscription;
}

/* Everything except the output of cells: a few values per second. Without deadlines, which would
 * pass while a slow host lets us in. */
static void uplink_begin(struct uplink *uplink)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "client", "glassbell tui " GB_VERSION);
    gb_json_put_u64(&out, "protocol", 1);
    gb_json_end(&out);
    (void)uplink_call(uplink, "hello", &params, 0, uplink_on_hello, uplink);
    gb_buf_clear(&params);
    out = (struct gb_json_out){.buf = &params};
    gb_json_object(&out, NULL);
    gb_json_put_bool(&out, "output", false);
    gb_json_put_bool(&out, "replay", true);
    gb_json_put_bool(&out, "answers", true); /* question.c */
    gb_json_end(&out);
    (void)uplink_call(uplink, "events.subscribe", &params, 0, uplink_on_subscribed, uplink);
    (void)uplink_call(uplink, "stats", NULL, 0, uplink_on_stats, uplink);
    gb_buf_release(&params);
}

struct history_call {
    struct gb_list link;
    struct uplink *uplink;
    char session[STORE_NAME_MAX];
};

static void uplink_on_history(void *arg, const struct gb_json *result,
                              const struct gb_call_error *error)
{
    struct history_call *call = arg;

    /* A server without a history has nothing to report. */
    if (error == NULL)
        store_history(&call->uplink->store, call->session, result);
    tui_redraw(call->uplink->tui);
    gb_list_remove(&call->link);
    free(call);
}

static void uplink_ask_history(struct uplink *uplink, const struct session *session)
{
    struct history_call *call = xcalloc(1, sizeof(*call));
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    call->uplink = uplink;
    (void)snprintf(call->session, sizeof(call->session), "%s", session->id);
    gb_list_add_tail(&uplink->history_calls, &call->link);
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session->id);
    gb_json_put_u64(&out, "after",
                    session->cells > STORE_HISTORY ? session->cells - STORE_HISTORY : 0);
    gb_json_put_u64(&out, "limit", STORE_HISTORY);
    gb_json_put_bool(&out, "output", false);
    gb_json_put_i64(&out, "offset", -STORE_ERROR_MAX); /* the end is enough */
    gb_json_put_u64(&out, "length", STORE_ERROR_MAX);
    gb_json_end(&out);
    (void)uplink_call(uplink, "session.history", &params, CALL_DEADLINE_MS, uplink_on_history,
                      call);
    gb_buf_release(&params);
}

/* A few at a time: with very many sessions, the rest is requested with the next events. */
static void uplink_look_up(struct uplink *uplink)
{
    struct session *session;

    GB_LIST_FOREACH(session, &uplink->store.sessions, link) {
        if (uplink->client == NULL || gb_client_calls(uplink->client) >= HISTORY_CALLS_MAX)
            return;
        if (store_wants_history(session))
            uplink_ask_history(uplink, session);
    }
}

void uplink_listen(struct uplink *uplink, struct uplink_listener *listener, uplink_notice_cb *call,
                   void *arg)
{
    listener->call = call;
    listener->arg = arg;
    gb_list_add_tail(&uplink->notices, &listener->link);
}

void uplink_unlisten(struct uplink_listener *listener)
{
    gb_list_remove(&listener->link);
}

static void uplink_pass_on(struct uplink *uplink, const char *method, const struct gb_json *params)
{
    struct uplink_listener *listener;

    GB_LIST_FOREACH(listener, &uplink->notices, link)
        listener->call(listener->arg, method, params);
}

/* What is done before a session that we open can start: it may take minutes. */
static void uplink_tell_preparing(struct uplink *uplink, const struct gb_json *params)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_preparing_info info;

    gb_object_take(&gb_preparing_object, params, &info);
    gb_escape(&text, info.text, PREPARING_SHOWN);
    tui_say(uplink->tui, MESSAGE_PLAIN, "%s", gb_buf_str(&text));
}

static void uplink_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct uplink *uplink = arg;
    const char *trouble;

    if (store_notified(&uplink->store, method, params)) {
        trouble = store_new_trouble(&uplink->store);
        if (trouble != NULL)
            tui_say(uplink->tui, MESSAGE_WARNING, "left out: %s", trouble);
        uplink_look_up(uplink);
        tui_redraw(uplink->tui);
    } else if (params != NULL && strcmp(method, "session.preparing") == 0) {
        uplink_tell_preparing(uplink, params);
    } else if (params != NULL) {
        uplink_pass_on(uplink, method, params);
    }
    tui_known(uplink->tui);
}

static void uplink_on_retry(void *arg)
{
    uplink_connect(arg, false);
}

static void uplink_on_closed(void *arg, const struct gb_err *why)
{
    struct uplink *uplink = arg;
    const bool one = uplink->store.name[0] == '\0';
    uint64_t wait = RETRY_FIRST_MS;
    uint64_t most = uplink->place.host != NULL ? RETRY_FAR_MAX_MS : RETRY_MAX_MS;

    /* After the reason why the server could not be started, it is no news that nobody listens. */
    if (uplink->starts || uplink->state == CONNECTION_UP || uplink->why[0] == '\0')
        (void)snprintf(uplink->why, sizeof(uplink->why), "%s", why->message);
    if (uplink->asked)
        tui_say(uplink->tui, MESSAGE_ERROR, "%s%s%s", uplink->store.name, one ? "" : ": ",
                why->message);
    uplink->asked = false;
    if (uplink->state == CONNECTION_UP)
        uplink->attempts = 0;
    uplink->state = CONNECTION_LOST;
    closing_give_up(uplink);
    uplink->store.subscription = 0;
    uplink->store.missed = true;
    if (!one) /* a single one is said to be lost in a more prominent place */
        store_set_offline(&uplink->store, true);
    for (unsigned i = 0; i < uplink->attempts && wait < most; i++)
        wait *= 2;
    uplink->attempts++;
    wait = MIN(wait, most);
    uplink->retry_at = (double)gb_clock_wall_ns() / GB_NS_PER_S + (double)wait / 1000;
    gb_timer_start(uplink->retry, wait);
    tui_redraw(uplink->tui);
}

/* The first answer proves that the server works. */
static void uplink_on_alive(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct uplink *uplink = arg;

    (void)result;
    if (error != NULL)
        return;
    uplink->state = CONNECTION_UP;
    uplink->why[0] = '\0';
    uplink->asked = false;
    tui_redraw(uplink->tui);
}

bool uplink_is_up(const struct uplink *uplink)
{
    return uplink->state == CONNECTION_UP && !uplink->store.offline;
}

const char *uplink_why(const struct uplink *uplink)
{
    return uplink->state == CONNECTION_LOST && uplink->why[0] != '\0' ? uplink->why : NULL;
}

/* Whoever waits for an answer on the connection that is to be replaced hears that none comes.
 * Returns the number of the next call; 0: there was none. */
static uint64_t uplink_give_up(struct uplink *uplink)
{
    struct gb_client *client = TAKE_PTR(uplink->client);
    uint64_t next = 0;
    struct gb_err why = {0};

    if (client == NULL)
        return 0;
    (void)gb_err_set(&why, GB_EBUSY, "the connection is made anew");
    next = gb_client_next_call(client);
    gb_client_give_up(client, &why); /* meanwhile there is none to make calls on */
    return next;
}

void uplink_connect(struct uplink *uplink, bool start_server)
{
    static const struct gb_client_events events = {uplink_on_notified, uplink_on_closed};
    struct gb_client_config config = {.host = uplink->place.host,
                                      .socket = uplink->place.socket,
                                      .program = start_server ? uplink->tui->config.program : NULL};

    gb_timer_stop(uplink->retry);
    config.first_call = uplink_give_up(uplink);
    uplink->number++;
    if (start_server || uplink->place.host != NULL) /* else it takes no time worth telling */
        uplink->retry_at = 0;
    uplink->starts = config.program != NULL;
    uplink->client = gb_client_new(uplink->tui->loop, &config, &events, uplink);
    if (uplink->state != CONNECTION_LOST)
        uplink->state = CONNECTION_DIALING;
    uplink->store.subscription = 0;
    (void)uplink_call(uplink, "pool.status", NULL, 0, uplink_on_alive, uplink);
    uplink_begin(uplink);
}

void uplinks_new(struct tui *tui)
{
    const struct tui_config *config = &tui->config;

    tui->uplinks = xcalloc(config->server_count, sizeof(*tui->uplinks));
    tui->uplink_count = config->server_count;
    for (size_t i = 0; i < tui->uplink_count; i++) {
        struct uplink *uplink = &tui->uplinks[i];

        uplink->tui = tui;
        uplink->place = config->servers[i];
        gb_list_init(&uplink->simple_calls);
        gb_list_init(&uplink->history_calls);
        gb_list_init(&uplink->notices);
        store_init(&uplink->store);
        uplink->store.rank = (unsigned)i;
        if (tui->uplink_count > 1)
            (void)snprintf(uplink->store.name, sizeof(uplink->store.name), "%s",
                           config->servers[i].name);
    }
}

void uplinks_open(struct tui *tui)
{
    for (size_t i = 0; i < tui->uplink_count; i++) {
        tui->uplinks[i].retry = gb_timer_new(tui->loop, uplink_on_retry, &tui->uplinks[i]);
        uplink_connect(&tui->uplinks[i], true);
    }
}

/* A call of which only the result is reported. */
struct simple_call {
    struct gb_list link;
    struct uplink *uplink;
    char what[64];
    char done[128];
};

static void uplink_close(struct uplink *uplink)
{
    struct simple_call *call;
    struct history_call *history;

    GB_LIST_FOREACH(call, &uplink->simple_calls, link) {
        gb_list_remove(&call->link);
        free(call);
    }
    GB_LIST_FOREACH(history, &uplink->history_calls, link) {
        gb_list_remove(&history->link);
        free(history);
    }
    gb_client_free(uplink->client);
    gb_timer_free(uplink->retry);
    store_release(&uplink->store);
}

void uplinks_close(struct tui *tui)
{
    for (size_t i = 0; i < tui->uplink_count; i++)
        uplink_close(&tui->uplinks[i]);
    free(tui->uplinks);
}

size_t tui_uplink_count(const struct tui *tui)
{
    return tui->uplink_count;
}

struct uplink *tui_uplink(struct tui *tui, size_t index)
{
    return &tui->uplinks[index];
}

struct tui *uplink_tui(struct uplink *uplink)
{
    return uplink->tui;
}

struct store *uplink_store(struct uplink *uplink)
{
    return &uplink->store;
}

struct uplink *uplink_of(const struct session *session)
{
    return container_of(session->store, struct uplink, store);
}

struct session *tui_next_session(struct tui *tui, const struct session *after)
{
    struct gb_list *next;
    size_t index = after != NULL ? after->store->rank : 0;

    next = after != NULL ? after->link.next : tui->uplinks[0].store.sessions.next;
    while (next == &tui->uplinks[index].store.sessions) {
        if (++index == tui->uplink_count)
            return NULL;
        next = tui->uplinks[index].store.sessions.next;
    }
    return container_of(next, struct session, link);
}

size_t tui_session_count(struct tui *tui, size_t *ret_gone)
{
    size_t count = 0;

    *ret_gone = 0;
    for (size_t i = 0; i < tui->uplink_count; i++) {
        count += tui->uplinks[i].store.session_count;
        *ret_gone += tui->uplinks[i].store.gone_count;
    }
    return count;
}

struct uplink *tui_uplink_named(struct tui *tui, const char *text, const char **ret_rest)
{
    struct uplink *found = NULL;
    size_t longest = 0;

    *ret_rest = text;
    for (size_t i = 0; i < tui->uplink_count; i++) {
        const char *host = tui->uplinks[i].store.name;
        size_t size = strlen(host);

        if (size > longest && strncmp(text, host, size) == 0 && text[size] == ':') {
            longest = size;
            found = &tui->uplinks[i];
            *ret_rest = text + size + 1;
        }
    }
    return found;
}

void uplink_qualify(const struct uplink *uplink, const char *rest, char *text, size_t room)
{
    const char *host = uplink->store.name;

    (void)snprintf(text, room, "%s%s%s", host, host[0] != '\0' ? ":" : "", rest);
}

/* Whether the call may wait until the link is back: it changes nothing. */
static bool uplink_may_wait(const char *method)
{
    static const char *const reading[] = {
        "hello",           "events.subscribe",    "events.unsubscribe", "stats",
        "pool.status",     "session.list",        "session.history",    "session.checkpoints",
        "session.network", "session.network_log", "file.list",          "file.read",
        "terminal.list"};

    for (size_t i = 0; i < ARRAY_SIZE(reading); i++)
        if (strcmp(reading[i], method) == 0)
            return true;
    return false;
}

static bool uplink_is_lost(const struct uplink *uplink)
{
    return uplink->store.offline || uplink->state == CONNECTION_LOST;
}

static void uplink_say_lost(const struct uplink *uplink)
{
    if (uplink->store.name[0] != '\0')
        tui_say(uplink->tui, MESSAGE_ERROR, "not sent: there is no link to %s", uplink->store.name);
    else
        tui_say(uplink->tui, MESSAGE_ERROR, "not sent: no server; :reconnect starts one");
}

bool uplink_may_ask(const struct uplink *uplink)
{
    if (uplink_is_lost(uplink))
        uplink_say_lost(uplink);
    return !uplink_is_lost(uplink);
}

uint64_t uplink_call(struct uplink *uplink, const char *method, struct gb_buf *params,
                     uint64_t deadline_ms, gb_reply_cb *reply, void *arg)
{
    if (uplink->client == NULL)
        return 0;
    /* What the user asks for now must not happen some time later. */
    if (uplink_is_lost(uplink) && !uplink_may_wait(method)) {
        uplink_say_lost(uplink);
        if (params != NULL)
            gb_buf_clear(params);
        return 0;
    }
    return gb_client_call(uplink->client, method, params, deadline_ms, reply, arg);
}

struct gb_client *uplink_client(struct uplink *uplink)
{
    return uplink->client;
}

uint64_t uplink_connection(const struct uplink *uplink)
{
    return uplink->number;
}

void uplink_forget(struct uplink *uplink, uint64_t call)
{
    if (uplink->client != NULL && call != 0)
        gb_client_forget(uplink->client, call);
}

/* Nobody waits for the result any more. */
static void uplink_on_unwanted(void *arg, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    struct uplink *uplink = arg;
    struct gb_subscribed_info told;

    gb_object_take(&gb_subscribed_object, result, &told);
    if (error == NULL && told.subscription > 0)
        uplink_unsubscribe(uplink, (int64_t)told.subscription, 0);
}

void uplink_unsubscribe(struct uplink *uplink, int64_t subscription, uint64_t call)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    if (uplink->client == NULL)
        return;
    if (subscription == 0) {
        gb_client_redirect(uplink->client, call, uplink_on_unwanted, uplink);
        return;
    }
    gb_json_object(&out, NULL);
    gb_json_put_i64(&out, "subscription", subscription);
    gb_json_end(&out);
    (void)uplink_call(uplink, "events.unsubscribe", &params, CALL_DEADLINE_MS, NULL, NULL);
    gb_buf_release(&params);
}

static void uplink_on_simple(void *arg, const struct gb_json *result,
                             const struct gb_call_error *error)
{
    struct simple_call *call = arg;

    (void)result;
    if (error != NULL)
        tui_say_error(call->uplink->tui, call->what, error);
    else if (call->done[0] != '\0')
        tui_say(call->uplink->tui, MESSAGE_GOOD, "%s", call->done);
    gb_list_remove(&call->link);
    free(call);
}

void uplink_call_on(struct uplink *uplink, const char *method, const char *session,
                    const char *done)
{
    struct simple_call *call = xcalloc(1, sizeof(*call));
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    call->uplink = uplink;
    gb_list_add_tail(&uplink->simple_calls, &call->link);
    (void)snprintf(call->what, sizeof(call->what), "%s", method);
    (void)snprintf(call->done, sizeof(call->done), "%s", done != NULL ? done : "");
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    gb_json_end(&out);
    if (uplink_call(uplink, method, &params, CALL_DEADLINE_MS, uplink_on_simple, call) == 0) {
        gb_list_remove(&call->link);
        free(call);
    }
    gb_buf_release(&params);
}
