/* SPDX-License-Identifier: Apache-2.0 */
#include "part.h"

#include <assert.h>
#include <stdalign.h>

#include "server/core/connection.h"
#include "server/core/hosted.h"
#include "server/core/state.h"

static size_t part_take(size_t *end, size_t size)
{
    size_t at = *end, unit = alignof(max_align_t);

    *end += (size + unit - 1) / unit * unit;
    return at;
}

void part_layout(struct gb_server *server, const struct gb_part *const *parts)
{
    static const struct part_state none = {0};
    struct part_state *sizes = &server->part_sizes;

    server->parts = parts;
    for (size_t i = 0; parts[i] != NULL; i++) {
        const struct part_state *state = parts[i]->state != NULL ? parts[i]->state : &none;

        assert(i < PARTS_MAX);
        server->part_offsets[i] = (struct part_state){
            .server = part_take(&sizes->server, state->server),
            .connection = part_take(&sizes->connection, state->connection),
            .session = part_take(&sizes->session, state->session),
        };
        server->part_count = i + 1;
    }
    server->part_memory = xcalloc(1, sizes->server + 1);
}

static const struct part_state *part_offset(const struct gb_server *server,
                                            const struct part_state *state)
{
    size_t i = 0;

    while (server->parts[i]->state != state) {
        i++;
        assert(i < server->part_count);
    }
    return &server->part_offsets[i];
}

void *part_of_server(const struct gb_server *server, const struct part_state *state)
{
    return server->part_memory + part_offset(server, state)->server;
}

void *part_of_connection(struct connection *connection, const struct part_state *state)
{
    return connection->part_memory + part_offset(connection->server, state)->connection;
}

void *part_of_session(struct hosted *hosted, const struct part_state *state)
{
    return hosted->part_memory + part_offset(hosted->server, state)->session;
}

const struct gate *part_shut_gate(struct hosted *hosted, const struct connection *connection)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, hosted->server, gate) {
        if ((*at)->gate->is_shut(hosted, connection))
            return (*at)->gate;
    }
    return NULL;
}

size_t part_cells_of(struct hosted *hosted, const char *client)
{
    const struct gb_part *const *at;
    size_t count = 0;

    PART_FOREACH(at, hosted->server, cells_of) {
        count += (*at)->cells_of(hosted, client);
    }
    return count;
}

int part_check_open(struct gb_server *server, const struct gb_params *params, struct gb_err *err)
{
    const struct gb_part *const *at;
    bool checked = false;

    PART_FOREACH(at, server, check_open) {
        int r = (*at)->check_open(server, params, err);

        if (r < 0)
            return r;
        checked = true;
    }
    return checked || (params->network == NULL && params->secrets == NULL)
               ? 0
               : gb_err_set(err, GB_EUNSUPPORTED, "this server does not give VMs a network");
}

int part_add_env(struct gb_server *server, const struct gb_params *params, struct gb_env *env,
                 struct gb_err *err)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, server, add_env) {
        int r = (*at)->add_env(server, params, env, err);

        if (r < 0)
            return r;
    }
    return 0;
}

int part_open_layer(struct gb_server *server, struct gb_bytes layer, struct gb_err *err)
{
    const struct gb_part *const *part;

    PART_FOREACH(part, server, open_layer)
        return (*part)->open_layer(server, layer, err);
    return gb_err_set(err, GB_EUNSUPPORTED, "this server has no packages");
}

int part_check_saved(struct gb_server *server, const struct saved_session *saved,
                     struct gb_err *err)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, server, check_saved) {
        int r = (*at)->check_saved(server, saved, err);

        if (r < 0)
            return r;
    }
    return 0;
}

void saved_release(struct saved_session *saved)
{
    gb_buf_release(&saved->network);
    gb_buf_release(&saved->policy);
    gb_buf_release(&saved->rules);
    gb_buf_release(&saved->secrets);
}

int part_record_cell(struct hosted *hosted, const struct gb_cell_info *cell,
                     struct gb_journal_ticket *ticket)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, hosted->server, record_cell) {
        return (*at)->record_cell(hosted, cell, ticket);
    }
    return 1;
}

int part_read_cells(struct gb_server *server, struct gb_bytes id,
                    const struct gb_journal_query *query, struct gb_err *err)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, server, read_cells) {
        return (*at)->read_cells(server, id, query, err);
    }
    return gb_err_set(err, GB_EUNSUPPORTED, "this server keeps no journal");
}

uint32_t part_last_cell(struct gb_server *server, struct gb_bytes id)
{
    const struct gb_part *const *at;
    uint32_t last = 0;

    PART_FOREACH(at, server, last_cell) {
        const uint32_t cell = (*at)->last_cell(server, id);

        last = MAX(last, cell);
    }
    return last;
}

bool part_can_answer(struct gb_server *server, const char *kind, const char *session)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, server, can_answer) {
        if ((*at)->can_answer(server, kind, session))
            return true;
    }
    return false;
}

bool part_explain_missing(struct gb_server *server, struct gb_bytes id, struct gb_err *err)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, server, explain_missing) {
        if ((*at)->explain_missing(server, id, err))
            return true;
    }
    return false;
}

bool part_close_missing(struct gb_server *server, struct request *request, struct gb_bytes id)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, server, close_missing) {
        if ((*at)->close_missing(server, request, id))
            return true;
    }
    return false;
}

bool part_list_ended(struct gb_json_out *out, struct gb_server *server,
                     const struct gb_params *params)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, server, list_ended) {
        if ((*at)->list_ended(out, server, params))
            return true;
    }
    return false;
}

bool part_await_rollback(struct hosted *hosted, uint32_t cell, const struct rollback_wait *wait)
{
    const struct gb_part *const *part;

    PART_FOREACH(part, hosted->server, await_rollback)
        if ((*part)->await_rollback(hosted, cell, wait))
            return true;
    return false;
}
