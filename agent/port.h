/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-serial port: frames in and out, both through bounded buffers.
 *
 * Every write(2) is a VM exit, so frames are collected and written once per round (port_flush). The
 * kernel accepts at most 32 KiB per write.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "loop.h"
#include "wire/guest.h"

enum {
    PORT_WRITE_MAX = 32 * 1024,
    PORT_HIGH = 256 * 1024, /* queued bytes above which no more output is taken from cells */
    PORT_LOW = 64 * 1024,   /* queued bytes below which that resumes */
};

struct port;

/* A complete frame has arrived; its payload is borrowed for the call. */
typedef void port_frame_fn(struct port *port, const struct gb_frame *frame);

/* The state of the port has changed: the host has connected, or the queue has drained. */
typedef void port_event_fn(struct port *port);

struct port {
    struct source source;
    struct loop *loop;
    struct gb_buf in, out;
    size_t wanted;  /* size of the frame at the front of @in, as far as known */
    bool connected; /* the host's end is open */
    bool writable;
    bool held;         /* only HELD, and what was queued before it, is written */
    size_t held_bytes; /* how much of that is not written yet */
    bool full;         /* has been above PORT_HIGH and not yet below PORT_LOW */
    port_frame_fn *frame;
    port_event_fn *connect, *drained;
};

/* @fd: the open port, non-blocking, taken. 0 or -errno. */
int port_open(struct port *port, struct loop *loop, int fd, port_frame_fn *frame,
              port_event_fn *connect, port_event_fn *drained);

static inline bool port_is_open(const struct port *port)
{
    return port->source.ready != NULL;
}

/* Queues a frame. Never fails: whoever sends unbounded data checks port_is_full() first. */
void port_send(struct port *port, struct gb_frame frame, const struct gb_fields *fields,
               const void *message);

/* Queues an ERROR for the request. */
void port_send_error(struct port *port, uint32_t id, const struct gb_err *err);
void port_send_ok(struct port *port, uint32_t id);

/* A line for the server's log. */
void port_log(struct port *port, uint8_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Queues HELD, the last frame to be written until port_resume(). Until then the port counts as
 * full. */
void port_hold(struct port *port, uint32_t id);
void port_resume(struct port *port);

bool port_is_full(struct port *port);

/* Writes the queue, as far as the port accepts it. */
void port_flush(struct port *port);
