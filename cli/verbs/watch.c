/* SPDX-License-Identifier: Apache-2.0 */
/* watch: shows a session's activity as plain text; sends nothing to it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cli/app.h"
#include "kit/output.h"
#include "model/event.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/cell.h"
#include "verbs/verbs.h"

enum { DEADLINE_MS = 30000, NOTE_MAX = 400, QUEUE_MAX = 1 << 20 };

struct watching {
    struct app app;
    struct output *out, *err;
    struct show show;
    struct show_target targets[2]; /* standard output, standard error */
    struct show_target ours;       /* also on standard error, and always filtered */
    struct gb_buf text[2];         /* their buffers, until written */
    char language[32];
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

/* A slow reader causes backpressure on the server's events; the server drops some and reports
 * that. */
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
    (void)sys_errno; /* nobody reads any more: that is how one stops watching */
    watch_end(arg, 0);
}

/* Writes what has been rendered. Our own lines go to standard error, so that standard output
 * contains only the cells'. */
static void watch_flush(struct watching *watching)
{
    output_write(watching->out, gb_buf_bytes(&watching->text[0]));
    output_write(watching->err, gb_buf_bytes(&watching->text[1]));
    gb_buf_clear(&watching->text[0]);
    gb_buf_clear(&watching->text[1]);
}

static void watch_note(struct watching *watching, const char *what, struct gb_bytes more)
{
    struct gb_buf text = {0};

    gb_buf_addf(&text, "%s%.*s", what, (int)MIN(more.size, (size_t)NOTE_MAX),
                (const char *)more.data);
    show_note(&watching->show, gb_buf_str(&text));
    gb_buf_release(&text);
}

static void watch_rewound(struct watching *watching, const struct gb_event_info *event)
{
    struct gb_buf note = {0};

    show_rewound(&note, event->cell);
    watch_note(watching, gb_buf_str(&note), gb_bytes_str(""));
    gb_buf_release(&note);
}

static void watch_cell(struct watching *watching, struct gb_bytes kind, const struct gb_json *info)
{
    struct gb_cell_info cell;
    struct gb_err err = {0};

    if (info == NULL)
        return;
    if (gb_object_read(&gb_cell_object, info, &cell, &err) < 0)
        watch_note(watching, err.message, gb_bytes_str(""));
    else if (gb_bytes_equal(kind, "cell.started"))
        show_begin(&watching->show, &cell, gb_bytes_str(watching->language));
    else
        show_end(&watching->show, &cell);
}

static void watch_event(struct watching *watching, const struct gb_event_info *event,
                        const struct gb_json *params)
{
    const struct gb_bytes kind = event->kind;

    if (gb_bytes_equal(kind, "cell.started") || gb_bytes_equal(kind, "cell.finished"))
        watch_cell(watching, kind, event->info);
    else if (gb_bytes_equal(kind, "cell.output"))
        show_output(&watching->show, params);
    else if (gb_bytes_equal(kind, "cell.waiting") && (event->flags & GB_EVENT_WAITING) != 0)
        watch_note(watching, "it waits for input", gb_bytes_str(""));
    else if (gb_bytes_equal(kind, "lease.changed") && (event->flags & GB_EVENT_HAS_LEASE) != 0)
        watch_note(watching, "held by ", event->lease.holder);
    else if (gb_bytes_equal(kind, "lease.changed"))
        watch_note(watching, event->note.size > 0 ? "held by nobody: " : "held by nobody",
                   event->note);
    else if (gb_bytes_equal(kind, "session.rewound"))
        watch_rewound(watching, event);
    else if (gb_bytes_equal(kind, "gap"))
        watch_note(watching, "too slow: some events were left out", gb_bytes_str(""));
    else if (gb_bytes_equal(kind, "session.closed"))
        watch_note(watching, "the session has ended: ", event->message);
    watch_flush(watching);
}

static void watch_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct watching *watching = arg;
    struct gb_event_info event;

    if (strcmp(method, "event") != 0 || params == NULL || watching->over)
        return;
    gb_object_take(&gb_event_object, params, &event);
    if (watching->json) {
        struct gb_buf text = {0};
        struct gb_json_out out = {.buf = &text};

        json_print(&out, NULL, params);
        json_make_visible(&text, 0);
        gb_buf_adds(&text, "\n");
        output_write(watching->out, gb_buf_bytes(&text));
        gb_buf_release(&text);
    } else {
        watch_event(watching, &event, params);
    }
    if (gb_bytes_equal(event.kind, "session.closed"))
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

static bool watch_begin_events(struct watching *watching, const char *session, bool replay)
{
    static const char *const kinds[] = {"cell.started",  "cell.output",   "cell.waiting",
                                        "cell.finished", "lease.changed", "session.rewound",
                                        "session.closed"};
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

/* Output to a pipe or file is verbatim. */
static void watch_choose_show(struct watching *watching)
{
    for (int i = 0; i < 2; i++) {
        bool terminal = isatty(STDOUT_FILENO + i) == 1;

        watching->targets[i] = (struct show_target){
            .out = &watching->text[i],
            .terminal = terminal,
            .colour = terminal && getenv("NO_COLOR") == NULL,
            .exact = !terminal,
        };
    }
    watching->ours = (struct show_target){
        .out = &watching->text[1],
        .terminal = watching->targets[1].terminal,
        .colour = watching->targets[1].colour,
    };
    watching->show = (struct show){
        .ours = &watching->ours,
        .streams = {&watching->targets[0], &watching->targets[1]},
        .head = true,
        .code = true,
        .output = true,
        .languages = app_languages(&watching->app),
    };
}

static void watch_keep_language(void *arg, const struct gb_json *session)
{
    struct watching *watching = arg;
    struct gb_session_info told;

    gb_object_take(&gb_session_object, session, &told);
    json_copy_text(told.language, watching->language, sizeof(watching->language));
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
        watch_choose_show(&watching);
        watching.out = output_new(watching.app.loop, STDOUT_FILENO, watch_on_drained,
                                  watch_on_broken, &watching);
        watching.err = output_new(watching.app.loop, STDERR_FILENO, watch_on_drained,
                                  watch_on_broken, &watching);
        watching.app.events = (struct gb_client_events){watch_on_notified, watch_on_closed};
        watching.app.arg = &watching;
        if (app_call_on(&watching.app, "session.get", session, DEADLINE_MS, watch_keep_language,
                        &watching) &&
            watch_begin_events(&watching, session, args_has(args, "replay")))
            while (!watching.over)
                app_turn(&watching.app);
        while (output_queued(watching.out) + output_queued(watching.err) > 0 &&
               watching.status == 0)
            app_turn(&watching.app);
        output_free(watching.out);
        output_free(watching.err);
        gb_buf_release(&watching.text[0]);
        gb_buf_release(&watching.text[1]);
    }
    free(session);
    app_close(&watching.app);
    return watching.status;
}

static const struct option watch_options[] = {
    {.name = "replay", .kind = ARG_NONE, .help = "begin with what has happened so far"},
    {.name = "json", .kind = ARG_NONE, .help = "print events as JSON, one per line"},
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
