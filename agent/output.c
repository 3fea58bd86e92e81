/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"

enum {
    PIPE_BYTES = 64 * 1024, /* size of a pipe: the kernel's default */
    /* One write to the port including its header, while the queue's buffer stays small enough to be
     * kept. */
    PIECE = GB_STREAM_PIECE - GB_FRAME_HEADER,
    PIECES_A_ROUND = 4,
};

/* What a read has revealed about the rest of the pipe. */
enum rest { REST_UNKNOWN, REST_EMPTY, REST_ENDED };

static size_t output_room(const struct output *output)
{
    return output->stream == NULL ? (size_t)PIECE : gb_mux_room(output->stream);
}

static bool may_send(const struct output *output)
{
    struct port *port = &output->cell->agent->port;

    /* Output over the limit needs no credit: it is discarded here. Nothing is read while the port
     * is held. */
    if (output->allowed == 0)
        return !port->held;
    return output_room(output) > 0 && !port_is_full(port);
}

/* The stream is opened with the first bytes: most cells write to only one of the two. */
static ssize_t output_begin(struct output *output, size_t size)
{
    static uint8_t piece[PIECE];
    struct cell *cell = output->cell;
    ssize_t n = read(output->source.fd, piece, size);

    if (n <= 0)
        return n;
    output->stream = gb_mux_open(&cell->agent->mux,
                                 output->which == GB_STDOUT ? GB_STREAM_STDOUT : GB_STREAM_STDERR,
                                 cell->id, NULL);
    if (output->stream == NULL) {
        output->allowed = 0;
        output->dropped += (uint64_t)n;
        return n;
    }
    output->stream->user = output;
    gb_mux_send(output->stream, (struct gb_bytes){piece, (size_t)n}, false);
    output->allowed -= (uint64_t)n;
    return n;
}

/* Reads a piece directly into a frame of the stream. */
static ssize_t output_forward(struct output *output, size_t size)
{
    uint8_t *to;
    ssize_t n;

    if (output->stream == NULL)
        return output_begin(output, size);
    to = gb_mux_send_begin(output->stream, size);
    if (to == NULL) {
        errno = EAGAIN;
        return -1;
    }
    n = read(output->source.fd, to, size);
    if (n > 0) {
        gb_mux_send_end(output->stream, (size_t)n, false);
        output->allowed -= (uint64_t)n;
    }
    return n;
}

/* Discards the pipe's content without copying it. */
static ssize_t discard(struct output *output)
{
    ssize_t n = splice(output->source.fd, NULL, output->cell->agent->null_fd, NULL, PIPE_BYTES,
                       SPLICE_F_NONBLOCK);

    if (n > 0)
        output->dropped += (uint64_t)n;
    return n;
}

/* One read, if allowed. */
static enum rest read_piece(struct output *output)
{
    size_t size = (size_t)MIN(output->allowed, (uint64_t)output_room(output));
    ssize_t n = output->allowed == 0 ? discard(output) : output_forward(output, size);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? REST_EMPTY : REST_ENDED;
    if (n == 0)
        return REST_ENDED;
    output->drained += (uint32_t)MIN((size_t)n, (size_t)PIPE_BYTES);
    /* A pipe returns everything it has up to the requested size, so a short read means that it was
     * empty. If there was no writer at the start of the round, nothing can have been added
     * since. */
    if (output->allowed > 0 && (size_t)n < size)
        return (output->source.revents & EPOLLHUP) != 0 ? REST_ENDED : REST_EMPTY;
    return REST_UNKNOWN;
}

/* Reads as much as a round allows, and returns what is known about the rest. */
static enum rest read_pieces(struct output *output)
{
    enum rest rest = REST_UNKNOWN;

    for (int i = 0; i < PIECES_A_ROUND && rest == REST_UNKNOWN && may_send(output); i++)
        rest = read_piece(output);
    return rest;
}

/* A draining stream is settled at end of file, when the pipe is empty, or when everything that it
 * held at the end of the cell has been read. */
static void settle(struct output *output, enum rest rest)
{
    if (rest == REST_ENDED)
        output->ended = true;
    if (output->cell->state == CELL_DRAINING &&
        (rest != REST_UNKNOWN || output->drained >= output->owed))
        output->settled = true;
}

/* Handles the consequences of reading: the end of the cell, or of a lingering one. */
static void output_after(struct output *output)
{
    struct cell *cell = output->cell;

    output_watch(output);
    if (cell->state == CELL_DRAINING)
        cell_output_settled(cell);
    else if (cell->state == CELL_OVER && output->ended && cell != cell->agent->ended)
        cell_retire(cell);
}

/* One piece immediately, the rest in turns with other streams; discarding needs no turn. */
static void output_ready(struct source *source)
{
    struct output *output = container_of(source, struct output, source);
    enum rest rest = output->allowed == 0 ? read_pieces(output) : read_piece(output);

    settle(output, rest);
    if (output->stream != NULL)
        gb_mux_want(output->stream, rest == REST_UNKNOWN && output->allowed > 0);
    output_after(output);
}

void output_fill(void *arg, struct gb_mux_stream *stream)
{
    struct output *output = stream->user;
    enum rest rest = read_piece(output);

    (void)arg;
    settle(output, rest);
    if (rest != REST_UNKNOWN || output->allowed == 0)
        gb_mux_want(stream, false);
    output_after(output);
}

void output_credited(void *arg, struct gb_mux_stream *stream)
{
    (void)arg;
    output_watch(stream->user);
}

void output_refused(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct output *output = stream->user;

    (void)arg;
    (void)why;
    output->stream = NULL;
    output->refused = output->allowed;
    output->allowed = 0;
    output_watch(output);
}

void output_want(struct output *output)
{
    output->allowed += output->refused;
    output->refused = 0;
}

void output_flush(struct output *output)
{
    if (output->source.fd < 0 || output->ended || !may_send(output))
        return;
    settle(output, read_pieces(output));
    output_watch(output);
}

int output_open(struct output *output, struct cell *cell, enum gb_output which)
{
    int pair[2];

    *output = (struct output){
        .source = {.fd = -1, .rank = RANK_PIPE, .ready = output_ready},
        .cell = cell,
        .which = which,
        .write_fd = -1,
    };
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    output->source.fd = pair[0];
    output->write_fd = pair[1];
    (void)fcntl(pair[0], F_SETFL, O_NONBLOCK); /* every pipe accepts this flag */
    /* So that programs may open /dev/stdout, which is a path to this pipe. */
    if (fchown(pair[1], USER_ID, USER_ID) < 0)
        return -errno;
    return loop_watch(&cell->agent->loop, &output->source, EPOLLIN);
}

void output_close(struct output *output)
{
    if (output->cell == NULL)
        return;
    loop_unwatch(&output->cell->agent->loop, &output->source);
    output->source.fd = gb_close(output->source.fd);
    output->write_fd = gb_close(output->write_fd);
    if (output->stream != NULL)
        (void)gb_mux_shut(TAKE_PTR(output->stream), NULL);
}

void output_watch(struct output *output)
{
    struct loop *loop = &output->cell->agent->loop;

    if (output->source.fd < 0)
        return;
    if (output->ended)
        output_close(output);
    else if (!may_send(output))
        loop_unwatch(loop, &output->source);
    else if (loop_watch(loop, &output->source, EPOLLIN) < 0)
        output_close(output);
}

/* What the pipe holds. Other processes may hold its far end, too, so no event comes for an empty
 * one. */
static uint32_t output_unread(const struct output *output)
{
    int bytes = 0;

    return ioctl(output->source.fd, FIONREAD, &bytes) < 0 ? UINT32_MAX : (uint32_t)bytes;
}

void output_drain(struct output *output)
{
    enum rest rest = REST_ENDED;

    output->drained = 0;
    output->owed = 0;
    /* No writers and no data: no need to read. */
    if (output->source.fd >= 0 && output->source.revents != EPOLLHUP) {
        output->owed = output_unread(output);
        rest = read_pieces(output);
    }
    settle(output, rest);
    output->source.revents = 0; /* handled for this round */
}
