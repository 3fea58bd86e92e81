/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

int loop_init(struct loop *loop)
{
    *loop = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    gb_list_init(&loop->deadlines);
    return loop->epoll_fd < 0 ? -errno : 0;
}

int loop_watch(struct loop *loop, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    int op = source->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (source->events == events)
        return 0;
    if (epoll_ctl(loop->epoll_fd, op, source->fd, &event) < 0)
        return -errno;
    source->events = events;
    return 0;
}

void loop_unwatch(struct loop *loop, struct source *source)
{
    source->revents = 0;
    for (unsigned i = 0; i < loop->ready_count; i++) {
        if (loop->ready[i] == source)
            loop->ready[i] = NULL;
    }
    if (source->events == 0)
        return;
    /* Only fails for a descriptor that is not in the set, which is fine. */
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    source->events = 0;
}

void deadline_init(struct deadline *deadline, deadline_fn *passed)
{
    *deadline = (struct deadline){.passed = passed};
    gb_list_init(&deadline->link);
}

void deadline_set(struct loop *loop, struct deadline *deadline, uint64_t at_ns)
{
    gb_list_remove(&deadline->link);
    deadline->at_ns = at_ns;
    gb_list_add_tail(&loop->deadlines, &deadline->link);
}

void deadline_clear(struct deadline *deadline)
{
    gb_list_remove(&deadline->link);
}

/* The earliest deadline, or NULL. There are only a few, so they are not sorted. */
static struct deadline *next_deadline(struct loop *loop)
{
    struct deadline *deadline, *next = NULL;

    GB_LIST_FOREACH(deadline, &loop->deadlines, link) {
        if (next == NULL || deadline->at_ns < next->at_ns)
            next = deadline;
    }
    return next;
}

static int wait_ms(struct loop *loop)
{
    const struct deadline *next = next_deadline(loop);
    uint64_t now, ms;

    if (loop->goes_on)
        return 0;
    if (next == NULL)
        return -1;
    now = gb_clock_mono_ns();
    if (next->at_ns <= now)
        return 0;
    ms = (next->at_ns - now + GB_NS_PER_MS - 1) / GB_NS_PER_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void serve_deadlines(struct loop *loop)
{
    uint64_t now;

    if (gb_list_empty(&loop->deadlines))
        return;
    now = gb_clock_mono_ns();
    for (;;) {
        struct deadline *next = next_deadline(loop);

        if (next == NULL || next->at_ns > now)
            return;
        deadline_clear(next);
        next->passed(next);
    }
}

int loop_round(struct loop *loop)
{
    struct epoll_event events[LOOP_BATCH];
    int n = epoll_wait(loop->epoll_fd, events, LOOP_BATCH, wait_ms(loop));

    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    /* Insertion sort: stable, and a round has two or three entries. */
    for (int i = 0; i < n; i++) {
        struct source *source = events[i].data.ptr;
        int at = i;

        source->revents = events[i].events;
        for (; at > 0 && loop->ready[at - 1]->rank > source->rank; at--)
            loop->ready[at] = loop->ready[at - 1];
        loop->ready[at] = source;
    }
    loop->ready_count = (unsigned)n;
    for (unsigned i = 0; i < loop->ready_count; i++) {
        struct source *source = loop->ready[i];

        if (source == NULL || source->revents == 0)
            continue;
        source->ready(source);
        /* A handler may have removed the source and freed it. */
        if (loop->ready[i] == source)
            source->revents = 0;
    }
    loop->ready_count = 0;
    serve_deadlines(loop);
    return 0;
}
