/* SPDX-License-Identifier: Apache-2.0 */
#include "app/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "kit/output.h"

enum { READ_BYTES = 64 * 1024, DRAIN_MS = 500, LEAVE_MAX = 512 };

/* Sent after ncurses' own initialisation: bracketed paste, focus, reports of changes between dark
 * and light. */
#define MODES_ON "\x1b[?2004h\x1b[?1004h\x1b[?2031h"
#define MOUSE_ON "\x1b[?1002h\x1b[?1006h"
#define MOUSE_OFF "\x1b[?1006l\x1b[?1002l"
/* Sent before ncurses' own reset. */
#define MODES_OFF "\x1b[?2026l" MOUSE_OFF "\x1b[?2031l\x1b[?1004l\x1b[?2004l"
/* Queries: the background, synchronized updates, kitty's pictures, the size of a cell in pixels;
 * the reply to the last query, which every terminal supports, means that no other reply is still to
 * come. */
#define ASK "\x1b]11;?\x1b\\\x1b[?2026$p\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[16t\x1b[c"

struct terminal {
    struct gb_loop *loop;
    struct terminal_events events;
    void *arg;
    int fd;
    struct termios saved;
    struct gb_watch *watch;
    struct gb_timer *timer;
    struct output *output;
    struct input_parser parser;
    struct renderer *renderer;
    bool entered, mouse, lost;
    bool bare; /* a terminal that prints sequences it does not know */
    enum colour_depth depth;
    uint8_t farewell[LEAVE_MAX];
    size_t farewell_size;
};

/* ---- restoring the terminal when the process crashes; the only such place ---- */

static int crash_fd = -1;
static struct termios crash_saved;
static uint8_t crash_farewell[LEAVE_MAX];
static size_t crash_farewell_size;
static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

static void terminal_on_crash(int signum)
{
    if (crash_fd >= 0) {
        ssize_t n = write(crash_fd, crash_farewell, crash_farewell_size);

        (void)n; /* there is no better way */
        (void)tcsetattr(crash_fd, TCSANOW, &crash_saved);
    }
    (void)raise(signum); /* the handler has been removed: the process ends as it would have */
}

static void terminal_catch_crashes(bool on)
{
    struct sigaction action = {.sa_handler = on ? terminal_on_crash : SIG_DFL,
                               .sa_flags = (int)SA_RESETHAND};

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(crash_signals); i++)
        (void)sigaction(crash_signals[i], &action, NULL);
}

/* ---- what it can do ---- */

static bool terminal_begins(const char *text, const char *with)
{
    return text != NULL && strncmp(text, with, strlen(with)) == 0;
}

struct terminal_abilities terminal_abilities(const struct terminal *terminal)
{
    return (struct terminal_abilities){
        .depth = terminal->depth,
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
    };
}

void terminal_size(const struct terminal *terminal, int *ret_columns, int *ret_rows)
{
    struct winsize size = {0};

    if (ioctl(terminal->fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
        size = (struct winsize){.ws_col = 80, .ws_row = 24};
    *ret_columns = size.ws_col;
    *ret_rows = size.ws_row;
}

/* ---- reading ---- */

static void terminal_on_event(void *arg, const struct input_event *event)
{
    struct terminal *terminal = arg;

    terminal->events.input(terminal->arg, event);
}

static void terminal_wait_for_rest(struct terminal *terminal)
{
    unsigned ms = input_waiting(&terminal->parser);

    if (ms == 0)
        gb_timer_stop(terminal->timer);
    else
        gb_timer_start(terminal->timer, ms);
}

static void terminal_on_expired(void *arg)
{
    struct terminal *terminal = arg;

    input_expired(&terminal->parser, terminal_on_event, terminal);
}

static void terminal_lose(struct terminal *terminal)
{
    if (terminal->lost)
        return;
    terminal->lost = true;
    gb_watch_pause(terminal->watch, true);
    terminal->events.lost(terminal->arg);
}

static void terminal_on_readable(void *arg)
{
    static uint8_t bytes[READ_BYTES];
    struct terminal *terminal = arg;
    ssize_t n = read(terminal->fd, bytes, sizeof(bytes));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        terminal_lose(terminal);
        return;
    }
    input_feed(&terminal->parser, (struct gb_bytes){bytes, (size_t)n}, terminal_on_event, terminal);
    terminal_wait_for_rest(terminal);
}

/* ---- writing ---- */

static void terminal_on_drained(void *arg)
{
    struct terminal *terminal = arg;

    terminal->events.drained(terminal->arg);
}

static void terminal_on_broken(void *arg, int sys_errno)
{
    (void)sys_errno; /* whatever the error, there is no terminal any more */
    terminal_lose(arg);
}

void terminal_write(struct terminal *terminal, struct gb_bytes bytes)
{
    output_write(terminal->output, bytes);
}

size_t terminal_queued(const struct terminal *terminal)
{
    return output_queued(terminal->output);
}

static void terminal_say(struct terminal *terminal, const char *text)
{
    terminal_write(terminal, gb_bytes_str(text));
}

void terminal_frame(struct terminal *terminal, const struct grid *grid, const struct looks *looks,
                    const struct terminal_abilities *abilities)
{
    struct gb_buf bytes = {0};

    renderer_frame(terminal->renderer, grid, looks, abilities, &bytes);
    terminal_write(terminal, gb_buf_bytes(&bytes));
    gb_buf_release(&bytes);
}

void terminal_forget(struct terminal *terminal)
{
    renderer_forget(terminal->renderer);
}

void terminal_restyle(struct terminal *terminal)
{
    renderer_restyle(terminal->renderer);
}

void terminal_mouse(struct terminal *terminal, bool on)
{
    terminal->mouse = on;
    terminal_say(terminal, on ? MOUSE_ON : MOUSE_OFF);
}

/* ---- in and out ---- */

static void terminal_set_raw(const struct terminal *terminal)
{
    struct termios raw = terminal->saved;

    raw.c_iflag &= (tcflag_t) ~(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
    raw.c_oflag &= (tcflag_t)~OPOST;
    raw.c_cflag |= CS8;
    raw.c_lflag &= (tcflag_t) ~(ECHO | ICANON | IEXTEN | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    (void)tcsetattr(terminal->fd, TCSADRAIN, &raw);
}

static void terminal_enter(struct terminal *terminal)
{
    crash_saved = terminal->saved;
    memcpy(crash_farewell, terminal->farewell, terminal->farewell_size);
    crash_farewell_size = terminal->farewell_size;
    crash_fd = terminal->fd;
    terminal_catch_crashes(true);
    terminal_set_raw(terminal);
    terminal->entered = true;
    terminal_write(terminal, renderer_enter(terminal->renderer));
    terminal_forget(terminal);
    terminal_say(terminal, MODES_ON);
    if (terminal->mouse)
        terminal_say(terminal, MOUSE_ON);
    if (!terminal->bare)
        terminal_say(terminal, ASK);
}

/* The queue would be written after our final sequence, so it is dropped together with its
 * descriptor; if the terminal accepts nothing for a while, it is left as it is. */
static void terminal_leave(struct terminal *terminal)
{
    struct pollfd ready = {.fd = terminal->fd, .events = POLLOUT};
    size_t at = 0;

    if (!terminal->entered)
        return;
    terminal->entered = false;
    while (!terminal->lost && at < terminal->farewell_size && poll(&ready, 1, DRAIN_MS) > 0 &&
           (ready.revents & POLLOUT) != 0) {
        ssize_t n = write(terminal->fd, terminal->farewell + at, terminal->farewell_size - at);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    (void)tcsetattr(terminal->fd, TCSANOW, &terminal->saved);
    terminal_catch_crashes(false);
    crash_fd = -1;
}

void terminal_suspend(struct terminal *terminal)
{
    gb_watch_pause(terminal->watch, true);
    output_free(terminal->output);
    terminal->output = NULL;
    terminal_leave(terminal);
}

void terminal_resume(struct terminal *terminal)
{
    terminal->output =
        output_new(terminal->loop, terminal->fd, terminal_on_drained, terminal_on_broken, terminal);
    terminal_enter(terminal);
    gb_watch_pause(terminal->watch, false);
}

static void terminal_add_farewell(struct terminal *terminal, struct gb_bytes bytes)
{
    size_t size = MIN(bytes.size, sizeof(terminal->farewell) - terminal->farewell_size);

    memcpy(terminal->farewell + terminal->farewell_size, bytes.data, size);
    terminal->farewell_size += size;
}

static int terminal_open_renderer(struct terminal *terminal, struct gb_err *err)
{
    const char *term = getenv("TERM");
    struct terminfo terminfo;
    int r = terminfo_find(terminal->fd, &terminfo, err);

    if (r == 0)
        r = renderer_open(&terminfo, &terminal->renderer, err);
    terminfo_release(&terminfo);
    if (r < 0)
        return r;
    terminal->depth = terminfo.depth;
    terminal->bare = terminal_begins(term, "linux") || terminal_begins(term, "vt");
    terminal_add_farewell(terminal, gb_bytes_str(MODES_OFF));
    terminal_add_farewell(terminal, renderer_leave(terminal->renderer));
    return 0;
}

int terminal_open(struct gb_loop *loop, const struct terminal_events *events, void *arg,
                  struct terminal **ret_terminal, struct gb_err *err)
{
    struct terminal *terminal = xcalloc(1, sizeof(*terminal));
    int r;

    *terminal = (struct terminal){.loop = loop, .events = *events, .arg = arg, .mouse = true};
    terminal->fd = open("/dev/tty", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (terminal->fd < 0 || tcgetattr(terminal->fd, &terminal->saved) < 0) {
        r = gb_err_set(err, GB_EUNSUPPORTED, "there is no terminal to draw on");
        goto failed;
    }
    r = terminal_open_renderer(terminal, err);
    if (r < 0)
        goto failed;
    terminal->output =
        output_new(loop, terminal->fd, terminal_on_drained, terminal_on_broken, terminal);
    terminal->timer = gb_timer_new(loop, terminal_on_expired, terminal);
    terminal->watch = gb_watch_new(loop, terminal->fd, terminal_on_readable, terminal);
    terminal_enter(terminal);
    *ret_terminal = terminal;
    return 0;
failed:
    (void)gb_close(terminal->fd);
    free(terminal);
    return r;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal == NULL)
        return;
    terminal_leave(terminal);
    gb_watch_free(terminal->watch);
    gb_timer_free(terminal->timer);
    output_free(terminal->output);
    renderer_close(terminal->renderer);
    input_release(&terminal->parser);
    (void)gb_close(terminal->fd);
    free(terminal);
}
