/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"

enum {
    PIPE_BYTES = 64 * 1024, /* what a pipe holds: the kernel's default */
    /* With its header one write to the port, and the queue's buffer stays below what it gives back.
     */
    PIECE = PORT_WRITE_MAX - GB_FRAME_HEADER,
    PIECES_A_ROUND = 4,
};

/* What a read has told about the rest of the pipe. */
enum rest { REST_UNKNOWN, REST_EMPTY, REST_ENDED };

static bool may_send(const struct stream *stream)
{
    struct cell *cell = stream->cell;

    /* What is over the cap needs no leave: it is thrown away here. */
    return stream->allowed == 0 || (cell->unacknowledged + GB_OUTPUT_COST < GB_OUTPUT_WINDOW &&
                                    !port_is_full(&cell->agent->port));
}

/* Reads a piece into an OUTPUT frame. */
static ssize_t forward(struct stream *stream, size_t size)
{
    struct cell *cell = stream->cell;
    struct port *port = &cell->agent->port;
    uint8_t *to = port_output_begin(port, size);
    ssize_t n;

    if (to == NULL) {
        errno = EAGAIN;
        return -1;
    }
    n = read(stream->source.fd, to, size);
    if (n > 0) {
        port_output_end(port, cell->id, stream->which, (size_t)n);
        stream->allowed -= (uint64_t)n;
        cell->unacknowledged += (uint64_t)n + GB_OUTPUT_COST;
    }
    return n;
}

/* Empties the pipe without a copy. */
static ssize_t discard(struct stream *stream)
{
    ssize_t n = splice(stream->source.fd, NULL, stream->cell->agent->null_fd, NULL, PIPE_BYTES,
                       SPLICE_F_NONBLOCK);

    if (n > 0)
        stream->dropped += (uint64_t)n;
    return n;
}

/* One read, if it is allowed. */
static enum rest read_piece(struct stream *stream)
{
    const struct cell *cell = stream->cell;
    size_t size = (size_t)MIN(stream->allowed, (uint64_t)PIECE);
    ssize_t n;

    if (stream->allowed > 0) /* and may_send() */
        size = MIN(size, (size_t)(GB_OUTPUT_WINDOW - GB_OUTPUT_COST - cell->unacknowledged));
    n = stream->allowed == 0 ? discard(stream) : forward(stream, size);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? REST_EMPTY : REST_ENDED;
    if (n == 0)
        return REST_ENDED;
    stream->drained += (uint32_t)MIN((size_t)n, (size_t)PIPE_BYTES);
    /* A pipe gives all that it has up to the size asked for, so less means that it was empty. With
     * no writer left at the start of the round nothing can have come since. */
    if (stream->allowed > 0 && (size_t)n < size)
        return (stream->source.revents & EPOLLHUP) != 0 ? REST_ENDED : REST_EMPTY;
    return REST_UNKNOWN;
}

/* Reads as much as one round allows and says what is known about the rest. */
static enum rest read_pieces(struct stream *stream)
{
    enum rest rest = REST_UNKNOWN;

    for (int i = 0; i < PIECES_A_ROUND && rest == REST_UNKNOWN && may_send(stream); i++)
        rest = read_piece(stream);
    return rest;
}

/* A draining stream is settled at the end of the pipe, when it is empty, or when all that it can
 * have held at the end of the cell has been read. */
static void settle(struct stream *stream, enum rest rest)
{
    if (rest == REST_ENDED)
        stream->ended = true;
    if (stream->cell->state != CELL_DRAINING || stream->settled)
        return;
    if (rest == REST_UNKNOWN && stream->drained < PIPE_BYTES)
        return;
    /* A program may have made the pipe larger. */
    if (rest == REST_UNKNOWN && (int64_t)stream->drained < fcntl(stream->source.fd, F_GETPIPE_SZ))
        return;
    stream->settled = true;
}

static void stream_ready(struct source *source)
{
    struct stream *stream = container_of(source, struct stream, source);
    struct cell *cell = stream->cell;

    settle(stream, read_pieces(stream));
    stream_watch(stream);
    if (cell->state == CELL_DRAINING)
        cell_stream_settled(cell);
    else if (cell->state == CELL_OVER && stream->ended && cell != cell->agent->ended)
        cell_retire(cell);
}

void stream_flush(struct stream *stream)
{
    if (stream->source.fd < 0 || stream->ended || !may_send(stream))
        return;
    settle(stream, read_pieces(stream));
    stream_watch(stream);
}

int stream_open(struct stream *stream, struct cell *cell, enum gb_output which)
{
    int pair[2];

    *stream = (struct stream){
        .source = {.fd = -1, .rank = RANK_PIPE, .ready = stream_ready},
        .cell = cell,
        .which = which,
        .write_fd = -1,
    };
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    stream->source.fd = pair[0];
    stream->write_fd = pair[1];
    (void)fcntl(pair[0], F_SETFL, O_NONBLOCK); /* a flag that every pipe takes */
    /* So that a program may open /dev/stdout, which is a path to this pipe. */
    if (fchown(pair[1], USER_ID, USER_ID) < 0)
        return -errno;
    return loop_watch(&cell->agent->loop, &stream->source, EPOLLIN);
}

void stream_close(struct stream *stream)
{
    if (stream->cell == NULL)
        return;
    loop_unwatch(&stream->cell->agent->loop, &stream->source);
    stream->source.fd = gb_close(stream->source.fd);
    stream->write_fd = gb_close(stream->write_fd);
}

void stream_watch(struct stream *stream)
{
    struct loop *loop = &stream->cell->agent->loop;

    if (stream->source.fd < 0)
        return;
    if (stream->ended)
        stream_close(stream);
    else if (!may_send(stream))
        loop_unwatch(loop, &stream->source);
    else if (loop_watch(loop, &stream->source, EPOLLIN) < 0)
        stream_close(stream);
}

void stream_drain(struct stream *stream)
{
    enum rest rest = REST_ENDED;

    stream->drained = 0;
    /* Without writers and without bytes there is no need to ask. */
    if (stream->source.fd >= 0 && stream->source.revents != EPOLLHUP)
        rest = read_pieces(stream);
    settle(stream, rest);
    stream->source.revents = 0; /* served for this round */
}
