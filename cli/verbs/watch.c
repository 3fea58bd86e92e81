/* SPDX-License-Identifier: Apache-2.0 */
/* watch: what a session does, as plain text; nothing is sent to it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/app.h"
#include "rpc/access.h"
#include "show/filter.h"
#include "cli/output.h"
#include "verbs/verbs.h"

enum { DEADLINE_MS = 30000, CODE_LINE_MAX = 400, QUEUE_MAX = 1 << 20 };

struct watching {
    struct app app;
    struct output *out, *err;
    struct filter filters[2]; /* standard output, standard error */
    bool terminal[2];
    bool json, subscribed, over;
    int64_t subscription;
    int status;
};

static void watch_end(struct watching *watching, int status)
{
    if (!watching->over)
        watching->status = status;
    watching->over = true;
}

/* A reader that is slow holds the server's events back, which drops and says so. */
static void watch_hold(struct watching *watching)
{
    size_t queued = output_queued(watching->out) + output_queued(watching->err);

    gb_client_pause(watching->app.client, queued > QUEUE_MAX);
}

static void watch_on_drained(void *arg)
{
    watch_hold(arg);
}

static void watch_on_broken(void *arg, int sys_errno)
{
    (void)sys_errno; /* nobody reads any more: that is how one stops to watch */
    watch_end(arg, 0);
}

/* A line of ours, on standard error, so that standard output is the cells' own. */
static void watch_tell(struct watching *watching, const struct gb_buf *text)
{
    output_write(watching->err, gb_buf_bytes(text));
}

static void watch_tell_started(struct watching *watching, const struct gb_json *params)
{
    const struct gb_json *info = json_member(params, "info");
    struct gb_bytes code = json_text(info, "code"), client = json_text(info, "client");
    struct gb_buf text = {0};

    gb_buf_addf(&text, "── %.0f ", json_number(params, "cell"));
    gb_escape(&text, client, 80);
    gb_buf_adds(&text, "\n");
    while (code.size > 0) {
        const uint8_t *line_end = memchr(code.data, '\n', code.size);
        size_t size = line_end == NULL ? code.size : (size_t)(line_end - code.data);

        gb_buf_adds(&text, "│ ");
        gb_escape(&text, (struct gb_bytes){code.data, size}, CODE_LINE_MAX);
        gb_buf_adds(&text, "\n");
        size += line_end != NULL;
        code.data += size;
        code.size -= size;
    }
    watch_tell(watching, &text);
    gb_buf_release(&text);
}

static void watch_tell_finished(struct watching *watching, const struct gb_json *params)
{
    const struct gb_json *info = json_member(params, "info");
    const struct gb_json *code = json_member(info, "exit_code");
    struct gb_bytes value = json_text(info, "value"), signal = json_text(info, "signal");
    struct gb_buf text = {0};

    for (size_t i = 0; i < 2; i++) {
        struct gb_buf rest = {0};

        filter_end(&watching->filters[i], &rest);
        output_write(i == 0 ? watching->out : watching->err, gb_buf_bytes(&rest));
        gb_buf_release(&rest);
    }
    if (value.size > 0) {
        gb_buf_adds(&text, "= ");
        gb_escape(&text, value, CODE_LINE_MAX);
        gb_buf_adds(&text, "\n");
    }
    gb_buf_addf(&text, "── %.0f %s %.3f s", json_number(params, "cell"),
                code != NULL && code->type == GB_JSON_NUMBER && gb_json_number(code) == 0 ? "✓"
                                                                                          : "✕",
                json_number(info, "wall_ms") / 1000);
    if (code != NULL && code->type == GB_JSON_NUMBER && gb_json_number(code) != 0)
        gb_buf_addf(&text, ", exit %.0f", gb_json_number(code));
    if (signal.size > 0) {
        gb_buf_adds(&text, ", ");
        gb_escape(&text, signal, 20);
    }
    if (json_true(info, "timed_out"))
        gb_buf_adds(&text, ", out of time");
    if (json_true(info, "interrupted"))
        gb_buf_adds(&text, ", interrupted");
    if (json_true(info, "oom"))
        gb_buf_adds(&text, ", out of memory");
    if (json_true(info, "state_lost"))
        gb_buf_adds(&text, ", state lost");
    gb_buf_adds(&text, "\n");
    watch_tell(watching, &text);
    gb_buf_release(&text);
}

static void watch_tell_output(struct watching *watching, const struct gb_json *params)
{
    bool is_error = gb_bytes_equal(json_text(params, "stream"), "stderr");
    struct gb_buf bytes = {0}, shown = {0};

    if (json_add_bytes(&bytes, params, "text", "base64")) {
        /* What goes into a pipe or file goes as it is. */
        if (watching->terminal[is_error])
            filter_add(&watching->filters[is_error], &shown, gb_buf_bytes(&bytes));
        output_write(is_error ? watching->err : watching->out,
                     gb_buf_bytes(watching->terminal[is_error] ? &shown : &bytes));
    }
    gb_buf_release(&bytes);
    gb_buf_release(&shown);
}

static void watch_tell_line(struct watching *watching, const char *what, struct gb_bytes more)
{
    struct gb_buf text = {0};

    gb_buf_addf(&text, "── %s ", what);
    gb_escape(&text, more, CODE_LINE_MAX);
    gb_buf_adds(&text, "\n");
    watch_tell(watching, &text);
    gb_buf_release(&text);
}

static void watch_tell_event(struct watching *watching, const struct gb_json *params)
{
    struct gb_bytes kind = json_text(params, "kind");
    const struct gb_json *lease = json_member(params, "lease");

    if (gb_bytes_equal(kind, "cell.started"))
        watch_tell_started(watching, params);
    else if (gb_bytes_equal(kind, "cell.output"))
        watch_tell_output(watching, params);
    else if (gb_bytes_equal(kind, "cell.finished"))
        watch_tell_finished(watching, params);
    else if (gb_bytes_equal(kind, "cell.waiting") && json_true(params, "waiting"))
        watch_tell_line(watching, "waits for input", gb_bytes_str(""));
    else if (gb_bytes_equal(kind, "lease.changed") && lease != NULL &&
             lease->type == GB_JSON_OBJECT)
        watch_tell_line(watching, "held by", json_text(lease, "holder"));
    else if (gb_bytes_equal(kind, "lease.changed"))
        watch_tell_line(watching, "held by nobody", json_text(params, "note"));
    else if (gb_bytes_equal(kind, "gap"))
        watch_tell_line(watching, "some events were too many and are left out", gb_bytes_str(""));
    else if (gb_bytes_equal(kind, "session.closed"))
        watch_tell_line(watching, "closed:", json_text(params, "message"));
}

static void watch_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct watching *watching = arg;

    if (strcmp(method, "event") != 0 || params == NULL || watching->over)
        return;
    if (watching->json) {
        struct gb_buf text = {0};
        struct gb_json_out out = {.buf = &text};

        json_print(&out, NULL, params);
        json_make_visible(&text, 0);
        gb_buf_adds(&text, "\n");
        output_write(watching->out, gb_buf_bytes(&text));
        gb_buf_release(&text);
    } else {
        watch_tell_event(watching, params);
    }
    if (gb_bytes_equal(json_text(params, "kind"), "session.closed"))
        watch_end(watching, 0);
    watch_hold(watching);
}

static void watch_on_closed(void *arg, const struct gb_err *why)
{
    struct watching *watching = arg;

    if (!watching->over)
        app_say_err(why);
    watch_end(watching, EXIT_GLASSBELL);
}

static bool watch_subscribe(struct watching *watching, const char *session, bool replay)
{
    static const char *const kinds[] = {"cell.started",  "cell.output",    "cell.waiting",
                                        "cell.finished", "session.closed", "lease.changed"};
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    gb_json_array(&out, "sessions");
    gb_json_put_str(&out, NULL, session);
    gb_json_end(&out);
    gb_json_array(&out, "kinds");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        gb_json_put_str(&out, NULL, kinds[i]);
    gb_json_end(&out);
    gb_json_put_bool(&out, "output", true);
    gb_json_put_bool(&out, "replay", replay);
    gb_json_end(&out);
    good = app_call(&watching->app, "events.subscribe", &params, DEADLINE_MS, NULL, NULL);
    gb_buf_release(&params);
    return good;
}

static int watch_run(const struct args *args)
{
    struct watching watching = {.json = args_has(args, "json"), .status = EXIT_GLASSBELL};
    char *session;

    if (args->word_count != 1)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    app_open(&watching.app, args);
    session = app_find_session(&watching.app, args->words[0]);
    if (session != NULL) {
        watching.terminal[0] = isatty(STDOUT_FILENO) == 1;
        watching.terminal[1] = isatty(STDERR_FILENO) == 1;
        watching.out = output_new(watching.app.loop, STDOUT_FILENO, watch_on_drained,
                                  watch_on_broken, &watching);
        watching.err = output_new(watching.app.loop, STDERR_FILENO, watch_on_drained,
                                  watch_on_broken, &watching);
        watching.app.events = (struct gb_client_events){watch_on_notified, watch_on_closed};
        watching.app.arg = &watching;
        if (watch_subscribe(&watching, session, args_has(args, "replay")))
            while (!watching.over)
                app_turn(&watching.app);
        while (output_queued(watching.out) + output_queued(watching.err) > 0 &&
               watching.status == 0)
            app_turn(&watching.app);
        output_free(watching.out);
        output_free(watching.err);
    }
    free(session);
    app_close(&watching.app);
    return watching.status;
}

static const struct option watch_options[] = {
    {.name = "replay", .kind = ARG_NONE, .help = "begin with what it did before"},
    {.name = "json", .kind = ARG_NONE, .help = "the events as JSON, one a line"},
    {0},
};

const struct verb verb_watch = {
    .name = "watch",
    .summary = "print what a session does, as plain text",
    .usage = "SESSION [options]",
    .options = watch_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell watch work\n"
                "  glassbell watch work --json | jq .kind\n",
    .run = watch_run,
};
