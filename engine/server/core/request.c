/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/core/hosted.h"
#include "server/core/state.h"

struct request *request_new(struct connection *connection, const struct gb_method *method,
                            struct gb_buf *id, size_t cost)
{
    struct request *request = xcalloc(1, sizeof(*request));

    request->connection = connection;
    request->method = method;
    request->id = *id;
    request->cost = cost;
    request->received_ns = gb_clock_mono_ns();
    *id = (struct gb_buf){0};
    gb_list_init(&request->wait);
    gb_list_add_tail(&connection->requests, &request->link);
    connection->request_count++;
    connection->request_bytes += cost;
    connection->server->request_bytes += cost;
    return request;
}

static void request_free(struct request *request)
{
    gb_list_remove(&request->link);
    gb_list_remove(&request->wait);
    request->connection->request_count--;
    request->connection->request_bytes -= request->cost;
    request->connection->server->request_bytes -= request->cost;
    gb_buf_release(&request->id);
    free(request);
}

void request_abandon_all(struct connection *connection)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&connection->requests)) != NULL) {
        struct request *request = container_of(link, struct request, link);

        if (request->abandon != NULL)
            request->abandon(request);
        request_free(request);
    }
}

static void reply_begin_line(struct gb_json_out *out, const struct gb_buf *id)
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
    reply_begin_line(&reply->out, &request->id);
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

    reply_begin_line(&out, id);
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

    if (!gb_method_may_fail(request->method, err->code))
        gb_warning("%s failed with %s, which its row does not name: %s", request->method->name,
                   gb_code_kind(err->code), err->message);
    request->id = (struct gb_buf){0};
    request_free(request);
    connection_error(connection, &id, gb_code_rpc(err->code), err, add, arg);
    gb_buf_release(&id);
}

void request_fail(struct request *request, const struct gb_err *err)
{
    request_fail_with(request, err, NULL, NULL);
}

void request_forget(struct request *request)
{
    gb_session_forget(((struct hosted *)request->arg)->session, request);
}

void request_on_done(void *arg, const struct gb_err *err)
{
    if (err == NULL)
        request_ok(arg);
    else
        request_fail(arg, err);
}
