/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/state.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/file.h"
#include "platform/socket.h"

struct state_sink {
    int fd;
    int theirs; /* the same file, opened for writing; QEMU has a copy of this descriptor */
};

int state_sink_new(struct state_sink **ret_sink, struct gb_err *err)
{
    /* QEMU looks for a descriptor that can be written but not read. */
    int theirs = -1, fd = gb_file_in_memory("device-state", &theirs);
    struct state_sink *sink;

    if (fd < 0)
        return gb_err_sys(err, -fd, "cannot make a place for device state");
    sink = xcalloc(1, sizeof(*sink));
    sink->fd = fd;
    sink->theirs = theirs;
    *ret_sink = sink;
    return 0;
}

int state_sink_fd(const struct state_sink *sink)
{
    return sink->theirs;
}

int state_sink_begin(struct state_sink *sink, struct gb_err *err)
{
    /* Copies of a descriptor share its offset, which QEMU does not reset. */
    if (ftruncate(sink->fd, 0) < 0 || lseek(sink->theirs, 0, SEEK_SET) < 0)
        return gb_err_sys(err, errno, "cannot clear the place for device state");
    return 0;
}

static int copy(int from, int to, struct gb_err *err)
{
    char piece[STATE_PIECE];
    size_t total = 0;
    ssize_t n, written;

    if (lseek(from, 0, SEEK_SET) < 0)
        return gb_err_sys(err, errno, "cannot read device state");
    while ((n = gb_fd_read_full(from, piece, sizeof(piece))) > 0) {
        total += (size_t)n;
        if (total > STATE_MAX)
            return gb_err_set(err, GB_ETOOLARGE, "QEMU's device state is more than %d MB",
                              STATE_MAX >> 20);
        written = gb_fd_write_full(to, piece, (size_t)n);
        if (written < 0)
            return gb_err_sys(err, (int)-written, "cannot write device state");
    }
    return n < 0 ? gb_err_sys(err, (int)-n, "cannot read device state") : 0;
}

int state_sink_take(struct state_sink *sink, int file, struct gb_err *err)
{
    int r = copy(sink->fd, file, err);
    int cleared = state_sink_begin(sink, r == 0 ? err : NULL);

    return r < 0 ? r : cleared;
}

void state_sink_free(struct state_sink *sink)
{
    if (sink == NULL)
        return;
    (void)gb_close(sink->fd);
    (void)gb_close(sink->theirs);
    free(sink);
}

struct state_feed {
    struct gb_stream *stream; /* NULL: QEMU has everything, or reads no more */
    int file;
};

static void feed_more(struct state_feed *feed)
{
    char piece[STATE_PIECE];
    ssize_t n = gb_fd_read_full(feed->file, piece, sizeof(piece));

    if (n > 0)
        gb_stream_send(feed->stream, piece, (size_t)n);
    else
        gb_stream_free(TAKE_PTR(feed->stream));
}

static void on_sent(void *arg, size_t bytes)
{
    struct state_feed *feed = arg;

    (void)bytes;
    if (gb_stream_queued(feed->stream) == 0)
        feed_more(feed);
}

static void on_input(void *arg, struct gb_buf *input)
{
    (void)arg;
    gb_buf_clear(input); /* QEMU sends nothing here */
}

static void on_closed(void *arg, int sys_errno)
{
    struct state_feed *feed = arg;

    (void)sys_errno;
    gb_stream_free(TAKE_PTR(feed->stream));
}

int state_feed_new(struct gb_loop *loop, int file, struct state_feed **ret_feed, int *ret_fd,
                   struct gb_err *err)
{
    static const struct gb_stream_events events = {
        .input = on_input, .closed = on_closed, .sent = on_sent};
    struct state_feed *feed;
    int pair[2];
    int r = gb_socket_pair(pair);

    if (r < 0)
        return gb_err_sys(err, -r, "cannot make a socket for device state");
    feed = xcalloc(1, sizeof(*feed));
    feed->file = file;
    feed->stream = gb_stream_new(loop, pair[0], STATE_PIECE, &events, feed);
    feed_more(feed);
    *ret_feed = feed;
    *ret_fd = pair[1];
    return 0;
}

void state_feed_free(struct state_feed *feed)
{
    if (feed == NULL)
        return;
    gb_stream_free(feed->stream);
    free(feed);
}
