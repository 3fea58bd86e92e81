/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions, and delivery of events to them.
 *
 * Theory of operation. There is no queue besides the connection's. An event that would take its
 * unsent bytes above GB_EVENTS_HIGH is dropped, and so are all further events of that subscription
 * until the watcher has read down to GB_EVENTS_LOW: then it gets `gap` with the number of dropped
 * events, and a new `snapshot`, which later events build on. So a watcher that stops reading costs
 * no more than that, and nobody ever waits for one: only the connection that sent a cell exerts
 * backpressure on it.
 *
 * `seq` counts every event for a subscription, including dropped ones.
 */
#pragma once

#include "server/core/event.h"
#include "server/watch/state.h"

struct subscription {
    struct gb_list of_server, of_connection;
    struct connection *connection;
    uint32_t number;
    uint64_t kinds; /* bits by their indexes in struct watch_server */
    uint64_t seq, dropped;
    bool answers; /* it shows questions to a person who can answer them */
    bool behind;  /* events are being dropped until the watcher has caught up */
    char **sessions;
    size_t session_count; /* 0: all */
    struct session_filter filter;
};

/* Takes @sessions: ids sorted by subscription_compare(). */
struct subscription *subscription_new(struct connection *connection, uint64_t kinds,
                                      char **sessions, size_t session_count);
void subscription_free(struct subscription *subscription);
/* For qsort(): compares names of sessions. */
int subscription_compare(const void *a, const void *b);

bool subscription_wants(const struct subscription *subscription, const char *kind);
bool subscription_covers(const struct subscription *subscription, const char *session);
/* Sends the current state. */
void subscription_snapshot(struct subscription *subscription);
/* Sends an event or drops it. */
void subscription_offer(struct subscription *subscription, const struct event *event);
/* Bytes have been sent: a subscription that was behind may have caught up. */
void subscription_resume(struct connection *connection);

/* The index of a kind; kind_count if there is none of that name. */
size_t subscription_kind(const struct watch_server *state, struct gb_bytes name);
