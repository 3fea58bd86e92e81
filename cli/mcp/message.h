/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 2.0 messages as used by MCP: parses those from a client, and frames those to it. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "mcp/revision.h"
#include "rpc/json.h"

enum {
    MESSAGE_PARSE_ERROR = -32700,
    MESSAGE_INVALID_REQUEST = -32600,
    MESSAGE_METHOD_NOT_FOUND = -32601,
    MESSAGE_INVALID_PARAMS = -32602,
    MESSAGE_UNSUPPORTED_REVISION = -32022
};

enum message_kind { MESSAGE_REQUEST, MESSAGE_NOTIFICATION, MESSAGE_RESPONSE };

/* Borrows from the parsed value, except for the id. */
struct message {
    enum message_kind kind;
    struct gb_buf id; /* as JSON in canonical form; empty: none */
    char method[128];
    const struct gb_json *params; /* an object, or NULL */
    const struct gb_json *meta;   /* params._meta: an object, or NULL */
};

/* Parses a message. Failure: GB_EINVALID with a message; the id is set if it could be read. Release
 * the message in any case. */
int message_read(const struct gb_json *value, struct message *ret_message, struct gb_err *err);
void message_release(struct message *message);

/* An id or a progress token as JSON: a string of at most 256 bytes or an integer. False:
 * neither. */
bool message_write_id(struct gb_buf *to, const struct gb_json *value);

/* A string member of an object, or no bytes. */
struct gb_bytes message_text(const struct gb_json *object, const char *name);

/* Begin {"jsonrpc":"2.0","id":…,"result":{ and end it with a newline. Since 2026-07-28 a result
 * says that it is complete, and which server it is from. */
void message_begin_result(struct gb_json_out *out, struct gb_buf *line, struct gb_bytes id,
                          enum revision revision);
void message_end_result(struct gb_json_out *out);

/* {"jsonrpc":"2.0","method":…,"params":{ */
void message_begin_notification(struct gb_json_out *out, struct gb_buf *line, const char *method);
void message_end_notification(struct gb_json_out *out);

/* Adds a complete error; @id may be empty. With @requested it contains the data for an unsupported
 * revision. */
void message_add_error(struct gb_buf *line, struct gb_bytes id, int code, const char *message,
                       const struct gb_bytes *requested);

/* "name" and "version" of this server. */
void message_put_implementation(struct gb_json_out *out, const char *key, enum revision revision);
