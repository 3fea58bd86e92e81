/* SPDX-License-Identifier: Apache-2.0 */
#include "lease.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "model/session.h"
#include "rpc/object.h"
#include "server/core/event.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/state.h"

struct lease {
    struct gb_list of_connection;
    struct hosted *hosted;
    struct connection *connection;
    bool human;
    uint64_t since_ns; /* wall clock */
    char *note;        /* NULL: none */
};

/* The state per session and per connection. */
struct lease_session {
    struct lease *lease;    /* NULL: not held */
    struct gb_list waiters; /* struct lease_waiter */
    struct gb_buf notice;   /* left by the previous holder */
    uint64_t notice_from;   /* number of that connection */
};
struct lease_connection {
    struct gb_list leases; /* held by it */
};

/* A cell that waits for a lease to end. */
struct lease_waiter {
    struct gb_list link;
    struct held_cell *cell;
    struct gb_timer *timer;
};

static const struct part_state lease_sizes = {
    .connection = sizeof(struct lease_connection),
    .session = sizeof(struct lease_session),
};

static struct lease_session *lease_state(struct hosted *hosted)
{
    return part_of_session(hosted, &lease_sizes);
}

static struct gb_list *lease_held_by(struct connection *connection)
{
    struct lease_connection *state = part_of_connection(connection, &lease_sizes);

    return &state->leases;
}

static struct gb_lease_info lease_info(const struct lease *lease)
{
    return (struct gb_lease_info){
        .holder = gb_bytes_str(lease->connection->client),
        .client = lease->connection->number,
        .flags = lease->human ? GB_LEASE_HUMAN : 0u,
        .since_ns = lease->since_ns,
        .note = gb_bytes_str(lease->note),
    };
}

static void lease_describe_session(struct gb_session_info *info, struct hosted *hosted)
{
    const struct lease_session *state = lease_state(hosted);

    if (state->lease == NULL)
        return;
    info->flags |= GB_SESSION_HAS_LEASE;
    info->lease = lease_info(state->lease);
    info->lease.flags |= GB_LEASE_HAS_WAITING;
    info->lease.waiting = gb_list_count(&state->waiters);
}

/* Writes `lease`. */
static void lease_put(struct gb_json_out *out, struct hosted *hosted)
{
    struct gb_session_info info = {0};

    lease_describe_session(&info, hosted);
    gb_object_write(out, &gb_held_object, &info);
}

static void lease_add_holder(struct gb_json_out *out, void *arg)
{
    const struct gb_lease_info info = lease_info(lease_state(arg)->lease);

    gb_object_write(out, &gb_lease_object, &info);
}

static void lease_refuse(struct request *request, struct hosted *hosted)
{
    const struct lease *lease = lease_state(hosted)->lease;
    uint64_t held_s = (gb_clock_wall_ns() - lease->since_ns) / GB_NS_PER_S;
    struct gb_err err = {0};

    (void)gb_err_set(&err, GB_EHELD,
                     "the session is held by %s%.128s (client %llu) since %llu s: only that client "
                     "runs cells in it now",
                     lease->human ? "a person at " : "",
                     lease->connection->client == NULL ? "a client without a name"
                                                       : lease->connection->client,
                     (unsigned long long)lease->connection->number, (unsigned long long)held_s);
    request_fail_with(request, &err, lease_add_holder, hosted);
}

static void lease_tell(struct hosted *hosted, enum gb_lease_change change, const char *note)
{
    struct event event;

    if (!event_begin(&event, hosted->server, "lease.changed", hosted))
        return;
    lease_put(&event.out, hosted);
    gb_json_put_str(&event.out, "action", gb_lease_change_to_string(change));
    gb_json_put_str(&event.out, "note", note);
    event_end(&event);
}

/* ---- those who wait ---- */

static size_t lease_cells_of(struct hosted *hosted, const char *client)
{
    struct lease_waiter *waiter;
    size_t count = 0;

    GB_LIST_FOREACH(waiter, &lease_state(hosted)->waiters, link) {
        count += client_is_same(waiter->cell->request->connection->client, client);
    }
    return count;
}

/* Removes a waiter. Gives the cell. */
static struct held_cell *lease_waiter_free(struct lease_waiter *waiter)
{
    struct held_cell *cell = waiter->cell;

    gb_list_remove(&waiter->link);
    gb_timer_free(waiter->timer);
    free(waiter);
    cell->request->arg = NULL;
    cell->request->abandon = NULL;
    return cell;
}

static void lease_on_patience_over(void *arg)
{
    struct held_cell *cell = lease_waiter_free(arg);

    lease_refuse(cell->request, cell->hosted);
    cell->drop(cell);
}

static void lease_waiter_gone(struct request *request)
{
    struct held_cell *cell = lease_waiter_free(request->arg);

    cell->drop(cell);
}

static void lease_hold(struct held_cell *cell)
{
    struct lease_waiter *waiter = xcalloc(1, sizeof(*waiter));

    waiter->cell = cell;
    waiter->timer = gb_timer_new(cell->hosted->server->loop, lease_on_patience_over, waiter);
    gb_timer_start(waiter->timer, cell->wait_ms);
    gb_list_add_tail(&lease_state(cell->hosted)->waiters, &waiter->link);
    cell->request->arg = waiter;
    cell->request->abandon = lease_waiter_gone;
}

static bool lease_is_shut(struct hosted *hosted, const struct connection *connection)
{
    const struct lease *lease = lease_state(hosted)->lease;

    return lease != NULL && lease->connection != connection;
}

/* The lease has ended or was handed over: waiters that may run continue. */
static void lease_move_up(struct hosted *hosted)
{
    struct lease_waiter *waiter;

    GB_LIST_FOREACH(waiter, &lease_state(hosted)->waiters, link) {
        struct held_cell *cell;

        if (lease_is_shut(hosted, waiter->cell->request->connection))
            continue;
        cell = lease_waiter_free(waiter);
        cell->start(cell);
    }
}

/* ---- the lease ---- */

static void lease_drop(struct hosted *hosted)
{
    struct lease *lease = TAKE_PTR(lease_state(hosted)->lease);

    if (lease == NULL)
        return;
    gb_list_remove(&lease->of_connection);
    free(lease->note);
    free(lease);
    gb_session_keep(hosted->session, false);
}

static void lease_give(struct hosted *hosted, struct connection *connection,
                       const struct gb_params *params)
{
    struct lease *lease = xcalloc(1, sizeof(*lease));

    lease->hosted = hosted;
    lease->connection = connection;
    lease->human = params->human;
    lease->since_ns = gb_clock_wall_ns();
    lease->note = params->note.data == NULL
                      ? NULL
                      : xstrndup((const char *)params->note.data, params->note.size);
    gb_list_add_tail(lease_held_by(connection), &lease->of_connection);
    lease_drop(hosted);
    lease_state(hosted)->lease = lease;
    gb_session_keep(hosted->session, true); /* the holder may take time to think */
}

/* Leaves a note for the next clients. */
static void lease_leave_note(struct hosted *hosted, const struct connection *from,
                             struct gb_bytes note)
{
    struct lease_session *state = lease_state(hosted);

    if (note.size == 0)
        return;
    if (state->notice.size + note.size + 1 > GB_NOTICE_MAX)
        gb_buf_clear(&state->notice);
    if (state->notice.size > 0)
        gb_buf_adds(&state->notice, "\n");
    gb_buf_add(&state->notice, note.data, note.size);
    state->notice_from = from->number;
}

/* Writes `notice`, if there is one for this client, which then counts as delivered. */
static void lease_put_notice(struct gb_json_out *out, struct hosted *hosted,
                             const struct connection *connection)
{
    struct lease_session *state = lease_state(hosted);

    if (state->notice.size == 0 || state->notice_from == connection->number)
        return;
    gb_json_put(out, "notice", gb_buf_bytes(&state->notice));
    gb_buf_release(&state->notice);
}

static void lease_on_connection(struct connection *connection)
{
    gb_list_init(lease_held_by(connection));
}

static void lease_on_disconnect(struct connection *connection)
{
    struct gb_list *leases = lease_held_by(connection);

    while (!gb_list_empty(leases)) {
        struct lease *lease = container_of(leases->next, struct lease, of_connection);
        struct hosted *hosted = lease->hosted;

        lease_drop(hosted);
        lease_tell(hosted, GB_LEASE_DISCONNECTED, NULL);
        lease_move_up(hosted);
    }
}

static void lease_on_session(struct hosted *hosted)
{
    gb_list_init(&lease_state(hosted)->waiters);
}

/* Fails the waiters. */
static void lease_on_session_end(struct hosted *hosted, const struct gb_err *why)
{
    struct lease_session *state = lease_state(hosted);
    struct lease_waiter *waiter;

    GB_LIST_FOREACH(waiter, &state->waiters, link) {
        struct held_cell *cell = lease_waiter_free(waiter);
        struct gb_err err = *why;

        err.code = GB_ECLOSED;
        err.dispatched = false;
        request_fail(cell->request, &err);
        cell->drop(cell);
    }
    lease_drop(hosted);
    gb_buf_release(&state->notice);
}

/* The newest connection of that name or number. */
static struct connection *lease_find_client(struct gb_server *server, struct gb_bytes to)
{
    struct connection *connection, *found = NULL;
    char number[24];

    GB_LIST_FOREACH(connection, &server->connections, link) {
        (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)connection->number);
        if (gb_bytes_equal(to, number) ||
            (connection->client != NULL && gb_bytes_equal(to, connection->client)))
            found = connection;
    }
    return found;
}

static int lease_hand_over(struct connection *connection, struct hosted *hosted,
                           const struct gb_params *params, struct gb_err *err)
{
    struct connection *to;

    if (params->to.data == NULL)
        return gb_err_set(err, GB_EINVALID, "hand_over needs `to`: a client's name or number");
    to = lease_find_client(connection->server, params->to);
    if (to == NULL)
        return gb_err_set(err, GB_ENOTFOUND, "no client \"%.*s\" is connected",
                          (int)params->to.size, (const char *)params->to.data);
    lease_leave_note(hosted, connection, params->note);
    lease_give(hosted, to, params);
    return 0;
}

static void lease_reply(struct request *request, struct hosted *hosted)
{
    struct reply reply;

    reply_begin(&reply, request);
    lease_put(&reply.out, hosted);
    reply_end(&reply);
}

static void lease_handle(struct request *request, const struct gb_params *params)
{
    static const enum gb_lease_change told[] = {
        [GB_LEASE_TAKE] = GB_LEASE_TAKEN,
        [GB_LEASE_RELEASE] = GB_LEASE_RELEASED,
        [GB_LEASE_HAND_OVER] = GB_LEASE_HANDED_OVER,
    };
    struct connection *connection = request->connection;
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(connection->server, params->session, &err);
    _cleanup_(freep) char *note = NULL;
    bool mine, was_held;
    int r = 0;

    if (hosted == NULL) {
        request_fail(request, &err);
        return;
    }
    was_held = lease_state(hosted)->lease != NULL;
    mine = was_held && !lease_is_shut(hosted, connection);
    if (was_held && !mine && !(params->action == GB_LEASE_TAKE && params->force)) {
        lease_refuse(request, hosted);
        return;
    }
    if (params->action == GB_LEASE_TAKE)
        lease_give(hosted, connection, params);
    else if (params->action == GB_LEASE_RELEASE && mine)
        lease_leave_note(hosted, connection, params->note);
    else if (params->action == GB_LEASE_HAND_OVER && mine)
        r = lease_hand_over(connection, hosted, params, &err);
    else if (params->action == GB_LEASE_HAND_OVER)
        r = gb_err_set(&err, GB_EINVALID, "only the holder of the session can hand it over");
    if (r == 0 && params->action == GB_LEASE_RELEASE)
        lease_drop(hosted);
    if (r < 0) {
        request_fail(request, &err);
        return;
    }
    if (params->note.data != NULL)
        note = xstrndup((const char *)params->note.data, params->note.size);
    lease_reply(request, hosted);
    if (was_held || params->action != GB_LEASE_RELEASE)
        lease_tell(hosted, told[params->action], note);
    lease_move_up(hosted);
}

static const struct method_handler lease_methods[] = {
    {"session.lease", lease_handle},
    {NULL, NULL},
};

static const char *const lease_event_kinds[] = {"lease.changed", NULL};

static const struct gate lease_gate = {
    .is_shut = lease_is_shut,
    .refuse = lease_refuse,
    .hold = lease_hold,
};

const struct gb_part lease_part = {
    .name = "lease",
    .methods = lease_methods,
    .event_kinds = lease_event_kinds,
    .state = &lease_sizes,
    .connection_new = lease_on_connection,
    .connection_closed = lease_on_disconnect,
    .session_new = lease_on_session,
    .session_ended = lease_on_session_end,
    .gate = &lease_gate,
    .cells_of = lease_cells_of,
    .describe_session = lease_describe_session,
    .put_reply = lease_put_notice,
};
