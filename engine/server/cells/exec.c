/* SPDX-License-Identifier: Apache-2.0 */
#include "exec.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/journal.h"
#include "server/cells/describe.h"
#include "server/cells/output.h"
#include "server/cells/program.h"
#include "server/core/event.h"
#include "server/core/open.h"
#include "server/core/request.h"
#include "server/core/shortage.h"
#include "server/core/state.h"

static void exec_free(struct exec *exec)
{
    gb_list_remove(&exec->of_session);
    gb_list_remove(&exec->of_connection);
    gb_cell_unref(exec->cell);
    gb_pace_release(&exec->pace);
    gb_buf_release(&exec->note);
    free(exec->client);
    free(exec);
}

/* ---- events ---- */

/* Sends `started` or `finished`. */
static void exec_tell(const struct exec *exec, const char *kind)
{
    struct event event;

    if (!event_begin(&event, exec->hosted->server, kind, exec->hosted))
        return;
    gb_json_put_u64(&event.out, "cell", exec->cell->number);
    gb_json_object(&event.out, "info");
    cell_put_exec(&event.out, exec, CELL_BRIEF);
    gb_json_end(&event.out);
    event_end(&event);
}

static void exec_tell_waiting_event(const struct exec *exec)
{
    struct event event;

    if (!event_begin(&event, exec->hosted->server, "cell.waiting", exec->hosted))
        return;
    gb_json_put_u64(&event.out, "cell", exec->cell->number);
    gb_json_put_bool(&event.out, "waiting", exec->waiting);
    cell_put_prompt(&event.out, exec);
    event_end(&event);
}

/* Notifies the parts that record cells. */
static void exec_tell_parts(const struct exec *exec)
{
    const struct gb_cell_info cell = cell_record(exec);

    PART_CALL(exec->hosted->server, cell_started, exec->hosted, &cell);
}

/* ---- while it runs ---- */

static void exec_on_started(void *arg, const struct gb_cell *cell)
{
    struct exec *exec = arg;

    exec_tell_parts(exec);
    if (exec->interactive && exec->stream && exec->connection != NULL)
        output_send_started(exec->connection, exec->hosted, cell->number);
    exec_tell(exec, "cell.started");
}

/* To the connection that sent the cell, and to watchers. */
static void exec_tell_piece(struct exec *exec, enum gb_output stream, struct gb_bytes bytes)
{
    if (bytes.size == 0)
        return;
    gb_pace_add(&exec->pace, stream == GB_STDERR, gb_clock_mono_ns() - exec->cell->started_ns,
                bytes.size);
    if (exec->stream && exec->connection != NULL)
        output_send(exec->connection, exec->hosted, exec->cell->number, stream, bytes, false);
    output_tell(exec->hosted, exec->cell->number, stream, bytes, false);
}

/* Sends the bytes held back, when no more will come. */
static void exec_tell_tail(struct exec *exec, enum gb_output stream)
{
    struct tail *tail = &exec->tails[stream - 1];

    exec_tell_piece(exec, stream, (struct gb_bytes){tail->bytes, tail->size});
    tail->size = 0;
}

static void exec_on_output(void *arg, const struct gb_cell *cell, enum gb_output stream,
                           struct gb_bytes bytes)
{
    _cleanup_(gb_buf_release) struct gb_buf joined = {0};
    struct exec *exec = arg;

    (void)cell;
    exec_tell_piece(exec, stream, tail_join(&exec->tails[stream - 1], bytes, &joined));
}

void exec_tell_waiting(struct exec *exec)
{
    if (!exec->stream || exec->connection == NULL || exec->connection->full ||
        exec->cell->state != GB_CELL_RUNNING || exec->waiting == exec->waiting_told)
        return;
    exec->waiting_told = exec->waiting;
    output_send_waiting(exec->connection, exec->hosted, exec->cell->number, exec->waiting);
}

static void exec_on_waiting(void *arg, const struct gb_cell *cell)
{
    struct exec *exec = arg;

    exec->waiting = cell->waiting;
    exec_tell_waiting(exec);
    exec_tell_waiting_event(exec);
}

static void exec_reply(struct exec *exec)
{
    struct reply reply;

    reply_begin(&reply, exec->request);
    cell_put_exec(&reply.out, exec, CELL_WHOLE);
    if (exec->run)
        hosted_put_start(&reply.out, exec->hosted);
    else
        background_put(&reply.out, exec->hosted);
    PART_CALL(exec->hosted->server, put_reply, &reply.out, exec->hosted, exec->connection);
    reply_end(&reply);
}

static void exec_add_partial(struct gb_json_out *out, void *arg)
{
    gb_json_object(out, "cell");
    cell_put_exec(out, arg, CELL_WHOLE);
    gb_json_end(out);
}

static void exec_fail(struct exec *exec)
{
    if (exec->err.code == GB_ECAPACITY && exec->run)
        shortage_refuse(exec->hosted, exec->request, &exec->err);
    else
        request_fail_with(exec->request, &exec->err, exec->err.dispatched ? exec_add_partial : NULL,
                          exec);
}

static void exec_count(const struct exec *exec, const struct gb_cell *cell)
{
    struct cells_server *state = cells_of_server(exec->hosted->server);
    uint64_t now = gb_clock_mono_ns(), took = now - cell->started_ns;

    state->cells++;
    if (exec->request != NULL)
        histogram_add(&state->exec_times, now - exec->request->received_ns);
    if (cell->started_ns > 0 && took >= cell->wall_ns)
        histogram_add(&state->overhead_times, took - cell->wall_ns);
}

/* The cell is in the journal, or cannot be recorded: it may be reported now. */
static void exec_on_recorded(void *arg, bool recorded)
{
    struct exec *exec = arg;
    struct hosted *hosted = exec->hosted;

    exec->unrecorded = !recorded;
    if (!exec->failed)
        exec_count(exec, exec->cell);
    exec_tell(exec, "cell.finished");
    if (exec->request != NULL && !exec->failed)
        exec_reply(exec);
    else if (exec->request != NULL)
        exec_fail(exec);
    if (exec->run)
        hosted_close(hosted, GB_END_CLOSED, "its run is over");
    exec_free(exec);
    hosted_drop_cell(hosted);
}

/* All of its result is known. */
static void exec_record(struct exec *exec)
{
    _cleanup_(gb_buf_release) struct gb_buf pace = {0};
    struct gb_cell_info record = cell_record(exec);
    int r;

    exec->ticket = (struct gb_journal_ticket){.done = exec_on_recorded, .arg = exec};
    gb_pace_encode(&exec->pace, &pace);
    record.pace = gb_buf_bytes(&pace);
    r = part_record_cell(exec->hosted, &record, &exec->ticket);
    if (r != 0)
        exec_on_recorded(exec, r > 0);
}

static void exec_on_rolled_back(void *arg, const struct rollback *rollback)
{
    struct exec *exec = arg;

    if (rollback != NULL)
        exec->rollback = *rollback;
    exec_record(exec);
}

static void exec_on_done(void *arg, const struct gb_cell *cell, const struct gb_err *err)
{
    struct exec *exec = arg;
    const struct rollback_wait wait = {exec_on_rolled_back, exec};

    exec->waiting = false;
    exec_tell_tail(exec, GB_STDOUT);
    exec_tell_tail(exec, GB_STDERR);
    if (exec->stream && exec->connection != NULL && err == NULL && !exec->run)
        follower_add(exec->connection, exec->hosted, cell->number);
    exec->failed = err != NULL;
    if (err != NULL)
        exec->err = *err;
    else
        cells_of_session(exec->hosted)->failed =
            gb_cell_failed(cell->flags, cell->exit_code, cell->signal > 0);
    gb_buf_add(&exec->note, gb_buf_data(&cell->note), cell->note.size);
    if (cell->started_ns > 0)
        PART_CALL(exec->hosted->server, cell_ending, exec->hosted, cell->number, &exec->note);
    if (!part_await_rollback(exec->hosted, cell->number, &wait))
        exec_record(exec);
}

void exec_disconnect(struct exec *exec)
{
    exec->connection = NULL;
    exec->request = NULL;
    gb_cell_hold(exec->cell, false);
    if (exec->detach)
        return;
    if (exec->run)
        hosted_close(exec->hosted, GB_END_CLOSED, "the client that ran it went away");
    else
        gb_cell_interrupt(exec->cell);
}

static const struct gb_cell_events exec_events = {.started = exec_on_started,
                                                  .output = exec_on_output,
                                                  .waiting = exec_on_waiting,
                                                  .done = exec_on_done};

/* The conditions for every cell when it is to be queued, even after it waited. */
static int exec_may_start(const struct connection *connection, struct gb_err *err)
{
    int r = server_check_open(connection->server, err);

    return r < 0 ? r : open_check_cells(connection, err);
}

static int exec_start(struct request *request, const struct gb_params *params,
                      const struct program *program, const struct gb_env *env,
                      struct hosted *hosted, struct gb_err *err)
{
    struct connection *connection = request->connection;
    const struct gb_settings_sessions *settings = &connection->server->settings.sessions;
    struct gb_cell_config config = {
        .mode = (enum gb_mode)params->mode,
        .interactive = params->interactive,
        .final = hosted->run || params->final,
        .keeps_loss = !params->rollback,
        .timeout_ms = (uint32_t)params->timeout_ms,
        .max_stdout = params->max_stdout > 0 ? (uint64_t)params->max_stdout : settings->max_stdout,
        .max_stderr = params->max_stderr > 0 ? (uint64_t)params->max_stderr : settings->max_stderr,
        .env = env,
        .stdin_data = params->standard_input,
    };
    struct exec *exec;
    int r = exec_may_start(connection, err);

    if (r < 0)
        return r;
    program_config(program, &config);
    exec = xcalloc(1, sizeof(*exec));
    gb_list_init(&exec->of_session);
    gb_list_init(&exec->of_connection);
    r = gb_session_exec(hosted->session, &config, &exec_events, exec, &exec->cell, err);
    if (r < 0) {
        exec_free(exec);
        return r;
    }
    exec->hosted = hosted;
    exec->connection = connection;
    exec->request = request;
    exec->client = connection->client == NULL ? NULL : xstrdup(connection->client);
    exec->stream = params->stream;
    exec->interactive = params->interactive;
    exec->detach = params->detach;
    exec->run = hosted->run;
    gb_list_add_tail(&cells_of_session(hosted)->execs, &exec->of_session);
    gb_list_add_tail(&cells_of_connection(connection)->execs, &exec->of_connection);
    if (connection->full)
        gb_cell_hold(exec->cell, true);
    hosted_add_cell(hosted);
    return 0;
}

/* ---- cells that somebody else's hold on the session keeps back ---- */

/* A copy of everything that the request borrowed from its line. */
struct exec_held {
    struct held_cell cell;
    struct gb_params params; /* its texts are in the buffers below */
    struct program program;
    struct gb_buf standard_input;
    struct gb_env env;
};

static void exec_held_drop(struct held_cell *cell)
{
    struct exec_held *held = container_of(cell, struct exec_held, cell);

    program_release(&held->program);
    gb_buf_release(&held->standard_input);
    gb_env_release(&held->env);
    free(held);
}

static void exec_held_start(struct held_cell *cell)
{
    struct exec_held *held = container_of(cell, struct exec_held, cell);
    struct gb_err err = {0};

    if (exec_start(cell->request, &held->params, &held->program, &held->env, cell->hosted, &err) <
        0)
        request_fail(cell->request, &err);
    exec_held_drop(cell);
}

/* Copies what the cell needs; of @params that is standard input and whatever is not text. Takes
 * @program. */
static int exec_held_copy(struct exec_held *held, const struct gb_params *params,
                          struct program *program, struct gb_err *err)
{
    const struct gb_server *server = held->cell.request->connection->server;
    int r = open_env(server, params->env, &held->env, err);

    if (r == 0)
        r = program_keep(program, err);
    if (r < 0)
        return r;
    held->program = *program;
    *program = (struct program){0};
    held->params = *params;
    held->params.env = NULL;
    if (!gb_buf_try_add(&held->standard_input, params->standard_input.data,
                        params->standard_input.size, GB_STDIN_MAX))
        return gb_err_set(err, GB_ECAPACITY, "the server has no memory for standard input");
    held->params.standard_input = gb_buf_bytes(&held->standard_input);
    return 0;
}

/* True if the session's gate is shut: the request has then been refused, or waits. */
static bool exec_is_held(struct request *request, const struct gb_params *params,
                         struct program *program, struct hosted *hosted)
{
    const struct gate *gate = part_shut_gate(hosted, request->connection);
    struct exec_held *held;
    struct gb_err err = {0};

    if (gate == NULL)
        return false;
    if (params->lease_wait_ms == 0) {
        gate->refuse(request, hosted);
        return true;
    }
    held = xcalloc(1, sizeof(*held));
    held->cell = (struct held_cell){
        .request = request,
        .hosted = hosted,
        .wait_ms = (uint64_t)params->lease_wait_ms,
        .start = exec_held_start,
        .drop = exec_held_drop,
    };
    if (exec_held_copy(held, params, program, &err) == 0) {
        gate->hold(&held->cell);
    } else {
        exec_held_drop(&held->cell);
        request_fail(request, &err);
    }
    return true;
}

void exec_handle(struct request *request, const struct gb_params *params)
{
    _cleanup_(program_release) struct program program = {0};
    _cleanup_(gb_env_release) struct gb_env env = {0};
    struct gb_server *server = request->connection->server;
    struct gb_err err = {0};
    struct hosted *hosted = NULL;
    int r = program_read(params, &program, &err);

    if (r == 0 && (hosted = hosted_find(server, params->session, &err)) == NULL) {
        request_fail(request, &err);
        return;
    }
    if (r == 0 && hosted->run)
        r = gb_err_set(&err, GB_EPOLICY, "the VM of a `run` takes no further cells");
    if (r == 0)
        r = exec_may_start(request->connection, &err);
    if (r == 0 && exec_is_held(request, params, &program, hosted))
        return;
    if (r == 0)
        r = open_env(server, params->env, &env, &err);
    if (r == 0)
        r = exec_start(request, params, &program, &env, hosted, &err);
    if (r < 0)
        request_fail(request, &err);
}

void exec_handle_run(struct request *request, const struct gb_params *params)
{
    _cleanup_(program_release) struct program program = {0};
    _cleanup_(gb_env_release) struct gb_env env = {0};
    struct gb_err err = {0};
    struct hosted *hosted = NULL;
    /* Refuse anything that would be refused as a cell before starting a VM for it. */
    int r = program_read(params, &program, &err);

    if (r == 0 && program.file.size > 0 && !program.put)
        r = gb_err_set(&err, GB_EINVALID, "there is no file yet in a fresh VM: give code with it");

    if (r == 0)
        r = open_check_cells(request->connection, &err);
    if (r == 0)
        r = open_env(request->connection->server, params->env, &env, &err);
    if (r == 0)
        r = open_session(request->connection, params, true, &hosted, &err);
    if (r == 0)
        r = exec_start(request, params, &program, &env, hosted, &err);
    if (r < 0 && hosted != NULL)
        hosted_close(hosted, GB_END_CLOSED, err.message);
    if (r < 0)
        request_fail(request, &err);
}
