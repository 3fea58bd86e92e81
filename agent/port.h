/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-serial port: frames in and out, both through bounded buffers.
 *
 * Every write(2) is an exit of the VM, so frames are collected and written once a round
 * (port_flush). The kernel takes at most 32 KiB a write.
 *
 * Memory. A frame of more than PORT_SMALL bytes is taken only where there is room for it and for
 * what is made of it; otherwise its owner hears of it as soon as its header is there, and the rest
 * is dropped as it comes. Frames are not served while more than PORT_STOP bytes of answers wait: a
 * small question can have a large answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "loop.h"
#include "wire/guest.h"
#include "wire/sync.h"

enum {
    PORT_WRITE_MAX = 32 * 1024,
    PORT_HIGH = 256 * 1024,        /* queued bytes above which no more output is taken from cells */
    PORT_LOW = 64 * 1024,          /* below which it is again */
    PORT_STOP = 1024 * 1024,       /* above which nothing more is done for the host */
    PORT_SMALL = GB_STREAM_WINDOW, /* the bytes of a frame that there always is room for */
};

struct port;

/* What the port tells its owner. */
struct port_owner {
    /* A whole frame has come; its payload is borrowed for the call. */
    void (*frame)(struct port *port, const struct gb_frame *frame);
    /* Whether @size bytes can be had: 0, or -GB_E… with the sentence for the next. */
    int (*check_room)(struct port *port, uint64_t size, struct gb_err *err);
    /* There is no room for this frame, whose payload is not there. */
    void (*refused)(struct port *port, const struct gb_frame *frame, const struct gb_err *why);
    void (*connected)(struct port *port); /* the host's end is open */
    void (*drained)(struct port *port);   /* the queue has room again */
};

struct port {
    struct source source;
    struct loop *loop;
    const struct port_owner *owner;
    struct gb_buf in, out;
    size_t wanted;   /* bytes of the frame at the front of @in known so far */
    bool admitted;   /* it is a large one, and @in has the memory for it */
    size_t dropping; /* bytes of a frame that was refused which are still to come */
    struct gb_sync sync;
    bool stopped;   /* since PORT_STOP; frames may wait in @in */
    bool connected; /* the host's end is open */
    bool writable;
    bool held;         /* only HELD, and what was queued before it, is written */
    size_t held_bytes; /* how much of that is not written yet */
    bool full;         /* has been above PORT_HIGH and not yet below PORT_LOW */
};

/* @fd: the opened port, non-blocking, taken. 0 or -errno. */
int port_open(struct port *port, struct loop *loop, int fd, const struct port_owner *owner);

/* Begins a conversation where another one may not have been finished: sends the mark,
 * GB_SYNC_BYTES, and drops what comes before the host's. Before anything else is queued. */
void port_begin(struct port *port, const uint8_t *mark);

static inline bool port_is_open(const struct port *port)
{
    return port->source.ready != NULL;
}

/* Queues a frame. Never fails: senders of unbounded data check port_is_full() first. */
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

/* Writes what is queued, as far as the port takes it, and serves frames that waited for that. */
void port_flush(struct port *port);
