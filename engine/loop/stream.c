/* SPDX-License-Identifier: Apache-2.0 */
/* Byte streams: read and written directly on top of uv_poll, so that each wake-up has a byte
 * budget, small messages are sent immediately, and nothing is copied twice. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "platform/socket.h"

/* Limit on writing per wake-up: a peer that reads as fast as we write must not monopolise the
 * loop. */
static const size_t WRITE_BYTES = 1 << 20;

struct gb_stream {
    uv_poll_t handle; /* must be first: freed through it */
    struct gb_loop *loop;
    struct gb_stream_events events;
    void *arg;
    int fd;
    size_t read_bytes;
    struct gb_buf input, output;
    size_t sent_unreported; /* sent within gb_stream_send(); reported from the loop */
    size_t dropped;         /* dropped bytes; also reported from the loop */
    struct gb_deferred report;
    struct gb_deferred again;  /* handles input left over when a pause ended */
    struct gb_timer *deadline; /* for gb_stream_finish() */
    bool paused, closed, told, finishing, freed;
    bool hung_up;      /* the peer has closed, but its data has not been read because we are
                        * paused */
    bool write_broken; /* writing failed; data that the peer sent before is still read */
    int interest;      /* events that uv_poll was started with */
    int close_errno;
};

static void on_poll(uv_poll_t *handle, int status, int events);

static void free_stream(uv_handle_t *handle)
{
    struct gb_stream *stream = handle->data;

    gb_buf_release(&stream->input);
    gb_buf_release(&stream->output);
    free(stream);
}

/* The events that wake the loop. Errors and hang-ups always do, for as long as they last: the only
 * way to ignore one is to stop polling. */
static void update_interest(struct gb_stream *stream)
{
    int interest = 0;

    if (!stream->closed && !stream->paused && !stream->finishing)
        interest |= UV_READABLE;
    if (stream->output.size > 0)
        interest |= UV_WRITABLE;
    if (interest == 0 && !stream->closed && !stream->hung_up)
        interest = UV_DISCONNECT;
    if (interest == stream->interest)
        return;
    stream->interest = interest;
    if (interest == 0)
        (void)uv_poll_stop(&stream->handle);
    else
        (void)uv_poll_start(&stream->handle, interest, on_poll);
}

/* Reports, from the loop, bytes sent or dropped within gb_stream_send(). */
static void report_later(void *arg)
{
    struct gb_stream *stream = arg;
    size_t sent = stream->sent_unreported, dropped = stream->dropped;

    stream->sent_unreported = stream->dropped = 0;
    if (sent > 0 && stream->events.sent != NULL)
        stream->events.sent(stream->arg, sent);
    if (dropped > 0 && !stream->freed && stream->events.dropped != NULL)
        stream->events.dropped(stream->arg, dropped);
}

/* Writing has failed: drops the queue. This is not the end: the peer may have written before it
 * closed, and reading finds the end by itself. */
static void write_broke(struct gb_stream *stream)
{
    stream->write_broken = true;
    stream->dropped += stream->output.size;
    gb_buf_release(&stream->output);
    if (stream->dropped > 0 && !stream->finishing)
        gb_loop_defer(stream->loop, &stream->report, report_later, stream);
    update_interest(stream);
}

/* The peer will send nothing more (@sys_errno 0), or the connection has failed. What is queued is
 * still sent to a peer that has only shut down its own side. */
static void ended(struct gb_stream *stream, int sys_errno)
{
    if (stream->closed)
        return;
    stream->closed = true;
    stream->close_errno = sys_errno;
    if (sys_errno != 0)
        write_broke(stream);
    update_interest(stream);
}

static void tell_closed(struct gb_stream *stream)
{
    if (stream->told)
        return;
    stream->told = true;
    stream->events.closed(stream->arg, stream->close_errno);
}

/* Writes from the queue, up to the limit per wake-up; returns the bytes sent. */
static size_t flush(struct gb_stream *stream)
{
    size_t total = 0;

    while (stream->output.size > 0 && total < WRITE_BYTES) {
        size_t size = MIN(stream->output.size, WRITE_BYTES - total);
        ssize_t n = gb_socket_send(stream->fd, gb_buf_data(&stream->output), size);

        if (n == -EINTR)
            continue;
        if (n == -EAGAIN || n == -EWOULDBLOCK)
            break;
        if (n < 0) {
            /* If the peer has closed, reading will find that. If not, we would wait for ever. */
            if (n != -EPIPE && n != -ECONNRESET)
                (void)shutdown(stream->fd, SHUT_RDWR);
            write_broke(stream);
            return total;
        }
        gb_buf_consume(&stream->output, (size_t)n);
        total += (size_t)n;
    }
    update_interest(stream);
    return total;
}

/* Reads once. False if the stream failed or ended. */
static bool stream_fill(struct gb_stream *stream)
{
    uint8_t *to = gb_buf_reserve(&stream->input, stream->read_bytes, SIZE_MAX);
    ssize_t n;

    if (to == NULL) {
        ended(stream, ENOMEM);
        return false;
    }
    do
        n = recv(stream->fd, to, stream->read_bytes, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return true;
    if (n <= 0) {
        ended(stream, n < 0 ? errno : 0);
        return false;
    }
    gb_buf_commit(&stream->input, (size_t)n);
    return true;
}

static void tell_input(struct gb_stream *stream)
{
    gb_loop_undefer(&stream->again);
    stream->events.input(stream->arg, &stream->input);
}

static void stream_read_some(struct gb_stream *stream)
{
    size_t before;

    /* First handle what was left when a pause ended: the end may follow. */
    if (stream->again.queued) {
        tell_input(stream);
        if (stream->freed || stream->paused)
            return;
    }
    before = stream->input.size;
    (void)stream_fill(stream);
    if (stream->input.size > before)
        tell_input(stream);
    else if (!stream->closed && stream->input.size == 0)
        gb_buf_clear(&stream->input);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct gb_stream *stream = handle->data;
    size_t sent = 0;

    if (status < 0) {
        /* An error is pending, and libuv has stopped polling. The queue cannot be sent any more;
         * the next read returns the error, after the data that the peer sent before. Polling for
         * anything else now would report the same error immediately and for ever. */
        stream->interest = 0;
        events = UV_READABLE | UV_DISCONNECT;
        write_broke(stream);
    }
    if ((events & UV_WRITABLE) != 0)
        sent = flush(stream);
    if (stream->finishing) {
        if (stream->output.size == 0)
            gb_stream_free(stream);
        return;
    }
    if (sent > 0 && stream->events.sent != NULL) {
        stream->events.sent(stream->arg, sent);
        if (stream->freed)
            return;
    }
    if ((events & (UV_READABLE | UV_DISCONNECT)) != 0 && !stream->closed && !stream->paused) {
        stream_read_some(stream);
        if (stream->freed)
            return;
    } else if ((events & UV_DISCONNECT) != 0) {
        stream->hung_up = true;
    }
    update_interest(stream);
    if (stream->closed)
        tell_closed(stream);
}

struct gb_stream *gb_stream_new(struct gb_loop *loop, int fd, size_t read_bytes,
                                const struct gb_stream_events *events, void *arg)
{
    struct gb_stream *stream = xcalloc(1, sizeof(*stream));

    stream->loop = loop;
    stream->fd = fd;
    stream->read_bytes = read_bytes;
    stream->events = *events;
    stream->arg = arg;
    stream->handle.data = stream;
    if (uv_poll_init(gb_loop_uv(loop), &stream->handle, fd) < 0)
        abort(); /* not a socket: our bug */
    update_interest(stream);
    return stream;
}

static void after_send(struct gb_stream *stream)
{
    size_t sent = flush(stream);

    if (sent == 0 || stream->events.sent == NULL)
        return;
    stream->sent_unreported += sent;
    gb_loop_defer(stream->loop, &stream->report, report_later, stream);
}

void gb_stream_send(struct gb_stream *stream, const void *data, size_t size)
{
    bool idle = stream->output.size == 0;

    if (stream->closed || stream->finishing || stream->write_broken)
        return;
    gb_buf_add(&stream->output, data, size);
    if (idle)
        after_send(stream);
}

void gb_stream_send_buf(struct gb_stream *stream, struct gb_buf *buf)
{
    if (stream->closed || stream->finishing || stream->write_broken || buf->size == 0) {
        gb_buf_clear(buf);
        return;
    }
    if (stream->output.size > 0) {
        gb_buf_add(&stream->output, gb_buf_data(buf), buf->size);
        gb_buf_clear(buf);
        return;
    }
    /* Nothing is queued: swap the buffers instead of copying. */
    struct gb_buf empty = stream->output;
    stream->output = *buf;
    *buf = empty;
    gb_buf_clear(buf);
    after_send(stream);
}

size_t gb_stream_queued(const struct gb_stream *stream)
{
    return stream->output.size;
}

static void on_again(void *arg)
{
    struct gb_stream *stream = arg;

    if (!stream->paused && !stream->finishing)
        tell_input(stream);
}

void gb_stream_pause(struct gb_stream *stream, bool paused)
{
    if (stream->paused == paused)
        return;
    stream->paused = paused;
    if (!paused)
        stream->hung_up = false;
    if (paused)
        gb_loop_undefer(&stream->again);
    else if (stream->input.size > 0 && !stream->told)
        gb_loop_defer(stream->loop, &stream->again, on_again, stream);
    update_interest(stream);
}

int gb_stream_fd(const struct gb_stream *stream)
{
    return stream->fd;
}

static void on_deadline(void *arg)
{
    gb_stream_free(arg);
}

void gb_stream_finish(struct gb_stream *stream, uint64_t limit_ms)
{
    if (stream->output.size == 0) {
        gb_stream_free(stream);
        return;
    }
    stream->finishing = true;
    gb_loop_undefer(&stream->report);
    gb_loop_undefer(&stream->again);
    stream->deadline = gb_timer_new(stream->loop, on_deadline, stream);
    gb_timer_start(stream->deadline, limit_ms);
    update_interest(stream);
}

void gb_stream_free(struct gb_stream *stream)
{
    if (stream == NULL || stream->freed)
        return;
    stream->freed = true;
    gb_loop_undefer(&stream->report);
    gb_loop_undefer(&stream->again);
    gb_timer_free(stream->deadline);
    (void)uv_poll_stop(&stream->handle);
    stream->fd = gb_close(stream->fd);
    uv_close((uv_handle_t *)&stream->handle, free_stream);
}
