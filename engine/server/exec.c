/* SPDX-License-Identifier: Apache-2.0 */
/* Running code: session.exec and run, and what reaches a cell while it runs.
 *
 * An exec lives from the moment its cell is queued until the session says that it is done. Its
 * connection and its request may be gone before: then the cell is interrupted, or goes on unheard
 * when it is detached, and the exec only waits for its end. A run is an exec whose hosted was made
 * for it and closes after it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "server/internal.h"

static void exec_free(struct exec *exec)
{
    gb_list_remove(&exec->of_session);
    gb_list_remove(&exec->of_connection);
    gb_cell_unref(exec->cell);
    gb_pace_release(&exec->pace);
    free(exec->client);
    free(exec);
}

static void on_started(void *arg, const struct gb_cell *cell)
{
    struct exec *exec = arg;

    history_start(exec);
    if (exec->interactive && exec->stream && exec->connection != NULL)
        send_started(exec->connection, exec->hosted, cell->number);
    event_cell(exec, EVENT_CELL_STARTED);
}

/* To the connection that sent the cell, and to those who watch. */
static void tell_piece(struct exec *exec, enum gb_output stream, struct gb_bytes bytes)
{
    if (bytes.size == 0)
        return;
    gb_pace_add(&exec->pace, stream == GB_STDERR, gb_clock_mono_ns() - exec->cell->started_ns,
                bytes.size);
    if (exec->stream && exec->connection != NULL)
        send_piece(exec->connection, exec->hosted, exec->cell->number, stream, bytes, false);
    event_output(exec->hosted, exec->cell->number, stream, bytes, false);
}

/* The bytes that were held back, when no more come. */
static void tell_tail(struct exec *exec, enum gb_output stream)
{
    struct tail *tail = &exec->tails[stream - 1];

    tell_piece(exec, stream, (struct gb_bytes){tail->bytes, tail->size});
    tail->size = 0;
}

static void on_output(void *arg, const struct gb_cell *cell, enum gb_output stream,
                      struct gb_bytes bytes)
{
    _cleanup_(gb_buf_release) struct gb_buf joined = {0};
    struct exec *exec = arg;

    (void)cell;
    tell_piece(exec, stream, tail_join(&exec->tails[stream - 1], bytes, &joined));
}

void exec_tell_waiting(struct exec *exec)
{
    if (!exec->stream || exec->connection == NULL || exec->connection->full ||
        exec->cell->state != GB_CELL_RUNNING || exec->waiting == exec->waiting_told)
        return;
    exec->waiting_told = exec->waiting;
    send_waiting(exec->connection, exec->hosted, exec->cell->number, exec->waiting);
}

static void on_waiting(void *arg, const struct gb_cell *cell)
{
    struct exec *exec = arg;

    exec->waiting = cell->waiting;
    exec_tell_waiting(exec);
    event_waiting(exec);
}

const struct exec *exec_find(const struct hosted *hosted, uint32_t cell)
{
    for (struct gb_list *at = hosted->execs.next; at != &hosted->execs; at = at->next)
        if (container_of(at, struct exec, of_session)->cell->number == cell)
            return container_of(at, struct exec, of_session);
    return NULL;
}

static void reply_cell(struct exec *exec)
{
    struct reply reply;

    reply_begin(&reply, exec->request);
    put_exec(&reply.out, exec, CELL_WHOLE);
    if (exec->run) {
        gb_json_put_str(&reply.out, "source",
                        gb_source_name(gb_session_source(exec->hosted->session)));
        put_timing(&reply.out, exec->hosted);
    } else {
        put_background(&reply.out, exec->hosted);
        PART_CALL(exec->hosted->server, put_reply, &reply.out, exec->hosted, exec->connection);
    }
    reply_end(&reply);
}

static void add_partial(struct gb_json_out *out, void *arg)
{
    gb_json_object(out, "cell");
    put_exec(out, arg, CELL_WHOLE);
    gb_json_end(out);
}

static void fail_cell(struct exec *exec)
{
    if (exec->err.code == GB_ECAPACITY && exec->run)
        hosted_refuse(exec->hosted, exec->request, &exec->err);
    else
        request_fail_with(exec->request, &exec->err, exec->err.dispatched ? add_partial : NULL,
                          exec);
}

static void count(struct gb_server *server, const struct exec *exec, const struct gb_cell *cell)
{
    uint64_t now = gb_clock_mono_ns(), took = now - cell->started_ns;

    server->cells++;
    if (exec->request != NULL)
        histogram_add(&server->exec_times, now - exec->request->received_ns);
    if (cell->started_ns > 0 && took >= cell->wall_ns)
        histogram_add(&server->overhead_times, took - cell->wall_ns);
}

/* The cell is in the journal, or cannot be: now it may be told. */
static void on_recorded(void *arg, bool recorded)
{
    struct exec *exec = arg;
    struct hosted *hosted = exec->hosted;
    struct gb_server *server = hosted->server;

    exec->unrecorded = !recorded;
    if (!exec->failed)
        count(server, exec, exec->cell);
    event_cell(exec, EVENT_CELL_FINISHED);
    if (exec->request != NULL && !exec->failed)
        reply_cell(exec);
    else if (exec->request != NULL)
        fail_cell(exec);
    if (exec->run)
        hosted_close(hosted, "closed", "its run is over");
    exec_free(exec);
    server->exec_count--;
    hosted_exec_gone(hosted);
    server_progress(server);
}

static void on_done(void *arg, const struct gb_cell *cell, const struct gb_err *err)
{
    struct exec *exec = arg;
    struct cell_view view;
    int r;

    exec->waiting = false;
    tell_tail(exec, GB_STDOUT);
    tell_tail(exec, GB_STDERR);
    if (exec->stream && exec->connection != NULL && err == NULL && !exec->run)
        follower_add(exec->connection, exec->hosted, cell->number);
    exec->failed = err != NULL;
    if (err != NULL)
        exec->err = *err;
    else
        exec->hosted->failed =
            cell->timed_out ||
            (!cell->interrupted && (cell->oom || cell->signal > 0 || cell->exit_code > 0));
    exec->ticket = (struct gb_journal_ticket){.done = on_recorded, .arg = exec};
    view_init(&view, exec);
    gb_pace_encode(&exec->pace, &view.pace);
    view.cell.pace = gb_buf_bytes(&view.pace);
    r = history_cell(exec, &view.cell);
    view_release(&view);
    if (r != 0)
        on_recorded(exec, r > 0);
}

void exec_disconnect(struct exec *exec)
{
    exec->connection = NULL;
    exec->request = NULL;
    gb_cell_hold(exec->cell, false);
    if (exec->detach)
        return;
    if (exec->run)
        hosted_close(exec->hosted, "closed", "the client that ran it went away");
    else
        gb_cell_interrupt(exec->cell);
}

static const struct gb_cell_events events = {
    .started = on_started, .output = on_output, .waiting = on_waiting, .done = on_done};

/* What holds for every cell at the time at which it would be queued, whatever it waited for. */
static int may_start(const struct connection *connection, struct gb_err *err)
{
    int r = server_check_open(connection->server, err);

    return r < 0 ? r : client_check_cells(connection, err);
}

int exec_start(struct request *request, const struct gb_params *params,
               const struct program *program, const struct gb_env *env, struct hosted *hosted,
               struct gb_err *err)
{
    struct connection *connection = request->connection;
    const struct gb_settings_sessions *settings = &connection->server->settings.sessions;
    struct gb_cell_config config = {
        .mode = (enum gb_mode)params->mode,
        .interactive = params->interactive,
        .final = hosted->run || params->final,
        .timeout_ms = (uint32_t)params->timeout_ms,
        .max_stdout = params->max_stdout > 0 ? (uint64_t)params->max_stdout : settings->max_stdout,
        .max_stderr = params->max_stderr > 0 ? (uint64_t)params->max_stderr : settings->max_stderr,
        .env = env,
        .stdin_data = params->standard_input,
    };
    struct exec *exec;
    int r = may_start(connection, err);

    if (r < 0)
        return r;
    program_config(program, &config);
    exec = xcalloc(1, sizeof(*exec));
    gb_list_init(&exec->of_session);
    gb_list_init(&exec->of_connection);
    r = gb_session_exec(hosted->session, &config, &events, exec, &exec->cell, err);
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
    gb_list_add_tail(&hosted->execs, &exec->of_session);
    gb_list_add_tail(&connection->execs, &exec->of_connection);
    if (connection->full)
        gb_cell_hold(exec->cell, true);
    hosted->server->exec_count++;
    return 0;
}

/* ---- cells that somebody else's hold on the session keeps back ---- */

/* Everything that the request borrowed from its line is copied. */
struct exec_held {
    struct held_cell cell;
    struct gb_params params; /* its texts are the buffers' below */
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

/* Of @params are needed only what is no text, and standard input. Takes @program. */
static int exec_held_copy(struct exec_held *held, const struct gb_params *params,
                          struct program *program, struct gb_err *err)
{
    int r = params_env(params->env, &held->env, err);

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

/* True when the session's gate is shut: then the request has been refused, or waits. */
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

void handle_exec(struct request *request, const struct gb_params *params)
{
    _cleanup_(program_release) struct program program = {0};
    _cleanup_(gb_env_release) struct gb_env env = {0};
    struct gb_server *server = request->connection->server;
    struct gb_err err = {0};
    struct hosted *hosted = NULL;
    int r = program_read(params, &program, &err);

    if (r == 0 && (hosted = hosted_find(server, params->session, &err)) == NULL)
        r = -(int)err.code;
    if (r == 0 && hosted->run)
        r = gb_err_set(&err, GB_EPOLICY, "the VM of a `run` takes no further cells");
    if (r == 0)
        r = may_start(request->connection, &err);
    if (r == 0 && exec_is_held(request, params, &program, hosted))
        return;
    if (r == 0)
        r = params_env(params->env, &env, &err);
    if (r == 0)
        r = exec_start(request, params, &program, &env, hosted, &err);
    if (r < 0)
        request_fail(request, &err);
}

void handle_run(struct request *request, const struct gb_params *params)
{
    _cleanup_(program_release) struct program program = {0};
    _cleanup_(gb_env_release) struct gb_env env = {0};
    struct gb_err err = {0};
    struct hosted *hosted = NULL;
    /* What would be refused as a cell is refused before a VM is started for it. */
    int r = program_read(params, &program, &err);

    if (r == 0 && program.file.size > 0 && !program.put)
        r = gb_err_set(&err, GB_EINVALID, "there is no file yet in a fresh VM: give code with it");

    if (r == 0)
        r = client_check_cells(request->connection, &err);
    if (r == 0)
        r = params_env(params->env, &env, &err);
    if (r == 0)
        r = hosted_open(request->connection, params, true, &hosted, &err);
    if (r == 0)
        r = exec_start(request, params, &program, &env, hosted, &err);
    if (r < 0 && hosted != NULL)
        hosted_close(hosted, "closed", err.message);
    if (r < 0)
        request_fail(request, &err);
}

/* ---- standard input and interrupts ---- */

static void forget(struct request *request)
{
    gb_session_forget(((struct hosted *)request->arg)->session, request);
}

static void on_ok(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    if (frame != NULL)
        request_ok(arg);
    else
        request_fail(arg, err);
}

void handle_stdin(struct request *request, const struct gb_params *params)
{
    struct gb_bytes data = params->text.data != NULL ? params->text : params->base64;
    struct gb_err err = {0};
    struct hosted *hosted = NULL;
    int r = 0;

    if (params->text.data != NULL && params->base64.data != NULL)
        r = gb_err_set(&err, GB_EINVALID, "give text or base64, not both");
    else if (data.data == NULL && !params->eof)
        r = gb_err_set(&err, GB_EINVALID, "give text, base64 or eof");
    else if ((hosted = hosted_find(request->connection->server, params->session, &err)) == NULL)
        r = -(int)err.code;
    if (hosted != NULL) {
        request->arg = hosted;
        request->abandon = forget;
        r = gb_session_stdin(hosted->session, (uint32_t)params->cell, data, params->eof, on_ok,
                             request, &err);
    }
    if (r < 0)
        request_fail(request, &err);
}

void handle_interrupt(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);

    if (hosted == NULL || gb_session_interrupt(hosted->session, &err) < 0)
        request_fail(request, &err);
    else
        request_ok(request);
}

/* ---- queries ---- */

static void on_completions(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct request *request = arg;
    struct gb_completions message;
    struct gb_bytes text, type;
    struct gb_err bad = {0};
    struct reply reply;
    size_t at = 0;

    if (frame == NULL) {
        request_fail(request, err);
        return;
    }
    if (gb_fields_decode(&gb_completions_fields, frame->payload, &message, &bad) < 0) {
        request_break(request, request->arg, &bad);
        return;
    }
    reply_begin(&reply, request);
    gb_json_array(&reply.out, "matches");
    while (gb_pairs_next(&message.matches, &at, &text, &type) == 1) {
        gb_json_object(&reply.out, NULL);
        gb_json_put(&reply.out, "text", text);
        gb_json_put(&reply.out, "type", type);
        gb_json_end(&reply.out);
    }
    gb_json_end(&reply.out);
    gb_json_put_u64(&reply.out, "start", message.start);
    gb_json_put_u64(&reply.out, "end", message.end);
    reply_end(&reply);
}

static void on_completeness(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    static const char *const names[] = {"complete", "incomplete", "invalid"};
    static_assert(ARRAY_SIZE(names) == GB_COMPLETENESS_COUNT, "a name for each");
    struct request *request = arg;
    struct gb_completeness_reply message;
    struct gb_err bad = {0};
    struct reply reply;
    int r;

    if (frame == NULL) {
        request_fail(request, err);
        return;
    }
    r = gb_fields_decode(&gb_completeness_fields, frame->payload, &message, &bad);
    if (r == 0 && message.status >= GB_COMPLETENESS_COUNT)
        r = gb_err_set(&bad, GB_EINTERNAL, "COMPLETENESS: there is no status %u", message.status);
    if (r < 0) {
        request_break(request, request->arg, &bad);
        return;
    }
    reply_begin(&reply, request);
    gb_json_put_str(&reply.out, "status", names[message.status]);
    gb_json_put(&reply.out, "indent", message.indent);
    reply_end(&reply);
}

static size_t code_points(struct gb_bytes text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.size; i++)
        n += (text.data[i] & 0xc0) != 0x80;
    return n;
}

static void ask(struct request *request, struct hosted *hosted, enum gb_guest_type type,
                const struct gb_fields *table, const void *message, gb_reply_fn *done)
{
    struct gb_err err = {0};

    request->arg = hosted;
    request->abandon = forget;
    if (gb_session_request(hosted->session, type, table, message, 0, done, request, &err) < 0)
        request_fail(request, &err);
}

void handle_complete(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    int64_t end = (int64_t)code_points(params->code);
    const struct gb_complete message = {
        .code = params->code, .cursor = (uint32_t)(params->cursor < 0 ? end : params->cursor)};

    if (hosted != NULL && params->cursor > end) {
        (void)gb_err_set(&err, GB_EINVALID,
                         "cursor is behind the end of the code, which has %lld "
                         "code points",
                         (long long)end);
        hosted = NULL;
    }
    if (hosted == NULL)
        request_fail(request, &err);
    else
        ask(request, hosted, GB_GUEST_COMPLETE, &gb_complete_fields, &message, on_completions);
}

void handle_is_complete(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    const struct gb_is_complete message = {.code = params->code};

    if (hosted == NULL)
        request_fail(request, &err);
    else
        ask(request, hosted, GB_GUEST_IS_COMPLETE, &gb_is_complete_fields, &message,
            on_completeness);
}
