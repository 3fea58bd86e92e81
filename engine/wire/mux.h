/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: many byte flows multiplexed over the one port of a guest, as pure state without I/O.
 * Both the agent and the engine are built from this file, so there is one flow control, and one
 * function that grants credit.
 *
 * Either side opens a stream with a kind (stream_kinds.h) and that kind's parameters; the other
 * side accepts or refuses it. Each side that may send ends its half with SHUT, which can carry a
 * final message of the kind; RESET aborts both halves with a reason. docs/guest.md describes the
 * frames.
 *
 * Flow control. A sender may have the kind's `window` outstanding: a DATA frame uses up its bytes
 * plus GB_STREAM_COST, so many small frames are bounded too. The receiver's user reports what it
 * has consumed (gb_mux_consume), and credit is granted in steps of a quarter window; or, after a
 * frame sent with `push`, as soon as everything received has been consumed. No credit is granted
 * while the receiver is paused. Senders take turns of at most GB_STREAM_PIECE bytes (gb_mux_run).
 *
 * The peer is checked. Violations (-GB_EINTERNAL with a message) are: more data than the window,
 * data after SHUT, more credit than was used, an id that is reused or was never opened, a kind that
 * the peer may not open, too many streams. CREDIT and RESET for a stream that has ended are late
 * and are ignored.
 *
 * Memory: a small struct per stream. No data is buffered here: received data is passed on at once,
 * and data to send goes into the port's buffer.
 *
 * Callbacks are called from gb_mux_frame(), gb_mux_run(), gb_mux_clear() and gb_mux_restart(). They
 * may call everything except these.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/list.h"
#include "wire/frame.h"
#include "wire/stream_kinds.h"

struct gb_mux;

struct gb_mux_stream {
    struct gb_list link;   /* in the mux's list of streams */
    struct gb_list bucket; /* in one of its buckets */
    struct gb_list ready;  /* in the round-robin list, while it has something to send and credit for
                            * it */
    struct gb_mux *mux;
    void *user; /* the owner's; NULL at first */
    uint32_t id, cell;
    enum gb_stream_kind kind;
    bool opened_here;
    bool ours_open, theirs_open; /* that half may still send */
    bool given_up;               /* RESET was sent: further input is dropped */
    bool wants;                  /* has something to send */
    bool paused, push;
    uint32_t send_left;             /* of our window */
    uint32_t receive_left;          /* of the peer's window */
    uint32_t held_bytes, held_cost; /* received and not consumed yet */
    uint32_t owed;                  /* consumed, but credit not granted yet */
    uint64_t sent_cost;             /* total */
    uint64_t granted_cost;          /* of it, credit granted by the peer */
};

/* Callbacks of a kind's owner; @arg is the mux's. NULL members do nothing, except that without
 * `opened` a stream opened by the peer is refused by a guest and is a violation for the host. */
struct gb_mux_kind {
    /* The peer opened it. 0: accept. 1: refuse, with @err as the reason. -GB_E…: a violation. */
    int (*opened)(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                  struct gb_err *err);
    /* Its turn: send at most gb_mux_room() bytes, once, or call gb_mux_want(stream, false). */
    void (*fill)(void *arg, struct gb_mux_stream *stream);
    /* 0, or a violation. The bytes count against the window until gb_mux_consume(). */
    int (*data)(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes, struct gb_err *err);
    /* The peer granted credit: there may be room, and pushed data may have been consumed. */
    void (*credited)(void *arg, struct gb_mux_stream *stream);
    /* The peer ended its half. 0, or a violation. */
    int (*shut)(void *arg, struct gb_mux_stream *stream, struct gb_bytes word, struct gb_err *err);
    /* Called once and last: both halves ended (@why NULL), the peer reset it, or gb_mux_clear().
     * Not called for a stream that was reset here. */
    void (*ended)(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);
};

enum { GB_MUX_BUCKETS = 64 };

struct gb_mux {
    enum gb_side side;
    const struct gb_mux_kind *kinds; /* by enum gb_stream_kind */
    void *arg;
    struct gb_buf *out; /* the port's output buffer */
    struct gb_list streams, turns;
    struct gb_list buckets[GB_MUX_BUCKETS]; /* the streams by id, modulo their number */
    unsigned count[2];                      /* streams by opener: the peer, us */
    uint32_t last[2];                       /* last id used, likewise */
    unsigned restarts; /* restarts not acknowledged yet: input still belongs to the previous
                        * conversation */
};

/* @kinds has GB_STREAM_KIND_COUNT entries. Borrows everything for the life of the mux. */
void gb_mux_init(struct gb_mux *mux, enum gb_side side, const struct gb_mux_kind *kinds, void *arg,
                 struct gb_buf *out);
/* Ends all streams with @why; the peer is gone, and is not told. */
void gb_mux_clear(struct gb_mux *mux, const struct gb_err *why);
/* Host only: starts over with a peer that may have streams of an earlier conversation. All streams
 * end on both sides, ids start again, and input from before the peer has processed this is
 * dropped. */
void gb_mux_restart(struct gb_mux *mux, const struct gb_err *why);

/* Whether the frame belongs to the streams. */
bool gb_mux_takes(const struct gb_frame *frame);
/* Handles a frame from the peer. 0, or a violation. */
int gb_mux_frame(struct gb_mux *mux, const struct gb_frame *frame, struct gb_err *err);
/* Lets streams with something to send take turns until @bytes have been added to the buffer. */
void gb_mux_run(struct gb_mux *mux, size_t bytes);
/* Whether gb_mux_run() would send something. */
static inline bool gb_mux_is_ready(const struct gb_mux *mux)
{
    return !gb_list_empty(&mux->turns);
}

/* Opens a stream; @params is a message of the kind's table. NULL: GB_STREAMS_MAX are open. Owned by
 * the mux; the pointer is valid until `ended` or gb_mux_reset(). */
struct gb_mux_stream *gb_mux_open(struct gb_mux *mux, enum gb_stream_kind kind, uint32_t cell,
                                  const void *params);

/* Sets whether it has something to send and takes turns. */
void gb_mux_want(struct gb_mux_stream *stream, bool wants);
/* The most bytes that a DATA frame may carry now; 0: none. */
size_t gb_mux_room(const struct gb_mux_stream *stream);
/* Sends 1 to gb_mux_room() bytes. @push: the peer grants credit as soon as it has consumed
 * everything. */
void gb_mux_send(struct gb_mux_stream *stream, struct gb_bytes bytes, bool push);
/* The same without a copy: returns room for @size (at most gb_mux_room()) bytes; the second call
 * sends as many as were written, 0 for none. NULL: out of memory. Nothing else may be added to the
 * buffer in between. */
uint8_t *gb_mux_send_begin(struct gb_mux_stream *stream, size_t size);
void gb_mux_send_end(struct gb_mux_stream *stream, size_t size, bool push);
/* Whether the peer has consumed, and granted credit for, everything sent up to the point where
 * @sent_cost had this value. */
static inline bool gb_mux_was_granted(const struct gb_mux_stream *stream, uint64_t sent_cost)
{
    return stream->granted_cost >= sent_cost;
}

/* Reports that this many received bytes have been consumed. */
void gb_mux_consume(struct gb_mux_stream *stream, size_t bytes);
void gb_mux_pause(struct gb_mux_stream *stream, bool paused);

/* Ends our half, with a message of the kind's table for that (NULL if it has none). If the peer's
 * half has ended already, the stream is freed at once, without `ended`: returns true. */
bool gb_mux_shut(struct gb_mux_stream *stream, const void *word);
/* Aborts the stream. The pointer is invalid from now on. */
void gb_mux_reset(struct gb_mux_stream *stream, const struct gb_err *why);
