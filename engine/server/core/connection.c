/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/core/part.h"
#include "server/core/state.h"

enum { READ_BYTES = 64 * 1024, FINISH_LIMIT_MS = 5000 };

static bool connection_may_read(const struct connection *connection)
{
    return !connection->full && !connection->braked;
}

/* A line is complete: passes it to the dispatcher, then drops it. It is in the stream's memory, to
 * which nothing is added meanwhile. */
static void connection_take_line(struct connection *connection, size_t size)
{
    const struct connection_handlers *handlers = connection->server->connection_handlers;
    struct gb_buf *input = connection->input;
    uint8_t *line = input->memory + input->start;

    if (connection->skipping)
        connection->skipping = false;
    else if (size > GB_LINE_MAX)
        handlers->too_long(connection);
    else
        handlers->line(connection, line, size > 0 && line[size - 1] == '\r' ? size - 1 : size);
    gb_buf_consume(input, size + 1);
    connection->scanned = 0;
}

static void connection_skip_line(struct connection *connection)
{
    connection->skipping = true;
    gb_buf_consume(connection->input, connection->input->size);
    connection->scanned = 0;
}

static void connection_count_input(struct connection *connection, size_t size)
{
    if (connection->own)
        return;
    connection->server->line_bytes += size - connection->line_bytes;
    connection->line_bytes = size;
}

/* The connection with a sizeable incomplete line that has been idle the longest; NULL: none. */
static struct connection *connection_stalled_longest(const struct gb_server *server)
{
    struct connection *connection, *found = NULL;

    GB_LIST_FOREACH(connection, &server->connections, link)
        if (connection->line_bytes > GB_LINE_SMALL &&
            connection->scanned == connection->line_bytes &&
            (found == NULL || connection->read_ns < found->read_ns))
            found = connection;
    return found;
}

/* The total size of all clients' incomplete lines is limited. The most stalled client's line is
 * dropped to make room for active ones, and that client is told to send it again. */
static void connection_make_room(struct gb_server *server)
{
    struct connection *connection;

    while (server->line_bytes > GB_LINES_MAX &&
           (connection = connection_stalled_longest(server)) != NULL) {
        server->connection_handlers->too_many(connection);
        connection_skip_line(connection);
        connection_count_input(connection, 0);
        gb_buf_clear(connection->input);
    }
}

static void connection_take_lines(struct connection *connection)
{
    struct gb_buf *input = connection->input;

    while (connection_may_read(connection)) {
        const uint8_t *data = gb_buf_data(input), *newline = NULL;

        if (input->size > connection->scanned)
            newline = memchr(data + connection->scanned, '\n', input->size - connection->scanned);
        if (newline != NULL) {
            connection_take_line(connection, (size_t)(newline - data));
            continue;
        }
        connection->scanned = input->size;
        if (!connection->skipping && input->size > GB_LINE_MAX) {
            connection->server->connection_handlers->too_long(connection);
            connection_skip_line(connection);
        } else if (connection->skipping) {
            connection_skip_line(connection);
        }
        return;
    }
}

static void connection_read_lines(struct connection *connection)
{
    connection_take_lines(connection);
    connection_count_input(connection, connection->input->size);
    connection_make_room(connection->server);
}

static void connection_on_resume(void *arg)
{
    struct connection *connection = arg;

    if (!connection_may_read(connection))
        return;
    if (connection->input != NULL)
        connection_read_lines(connection);
    if (connection_may_read(connection))
        gb_stream_pause(connection->stream, false);
}

static void connection_update(struct connection *connection)
{
    if (connection->closed)
        return;
    if (connection_may_read(connection))
        gb_loop_defer(connection->server->loop, &connection->resume, connection_on_resume,
                      connection);
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

static void connection_update_full(struct connection *connection)
{
    size_t unsent = gb_stream_queued(connection->stream);
    bool full = unsent > (connection->full ? GB_UNSENT_LOW : GB_UNSENT_HIGH);

    if (full == connection->full)
        return;
    connection->full = full;
    connection_update(connection);
    PART_CALL(connection->server, connection_full, connection, full);
}

void connection_send(struct connection *connection, struct gb_buf *line)
{
    gb_stream_send_buf(connection->stream, line);
    connection_update_full(connection);
}

static void connection_on_input(void *arg, struct gb_buf *input)
{
    struct connection *connection = arg;

    connection->input = input;
    connection->read_ns = gb_clock_mono_ns();
    connection_read_lines(connection);
}

static void connection_on_sent(void *arg, size_t bytes)
{
    struct connection *connection = arg;

    (void)bytes;
    connection_update_full(connection);
    PART_CALL(connection->server, connection_sent, connection);
}

/* The client has closed without reading everything: its cells continue, and the end of the
 * connection follows with the remaining input. */
static void connection_on_dropped(void *arg, size_t bytes)
{
    (void)bytes;
    connection_update_full(arg);
}

static void connection_on_closed(void *arg, int sys_errno)
{
    struct connection *connection = arg;

    if (sys_errno != 0)
        gb_debug("client %ld: %s", (long)connection->pid, strerror(sys_errno));
    connection_close(connection);
}

void connection_new(struct gb_server *server, int fd, pid_t pid, bool own)
{
    static const struct gb_stream_events events = {.input = connection_on_input,
                                                   .closed = connection_on_closed,
                                                   .sent = connection_on_sent,
                                                   .dropped = connection_on_dropped};
    struct connection *connection = xcalloc(1, sizeof(*connection) + server->part_sizes.connection);

    connection->server = server;
    connection->pid = pid;
    connection->own = own;
    connection->number = ++server->connections_numbered;
    gb_list_init(&connection->requests);
    connection->stream = gb_stream_new(server->loop, fd, READ_BYTES, &events, connection);
    connection->braked = server->is_preparing;
    gb_stream_pause(connection->stream, connection->braked);
    gb_list_add_tail(&server->connections, &connection->link);
    server->connection_count++;
    PART_CALL(server, connection_new, connection);
}

void connection_close(struct connection *connection)
{
    struct gb_server *server = connection->server;

    connection->closed = true;
    connection_count_input(connection, 0);
    gb_loop_undefer(&connection->resume);
    PART_CALL_BACKWARDS(server, connection_closing, connection);
    server->connection_handlers->closing(connection);
    PART_CALL_BACKWARDS(server, connection_closed, connection);
    gb_list_remove(&connection->link);
    server->connection_count--;
    gb_stream_finish(connection->stream, FINISH_LIMIT_MS);
    gb_json_release(&connection->doc);
    free(connection->client);
    free(connection);
    server_changed(server);
}

void connection_name(struct connection *connection, struct gb_bytes name)
{
    free(connection->client);
    connection->client = xstrndup((const char *)name.data, name.size);
}

bool client_is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}
