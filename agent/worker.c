/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "spawn.h"
#include "system.h"

enum {
    START_TIMEOUT_S = 90, /* an emulated machine on a busy host may need many seconds */
    SETTLE_TIMEOUT_S = 30,
    RECEIVE_BYTES = 8 * 1024,
    RECEIVE_MOST = 256 * 1024,
    MESSAGE_SMALL = 1 << 20, /* bytes of a worker's message that are always accepted */
    QUEUE_MAX = 16 << 20,    /* bytes queued for a worker that does not read */
    LAST_READS = 64,         /* of RECEIVE_BYTES: more than a socket holds */
};

static void channel_close(struct channel *channel)
{
    loop_unwatch(&channel->worker->agent->loop, &channel->source);
    channel->source.fd = gb_close(channel->source.fd);
    gb_buf_release(&channel->in);
    gb_buf_release(&channel->out);
    channel->dropping = 0;
    channel->fds[0] = -1;
}

static void channel_watch(struct channel *channel)
{
    struct worker *worker = channel->worker;
    struct agent *agent = worker->agent;
    uint32_t events = channel->out.size > 0 ? EPOLLOUT : 0;

    if (worker->state == WORKER_LEAVING) {
        loop_unwatch(&agent->loop, &channel->source);
        return;
    }
    /* Displays are sent to the host like output, and wait like output. Answers wait for less. */
    if (!port_is_full(&agent->port) ||
        (channel->kind == CONTROL_QUERY && agent->port.out.size < PORT_STOP))
        events |= EPOLLIN;
    if (events == 0)
        loop_unwatch(&agent->loop, &channel->source);
    else if (loop_watch(&agent->loop, &channel->source, events) < 0)
        worker_condemn(worker, "a channel of the worker cannot be watched");
}

/* One sendmsg: all bytes up to the descriptors, or the descriptors with the bytes after them. */
static ssize_t channel_send(struct channel *channel)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(channel->fds))];
    } control = {0};
    bool with_fds = channel->fds[0] >= 0 && channel->fds_at == 0;
    size_t size = channel->fds[0] >= 0 && !with_fds ? channel->fds_at : channel->out.size;
    struct iovec piece = {channel->out.memory + channel->out.start, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    ssize_t n;

    if (with_fds) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(channel->fds));
        memcpy(CMSG_DATA(&control.header), channel->fds, sizeof(channel->fds));
    }
    n = sendmsg(channel->source.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 ? -errno : -EPIPE;
    gb_buf_consume(&channel->out, (size_t)n);
    if (with_fds) {
        channel->fds[0] = -1;
        cell_dispatched(channel->worker->agent);
    } else if (channel->fds[0] >= 0) {
        channel->fds_at -= (size_t)n;
    }
    return n;
}

static void channel_flush(struct channel *channel)
{
    while (channel->source.fd >= 0 && channel->out.size > 0) {
        ssize_t n = channel_send(channel);

        /* A broken channel is detected by reading, after the data that it still contains. */
        if (n == -EPIPE || n == -ECONNRESET) {
            gb_buf_clear(&channel->out);
            channel->fds[0] = -1;
        }
        if (n < 0)
            break;
    }
    if (channel->source.fd >= 0)
        channel_watch(channel);
}

static void worker_became_ready(struct worker *worker)
{
    struct agent *agent = worker->agent;

    worker->state = WORKER_READY;
    worker->generation++;
    worker->ready_ns = gb_clock_mono_ns();
    worker->failures = 0;
    deadline_clear(&worker->start);
    if (worker->settings != agent->settings)
        deadline_set(&agent->loop, &worker->start,
                     worker->ready_ns + SETTLE_TIMEOUT_S * GB_NS_PER_S);
    service_worker_ready(agent, worker);
    cell_worker_ready(agent, worker);
}

static void worker_settled(struct worker *worker)
{
    deadline_clear(&worker->start);
    service_worker_settled(worker->agent, worker);
}

static void serve_message(struct channel *channel, const struct control_message *message)
{
    struct worker *worker = channel->worker;

    if (channel->kind == CONTROL_QUERY) {
        query_answer(worker->agent, worker, message);
        return;
    }
    switch (message->type) {
    case CONTROL_READY:
        if (worker->state != WORKER_STARTING)
            worker_condemn(worker, "the worker reported a second time that it is ready");
        else
            worker_became_ready(worker);
        break;
    case CONTROL_SETTLED:
        worker_settled(worker);
        break;
    case CONTROL_PREPARED:
        service_worker_prepared(worker->agent, worker);
        break;
    default:
        if (worker->state != WORKER_READY)
            worker_condemn(worker, "the worker sent a message before it was ready");
        else
            cell_message(worker->agent, worker, message);
    }
}

/* Parses what has arrived; stops if that condemns the worker. */
static void serve_messages(struct channel *channel)
{
    struct control_message message;
    struct gb_err err;
    size_t size;
    int r = 0;

    while (channel->source.fd >= 0 && channel->worker->state != WORKER_LEAVING &&
           (r = control_next(channel->kind, gb_buf_bytes(&channel->in), &message, &size, &err)) ==
               1) {
        serve_message(channel, &message);
        gb_buf_consume(&channel->in, size);
    }
    if (r < 0)
        worker_condemn(channel->worker, "%s", err.message);
}

static void channel_ended(struct channel *channel)
{
    struct worker *worker = channel->worker;

    channel_close(channel);
    if (channel->kind == CONTROL_QUERY) {
        query_worker_gone(worker->agent, worker);
        return;
    }
    /* `exec ls` in the shell: the cell continues in the program that the worker has become. Without
     * a cell there is nothing to continue. */
    if (worker->state == WORKER_READY && cell_runs_in(worker->agent, worker))
        worker->state = WORKER_LEAVING;
    else
        worker_condemn(worker, "the worker closed its channel");
}

/* How many bytes the current message still needs; 0 if nothing is known of it. */
static size_t channel_missing(const struct channel *channel)
{
    struct control_message message;
    size_t size = 0;

    if (channel->in.size == 0 ||
        control_next(channel->kind, gb_buf_bytes(&channel->in), &message, &size, NULL) != 0)
        return 0;
    return size - channel->in.size;
}

/* Only displays are large. One is here, and then on its way to the host; without room for that it
 * is dropped as it comes. */
static void channel_check(struct channel *channel)
{
    const struct agent *agent = channel->worker->agent;
    const size_t rest = channel_missing(channel), size = channel->in.size + rest;

    if (size <= MESSAGE_SMALL || channel->in.capacity >= size)
        return;
    if (system_has_available(agent->boot.proc_fd, agent->reserve + 2 * (uint64_t)size) &&
        gb_buf_reserve(&channel->in, rest, size) != NULL)
        return;
    channel->dropping = rest;
    gb_buf_clear(&channel->in);
    cell_display_dropped(channel->worker->agent, channel->worker);
}

/* Takes what has come. */
static void channel_take(struct channel *channel, size_t bytes)
{
    const size_t dropped = MIN(channel->dropping, bytes);

    gb_buf_commit(&channel->in, bytes);
    gb_buf_consume(&channel->in, dropped);
    channel->dropping -= dropped;
    serve_messages(channel);
    if (channel->source.fd >= 0)
        channel_check(channel);
}

/* Bytes to ask for: what the message at hand still needs, within reason. A large one is alone in
 * its buffer. */
static size_t receive_size(const struct channel *channel)
{
    const size_t rest = channel_missing(channel);

    if (rest == 0 || channel->in.size + rest <= MESSAGE_SMALL)
        return MIN(MAX(rest, (size_t)RECEIVE_BYTES), (size_t)RECEIVE_MOST);
    return MIN(rest, (size_t)RECEIVE_MOST);
}

/* Reads once; false if there was nothing. */
static bool channel_receive(struct channel *channel)
{
    size_t size = receive_size(channel);
    uint8_t *to = gb_buf_reserve(&channel->in, size, SIZE_MAX);
    ssize_t n;

    if (to == NULL) {
        worker_condemn(channel->worker, "no memory for a message of the worker");
        return false;
    }
    n = recv(channel->source.fd, to, size, MSG_DONTWAIT);
    if (n > 0)
        channel_take(channel, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        channel_ended(channel);
    return n > 0;
}

static void channel_ready(struct source *source)
{
    struct channel *channel = container_of(source, struct channel, source);

    /* A reset or closed peer is detected by reading, which returns earlier data first. */
    if ((source->revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        (void)channel_receive(channel);
    if (channel->source.fd >= 0 && (source->revents & EPOLLOUT) != 0)
        channel_flush(channel);
    else if (channel->source.fd >= 0)
        channel_watch(channel); /* it may have filled the port's queue */
}

static void channel_init(struct channel *channel, struct worker *worker, enum control_channel kind)
{
    *channel = (struct channel){
        .source = {.fd = -1, .rank = RANK_CHANNEL, .ready = channel_ready},
        .worker = worker,
        .kind = kind,
        .fds = {-1, -1, -1},
    };
}

static void start_timed_out(struct deadline *deadline)
{
    struct worker *worker = container_of(deadline, struct worker, start);

    worker_condemn(worker, worker->state == WORKER_STARTING
                               ? "the worker did not become ready"
                               : "the worker did not take its settings");
}

void worker_init(struct worker *worker, struct agent *agent, const char *name)
{
    *worker = (struct worker){.agent = agent, .name = name};
    channel_init(&worker->cell, worker, CONTROL_CELL);
    channel_init(&worker->query, worker, CONTROL_QUERY);
    deadline_init(&worker->start, start_timed_out);
}

/* Both socket pairs; our ends go into the channels. */
static int make_channels(struct worker *worker, int ret_theirs[2])
{
    int pair[2];

    ret_theirs[0] = ret_theirs[1] = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    worker->cell.source.fd = pair[0];
    ret_theirs[0] = pair[1];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    worker->query.source.fd = pair[0];
    ret_theirs[1] = pair[1];
    return 0;
}

void worker_start(struct worker *worker)
{
    struct agent *agent = worker->agent;
    int theirs[2];
    struct gb_err err = {0};
    int r = make_channels(worker, theirs);

    if (r < 0)
        (void)gb_err_sys(&err, -r, "no channels");
    else
        r = spawn_worker(agent, worker->name, theirs, &worker->pid, &err);
    (void)gb_close(theirs[0]);
    (void)gb_close(theirs[1]);
    worker->note[0] = '\0';
    worker->oom = false;
    worker->interrupted = false;
    worker->settings = agent->settings;
    worker->started_ns = gb_clock_mono_ns();
    if (r < 0) {
        channel_close(&worker->cell);
        channel_close(&worker->query);
        (void)snprintf(worker->note, sizeof(worker->note), "%s", err.message);
        service_start_failed(agent, worker);
        return;
    }
    worker->state = WORKER_STARTING;
    channel_watch(&worker->cell);
    channel_watch(&worker->query);
    deadline_set(&agent->loop, &worker->start, worker->started_ns + START_TIMEOUT_S * GB_NS_PER_S);
}

static struct channel *channel_of(struct worker *worker, enum control_channel kind)
{
    return kind == CONTROL_CELL ? &worker->cell : &worker->query;
}

/* False, condemning the worker, if it has not read for too long. */
static bool may_queue(struct worker *worker, const struct channel *channel)
{
    if (channel->source.fd < 0)
        return false;
    if (channel->out.size <= QUEUE_MAX)
        return true;
    worker_condemn(worker, "the worker does not read its channel");
    return false;
}

void worker_send(struct worker *worker, enum control_channel kind, enum control_type type,
                 const struct gb_fields *fields, const void *message)
{
    struct channel *channel = channel_of(worker, kind);

    if (!may_queue(worker, channel))
        return;
    control_add(&channel->out, type, fields, message);
    channel_flush(channel);
}

void worker_send_cell(struct worker *worker, struct gb_bytes message, const int fds[3])
{
    struct channel *channel = &worker->cell;

    if (!may_queue(worker, channel))
        return;
    memcpy(channel->fds, fds, sizeof(channel->fds));
    channel->fds_at = channel->out.size;
    gb_buf_add(&channel->out, message.data, message.size);
    channel_flush(channel);
}

void worker_settle(struct worker *worker, struct gb_bytes entropy)
{
    struct agent *agent = worker->agent;
    const struct control_settings settings = {
        .entropy = entropy,
        .env = {agent->env_count, gb_buf_bytes(&agent->env)},
    };

    if (worker->state != WORKER_STARTING && worker->state != WORKER_READY)
        return;
    worker_send(worker, CONTROL_CELL, CONTROL_SETTINGS, &control_settings_fields, &settings);
    if (worker->state == WORKER_READY)
        deadline_set(&agent->loop, &worker->start,
                     gb_clock_mono_ns() + SETTLE_TIMEOUT_S * GB_NS_PER_S);
}

void worker_signal(struct worker *worker, int signal)
{
    if (signal == SIGINT)
        worker->interrupted = true;
    if (worker->state != WORKER_DOWN)
        cgroup_signal(&worker->agent->cgroup, worker->pid, signal);
}

void worker_condemn(struct worker *worker, const char *format, ...)
{
    va_list args;

    if (worker->state == WORKER_DOWN)
        return;
    if (worker->note[0] == '\0') {
        va_start(args, format);
        (void)vsnprintf(worker->note, sizeof(worker->note), format, args);
        va_end(args);
    }
    worker->state = WORKER_LEAVING;
    deadline_clear(&worker->start);
    channel_watch(&worker->cell);
    channel_watch(&worker->query);
    worker_kill(worker);
}

void worker_kill(struct worker *worker)
{
    worker_signal(worker, SIGKILL);
    /* It may have left its process group, but not its pid. */
    if (worker->state != WORKER_DOWN)
        cgroup_kill_first(worker->agent->boot.proc_fd, worker->pid);
}

void worker_leaves(struct worker *worker)
{
    worker->state = WORKER_LEAVING;
    channel_watch(&worker->cell);
    channel_watch(&worker->query);
}

void worker_dismiss(struct worker *worker)
{
    if (worker->state == WORKER_LEAVING)
        (void)kill(worker->pid, SIGKILL); /* it may have exited already */
}

void worker_hurry(struct worker *worker)
{
    if (worker->state == WORKER_LEAVING)
        cgroup_kill_first(worker->agent->boot.proc_fd, worker->pid);
}

void worker_resume(struct worker *worker)
{
    if (worker->cell.source.fd >= 0)
        channel_watch(&worker->cell);
}

void worker_reaped(struct worker *worker, int status)
{
    struct agent *agent = worker->agent;
    bool was_starting;

    /* Reads its last messages. A child that has the channel, too, may go on writing. */
    for (int i = 0; i < LAST_READS && worker->cell.source.fd >= 0 &&
                    worker->state != WORKER_LEAVING && channel_receive(&worker->cell);
         i++)
        ;
    was_starting = worker->ready_ns < worker->started_ns;
    worker->state = WORKER_DOWN;
    worker->pid = 0;
    deadline_clear(&worker->start);
    channel_close(&worker->cell);
    channel_close(&worker->query);
    query_worker_gone(agent, worker);
    if (was_starting)
        service_start_failed(agent, worker);
    else
        cell_worker_died(agent, worker, status);
}
