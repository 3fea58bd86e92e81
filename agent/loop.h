/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's loop: epoll, with an order inside a round and deadlines instead of timer descriptors.
 *
 * One round gathers everything that is ready and serves it by rank. Rank is what makes a small cell
 * cost one write to the port: the channel that says "done" is looked at before the pipes, so output
 * and end leave together.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sys/epoll.h>

#include "base/list.h"

enum { LOOP_BATCH = 64 };

enum rank {
    RANK_CHANNEL, /* workers' channels: an end of a cell includes what its pipes hold */
    RANK_PORT,    /* the host */
    RANK_SIGNAL,  /* deaths are looked at after the last words on the channels */
    RANK_PIPE,    /* output of cells */
};

struct source;
typedef void source_fn(struct source *source);

/* A descriptor in the loop. Embed it. The descriptor stays its owner's. */
struct source {
    int fd;
    enum rank rank;
    uint32_t events;  /* asked for; 0 when not in the loop */
    uint32_t revents; /* found in the present round, else 0 */
    source_fn *ready;
};

struct deadline;
typedef void deadline_fn(struct deadline *deadline);

/* A point on the monotonic clock. Embed it; it fires once. */
struct deadline {
    struct gb_list link;
    uint64_t at_ns;
    deadline_fn *passed;
};

struct loop {
    int epoll_fd;
    unsigned ready_count;
    bool goes_on; /* there is work that no descriptor tells of: the next round does not wait */
    struct source *ready[LOOP_BATCH];
    struct gb_list deadlines;
};

/* 0 or -errno. */
int loop_init(struct loop *loop);

/* Puts @source into the loop, or changes what it waits for. 0 or -errno. */
int loop_watch(struct loop *loop, struct source *source, uint32_t events);

/* Takes it out, also out of the round that is being served; harmless when it is not in. */
void loop_unwatch(struct loop *loop, struct source *source);

void deadline_init(struct deadline *deadline, deadline_fn *passed);
void deadline_set(struct loop *loop, struct deadline *deadline, uint64_t at_ns);
void deadline_clear(struct deadline *deadline);

static inline bool deadline_is_set(const struct deadline *deadline)
{
    return !gb_list_empty(&deadline->link);
}

/* Waits for something, at most until the next deadline, and serves one round. 0 or -errno. */
int loop_round(struct loop *loop);
