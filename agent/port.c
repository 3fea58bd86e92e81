/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "console.h"

enum {
    READ_BYTES = 4096,  /* the kernel returns a page at a time */
    READS_A_ROUND = 32, /* then others get their turn, and credit is sent */
    SMALL_WRITE = 4096,
    /* What is made of a frame of this many bytes takes as many once or twice: a cell is a message
     * to its worker, and a message that the worker has not taken. */
    COPIES = 2,
};

/* Nothing more is done for the host until it has taken what it has asked for. */
static bool port_stops(struct port *port)
{
    if (!port->held && port->out.size >= PORT_STOP)
        port->stopped = true;
    return port->stopped;
}

/* The header of a large frame is there: memory for all of it, at once, so that nobody else has it
 * when it is needed. */
static void port_admit(struct port *port, const struct gb_frame *frame)
{
    const size_t rest = port->wanted - port->in.size;
    struct gb_err err;
    uint8_t *to = NULL;

    if (port->owner->check_room(port, (uint64_t)port->wanted * (1 + COPIES), &err) == 0) {
        to = gb_buf_reserve(&port->in, rest, port->wanted);
        if (to == NULL)
            (void)gb_err_set(&err, GB_ETOOLARGE, "no memory for a frame of %zu bytes",
                             port->wanted);
    }
    port->admitted = to != NULL;
    if (port->admitted) {
        memset(to, 0, rest);
        return;
    }
    port->owner->refused(port, frame, &err);
    port->dropping = rest;
    port->wanted = GB_FRAME_HEADER;
    gb_buf_clear(&port->in);
}

/* Others may have taken what there was when its header came. */
static void port_hand_out(struct port *port, const struct gb_frame *frame)
{
    struct gb_err err;

    if (port->admitted &&
        port->owner->check_room(port, (uint64_t)port->wanted * COPIES, &err) < 0) {
        port->owner->refused(port, frame, &err);
        return;
    }
    port->owner->frame(port, frame);
}

/* Serves whole frames, and looks at the beginning of the next one. */
static void hand_out_frames(struct port *port)
{
    struct gb_frame frame;
    struct gb_err err;
    int r = 0;

    while (!port_stops(port) &&
           (r = gb_frame_next(gb_buf_bytes(&port->in), &frame, &port->wanted, &err)) == 1) {
        port_hand_out(port, &frame);
        gb_buf_consume(&port->in, port->wanted);
        port->admitted = false;
    }
    /* The start of the next frame cannot be found. */
    if (r < 0)
        console_fatal("the host broke the protocol: %s", err.message);
    if (!port->stopped && !port->admitted && port->wanted > PORT_SMALL)
        port_admit(port, &frame);
}

/* Takes what has been read. */
static void port_take(struct port *port, size_t bytes)
{
    const size_t dropped = MIN(port->dropping, bytes);

    gb_buf_commit(&port->in, bytes);
    gb_buf_consume(&port->in, dropped);
    port->dropping -= dropped;
    if (port->sync.left > 0)
        gb_buf_consume(&port->in, gb_sync_drop(&port->sync, gb_buf_bytes(&port->in)));
    if (port->in.size > 0)
        hand_out_frames(port);
}

/* Reads until there is nothing more, or enough for one round. A large frame is alone in its buffer,
 * which goes when it has been served. */
static void read_frames(struct port *port)
{
    for (int i = 0; i < READS_A_ROUND && !port->stopped; i++) {
        const size_t rest = port->wanted - MIN(port->wanted, port->in.size);
        const size_t size = port->admitted ? MIN(rest, (size_t)READ_BYTES) : READ_BYTES;
        uint8_t *to = gb_buf_reserve(&port->in, size, SIZE_MAX);
        ssize_t n;

        if (to == NULL)
            console_fatal("no memory for a frame of the host");
        n = read(port->source.fd, to, size);
        if (n <= 0)
            return; /* 0 while the host's end is closed */
        port_take(port, (size_t)n);
        if ((size_t)n < size)
            return;
    }
}

/* While the host's end is closed the event persists, so it is edge-triggered; while it is open, it
 * is level-triggered, which saves a read that finds nothing. */
static void watch(struct port *port)
{
    /* Where it has stopped there is something to write. */
    uint32_t events = port->stopped ? EPOLLOUT : EPOLLIN;

    if (!port->connected)
        events |= EPOLLOUT | EPOLLET;
    else if (!port->writable)
        events |= EPOLLOUT;
    if (loop_watch(port->loop, &port->source, events) < 0)
        console_fatal("the port cannot be watched: %s", strerror(errno));
}

static void port_ready(struct source *source)
{
    struct port *port = container_of(source, struct port, source);
    bool was_connected = port->connected;

    port->connected = (source->revents & EPOLLHUP) == 0;
    if (port->connected && (source->revents & EPOLLOUT) != 0)
        port->writable = true;
    if (!port->connected)
        port->writable = false;
    else if (!was_connected) {
        /* A new host starts with a new frame. */
        gb_buf_clear(&port->in);
        port->wanted = GB_FRAME_HEADER;
        port->admitted = false;
        port->dropping = 0;
        port->owner->connected(port);
    }
    if ((source->revents & EPOLLIN) != 0)
        read_frames(port);
    watch(port);
}

int port_open(struct port *port, struct loop *loop, int fd, const struct port_owner *owner)
{
    port->source = (struct source){.fd = fd, .rank = RANK_PORT, .ready = port_ready};
    port->loop = loop;
    port->wanted = GB_FRAME_HEADER;
    port->owner = owner;
    return loop_watch(loop, &port->source, EPOLLIN | EPOLLOUT | EPOLLET);
}

void port_begin(struct port *port, const uint8_t *mark)
{
    gb_sync_expect(&port->sync, mark);
    gb_buf_add(&port->out, mark, GB_SYNC_BYTES);
}

void port_send(struct port *port, struct gb_frame frame, const struct gb_fields *fields,
               const void *message)
{
    gb_guest_add(&port->out, frame, fields, message);
}

void port_send_error(struct port *port, uint32_t id, const struct gb_err *err)
{
    const struct gb_guest_error message = {
        .code = (uint32_t)err->code,
        .message = gb_bytes_str(err->message),
    };

    port_send(port, (struct gb_frame){.type = GB_GUEST_ERROR, .id = id}, &gb_guest_error_fields,
              &message);
}

void port_send_ok(struct port *port, uint32_t id)
{
    port_send(port, (struct gb_frame){.type = GB_GUEST_OK, .id = id}, NULL, NULL);
}

void port_log(struct port *port, uint8_t level, const char *format, ...)
{
    char text[512];
    struct gb_guest_log message = {.level = level};
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0)
        return;
    message.text = (struct gb_bytes){(const uint8_t *)text, MIN((size_t)n, sizeof(text) - 1)};
    port_send(port, (struct gb_frame){.type = GB_GUEST_LOG}, &gb_guest_log_fields, &message);
}

void port_hold(struct port *port, uint32_t id)
{
    port_send(port, (struct gb_frame){.type = GB_GUEST_HELD, .id = id}, NULL, NULL);
    port->held = true;
    port->held_bytes = port->out.size;
}

void port_resume(struct port *port)
{
    port->held = false;
    port->owner->drained(port);
}

/* How much of the queue may be written. */
static size_t port_writable(const struct port *port)
{
    return port->held ? port->held_bytes : port->out.size;
}

bool port_is_full(struct port *port)
{
    if (port->held)
        return true;
    if (port->out.size >= PORT_HIGH)
        port->full = true;
    return port->full;
}

/* The host has taken enough of what it asked for: true when something was served meanwhile. */
static bool port_goes_on(struct port *port)
{
    if (!port->stopped || port->out.size >= PORT_LOW)
        return false;
    port->stopped = false;
    hand_out_frames(port);
    watch(port);
    return true;
}

/* As far as the port takes it. */
static void port_write(struct port *port)
{
    size_t most = PORT_WRITE_MAX;

    while (port_writable(port) > 0 && port->writable) {
        ssize_t n = write(port->source.fd, gb_buf_data(&port->out), MIN(port_writable(port), most));

        if (n > 0) {
            gb_buf_consume(&port->out, (size_t)n);
            port->held_bytes -= port->held ? (size_t)n : 0;
            continue;
        }
        /* The kernel copies into new memory; a large contiguous piece may not be available. */
        if (n < 0 && errno == ENOMEM && most > SMALL_WRITE) {
            most = SMALL_WRITE;
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOMEM)
            console_fatal("the port cannot be written: %s", strerror(errno));
        port->writable = false;
        watch(port);
    }
}

void port_flush(struct port *port)
{
    do
        port_write(port);
    while (port_goes_on(port));
    if (port->full && !port->held && port->out.size < PORT_LOW) {
        port->full = false;
        port->owner->drained(port);
        port_write(port); /* what it queued: no event would come for it */
    }
}
