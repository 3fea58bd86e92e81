/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and their answers. Each request is answered exactly once, by reply_end(), request_ok()
 * or one of request_fail…(), which free it; if its connection closes first, `abandon` is called
 * instead. */
#pragma once

#include "server/core/connection.h"

#include "base/err.h"
#include "rpc/methods.h"

struct hosted;

struct request {
    struct gb_list link; /* in connection->requests */
    struct gb_list wait; /* for the handler's own lists */
    struct connection *connection;
    const struct gb_method *method;
    struct gb_buf id; /* as JSON */
    size_t cost;      /* memory used on its behalf, in bytes */
    uint64_t received_ns;
    /* The connection is closing; the request is freed afterwards. NULL: nothing to do. */
    void (*abandon)(struct request *request);
    void *arg; /* the handler's */
};

/* Moves the content of @id. */
struct request *request_new(struct connection *connection, const struct gb_method *method,
                            struct gb_buf *id, size_t cost);
/* Abandons and frees all requests of the connection. */
void request_abandon_all(struct connection *connection);

struct reply {
    struct request *request;
    struct gb_buf buf;
    struct gb_json_out out; /* inside `result` */
};
void reply_begin(struct reply *reply, struct request *request);
/* Sends it and frees the request. */
void reply_end(struct reply *reply);

/* Answers `{}`. */
void request_ok(struct request *request);
void request_fail(struct request *request, const struct gb_err *err);
/* The same with additional `data`. */
void request_fail_with(struct request *request, const struct gb_err *err,
                       void (*add)(struct gb_json_out *out, void *arg), void *arg);
/* For requests to the guest whose `arg` is a struct hosted: `abandon`, and the callback that only
 * reports success or failure. */
void request_forget(struct request *request);
void request_on_done(void *arg, const struct gb_err *err);

/* An error with a JSON-RPC code; @id may be NULL. */
void connection_error(struct connection *connection, const struct gb_buf *id, int code,
                      const struct gb_err *err, void (*add)(struct gb_json_out *out, void *arg),
                      void *arg);
