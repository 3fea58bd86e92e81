/* SPDX-License-Identifier: Apache-2.0 */
/* `glassbell log`: what a session has run, and what it is running.
 *
 * Finished cells are read from the history. To follow, we subscribe first, then read the cells that
 * had ended by then, and then show events as they arrive, skipping cells that were in the history.
 * While the history is being read, events are stored as text. A slow reader loses events (`gap`):
 * cells that ended meanwhile are then read from the history, complete.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/past.h"
#include "model/event.h"
#include "show/cell.h"
#include "show/facts.h"
#include "model/answer.h"
#include "show/traffic.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "verbs/verbs.h"

enum { DEADLINE_MS = 30000, WAITING_MAX = 64u << 20 };

struct log {
    struct app app;
    struct past past;
    struct show show;
    struct show_target target;
    struct gb_buf text;
    struct gb_bytes language;
    bool json, following, failed, over;
    bool gap;              /* events were lost, and the following snapshot has not arrived */
    bool torn;             /* part of the current cell's output was lost */
    uint64_t last;         /* the last cell shown completely */
    uint64_t current;      /* the cell whose start was shown; 0: none */
    struct gb_buf waiting; /* events, one per line, while the history is being read */
};

static bool log_flush(struct log *log)
{
    ssize_t n = gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&log->text), log->text.size);

    gb_buf_clear(&log->text);
    if (n < 0 && !log->failed) {
        if (n != -EPIPE)
            app_say("cannot write: %s", strerror((int)-n));
        log->failed = true;
    }
    return !log->failed;
}

/* Exact output has no place for such a message. */
static void log_say_lost(const struct log *log, const struct gb_cell_info *cell)
{
    bool code = log->show.code && (cell->flags & GB_CELL_CODE_LOST) != 0;
    bool output = log->show.output && (cell->flags & GB_CELL_RESULT_LOST) != 0;

    if (log->target.exact && !log->json && (code || output))
        app_say("the %s of cell %u is lost: the journal is damaged", code ? "code" : "output",
                cell->number);
}

static bool log_on_cell(void *arg, const struct gb_cell_info *cell, const struct gb_json *json)
{
    struct log *log = arg;
    struct gb_json_out out = {.buf = &log->text};

    if (facts_is_running(cell)) { /* the snapshot contains it too */
        if (!log->following && !log->json) {
            show_begin(&log->show, cell, log->language);
            show_note(&log->show, "it is still running");
        }
        return log_flush(log);
    }
    log->last = cell->number;
    log_say_lost(log, cell);
    if (log->json) {
        size_t from = log->text.size;

        json_print(&out, NULL, json);
        json_make_visible(&log->text, from);
        gb_buf_adds(&log->text, "\n");
    } else {
        show_cell(&log->show, cell, log->language);
    }
    return log_flush(log);
}

/* ---- following ---- */

static void log_begin_cell(struct log *log, uint64_t number, const struct gb_cell_info *info)
{
    if (log->json || number <= log->last || log->current == number)
        return;
    log->current = number;
    log->torn = false;
    show_begin(&log->show, info, log->language);
}

/* False: it is invalid, which was reported; nothing more is shown then. */
static bool log_read_cell(struct log *log, const struct gb_json *json,
                          struct gb_cell_info *ret_cell)
{
    struct gb_err err = {0};

    if (json != NULL && gb_object_read(&gb_cell_object, json, ret_cell, &err) == 0)
        return true;
    if (!log->failed && json != NULL)
        app_say_err(&err);
    log->failed = true;
    return false;
}

/* Cells that are already running. */
static void log_on_snapshot(struct log *log, const struct gb_event_info *event)
{
    const struct gb_json *cell = NULL;

    JSON_FOREACH(cell, event->cells) {
        struct gb_cell_info told;

        if (log_read_cell(log, cell, &told) && facts_is_running(&told))
            log_begin_cell(log, told.number, &told);
    }
}

static bool log_is_open(const struct log *log, const struct gb_event_info *event)
{
    const struct gb_json *session = NULL;
    bool found = false;

    JSON_FOREACH(session, event->samples) {
        struct gb_session_info told;

        gb_object_take(&gb_session_object, session, &told);
        found |= gb_bytes_equal(told.id, log->past.id);
    }
    return found;
}

static void log_read_on(struct log *log)
{
    if (!past_read(&log->past, log->last, 0, log_on_cell, log))
        log->failed = true;
    if (log->current <= log->last)
        log->current = 0;
}

/* The snapshot after a gap. */
static void log_on_resumed(struct log *log, const struct gb_event_info *event)
{
    log->gap = false;
    log_read_on(log);
    if (log_is_open(log, event)) {
        log_on_snapshot(log, event);
        log->torn = log->current > 0;
        return;
    }
    if (!log->json)
        show_note(&log->show, "the session has ended");
    log->over = true;
}

static void log_on_finished(struct log *log, uint64_t number, const struct gb_cell_info *info)
{
    struct gb_buf note = {0};

    if (number <= log->last)
        return;
    if (log->json) {
        log_read_on(log);
        return;
    }
    log_begin_cell(log, number, info);
    show_end(&log->show, info);
    if (log->torn) {
        gb_buf_addf(&note, "`glassbell log %s --cell %llu` shows what was left out of it",
                    log->past.id, (unsigned long long)number);
        show_note(&log->show, gb_buf_str(&note));
        gb_buf_release(&note);
    }
    log->last = number;
    log->current = 0;
}

static void log_on_event(struct log *log, const struct gb_event_info *event,
                         const struct gb_json *params)
{
    const struct gb_bytes kind = event->kind;
    const uint32_t number = event->cell;
    struct gb_buf note = {0};
    struct gb_cell_info cell;

    if (gb_bytes_equal(kind, "snapshot") && log->gap) {
        log_on_resumed(log, event);
    } else if (gb_bytes_equal(kind, "snapshot")) {
        log_on_snapshot(log, event);
    } else if (gb_bytes_equal(kind, "cell.started")) {
        if (log_read_cell(log, event->info, &cell))
            log_begin_cell(log, number, &cell);
    } else if (gb_bytes_equal(kind, "cell.output")) {
        if (!log->json && number == log->current)
            show_output(&log->show, params);
    } else if (gb_bytes_equal(kind, "cell.finished")) {
        if (log_read_cell(log, event->info, &cell))
            log_on_finished(log, number, &cell);
    } else if (gb_bytes_equal(kind, "session.rewound")) {
        show_rewound(&note, event->cell);
        if (!log->json)
            show_note(&log->show, gb_buf_str(&note));
    } else if (gb_bytes_equal(kind, "gap")) {
        log->gap = true;
        gb_buf_addf(&note, "too slow: %" PRIu64 " events were left out", event->dropped);
        if (!log->json)
            show_note(&log->show, gb_buf_str(&note));
    } else if (gb_bytes_equal(kind, "session.closed")) {
        gb_buf_addf(&note, "the session has ended: %.*s", (int)event->message.size,
                    (const char *)event->message.data);
        if (!log->json)
            show_note(&log->show, gb_buf_str(&note));
        else
            log_read_on(log);
        log->over = true;
    }
    gb_buf_release(&note);
    (void)log_flush(log);
}

/* Events also arrive while waiting for calls: they are stored, and handled between calls. */
static void log_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct log *log = arg;
    struct gb_json_out out = {.buf = &log->waiting};

    if (strcmp(method, "event") != 0 || params == NULL)
        return;
    if (log->waiting.size > WAITING_MAX) {
        app_say("the session prints more than can be shown");
        log->failed = true;
        return;
    }
    json_print(&out, NULL, params);
    gb_buf_adds(&log->waiting, "\n");
}

static void log_on_closed(void *arg, const struct gb_err *why)
{
    struct log *log = arg;

    if (log->following && !log->over)
        app_say_err(why);
    log->failed = true;
}

static void log_use_events(struct log *log)
{
    while (log->waiting.size > 0 && !log->over && !log->failed) {
        struct gb_buf lines = log->waiting;
        struct gb_json_doc doc = {0};

        log->waiting = (struct gb_buf){0};
        while (lines.size > 0 && !log->over && !log->failed) {
            uint8_t *line = lines.memory + lines.start;
            const uint8_t *newline = memchr(line, '\n', lines.size);
            size_t size = newline != NULL ? (size_t)(newline - line) : lines.size;

            if (gb_json_parse(&doc, line, size, SIZE_MAX, NULL) == 0) {
                struct gb_event_info event;

                gb_object_take(&gb_event_object, &doc.nodes[0], &event);
                log_on_event(log, &event, &doc.nodes[0]);
            }
            gb_buf_consume(&lines, MIN(size + 1, lines.size));
        }
        gb_json_release(&doc);
        gb_buf_release(&lines);
    }
}

static bool log_subscribe(struct log *log)
{
    static const char *const kinds[] = {"cell.started", "cell.output", "cell.finished",
                                        "session.rewound", "session.closed"};
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    gb_json_array(&out, "sessions");
    gb_json_put_str(&out, NULL, log->past.id);
    gb_json_end(&out);
    gb_json_array(&out, "kinds");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        gb_json_put_str(&out, NULL, kinds[i]);
    gb_json_end(&out);
    gb_json_put_bool(&out, "output", !log->json);
    gb_json_put_bool(&out, "replay", !log->json);
    gb_json_end(&out);
    log->app.events = (struct gb_client_events){log_on_notified, log_on_closed};
    log->app.arg = log;
    log->following = true;
    good = app_call(&log->app, "events.subscribe", &params, DEADLINE_MS, NULL, NULL);
    gb_buf_release(&params);
    return good;
}

static bool log_follow(struct log *log)
{
    log_use_events(log);
    while (!log->over && !log->failed) {
        app_turn(&log->app);
        log_use_events(log);
    }
    gb_buf_release(&log->waiting);
    return !log->failed;
}

/* ---- its network ---- */

static bool log_on_record(void *arg, const struct gb_network_record *record,
                          const struct gb_json *json)
{
    struct log *log = arg;
    struct gb_json_out out = {.buf = &log->text};
    time_t whole = (time_t)(record->at_ns / GB_NS_PER_S);
    char clock[32] = "";
    struct tm parts;

    if (log->json) {
        size_t from = log->text.size;

        json_print(&out, NULL, json);
        json_make_visible(&log->text, from);
    } else {
        if (localtime_r(&whole, &parts) == NULL ||
            strftime(clock, sizeof(clock), "%Y-%m-%d %H:%M:%S  ", &parts) == 0)
            clock[0] = '\0';
        gb_buf_adds(&log->text, clock);
        traffic_line(&log->text, record);
    }
    gb_buf_adds(&log->text, "\n");
    return log_flush(log);
}

static bool log_show_network(struct log *log, const char *name)
{
    bool good =
        past_find(&log->app, name, &log->past) && past_read_network(&log->past, log_on_record, log);

    past_release(&log->past);
    return good && !log->failed;
}

/* ---- the recording of a terminal ---- */

struct log_recording {
    struct log *log;
    uint64_t offset;
    bool over;
};

static void log_on_piece(void *arg, const struct gb_json *result)
{
    struct log_recording *recording = arg;
    struct log *log = recording->log;
    struct gb_piece_info piece;
    size_t before = log->text.size;

    gb_object_take(&gb_piece_object, result, &piece);
    if (!gb_bytes_add_decoded(&log->text, piece.data, (piece.flags & GB_PIECE_BASE64) != 0)) {
        log->failed = true;
        return;
    }
    recording->offset += log->text.size - before;
    recording->over = (piece.flags & GB_PIECE_EOF) != 0 || log->text.size == before;
    (void)log_flush(log);
}

/* To standard output, piece by piece. */
static bool log_show_recording(struct log *log, const char *name, uint64_t terminal)
{
    struct log_recording recording = {.log = log};
    bool good = past_find(&log->app, name, &log->past);

    while (good && !log->failed && !recording.over) {
        struct gb_buf params = {0};
        struct gb_json_out out = {.buf = &params};

        gb_json_object(&out, NULL);
        gb_json_put_str(&out, "session", log->past.id);
        gb_json_put_u64(&out, "terminal", terminal);
        gb_json_put_u64(&out, "offset", recording.offset);
        gb_json_end(&out);
        good = app_call(&log->app, "terminal.recording", &params, DEADLINE_MS, log_on_piece,
                        &recording);
        gb_buf_release(&params);
    }
    past_release(&log->past);
    return good && !log->failed;
}

/* ---- the verb ---- */

/* Of --cell or --cast; 0: not given. */
static bool log_read_number(const struct args *args, const char *option, const char *what,
                            uint64_t *ret_number)
{
    const char *text = args_value(args, option);
    double number = 0;

    if (text != NULL &&
        (!args_number(text, 1, 4294967295, &number) || number != (double)(uint64_t)number)) {
        app_say("--%s wants the number of a %s, not %s", option, what, text);
        return false;
    }
    *ret_number = (uint64_t)number;
    return true;
}

static void log_choose(struct log *log, const struct args *args)
{
    bool code = args_has(args, "code"), output = args_has(args, "output");
    bool terminal = isatty(STDOUT_FILENO) == 1;

    log->target = (struct show_target){
        .out = &log->text,
        .terminal = terminal,
        .colour = terminal && getenv("NO_COLOR") == NULL,
        .exact = (code || output) && !terminal,
    };
    log->show = (struct show){
        .ours = &log->target,
        .streams = {&log->target, &log->target},
        .head = !code && !output,
        .code = code || !output,
        .output = output || !code,
    };
}

static bool log_show_log(struct log *log, const char *name, uint64_t number, bool following)
{
    bool good = past_find(&log->app, name, &log->past);

    if (good) {
        log->language = log->past.info.language;
        log->show.languages = app_languages(&log->app);
        following = following && log->past.open;
    }
    if (good && following)
        good = log_subscribe(log);
    if (good)
        good = past_read(&log->past, number > 0 ? number - 1 : 0, number > 0 ? 1 : 0, log_on_cell,
                         log);
    if (good && number > 0 && log->last != number) {
        app_say("the session has no ended cell %llu", (unsigned long long)number);
        good = false;
    }
    if (good && following)
        good = log_follow(log);
    past_release(&log->past);
    return good && !log->failed;
}

static int log_run(const struct args *args)
{
    struct log log = {.json = args_has(args, "json")};
    bool following = args_has(args, "follow"), good;
    uint64_t number, terminal;

    if (args->word_count != 1)
        return app_wrong_use(args, "which session? `glassbell ls --all` shows them");
    if (!log_read_number(args, "cell", "cell", &number) ||
        !log_read_number(args, "cast", "terminal", &terminal))
        return EXIT_USAGE;
    if (terminal > 0 &&
        (following || log.json || number > 0 || args_has(args, "code") || args_has(args, "output")))
        return app_wrong_use(args, "--cast shows a recording instead of cells");
    if (terminal > 0 && isatty(STDOUT_FILENO) == 1)
        return app_wrong_use(args, "a recording is for a file: add `>FILE.cast`");
    if (following && number > 0)
        return app_wrong_use(args, "--follow and --cell exclude each other");
    if (args_has(args, "network") &&
        (following || number > 0 || args_has(args, "code") || args_has(args, "output")))
        return app_wrong_use(args,
                             "--network shows no cells, and can only be combined with --json");
    log_choose(&log, args);
    app_open(&log.app, args);
    if (terminal > 0)
        good = log_show_recording(&log, args->words[0], terminal);
    else if (args_has(args, "network"))
        good = log_show_network(&log, args->words[0]);
    else
        good = log_show_log(&log, args->words[0], number, following);
    app_close(&log.app);
    gb_buf_release(&log.text);
    gb_buf_release(&log.waiting);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option log_options[] = {
    {.letter = 'f',
     .name = "follow",
     .kind = ARG_NONE,
     .help = "continue with new output, until the session ends"},
    {.name = "cell", .value = "N", .kind = ARG_TEXT, .help = "only this cell"},
    {.name = "code", .kind = ARG_NONE, .help = "only the code"},
    {.name = "output", .kind = ARG_NONE, .help = "only the output"},
    {.name = "network",
     .kind = ARG_NONE,
     .help = "its connections instead of its cells: ended ones, refused ones, and who set the "
             "rules"},
    {.name = "cast",
     .value = "TERMINAL",
     .kind = ARG_TEXT,
     .help = "the recording of that terminal instead, as asciicast v2"},
    {.name = "json",
     .kind = ARG_NONE,
     .help = "print each cell or connection as JSON, one per "
             "line"},
    {0},
};

const struct verb verb_log = {
    .name = "log",
    .summary = "show what a session has run, or connected to",
    .usage = "SESSION [options]",
    .options = log_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell log work\n"
                "  glassbell log work --follow\n"
                "  glassbell log work --network\n"
                "  glassbell log work --cell 3 --output >out.txt\n"
                "  glassbell log work --cast 1 >session.cast\n",
    .run = log_run,
};
