/* SPDX-License-Identifier: Apache-2.0 */
/* Where the state of each part lies in the objects of the core. */
#include "server/part.h"

#include <assert.h>
#include <stdalign.h>

#include "server/internal.h"

static size_t part_take(size_t *end, size_t size)
{
    size_t at = *end, unit = alignof(max_align_t);

    *end += (size + unit - 1) / unit * unit;
    return at;
}

void part_layout(struct gb_server *server, const struct gb_part *const *parts)
{
    struct part_sizes *sizes = &server->part_sizes;

    server->parts = parts;
    for (size_t i = 0; parts[i] != NULL; i++) {
        assert(i < PARTS_MAX);
        server->part_count = i + 1;
        server->part_offsets[i] = (struct part_sizes){
            .server = part_take(&sizes->server, parts[i]->server_size),
            .connection = part_take(&sizes->connection, parts[i]->connection_size),
            .session = part_take(&sizes->session, parts[i]->session_size),
        };
    }
    server->part_state = xcalloc(1, sizes->server + 1);
}

static const struct part_sizes *part_offset(const struct gb_server *server,
                                            const struct gb_part *part)
{
    for (size_t i = 0; server->parts[i] != NULL; i++)
        if (server->parts[i] == part)
            return &server->part_offsets[i];
    return NULL;
}

void *part_of_server(const struct gb_server *server, const struct gb_part *part)
{
    const struct part_sizes *offset = part_offset(server, part);

    return offset == NULL ? NULL : server->part_state + offset->server;
}

void *part_of_connection(struct connection *connection, const struct gb_part *part)
{
    const struct part_sizes *offset = part_offset(connection->server, part);

    return offset == NULL ? NULL : connection->part_state + offset->connection;
}

void *part_of_session(struct hosted *hosted, const struct gb_part *part)
{
    const struct part_sizes *offset = part_offset(hosted->server, part);

    return offset == NULL ? NULL : hosted->part_state + offset->session;
}

const struct gate *part_shut_gate(struct hosted *hosted, const struct connection *connection)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, hosted->server, gate)
    {
        if ((*at)->gate->is_shut(hosted, connection))
            return (*at)->gate;
    }
    return NULL;
}

size_t part_cells_of(struct hosted *hosted, const char *client)
{
    const struct gb_part *const *at;
    size_t count = 0;

    PART_FOREACH(at, hosted->server, cells_of)
    {
        count += (*at)->cells_of(hosted, client);
    }
    return count;
}
