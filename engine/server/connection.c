/* SPDX-License-Identifier: Apache-2.0 */
/* A client: lines in, lines out, and the two brakes on reading. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/internal.h"

enum { READ_BYTES = 64 * 1024, FINISH_LIMIT_MS = 5000 };

static bool may_read(const struct connection *connection)
{
    return !connection->full && !connection->braked;
}

/* Cells that print for a client that does not read are held, so that their programs wait. */
static void hold_cells(struct connection *connection, bool held)
{
    for (struct gb_list *at = connection->execs.next; at != &connection->execs; at = at->next)
        gb_cell_hold(container_of(at, struct exec, of_connection)->cell, held);
}

/* What it was not told while it did not read; that may make it full again. */
static void tell_waiting(struct connection *connection)
{
    for (struct gb_list *at = connection->execs.next; at != &connection->execs; at = at->next)
        exec_tell_waiting(container_of(at, struct exec, of_connection));
}

/* A line is complete: gives it to the dispatcher and drops it. Its memory is the stream's, and
 * nothing is added there before we return. */
static void take_line(struct connection *connection, size_t size)
{
    struct gb_buf *input = connection->input;
    uint8_t *line = input->memory + input->start;

    if (connection->skipping)
        connection->skipping = false;
    else if (size > GB_LINE_MAX)
        dispatch_too_long(connection);
    else
        dispatch_line(connection, line, size > 0 && line[size - 1] == '\r' ? size - 1 : size);
    gb_buf_consume(input, size + 1);
    connection->scanned = 0;
}

static void skip_line(struct connection *connection)
{
    connection->skipping = true;
    gb_buf_consume(connection->input, connection->input->size);
    connection->scanned = 0;
}

static void count_input(struct connection *connection, size_t size)
{
    connection->server->line_bytes += size - connection->line_bytes;
    connection->line_bytes = size;
}

/* One that holds more than a little of a line without an end, and to which nothing came for
 * longest; NULL: none. */
static struct connection *stalled_longest(const struct gb_server *server)
{
    struct connection *connection, *found = NULL;

    GB_LIST_FOREACH(connection, &server->connections, link)
        if (connection->line_bytes > GB_LINE_SMALL &&
            connection->scanned == connection->line_bytes &&
            (found == NULL || connection->read_ns < found->read_ns))
            found = connection;
    return found;
}

/* Half lines of all clients together have a bound. Who stands still makes room for who goes on, and
 * is told to send its line again. */
static void make_room(struct gb_server *server)
{
    struct connection *connection;

    while (server->line_bytes > GB_LINES_MAX && (connection = stalled_longest(server)) != NULL) {
        dispatch_too_many(connection);
        skip_line(connection);
        count_input(connection, 0);
        gb_buf_clear(connection->input);
    }
}

static void take_lines(struct connection *connection)
{
    struct gb_buf *input = connection->input;

    while (may_read(connection)) {
        const uint8_t *data = gb_buf_data(input), *newline = NULL;

        if (input->size > connection->scanned)
            newline = memchr(data + connection->scanned, '\n', input->size - connection->scanned);
        if (newline != NULL) {
            take_line(connection, (size_t)(newline - data));
            continue;
        }
        connection->scanned = input->size;
        if (!connection->skipping && input->size > GB_LINE_MAX) {
            dispatch_too_long(connection);
            skip_line(connection);
        } else if (connection->skipping) {
            skip_line(connection);
        }
        return;
    }
}

static void read_lines(struct connection *connection)
{
    take_lines(connection);
    count_input(connection, connection->input->size);
    make_room(connection->server);
}

static void on_resume(void *arg)
{
    struct connection *connection = arg;

    if (!may_read(connection))
        return;
    if (connection->input != NULL)
        read_lines(connection);
    if (may_read(connection))
        gb_stream_pause(connection->stream, false);
}

static void connection_update(struct connection *connection)
{
    if (connection->closed)
        return;
    if (may_read(connection))
        gb_loop_defer(connection->server->loop, &connection->resume, on_resume, connection);
    else
        gb_stream_pause(connection->stream, true);
}

void connection_brake(struct connection *connection, bool on)
{
    if (connection->braked == on)
        return;
    connection->braked = on;
    connection_update(connection);
}

static void update_full(struct connection *connection)
{
    size_t unsent = gb_stream_queued(connection->stream);
    bool full = unsent > (connection->full ? GB_UNSENT_LOW : GB_UNSENT_HIGH);

    if (full == connection->full)
        return;
    connection->full = full;
    hold_cells(connection, full);
    connection_update(connection);
    if (!full)
        tell_waiting(connection);
}

void connection_send(struct connection *connection, struct gb_buf *line)
{
    gb_stream_send_buf(connection->stream, line);
    update_full(connection);
}

static void on_input(void *arg, struct gb_buf *input)
{
    struct connection *connection = arg;

    connection->input = input;
    connection->read_ns = gb_clock_mono_ns();
    read_lines(connection);
}

static void on_sent(void *arg, size_t bytes)
{
    (void)bytes;
    update_full(arg);
    events_resume(arg);
}

/* The client has gone, and what it did not read as well: its cells go on, and its end comes with
 * the input that was held back. */
static void on_dropped(void *arg, size_t bytes)
{
    (void)bytes;
    update_full(arg);
}

static void on_closed(void *arg, int sys_errno)
{
    struct connection *connection = arg;

    if (sys_errno != 0)
        gb_debug("client %ld: %s", (long)connection->pid, strerror(sys_errno));
    connection_close(connection);
}

void connection_new(struct gb_server *server, int fd, pid_t pid)
{
    static const struct gb_stream_events events = {
        .input = on_input, .closed = on_closed, .sent = on_sent, .dropped = on_dropped};
    struct connection *connection = xcalloc(1, sizeof(*connection) + server->part_sizes.connection);

    connection->server = server;
    connection->pid = pid;
    connection->number = ++server->connections_numbered;
    gb_list_init(&connection->requests);
    gb_list_init(&connection->execs);
    gb_list_init(&connection->followers);
    gb_list_init(&connection->subscriptions);
    connection->stream = gb_stream_new(server->loop, fd, READ_BYTES, &events, connection);
    gb_list_add_tail(&server->connections, &connection->link);
    server->connection_count++;
    PART_CALL(server, connection_new, connection);
}

void connection_close(struct connection *connection)
{
    struct gb_server *server = connection->server;
    struct gb_list *link;

    connection->closed = true;
    count_input(connection, 0);
    gb_loop_undefer(&connection->resume);
    events_disconnect(connection);
    while ((link = gb_list_pop(&connection->execs)) != NULL)
        exec_disconnect(container_of(link, struct exec, of_connection));
    while ((link = gb_list_pop(&connection->followers)) != NULL)
        follower_free(container_of(link, struct follower, of_connection));
    PART_CALL_BACKWARDS(server, connection_closing, connection);
    while ((link = gb_list_pop(&connection->requests)) != NULL) {
        struct request *request = container_of(link, struct request, link);

        if (request->abandon != NULL)
            request->abandon(request);
        request_free(request);
    }
    PART_CALL_BACKWARDS(server, connection_closed, connection);
    gb_list_remove(&connection->link);
    server->connection_count--;
    gb_stream_finish(connection->stream, FINISH_LIMIT_MS);
    gb_json_release(&connection->doc);
    free(connection->client);
    free(connection);
    server_progress(server);
}
