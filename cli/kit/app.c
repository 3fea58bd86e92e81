/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hidden.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/preparing.h"
#include "model/answer.h"
#include "model/hello.h"
#include "model/session.h"
#include "rpc/access.h"
#include "rpc/base64.h"
#include "rpc/object.h"

enum { MESSAGE_MAX = 4096, LIST_DEADLINE_MS = 10000 };

/* A connection was abandoned while the thread pool was still connecting. One per process, like its
 * exit. */
static bool still_dialing;

static void app_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct app *app = arg;

    if (!preparing_take(&app->preparing, method, params) && app->events.notified != NULL)
        app->events.notified(app->arg, method, params);
}

static void app_on_closed(void *arg, const struct gb_err *why)
{
    struct app *app = arg;

    preparing_end(&app->preparing);
    if (app->events.closed != NULL)
        app->events.closed(app->arg, why);
}

void app_open_loop(struct app *app)
{
    *app = (struct app){0};
    app->uv = xcalloc(1, sizeof(*app->uv));
    if (uv_loop_init(app->uv) < 0) {
        app_say("cannot create the event loop: too many open files, perhaps");
        exit(EXIT_GLASSBELL);
    }
    app->loop = gb_loop_new(app->uv);
}

static void app_on_hello(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct app *app = arg;
    struct gb_hello_info hello;

    app->greeted = true; /* a failure makes the next call fail too */
    gb_object_take(&gb_hello_object, result, &hello);
    if (hello.languages != NULL)
        (void)gb_languages_read(hello.languages, GB_LANGUAGE_OF_SERVER, &app->languages, NULL);
    if (error == NULL && app->on_hello != NULL)
        app->on_hello(app->arg, &hello);
}

const struct gb_languages *app_languages(struct app *app)
{
    while (!app->greeted)
        app_turn(app);
    return &app->languages;
}

const struct gb_language *app_language(struct app *app, const struct args *args, bool *ret_good)
{
    const char *name = args_value(args, "lang");
    const struct gb_language *language = NULL;
    struct gb_buf names = {0};

    *ret_good = true;
    if (name == NULL)
        return NULL;
    language = gb_languages_of_word(app_languages(app), name);
    *ret_good = language != NULL || app->languages.count == 0;
    if (!*ret_good) {
        gb_languages_add_names(&app->languages, &names);
        (void)app_wrong_use(args, "there is no language %s: %s", name, gb_buf_str(&names));
        gb_buf_release(&names);
    }
    return language;
}

/* Sent before every other call: the journal, leases and quotas identify a client by its name. */
static void app_say_hello(struct app *app, const char *verb)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    _cleanup_(freep) char *name = xasprintf("glassbell %s " GB_VERSION, verb);

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "client", name);
    gb_json_put_u64(&out, "protocol", 1);
    gb_json_end(&out);
    (void)gb_client_call(app->client, "hello", &params, 0, app_on_hello, app);
    gb_buf_release(&params);
}

void app_open(struct app *app, const struct args *args)
{
    static const struct gb_client_events events = {app_on_notified, app_on_closed};
    struct gb_client_config config = {.ask = true};
    struct gb_err err = {0};
    struct server_place place;

    app_open_loop(app);
    if (place_find(args, &place, &err) < 0) {
        app_say("%s", err.message);
        app_exit(EXIT_USAGE);
    }
    config.host = place.host;
    config.socket = place.socket;
    config.program = place.program;
    app->client = gb_client_new(app->loop, &config, &events, app);
    place_release(&place);
    app_say_hello(app, args->verb->name);
}

void app_close(struct app *app)
{
    preparing_end(&app->preparing);
    gb_client_free(app->client);
    app->client = NULL;
    gb_languages_release(&app->languages);
    /* Lets closing handles finish; what a verb left open is cleaned up by the exit. */
    (void)uv_run(app->uv, UV_RUN_NOWAIT);
    gb_loop_free(app->loop);
    app->loop = NULL;
    (void)uv_run(app->uv, UV_RUN_NOWAIT);
    if (uv_loop_close(app->uv) == 0)
        free(app->uv);
    else
        still_dialing = true; /* the thread will report to this loop: keep it */
    app->uv = NULL;
}

_Noreturn void app_exit(int status)
{
    (void)fflush(stdout);
    if (still_dialing)
        _exit(status);
    exit(status);
}

void app_turn(struct app *app)
{
    (void)uv_run(app->uv, UV_RUN_ONCE);
}

struct waiting_call {
    struct app *app;
    app_use *use;
    void *arg;
    bool done, failed;
};

static void app_on_reply(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct waiting_call *call = arg;

    preparing_end(&call->app->preparing);
    call->done = true;
    call->failed = error != NULL;
    if (error != NULL)
        app_say_error(error);
    else if (call->use != NULL)
        call->use(call->arg, result);
}

bool app_call(struct app *app, const char *method, struct gb_buf *params, uint64_t deadline_ms,
              app_use *use, void *arg)
{
    struct waiting_call call = {.app = app, .use = use, .arg = arg};

    (void)gb_client_call(app->client, method, params, deadline_ms, app_on_reply, &call);
    while (!call.done)
        app_turn(app);
    return !call.failed;
}

static void app_put_session(struct gb_buf *params, const char *session)
{
    struct gb_json_out out = {.buf = params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    gb_json_end(&out);
}

bool app_call_on(struct app *app, const char *method, const char *session, uint64_t deadline_ms,
                 app_use *use, void *arg)
{
    struct gb_buf params = {0};
    bool good;

    app_put_session(&params, session);
    good = app_call(app, method, &params, deadline_ms, use, arg);
    gb_buf_release(&params);
    return good;
}

void app_send_on(struct app *app, const char *method, const char *session, uint64_t deadline_ms,
                 gb_reply_cb *reply, void *arg)
{
    struct gb_buf params = {0};

    app_put_session(&params, session);
    (void)gb_client_call(app->client, method, &params, deadline_ms, reply, arg);
    gb_buf_release(&params);
}

struct session_search {
    const char *name;
    char *found;
    size_t matches;
    bool exact;
};

static void app_consider(struct session_search *search, struct gb_bytes id)
{
    free(search->found);
    search->found = xstrndup((const char *)id.data, id.size);
}

static void app_search_sessions(void *arg, const struct gb_json *result)
{
    struct session_search *search = arg;
    const size_t size = strlen(search->name);
    struct gb_sessions_info list;
    struct gb_session_info session;

    gb_object_take(&gb_sessions_object, result, &list);
    for (size_t at = 0; gb_items_next(&gb_session_object, &list.sessions, &at, &session) == 1;) {
        struct gb_bytes id = session.id;
        bool exact = gb_bytes_equal(id, search->name) ||
                     gb_bytes_equal(session.key, search->name) ||
                     gb_bytes_equal(session.label, search->name);
        bool begins = id.size >= size && memcmp(id.data, search->name, size) == 0;

        if (exact && !search->exact) {
            search->exact = true;
            search->matches = 0;
        }
        if (exact || (begins && !search->exact)) {
            search->matches++;
            app_consider(search, id);
        }
    }
}

char *app_find_session(struct app *app, const char *name)
{
    struct session_search search = {.name = name};

    if (name[0] == '\0') {
        app_say("the name of a session is empty: give an id, a key or a label");
        return NULL;
    }
    if (!app_call(app, "session.list", NULL, LIST_DEADLINE_MS, app_search_sessions, &search))
        return NULL;
    if (search.matches == 1)
        return search.found;
    if (search.matches == 0)
        app_say("there is no session %s; `glassbell ls` shows the open ones, and `ls --all` also "
                "those that have ended",
                name);
    else
        app_say("%zu sessions are called %s; give more of the id", search.matches, name);
    free(search.found);
    return NULL;
}

static void app_write(const char *before, struct gb_bytes text, const char *after)
{
    struct gb_buf line = {0};

    gb_buf_adds(&line, before);
    gb_escape(&line, text, MESSAGE_MAX);
    gb_buf_adds(&line, after);
    (void)fflush(stdout);
    (void)gb_fd_write_full(STDERR_FILENO, gb_buf_data(&line), line.size); /* nobody can be told */
    gb_buf_release(&line);
}

void app_say(const char *format, ...)
{
    struct gb_buf text = {0};
    va_list args;

    va_start(args, format);
    gb_buf_vaddf(&text, format, args);
    va_end(args);
    app_write("glassbell: ", gb_buf_bytes(&text), "\n");
    gb_buf_release(&text);
}

static const char *app_advice(const struct gb_call_error *error)
{
    if (error->dispatched)
        return "the code may have run; look before you run it again";
    if (error->code == GB_EUNKNOWN)
        return "it is not known whether this was done; it did not involve running code";
    if (error->retryable)
        return "nothing ran; the same command may work later";
    return "nothing ran";
}

void app_say_error(const struct gb_call_error *error)
{
    struct gb_buf after = {0};

    gb_buf_adds(&after, " (");
    gb_escape(&after, gb_bytes_str(error->kind), sizeof(error->kind));
    gb_buf_addf(&after, ": %s)\n", app_advice(error));
    app_write("glassbell: ", gb_bytes_str(error->message), gb_buf_str(&after));
    gb_buf_release(&after);
}

void app_say_err(const struct gb_err *err)
{
    app_say("%s (%s)", err->message, gb_code_kind(err->code));
}

int app_wrong_use(const struct args *args, const char *format, ...)
{
    struct gb_buf text = {0};
    va_list list;

    va_start(list, format);
    gb_buf_vaddf(&text, format, list);
    va_end(list);
    app_write("glassbell: ", gb_buf_bytes(&text), "\n");
    gb_buf_clear(&text);
    gb_buf_addf(&text, "usage: glassbell %s %s\ntry `glassbell %s --help`\n", args->verb->name,
                args->verb->usage, args->verb->name);
    (void)gb_fd_write_full(STDERR_FILENO, gb_buf_data(&text), text.size);
    gb_buf_release(&text);
    return EXIT_USAGE;
}
