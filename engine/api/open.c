/* SPDX-License-Identifier: Apache-2.0 */
/* A session's life: opened or taken up, watched, closed. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "model/answer.h"
#include "model/network.h"
#include "model/words.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "server/core/server.h"

enum { PORTS_MAX = 64 };

/* ---- what happens to it ---- */

/* It has ended, and its user does not know. */
static void open_tell_closed(struct glassbell_session *session, const struct glassbell_error *why)
{
    if (session->dropped)
        return;
    session->dropped = true;
    if (session->open && session->callbacks.closed != NULL)
        session->callbacks.closed(session->callbacks.arg, session, why);
    api_cells_drop(session);
    api_settle(session);
}

static void open_on_session_closed(struct glassbell_session *session, const struct gb_json *event)
{
    char message[GB_ERR_MESSAGE_MAX];
    const struct glassbell_error why = {.kind = gb_code_kind(GB_ECLOSED), .message = message};

    json_copy(event, "message", message, sizeof(message));
    open_tell_closed(session, &why);
}

static void open_on_question(struct glassbell_session *session, const struct gb_json *json)
{
    struct gb_question_info info;
    struct glassbell_question question;
    struct api_texts texts;

    if (session->dropped || session->callbacks.question == NULL || json == NULL ||
        gb_object_read(&gb_question_object, json, &info, NULL) < 0 ||
        info.question <= session->asked)
        return;
    session->asked = info.question;
    api_texts_init(&texts);
    question = api_question(&info, &texts);
    session->callbacks.question(session->callbacks.arg, session, &question);
    api_texts_release(&texts);
}

static void open_on_listening(struct glassbell_session *session, const struct gb_json *event)
{
    const struct gb_json *list = gb_json_member(event, "ports"), *at;
    uint16_t ports[PORTS_MAX];
    size_t count = 0;
    int64_t port;

    if (session->dropped || session->callbacks.listening == NULL || list == NULL ||
        list->type != GB_JSON_ARRAY)
        return;
    at = gb_json_first(list);
    for (uint32_t i = 0; i < list->count && count < PORTS_MAX; i++, at = gb_json_next(at))
        if (gb_json_integer(at, &port) && port > 0 && port <= UINT16_MAX)
            ports[count++] = (uint16_t)port;
    session->callbacks.listening(session->callbacks.arg, session, ports, count);
}

static void open_read_whether_over(struct api_call *call, const struct gb_json *result,
                                   const struct glassbell_error *error)
{
    (void)result;
    if (error != NULL)
        open_tell_closed(call->session, error);
}

/* The present state, at first and when events were left out. */
static void open_on_snapshot(struct glassbell_session *session, const struct gb_json *event)
{
    const struct gb_json *sessions = gb_json_member(event, "sessions");
    const struct gb_json *questions = gb_json_member(event, "questions"), *at;

    if (!session->dropped && sessions != NULL && sessions->count == 0) {
        struct gb_json_out out;
        struct gb_buf params;

        api_begin(&out, &params, session);
        api_call(session, "session.get", &out, open_read_whether_over, NULL, NULL);
    }
    if (questions == NULL || questions->type != GB_JSON_ARRAY)
        return;
    at = gb_json_first(questions);
    for (uint32_t i = 0; i < questions->count; i++, at = gb_json_next(at))
        open_on_question(session, at);
}

static void open_on_event(struct glassbell_session *session, const struct gb_json *event)
{
    const struct gb_json *kind = gb_json_member(event, "kind");

    if (kind == NULL || kind->type != GB_JSON_STRING)
        return;
    if (gb_bytes_equal(kind->text, "snapshot"))
        open_on_snapshot(session, event);
    else if (gb_bytes_equal(kind->text, "session.closed"))
        open_on_session_closed(session, event);
    else if (gb_bytes_equal(kind->text, "network.question"))
        open_on_question(session, gb_json_member(event, "info"));
    else if (gb_bytes_equal(kind->text, "network.listening"))
        open_on_listening(session, event);
}

static void open_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct glassbell_session *session = arg;

    if (params != NULL && strcmp(method, "event") == 0)
        open_on_event(session, params);
    else if (params != NULL && strcmp(method, "cell.output") == 0)
        api_cells_output(session, params);
}

/* The engine ends, or the connection broke: its calls have been answered. */
static void open_on_disconnected(void *arg, const struct gb_err *why)
{
    struct glassbell_session *session = arg;
    const struct glassbell_error face = api_face(why);

    open_tell_closed(session, &face);
    session->dropped = true;
    api_cells_drop(session);
    api_settle(session);
}

/* ---- opening ---- */

static const struct glassbell_error open_engine_closed = {.kind = "session_closed",
                                                          .message = "the engine is closed"};
static const struct glassbell_error open_ended = {.kind = "session_closed",
                                                  .message = "the session has ended"};

static void open_send_close(struct glassbell_session *session)
{
    struct gb_json_out out;
    struct gb_buf params;

    session->closing = true;
    api_begin(&out, &params, session);
    api_call(session, "session.close", &out, api_read_nothing, NULL, NULL);
}

static void open_fail(struct api_call *call, const struct glassbell_error *error)
{
    struct glassbell_session *session = call->session;

    session->dropped = true;
    api_cells_drop(session);
    /* It was opened for its user, who does not get it. */
    if (session->id != NULL && session->source[0] != '\0' && !session->keeps && !session->closing)
        open_send_close(session);
    if (session->engine->closing)
        error = &open_engine_closed;
    ((glassbell_session_fn *)call->done)(call->arg, NULL, error != NULL ? error : &open_ended);
}

static void open_read_subscribed(struct api_call *call, const struct gb_json *result,
                                 const struct glassbell_error *error)
{
    struct glassbell_session *session = call->session;

    (void)result;
    if (error != NULL || session->dropped) {
        open_fail(call, error);
    } else {
        session->open = true;
        ((glassbell_session_fn *)call->done)(call->arg, session, NULL);
    }
}

void api_session_watch(struct glassbell_session *session, struct gb_bytes id,
                       glassbell_session_fn *opened, void *arg)
{
    struct gb_json_out out;
    struct gb_buf params;

    session->id = xstrndup((const char *)id.data, id.size);
    api_begin(&out, &params, NULL);
    gb_json_array(&out, "sessions");
    gb_json_put_str(&out, NULL, session->id);
    gb_json_end(&out);
    gb_json_array(&out, "kinds");
    gb_json_put_str(&out, NULL, "session.closed");
    if (session->callbacks.question != NULL)
        gb_json_put_str(&out, NULL, "network.question");
    if (session->callbacks.listening != NULL)
        gb_json_put_str(&out, NULL, "network.listening");
    gb_json_end(&out);
    gb_json_put_bool(&out, "answers", session->callbacks.question != NULL);
    api_call(session, "events.subscribe", &out, open_read_subscribed, (api_any_fn *)opened, arg);
}

static void open_read_opened(struct api_call *call, const struct gb_json *result,
                             const struct glassbell_error *error)
{
    struct glassbell_session *session = call->session;
    struct gb_opened_info info;

    if (error != NULL) {
        open_fail(call, error);
        return;
    }
    gb_object_take(&gb_opened_object, result, &info);
    (void)snprintf(session->source, sizeof(session->source), "%s",
                   gb_source_to_string((enum gb_source)info.source));
    api_session_watch(session, info.session, (glassbell_session_fn *)call->done, call->arg);
}

static void open_read_found(struct api_call *call, const struct gb_json *result,
                            const struct glassbell_error *error)
{
    char id[GB_NAME_MAX + 1];

    if (error != NULL) {
        open_fail(call, error);
        return;
    }
    json_copy(result, "session", id, sizeof(id));
    call->session->keeps = json_text(result, "key").data != NULL;
    api_session_watch(call->session, gb_bytes_str(id), (glassbell_session_fn *)call->done,
                      call->arg);
}

struct glassbell_session *api_session_new(struct glassbell *engine,
                                          const struct api_callbacks *callbacks)
{
    static const struct gb_client_events events = {.notified = open_on_notified,
                                                   .closed = open_on_disconnected};
    struct glassbell_session *session = xcalloc(1, sizeof(*session));
    struct gb_client_config config = {0};

    session->engine = engine;
    session->callbacks = *callbacks;
    gb_list_init(&session->cells);
    gb_list_add_tail(&engine->sessions, &session->link);
    if (gb_server_connect(engine->server, &config.connected, &session->err) == 0)
        session->client = gb_client_new(engine->loop, &config, &events, session);
    return session;
}

static struct api_callbacks open_callbacks(const struct glassbell_session_options *options,
                                           void *arg)
{
    return (struct api_callbacks){.closed = options->closed,
                                  .question = options->question,
                                  .listening = options->listening,
                                  .arg = arg};
}

static int open_put_options(struct gb_json_out *out,
                            const struct glassbell_session_options *options, struct gb_err *err)
{
    static const char *const checkpoints[] = {"settings", "off", "asked", "idle", "cell"};
    int r = api_put_policy(out, options->network, options->network_rules, err);

    if (r == 0)
        r = api_put_env(out, options->env, err);
    if (r == 0 && (size_t)options->checkpoints >= ARRAY_SIZE(checkpoints))
        r = gb_err_set(err, GB_EINVALID, "there is no policy %d for checkpoints",
                       (int)options->checkpoints);
    if (r < 0)
        return r;
    if (options->image != NULL)
        gb_json_put_str(out, "image", options->image);
    if (options->memory_mb > 0)
        gb_json_put_u64(out, "memory_mb", options->memory_mb);
    if (options->timeout_ms > 0)
        gb_json_put_u64(out, "timeout_ms", options->timeout_ms);
    gb_json_put_u64(out, "idle_ms", options->idle_ms);
    gb_json_put_u64(out, "lifetime_ms", options->lifetime_ms);
    if (options->wait_ms > 0)
        gb_json_put_u64(out, "wait_ms", options->wait_ms);
    if (options->key != NULL)
        gb_json_put_str(out, "key", options->key);
    if (options->label != NULL)
        gb_json_put_str(out, "label", options->label);
    gb_json_put_str(out, "checkpoints", checkpoints[options->checkpoints]);
    api_put_strings(out, "secrets", options->secrets);
    api_put_strings(out, "packages", options->packages);
    return 0;
}

void glassbell_session_open(struct glassbell *engine,
                            const struct glassbell_session_options *options,
                            glassbell_session_fn *opened, void *arg)
{
    static const struct glassbell_session_options defaults = {0};
    struct api_callbacks callbacks;
    struct glassbell_session *session;
    struct gb_json_out out;
    struct gb_buf params;
    struct gb_err err = {0};

    if (options == NULL)
        options = &defaults;
    callbacks = open_callbacks(options, arg);
    session = api_session_new(engine, &callbacks);
    session->keeps = options->key != NULL;
    api_begin(&out, &params, NULL);
    if (open_put_options(&out, options, &err) == 0) {
        api_call(session, "session.open", &out, open_read_opened, (api_any_fn *)opened, arg);
        return;
    }
    gb_buf_release(&params);
    api_fail(session, &err, open_read_opened, (api_any_fn *)opened, arg);
}

void glassbell_session_attach(struct glassbell *engine, const char *id,
                              const struct glassbell_session_options *options,
                              glassbell_session_fn *opened, void *arg)
{
    static const struct glassbell_session_options defaults = {0};
    const struct api_callbacks callbacks =
        open_callbacks(options != NULL ? options : &defaults, arg);
    struct glassbell_session *session = api_session_new(engine, &callbacks);
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, NULL);
    gb_json_put_str(&out, "session", id);
    api_call(session, "session.get", &out, open_read_found, (api_any_fn *)opened, arg);
}

/* ---- the end ---- */

void glassbell_session_close(struct glassbell_session *session)
{
    if (session->dropped)
        return;
    session->dropped = true;
    api_cells_drop(session);
    open_send_close(session);
}

bool api_session_end(struct glassbell_session *session)
{
    const struct gb_err closed = {.code = GB_ECLOSED, .message = "the engine is closed"};

    session->dropped = true;
    api_cells_drop(session);
    if (session->closing)
        return true;
    if (session->id == NULL) {
        session->closing = true;
        gb_client_end(session->client, &closed); /* the server closes what nobody has got */
        return true;
    }
    if (session->keeps && session->engine->store != NULL)
        return false;
    open_send_close(session);
    return true;
}

const char *glassbell_session_id(const struct glassbell_session *session)
{
    return session->id;
}

const char *glassbell_session_source(const struct glassbell_session *session)
{
    return session->source;
}
