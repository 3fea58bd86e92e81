/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's event loop: epoll, with priorities within a round and deadlines instead of timer
 * descriptors.
 *
 * A round collects all ready sources and serves them by rank. Because of the ranks a small cell
 * costs a single write to the port: the channel that reports "done" is served before the pipes, so
 * output and end are sent together.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sys/epoll.h>

#include "base/list.h"

enum { LOOP_BATCH = 64 };

enum rank {
    RANK_CHANNEL, /* workers' channels: the end of a cell includes what its pipes hold */
    RANK_PORT,    /* the host */
    RANK_SIGNAL,  /* deaths are handled after the last messages on the channels */
    RANK_PIPE,    /* output of cells */
};

struct source;
typedef void source_fn(struct source *source);

/* A descriptor in the loop. Embed it. The owner keeps the descriptor. */
struct source {
    int fd;
    enum rank rank;
    uint32_t events;  /* requested events; 0 if not in the loop */
    uint32_t revents; /* events in the current round, else 0 */
    source_fn *ready;
};

struct deadline;
typedef void deadline_fn(struct deadline *deadline);

/* A time on the monotonic clock. Embed it; it fires once. */
struct deadline {
    struct gb_list link;
    uint64_t at_ns;
    deadline_fn *passed;
};

struct loop {
    int epoll_fd;
    unsigned ready_count;
    bool goes_on; /* there is work without a ready descriptor: the next round does not block */
    struct source *ready[LOOP_BATCH];
    struct gb_list deadlines;
};

/* 0 or -errno. */
int loop_init(struct loop *loop);

/* Adds @source to the loop, or changes its events. 0 or -errno. */
int loop_watch(struct loop *loop, struct source *source, uint32_t events);

/* Removes it, also from the current round; no-op if it is not in the loop. */
void loop_unwatch(struct loop *loop, struct source *source);

void deadline_init(struct deadline *deadline, deadline_fn *passed);
void deadline_set(struct loop *loop, struct deadline *deadline, uint64_t at_ns);
void deadline_clear(struct deadline *deadline);

static inline bool deadline_is_set(const struct deadline *deadline)
{
    return !gb_list_empty(&deadline->link);
}

/* Waits for events, at most until the next deadline, and serves one round. 0 or -errno. */
int loop_round(struct loop *loop);
