/* SPDX-License-Identifier: Apache-2.0 */
#include "tty/tty.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/params.h"
#include "kit/input.h"
#include "kit/output.h"
#include "model/terminal.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum {
    START_DEADLINE_MS = 600000, /* the VM may have to wait for capacity */
    CALL_DEADLINE_MS = 30000,
    TYPED_MAX = 64 * 1024,    /* unsent bytes above which no more is read */
    UNSHOWN_MAX = 256 * 1024, /* bytes not accepted by our terminal above which no more is
                               * requested */
    TTY_SIGNALS = 7,
};

/* The state of the escape sequence: at the start, at the start of a line, after ~. */
enum tty_escape { ESCAPE_NONE, ESCAPE_LINE, ESCAPE_TILDE };

struct tty {
    struct app *app;
    const struct args *args; /* of the verb: a session as the user calls it, and a program; -e */
    const char *session;     /* its id */
    uint32_t attach;         /* to this terminal; 0: a program is started */
    bool watch;              /* nothing is typed */
    uint64_t number;
    struct input *input;
    struct output *output;
    struct gb_signal *signals[TTY_SIGNALS];
    struct termios before;
    bool raw;
    bool stops;          /* SIGTSTP has come */
    bool begun;          /* there is a program, and we are attached to it */
    bool resizing;       /* a request is in flight */
    bool repaint;        /* our screen was lost: another one follows even if the size is the same */
    struct winsize size; /* as last told */
    enum tty_escape escape;
    struct gb_buf typed;
    bool under_way; /* a piece is in flight */
    bool over, left;
    int status;
    struct gb_buf message; /* why it is over */
};

/* Resets what a program may have set, if the server does not report its end. */
static const char tty_reset[] = "\033[0m\033[?1l\033[?1000l\033[?1002l\033[?1003l\033[?1004l"
                                "\033[?1006l\033[?2004l\033[?25h\033>\r\n";

/* ---- our terminal ---- */

static bool tty_make_raw(struct tty *tty)
{
    struct termios raw;

    if (!tty->begun && tcgetattr(STDIN_FILENO, &tty->before) < 0)
        return false;
    raw = tty->before;
    cfmakeraw(&raw);
    tty->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    return tty->raw;
}

static void tty_make_cooked(struct tty *tty)
{
    if (tty->raw)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &tty->before);
    tty->raw = false;
}

/* Of our terminal, within the limits; 0: unknown. */
static struct winsize tty_size(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
        return (struct winsize){0};
    return (struct winsize){
        .ws_row = (unsigned short)MIN((unsigned)size.ws_row, (unsigned)GB_TERMINAL_ROWS_MAX),
        .ws_col = (unsigned short)MIN((unsigned)size.ws_col, (unsigned)GB_TERMINAL_COLUMNS_MAX)};
}

static void tty_put_size(struct tty *tty, struct gb_json_out *out)
{
    tty->size = tty_size();
    if (tty->size.ws_row == 0)
        return;
    gb_json_put_u64(out, "rows", tty->size.ws_row);
    gb_json_put_u64(out, "columns", tty->size.ws_col);
}

static bool tty_is_in_foreground(void)
{
    return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* ---- calls ---- */

static void tty_begin_params(const struct tty *tty, struct gb_json_out *out, struct gb_buf *params)
{
    *out = (struct gb_json_out){.buf = params};
    gb_json_object(out, NULL);
    gb_json_put_str(out, "session", tty->session);
    if (tty->number > 0)
        gb_json_put_u64(out, "terminal", tty->number);
}

static void tty_end(struct tty *tty, int status, const char *message)
{
    if (tty->over)
        return;
    tty->over = true;
    tty->status = status;
    gb_buf_adds(&tty->message, message != NULL ? message : "");
}

static void tty_send_typed(struct tty *tty);

static void tty_on_sent(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct tty *tty = arg;

    (void)result;
    tty->under_way = false;
    if (error != NULL && error->code == GB_EHELD)
        output_write(tty->output, gb_bytes_str("\a")); /* another client types now */
    else if (error != NULL && error->code != GB_ENOTFOUND)
        tty_end(tty, EXIT_GLASSBELL, error->message);
    tty_send_typed(tty);
}

static void tty_send_typed(struct tty *tty)
{
    struct gb_buf params = {0};
    struct gb_json_out out;

    input_pause(tty->input, tty->typed.size > TYPED_MAX);
    if (tty->under_way || tty->typed.size == 0 || tty->over)
        return;
    tty_begin_params(tty, &out, &params);
    gb_json_put_bytes(&out, "text", "base64", gb_buf_bytes(&tty->typed));
    gb_json_end(&out);
    gb_buf_clear(&tty->typed);
    tty->under_way = true;
    (void)gb_client_call(tty->app->client, "terminal.input", &params, 0, tty_on_sent, tty);
    gb_buf_release(&params);
}

/* ---- what is typed ---- */

/* As in ssh: ~ at the start of a line, then a dot. Two ~ send one. */
static void tty_type(struct tty *tty, uint8_t byte)
{
    bool tilde = tty->escape == ESCAPE_TILDE;

    if (tilde && byte == '.') {
        tty->left = true;
        tty_end(tty, 0, NULL);
        return;
    }
    if (tty->escape == ESCAPE_LINE && byte == '~') {
        tty->escape = ESCAPE_TILDE;
        return;
    }
    if (tilde && byte != '~')
        gb_buf_add_u8(&tty->typed, '~');
    gb_buf_add_u8(&tty->typed, byte);
    tty->escape = byte == '\r' || byte == '\n' ? ESCAPE_LINE : ESCAPE_NONE;
}

static void tty_on_input(void *arg, struct gb_bytes bytes)
{
    struct tty *tty = arg;

    if (bytes.size == 0) { /* our terminal is gone */
        tty->left = true;
        tty_end(tty, 128 + SIGHUP, NULL);
        return;
    }
    for (size_t i = 0; i < bytes.size && !tty->over; i++)
        tty_type(tty, bytes.data[i]);
    if (tty->watch)
        gb_buf_clear(&tty->typed);
    tty_send_typed(tty);
}

/* ---- descriptions for clients ---- */

static void tty_on_ended(struct tty *tty, const struct gb_json *params)
{
    _cleanup_(freep) char *message = NULL;
    struct gb_terminal_info end;
    struct gb_err err;

    if (gb_object_read(&gb_terminal_end_object, params, &end, &err) < 0) {
        tty_end(tty, EXIT_GLASSBELL, err.message);
    } else if (end.message.data != NULL) {
        message = xstrndup((const char *)end.message.data, end.message.size);
        tty_end(tty, EXIT_GLASSBELL, message);
    } else {
        tty_end(tty, end.signal > 0 ? 128 + (int)end.signal : (int)end.exit_code & 255, NULL);
    }
}

static void tty_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct tty *tty = arg;
    struct gb_screen_info screen;
    struct gb_buf bytes = {0};

    if (params == NULL || tty->number == 0 || json_count(params, "terminal") != tty->number ||
        !gb_bytes_equal(json_text(params, "session"), tty->session))
        return;
    gb_object_take(&gb_screen_object, params, &screen);
    if (strcmp(method, "terminal.output") == 0 &&
        gb_bytes_add_decoded(&bytes, screen.data, (screen.flags & GB_SCREEN_BASE64) != 0))
        output_write(tty->output, gb_buf_bytes(&bytes));
    else if (strcmp(method, "terminal.ended") == 0)
        tty_on_ended(tty, params);
    else if (strcmp(method, "terminal.taken") == 0)
        output_write(tty->output, gb_bytes_str("\a"));
    gb_buf_release(&bytes);
    gb_client_pause(tty->app->client, output_queued(tty->output) > UNSHOWN_MAX);
}

static void tty_on_drained(void *arg)
{
    struct tty *tty = arg;

    gb_client_pause(tty->app->client, false);
}

static void tty_on_broken(void *arg, int sys_errno)
{
    struct tty *tty = arg;

    (void)sys_errno;
    tty->left = true;
    tty_end(tty, 128 + SIGHUP, NULL);
}

static void tty_on_closed(void *arg, const struct gb_err *why)
{
    tty_end(arg, EXIT_GLASSBELL, why->message);
}

static void tty_follow_size(struct tty *tty);

static void tty_on_resized(void *arg, const struct gb_json *result,
                           const struct gb_call_error *error)
{
    struct tty *tty = arg;

    (void)result;
    (void)error; /* the program has ended, which is told by itself */
    tty->resizing = false;
    tty_follow_size(tty);
}

/* One request at a time: the next one has the size of then. */
static void tty_follow_size(struct tty *tty)
{
    const struct winsize size = tty_size();
    bool same = size.ws_row == tty->size.ws_row && size.ws_col == tty->size.ws_col;
    struct gb_buf params = {0};
    struct gb_json_out out;

    if (!tty->begun || tty->resizing || tty->over || (same && !tty->repaint))
        return;
    tty->resizing = true;
    tty->repaint = false;
    tty_begin_params(tty, &out, &params);
    tty_put_size(tty, &out);
    gb_json_end(&out);
    (void)gb_client_call(tty->app->client, "terminal.resize", &params, CALL_DEADLINE_MS,
                         tty_on_resized, tty);
    gb_buf_release(&params);
}

/* Until everything is written, or cannot be. */
static void tty_drain(const struct tty *tty)
{
    while (output_queued(tty->output) > 0 && tty->status != 128 + SIGHUP)
        app_turn(tty->app);
}

/* As the terminal would do it for a program that does not handle it; returns when we are
 * continued. A shell finds our terminal as it was. */
static void tty_stop(struct tty *tty)
{
    struct sigaction standard = {.sa_handler = SIG_DFL}, ours;

    if (tty->raw) {
        output_write(tty->output, gb_bytes_str(tty_reset));
        tty_drain(tty);
    }
    tty_make_cooked(tty);
    (void)sigaction(SIGTSTP, &standard, &ours); /* cannot fail */
    (void)raise(SIGTSTP);
    (void)sigaction(SIGTSTP, &ours, NULL);
}

/* We were stopped, whatever by: others have used our terminal since. */
static void tty_continue(struct tty *tty)
{
    if (!tty->begun || tty->over || !tty_is_in_foreground())
        return;
    if (!tty_make_raw(tty)) {
        tty_end(tty, 128 + SIGHUP, NULL);
        return;
    }
    tty->repaint = true;
    tty_follow_size(tty);
    tty_send_typed(tty); /* reads again */
}

static void tty_on_signal(void *arg, int signum)
{
    struct tty *tty = arg;

    if (signum == SIGWINCH) {
        tty_follow_size(tty);
    } else if (signum == SIGTSTP) {
        tty->stops = true;
    } else if (signum == SIGCONT) {
        tty_continue(tty);
    } else {
        tty->left = true;
        tty_end(tty, 128 + signum, NULL);
    }
}

/* ---- begin and end ---- */

static void tty_on_begun(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct tty *tty = arg;

    if (error != NULL && !tty->over)
        app_say_error(error);
    if (error != NULL) {
        tty_end(tty, EXIT_GLASSBELL, NULL);
        return;
    }
    if (tty->number == 0)
        tty->number = json_count(result, "terminal");
    tty->begun = tty_make_raw(tty);
    if (!tty->begun)
        tty_end(tty, EXIT_GLASSBELL, "our terminal cannot be used");
    else
        input_pause(tty->input, false);
    tty_follow_size(tty); /* it may have changed meanwhile */
}

static bool tty_begin(struct tty *tty)
{
    const struct args *args = tty->args;
    struct gb_buf params = {0};
    struct gb_json_out out;
    bool good = true;

    tty->number = tty->attach;
    tty_begin_params(tty, &out, &params);
    tty_put_size(tty, &out);
    if (tty->attach > 0)
        gb_json_put_bool(&out, "watch", tty->watch);
    else
        good = params_put_env(args, &out);
    if (args->word_count > 1)
        gb_json_array(&out, "args");
    for (size_t i = 1; i < args->word_count; i++)
        gb_json_put_str(&out, NULL, args->words[i]);
    if (args->word_count > 1)
        gb_json_end(&out);
    gb_json_end(&out);
    if (good)
        (void)gb_client_call(tty->app->client,
                             tty->attach > 0 ? "terminal.attach" : "session.terminal", &params,
                             START_DEADLINE_MS, tty_on_begun, tty);
    gb_buf_release(&params);
    return good;
}

static void tty_leave(struct tty *tty)
{
    struct gb_buf params = {0};
    struct gb_json_out out;

    tty_begin_params(tty, &out, &params);
    gb_json_end(&out);
    /* The answer brings its screen. */
    (void)app_call(tty->app, "terminal.detach", &params, CALL_DEADLINE_MS, NULL, NULL);
    gb_buf_release(&params);
}

static void tty_finish(struct tty *tty)
{
    bool lost = tty->message.size > 0 && !tty->left;

    if (tty->left && tty->status == 0)
        tty_leave(tty);
    tty->app->events = (struct gb_client_events){0};
    if (tty->raw && (lost || (tty->left && tty->status != 0)))
        output_write(tty->output, gb_bytes_str(tty_reset));
    tty_drain(tty);
    tty_make_cooked(tty);
    if (lost)
        app_say("%s", gb_buf_str(&tty->message));
    else if (tty->left && tty->status == 0)
        app_say("left; the program goes on: glassbell shell --attach %llu %s",
                (unsigned long long)tty->number, tty->args->words[0]);
}

/* Signals are only noted by their callbacks: stopping has to write first, for which it uses the
 * loop. */
static void tty_turn(struct tty *tty)
{
    app_turn(tty->app);
    if (!tty->stops || tty->over)
        return;
    tty->stops = false;
    tty_stop(tty);
    tty_continue(tty);
}

/* Until it is over; then our terminal is as it was. */
static void tty_run(struct tty *tty)
{
    static const int signals[TTY_SIGNALS] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT,
                                             SIGQUIT,  SIGTSTP, SIGCONT};
    struct app *app = tty->app;

    tty->output = output_new(app->loop, STDOUT_FILENO, tty_on_drained, tty_on_broken, tty);
    tty->input = input_new(app->loop, STDIN_FILENO, tty_on_input, tty);
    input_pause(tty->input, true);
    app->events = (struct gb_client_events){.notified = tty_on_notified, .closed = tty_on_closed};
    app->arg = tty;
    for (size_t i = 0; i < TTY_SIGNALS; i++)
        tty->signals[i] = gb_signal_new(app->loop, signals[i], tty_on_signal, tty);
    if (tty_begin(tty)) {
        while (!tty->over)
            tty_turn(tty);
    }
    if (tty->over)
        tty_finish(tty);
    tty_make_cooked(tty);
    app->events = (struct gb_client_events){0};
    app->arg = NULL;
    for (size_t i = 0; i < TTY_SIGNALS; i++)
        gb_signal_free(tty->signals[i]);
    input_free(tty->input);
    output_free(tty->output);
    gb_buf_release(&tty->typed);
    gb_buf_release(&tty->message);
}

int tty_main(const struct args *args, uint32_t attach, bool watch)
{
    _cleanup_(freep) char *session = NULL;
    struct app app;
    struct tty tty = {.app = &app,
                      .args = args,
                      .attach = attach,
                      .watch = watch,
                      .escape = ESCAPE_LINE,
                      .status = EXIT_GLASSBELL};

    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
        return app_wrong_use(args, "this needs a terminal; `glassbell exec SESSION -f FILE` and "
                                   "`-c CODE` do not");
    app_open(&app, args);
    session = app_find_session(&app, args->words[0]);
    if (session != NULL) {
        tty.session = session;
        tty_run(&tty);
    }
    app_close(&app);
    return tty.status;
}
