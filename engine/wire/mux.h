/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: many flows of bytes over the one port of a guest, as pure state without I/O. The agent
 * and the engine are built from this file, so that there is one flow control, and one function of
 * it that grants credit.
 *
 * A stream is opened by either side with a kind (stream_kinds.h) and the parameters of that kind;
 * the other side takes it or refuses it. Each side that may send ends its half with SHUT, which can
 * carry a last word of the kind; RESET gives up both halves with a reason. docs/guest.md has the
 * frames.
 *
 * Flow control. A sender may have `window` of the kind on its way: a DATA frame takes its bytes and
 * GB_STREAM_COST more, so that many small frames are bounded, too. The receiver's user says what it
 * has consumed (gb_mux_consume), and the window opens again in steps of a quarter; or, behind a
 * frame that was sent with `push`, as soon as all that came has been consumed. While the receiver
 * is paused it does not open. Senders take turns of at most GB_STREAM_PIECE bytes (gb_mux_run).
 *
 * What the peer does is checked: more data than the window, data behind SHUT, credit that was not
 * used, an id that is used again or was never opened, a kind that the peer may not open, too many
 * streams are violations (-GB_EINTERNAL with a sentence). CREDIT and RESET of a stream that has
 * ended are late, and mean nothing.
 *
 * Memory: a small struct for each stream. No data is kept here: what is received is handed on at
 * once, and what is sent goes into the buffer of the port.
 *
 * Callbacks are made from gb_mux_frame(), gb_mux_run(), gb_mux_clear() and gb_mux_restart(). They
 * may call anything but these.
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
    struct gb_list link;  /* in the streams of the mux */
    struct gb_list ready; /* in the turns, while it has something to send and may */
    struct gb_mux *mux;
    void *user; /* the owner's; NULL at first */
    uint32_t id, cell;
    enum gb_stream_kind kind;
    bool opened_here;
    bool ours_open, theirs_open; /* that half may still send */
    bool given_up;               /* RESET was sent: what still comes is dropped */
    bool wants;                  /* has something to send */
    bool paused, push;
    uint32_t send_left;             /* of the window */
    uint32_t receive_left;          /* of the peer's */
    uint32_t held_bytes, held_cost; /* that came and were not consumed */
    uint32_t owed;                  /* consumed, not granted yet */
    uint64_t sent_cost;             /* in all */
    uint64_t granted_cost;          /* of it, by the peer */
};

/* What the owner of a kind does with its streams; @arg is that of the mux. NULL members: nothing,
 * but without `opened` a stream that the peer opens is refused by a guest, and a violation for the
 * host. */
struct gb_mux_kind {
    /* The peer has opened it. 0: taken. 1: refused, as @err says. -GB_E…: a violation. */
    int (*opened)(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                  struct gb_err *err);
    /* Its turn: sends at most gb_mux_room() bytes, once, or says gb_mux_want(stream, false). */
    void (*fill)(void *arg, struct gb_mux_stream *stream);
    /* 0, or a violation. The bytes count as held until gb_mux_consume(). */
    int (*data)(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes, struct gb_err *err);
    /* The peer has granted credit: there may be room, and what was pushed may have been consumed.
     */
    void (*credited)(void *arg, struct gb_mux_stream *stream);
    /* The peer has ended its half. 0, or a violation. */
    int (*shut)(void *arg, struct gb_mux_stream *stream, struct gb_bytes word, struct gb_err *err);
    /* Once, last: both halves were ended (@why NULL), or the peer gave it up, or gb_mux_clear().
     * Not for a stream that was given up here. */
    void (*ended)(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);
};

struct gb_mux {
    enum gb_side side;
    const struct gb_mux_kind *kinds; /* by enum gb_stream_kind */
    void *arg;
    struct gb_buf *out; /* where frames go: the port's */
    struct gb_list streams, turns;
    unsigned count[2]; /* of streams, by who opened them: the peer, we */
    uint32_t last[2];  /* ids that were used, likewise */
    unsigned restarts; /* not answered: what comes is of the time before */
};

/* @kinds: GB_STREAM_KIND_COUNT of them. All are borrowed for the life of the mux. */
void gb_mux_init(struct gb_mux *mux, enum gb_side side, const struct gb_mux_kind *kinds, void *arg,
                 struct gb_buf *out);
/* Ends all streams with @why, without a word to the peer, which is gone. */
void gb_mux_clear(struct gb_mux *mux, const struct gb_err *why);
/* The host's side alone: begins anew with a peer that may know streams of another conversation. All
 * streams end here and there, ids begin again, and what the peer has said before it heard of it is
 * dropped. */
void gb_mux_restart(struct gb_mux *mux, const struct gb_err *why);

/* Whether it is one of the frames of streams. */
bool gb_mux_takes(const struct gb_frame *frame);
/* A frame of the peer. 0, or a violation. */
int gb_mux_frame(struct gb_mux *mux, const struct gb_frame *frame, struct gb_err *err);
/* Lets streams that want to and may send take turns until @bytes have gone into the buffer. */
void gb_mux_run(struct gb_mux *mux, size_t bytes);
/* Whether a turn would send something. */
static inline bool gb_mux_is_ready(const struct gb_mux *mux)
{
    return !gb_list_empty(&mux->turns);
}

/* Opens a stream; @params is a message of the kind's table. NULL: GB_STREAMS_MAX are open. The mux
 * owns it; the pointer is good until `ended` or gb_mux_reset(). */
struct gb_mux_stream *gb_mux_open(struct gb_mux *mux, enum gb_stream_kind kind, uint32_t cell,
                                  const void *params);

/* Whether it has something to send, and is to get turns. */
void gb_mux_want(struct gb_mux_stream *stream, bool wants);
/* Bytes that one DATA frame may have now; 0: none. */
size_t gb_mux_room(const struct gb_mux_stream *stream);
/* Sends 1 to gb_mux_room() bytes. @push: the peer is to grant as soon as it has consumed all. */
void gb_mux_send(struct gb_mux_stream *stream, struct gb_bytes bytes, bool push);
/* The same without a copy: room for @size (at most gb_mux_room()) bytes, then what came of it; 0
 * sends nothing. NULL: no memory. Nothing may go into the buffer in between. */
uint8_t *gb_mux_send_begin(struct gb_mux_stream *stream, size_t size);
void gb_mux_send_end(struct gb_mux_stream *stream, size_t size, bool push);
/* Whether the peer has consumed, and granted, all that was sent until @sent_cost had this value. */
static inline bool gb_mux_was_granted(const struct gb_mux_stream *stream, uint64_t sent_cost)
{
    return stream->granted_cost >= sent_cost;
}

/* So many of the bytes that came are used up. */
void gb_mux_consume(struct gb_mux_stream *stream, size_t bytes);
void gb_mux_pause(struct gb_mux_stream *stream, bool paused);

/* Ends our half, with a message of the kind's table for that (NULL where it has none). The stream
 * is gone at once, without `ended`, when the peer's half has ended before: true. */
bool gb_mux_shut(struct gb_mux_stream *stream, const void *word);
/* Gives it up. The pointer is stale from now on. */
void gb_mux_reset(struct gb_mux_stream *stream, const struct gb_err *why);
