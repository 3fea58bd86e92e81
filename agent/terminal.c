/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "console.h"
#include "parse/settings.h"
#include "spawn.h"

enum {
    TERMINAL_PIECE = GB_STREAM_PIECE - GB_FRAME_HEADER,
    TERMINAL_BUFFER = 64 * 1024, /* more than a terminal holds */
    HANG_UP_GRACE_MS = 2000,
};

/* ---- the end ---- */

static void terminal_close(struct terminal *terminal)
{
    loop_unwatch(&terminal->agent->loop, &terminal->master);
    terminal->master.fd = gb_close(terminal->master.fd);
    terminal->slave = gb_close(terminal->slave);
    gb_buf_release(&terminal->input);
}

static void terminal_free(struct terminal *terminal)
{
    struct agent *agent = terminal->agent;

    terminal_close(terminal);
    deadline_clear(&terminal->kill);
    cgroup_end_terminal(&agent->cgroup, terminal->number, terminal->group_fd);
    gb_list_remove(&terminal->link);
    agent->terminal_count--;
    free(terminal);
}

static void terminal_kill_late(struct deadline *deadline)
{
    struct terminal *terminal = container_of(deadline, struct terminal, kill);

    cgroup_kill_terminal(&terminal->agent->cgroup, terminal->group_fd);
    if (terminal->stream == NULL)
        terminal_free(terminal);
}

/* It is not reported any more. Processes that the host has hung up get the rest of their time to
 * end properly. */
static void terminal_over(struct terminal *terminal)
{
    terminal->stream = NULL;
    if (!deadline_is_set(&terminal->kill) || cgroup_terminal_is_empty(terminal->group_fd))
        terminal_free(terminal);
}

/* Sends the final message. The rest waits for the end of the host's half. */
static void terminal_finish(struct terminal *terminal)
{
    const int status = terminal->status;
    const struct gb_terminal_end end = {
        .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        .signal = WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0,
    };

    terminal->finished = true;
    terminal_close(terminal); /* hangs up what is left */
    if (gb_mux_shut(terminal->stream, &end))
        terminal_over(terminal);
}

/* ---- from the program to the host ---- */

static bool terminal_may_send(const struct terminal *terminal)
{
    return gb_mux_room(terminal->stream) > 0 && !port_is_full(&terminal->agent->port);
}

static void terminal_watch(struct terminal *terminal)
{
    struct loop *loop = &terminal->agent->loop;
    uint32_t events = terminal->input.size > 0 ? EPOLLOUT : 0;

    if (terminal->master.fd < 0)
        return;
    if (terminal_may_send(terminal))
        events |= EPOLLIN;
    if (events == 0)
        loop_unwatch(loop, &terminal->master);
    else if (loop_watch(loop, &terminal->master, events) < 0)
        console_fatal("a terminal cannot be watched");
}

/* One read, if allowed. False: nothing more for now. */
static bool terminal_pull(struct terminal *terminal)
{
    size_t size = MIN(gb_mux_room(terminal->stream), (size_t)TERMINAL_PIECE);
    uint8_t *to = gb_mux_send_begin(terminal->stream, size);
    ssize_t n = to == NULL ? -1 : read(terminal->master.fd, to, size);

    if (n <= 0)
        return false; /* nothing now: earlier output has all been read */
    gb_mux_send_end(terminal->stream, (size_t)n, false);
    terminal->drained += terminal->exited ? (uint32_t)n : 0;
    return true;
}

/* Reads what is available. The program's output is sent before its end is reported; later output of
 * others is not the program's. May free the terminal. */
static void terminal_advance(struct terminal *terminal)
{
    bool more = true;

    while (more && terminal->master.fd >= 0 && terminal_may_send(terminal) &&
           terminal->drained < TERMINAL_BUFFER)
        more = terminal_pull(terminal) && terminal->exited; /* otherwise others get their turn */
    if (terminal->exited && !terminal->finished &&
        (!more || terminal->master.fd < 0 || terminal->drained >= TERMINAL_BUFFER))
        terminal_finish(terminal);
    else
        terminal_watch(terminal);
}

/* ---- from the host to the program ---- */

static void terminal_feed(struct terminal *terminal)
{
    struct gb_buf *input = &terminal->input;

    while (terminal->master.fd >= 0 && input->size > 0) {
        ssize_t n = write(terminal->master.fd, gb_buf_data(input), input->size);

        if (n <= 0)
            return;
        gb_buf_consume(input, (size_t)n);
        gb_mux_consume(terminal->stream, (size_t)n);
    }
}

static void terminal_ready(struct source *source)
{
    struct terminal *terminal = container_of(source, struct terminal, master);

    terminal_feed(terminal);
    terminal_advance(terminal);
}

int terminal_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                  struct gb_err *err)
{
    struct terminal *terminal = stream->user;

    (void)arg;
    (void)err;
    if (terminal->master.fd < 0) {
        gb_mux_consume(stream, bytes.size); /* nobody reads it any more */
        return 0;
    }
    gb_buf_add(&terminal->input, bytes.data, bytes.size);
    terminal_feed(terminal);
    terminal_watch(terminal);
    return 0;
}

void terminal_credited(void *arg, struct gb_mux_stream *stream)
{
    (void)arg;
    terminal_advance(stream->user);
}

int terminal_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word, struct gb_err *err)
{
    struct terminal *terminal = stream->user;

    (void)arg;
    (void)word;
    (void)err;
    if (terminal->finished)
        return 0;
    terminal_close(terminal);
    deadline_set(&terminal->agent->loop, &terminal->kill,
                 gb_clock_mono_ns() + (uint64_t)HANG_UP_GRACE_MS * GB_NS_PER_MS);
    return 0;
}

void terminal_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct terminal *terminal = stream->user;

    (void)arg;
    (void)why;
    /* Nobody is left who wants its result. */
    if (!terminal->finished)
        cgroup_kill_terminal(&terminal->agent->cgroup, terminal->group_fd);
    terminal->stream = NULL;
    if (terminal->finished)
        terminal_over(terminal);
    else
        terminal_free(terminal);
}

void terminal_reaped(struct agent *agent, pid_t pid, int status)
{
    struct terminal *terminal;

    GB_LIST_FOREACH(terminal, &agent->terminals, link) {
        if (terminal->pid != pid || terminal->exited)
            continue;
        terminal->exited = true; /* from now on the pid may be reused */
        terminal->status = status;
        terminal_advance(terminal);
        return;
    }
}

void terminal_resume_output(struct agent *agent)
{
    struct terminal *terminal;

    GB_LIST_FOREACH(terminal, &agent->terminals, link) {
        if (terminal->stream != NULL)
            terminal_advance(terminal); /* no event comes once its program has exited */
    }
}

/* ---- requests ---- */

static struct terminal *terminal_find(struct agent *agent, uint32_t number)
{
    struct terminal *terminal;

    GB_LIST_FOREACH(terminal, &agent->terminals, link) {
        if (terminal->number == number)
            return terminal;
    }
    return NULL;
}

static int terminal_set_size(int fd, uint32_t rows, uint32_t columns, struct gb_err *err)
{
    const struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};

    if (rows == 0 || rows > GB_TERMINAL_ROWS_MAX || columns == 0 ||
        columns > GB_TERMINAL_COLUMNS_MAX)
        return gb_err_set(err, GB_EINVALID, "a terminal has no %u rows of %u columns", rows,
                          columns);
    return ioctl(fd, TIOCSWINSZ, &size) < 0 ? gb_err_sys(err, errno, "TIOCSWINSZ") : 0;
}

/* Opens both ends of a new one, owned by the user. */
static int terminal_open(uint32_t rows, uint32_t columns, int *ret_master, int *ret_slave,
                         struct gb_err *err)
{
    _cleanup_(closep) int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    _cleanup_(closep) int slave = -1;
    struct termios modes;
    int unlocked = 0, r;

    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0)
        return gb_err_sys(err, errno, "cannot open a terminal");
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || fchown(slave, USER_ID, USER_ID) < 0 || tcgetattr(slave, &modes) < 0)
        return gb_err_sys(err, errno, "a terminal cannot be opened");
    modes.c_iflag |= IUTF8;
    if (tcsetattr(slave, TCSANOW, &modes) < 0)
        return gb_err_sys(err, errno, "a terminal cannot be set up");
    r = terminal_set_size(master, rows, columns, err);
    if (r < 0)
        return r;
    *ret_master = TAKE_FD(master);
    *ret_slave = TAKE_FD(slave);
    return 0;
}

static int terminal_check(struct agent *agent, const struct gb_terminal_request *request,
                          struct gb_err *err)
{
    if (agent->terminal_count >= GB_TERMINALS_MAX)
        return gb_err_set(err, GB_EBUSY, "%d programs are at terminals already", GB_TERMINALS_MAX);
    if (terminal_find(agent, request->number) != NULL)
        return gb_err_set(err, GB_EINVALID, "there is a terminal %u already", request->number);
    if (request->argv.size > 0 &&
        (request->argv.data[request->argv.size - 1] != '\0' || request->argv.data[0] == '\0'))
        return gb_err_set(err, GB_EINVALID, "the program has no name");
    return settings_check_env(&request->env, err);
}

/* Takes what was opened for it: *@master, *@slave and *@group_fd. */
static void terminal_add(struct agent *agent, const struct terminal *opened)
{
    struct terminal *terminal = xcalloc(1, sizeof(*terminal));

    *terminal = *opened;
    terminal->agent = agent;
    terminal->master.rank = RANK_PIPE;
    terminal->master.ready = terminal_ready;
    terminal->stream->user = terminal;
    deadline_init(&terminal->kill, terminal_kill_late);
    gb_list_add_tail(&agent->terminals, &terminal->link);
    agent->terminal_count++;
    terminal_watch(terminal);
}

/* Starts the program of @opened, whose number and descriptors are set. */
static int terminal_begin(struct agent *agent, const struct gb_terminal_request *request,
                          struct terminal *opened, struct gb_err *err)
{
    const struct gb_terminal_open open = {request->number};
    int r = spawn_at_terminal(agent, request->argv, &request->env, opened->slave, opened->group_fd,
                              &opened->pid, err);

    if (r < 0)
        return r;
    opened->stream = gb_mux_open(&agent->mux, GB_STREAM_TERMINAL, 0, &open);
    if (opened->stream != NULL)
        return 0;
    cgroup_kill_terminal(&agent->cgroup, opened->group_fd);
    return gb_err_set(err, GB_EBUSY, "too many streams are open");
}

static int terminal_try(struct agent *agent, const struct gb_terminal_request *request,
                        struct gb_err *err)
{
    struct terminal opened = {.number = request->number, .master.fd = -1, .slave = -1};
    int r = terminal_check(agent, request, err);

    if (r == 0)
        r = terminal_open(request->rows, request->columns, &opened.master.fd, &opened.slave, err);
    if (r < 0)
        return r;
    opened.group_fd = cgroup_begin_terminal(&agent->cgroup, request->number);
    if (opened.group_fd < 0)
        r = gb_err_sys(err, -opened.group_fd, "no control group for the terminal");
    else
        r = terminal_begin(agent, request, &opened, err);
    if (r == 0) {
        terminal_add(agent, &opened);
        return 0;
    }
    (void)gb_close(opened.master.fd);
    (void)gb_close(opened.slave);
    if (opened.group_fd >= 0)
        cgroup_end_terminal(&agent->cgroup, request->number, opened.group_fd);
    return r;
}

void terminal_start(struct agent *agent, uint32_t request,
                    const struct gb_terminal_request *terminal)
{
    struct gb_err err;

    if (terminal_try(agent, terminal, &err) < 0)
        port_send_error(&agent->port, request, &err);
    else
        port_send_ok(&agent->port, request);
}

void terminal_resize(struct agent *agent, uint32_t request, const struct gb_terminal_size *size)
{
    const struct terminal *terminal = terminal_find(agent, size->number);
    struct gb_err err;
    int r;

    if (terminal == NULL || terminal->master.fd < 0)
        r = gb_err_set(&err, GB_ENOTFOUND, "there is no terminal %u", size->number);
    else
        r = terminal_set_size(terminal->master.fd, size->rows, size->columns, &err);
    if (r < 0)
        port_send_error(&agent->port, request, &err);
    else
        port_send_ok(&agent->port, request);
}
