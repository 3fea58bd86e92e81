/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: thin wrappers around libuv objects that cannot be used after they are freed.
 *
 * Theory of operation. One thread, one uv_loop_t. libuv needs a handle's memory until its close
 * callback has run; the objects here hide that: `…_free()` may be called at any time, even from the
 * object's own callback, and no callback of that object is made afterwards. libuv's close callback
 * frees the memory. Use gb_loop_defer() for anything that must not run within the caller's stack
 * frame.
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

/* The number of iterations so far; it does not change while the loop is idle. */
uint64_t gb_loop_turns(const struct gb_loop *loop);

/* Drops deferred calls that have not run yet. Free the objects below first; afterwards run @uv once
 * more so that libuv can finish closing. No-op on NULL. */
void gb_loop_free(struct gb_loop *loop);

uv_loop_t *gb_loop_uv(struct gb_loop *loop);

/* Current monotonic time in nanoseconds, not cached. */
uint64_t gb_loop_now_ns(void);

/* A call made once from the loop, as soon as possible. Embed it, zeroed, in the object that it
 * concerns. */
struct gb_deferred {
    struct gb_list link;
    void (*call)(void *arg);
    void *arg;
    bool queued;
};

/* Queues @deferred; no-op if it is queued already. */
void gb_loop_defer(struct gb_loop *loop, struct gb_deferred *deferred, void (*call)(void *),
                   void *arg);
/* Removes it from the queue; no-op if it is not queued. */
void gb_loop_undefer(struct gb_deferred *deferred);

/* Timers. */
struct gb_timer;
struct gb_timer *gb_timer_new(struct gb_loop *loop, void (*expired)(void *arg), void *arg);
/* (Re)starts the timer to fire once, @ms milliseconds from now. */
void gb_timer_start(struct gb_timer *timer, uint64_t ms);
void gb_timer_stop(struct gb_timer *timer);
bool gb_timer_active(const struct gb_timer *timer);
void gb_timer_free(struct gb_timer *timer);

/* Signals to this process. */
struct gb_signal;
struct gb_signal *gb_signal_new(struct gb_loop *loop, int signum, void (*caught)(void *arg, int),
                                void *arg);
void gb_signal_free(struct gb_signal *signal);

/* Readiness of a descriptor that the caller reads itself (a listening socket, a process, a
 * pipe). */
struct gb_watch;
struct gb_watch *gb_watch_new(struct gb_loop *loop, int fd, void (*ready)(void *arg), void *arg);
/* A paused watch costs nothing. Watches start unpaused. */
void gb_watch_pause(struct gb_watch *watch, bool paused);
void gb_watch_free(struct gb_watch *watch);

/* A byte stream over a connected socket, in both directions. Memory is bounded if the user follows
 * two rules: consume the input or pause; check gb_stream_queued() before writing more. */
struct gb_stream_events {
    /* Called when bytes were added to the input, or when a pause ended with bytes left in it;
     * consume what can be used. Not called while paused. */
    void (*input)(void *arg, struct gb_buf *input);
    /* Called once, when the peer has closed (@sys_errno 0) or the socket failed. By then all data
     * from the peer has been in the input, so it is not called while paused. */
    void (*closed)(void *arg, int sys_errno);
    /* @bytes of the queue have been sent; may be NULL. */
    void (*sent)(void *arg, size_t bytes);
    /* @bytes of the queue were dropped because the peer reads no more: whoever waited for room has
     * it. Also called while paused; data that the peer sent earlier may still be read. May be
     * NULL. */
    void (*dropped)(void *arg, size_t bytes);
};

struct gb_stream;

/* Takes @fd. Reads at most @read_bytes per wake-up (usually 64 KiB). Gives. */
struct gb_stream *gb_stream_new(struct gb_loop *loop, int fd, size_t read_bytes,
                                const struct gb_stream_events *events, void *arg);

/* Sends bytes; copies and queues what the socket does not accept at once. Never calls back from
 * within. After `closed` bytes are dropped; bytes queued before are still sent if the peer has only
 * shut down its own side. */
void gb_stream_send(struct gb_stream *stream, const void *data, size_t size);
/* The same for the caller's buffer, taking its memory when that saves a copy. */
void gb_stream_send_buf(struct gb_stream *stream, struct gb_buf *buf);

/* Bytes not sent yet. */
size_t gb_stream_queued(const struct gb_stream *stream);
void gb_stream_pause(struct gb_stream *stream, bool paused);
int gb_stream_fd(const struct gb_stream *stream);

/* Closes once everything queued has been sent, the peer is gone, or @limit_ms have passed; then
 * frees. No callback is made from now on. */
void gb_stream_finish(struct gb_stream *stream, uint64_t limit_ms);
void gb_stream_free(struct gb_stream *stream);

/* Child processes. */
struct gb_child;

enum { GB_CHILD_FDS_MAX = 16 };

struct gb_child_config {
    const char *file;
    char *const *argv;
    char *const *env; /* NULL: empty */
    /* fds[i] becomes descriptor i of the child; -1: /dev/null for 0–2, closed above. Borrowed.
     * Close-on-exec descriptors, such as all of ours, are not inherited. */
    int fds[GB_CHILD_FDS_MAX];
    size_t fd_count;
    bool new_session; /* setsid */
};

/* Calls @exited once, when the child has been reaped: with @status 0–255 and @signal 0, or with a
 * signal. */
int gb_child_start(struct gb_loop *loop, const struct gb_child_config *config,
                   void (*exited)(void *arg, int status, int signal), void *arg,
                   struct gb_child **ret_child, struct gb_err *err);
pid_t gb_child_pid(const struct gb_child *child);
/* Sends @signum if the child has not been reaped. */
void gb_child_signal(struct gb_child *child, int signum);
/* The same for its process group, which it leads if it has `new_session`. */
void gb_child_signal_group(struct gb_child *child, int signum);
/* May be called before `exited`: the child then keeps running and is reaped silently. */
void gb_child_free(struct gb_child *child);
