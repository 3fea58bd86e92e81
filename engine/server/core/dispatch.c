/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "server/core/connection.h"
#include "server/core/request.h"
#include "server/core/state.h"

/* A document larger than this frees its memory. */
enum { KEEP_NODES = 256 };

enum { RPC_PARSE = -32700, RPC_INVALID = -32600, RPC_NO_METHOD = -32601, RPC_PARAMS = -32602 };

static const struct method *dispatch_find(const struct gb_server *server, struct gb_bytes name)
{
    for (size_t i = 0; i < server->method_count; i++)
        if (gb_bytes_equal(name, server->methods[i].row->name))
            return &server->methods[i];
    return NULL;
}

void dispatch_add(struct gb_server *server, const struct method_handler *handlers)
{
    for (; handlers->name != NULL; handlers++) {
        struct method *method = &server->methods[server->method_count];

        assert(server->method_count < METHODS_MAX &&
               dispatch_find(server, gb_bytes_str(handlers->name)) == NULL);
        method->row = gb_method_find(gb_bytes_str(handlers->name));
        method->handle = handlers->handle;
        assert(method->row != NULL);
        server->method_count++;
    }
}

static void dispatch_too_long(struct connection *connection)
{
    struct gb_err err = {0};

    (void)gb_err_set(&err, GB_ETOOLARGE,
                     "the line is too long: it has more than %u bytes, and was skipped",
                     GB_LINE_MAX);
    connection_error(connection, NULL, RPC_INVALID, &err, NULL, NULL);
}

static void dispatch_too_many(struct connection *connection)
{
    struct gb_err err = {0};

    (void)gb_err_set(&err, GB_EBUSY,
                     "too many long lines are being read at once, and this one has made no "
                     "progress for the longest time: it was skipped after %zu bytes",
                     connection->line_bytes);
    connection_error(connection, NULL, gb_code_rpc(err.code), &err, NULL, NULL);
}

/* The top-level members of the line. */
struct parts {
    const struct gb_json *version, *id, *method, *params;
};

static int dispatch_read_parts(const struct gb_json *line, struct parts *parts, struct gb_err *err)
{
    static const char *const names[] = {"jsonrpc", "id", "method", "params"};
    const struct gb_json **places[] = {&parts->version, &parts->id, &parts->method, &parts->params};
    const struct gb_json *child;

    if (line->type != GB_JSON_OBJECT)
        return gb_err_set(err, GB_EINVALID, "a request is a JSON object, and this is %s",
                          gb_json_type_name(line->type));
    child = gb_json_first(line);
    for (uint32_t i = 0; i < line->count; i++, child = gb_json_next(child)) {
        size_t j = 0;

        while (j < ARRAY_SIZE(names) && !gb_bytes_equal(child->key, names[j]))
            j++;
        if (j == ARRAY_SIZE(names))
            return gb_err_set(err, GB_EINVALID, "a request has no member \"%.*s\"",
                              (int)MIN(child->key.size, (size_t)64), (const char *)child->key.data);
        if (*places[j] != NULL)
            return gb_err_set(err, GB_EINVALID, "%s is given twice", names[j]);
        *places[j] = child;
    }
    return 0;
}

/* Reads the id for the answer, even if the rest of the request is invalid. */
static int dispatch_read_id(const struct gb_json *id, struct gb_buf *ret_id, struct gb_err *err)
{
    struct gb_json_out out = {.buf = ret_id};

    if (id == NULL || (id->type != GB_JSON_STRING && id->type != GB_JSON_NUMBER))
        return gb_err_set(err, GB_EINVALID, "a request needs an id: a string or a number");
    if (id->text.size > GB_REQUEST_ID_MAX)
        return gb_err_set(err, GB_EINVALID, "the id has more than %u bytes", GB_REQUEST_ID_MAX);
    if (id->type == GB_JSON_STRING)
        gb_json_put(&out, NULL, id->text);
    else
        gb_json_put_raw(&out, NULL, id->text);
    return 0;
}

static int dispatch_check_parts(const struct parts *parts, struct gb_err *err)
{
    if (parts->version != NULL &&
        (parts->version->type != GB_JSON_STRING || !gb_bytes_equal(parts->version->text, "2.0")))
        return gb_err_set(err, GB_EINVALID, "jsonrpc must be \"2.0\"");
    if (parts->method == NULL || parts->method->type != GB_JSON_STRING)
        return gb_err_set(err, GB_EINVALID, "a request needs a method: a string");
    return 0;
}

static int dispatch_check_load(const struct connection *connection, size_t cost, struct gb_err *err)
{
    const struct gb_server *server = connection->server;

    if (connection->request_count >= GB_REQUESTS_MAX)
        return gb_err_set(err, GB_EBUSY, "%u requests of this connection are under way already",
                          GB_REQUESTS_MAX);
    if (connection->request_count > 0 && connection->request_bytes + cost > GB_REQUEST_BYTES_MAX)
        return gb_err_set(
            err, GB_EBUSY,
            "the requests of this connection that are under way hold %zu bytes already",
            connection->request_bytes);
    if (server->request_bytes > 0 && server->request_bytes + cost > GB_REQUESTS_BYTES_MAX)
        return gb_err_set(err, GB_EBUSY,
                          "the requests of all clients that are under way hold %zu bytes already",
                          server->request_bytes);
    return 0;
}

static void dispatch_request(struct connection *connection, size_t size)
{
    _cleanup_(gb_buf_release) struct gb_buf id = {0};
    struct parts parts = {0};
    struct gb_params params;
    struct gb_err err = {0};
    const struct method *method;
    size_t cost = size;
    int r, code = RPC_INVALID;

    r = dispatch_read_parts(connection->doc.nodes, &parts, &err);
    if (r == 0)
        r = dispatch_read_id(parts.id, &id, &err);
    if (r == 0)
        r = dispatch_check_parts(&parts, &err);
    if (r < 0) {
        connection_error(connection, &id, code, &err, NULL, NULL);
        return;
    }
    method = dispatch_find(connection->server, parts.method->text);
    if (method == NULL) {
        (void)gb_err_set(&err, GB_EUNSUPPORTED, "there is no method \"%.*s\"",
                         (int)MIN(parts.method->text.size, (size_t)64),
                         (const char *)parts.method->text.data);
        connection_error(connection, &id, RPC_NO_METHOD, &err, NULL, NULL);
        return;
    }
    r = gb_params_read(method->row, parts.params, &params, &err);
    code = r == -GB_EINVALID ? RPC_PARAMS : gb_code_rpc(err.code);
    if (r == 0) {
        cost = gb_method_cost(method->row, size, &params);
        r = dispatch_check_load(connection, cost, &err);
        code = gb_code_rpc(err.code);
    }
    if (r < 0)
        connection_error(connection, &id, code, &err, NULL, NULL);
    else
        method->handle(request_new(connection, method->row, &id, cost), &params);
}

static void dispatch_line(struct connection *connection, uint8_t *line, size_t size)
{
    struct gb_err err = {0};
    int r = gb_json_parse(&connection->doc, line, size, GB_REQUEST_NODES_MAX, &err);

    if (r == -GB_ETOOLARGE)
        connection_error(connection, NULL, RPC_INVALID, &err, NULL, NULL);
    else if (r < 0)
        connection_error(connection, NULL, RPC_PARSE, &err, NULL, NULL);
    else
        dispatch_request(connection, size);
    if (connection->doc.capacity > KEEP_NODES)
        gb_json_release(&connection->doc);
}

const struct connection_handlers dispatch_handlers = {
    .line = dispatch_line,
    .too_long = dispatch_too_long,
    .too_many = dispatch_too_many,
    .closing = request_abandon_all,
};
