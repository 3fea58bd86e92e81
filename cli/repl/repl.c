/* SPDX-License-Identifier: Apache-2.0 */
/* An interactive session at a prompt.
 *
 * Theory of operation. The verb is one sequence (read a cell, run it, show its results), and every
 * wait in it runs the loop. On a terminal the editor reads cells; without one, lines are collected
 * until the guest says that the cell is complete. While a cell runs, the terminal is in the
 * kernel's line mode: input is only read when the program waits for it, so that type-ahead is kept
 * for the prompt.
 *
 * A guest's output is untrusted: it is filtered by show/filter.h unless --raw is given.
 */
#include "repl/repl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/params.h"
#include "editor/prompt.h"
#include "model/answer.h"
#include "model/event.h"
#include "model/hello.h"
#include "model/session.h"
#include "repl/console.h"
#include "repl/internal.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/facts.h"
#include "show/outcome.h"
#include "show/words.h"

enum {
    CALL_DEADLINE_MS = 30000,
    CLOSE_DEADLINE_MS = 5000,
    CELL_TIMEOUT_MS = GB_TIMEOUT_MAX_MS,
    INTERRUPTS_MAX = 3,
    DISPLAYS_KEPT_MAX = 64u << 20,
    HELD_MAX = 256u << 10, /* output of our cell, until the end of another one is told */
};

/* ---- writing ---- */

static void repl_write_all(int fd, const struct gb_buf *text)
{
    (void)gb_fd_write_full(fd, gb_buf_data(text), text->size); /* nobody can be told */
}

void repl_flush(struct repl *repl)
{
    repl->unheld = repl->unheld || repl->text[0].size + repl->text[1].size > HELD_MAX;
    if (!repl->unheld && repl_follow_holds(repl))
        return;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        struct gb_buf *text = &repl->text[fd - STDOUT_FILENO];

        repl_write_all(fd, text);
        gb_buf_clear(text);
    }
}

/* Chooses how to show output: filtered for a terminal, unless --raw; otherwise verbatim. */
static void repl_choose_show(struct repl *repl)
{
    for (size_t i = 0; i < ARRAY_SIZE(repl->targets); i++)
        repl->targets[i] = (struct show_target){
            .out = &repl->text[i],
            .terminal = repl->tty,
            .colour = repl->colours,
            .exact = repl->raw || !repl->tty,
        };
    repl->show = (struct show){
        .ours = &repl->targets[0],
        .streams = {&repl->targets[0], &repl->targets[1]},
        .output = true,
        .prompt = true,
    };
}

/* ---- the session ---- */

bool repl_call(struct repl *repl, const char *method, struct gb_buf *params, app_use *use,
               void *arg)
{
    return app_call(repl->app, method, params, CALL_DEADLINE_MS, use, arg);
}

static void repl_set_language(struct repl *repl, struct gb_bytes name)
{
    free(repl->language);
    repl->language = xstrndup((const char *)name.data, name.size);
    repl->known = gb_languages_named(&repl->app->languages, name);
}

static void repl_keep_language(void *arg, const struct gb_json *result)
{
    struct gb_session_info session;

    gb_object_take(&gb_session_object, result, &session);
    repl_set_language(arg, session.language);
}

static bool repl_learn_language(struct repl *repl)
{
    return app_call_on(repl->app, "session.get", repl->session, CALL_DEADLINE_MS,
                       repl_keep_language, repl);
}

/* Before the session exists: the language of the image that was asked for. */
static void repl_on_hello(void *arg, const struct gb_hello_info *hello)
{
    struct repl *repl = arg;
    struct gb_buf accel = {0};
    const char *word = args_value(repl->args, "lang"), *wanted = repl->image;
    const struct gb_language *language;
    struct gb_image_info image;

    gb_escape(&accel, hello->accel, 16);
    free(repl->accel);
    repl->accel = gb_buf_take_str(&accel);
    repl->emulated = hello->isolation != GB_ISOLATION_HARDWARE;
    if (wanted == NULL && word != NULL) { /* -l waits for the languages to choose the image */
        language = gb_languages_of_word(&repl->app->languages, word);
        wanted = language != NULL ? language->name : NULL;
    }
    if (wanted == NULL || repl->named != NULL)
        return;
    for (size_t at = 0; gb_items_next(&gb_image_info_object, &hello->images, &at, &image) == 1;)
        if (gb_bytes_equal(image.name, wanted))
            repl_set_language(repl, image.language);
}

static void repl_print_header(const struct repl *repl)
{
    struct gb_buf line = {0};

    gb_buf_adds(&line, "Glassbell " GB_VERSION ", ");
    gb_escape(&line, gb_bytes_str(repl->language), 64);
    if (repl->named == NULL && strcmp(repl->language, repl->image) != 0)
        gb_buf_addf(&line, " (image %s)", repl->image);
    gb_buf_addf(&line, ", accelerator %s", repl->accel != NULL ? repl->accel : "unknown");
    if (repl->emulated)
        gb_buf_addf(&line, "\n%semulation: not a security boundary%s",
                    repl->colours ? "\033[33m" : "", repl->colours ? "\033[0m" : "");
    gb_buf_adds(&line, "\n:help tells what can be done here\n");
    repl_write_all(STDOUT_FILENO, &line);
    gb_buf_release(&line);
}

/* ---- cells ---- */

static void repl_on_notified(void *arg, const char *method, const struct gb_json *params);

static void repl_on_typed_taken(void *arg, const struct gb_json *result,
                                const struct gb_call_error *error)
{
    (void)arg;
    (void)result;
    if (error != NULL && error->code != GB_ENOTFOUND) /* the cell may have ended meanwhile */
        app_say_error(error);
}

static void repl_on_typed(void *arg, struct gb_bytes line)
{
    struct repl *repl = arg;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    if (!repl->running)
        return;
    if (line.size > 0 && line.data[line.size - 1] == '\n')
        repl->show.in_line = false; /* the terminal has ended the program's line */
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", repl->session);
    gb_json_put_bytes(&out, "text", "base64", line);
    gb_json_put_bool(&out, "eof", line.size == 0);
    gb_json_end(&out);
    (void)gb_client_call(repl->app->client, "session.stdin", &params, CALL_DEADLINE_MS,
                         repl_on_typed_taken, repl);
    gb_buf_release(&params);
}

/* Output of a finished cell may also arrive while the next one is being typed. */
static void repl_show_output(struct repl *repl, const struct gb_json *params)
{
    if (repl->running) {
        show_output(&repl->show, params);
        repl_flush(repl);
    } else {
        console_step_aside(repl->console);
        show_output(&repl->show, params);
        show_end_output(&repl->show);
        repl_flush(repl);
        console_step_back(repl->console);
    }
}

static void repl_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct repl *repl = arg;
    struct gb_waiting_info waiting;

    if (strcmp(method, "event") == 0) {
        repl_follow_event(repl, params);
        return;
    }
    if (repl->session == NULL || !gb_bytes_equal(json_text(params, "session"), repl->session))
        return;
    if (strcmp(method, "cell.output") == 0) {
        repl_show_output(repl, params);
    } else if (!repl->running) {
        return;
    } else if (strcmp(method, "cell.started") == 0) {
        gb_object_take(&gb_started_object, params, &waiting);
        repl_follow_started(repl, waiting.cell);
    } else if (strcmp(method, "cell.waiting") == 0 && repl->console != NULL) {
        gb_object_take(&gb_waiting_object, params, &waiting);
        console_want_line(repl->console,
                          (waiting.flags & GB_WAITING_ON) != 0 ? repl_on_typed : NULL, repl);
    }
}

static void repl_drop_displays(struct repl *repl)
{
    size_t total = 0;

    for (size_t i = 0; i < REPL_DISPLAYS_MAX; i++) {
        struct display *display =
            &repl->displays[(repl->display_count - i) % REPL_DISPLAYS_MAX]; /* newest first */

        total += display->data.size;
        if (total > DISPLAYS_KEPT_MAX) {
            gb_buf_release(&display->data);
            free(display->mime);
            *display = (struct display){0};
        }
    }
}

static void repl_keep_display(struct repl *repl, const struct gb_display_info *display)
{
    unsigned number = ++repl->display_count;
    struct display *kept = &repl->displays[number % REPL_DISPLAYS_MAX];
    struct gb_buf line = {0}, mime = {0};
    const char *ending = "bin";

    gb_buf_release(&kept->data);
    free(kept->mime);
    *kept = (struct display){.number = number};
    gb_escape(&mime, display->mime, GB_MIME_MAX);
    kept->mime = gb_buf_take_str(&mime);
    facts_display_bytes(&kept->data, display);
    if (strcmp(kept->mime, "image/png") == 0)
        ending = "png";
    else if (strcmp(kept->mime, "image/svg+xml") == 0)
        ending = "svg";
    else if (strcmp(kept->mime, "text/html") == 0)
        ending = "html";
    gb_buf_adds(&line, "[");
    show_display(&line, display);
    gb_buf_addf(&line, ": :save %u plot.%s]\n", number, ending);
    repl_write_all(STDOUT_FILENO, &line);
    gb_buf_release(&line);
    repl_drop_displays(repl);
}

static void repl_keep_timing(struct repl *repl, const struct gb_cell_info *cell)
{
    char memory[32], wall[32], cpu[32];

    words_duration(wall, sizeof(wall), facts_ms(cell->wall_ns));
    words_duration(cpu, sizeof(cpu), facts_ms(cell->cpu_ns));
    words_size(memory, sizeof(memory), (double)cell->peak_memory);
    gb_buf_clear(&repl->timing);
    gb_buf_addf(&repl->timing, "cell %u: %s, %s of processor time, peak memory %s\n", cell->number,
                wall, cpu, memory);
}

static void repl_advise(void *arg, const char *sentence)
{
    (void)arg;
    app_say("%s", sentence);
}

static void repl_show_cell(struct repl *repl, const struct gb_cell_info *cell)
{
    const struct outcome outcome = outcome_of(cell);
    struct gb_display_info display;
    char text[64];

    show_end(&repl->show, cell);
    repl_flush(repl);
    for (size_t at = 0; gb_items_next(&gb_display_object, &cell->displays, &at, &display) == 1;)
        repl_keep_display(repl, &display);
    if (outcome.left_out > 0) {
        outcome_left_out(outcome.left_out, text, sizeof(text));
        app_say("%s", text);
    }
    outcome_advise(&outcome, repl_advise, NULL);
    outcome_word(&outcome, text, sizeof(text));
    if (repl->console != NULL)
        prompt_ended(repl->language, gb_bytes_str(repl->code), text[0] != '\0' ? text : "ok");
    repl_keep_timing(repl, cell);
}

static void repl_on_cell(void *arg, const struct gb_json *cell, const struct gb_call_error *error)
{
    struct repl *repl = arg;
    struct gb_cell_info told;
    struct gb_err err = {0};

    repl->running = false;
    repl->done = true;
    repl_follow_ended(repl);
    if (error == NULL && gb_object_read(&gb_cell_object, cell, &told, &err) == 0) {
        repl_show_cell(repl, &told);
        return;
    }
    show_end_output(&repl->show);
    repl_flush(repl);
    if (error == NULL) {
        app_say_err(&err);
        return;
    }
    app_say_error(error);
    if (error->code == GB_ECLOSED || error->code == GB_EUNKNOWN || error->code == GB_ENOTFOUND)
        repl->failed = repl->stopped = true;
}

void repl_run_cell(struct repl *repl, const char *code)
{
    const char *time = args_value(repl->args, "time");
    double seconds = CELL_TIMEOUT_MS / 1000.0;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    if (time != NULL)
        (void)args_number(time, 0.001, seconds, &seconds); /* checked when the verb started */
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", repl->session);
    gb_json_put_str(&out, "code", code);
    gb_json_put_bool(&out, "stream", true);
    gb_json_put_bool(&out, "interactive", repl->tty);
    gb_json_put_u64(&out, "timeout_ms", (uint64_t)(seconds * 1000));
    gb_json_end(&out);
    repl->code = code;
    repl->running = true;
    repl->done = false;
    repl->interrupts = 0;
    repl->unheld = false;
    repl_follow_sent(repl);
    (void)gb_client_call(repl->app->client, "session.exec", &params, 0, repl_on_cell, repl);
    gb_buf_release(&params);
    while (!repl->done && !repl->stopped)
        app_turn(repl->app);
    repl_follow_show(repl);
    if (repl->console != NULL)
        console_want_line(repl->console, NULL, NULL);
}

/* ---- signals ---- */

static void repl_on_signal(void *arg, int signum)
{
    struct repl *repl = arg;

    switch (signum) {
    case SIGWINCH:
        if (repl->console != NULL)
            console_resized(repl->console);
        break;
    case SIGCONT:
        if (repl->console != NULL)
            console_continued(repl->console);
        repl_follow_show(repl);
        break;
    case SIGINT:
        repl->interrupts++;
        if (!repl->running && repl->console != NULL) {
            console_interrupt(repl->console);
        } else if (!repl->running) {
            repl->stopped = !repl->tty;
        } else if (repl->interrupts <= INTERRUPTS_MAX) {
            app_send_on(repl->app, "session.interrupt", repl->session, CALL_DEADLINE_MS, NULL,
                        NULL);
            if (repl->interrupts == INTERRUPTS_MAX)
                app_say("the cell does not end; press Ctrl-C again to leave it");
        } else {
            repl->stopped = true;
            repl->ended_by = SIGINT;
        }
        break;
    default:
        repl->stopped = true;
        repl->ended_by = signum;
        break;
    }
}

/* ---- cells from a terminal ---- */

static void repl_turn(void *arg)
{
    const struct repl *repl = arg;

    app_turn(repl->app);
}

static void repl_say_err(void *arg, const struct gb_err *err)
{
    (void)arg;
    app_say_err(err);
}

static void repl_run_terminal(struct repl *repl)
{
    const struct console_config config = {
        .history = repl->language,
        .language = repl->known,
        .colour = repl->colours,
        .patience_ms = REPL_KEY_DEADLINE_MS,
        .hooks = {repl_ask_if_complete, repl_ask_matches, repl_ask_description, repl_turn,
                  repl_say_err, repl},
    };

    repl->console = console_new(repl->app->loop, &config);
    if (repl->console == NULL) {
        app_say("the terminal cannot be opened for typing: %s", strerror(errno));
        repl->failed = true;
        return;
    }
    console_be_patient(repl->console, repl->opening.busy);
    while (!repl->quit && !repl->stopped) {
        char *text = NULL;

        if (console_read(repl->console, &repl->stopped, &text) != CONSOLE_TEXT)
            break;
        if (repl_is_farewell(text))
            repl->quit = true;
        else if (repl_wait_opened(repl) && !repl_command(repl, text))
            repl_run_cell(repl, text);
        free(text);
    }
    repl_forget_asks(repl);
    console_free(TAKE_PTR(repl->console));
}

/* ---- the verb ---- */

static void repl_on_closed(void *arg, const struct gb_err *why)
{
    struct repl *repl = arg;

    if (repl->session == NULL || repl->stopped)
        return; /* the waiting call reports it */
    console_step_aside(repl->console);
    if (!repl->running)
        app_say_err(why);
    repl->failed = repl->stopped = true;
}

/* A person gets the prompt while the session is still being opened, if its language is known. */
static bool repl_begin(struct repl *repl)
{
    if (repl->named != NULL) {
        repl->session = app_find_session(repl->app, repl->named);
        if (repl->session == NULL || !repl_learn_language(repl))
            return false;
        repl_send_asks(repl);
    } else {
        if (!repl_start_opening(repl))
            return false;
        if (repl->tty)
            (void)app_languages(repl->app);
        if ((!repl->tty || repl->language == NULL) && !repl_wait_opened(repl))
            return false;
        if (repl->language == NULL && !repl_learn_language(repl))
            return false;
    }
    repl_follow_begin(repl);
    if (repl->tty)
        repl_print_header(repl);
    return true;
}

static void repl_end(struct repl *repl)
{
    repl_end_opening(repl);
    repl_follow_end(repl);
    if (repl->owned && repl->session != NULL && !repl->failed) {
        /* Nobody waits for the VM's end, but the request has to be sent. */
        app_send_on(repl->app, "session.close", repl->session, CLOSE_DEADLINE_MS, NULL, NULL);
        while (gb_client_queued(repl->app->client) > 0)
            app_turn(repl->app);
    }
    for (size_t i = 0; i < REPL_DISPLAYS_MAX; i++) {
        gb_buf_release(&repl->displays[i].data);
        free(repl->displays[i].mime);
    }
    for (size_t i = 0; i < ARRAY_SIZE(repl->text); i++)
        gb_buf_release(&repl->text[i]);
    gb_buf_release(&repl->timing);
    free(repl->session);
    free(repl->language);
    free(repl->accel);
}

int repl_run(const struct args *args)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT};
    struct gb_signal *handlers[ARRAY_SIZE(signals)];
    const char *no_colour = getenv("NO_COLOR");
    struct repl repl = {.args = args};
    struct app app;
    double seconds;
    int status;

    if (args->word_count > 1)
        return app_wrong_use(args, "one session at a time");
    if (args_has(args, "time") &&
        !args_number(args_value(args, "time"), 0.001, CELL_TIMEOUT_MS / 1000.0, &seconds))
        return app_wrong_use(args, "-t wants seconds, not %s", args_value(args, "time"));
    app_open(&app, args);
    repl.app = &app;
    repl.named = args->word_count > 0 ? args->words[0] : NULL;
    repl.tty = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
    repl.raw = args_has(args, "raw");
    repl.follow.off = args_has(args, "no-others");
    repl.colours =
        repl.tty && isatty(STDERR_FILENO) != 0 && (no_colour == NULL || no_colour[0] == '\0');
    repl_choose_show(&repl);
    app.events = (struct gb_client_events){repl_on_notified, repl_on_closed};
    app.on_hello = repl_on_hello;
    app.arg = &repl;
    repl.image = params_image(&app, args);
    if (repl.image == NULL) {
        app_close(&app);
        return EXIT_USAGE;
    }
    if (repl_begin(&repl)) {
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
            handlers[i] = gb_signal_new(app.loop, signals[i], repl_on_signal, &repl);
        if (repl.tty)
            repl_run_terminal(&repl);
        else
            repl_pipe(&repl);
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
            gb_signal_free(handlers[i]);
    } else {
        repl.failed = true;
    }
    status = repl.ended_by != 0 ? 128 + repl.ended_by : repl.failed ? EXIT_GLASSBELL : 0;
    repl_end(&repl);
    app_close(&app);
    return status;
}
