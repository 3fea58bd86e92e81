/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell stdio: the server's socket on standard input and output, for clients that connect by
 * ssh.
 *
 * First a line says whether the connection is up (client/ssh.h). Then bytes are copied in both
 * directions without looking at them. Each direction has one buffer, so that backpressure works as
 * on the socket itself. End of input is the end of the connection: ssh has no other way to report
 * that the client has gone, and the server then ends what it had started for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cli/app.h"
#include "client/dial.h"
#include "client/ssh.h"
#include "platform/program.h"
#include "verbs/verbs.h"

enum { STDIO_BYTES = 64 << 10, STDIO_START_MS = 60000 };

/* One direction. */
struct stdio_pump {
    int from, to;
    size_t start, end; /* bytes waiting in `data` */
    bool ended;        /* end of file */
    uint8_t *data;     /* STDIO_BYTES */
};

static bool stdio_again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static bool stdio_wants_input(const struct stdio_pump *pump)
{
    return !pump->ended && pump->start == pump->end;
}

/* False if the destination has been closed. */
static bool stdio_move(struct stdio_pump *pump, bool readable)
{
    ssize_t n;

    if (readable && stdio_wants_input(pump)) {
        n = read(pump->from, pump->data, STDIO_BYTES);
        if (n == 0 || (n < 0 && !stdio_again()))
            pump->ended = true;
        pump->start = 0;
        pump->end = n > 0 ? (size_t)n : 0;
    }
    if (pump->start < pump->end) {
        n = write(pump->to, pump->data + pump->start, pump->end - pump->start);
        if (n < 0 && !stdio_again())
            return false;
        pump->start += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static short stdio_events(const struct stdio_pump *reader, const struct stdio_pump *writer)
{
    return (short)((reader != NULL && stdio_wants_input(reader) ? POLLIN : 0) |
                   (writer != NULL && writer->start < writer->end ? POLLOUT : 0));
}

/* A descriptor to poll; one without events is left out, because its hang-up would wake us again and
 * again. */
static struct pollfd stdio_wait_for(int fd, short events)
{
    return (struct pollfd){.fd = events != 0 ? fd : -1, .events = events};
}

/* Until either side has closed, and what it sent before has been delivered. */
static void stdio_pump_both(struct stdio_pump *up, struct stdio_pump *down)
{
    for (;;) {
        struct pollfd fds[3] = {
            stdio_wait_for(up->from, stdio_events(up, NULL)),
            stdio_wait_for(down->to, stdio_events(NULL, down)),
            stdio_wait_for(down->from, stdio_events(down, up)),
        };

        if ((down->ended && down->start == down->end) || (up->ended && up->start == up->end))
            return;
        if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
            return;
        if (!stdio_move(up, (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0))
            up->start = up->end; /* the server has closed, but may have sent something last */
        if (!stdio_move(down, (fds[2].revents & (POLLIN | POLLHUP | POLLERR)) != 0))
            return;
    }
}

/* Sets O_NONBLOCK on a description that others may share; the flags are restored at the end. */
static int stdio_unblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    return flags;
}

static void stdio_restore(int fd, int flags)
{
    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags);
}

static bool stdio_greet(const struct gb_err *problem)
{
    struct gb_buf line = {0};
    bool good;

    gb_ssh_write_greeting(&line, problem);
    good = gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&line), line.size) >= 0;
    gb_buf_release(&line);
    return good;
}

static int stdio_run(const struct args *args)
{
    _cleanup_(freep) char *program = args_has(args, "no-autostart") ? NULL : gb_program_again();
    const struct gb_dial_config config = {
        .socket = args_value(args, "socket"), .program = program, .timeout_ms = STDIO_START_MS};
    struct stdio_pump up = {.from = STDIN_FILENO}, down = {.to = STDOUT_FILENO};
    struct gb_dialled dialled;
    struct gb_err err = {0};
    int input, output;

    if (args->word_count > 0)
        return app_wrong_use(args, "stdio takes no names");
    if (gb_dial(&config, &dialled, &err) < 0) {
        (void)stdio_greet(&err);
        app_say_err(&err);
        return EXIT_GLASSBELL;
    }
    if (!stdio_greet(NULL)) {
        (void)gb_close(dialled.fd);
        return EXIT_GLASSBELL;
    }
    up.to = down.from = dialled.fd;
    up.data = xcalloc(1, STDIO_BYTES);
    down.data = xcalloc(1, STDIO_BYTES);
    input = stdio_unblock(STDIN_FILENO);
    output = stdio_unblock(STDOUT_FILENO);
    stdio_pump_both(&up, &down);
    stdio_restore(STDOUT_FILENO, output);
    stdio_restore(STDIN_FILENO, input); /* last: both may be one description */
    if (!up.ended)
        app_say("the server closed the connection");
    (void)gb_close(dialled.fd);
    free(up.data);
    free(down.data);
    return 0;
}

const struct verb verb_stdio = {
    .name = "stdio",
    .summary = "forward the server's socket over standard input and output",
    .usage = "[options]",
    .options = app_local_options,
    .words = ARG_NONE,
    .examples = "  ssh build.example glassbell stdio     (what --host ssh://build.example does)\n",
    .run = stdio_run,
};
