/* SPDX-License-Identifier: Apache-2.0 */
/* A tool call: its connection to the socket, its progress, its answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/app.h"
#include "model/event.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/filter.h"
#include "client/client.h"
#include "mcp/arguments.h"
#include "mcp/content.h"
#include "mcp/internal.h"
#include "mcp/try.h"

enum {
    PROGRESS_MS = 250,    /* between two reports of output */
    HEARTBEAT_MS = 5000,  /* without output, to show the client that it is still running */
    PROGRESS_TEXT = 4096, /* the last part of the output so far */
};

struct call {
    struct gb_list link;
    struct mcp_server *server;
    struct gb_buf id, token; /* as JSON; an empty token: no progress */
    enum revision revision;
    enum log_level level;
    struct batch *batch;
    const struct tool *tool; /* NULL: subscriptions/listen */
    struct tool_options options;
    struct tries *tries; /* of `try`; NULL: it is another tool */
    struct gb_client *client;
    struct gb_timer *timer;
    struct gb_buf output; /* the last part of the output so far */
    struct filter filters[2];
    bool fresh; /* new output since the last report */
    uint64_t started_ns, reported_ns;
};

static void call_free(struct call *call)
{
    gb_list_remove(&call->link);
    call->server->call_count--;
    gb_client_free(call->client);
    tries_free(call->tries);
    gb_timer_free(call->timer);
    gb_buf_release(&call->id);
    gb_buf_release(&call->token);
    gb_buf_release(&call->output);
    free(call);
}

struct call *call_find(struct mcp_server *server, struct gb_bytes id)
{
    struct call *call;

    GB_LIST_FOREACH(call, &server->calls, link) {
        if (call->id.size == id.size && memcmp(gb_buf_data(&call->id), id.data, id.size) == 0)
            return call;
    }
    return NULL;
}

void call_cancel(struct call *call)
{
    struct mcp_server *server = call->server;
    struct batch *batch = call->batch;

    call_free(call);
    batch_done(server, batch);
}

void call_cancel_all(struct mcp_server *server)
{
    struct call *call;

    GB_LIST_FOREACH(call, &server->calls, link)
        call_cancel(call);
}

/* ---- what goes to the client ---- */

static void call_tell(const struct call *call, enum log_level level, const char *text)
{
    struct mcp_server *server = call->server;
    struct gb_buf line = {0};
    struct gb_json_out out;

    if (call->level == LEVEL_COUNT || level < call->level)
        return;
    message_begin_notification(&out, &line, "notifications/message");
    gb_json_put_str(&out, "level", log_level_names[level]);
    gb_json_put_str(&out, "logger", "glassbell");
    gb_json_put_str(&out, "data", text);
    message_end_notification(&out);
    server->config.send(server->config.arg, gb_buf_bytes(&line));
    gb_buf_release(&line);
}

/* progress is the elapsed time in seconds: it increases, and its end is unknown. */
static void call_report(struct call *call)
{
    struct mcp_server *server = call->server;
    uint64_t now = gb_clock_mono_ns();
    struct gb_buf line = {0};
    struct gb_json_out out;

    gb_timer_start(call->timer, call->fresh ? PROGRESS_MS : HEARTBEAT_MS);
    if (now == call->reported_ns || server->config.queued(server->config.arg) > 0)
        return; /* a client that does not read needs no progress */
    call->reported_ns = now;
    message_begin_notification(&out, &line, "notifications/progress");
    gb_json_put_raw(&out, "progressToken", gb_buf_bytes(&call->token));
    gb_json_put_seconds(&out, "progress", now - call->started_ns);
    if (call->revision >= REVISION_2025_03_26 && call->output.size > 0)
        gb_json_put(&out, "message", gb_buf_bytes(&call->output));
    message_end_notification(&out);
    server->config.send(server->config.arg, gb_buf_bytes(&line));
    gb_buf_release(&line);
    call->fresh = false;
    gb_timer_start(call->timer, HEARTBEAT_MS);
}

static void call_on_timer(void *arg)
{
    call_report(arg);
}

static void call_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct call *call = arg;
    struct gb_output_info piece;
    struct gb_buf bytes = {0};
    size_t drop;

    if (strcmp(method, "cell.output") != 0)
        return;
    gb_object_take(&gb_output_object, params, &piece);
    if ((piece.flags & GB_OUTPUT_BACKGROUND) != 0 ||
        !gb_bytes_add_decoded(&bytes, piece.data, (piece.flags & GB_OUTPUT_BASE64) != 0))
        return;
    filter_add(&call->filters[piece.stream == GB_STDERR], &call->output, gb_buf_bytes(&bytes));
    gb_buf_release(&bytes);
    drop = call->output.size - MIN(call->output.size, (size_t)PROGRESS_TEXT);
    while (drop > 0 && drop < call->output.size &&
           (gb_buf_data(&call->output)[drop] & 0xc0) == 0x80)
        drop++;
    gb_buf_consume(&call->output, drop);
    if (call->token.size == 0)
        return;
    if (!call->fresh) {
        uint64_t since = (gb_clock_mono_ns() - call->reported_ns) / GB_NS_PER_MS;

        gb_timer_start(call->timer, since >= PROGRESS_MS ? 0 : PROGRESS_MS - since);
    }
    call->fresh = true;
}

static void call_tell_end(const struct call *call, const struct gb_call_error *error)
{
    struct gb_buf text = {0};

    gb_buf_addf(&text, "%s: ", call->tool->name);
    if (error != NULL)
        gb_buf_addf(&text, "%s (%s)", error->message, error->kind);
    else
        gb_buf_addf(&text, "answered after %.1f ms",
                    gb_ns_to_ms(gb_clock_mono_ns() - call->started_ns));
    call_tell(call, error != NULL ? LEVEL_WARNING : LEVEL_DEBUG, gb_buf_str(&text));
    gb_buf_release(&text);
}

/* Advice about a session that another client holds. */
static void call_add_advice(const struct call *call, struct gb_buf *to)
{
    uint64_t waited_ms = call->server->config.lease_wait_ms;

    if (waited_ms > 0)
        gb_buf_addf(to, "; this call has waited %g s for it: go on without it, or call again later",
                    (double)waited_ms / 1000);
    else
        gb_buf_adds(to, "; go on without it, or call again later");
}

static void call_on_tried(void *arg)
{
    struct call *call = arg;
    struct mcp_server *server = call->server;
    struct batch *batch = call->batch;
    struct gb_buf line = {0};
    struct gb_json_out out;

    call_tell_end(call, NULL);
    message_begin_result(&out, &line, gb_buf_bytes(&call->id), call->revision);
    tries_write(call->tries, &out, call->revision, call->tool, &call->options);
    message_end_result(&out);
    call_free(call);
    server_answer(server, batch, &line);
    batch_done(server, batch);
    gb_buf_release(&line);
}

static void call_on_reply(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct call *call = arg;
    struct mcp_server *server = call->server;
    struct batch *batch = call->batch;
    struct gb_buf line = {0}, message = {0};
    struct gb_json_out out;

    if (error == NULL && call->tries != NULL) {
        tries_run(call->tries, call->client, result, call_on_tried, call);
        return;
    }
    call_tell_end(call, error);
    message_begin_result(&out, &line, gb_buf_bytes(&call->id), call->revision);
    if (error != NULL) {
        struct content_error told = {error->kind, error->message, error->dispatched,
                                     error->retryable};

        gb_buf_adds(&message, error->message);
        if (error->code == GB_EHELD)
            call_add_advice(call, &message);
        told.message = gb_buf_str(&message);

        content_write_error(&out, call->revision, call->tool, &call->options, &told,
                            json_member(error->data, "cell"));
    } else {
        content_write(&out, call->revision, call->tool, &call->options, result);
    }
    message_end_result(&out);
    call_free(call);
    server_answer(server, batch, &line);
    batch_done(server, batch);
    gb_buf_release(&line);
    gb_buf_release(&message);
}

/* ---- starting ---- */

static struct call *call_new(struct request *request, const struct tool *tool)
{
    struct mcp_server *server = request->server;
    struct call *call = xcalloc(1, sizeof(*call));

    call->server = server;
    call->tool = tool;
    call->revision = request->revision;
    call->level = request->level;
    call->started_ns = call->reported_ns = gb_clock_mono_ns();
    gb_buf_add(&call->id, gb_buf_data(&request->message->id), request->message->id.size);
    gb_list_add_tail(&server->calls, &call->link);
    server->call_count++;
    call->batch = request->batch;
    if (call->batch != NULL)
        call->batch->left++;
    return call;
}

/* The caller, for the journal: the host's name as given. */
static void call_say_hello(struct call *call, const char *client)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "client", client[0] != '\0' ? client : "mcp");
    gb_json_end(&out);
    (void)gb_client_call(call->client, "hello", &params, 0, NULL, NULL);
    gb_buf_release(&params);
}

static void call_refuse(struct request *request, const struct tool *tool, const struct gb_err *err)
{
    const struct content_error error = {gb_code_kind(err->code), err->message, false,
                                        gb_code_class(err->code) == GB_CLASS_RETRY};
    const struct tool_options options = {0};
    struct gb_buf line = {0};
    struct gb_json_out out;

    message_begin_result(&out, &line, gb_buf_bytes(&request->message->id), request->revision);
    content_write_error(&out, request->revision, tool, &options, &error, NULL);
    message_end_result(&out);
    server_answer(request->server, request->batch, &line);
    gb_buf_release(&line);
}

static void call_fail(struct request *request, const char *message)
{
    struct gb_buf line = {0};

    message_add_error(&line, gb_buf_bytes(&request->message->id), MESSAGE_INVALID_PARAMS, message,
                      NULL);
    server_answer(request->server, request->batch, &line);
    gb_buf_release(&line);
}

static void call_send_call(struct call *call, struct gb_buf *params, const char *client)
{
    static const struct gb_client_events events = {call_on_notified, NULL};
    struct mcp_server *server = call->server;
    const struct gb_client_config config = {.host = server->config.host,
                                            .socket = server->config.socket,
                                            .program = server->config.program};

    call->client = gb_client_new(server->loop, &config, &events, call);
    call_say_hello(call, client);
    (void)gb_client_call(call->client, call->tool->method, params, call->tool->deadline_ms,
                         call_on_reply, call);
    if (call->token.size > 0) {
        call->timer = gb_timer_new(server->loop, call_on_timer, call);
        gb_timer_start(call->timer, HEARTBEAT_MS);
    }
}

void call_start(struct request *request)
{
    const struct message *message = request->message;
    struct gb_bytes name = message_text(message->params, "name");
    const struct tool *tool = tools_find(name);
    const struct gb_json *token =
        message->meta == NULL ? NULL : gb_json_member(message->meta, "progressToken");
    struct gb_buf params = {0}, token_text = {0};
    struct gb_json_out out = {.buf = &params};
    struct tool_options options;
    struct gb_err err = {0};
    struct call *call;
    int r = 0;

    if (tool == NULL) {
        struct gb_buf text = {0};

        gb_buf_addf(&text, "Unknown tool: %.*s", (int)MIN(name.size, (size_t)64),
                    (const char *)name.data);
        call_fail(request, gb_buf_str(&text));
        gb_buf_release(&text);
        return;
    }
    if (token != NULL && !message_write_id(&token_text, token)) {
        call_fail(request, "a progressToken must be a string or an integer");
        return;
    }
    gb_json_object(&out, NULL);
    r = arguments_read(tool, gb_json_member(message->params, "arguments"),
                       &request->server->config.standards, &out, &options, &err);
    if (r == 0 && request->server->call_count >= CALLS_MAX)
        r = gb_err_set(&err, GB_EBUSY, "%d calls are under way; wait for one of them", CALLS_MAX);
    if (r < 0) {
        call_refuse(request, tool, &err);
    } else {
        if (tool->runs_code && token_text.size > 0)
            gb_json_put_bool(&out, "stream", true);
        if (strcmp(tool->method, "session.exec") == 0)
            gb_json_put_u64(&out, "lease_wait_ms", request->server->config.lease_wait_ms);
        gb_json_end(&out);
        call = call_new(request, tool);
        call->options = options;
        call->options.codes = NULL;
        if (tool->answer == ANSWER_TRIED)
            call->tries = tries_new(&options);
        call->token = token_text;
        token_text = (struct gb_buf){0};
        call_send_call(call, &params, request->client);
    }
    gb_buf_release(&params);
    gb_buf_release(&token_text);
}

/* The tools never change, so there are no notifications; but a client may subscribe. */
void call_listen(struct request *request)
{
    struct mcp_server *server = request->server;
    struct gb_buf line = {0};
    struct gb_json_out out;

    if (server->call_count >= CALLS_MAX) {
        call_fail(request, "too many requests are under way");
        return;
    }
    (void)call_new(request, NULL);
    message_begin_notification(&out, &line, "notifications/subscriptions/acknowledged");
    gb_json_object(&out, "_meta");
    gb_json_put_raw(&out, "io.modelcontextprotocol/subscriptionId",
                    gb_buf_bytes(&request->message->id));
    gb_json_end(&out);
    gb_json_object(&out, "notifications");
    gb_json_end(&out);
    message_end_notification(&out);
    server->config.send(server->config.arg, gb_buf_bytes(&line));
    gb_buf_release(&line);
}
