/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "mcp/internal.h"
#include "mcp/schema.h"

enum {
    BATCH_MAX = CALLS_MAX,
    TOOLS_PAGE = 100, /* all of them: some clients only read one page */
    TTL_MS = 3600000
};

#define INSTRUCTIONS(network)                                                                      \
    "Glassbell runs code in microVMs of its own: what runs there can do no harm to the "           \
    "host, " network                                                                               \
    ", and sees no files but those that you write into it; `packages` adds packages of "           \
    "its language. Use run_code for one piece of code that needs nothing before or after "         \
    "it. Use open_session and then exec for work in several steps: names, imports and "            \
    "files stay in the session until you close it or leave it unused for half an hour. "           \
    "Keep the handle that open_session returns; a call with a handle that has expired "            \
    "says so, and a new session can be opened. Files go in with write_file and come out "          \
    "with read_file; figures that the code shows come back as images. Every program that "         \
    "fails or is cut off is reported with its exit code; when an error says that the "             \
    "code may have run, look before you run it again."

static const char *server_instructions(const struct mcp_server *server)
{
    return server->config.standards.has_network
               ? INSTRUCTIONS("reaches only those hosts that the user allows (`network_refused` "
                              "lists what was not)")
               : INSTRUCTIONS("has no network");
}

#define META "io.modelcontextprotocol/"

const char *const log_level_names[LEVEL_COUNT] = {"debug", "info",     "notice", "warning",
                                                  "error", "critical", "alert",  "emergency"};

struct mcp_server *mcp_server_new(struct gb_loop *loop, const struct mcp_config *config)
{
    struct mcp_server *server = xcalloc(1, sizeof(*server));

    server->loop = loop;
    server->config = *config;
    server->level = LEVEL_WARNING;
    gb_list_init(&server->calls);
    return server;
}

void mcp_server_free(struct mcp_server *server)
{
    if (server == NULL)
        return;
    call_cancel_all(server);
    gb_buf_release(&server->input);
    gb_json_release(&server->doc);
    free(server);
}

/* ---- answers ---- */

void server_answer(struct mcp_server *server, struct batch *batch, struct gb_buf *line)
{
    if (batch == NULL) {
        server->config.send(server->config.arg, gb_buf_bytes(line));
        return;
    }
    gb_buf_adds(&batch->answers, batch->answers.size == 0 ? "[" : ",");
    gb_buf_add(&batch->answers, gb_buf_data(line), line->size - 1); /* without its newline */
}

void batch_done(struct mcp_server *server, struct batch *batch)
{
    if (batch == NULL || --batch->left > 0)
        return;
    if (batch->answers.size > 0) {
        gb_buf_adds(&batch->answers, "]\n");
        server->config.send(server->config.arg, gb_buf_bytes(&batch->answers));
    }
    gb_buf_release(&batch->answers);
    free(batch);
}

static void server_fail(struct request *request, int code, const char *message)
{
    struct gb_buf line = {0};

    message_add_error(&line, gb_buf_bytes(&request->message->id), code, message, NULL);
    server_answer(request->server, request->batch, &line);
    gb_buf_release(&line);
}

/* An error that belongs to no request. */
static void server_fail_line(struct mcp_server *server, int code, const char *message)
{
    const struct message none = {0};
    struct request request = {.server = server, .message = &none};

    server_fail(&request, code, message);
}

static void server_begin_result(struct request *request, struct gb_json_out *out,
                                struct gb_buf *line)
{
    message_begin_result(out, line, gb_buf_bytes(&request->message->id), request->revision);
}

static void server_send_result(struct request *request, struct gb_json_out *out,
                               struct gb_buf *line)
{
    message_end_result(out);
    server_answer(request->server, request->batch, line);
    gb_buf_release(line);
}

static void server_answer_empty(struct request *request)
{
    struct gb_buf line = {0};
    struct gb_json_out out;

    server_begin_result(request, &out, &line);
    server_send_result(request, &out, &line);
}

/* ---- the methods ---- */

static void server_put_capabilities(struct gb_json_out *out, enum revision revision)
{
    gb_json_object(out, "capabilities");
    gb_json_object(out, "tools");
    gb_json_put_bool(out, "listChanged", false);
    gb_json_end(out);
    if (revision < REVISION_2026_07_28) {
        gb_json_object(out, "logging");
        gb_json_end(out);
    }
    gb_json_end(out);
}

static void server_put_cacheable(struct gb_json_out *out, enum revision revision)
{
    if (revision < REVISION_2026_07_28)
        return;
    gb_json_put_u64(out, "ttlMs", TTL_MS);
    gb_json_put_str(out, "cacheScope", "public");
}

/* "name version" of an Implementation, for the journal. */
static void server_copy_client(char *to, size_t room, const struct gb_json *info)
{
    struct gb_bytes name = message_text(info, "name"), version = message_text(info, "version");
    struct gb_buf text = {0};
    size_t size;

    gb_buf_add(&text, name.data, name.size);
    gb_buf_adds(&text, version.size > 0 ? " " : "");
    gb_buf_add(&text, version.data, version.size);
    for (size_t i = 0; i < text.size; i++)
        if (gb_buf_data(&text)[i] < 0x20)
            text.memory[text.start + i] = ' ';
    size = MIN(text.size, room - 1);
    size -= gb_utf8_unfinished((struct gb_bytes){gb_buf_data(&text), size});
    memcpy(to, gb_buf_data(&text), size);
    to[size] = '\0';
    gb_buf_release(&text);
}

static void server_handle_initialize(struct request *request)
{
    struct mcp_server *server = request->server;
    const struct gb_json *params = request->message->params;
    struct gb_bytes asked = message_text(params, "protocolVersion");
    const struct gb_json *info = params == NULL ? NULL : gb_json_member(params, "clientInfo");
    struct gb_buf line = {0};
    struct gb_json_out out;

    if (server->initialized) {
        server_fail(request, MESSAGE_INVALID_REQUEST, "there was an initialize already");
        return;
    }
    if (asked.size == 0 || info == NULL || info->type != GB_JSON_OBJECT ||
        gb_json_member(params, "capabilities") == NULL) {
        server_fail(request, MESSAGE_INVALID_PARAMS,
                    "initialize needs protocolVersion, capabilities and clientInfo");
        return;
    }
    server->revision = revision_find(asked);
    if (server->revision > REVISION_LAST_HANDSHAKE)
        server->revision = REVISION_LAST_HANDSHAKE;
    server->initialized = true;
    server_copy_client(server->client, sizeof(server->client), info);
    request->revision = server->revision;
    server_begin_result(request, &out, &line);
    gb_json_put_str(&out, "protocolVersion", revision_names[server->revision]);
    server_put_capabilities(&out, server->revision);
    message_put_implementation(&out, "serverInfo", server->revision);
    gb_json_put_str(&out, "instructions", server_instructions(server));
    server_send_result(request, &out, &line);
}

static void server_handle_discover(struct request *request)
{
    struct gb_buf line = {0};
    struct gb_json_out out;

    server_begin_result(request, &out, &line);
    gb_json_array(&out, "supportedVersions");
    for (int i = REVISION_LAST_HANDSHAKE + 1; i < REVISION_COUNT; i++)
        gb_json_put_str(&out, NULL, revision_names[i]);
    gb_json_end(&out);
    server_put_capabilities(&out, request->revision);
    gb_json_put_str(&out, "instructions", server_instructions(request->server));
    server_put_cacheable(&out, request->revision);
    server_send_result(request, &out, &line);
}

static void server_handle_list(struct request *request)
{
    const struct mcp_config *config = &request->server->config;
    const struct schema_world world = {.revision = request->revision,
                                       .languages = config->languages,
                                       .has_network = config->standards.has_network};
    const struct gb_json *params = request->message->params;
    struct gb_buf line = {0};
    struct gb_json_out out;

    /* All tools are on the first page, so we never gave out a cursor. */
    if (params != NULL && gb_json_member(params, "cursor") != NULL) {
        server_fail(request, MESSAGE_INVALID_PARAMS, "the cursor is not one of this server's");
        return;
    }
    server_begin_result(request, &out, &line);
    schema_write_tools(&out, &world, 0, TOOLS_PAGE);
    server_put_cacheable(&out, request->revision);
    server_send_result(request, &out, &line);
}

static enum log_level server_find_level(struct gb_bytes name)
{
    int i;

    for (i = 0; i < LEVEL_COUNT; i++)
        if (gb_bytes_equal(name, log_level_names[i]))
            break;
    return (enum log_level)i;
}

static void server_handle_level(struct request *request)
{
    enum log_level level = server_find_level(message_text(request->message->params, "level"));

    if (level == LEVEL_COUNT) {
        server_fail(request, MESSAGE_INVALID_PARAMS,
                    "level must be one of: debug, info, notice, warning, error, critical, alert, "
                    "emergency");
        return;
    }
    request->server->level = level;
    server_answer_empty(request);
}

struct method {
    const char *name;
    enum revision first, last;
    bool before_initialize;
    void (*handle)(struct request *request);
};

static const struct method methods[] = {
    {.name = "initialize",
     .first = REVISION_2024_11_05,
     .last = REVISION_LAST_HANDSHAKE,
     .before_initialize = true,
     .handle = server_handle_initialize},
    {.name = "ping",
     .first = REVISION_2024_11_05,
     .last = REVISION_LAST_HANDSHAKE,
     .before_initialize = true,
     .handle = server_answer_empty},
    {.name = "logging/setLevel",
     .first = REVISION_2024_11_05,
     .last = REVISION_LAST_HANDSHAKE,
     .handle = server_handle_level},
    {.name = "tools/list",
     .first = REVISION_2024_11_05,
     .last = REVISION_2026_07_28,
     .handle = server_handle_list},
    {.name = "tools/call",
     .first = REVISION_2024_11_05,
     .last = REVISION_2026_07_28,
     .handle = call_start},
    {.name = "server/discover",
     .first = REVISION_2026_07_28,
     .last = REVISION_2026_07_28,
     .handle = server_handle_discover},
    {.name = "subscriptions/listen",
     .first = REVISION_2026_07_28,
     .last = REVISION_2026_07_28,
     .handle = call_listen},
};

static const struct method *server_find_method(const char *name, enum revision revision)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(methods[i].name, name) == 0 && revision >= methods[i].first &&
            revision <= methods[i].last)
            return &methods[i];
    return NULL;
}

/* ---- messages ---- */

/* Determines the revision for the request. False: it was answered with an error. */
static bool server_settle_revision(struct request *request)
{
    struct mcp_server *server = request->server;
    const struct gb_json *meta = request->message->meta;
    const struct gb_json *capabilities =
        meta == NULL ? NULL : gb_json_member(meta, META "clientCapabilities");
    struct gb_bytes asked = message_text(meta, META "protocolVersion");
    struct gb_buf line = {0};

    if (asked.size == 0) {
        request->revision = server->revision;
        request->level = server->initialized ? server->level : LEVEL_COUNT;
        (void)snprintf(request->client, sizeof(request->client), "%s", server->client);
        return true;
    }
    if (revision_find(asked) == REVISION_COUNT || revision_find(asked) <= REVISION_LAST_HANDSHAKE) {
        message_add_error(&line, gb_buf_bytes(&request->message->id), MESSAGE_UNSUPPORTED_REVISION,
                          "Unsupported protocol version", &asked);
        server_answer(server, request->batch, &line);
        gb_buf_release(&line);
        return false;
    }
    if (capabilities == NULL || capabilities->type != GB_JSON_OBJECT) {
        server_fail(request, MESSAGE_INVALID_PARAMS, "_meta needs " META "clientCapabilities");
        return false;
    }
    request->revision = revision_find(asked);
    request->level = server_find_level(message_text(meta, META "logLevel"));
    server_copy_client(request->client, sizeof(request->client),
                       gb_json_member(meta, META "clientInfo"));
    return true;
}

static void server_handle_request(struct request *request)
{
    struct mcp_server *server = request->server;
    const struct message *message = request->message;
    const struct method *method;

    if (message->id.size == 0 || call_find(server, gb_buf_bytes(&message->id)) != NULL) {
        server_fail(request, MESSAGE_INVALID_REQUEST, "another request with this id is under way");
        return;
    }
    if (!server_settle_revision(request))
        return;
    method = server_find_method(message->method, request->revision);
    if (method == NULL) {
        server_fail(request, MESSAGE_METHOD_NOT_FOUND, "Method not found");
        return;
    }
    if (!method->before_initialize && !server->initialized &&
        request->revision <= REVISION_LAST_HANDSHAKE) {
        server_fail(request, MESSAGE_INVALID_PARAMS,
                    "either initialize comes first, or _meta names " META "protocolVersion");
        return;
    }
    method->handle(request);
}

/* All others can be ignored. */
static void server_handle_notification(struct mcp_server *server, const struct message *message)
{
    const struct gb_json *id;
    struct gb_buf text = {0};
    struct call *call = NULL;

    if (strcmp(message->method, "notifications/cancelled") != 0 || message->params == NULL)
        return;
    id = gb_json_member(message->params, "requestId");
    if (id != NULL && message_write_id(&text, id))
        call = call_find(server, gb_buf_bytes(&text));
    if (call != NULL)
        call_cancel(call);
    gb_buf_release(&text);
}

static void server_handle_value(struct mcp_server *server, const struct gb_json *value,
                                struct batch *batch)
{
    struct message message;
    struct gb_err err = {0};
    struct request request = {.server = server, .message = &message, .batch = batch};

    if (message_read(value, &message, &err) < 0)
        server_fail(&request, MESSAGE_INVALID_REQUEST, err.message);
    else if (message.kind == MESSAGE_REQUEST)
        server_handle_request(&request);
    else if (message.kind == MESSAGE_NOTIFICATION)
        server_handle_notification(server, &message);
    message_release(&message);
}

static void server_handle_batch(struct mcp_server *server, const struct gb_json *list)
{
    struct batch *batch;
    const struct gb_json *value;

    if (!server->initialized || server->revision != REVISION_2025_03_26 || list->count == 0 ||
        list->count > BATCH_MAX) {
        server_fail_line(server, MESSAGE_INVALID_REQUEST,
                         "batches are for revision 2025-03-26 only, of 1 to 64 messages");
        return;
    }
    batch = xcalloc(1, sizeof(*batch));
    batch->left = 1;
    value = gb_json_first(list);
    for (uint32_t i = 0; i < list->count; i++, value = gb_json_next(value))
        server_handle_value(server, value, batch);
    batch_done(server, batch);
}

static void server_handle_line(struct mcp_server *server, uint8_t *line, size_t size)
{
    struct gb_err err = {0};

    while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == ' '))
        size--;
    if (size == 0)
        return;
    if (gb_json_parse(&server->doc, line, size, GB_REQUEST_NODES_MAX, &err) < 0) {
        server_fail_line(server, MESSAGE_PARSE_ERROR, err.message);
        return;
    }
    if (server->doc.nodes[0].type == GB_JSON_ARRAY)
        server_handle_batch(server, &server->doc.nodes[0]);
    else
        server_handle_value(server, &server->doc.nodes[0], NULL);
}

void mcp_server_input(struct mcp_server *server, struct gb_bytes bytes)
{
    struct gb_buf *input = &server->input;
    uint8_t *newline;

    gb_buf_add(input, bytes.data, bytes.size);
    while (input->size > server->scanned) {
        uint8_t *data = input->memory + input->start;
        size_t size;

        newline = memchr(data + server->scanned, '\n', input->size - server->scanned);
        if (newline == NULL) {
            server->scanned = input->size;
            break;
        }
        size = (size_t)(newline - data);
        if (!server->skipping && size <= GB_LINE_MAX)
            server_handle_line(server, data, size);
        else if (!server->skipping)
            server_fail_line(server, MESSAGE_INVALID_REQUEST, "a line is longer than 32 MiB");
        server->skipping = false;
        server->scanned = 0;
        gb_buf_consume(input, size + 1);
    }
    if (input->size > GB_LINE_MAX) {
        if (!server->skipping)
            server_fail_line(server, MESSAGE_INVALID_REQUEST, "a line is longer than 32 MiB");
        server->skipping = true;
    }
    if (server->skipping) {
        gb_buf_clear(input);
        server->scanned = 0;
    }
}
