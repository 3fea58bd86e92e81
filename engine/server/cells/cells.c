/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: running code, its output, and queries to its interpreter. */
#include "cells.h"

#include "base/mem.h"
#include "server/cells/describe.h"
#include "server/cells/exec.h"
#include "server/cells/output.h"
#include "server/cells/queries.h"
#include "server/cells/state.h"
#include "server/core/state.h"

/* ---- connections ---- */

static void cells_on_connection(struct connection *connection)
{
    struct cells_connection *state = cells_of_connection(connection);

    gb_list_init(&state->execs);
    gb_list_init(&state->followers);
}

/* Cells that print for a client that does not read are paused, so that their programs block. When
 * it reads again it first gets what it has missed, which may fill its queue again. */
static void cells_on_full(struct connection *connection, bool full)
{
    struct gb_list *execs = &cells_of_connection(connection)->execs;
    struct exec *exec;

    GB_LIST_FOREACH(exec, execs, of_connection) {
        gb_cell_hold(exec->cell, full);
    }
    if (full)
        return;
    GB_LIST_FOREACH(exec, execs, of_connection) {
        exec_tell_waiting(exec);
    }
}

static void cells_on_disconnect(struct connection *connection)
{
    struct cells_connection *state = cells_of_connection(connection);
    struct gb_list *link;

    while ((link = gb_list_pop(&state->execs)) != NULL)
        exec_disconnect(container_of(link, struct exec, of_connection));
    while ((link = gb_list_pop(&state->followers)) != NULL)
        follower_free(container_of(link, struct follower, of_connection));
}

/* ---- sessions ---- */

static void cells_on_session(struct hosted *hosted)
{
    struct cells_session *state = cells_of_session(hosted);

    gb_list_init(&state->execs);
    gb_list_init(&state->followers);
}

static void cells_on_session_end(struct hosted *hosted, const struct gb_err *why)
{
    struct cells_session *state = cells_of_session(hosted);
    struct gb_list *link;

    (void)why;
    while ((link = gb_list_pop(&state->followers)) != NULL)
        follower_free(container_of(link, struct follower, of_session));
    background_release(hosted);
}

static size_t cells_of_client(struct hosted *hosted, const char *client)
{
    const struct exec *exec;
    size_t count = 0;

    GB_LIST_FOREACH(exec, &cells_of_session(hosted)->execs, of_session) {
        count += client_is_same(exec->client, client);
    }
    return count;
}

/* ---- descriptions for clients ---- */

/* The cell that waits for input, and whether the last one failed. */
static void cells_describe_session(struct gb_session_info *info, struct hosted *hosted)
{
    struct cells_session *state = cells_of_session(hosted);
    const struct exec *exec;

    GB_LIST_FOREACH(exec, &state->execs, of_session) {
        if (exec->waiting)
            session_set_waiting(info, exec);
    }
    info->flags |= state->failed ? GB_SESSION_FAILED : 0u;
}

/* Room left in a snapshot for cells, and how many had to be left out. */
struct snapshot_room {
    size_t waiting, code_bytes;
    uint64_t left;
};

/* All running cells, and as many queued ones as fit. */
static void cells_put_all(struct gb_json_out *out, struct hosted *hosted,
                          struct snapshot_room *room)
{
    struct exec *exec;

    GB_LIST_FOREACH(exec, &cells_of_session(hosted)->execs, of_session) {
        bool runs = exec->cell->state == GB_CELL_RUNNING;

        if (!runs && room->waiting == 0) {
            room->left++;
            continue;
        }
        room->waiting -= runs ? 0 : 1;
        gb_json_object(out, NULL);
        cell_put_exec_cut(out, exec, &room->code_bytes);
        gb_json_end(out);
    }
}

static void cells_put_snapshot(struct gb_json_out *out, struct gb_server *server,
                               const struct session_filter *filter)
{
    struct snapshot_room room = {GB_SNAPSHOT_WAITING_MAX, GB_SNAPSHOT_CODE_MAX, 0};
    struct hosted *hosted;

    gb_json_array(out, "cells");
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        if (filter->covers(filter, gb_session_id(hosted->session)))
            cells_put_all(out, hosted, &room);
    }
    gb_json_end(out);
    if (room.left > 0)
        gb_json_put_u64(out, "cells_left", room.left);
}

static void cells_describe_stats(struct gb_stats_info *info, const struct gb_server *server)
{
    const struct cells_server *state = cells_of_server(server);

    info->flags |= GB_STATS_HAS_CELLS;
    info->cells = state->cells;
    histogram_describe(&info->exec, &state->exec_times);
    histogram_describe(&info->overhead, &state->overhead_times);
}

static const struct method_handler cells_methods[] = {
    {"run", exec_handle_run},
    {"session.exec", exec_handle},
    {"session.stdin", query_stdin},
    {"session.interrupt", query_interrupt},
    {"session.complete", query_complete},
    {"session.is_complete", query_is_complete},
    {"session.describe", query_describe},
    {NULL, NULL},
};

static const char *const cells_event_kinds[] = {
    "cell.started", "cell.output", "cell.waiting", "cell.finished", NULL,
};

const struct gb_part cells_part = {
    .name = "cells",
    .methods = cells_methods,
    .event_kinds = cells_event_kinds,
    .state = &cells_state,
    .connection_new = cells_on_connection,
    .connection_full = cells_on_full,
    .connection_closing = cells_on_disconnect,
    .session_new = cells_on_session,
    .session_output = background_output,
    .session_ended = cells_on_session_end,
    .cells_of = cells_of_client,
    .replay = output_replay,
    .describe_session = cells_describe_session,
    .put_snapshot = cells_put_snapshot,
    .describe_stats = cells_describe_stats,
};
