/* SPDX-License-Identifier: Apache-2.0 */
/* Write leases: one client at a time runs cells in a session, while the others watch.
 *
 * Theory of operation. A lease belongs to a connection and ends with it. While somebody holds one,
 * a cell that another connection sends is refused (`held`), or waits in the seat's line for as long
 * as it was told to: then everything that its request borrowed is copied. Cells that were taken
 * before the lease run on. When the lease ends, the line moves up in the order of arrival.
 *
 * The note of a release or a hand-over is a message to those who come after: it goes out with the
 * reply to the next cell of another connection.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/internal.h"

enum { ACTION_NONE = -1, ACTION_TAKE, ACTION_RELEASE, ACTION_HAND_OVER };

struct lease {
    struct gb_list of_connection;
    struct seat *seat;
    struct connection *connection;
    bool human;
    uint64_t since_ns; /* wall clock */
    char *note;        /* NULL: none */
};

/* A cell that waits for a lease to end. */
struct lease_waiter {
    struct gb_list of_seat;
    struct seat *seat;
    struct request *request;
    struct gb_timer *timer;
    struct gb_params params; /* its texts are the buffers' below */
    struct program program;
    struct gb_buf standard_input;
    struct gb_env env;
};

void put_lease(struct gb_json_out *out, const struct seat *seat)
{
    const struct lease *lease = seat->lease;

    if (lease == NULL) {
        gb_json_put_null(out, "lease");
        return;
    }
    gb_json_object(out, "lease");
    gb_json_put_str(out, "holder", lease->connection->client);
    gb_json_put_u64(out, "client", lease->connection->number);
    gb_json_put_bool(out, "human", lease->human);
    gb_json_put_seconds(out, "since", lease->since_ns);
    gb_json_put_str(out, "note", lease->note);
    gb_json_put_u64(out, "waiting", gb_list_count(&seat->lease_waiters));
    gb_json_end(out);
}

static void add_holder(struct gb_json_out *out, void *arg)
{
    const struct lease *lease = ((const struct seat *)arg)->lease;

    gb_json_put_str(out, "holder", lease->connection->client);
    gb_json_put_u64(out, "client", lease->connection->number);
    gb_json_put_bool(out, "human", lease->human);
    gb_json_put_seconds(out, "since", lease->since_ns);
    gb_json_put_str(out, "note", lease->note);
}

static void refuse(struct request *request, struct seat *seat)
{
    const struct lease *lease = seat->lease;
    uint64_t held_s = (gb_clock_wall_ns() - lease->since_ns) / GB_NS_PER_S;
    struct gb_err err = {0};

    (void)gb_err_set(&err, GB_EHELD,
                     "the session is held by %s%.128s (client %llu) since %llu s: only that client "
                     "runs cells in it now",
                     lease->human ? "a person at " : "",
                     lease->connection->client == NULL ? "a client without a name"
                                                       : lease->connection->client,
                     (unsigned long long)lease->connection->number, (unsigned long long)held_s);
    request_fail_with(request, &err, add_holder, seat);
}

static void tell(struct seat *seat, const char *action, const char *note)
{
    struct event event;

    if (!event_begin(&event, seat->server, EVENT_LEASE_CHANGED, seat))
        return;
    put_lease(&event.out, seat);
    gb_json_put_str(&event.out, "action", action);
    gb_json_put_str(&event.out, "note", note);
    event_end(&event);
}

/* ---- those who wait ---- */

size_t lease_waiting(const struct seat *seat, const char *client)
{
    size_t count = 0;

    for (struct gb_list *at = seat->lease_waiters.next; at != &seat->lease_waiters; at = at->next) {
        const struct lease_waiter *waiter = container_of(at, struct lease_waiter, of_seat);

        count += same_client(waiter->request->connection->client, client);
    }
    return count;
}

static void waiter_free(struct lease_waiter *waiter)
{
    gb_list_remove(&waiter->of_seat);
    gb_timer_free(waiter->timer);
    program_release(&waiter->program);
    gb_buf_release(&waiter->standard_input);
    gb_env_release(&waiter->env);
    free(waiter);
}

static void on_patience_over(void *arg)
{
    struct lease_waiter *waiter = arg;
    struct request *request = waiter->request;
    struct seat *seat = waiter->seat;

    waiter_free(waiter);
    refuse(request, seat);
}

static void waiter_gone(struct request *request)
{
    waiter_free(request->arg);
}

/* Of @params are needed only what is no text, and standard input. */
static int waiter_copy(struct lease_waiter *waiter, const struct gb_params *params,
                       struct program *program, struct gb_err *err)
{
    int r = params_env(params->env, &waiter->env, err);

    if (r == 0)
        r = program_keep(program, err);
    if (r < 0)
        return r;
    waiter->program = *program;
    *program = (struct program){0};
    waiter->params = *params;
    waiter->params.env = NULL;
    if (!gb_buf_try_add(&waiter->standard_input, params->standard_input.data,
                        params->standard_input.size, GB_STDIN_MAX))
        return gb_err_set(err, GB_ECAPACITY, "the server has no memory for standard input");
    waiter->params.standard_input = gb_buf_bytes(&waiter->standard_input);
    return 0;
}

static void wait_for_end(struct request *request, const struct gb_params *params,
                         struct program *program, struct seat *seat)
{
    struct lease_waiter *waiter = xcalloc(1, sizeof(*waiter));
    struct gb_err err = {0};

    gb_list_init(&waiter->of_seat);
    if (waiter_copy(waiter, params, program, &err) < 0) {
        waiter_free(waiter);
        request_fail(request, &err);
        return;
    }
    waiter->seat = seat;
    waiter->request = request;
    waiter->timer = gb_timer_new(seat->server->loop, on_patience_over, waiter);
    gb_timer_start(waiter->timer, (uint64_t)params->lease_wait_ms);
    gb_list_add_tail(&seat->lease_waiters, &waiter->of_seat);
    request->arg = waiter;
    request->abandon = waiter_gone;
}

bool lease_stops(struct request *request, const struct gb_params *params, struct program *program,
                 struct seat *seat)
{
    if (seat->lease == NULL || seat->lease->connection == request->connection)
        return false;
    if (params->lease_wait_ms > 0)
        wait_for_end(request, params, program, seat);
    else
        refuse(request, seat);
    return true;
}

/* The lease has ended or passed on: who may go on does. */
static void move_up(struct seat *seat)
{
    struct lease_waiter *waiter;

    GB_LIST_FOREACH(waiter, &seat->lease_waiters, of_seat) {
        struct request *request = waiter->request;
        struct gb_err err = {0};

        if (seat->lease != NULL && seat->lease->connection != request->connection)
            continue;
        request->arg = NULL;
        request->abandon = NULL;
        gb_list_remove(
            &waiter->of_seat); /* it does not wait any more, and may stand in its own way */
        if (exec_start(request, &waiter->params, &waiter->program, &waiter->env, seat, &err) < 0)
            request_fail(request, &err);
        waiter_free(waiter);
    }
}

/* ---- the lease ---- */

static void drop(struct seat *seat)
{
    struct lease *lease = TAKE_PTR(seat->lease);

    if (lease == NULL)
        return;
    gb_list_remove(&lease->of_connection);
    free(lease->note);
    free(lease);
    gb_session_keep(seat->session, false);
}

static void give(struct seat *seat, struct connection *connection, const struct gb_params *params)
{
    struct lease *lease = xcalloc(1, sizeof(*lease));

    lease->seat = seat;
    lease->connection = connection;
    lease->human = params->human;
    lease->since_ns = gb_clock_wall_ns();
    lease->note = params->note.data == NULL
                      ? NULL
                      : xstrndup((const char *)params->note.data, params->note.size);
    gb_list_add_tail(&connection->leases, &lease->of_connection);
    drop(seat);
    seat->lease = lease;
    gb_session_keep(seat->session, true); /* whoever holds it may take time to think */
}

/* Leaves a note for those who come after. */
static void leave_note(struct seat *seat, const struct connection *from, struct gb_bytes note)
{
    if (note.size == 0)
        return;
    if (seat->notice.size + note.size + 1 > GB_NOTICE_MAX)
        gb_buf_clear(&seat->notice);
    if (seat->notice.size > 0)
        gb_buf_adds(&seat->notice, "\n");
    gb_buf_add(&seat->notice, note.data, note.size);
    seat->notice_from = from->number;
}

void put_notice(struct gb_json_out *out, struct seat *seat, const struct connection *connection)
{
    if (seat->notice.size == 0 || seat->notice_from == connection->number)
        return;
    gb_json_put(out, "notice", gb_buf_bytes(&seat->notice));
    gb_buf_release(&seat->notice);
}

void lease_disconnect(struct connection *connection)
{
    while (!gb_list_empty(&connection->leases)) {
        struct lease *lease = container_of(connection->leases.next, struct lease, of_connection);
        struct seat *seat = lease->seat;

        drop(seat);
        tell(seat, "disconnected", NULL);
        move_up(seat);
    }
}

void lease_release(struct seat *seat, const struct gb_err *why)
{
    struct lease_waiter *waiter;

    GB_LIST_FOREACH(waiter, &seat->lease_waiters, of_seat) {
        struct request *request = waiter->request;
        struct gb_err err = *why;

        err.code = GB_ECLOSED;
        err.dispatched = false;
        waiter_free(waiter);
        request->abandon = NULL;
        request_fail(request, &err);
    }
    drop(seat);
    gb_buf_release(&seat->notice);
}

/* The newest connection of that name or number. */
static struct connection *find_client(struct gb_server *server, struct gb_bytes to)
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

static int hand_over(struct connection *connection, struct seat *seat,
                     const struct gb_params *params, struct gb_err *err)
{
    struct connection *to;

    if (params->to.data == NULL)
        return gb_err_set(err, GB_EINVALID, "hand_over needs `to`: a client's name or number");
    to = find_client(connection->server, params->to);
    if (to == NULL)
        return gb_err_set(err, GB_ENOTFOUND, "no client \"%.*s\" is connected",
                          (int)params->to.size, (const char *)params->to.data);
    leave_note(seat, connection, params->note);
    give(seat, to, params);
    return 0;
}

static void reply_lease(struct request *request, const struct seat *seat)
{
    struct reply reply;

    reply_begin(&reply, request);
    put_lease(&reply.out, seat);
    reply_end(&reply);
}

void handle_lease(struct request *request, const struct gb_params *params)
{
    static const char *const told[] = {"taken", "released", "handed_over"};
    struct connection *connection = request->connection;
    struct gb_err err = {0};
    struct seat *seat = seat_find(connection->server, params->session, &err);
    _cleanup_(freep) char *note = NULL;
    bool mine, was_held;
    int r = 0;

    if (seat == NULL) {
        request_fail(request, &err);
        return;
    }
    if (params->action == ACTION_NONE) {
        (void)gb_err_set(&err, GB_EINVALID, "action must be one of: take, release, hand_over");
        request_fail(request, &err);
        return;
    }
    was_held = seat->lease != NULL;
    mine = was_held && seat->lease->connection == connection;
    if (was_held && !mine && !(params->action == ACTION_TAKE && params->force)) {
        refuse(request, seat);
        return;
    }
    if (params->action == ACTION_TAKE)
        give(seat, connection, params);
    else if (params->action == ACTION_RELEASE && mine)
        leave_note(seat, connection, params->note);
    else if (params->action == ACTION_HAND_OVER && mine)
        r = hand_over(connection, seat, params, &err);
    else if (params->action == ACTION_HAND_OVER)
        r = gb_err_set(&err, GB_EINVALID, "only who holds the session can hand it over");
    if (r == 0 && params->action == ACTION_RELEASE)
        drop(seat);
    if (r < 0) {
        request_fail(request, &err);
        return;
    }
    if (params->note.data != NULL)
        note = xstrndup((const char *)params->note.data, params->note.size);
    reply_lease(request, seat);
    if (was_held || params->action != ACTION_RELEASE)
        tell(seat, told[params->action], note);
    move_up(seat);
}
