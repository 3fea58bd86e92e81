/* SPDX-License-Identifier: Apache-2.0 */
/* Relays bytes between a stream of the mux and a socket of this host.
 *
 * The socket is read only as far as the stream's window and turn allow, and as the port of the
 * guest takes it. Data from the guest is limited by the window, and credit is granted when the
 * socket has accepted it. Each half ends by itself. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/internal.h"

enum { SPLICE_CHUNK = GB_STREAM_PIECE - GB_FRAME_HEADER };

struct splice_write {
    uv_write_t request;
    size_t size, granted; /* granted: credit to grant once it is written */
    uint8_t bytes[];
};

/* Both halves have ended, and everything has been sent. */
static void splice_end_if_done(struct net_splice *splice)
{
    if (splice->stream == NULL && splice->writing == 0)
        splice->events->done(splice);
}

/* ---- from the socket ---- */

static void splice_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static _Thread_local uint8_t bytes[SPLICE_CHUNK]; /* only used within one loop callback */
    const struct net_splice *splice = handle->data;

    (void)suggested;
    *buffer = uv_buf_init((char *)bytes, (unsigned)MIN(gb_mux_room(splice->stream), sizeof(bytes)));
}

static void splice_pause(struct net_splice *splice)
{
    if (splice->reading)
        (void)uv_read_stop(splice->socket); /* never fails */
    splice->reading = false;
}

static bool splice_must_wait(const struct net_splice *splice)
{
    const struct gb_net *net = splice->net;

    return gb_mux_room(splice->stream) == 0 ||
           gb_stream_queued(net->port) + net->out.size > NET_QUEUE_HIGH;
}

static void splice_send(struct net_splice *splice, struct gb_bytes bytes)
{
    splice->received += bytes.size;
    *splice->all_received += bytes.size;
    gb_mux_send(splice->stream, bytes, false);
    if (!splice_must_wait(splice))
        return;
    splice_pause(splice);
    gb_mux_want(splice->stream, true);
}

static void splice_on_read(uv_stream_t *socket, ssize_t n, const uv_buf_t *buffer)
{
    struct net_splice *splice = socket->data;

    if (n == 0 || splice == NULL)
        return;
    flow_later(splice->net);
    if (n > 0) {
        if (splice->events->may_receive == NULL || splice->events->may_receive(splice))
            splice_send(splice, (struct gb_bytes){(const uint8_t *)buffer->base, (size_t)n});
        return;
    }
    splice_pause(splice);
    if (n != UV_EOF) {
        splice->events->broken(splice);
        return;
    }
    if (gb_mux_shut(splice->stream, NULL))
        splice->stream = NULL;
    splice_end_if_done(splice);
}

void splice_read(struct net_splice *splice)
{
    if (splice->reading || !splice->stream->ours_open)
        return;
    splice->reading = uv_read_start(splice->socket, splice_on_alloc, splice_on_read) == 0;
    if (!splice->reading)
        splice->events->broken(splice);
}

/* ---- to the socket ---- */

void splice_grant(struct net_splice *splice, size_t bytes)
{
    if (splice->stream == NULL || bytes == 0)
        return;
    gb_mux_consume(splice->stream, bytes);
    flow_later(splice->net);
}

static void splice_on_written(uv_write_t *request, int status)
{
    struct splice_write *write = container_of(request, struct splice_write, request);
    struct net_splice *splice = request->handle->data;

    if (splice != NULL) {
        splice->writing -= write->size;
        if (status < 0) {
            splice->events->broken(splice);
        } else {
            splice_grant(splice, write->granted);
            splice_end_if_done(splice);
        }
    }
    free(write);
}

void splice_write(struct net_splice *splice, struct gb_bytes bytes, size_t granted)
{
    struct splice_write *write = xmalloc(sizeof(*write) + bytes.size);
    uv_buf_t buffer;

    *write = (struct splice_write){.size = bytes.size, .granted = granted};
    memcpy(write->bytes, bytes.data, bytes.size);
    buffer = uv_buf_init((char *)write->bytes, (unsigned)bytes.size);
    splice->sent += bytes.size;
    *splice->all_sent += bytes.size;
    splice->writing += bytes.size;
    if (uv_write(&write->request, splice->socket, &buffer, 1, splice_on_written) == 0)
        return;
    splice->writing -= bytes.size;
    free(write);
    splice->events->broken(splice);
}

static void splice_on_shut(uv_shutdown_t *request, int status)
{
    (void)status; /* a failed socket reports that to its reader */
    free(request);
}

void splice_shut(struct net_splice *splice)
{
    uv_shutdown_t *request = xcalloc(1, sizeof(*request));

    if (uv_shutdown(request, splice->socket, splice_on_shut) < 0)
        free(request);
}

void splice_ended(struct net_splice *splice)
{
    splice->stream = NULL;
    splice_end_if_done(splice);
}
