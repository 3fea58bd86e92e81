/* SPDX-License-Identifier: Apache-2.0 */
#include "subscription.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/core/sample.h"
#include "server/core/state.h"

int subscription_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool subscription_covers(const struct subscription *subscription, const char *session)
{
    return subscription->session_count == 0 || session == NULL ||
           bsearch(&session, subscription->sessions, subscription->session_count, sizeof(session),
                   subscription_compare) != NULL;
}

size_t subscription_kind(const struct watch_server *state, struct gb_bytes name)
{
    size_t kind = 0;

    while (kind < state->kind_count && !gb_bytes_equal(name, state->kinds[kind]))
        kind++;
    return kind;
}

bool subscription_wants(const struct subscription *subscription, const char *kind)
{
    const struct watch_server *state = watch_of_server(subscription->connection->server);

    return (subscription->kinds >> subscription_kind(state, gb_bytes_str(kind)) & 1) != 0;
}

/* Sends the body, which is complete, with a head for this subscription. */
static void subscription_send(struct subscription *subscription, struct gb_bytes body)
{
    struct gb_buf line = {0};

    gb_buf_addf(&line,
                "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":%u,"
                "\"seq\":%llu,",
                subscription->number, (unsigned long long)subscription->seq);
    gb_buf_add(&line, body.data + 1, body.size - 1); /* without its opening brace */
    gb_buf_add(&line, "}\n", 2);
    connection_send(subscription->connection, &line);
    gb_buf_release(&line);
}

void subscription_offer(struct subscription *subscription, const struct event *event)
{
    struct gb_bytes body = gb_buf_bytes(&event->body);
    size_t unsent = gb_stream_queued(subscription->connection->stream);

    subscription->seq++;
    /* An event larger than the limit is sent when the queue is empty: otherwise it never would
     * be. */
    if (!subscription->behind &&
        (unsent == 0 || unsent + body.size + GB_EVENT_HEAD_MAX <= GB_EVENTS_HIGH)) {
        subscription_send(subscription, body);
        return;
    }
    subscription->behind = true;
    subscription->dropped++;
}

static bool subscription_filter_covers(const struct session_filter *filter, const char *session)
{
    return subscription_covers(
        container_of((struct session_filter *)(uintptr_t)filter, struct subscription, filter),
        session);
}

/* Begins an event that this subscription gets regardless of its kinds and of how far it is
 * behind. */
static void subscription_begin(struct subscription *subscription, struct event *event,
                               const char *kind)
{
    event_begin_for(event, subscription->connection->server, kind, NULL, gb_clock_wall_ns(),
                    subscription);
}

static void subscription_end(struct subscription *subscription, struct event *event)
{
    gb_json_end(&event->out);
    subscription->seq++;
    subscription_send(subscription, gb_buf_bytes(&event->body));
    gb_buf_release(&event->body);
}

void subscription_snapshot(struct subscription *subscription)
{
    struct gb_server *server = subscription->connection->server;
    struct hosted *hosted;
    struct event event;

    subscription_begin(subscription, &event, "snapshot");
    gb_json_array(&event.out, "sessions");
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        if (!subscription_covers(subscription, gb_session_id(hosted->session)))
            continue;
        gb_json_object(&event.out, NULL);
        hosted_put(&event.out, hosted, 0);
        gb_json_end(&event.out);
    }
    gb_json_end(&event.out);
    PART_CALL(server, put_snapshot, &event.out, server, &subscription->filter);
    sample_put_host(&event.out);
    subscription_end(subscription, &event);
}

void subscription_resume(struct connection *connection)
{
    struct subscription *subscription;

    if (gb_stream_queued(connection->stream) > GB_EVENTS_LOW)
        return;
    GB_LIST_FOREACH(subscription, &watch_of_connection(connection)->subscriptions, of_connection) {
        struct event event;

        if (!subscription->behind)
            continue;
        subscription_begin(subscription, &event, "gap");
        gb_json_put_u64(&event.out, "dropped", subscription->dropped);
        subscription->behind = false;
        subscription->dropped = 0;
        subscription_end(subscription, &event);
        subscription_snapshot(subscription);
        if (gb_stream_queued(connection->stream) > GB_EVENTS_LOW)
            return; /* the others' turn comes when this has been sent */
    }
}

struct subscription *subscription_new(struct connection *connection, uint64_t kinds,
                                      char **sessions, size_t session_count)
{
    struct watch_connection *state = watch_of_connection(connection);
    struct subscription *subscription = xcalloc(1, sizeof(*subscription));

    subscription->connection = connection;
    subscription->number = ++state->numbered;
    subscription->kinds = kinds;
    subscription->sessions = sessions;
    subscription->session_count = session_count;
    subscription->filter.covers = subscription_filter_covers;
    gb_list_add_tail(&watch_of_server(connection->server)->subscriptions, &subscription->of_server);
    gb_list_add_tail(&state->subscriptions, &subscription->of_connection);
    return subscription;
}

void subscription_free(struct subscription *subscription)
{
    gb_list_remove(&subscription->of_server);
    gb_list_remove(&subscription->of_connection);
    for (size_t i = 0; i < subscription->session_count; i++)
        free(subscription->sessions[i]);
    free(subscription->sessions);
    free(subscription);
}
