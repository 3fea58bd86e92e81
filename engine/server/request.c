/* SPDX-License-Identifier: Apache-2.0 */
/* Answers. */
#include <stdlib.h>

#include "base/mem.h"
#include "server/internal.h"

void request_free(struct request *request)
{
    gb_list_remove(&request->link);
    gb_list_remove(&request->wait);
    request->connection->request_count--;
    request->connection->request_bytes -= request->cost;
    request->connection->server->request_bytes -= request->cost;
    gb_buf_release(&request->id);
    free(request);
}

static void begin_line(struct gb_json_out *out, const struct gb_buf *id)
{
    gb_json_object(out, NULL);
    gb_json_put_str(out, "jsonrpc", "2.0");
    if (id == NULL || id->size == 0)
        gb_json_put_null(out, "id");
    else
        gb_json_put_raw(out, "id", gb_buf_bytes(id));
}

void reply_begin(struct reply *reply, struct request *request)
{
    *reply = (struct reply){.request = request};
    reply->out.buf = &reply->buf;
    begin_line(&reply->out, &request->id);
    gb_json_object(&reply->out, "result");
}

void reply_end(struct reply *reply)
{
    struct connection *connection = reply->request->connection;

    gb_json_end(&reply->out);
    gb_json_end(&reply->out);
    gb_buf_add_u8(&reply->buf, '\n');
    request_free(reply->request);
    connection_send(connection, &reply->buf);
    gb_buf_release(&reply->buf);
}

void request_ok(struct request *request)
{
    struct reply reply;

    reply_begin(&reply, request);
    reply_end(&reply);
}

void connection_error(struct connection *connection, const struct gb_buf *id, int code,
                      const struct gb_err *err, void (*add)(struct gb_json_out *out, void *arg),
                      void *arg)
{
    struct gb_buf line = {0};
    struct gb_json_out out = {.buf = &line};

    begin_line(&out, id);
    gb_json_object(&out, "error");
    gb_json_put_i64(&out, "code", code);
    gb_json_put_str(&out, "message", err->message);
    gb_json_object(&out, "data");
    gb_json_put_str(&out, "kind", gb_code_kind(err->code));
    gb_json_put_bool(&out, "dispatched", err->dispatched);
    gb_json_put_bool(&out, "retryable",
                     !err->dispatched && gb_code_class(err->code) == GB_CLASS_RETRY);
    if (add != NULL)
        add(&out, arg);
    gb_json_end(&out);
    gb_json_end(&out);
    gb_json_end(&out);
    gb_buf_add_u8(&line, '\n');
    connection_send(connection, &line);
    gb_buf_release(&line);
}

void request_fail_with(struct request *request, const struct gb_err *err,
                       void (*add)(struct gb_json_out *out, void *arg), void *arg)
{
    struct connection *connection = request->connection;
    struct gb_buf id = request->id;

    request->id = (struct gb_buf){0};
    request_free(request);
    connection_error(connection, &id, gb_code_rpc(err->code), err, add, arg);
    gb_buf_release(&id);
}

void request_fail(struct request *request, const struct gb_err *err)
{
    request_fail_with(request, err, NULL, NULL);
}

void request_break(struct request *request, struct hosted *hosted, struct gb_err *err)
{
    gb_session_violation(hosted->session, err);
    request_fail(request, err);
}
