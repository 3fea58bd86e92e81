/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: its host, its server, its end, and calls of the protocol.
 *
 * It ends in steps, each of which begins when the one before is over (engine_step): sessions that
 * are not kept are closed; the server ends, which puts those that are kept on disk, and closes all
 * connections; nothing uses the host any more. */
#include "internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/paths.h"
#include "rpc/access.h"
#include "server/core/server.h"
#include "server/parts.h"
#include "vm/host.h"

enum { CALL_NODES_MAX = 4096 };

const char *glassbell_version(void)
{
    return GB_VERSION;
}

const char *glassbell_accelerator(const struct glassbell *engine)
{
    return gb_accel_name(engine->host->accel);
}

/* ---- the end ---- */

static void engine_on_host_unused(void *arg)
{
    struct glassbell *engine = arg;
    void (*closed)(void *arg) = engine->closed;
    void *user = engine->closed_arg;
    glassbell_open_fn *opened = engine->opened;
    const struct gb_err err = engine->err;
    const struct glassbell_error face = api_face(&err);
    void *opener = engine->arg;

    gb_settings_release(&engine->settings);
    gb_host_free(engine->host);
    gb_loop_undefer(&engine->deferred);
    gb_loop_free(engine->loop);
    free(engine->store);
    free(engine);
    if (opened != NULL)
        opened(opener, NULL, &face);
    else if (closed != NULL)
        closed(user);
}

static void engine_step(void *arg)
{
    struct glassbell *engine = arg;
    struct glassbell_session *session;
    bool wait = false;

    if (engine->server == NULL) {
        engine_on_host_unused(engine);
        return;
    }
    GB_LIST_FOREACH(session, &engine->sessions, link)
        if (!engine->ending)
            wait = api_session_end(session) || wait;
    if (!engine->ending && !wait) {
        engine->ending = true;
        gb_server_shutdown(engine->server, false, 0);
    } else if (engine->has_ended && engine->client == NULL && gb_list_empty(&engine->sessions) &&
               engine->refused == 0) {
        gb_server_free_then(TAKE_PTR(engine->server), engine_on_host_unused, engine);
    }
}

static void engine_go_on(struct glassbell *engine)
{
    if (engine->closing)
        gb_loop_defer(engine->loop, &engine->deferred, engine_step, engine);
}

static void engine_on_ended(void *arg)
{
    struct glassbell *engine = arg;

    engine->has_ended = true;
    engine_go_on(engine);
}

static void engine_on_disconnected(void *arg, const struct gb_err *why)
{
    struct glassbell *engine = arg;

    (void)why;
    gb_client_free(TAKE_PTR(engine->client));
    engine_go_on(engine);
}

void glassbell_close(struct glassbell *engine, void (*closed)(void *arg), void *arg)
{
    struct glassbell_session *session;

    engine->closing = true;
    engine->closed = closed;
    engine->closed_arg = arg;
    GB_LIST_FOREACH(session, &engine->sessions, link)
        session->dropped = true; /* nothing is called for them but what was promised */
    engine_go_on(engine);
}

/* ---- opening ---- */

static void engine_fail(struct glassbell *engine, const struct gb_err *err)
{
    engine->err = *err;
    engine->closing = true;
    gb_loop_defer(engine->loop, &engine->deferred, engine_step, engine);
}

static void engine_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct glassbell *engine = arg;
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};

    if (engine->notified == NULL || engine->closing || params == NULL)
        return;
    json_print(&out, NULL, params);
    engine->notified(engine->arg, method, gb_buf_str(&text));
}

/* The server answers when sessions that are in the store are there. */
static void engine_on_hello(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct glassbell *engine = arg;
    struct gb_err err = {0};

    (void)result;
    if (error != NULL) {
        (void)gb_err_set(&err, error->code, "%s", error->message);
        engine_fail(engine, &err);
        return;
    }
    TAKE_PTR(engine->opened)(engine->arg, engine, NULL);
}

static int engine_connect(struct glassbell *engine, struct gb_err *err)
{
    static const struct gb_client_events events = {.notified = engine_on_notified,
                                                   .closed = engine_on_disconnected};
    struct gb_client_config config = {0};
    int r = gb_server_connect(engine->server, &config.connected, err);

    if (r < 0)
        return r;
    engine->client = gb_client_new(engine->loop, &config, &events, engine);
    (void)gb_client_call(engine->client, "hello", NULL, 0, engine_on_hello, engine);
    return 0;
}

static char *engine_folder(const struct glassbell *engine, const char *name)
{
    return engine->store != NULL ? xasprintf("%s/%s", engine->store, name) : NULL;
}

static void engine_on_host(void *arg, struct gb_host *host, const struct gb_err *err)
{
    struct glassbell *engine = arg;
    _cleanup_(freep) char *journal = engine_folder(engine, "journal");
    _cleanup_(freep) char *casts = engine_folder(engine, "terminals");
    _cleanup_(freep) char *past = engine_folder(engine, "past");
    const struct gb_server_config config = {.parts = gb_server_parts,
                                            .settings = &engine->settings,
                                            .state = journal,
                                            .casts = casts,
                                            .past = past,
                                            .ended = engine_on_ended,
                                            .arg = engine};
    struct gb_err problem = {0};

    engine->host = host;
    if (host == NULL) {
        engine_fail(engine, err);
        return;
    }
    engine->server = gb_server_new(engine->loop, host, &config);
    if (gb_server_start(engine->server, &problem) < 0) {
        engine->ending = engine->has_ended = true; /* it never began */
        engine_fail(engine, &problem);
        return;
    }
    if (engine_connect(engine, &problem) < 0)
        engine_fail(engine, &problem);
}

/* What belongs to the server of a user, and to no library in another program. */
static void engine_limit_settings(struct gb_settings *settings)
{
    free(settings->journal.path);
    settings->journal.path = xstrdup("");
    settings->server.idle_exit_ms = 0;
}

static int engine_read_settings(struct glassbell *engine, const char *path, struct gb_err *err)
{
    int r = 0;

    if (path != NULL)
        r = gb_settings_load(path, &engine->settings, err);
    else
        gb_settings_init(&engine->settings);
    if (r == 0)
        engine_limit_settings(&engine->settings);
    return r;
}

/* libuv writes to sockets in a way that raises it: a peer of a session that hangs up must not end
 * the program. */
static void engine_ignore_sigpipe(void)
{
    struct sigaction now;

    if (sigaction(SIGPIPE, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
        now.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN); /* allowed: its one use that is the same everywhere */
}

void glassbell_open(uv_loop_t *loop, const struct glassbell_options *options,
                    glassbell_open_fn *opened, void *arg)
{
    static const struct glassbell_options defaults = {0};
    struct glassbell *engine = xcalloc(1, sizeof(*engine));
    _cleanup_(freep) char *run = gb_path_runtime();
    _cleanup_(freep) char *cache = gb_path_cache();
    struct gb_host_config config = {.run = run, .cache = cache};
    struct gb_err err = {0};

    if (options == NULL)
        options = &defaults;
    engine_ignore_sigpipe();
    engine->loop = gb_loop_new(loop);
    engine->opened = opened;
    engine->arg = arg;
    engine->notified = options->notified;
    engine->on_session_gone = engine_go_on;
    engine->store = options->store != NULL ? xstrdup(options->store) : NULL;
    gb_list_init(&engine->sessions);
    config.images = options->images;
    if (options->state != NULL)
        config.run = config.cache = options->state;
    config.launcher = options->launcher;
    config.require_isolation = options->require_isolation;
    if (engine_read_settings(engine, options->settings, &err) < 0)
        engine_fail(engine, &err);
    else
        gb_host_open(engine->loop, &config, engine_on_host, engine);
}

/* ---- calls of the protocol ---- */

struct engine_call {
    struct glassbell *engine;
    glassbell_call_fn *done;
    void *arg;
    struct gb_err err;
    struct gb_deferred deferred;
};

static void engine_on_answer(void *arg, const struct gb_json *result,
                             const struct gb_call_error *error)
{
    struct engine_call *call = arg;
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};
    struct glassbell_error face;

    if (error != NULL) {
        face = api_told(error);
        call->done(call->arg, NULL, &face);
    } else {
        json_print(&out, NULL, result);
        call->done(call->arg, gb_buf_str(&text), NULL);
    }
    free(call);
}

static void engine_on_refused(void *arg)
{
    struct engine_call *call = arg;
    const struct glassbell_error face = api_face(&call->err);

    call->done(call->arg, NULL, &face);
    call->engine->refused--;
    engine_go_on(call->engine);
    free(call);
}

/* One line, since that is what a message is. */
static int engine_read_params(const char *text, struct gb_buf *ret_params, struct gb_err *err)
{
    _cleanup_(gb_json_release) struct gb_json_doc doc = {0};
    _cleanup_(gb_buf_release) struct gb_buf copy = {0};
    struct gb_json_out out = {.buf = ret_params};
    int r;

    if (text == NULL)
        return 0;
    gb_buf_adds(&copy, text);
    r = gb_json_parse(&doc, copy.memory + copy.start, copy.size, CALL_NODES_MAX, err);
    if (r < 0)
        return gb_err_wrap(err, r, "the parameters");
    if (doc.nodes[0].type != GB_JSON_OBJECT)
        return gb_err_set(err, GB_EINVALID, "the parameters must be a JSON object");
    json_print(&out, NULL, &doc.nodes[0]);
    return 0;
}

static int engine_check_call(const struct glassbell *engine, const char *method, struct gb_err *err)
{
    if (engine->client == NULL)
        return gb_err_set(err, GB_ECLOSED, "the engine is closed");
    if (strcmp(method, "server.shutdown") == 0)
        return gb_err_set(err, GB_EUNSUPPORTED, "an engine is ended by glassbell_close()");
    return 0;
}

void glassbell_call(struct glassbell *engine, const char *method, const char *params,
                    glassbell_call_fn *done, void *arg)
{
    struct engine_call *call = xcalloc(1, sizeof(*call));
    _cleanup_(gb_buf_release) struct gb_buf line = {0};
    int r = engine_check_call(engine, method, &call->err);

    call->engine = engine;
    call->done = done;
    call->arg = arg;
    if (r == 0)
        r = engine_read_params(params, &line, &call->err);
    if (r == 0) {
        (void)gb_client_call(engine->client, method, &line, 0, engine_on_answer, call);
        return;
    }
    engine->refused++;
    gb_loop_defer(engine->loop, &call->deferred, engine_on_refused, call);
}
