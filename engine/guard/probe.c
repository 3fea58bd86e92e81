/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out which stages work on this host, by running the launcher without a program. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "guard/guard.h"
#include "loop/loop.h"
#include "platform/socket.h"

enum { LIMIT_MS = 10000, UID_PROBE = 61183 };

struct probe {
    struct gb_loop *loop;
    struct gb_guard_report report;
    struct gb_child *child;
    struct gb_stream *status;
    struct gb_timer *timer;
    struct gb_deferred end;
    struct gb_err err;
    int lifeline;
    bool exited;
    void (*done)(void *arg, const struct gb_guard_report *report, const struct gb_err *err);
    void *arg;
};

static void on_end(void *arg)
{
    struct probe *probe = arg;

    if (probe->err.code == GB_OK && probe->report.error[0] != '\0')
        (void)gb_err_set(&probe->err, GB_EINTERNAL, "the launcher gave up: %s",
                         probe->report.error);
    if (probe->err.code != GB_OK)
        probe->done(probe->arg, NULL, &probe->err);
    else
        probe->done(probe->arg, &probe->report, NULL);
    gb_timer_free(probe->timer);
    gb_child_free(probe->child);
    (void)gb_close(probe->lifeline);
    free(probe);
}

static void check_end(struct probe *probe)
{
    if (probe->exited && probe->status == NULL)
        gb_loop_defer(probe->loop, &probe->end, on_end, probe);
}

static void on_exited(void *arg, int status, int signal)
{
    struct probe *probe = arg;

    probe->exited = true;
    if ((status != 0 || signal != 0) && probe->report.error[0] == '\0')
        (void)gb_err_set(&probe->err, GB_EINTERNAL, "the launcher ended with status %d, signal %d",
                         status, signal);
    check_end(probe);
}

static void on_input(void *arg, struct gb_buf *input)
{
    struct probe *probe = arg;

    if (gb_guard_report_read(&probe->report, input, &probe->err) < 0)
        gb_buf_clear(input);
}

static void on_closed(void *arg, int sys_errno)
{
    struct probe *probe = arg;

    (void)sys_errno;
    gb_stream_free(TAKE_PTR(probe->status));
    check_end(probe);
}

static void on_limit(void *arg)
{
    struct probe *probe = arg;

    gb_child_signal(probe->child, SIGKILL);
}

static int start(struct probe *probe, const char *launcher, struct gb_err *err)
{
    static const struct gb_stream_events events = {.input = on_input, .closed = on_closed};
    _cleanup_(freep) char *uid = xasprintf("%d", (int)UID_PROBE);
    _cleanup_(freep) char *name = xstrdup(launcher);
    char *argv[] = {name, (char[]){"--uid"}, uid, NULL};
    struct gb_child_config child = {.file = launcher, .argv = argv, .fd_count = 5};
    int lifeline[2] = {-1, -1}, status[2] = {-1, -1};
    int r = gb_socket_pipe(lifeline);

    if (r == 0)
        r = gb_socket_pair(status);
    if (r < 0)
        r = gb_err_sys(err, -r, "cannot make sockets for the launcher");
    if (r == 0) {
        const int fds[] = {-1, -1, -1, status[1], lifeline[0]};

        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
            child.fds[i] = fds[i];
        r = gb_child_start(probe->loop, &child, on_exited, probe, &probe->child, err);
    }
    (void)gb_close(status[1]);
    (void)gb_close(lifeline[0]);
    if (r < 0) {
        (void)gb_close(status[0]);
        (void)gb_close(lifeline[1]);
        return r;
    }
    probe->lifeline = lifeline[1];
    probe->status = gb_stream_new(probe->loop, status[0], 4096, &events, probe);
    probe->timer = gb_timer_new(probe->loop, on_limit, probe);
    gb_timer_start(probe->timer, LIMIT_MS);
    return 0;
}

void gb_guard_probe(struct gb_loop *loop, const char *launcher,
                    void (*done)(void *arg, const struct gb_guard_report *report,
                                 const struct gb_err *err),
                    void *arg)
{
    struct probe *probe = xcalloc(1, sizeof(*probe));

    probe->loop = loop;
    probe->lifeline = -1;
    probe->done = done;
    probe->arg = arg;
    if (start(probe, launcher, &probe->err) < 0)
        gb_loop_defer(loop, &probe->end, on_end, probe);
}
