/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions and the events that go to them.
 *
 * Theory of operation. There is no queue besides that of the connection. An event that would take
 * its unsent bytes over GB_EVENTS_HIGH is dropped instead, and from then on all events of that
 * subscription are, until the watcher has read so much that GB_EVENTS_LOW is left: then it gets
 * `gap` with the number of events it missed, and a new `snapshot` from which everything after
 * follows. So a watcher that stops reading costs no more than that, and nobody ever waits for one:
 * cells are held for the connection that sent them only.
 *
 * `seq` counts what was meant for a subscription, what was dropped included.
 */
#pragma once

#include "server/core/event.h"
#include "server/watch/state.h"

struct subscription {
    struct gb_list of_server, of_connection;
    struct connection *connection;
    uint32_t number, kinds; /* bits by their numbers in struct watch_server */
    uint64_t seq, dropped;
    bool behind; /* events are dropped until the watcher has caught up */
    char **sessions;
    size_t session_count; /* 0: all */
    struct session_filter filter;
};

/* Takes @sessions, ids that are sorted by subscription_compare(). */
struct subscription *subscription_new(struct connection *connection, uint32_t kinds,
                                      char **sessions, size_t session_count);
void subscription_free(struct subscription *subscription);
/* For qsort(): names of sessions. */
int subscription_compare(const void *a, const void *b);

bool subscription_wants(const struct subscription *subscription, const char *kind);
bool subscription_covers(const struct subscription *subscription, const char *session);
/* Sends the present state. */
void subscription_snapshot(struct subscription *subscription);
/* Sends an event or drops it. */
void subscription_offer(struct subscription *subscription, const struct event *event);
/* Bytes have left: one that was behind may have caught up. */
void subscription_resume(struct connection *connection);

/* The number of a kind; kind_count: there is none of that name. */
size_t subscription_kind(const struct watch_server *state, struct gb_bytes name);
