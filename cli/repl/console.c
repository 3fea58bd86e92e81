/* SPDX-License-Identifier: Apache-2.0 */
#include "repl/console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "editor/prompt.h"
#include "editor/redisplay.h"
#include "input/parser.h"
#include "kit/outside.h"
#include "platform/file.h"

enum { LINE_BYTES_MAX = 4096, COLUMNS_UNKNOWN = 80, ROWS_UNKNOWN = 24 };

struct console {
    const struct console_config *config;
    int fd; /* the terminal, reopened only for us: reading never blocks */
    struct gb_watch *watch;
    struct gb_timer *deadline, *escape;
    struct input_parser parser;
    struct redisplay redisplay;
    struct redisplay_look look;
    struct prompt_draft draft;
    struct gb_buf out, first; /* first: the prompt, preceded by the editing mode */
    struct termios before;    /* the terminal's modes while it is not raw */
    bool raw, pastes;
    bool patient; /* answers take any time */
    bool reading, done, eof;
    uint64_t whole; /* the question answered with yes before the key was processed; 0: none */
    char *text;     /* a complete cell */
    char *edited;   /* text to be edited externally */
    char *note;     /* what is shown below the text; NULL: nothing */
    void (*typed)(void *arg, struct gb_bytes line);
    void *typed_arg;
};

/* ---- the terminal ---- */

static void console_flush(struct console *console)
{
    (void)gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&console->out), console->out.size);
    gb_buf_clear(&console->out);
}

/* Characters arrive as they are typed; the kernel still handles signals and output. */
static void console_make_raw(struct console *console)
{
    struct termios raw;

    if (console->raw || tcgetattr(console->fd, &raw) != 0)
        return;
    if ((raw.c_lflag & ICANON) != 0) /* a shell may have restored our own raw modes */
        console->before = raw;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | ISTRIP);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    console->raw = tcsetattr(console->fd, TCSADRAIN, &raw) == 0;
    console->pastes = console->pastes && !console->look.dumb;
    gb_buf_adds(&console->out, console->pastes ? "\033[?2004h" : "");
}

static void console_make_cooked(struct console *console)
{
    if (!console->raw)
        return;
    gb_buf_adds(&console->out, console->pastes ? "\033[?2004l" : "");
    console_flush(console);
    (void)tcsetattr(console->fd, TCSADRAIN, &console->before);
    console->raw = false;
}

static void console_measure(struct console *console)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;

    console->look.columns = known ? size.ws_col : COLUMNS_UNKNOWN;
    console->look.rows = known ? size.ws_row : ROWS_UNKNOWN;
}

/* ---- painting ---- */

/* The indicator that readline writes in front of the prompt. */
static const char *console_mode(const struct prompt_view *view)
{
    static const char *const modes[] = {
        [PROMPT_EMACS] = "@", [PROMPT_VI_INSERT] = "(ins)", [PROMPT_VI_COMMAND] = "(cmd)"};

    return view->shows_mode ? modes[view->mode] : "";
}

static void console_paint(struct console *console)
{
    struct prompt_view view;

    prompt_view(&view);
    gb_buf_clear(&console->first);
    gb_buf_adds(&console->first, console_mode(&view));
    gb_buf_adds(&console->first, console->config->language->prompt.first);
    console->look.first = gb_buf_str(&console->first);
    redisplay_paint(&console->redisplay, &console->look, &view, &console->out);
    console_flush(console);
}

/* ---- what the editor tells ---- */

static void console_on_ask_complete(void *arg, uint64_t question, const char *text)
{
    struct console *console = arg;
    const struct console_hooks *hooks = &console->config->hooks;

    if (hooks->ask_complete(hooks->arg, question, text))
        console->whole = question;
    else if (!console->patient)
        gb_timer_start(console->deadline, console->config->patience_ms);
}

static void console_on_ask_matches(void *arg, uint64_t question, const char *text, size_t cursor)
{
    const struct console_hooks *hooks = &((struct console *)arg)->config->hooks;

    hooks->ask_matches(hooks->arg, question, text, cursor);
}

static void console_on_ask_description(void *arg, uint64_t question, const char *text)
{
    const struct console_hooks *hooks = &((struct console *)arg)->config->hooks;

    hooks->ask_description(hooks->arg, question, text);
}

static bool console_on_submit(void *arg, const char *text)
{
    struct console *console = arg;

    console->text = xstrdup(text);
    console->done = true;
    return true;
}

static void console_on_eof(void *arg)
{
    struct console *console = arg;

    console->done = console->eof = true;
}

/* Called while processing a key, which must not own anything: deferred until that is finished. */
static void console_on_edit(void *arg, const char *text)
{
    struct console *console = arg;

    free(console->edited);
    console->edited = xstrdup(text);
}

static void console_on_clear(void *arg)
{
    struct console *console = arg;

    if (console->look.dumb)
        return;
    redisplay_forget(&console->redisplay);
    gb_buf_adds(&console->out, "\033[H\033[2J");
}

/* ---- keys ---- */

static void console_on_event(void *arg, const struct input_event *event)
{
    struct console *console = arg;

    if (console->done)
        return;
    if (event->kind == INPUT_KEY)
        prompt_key(event->bytes);
    else if (event->kind == INPUT_PASTE && !prompt_paste(event->bytes))
        gb_buf_adds(&console->out, "\a"); /* too long */
    if (console->whole != 0) {
        uint64_t question = console->whole;

        console->whole = 0;
        prompt_completeness(question, true, NULL);
    }
}

/* ---- another editor ---- */

static int console_run_editor(struct console *console, const char *text, struct gb_buf *edited,
                              struct gb_err *err)
{
    const struct gb_texts *endings = &console->config->language->endings;
    const char *ending = endings->count > 0 ? endings->list[0] : "";
    _cleanup_(freep) char *path = NULL;
    int r = outside_write(text, ending, &path, err), status, read;

    if (r < 0)
        return r;
    status = outside_run(path);
    read = outside_read(path, PROMPT_TEXT_MAX, edited, err);
    if (status < 0)
        return gb_err_set(err, GB_EINTERNAL, "the editor cannot be started");
    if (status > 0)
        return gb_err_set(err, GB_EINVALID, "the editor ended with status %d", status);
    return read;
}

/* The editor owns the terminal until it exits; then its result is the text, or the text is
 * unchanged. */
static void console_edit(struct console *console)
{
    _cleanup_(freep) char *text = TAKE_PTR(console->edited);
    struct gb_buf edited = {0};
    struct gb_err err = {0};
    int r;

    redisplay_erase(&console->redisplay, &console->out);
    console_make_cooked(console);
    r = console_run_editor(console, text, &edited, &err);
    if (r == 0) {
        prompt_set_text("");
        (void)prompt_paste(gb_buf_bytes(&edited));
    } else {
        console->config->hooks.say(console->config->hooks.arg, &err);
    }
    gb_buf_release(&edited);
    console_make_raw(console);
    console_measure(console); /* we may not have been told of a resize meanwhile */
    redisplay_forget(&console->redisplay);
}

/* Byte by byte: what follows the key that ends a cell belongs to the program or to the next cell,
 * and stays in the kernel. */
static void console_read_keys(struct console *console)
{
    while (!console->done && !prompt_waits()) {
        uint8_t byte;
        ssize_t n = read(console->fd, &byte, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) { /* the terminal is gone */
            console->done = console->eof = true;
            break;
        }
        input_feed(&console->parser, (struct gb_bytes){&byte, 1}, console_on_event, console);
        if (console->edited != NULL)
            console_edit(console);
    }
    if (input_waiting(&console->parser) > 0)
        gb_timer_start(console->escape, input_waiting(&console->parser));
    else
        gb_timer_stop(console->escape);
}

/* Repaints, and reads further keys unless an answer is awaited. */
static void console_go_on(struct console *console)
{
    if (!console->reading)
        return;
    if (!prompt_waits())
        gb_timer_stop(console->deadline);
    if (!console->done && !prompt_waits())
        console_paint(console);
    gb_watch_pause(console->watch, console->done || prompt_waits());
}

static void console_on_escape(void *arg)
{
    struct console *console = arg;

    input_expired(&console->parser, console_on_event, console);
    if (console->edited != NULL)
        console_edit(console);
    console_go_on(console);
}

static void console_on_deadline(void *arg)
{
    struct console *console = arg;

    if (console->reading && prompt_waits())
        prompt_expired();
    console_go_on(console);
}

void console_be_patient(struct console *console, bool patient)
{
    if (console == NULL)
        return;
    console->patient = patient;
    if (!patient && console->reading && prompt_waits())
        gb_timer_start(console->deadline, console->config->patience_ms);
}

void console_answered(struct console *console)
{
    console_go_on(console);
}

/* ---- lines for a program ---- */

/* Type-ahead entered while the terminal was still raw contains Enter as a carriage return, which
 * the kernel would have turned into a newline, and has not been echoed. */
static void console_adopt_typed_ahead(uint8_t *line, size_t size)
{
    if (memchr(line, '\r', size) == NULL)
        return;
    for (size_t i = 0; i < size; i++)
        if (line[i] == '\r')
            line[i] = '\n';
    (void)gb_fd_write_full(STDOUT_FILENO, line, size);
}

static void console_read_line(struct console *console)
{
    void (*typed)(void *, struct gb_bytes) = console->typed;
    uint8_t line[LINE_BYTES_MAX];
    ssize_t n = read(console->fd, line, sizeof(line)); /* at most a line, because the terminal is
                                                        * not raw */

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    n = MAX(n, 0);
    console_adopt_typed_ahead(line, (size_t)n);
    /* One line is wanted, and an incomplete one does not count. */
    if (n == 0 || line[n - 1] == '\n')
        console_want_line(console, NULL, NULL);
    typed(console->typed_arg, (struct gb_bytes){line, (size_t)n});
}

void console_want_line(struct console *console, void (*typed)(void *arg, struct gb_bytes line),
                       void *arg)
{
    console->typed = typed;
    console->typed_arg = typed != NULL ? arg : console->typed_arg;
    gb_watch_pause(console->watch, typed == NULL);
}

static void console_on_readable(void *arg)
{
    struct console *console = arg;

    if (console->reading) {
        console_read_keys(console);
        console_go_on(console);
    } else if (console->typed != NULL) {
        console_read_line(console);
    }
}

/* ---- life ---- */

bool console_is_dumb(void)
{
    const char *term = getenv("TERM");

    return term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;
}

struct console *console_new(struct gb_loop *loop, const struct console_config *config)
{
    static const struct prompt_hooks hooks = {
        .ask_complete = console_on_ask_complete,
        .ask_matches = console_on_ask_matches,
        .ask_description = console_on_ask_description,
        .submit = console_on_submit,
        .eof = console_on_eof,
        .edit = console_on_edit,
        .clear = console_on_clear,
    };
    struct console *console;
    struct prompt_view view;
    int fd = gb_file_reopen(STDIN_FILENO, O_RDWR);

    if (fd < 0)
        return NULL;
    console = xcalloc(1, sizeof(*console));
    console->config = config;
    console->fd = fd;
    console->watch = gb_watch_new(loop, fd, console_on_readable, console);
    gb_watch_pause(console->watch, true);
    console->deadline = gb_timer_new(loop, console_on_deadline, console);
    console->escape = gb_timer_new(loop, console_on_escape, console);
    console->look = (struct redisplay_look){
        .more = config->language->prompt.more,
        .language = config->colour ? config->language : NULL,
        .colour = config->colour,
        .dumb = console_is_dumb(),
    };
    prompt_attach(&hooks, console, config->history, config->language->prompt.indent,
                  &console->draft);
    prompt_view(&view);
    console->pastes = view.pastes;
    return console;
}

void console_free(struct console *console)
{
    if (console == NULL)
        return;
    console_make_cooked(console);
    prompt_detach(console);
    prompt_draft_release(&console->draft);
    prompt_release();
    gb_watch_free(console->watch);
    gb_timer_free(console->deadline);
    gb_timer_free(console->escape);
    (void)gb_close(console->fd);
    input_release(&console->parser);
    redisplay_release(&console->redisplay);
    gb_buf_release(&console->out);
    gb_buf_release(&console->first);
    free(console->text);
    free(console->edited);
    free(console->note);
    free(console);
}

bool console_note(struct console *console, const char *note)
{
    if (console == NULL)
        return false;
    free(console->note);
    console->note = note != NULL ? xstrdup(note) : NULL;
    console->look.note = console->note;
    if (!console->reading || console->done || console->look.dumb)
        return false;
    console_paint(console);
    return true;
}

/* Leaves the text as it was sent, and continues below it. */
static void console_leave_text(struct console *console, const char *text)
{
    const struct prompt_view view = {.text = text, .size = strlen(text)};

    redisplay_finish(&console->redisplay, &console->look, &view, &console->out);
    console_flush(console);
}

enum console_end console_read(struct console *console, const bool *stopped, char **ret_text)
{
    const struct console_hooks *hooks = &console->config->hooks;

    console->done = console->eof = false;
    console->reading = true;
    console_measure(console);
    console_make_raw(console);
    console_go_on(console);
    while (!console->done && !*stopped)
        hooks->turn(hooks->arg);
    console->reading = false;
    gb_watch_pause(console->watch, true);
    gb_timer_stop(console->deadline);
    gb_timer_stop(console->escape);
    if (console->done)
        console_leave_text(console, console->text != NULL ? console->text : "");
    console_make_cooked(console);
    if (console->text == NULL)
        return console->done ? CONSOLE_EOF : CONSOLE_STOPPED;
    *ret_text = TAKE_PTR(console->text);
    return CONSOLE_TEXT;
}

void console_interrupt(struct console *console)
{
    struct prompt_view view;

    if (!console->reading || console->done)
        return;
    prompt_view(&view);
    redisplay_finish(&console->redisplay, &console->look, &view, &console->out);
    (void)prompt_clear();
    console->whole = 0;
    input_release(&console->parser);
    console->parser = (struct input_parser){0};
    console_go_on(console);
}

/* Whether the shell, which had us in the background, has replaced our terminal modes. */
static bool console_is_foreign(const struct console *console)
{
    struct termios now;

    return tcgetattr(console->fd, &now) == 0 && (now.c_lflag & ICANON) != 0;
}

void console_resized(struct console *console)
{
    console_measure(console);
    if (!console->reading || console->done || console_is_foreign(console))
        return; /* console_continued() will be called, and repaints */
    redisplay_resized(&console->redisplay, &console->look, &console->out);
    console_paint(console);
}

void console_continued(struct console *console)
{
    if (!console->reading || console->done)
        return;
    console->raw = false;
    console_make_raw(console);
    console_measure(console);
    redisplay_forget(&console->redisplay);
    console_paint(console);
}

void console_step_aside(struct console *console)
{
    if (console == NULL || !console->reading || console->done)
        return;
    redisplay_erase(&console->redisplay, &console->out);
    console_flush(console);
}

void console_step_back(struct console *console)
{
    if (console != NULL && console->reading && !console->done)
        console_paint(console);
}

bool console_is_ours(const struct console *console)
{
    return console == NULL || !console->reading || !console_is_foreign(console);
}

void console_print(struct console *console, const struct gb_buf *text)
{
    if (text->size == 0)
        return;
    if (console == NULL || !console->reading || console->done) {
        (void)gb_fd_write_full(STDOUT_FILENO, gb_buf_data(text), text->size);
        return;
    }
    redisplay_erase(&console->redisplay, &console->out);
    gb_buf_add(&console->out, gb_buf_data(text), text->size);
    console_paint(console);
}
