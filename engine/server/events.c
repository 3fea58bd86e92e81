/* SPDX-License-Identifier: Apache-2.0 */
/* Watching: subscriptions and the events that go to them.
 *
 * Theory of operation. What happens is told by event_begin() … event_end(): the body is written
 * once, and only when somebody wants it, then sent to each subscription under a head of its own.
 * There is no queue besides that of the connection. An event that would take its unsent bytes over
 * GB_EVENTS_HIGH is dropped instead, and from then on all events of that subscription are, until
 * the watcher has read so much that GB_EVENTS_LOW is left: then it gets `gap` with the number of
 * events it missed, and a new `snapshot` from which everything after follows. So a watcher that
 * stops reading costs no more than that, and nobody ever waits for one: cells are held for the
 * connection that sent them only.
 *
 * `seq` counts what was meant for a subscription, what was dropped included.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "server/internal.h"

enum { SAMPLE_MS = 1000, ASK_A_TURN = 16, ASK_DEADLINE_MS = 5000 };

static const char *const kind_names[] = {
    [EVENT_SNAPSHOT] = "snapshot",
    [EVENT_GAP] = "gap",
    [EVENT_SESSION_OPENED] = "session.opened",
    [EVENT_SESSION_CHANGED] = "session.changed",
    [EVENT_SESSION_CLOSED] = "session.closed",
    [EVENT_CELL_STARTED] = "cell.started",
    [EVENT_CELL_OUTPUT] = "cell.output",
    [EVENT_CELL_WAITING] = "cell.waiting",
    [EVENT_CELL_FINISHED] = "cell.finished",
    [EVENT_LEASE_CHANGED] = "lease.changed",
    [EVENT_POOL_CHANGED] = "pool.changed",
    [EVENT_SAMPLE] = "sample",
    [EVENT_SERVER_LOG] = "server.log",
};
static_assert(ARRAY_SIZE(kind_names) == EVENT_KIND_COUNT, "a name for each kind");

struct subscription {
    struct gb_list of_server, of_connection;
    struct connection *connection;
    uint32_t number, kinds; /* bits by enum event_kind */
    uint64_t seq, dropped;
    bool behind; /* events are dropped until the watcher has caught up */
    char **sessions;
    size_t session_count; /* 0: all */
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool covers(const struct subscription *subscription, const char *session)
{
    return subscription->session_count == 0 || session == NULL ||
           bsearch(&session, subscription->sessions, subscription->session_count, sizeof(session),
                   compare_names) != NULL;
}

static bool wants(const struct subscription *subscription, const struct event *event)
{
    return (subscription->kinds >> event->kind & 1) != 0 && covers(subscription, event->session);
}

/* ---- sending ---- */

/* Opens an event whose body, from `at` on, is written to event->out. */
static void begin_at(struct event *event, struct gb_server *server, enum event_kind kind,
                     const char *session, uint64_t at_ns)
{
    *event = (struct event){.server = server, .kind = kind, .session = session};
    event->out.buf = &event->body;
    gb_json_object(&event->out, NULL);
    gb_json_put_seconds(&event->out, "at", at_ns);
    gb_json_put_str(&event->out, "kind", kind_names[kind]);
    if (session != NULL)
        gb_json_put_str(&event->out, "session", session);
}

static void begin(struct event *event, struct gb_server *server, enum event_kind kind,
                  const char *session)
{
    begin_at(event, server, kind, session, gb_clock_wall_ns());
}

bool event_begin(struct event *event, struct gb_server *server, enum event_kind kind,
                 const struct hosted *hosted)
{
    struct event probe = {.kind = kind};
    struct subscription *subscription;

    if ((server->event_kinds >> kind & 1) == 0)
        return false;
    probe.session = hosted == NULL ? NULL : gb_session_id(hosted->session);
    GB_LIST_FOREACH(subscription, &server->subscriptions, of_server)
        if (wants(subscription, &probe)) {
            begin(event, server, kind, probe.session);
            return true;
        }
    return false;
}

/* The body, complete, behind a head of the subscription's own. */
static void send_line(struct subscription *subscription, struct gb_bytes body)
{
    struct gb_buf line = {0};

    gb_buf_addf(&line,
                "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":%u,"
                "\"seq\":%llu,",
                subscription->number, (unsigned long long)subscription->seq);
    gb_buf_add(&line, body.data + 1, body.size - 1); /* without its brace */
    gb_buf_add(&line, "}\n", 2);
    connection_send(subscription->connection, &line);
    gb_buf_release(&line);
}

static void offer(struct subscription *subscription, struct gb_bytes body)
{
    size_t unsent = gb_stream_queued(subscription->connection->stream);

    subscription->seq++;
    /* One that is larger by itself goes when nothing is in front of it: it would never go else. */
    if (!subscription->behind &&
        (unsent == 0 || unsent + body.size + GB_EVENT_HEAD_MAX <= GB_EVENTS_HIGH)) {
        send_line(subscription, body);
        return;
    }
    subscription->behind = true;
    subscription->dropped++;
}

void event_end(struct event *event)
{
    struct subscription *subscription;

    gb_json_end(&event->out);
    GB_LIST_FOREACH(subscription, &event->server->subscriptions, of_server)
        if (wants(subscription, event))
            offer(subscription, gb_buf_bytes(&event->body));
    gb_buf_release(&event->body);
}

/* ---- the present state ---- */

/* What a snapshot may still tell of cells, and how many it has left out. */
struct snapshot_room {
    size_t waiting, code_bytes;
    uint64_t left;
};

/* All cells that run, and of those that wait as many as there is room for. */
static void put_cells(struct gb_json_out *out, const struct hosted *hosted,
                      struct snapshot_room *room)
{
    struct exec *exec;

    GB_LIST_FOREACH(exec, &hosted->execs, of_session) {
        bool runs = exec->cell->state == GB_CELL_RUNNING;

        if (!runs && room->waiting == 0) {
            room->left++;
            continue;
        }
        room->waiting -= runs ? 0 : 1;
        gb_json_object(out, NULL);
        put_exec_cut(out, exec, &room->code_bytes);
        gb_json_end(out);
    }
}

static void put_snapshot(struct gb_json_out *out, struct subscription *subscription)
{
    struct gb_server *server = subscription->connection->server;
    struct snapshot_room room = {GB_SNAPSHOT_WAITING_MAX, GB_SNAPSHOT_CODE_MAX, 0};
    struct hosted *hosted;

    gb_json_array(out, "sessions");
    GB_LIST_FOREACH(hosted, &server->sessions, link)
        if (covers(subscription, gb_session_id(hosted->session))) {
            gb_json_object(out, NULL);
            put_session(out, hosted, 0);
            gb_json_end(out);
        }
    gb_json_end(out);
    gb_json_array(out, "cells");
    GB_LIST_FOREACH(hosted, &server->sessions, link)
        if (covers(subscription, gb_session_id(hosted->session)))
            put_cells(out, hosted, &room);
    gb_json_end(out);
    if (room.left > 0)
        gb_json_put_u64(out, "cells_left", room.left);
    gb_json_object(out, "pool");
    put_pool(out, server);
    gb_json_end(out);
    put_host(out);
}

static void send_snapshot(struct subscription *subscription)
{
    struct event event;

    begin(&event, subscription->connection->server, EVENT_SNAPSHOT, NULL);
    put_snapshot(&event.out, subscription);
    gb_json_end(&event.out);
    subscription->seq++;
    send_line(subscription, gb_buf_bytes(&event.body));
    gb_buf_release(&event.body);
}

/* What the cells that run have printed so far: the end of it, where it is much. */
static void send_so_far(struct subscription *subscription, struct hosted *hosted, struct exec *exec)
{
    for (int stream = GB_STDOUT; stream <= GB_STDERR; stream++) {
        const struct gb_buf *kept = stream == GB_STDOUT ? &exec->cell->out : &exec->cell->error;
        struct gb_bytes all = gb_buf_bytes(kept);
        struct event event;

        all.size -= exec->tails[stream - 1].size; /* the next piece begins with these */
        if (all.size > GB_EVENT_PIECE_MAX) {
            all.data += all.size - GB_EVENT_PIECE_MAX;
            all.size = GB_EVENT_PIECE_MAX;
            while (all.size > 0 && (all.data[0] & 0xc0) == 0x80) {
                all.data++;
                all.size--;
            }
        }
        if (all.size == 0)
            continue;
        begin(&event, hosted->server, EVENT_CELL_OUTPUT, gb_session_id(hosted->session));
        put_output(&event.out, exec->cell->number, (enum gb_output)stream, all, false);
        gb_json_put_bool(&event.out, "replay", true);
        gb_json_end(&event.out);
        offer(subscription, gb_buf_bytes(&event.body));
        gb_buf_release(&event.body);
    }
}

/* What figures were in a round before the subscription. */
static void send_figures(struct subscription *subscription, uint32_t round)
{
    struct gb_server *server = subscription->connection->server;
    struct event event;
    struct hosted *hosted;

    begin_at(&event, server, EVENT_SAMPLE, NULL, server->figures_at_ns[round % GB_FIGURES]);
    gb_json_array(&event.out, "sessions");
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        const struct figure *figure = figures_of(hosted, round);

        if (figure == NULL)
            continue;
        gb_json_object(&event.out, NULL);
        gb_json_put_str(&event.out, "session", gb_session_id(hosted->session));
        gb_json_put_u64(&event.out, "memory_bytes", (uint64_t)figure->memory_kib << 10);
        gb_json_put_ms(&event.out, "cpu_ms", figure->cpu_ns);
        gb_json_end(&event.out);
    }
    gb_json_end(&event.out);
    gb_json_put_bool(&event.out, "replay", true);
    gb_json_end(&event.out);
    offer(subscription, gb_buf_bytes(&event.body));
    gb_buf_release(&event.body);
}

static void replay(struct subscription *subscription)
{
    struct gb_server *server = subscription->connection->server;
    struct hosted *hosted;
    struct exec *exec;

    if ((subscription->kinds >> EVENT_SAMPLE & 1) != 0)
        for (uint32_t round = figures_first(server, server->session_count);
             round <= server->figures_round; round++)
            send_figures(subscription, round);

    if ((subscription->kinds >> EVENT_CELL_OUTPUT & 1) == 0)
        return;
    GB_LIST_FOREACH(hosted, &server->sessions, link)
        if (covers(subscription, gb_session_id(hosted->session)))
            for (struct gb_list *at = hosted->execs.next; at != &hosted->execs; at = at->next) {
                exec = container_of(at, struct exec, of_session);
                send_so_far(subscription, hosted, exec);
            }
}

void events_resume(struct connection *connection)
{
    struct subscription *subscription;

    if (gb_stream_queued(connection->stream) > GB_EVENTS_LOW)
        return;
    GB_LIST_FOREACH(subscription, &connection->subscriptions, of_connection) {
        struct event event;

        if (!subscription->behind)
            continue;
        begin(&event, connection->server, EVENT_GAP, NULL);
        gb_json_put_u64(&event.out, "dropped", subscription->dropped);
        gb_json_end(&event.out);
        subscription->behind = false;
        subscription->dropped = 0;
        subscription->seq++;
        send_line(subscription, gb_buf_bytes(&event.body));
        gb_buf_release(&event.body);
        send_snapshot(subscription);
        if (gb_stream_queued(connection->stream) > GB_EVENTS_LOW)
            return; /* the others' turn comes when this has left */
    }
}

/* ---- what is told ---- */

void event_session(struct hosted *hosted, enum event_kind kind)
{
    struct event event;

    if (!event_begin(&event, hosted->server, kind, hosted))
        return;
    gb_json_object(&event.out, "info");
    put_session(&event.out, hosted, 0);
    gb_json_end(&event.out);
    event_end(&event);
}

void event_closed(const struct hosted *hosted, const struct gb_err *why)
{
    struct event event;

    if (!event_begin(&event, hosted->server, EVENT_SESSION_CLOSED, hosted))
        return;
    gb_json_put_str(&event.out, "reason", hosted->end);
    gb_json_put_str(&event.out, "message", why->message);
    event_end(&event);
}

void event_cell(const struct exec *exec, enum event_kind kind)
{
    struct event event;

    if (!event_begin(&event, exec->hosted->server, kind, exec->hosted))
        return;
    gb_json_put_u64(&event.out, "cell", exec->cell->number);
    gb_json_object(&event.out, "info");
    put_exec(&event.out, exec, CELL_BRIEF);
    gb_json_end(&event.out);
    event_end(&event);
}

void event_waiting(const struct exec *exec)
{
    struct event event;

    if (!event_begin(&event, exec->hosted->server, EVENT_CELL_WAITING, exec->hosted))
        return;
    gb_json_put_u64(&event.out, "cell", exec->cell->number);
    gb_json_put_bool(&event.out, "waiting", exec->waiting);
    put_prompt(&event.out, exec);
    event_end(&event);
}

/* As much of @bytes as an event may hold, cut between characters. */
static struct gb_bytes take_piece(struct gb_bytes *bytes)
{
    struct gb_bytes piece = {bytes->data, MIN(bytes->size, (size_t)GB_EVENT_PIECE_MAX)};
    size_t unfinished = piece.size < bytes->size ? gb_utf8_unfinished(piece) : 0;

    piece.size -= unfinished;
    bytes->data += piece.size;
    bytes->size -= piece.size;
    return piece;
}

void event_output(const struct hosted *hosted, uint32_t cell, enum gb_output stream,
                  struct gb_bytes bytes, bool background)
{
    while (bytes.size > 0) {
        struct gb_bytes piece = take_piece(&bytes);
        struct event event;

        if (!event_begin(&event, hosted->server, EVENT_CELL_OUTPUT, hosted))
            return;
        put_output(&event.out, cell, stream, piece, background);
        event_end(&event);
    }
}

/* ---- figures once a second ---- */

static void on_status(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct gb_status status;
    struct gb_err bad = {0};

    (void)err; /* a guest that does not answer is shown as it was last known */
    hosted->asked = false;
    if (frame != NULL && gb_fields_decode(&gb_status_fields, frame->payload, &status, &bad) == 0)
        hosted_status(hosted, &status);
    else if (frame != NULL)
        gb_session_violation(hosted->session, &bad);
}

/* Asks guests for their memory, each in its turn; the answer is told with the next sample. */
static void ask_guests(struct gb_server *server)
{
    size_t asked = 0;
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        if (!hosted->opened || hosted->closing || hosted->asked ||
            hosted->asked_round == server->ask_round)
            continue;
        if (asked++ == ASK_A_TURN)
            return;
        hosted->asked_round = server->ask_round;
        hosted->asked = gb_session_request(hosted->session, GB_GUEST_STAT, NULL, NULL,
                                           ASK_DEADLINE_MS, on_status, hosted, NULL) == 0;
    }
    server->ask_round++; /* everybody had a turn */
}

static void on_sample(void *arg)
{
    struct gb_server *server = arg;
    struct event event;
    struct hosted *hosted;

    gb_timer_start(server->sample_timer, SAMPLE_MS);
    figures_look(server);
    ask_guests(server);
    if (!event_begin(&event, server, EVENT_SAMPLE, NULL))
        return;
    put_host(&event.out);
    gb_json_array(&event.out, "sessions");
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        gb_json_object(&event.out, NULL);
        gb_json_put_str(&event.out, "session", gb_session_id(hosted->session));
        put_sample(&event.out, hosted, 0);
        gb_json_end(&event.out);
    }
    gb_json_end(&event.out);
    event_end(&event);
}

/* ---- the server's own log ---- */

struct log_line {
    struct gb_list link;
    enum gb_log_level level;
    char *message;
};

static void free_log(struct gb_server *server)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&server->log_lines)) != NULL) {
        struct log_line *line = container_of(link, struct log_line, link);

        free(line->message);
        free(line);
    }
    server->log_count = 0;
}

static void on_log_lines(void *arg)
{
    struct gb_server *server = arg;
    struct log_line *line;

    GB_LIST_FOREACH(line, &server->log_lines, link) {
        struct event event;

        if (!event_begin(&event, server, EVENT_SERVER_LOG, NULL))
            break;
        gb_json_put_str(&event.out, "level", gb_log_level_name(line->level));
        gb_json_put_str(&event.out, "message", line->message);
        event_end(&event);
    }
    free_log(server);
}

/* A message may come from the midst of anything: it is told from the loop. */
static void on_log(void *arg, enum gb_log_level level, const char *message)
{
    struct gb_server *server = arg;
    struct log_line *line;

    if (server->log_count >= GB_EVENT_LOG_MAX || !pthread_equal(pthread_self(), server->thread))
        return;
    line = xcalloc(1, sizeof(*line));
    line->level = level;
    line->message = xstrdup(message);
    gb_list_add_tail(&server->log_lines, &line->link);
    server->log_count++;
    gb_loop_defer(server->loop, &server->log_deferred, on_log_lines, server);
}

/* ---- subscriptions ---- */

/* The kinds that anybody wants, and what has to run for them. */
static void update_kinds(struct gb_server *server)
{
    bool sampled = (server->event_kinds >> EVENT_SAMPLE & 1) != 0;
    bool logged = (server->event_kinds >> EVENT_SERVER_LOG & 1) != 0;
    struct subscription *subscription;
    uint32_t kinds = 0;

    GB_LIST_FOREACH(subscription, &server->subscriptions, of_server)
        kinds |= subscription->kinds;
    server->event_kinds = kinds;
    if ((kinds >> EVENT_SAMPLE & 1) != sampled) {
        if (sampled)
            gb_timer_stop(server->sample_timer);
        else
            gb_timer_start(server->sample_timer, 0);
    }
    if ((kinds >> EVENT_SERVER_LOG & 1) != logged)
        gb_log_tap(logged ? NULL : on_log, server);
}

static void subscription_free(struct subscription *subscription)
{
    struct gb_server *server = subscription->connection->server;

    gb_list_remove(&subscription->of_server);
    gb_list_remove(&subscription->of_connection);
    for (size_t i = 0; i < subscription->session_count; i++)
        free(subscription->sessions[i]);
    free(subscription->sessions);
    free(subscription);
    update_kinds(server);
}

void events_disconnect(struct connection *connection)
{
    while (!gb_list_empty(&connection->subscriptions))
        subscription_free(
            container_of(connection->subscriptions.next, struct subscription, of_connection));
}

void events_init(struct gb_server *server)
{
    gb_list_init(&server->subscriptions);
    gb_list_init(&server->log_lines);
    server->thread = pthread_self();
    server->sample_timer = gb_timer_new(server->loop, on_sample, server);
}

void events_release(struct gb_server *server)
{
    assert(gb_list_empty(&server->subscriptions));
    gb_loop_undefer(&server->log_deferred);
    free_log(server);
    gb_timer_free(server->sample_timer);
}

static int read_kinds(const struct gb_params *params, uint32_t *ret_kinds, struct gb_err *err)
{
    const struct gb_json *child;
    uint32_t kinds = 0;

    if (params->kinds == NULL) {
        kinds = (UINT32_C(1) << EVENT_KIND_COUNT) - 1;
    } else {
        child = gb_json_first(params->kinds);
        for (uint32_t i = 0; i < params->kinds->count; i++, child = gb_json_next(child)) {
            size_t kind = 0;

            while (kind < EVENT_KIND_COUNT && !gb_bytes_equal(child->text, kind_names[kind]))
                kind++;
            if (kind == EVENT_KIND_COUNT)
                return gb_err_set(err, GB_EINVALID, "there is no kind of events \"%.*s\"",
                                  (int)MIN(child->text.size, (size_t)64),
                                  (const char *)child->text.data);
            kinds |= UINT32_C(1) << kind;
        }
    }
    if (!params->output)
        kinds &= ~(UINT32_C(1) << EVENT_CELL_OUTPUT);
    *ret_kinds = kinds;
    return 0;
}

static int read_sessions(struct gb_server *server, const struct gb_params *params,
                         char ***ret_names, size_t *ret_count, struct gb_err *err)
{
    const struct gb_json *child;
    size_t count = params->sessions == NULL ? 0 : params->sessions->count;
    char **names;

    if (params->sessions != NULL && count == 0)
        return gb_err_set(err, GB_EINVALID, "sessions is empty; leave it out to watch them all");
    child = count == 0 ? NULL : gb_json_first(params->sessions);
    for (size_t i = 0; i < count; i++, child = gb_json_next(child))
        if (hosted_find(server, child->text, err) == NULL)
            return -(int)err->code;
    names = xcalloc(count + 1, sizeof(*names));
    child = count == 0 ? NULL : gb_json_first(params->sessions);
    for (size_t i = 0; i < count; i++, child = gb_json_next(child))
        names[i] = xstrndup((const char *)child->text.data, child->text.size);
    qsort(names, count, sizeof(*names), compare_names);
    *ret_names = names;
    *ret_count = count;
    return 0;
}

static int check_count(const struct connection *connection, struct gb_err *err)
{
    size_t count = 0;

    for (const struct gb_list *at = connection->subscriptions.next;
         at != &connection->subscriptions; at = at->next)
        count++;
    return count < GB_SUBSCRIPTIONS_MAX
               ? 0
               : gb_err_set(err, GB_EBUSY, "a connection has %u subscriptions at most",
                            GB_SUBSCRIPTIONS_MAX);
}

void handle_subscribe(struct request *request, const struct gb_params *params)
{
    struct connection *connection = request->connection;
    struct gb_server *server = connection->server;
    struct subscription *subscription;
    char **sessions = NULL;
    size_t session_count = 0;
    struct gb_err err = {0};
    struct reply reply;
    uint32_t kinds = 0;
    bool with_replay = params->replay;
    int r = check_count(connection, &err);

    if (r == 0)
        r = read_kinds(params, &kinds, &err);
    if (r == 0)
        r = read_sessions(server, params, &sessions, &session_count, &err);
    if (r < 0) {
        request_fail(request, &err);
        return;
    }
    subscription = xcalloc(1, sizeof(*subscription));
    subscription->connection = connection;
    subscription->number = ++connection->subscriptions_numbered;
    subscription->kinds = kinds;
    subscription->sessions = sessions;
    subscription->session_count = session_count;
    gb_list_add_tail(&server->subscriptions, &subscription->of_server);
    gb_list_add_tail(&connection->subscriptions, &subscription->of_connection);
    reply_begin(&reply, request);
    gb_json_put_u64(&reply.out, "subscription", subscription->number);
    reply_end(&reply);
    send_snapshot(subscription);
    if (with_replay)
        replay(subscription);
    update_kinds(server);
}

void handle_unsubscribe(struct request *request, const struct gb_params *params)
{
    struct connection *connection = request->connection;
    struct subscription *subscription;
    struct gb_err err = {0};

    GB_LIST_FOREACH(subscription, &connection->subscriptions, of_connection)
        if (subscription->number == params->subscription) {
            subscription_free(subscription);
            request_ok(request);
            return;
        }
    (void)gb_err_set(&err, GB_ENOTFOUND, "this connection has no subscription %lld",
                     (long long)params->subscription);
    request_fail(request, &err);
}
