/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: thin objects over libuv that cannot be used after they are freed.
 *
 * Theory of operation. One thread, one uv_loop_t. libuv wants a handle's memory until its close
 * callback; the objects here hide that: `…_free()` may be called at any time, also from the
 * object's own callback, and after it no callback of that object is made. The memory goes in
 * libuv's close callback. What must not happen inside the caller's stack frame goes through
 * gb_loop_defer().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"

struct gb_loop;

/* Borrows @uv, which must outlive the loop and run in the calling thread. Gives. */
struct gb_loop *gb_loop_new(uv_loop_t *uv);

/* How often the loop has woken up and gone round: one that has nothing to do stands still. */
uint64_t gb_loop_turns(const struct gb_loop *loop);

/* Deferred calls that have not run yet are dropped. The objects below must be freed before; run @uv
 * once more afterwards so that libuv can finish closing. Accepts NULL. */
void gb_loop_free(struct gb_loop *loop);

uv_loop_t *gb_loop_uv(struct gb_loop *loop);

/* Monotonic nanoseconds, read afresh. */
uint64_t gb_loop_now_ns(void);

/* A call that is made once, soon, from the loop. Embed it in the object that it concerns, zeroed.
 */
struct gb_deferred {
    struct gb_list link;
    void (*call)(void *arg);
    void *arg;
    bool queued;
};

/* Queues @deferred; nothing happens when it is queued already. */
void gb_loop_defer(struct gb_loop *loop, struct gb_deferred *deferred, void (*call)(void *),
                   void *arg);
/* Takes it back; harmless when it is not queued. */
void gb_loop_undefer(struct gb_deferred *deferred);

/* Timers. */
struct gb_timer;
struct gb_timer *gb_timer_new(struct gb_loop *loop, void (*expired)(void *arg), void *arg);
/* Starts anew, once. Milliseconds from now. */
void gb_timer_start(struct gb_timer *timer, uint64_t ms);
void gb_timer_stop(struct gb_timer *timer);
bool gb_timer_active(const struct gb_timer *timer);
void gb_timer_free(struct gb_timer *timer);

/* Signals to this process. */
struct gb_signal;
struct gb_signal *gb_signal_new(struct gb_loop *loop, int signum, void (*caught)(void *arg, int),
                                void *arg);
void gb_signal_free(struct gb_signal *signal);

/* Readiness of a descriptor that somebody else reads (a listening socket, a process, a pipe). */
struct gb_watch;
struct gb_watch *gb_watch_new(struct gb_loop *loop, int fd, void (*ready)(void *arg), void *arg);
/* A watch that is paused costs nothing; it starts unpaused. */
void gb_watch_pause(struct gb_watch *watch, bool paused);
void gb_watch_free(struct gb_watch *watch);

/* A byte stream over a connected socket, both ways, with bounded memory if its user keeps the
 * rules: consume the input or pause; look at gb_stream_queued() before writing more. */
struct gb_stream_events {
    /* Bytes were added to the input, or were left in it when a pause ended; consume what can be
     * used. Not called while paused. */
    void (*input)(void *arg, struct gb_buf *input);
    /* The peer has closed (@sys_errno 0) or the socket is broken. Once; everything that the peer
     * wrote has been in the input, so not while paused. */
    void (*closed)(void *arg, int sys_errno);
    /* @bytes of what was queued have left; may be NULL. */
    void (*sent)(void *arg, size_t bytes);
    /* @bytes of what was queued were dropped, for nobody takes what is written any more: who waited
     * for room has it. Also while paused, and what the peer wrote before may still be read. May be
     * NULL. */
    void (*dropped)(void *arg, size_t bytes);
};

struct gb_stream;

/* Takes @fd. Reads at most @read_bytes a wake-up (64 KiB is usual). Gives. */
struct gb_stream *gb_stream_new(struct gb_loop *loop, int fd, size_t read_bytes,
                                const struct gb_stream_events *events, void *arg);

/* Sends bytes; what the socket does not take at once is queued (copied). Never calls back from
 * within. After `closed` bytes are dropped; what was queued before still leaves if the peer has
 * only ended its own side. */
void gb_stream_send(struct gb_stream *stream, const void *data, size_t size);
/* The same for a buffer of the caller's, whose memory is taken when that saves a copy. */
void gb_stream_send_buf(struct gb_stream *stream, struct gb_buf *buf);

/* Bytes that have not left yet. */
size_t gb_stream_queued(const struct gb_stream *stream);
void gb_stream_pause(struct gb_stream *stream, bool paused);
int gb_stream_fd(const struct gb_stream *stream);

/* Closes when everything queued has left, or the peer is gone, or after @limit_ms; then frees. No
 * callback is made from now on. */
void gb_stream_finish(struct gb_stream *stream, uint64_t limit_ms);
void gb_stream_free(struct gb_stream *stream);

/* Child processes. */
struct gb_child;

enum { GB_CHILD_FDS_MAX = 16 };

struct gb_child_config {
    const char *file;
    char *const *argv;
    char *const *env; /* NULL: empty */
    /* fds[i] becomes descriptor i of the child; -1: /dev/null for 0–2, absent above. Borrowed. All
     * that are close-on-exec, which ours are from birth, stay behind. */
    int fds[GB_CHILD_FDS_MAX];
    size_t fd_count;
    bool new_session; /* setsid */
};

/* @exited is called once, when the child has been reaped: @status 0–255 and @signal 0, or a signal.
 */
int gb_child_start(struct gb_loop *loop, const struct gb_child_config *config,
                   void (*exited)(void *arg, int status, int signal), void *arg,
                   struct gb_child **ret_child, struct gb_err *err);
pid_t gb_child_pid(const struct gb_child *child);
/* Sends @signum unless the child has been reaped. */
void gb_child_signal(struct gb_child *child, int signum);
/* After `exited`, or before: then the child goes on and is reaped silently. */
void gb_child_free(struct gb_child *child);
