/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct gb_loop {
    uv_loop_t *uv;
    uv_check_t *check; /* runs deferred calls after I/O */
    uv_idle_t *idle;   /* active while calls are pending, so that the loop does not block */
    struct gb_list deferred;
    uint64_t turns;
};

uv_loop_t *gb_loop_uv(struct gb_loop *loop)
{
    return loop->uv;
}

uint64_t gb_loop_turns(const struct gb_loop *loop)
{
    return loop->turns;
}

uint64_t gb_loop_now_ns(void)
{
    return gb_clock_mono_ns();
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* only keeps the loop from blocking */
}

static void on_check(uv_check_t *check)
{
    struct gb_loop *loop = check->data;
    struct gb_list batch, *link;

    loop->turns++;
    /* One batch per iteration: calls deferred meanwhile wait for the next one, so that I/O is not
     * starved. */
    gb_list_init(&batch);
    while ((link = gb_list_pop(&loop->deferred)) != NULL)
        gb_list_add_tail(&batch, link);
    (void)uv_idle_stop(loop->idle);
    while ((link = gb_list_pop(&batch)) != NULL) {
        struct gb_deferred *deferred = container_of(link, struct gb_deferred, link);

        deferred->queued = false;
        deferred->call(deferred->arg);
    }
}

struct gb_loop *gb_loop_new(uv_loop_t *uv)
{
    struct gb_loop *loop = xcalloc(1, sizeof(*loop));

    loop->uv = uv;
    gb_list_init(&loop->deferred);
    loop->check = xcalloc(1, sizeof(*loop->check));
    loop->idle = xcalloc(1, sizeof(*loop->idle));
    /* These three cannot fail. */
    (void)uv_check_init(uv, loop->check);
    (void)uv_idle_init(uv, loop->idle);
    loop->check->data = loop;
    (void)uv_check_start(loop->check, on_check);
    uv_unref((uv_handle_t *)loop->check);
    return loop;
}

void gb_loop_free(struct gb_loop *loop)
{
    struct gb_list *link;

    if (loop == NULL)
        return;
    while ((link = gb_list_pop(&loop->deferred)) != NULL)
        container_of(link, struct gb_deferred, link)->queued = false;
    uv_close((uv_handle_t *)loop->check, free_handle);
    uv_close((uv_handle_t *)loop->idle, free_handle);
    free(loop);
}

void gb_loop_defer(struct gb_loop *loop, struct gb_deferred *deferred, void (*call)(void *),
                   void *arg)
{
    if (deferred->queued)
        return;
    deferred->call = call;
    deferred->arg = arg;
    deferred->queued = true;
    gb_list_add_tail(&loop->deferred, &deferred->link);
    (void)uv_idle_start(loop->idle, on_idle);
}

void gb_loop_undefer(struct gb_deferred *deferred)
{
    if (!deferred->queued)
        return;
    deferred->queued = false;
    gb_list_remove(&deferred->link);
}

struct gb_timer {
    uv_timer_t handle;
    void (*expired)(void *arg);
    void *arg;
};

static void loop_on_timer(uv_timer_t *handle)
{
    struct gb_timer *timer = handle->data;

    timer->expired(timer->arg);
}

struct gb_timer *gb_timer_new(struct gb_loop *loop, void (*expired)(void *arg), void *arg)
{
    struct gb_timer *timer = xcalloc(1, sizeof(*timer));

    (void)uv_timer_init(loop->uv, &timer->handle); /* cannot fail */
    timer->handle.data = timer;
    timer->expired = expired;
    timer->arg = arg;
    return timer;
}

void gb_timer_start(struct gb_timer *timer, uint64_t ms)
{
    /* libuv counts from its cached time; a long iteration must not shorten the time-out. */
    uv_update_time(timer->handle.loop);
    (void)uv_timer_start(&timer->handle, loop_on_timer, ms, 0);
}

void gb_timer_stop(struct gb_timer *timer)
{
    (void)uv_timer_stop(&timer->handle);
}

bool gb_timer_active(const struct gb_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->handle) != 0;
}

void gb_timer_free(struct gb_timer *timer)
{
    /* The handle is the first member: freeing it frees the timer. */
    if (timer != NULL)
        uv_close((uv_handle_t *)&timer->handle, free_handle);
}

struct gb_signal {
    uv_signal_t handle;
    void (*caught)(void *arg, int signum);
    void *arg;
};

static void on_signal(uv_signal_t *handle, int signum)
{
    struct gb_signal *signal = handle->data;

    signal->caught(signal->arg, signum);
}

struct gb_signal *gb_signal_new(struct gb_loop *loop, int signum, void (*caught)(void *arg, int),
                                void *arg)
{
    struct gb_signal *signal = xcalloc(1, sizeof(*signal));

    signal->handle.data = signal;
    signal->caught = caught;
    signal->arg = arg;
    if (uv_signal_init(loop->uv, &signal->handle) < 0 ||
        uv_signal_start(&signal->handle, on_signal, signum) < 0)
        abort(); /* only for a signal number that cannot be caught: our bug */
    uv_unref((uv_handle_t *)&signal->handle);
    return signal;
}

void gb_signal_free(struct gb_signal *signal)
{
    if (signal != NULL)
        uv_close((uv_handle_t *)&signal->handle, free_handle);
}

struct gb_watch {
    uv_poll_t handle;
    void (*ready)(void *arg);
    void *arg;
};

static void on_watch(uv_poll_t *handle, int status, int events)
{
    struct gb_watch *watch = handle->data;

    /* Errors are reported to whoever reads next. */
    (void)status;
    (void)events;
    watch->ready(watch->arg);
}

struct gb_watch *gb_watch_new(struct gb_loop *loop, int fd, void (*ready)(void *arg), void *arg)
{
    struct gb_watch *watch = xcalloc(1, sizeof(*watch));

    watch->handle.data = watch;
    watch->ready = ready;
    watch->arg = arg;
    if (uv_poll_init(loop->uv, &watch->handle, fd) < 0)
        abort(); /* not a pollable descriptor: our bug */
    gb_watch_pause(watch, false);
    return watch;
}

void gb_watch_pause(struct gb_watch *watch, bool paused)
{
    if (paused)
        (void)uv_poll_stop(&watch->handle);
    else
        (void)uv_poll_start(&watch->handle, UV_READABLE | UV_DISCONNECT, on_watch);
}

void gb_watch_free(struct gb_watch *watch)
{
    if (watch != NULL)
        uv_close((uv_handle_t *)&watch->handle, free_handle);
}
