/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/message.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

bool message_write_id(struct gb_buf *to, const struct gb_json *value)
{
    struct gb_json_out out = {.buf = to};
    int64_t integer;

    if (value->type == GB_JSON_STRING && value->text.size <= GB_REQUEST_ID_MAX) {
        gb_json_put(&out, NULL, value->text);
        return true;
    }
    if (!gb_json_integer(value, &integer))
        return false;
    gb_json_put_i64(&out, NULL, integer);
    return true;
}

struct gb_bytes message_text(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = object == NULL ? NULL : gb_json_member(object, name);

    if (value == NULL || value->type != GB_JSON_STRING)
        return gb_bytes_str("");
    return value->text;
}

static int message_read_params(const struct gb_json *value, struct message *message,
                               struct gb_err *err)
{
    const struct gb_json *params = gb_json_member(value, "params");
    const struct gb_json *meta;

    if (params == NULL)
        return 0;
    if (params->type != GB_JSON_OBJECT)
        return gb_err_set(err, GB_EINVALID, "params must be an object");
    meta = gb_json_member(params, "_meta");
    if (meta != NULL && meta->type != GB_JSON_OBJECT)
        return gb_err_set(err, GB_EINVALID, "params._meta must be an object");
    message->params = params;
    message->meta = meta;
    return 0;
}

int message_read(const struct gb_json *value, struct message *ret_message, struct gb_err *err)
{
    const struct gb_json *id = gb_json_member(value, "id");
    const struct gb_json *method = gb_json_member(value, "method");

    *ret_message = (struct message){0};
    if (value->type != GB_JSON_OBJECT)
        return gb_err_set(err, GB_EINVALID, "a message must be an object");
    if (id != NULL && !message_write_id(&ret_message->id, id))
        return gb_err_set(err, GB_EINVALID,
                          "an id must be an integer or a string of at most %u bytes",
                          GB_REQUEST_ID_MAX);
    if (!gb_bytes_equal(message_text(value, "jsonrpc"), "2.0"))
        return gb_err_set(err, GB_EINVALID, "a message must say \"jsonrpc\": \"2.0\"");
    if (method == NULL &&
        (gb_json_member(value, "result") != NULL || gb_json_member(value, "error") != NULL)) {
        ret_message->kind = MESSAGE_RESPONSE;
        return 0;
    }
    if (method == NULL || method->type != GB_JSON_STRING || method->text.size == 0 ||
        method->text.size >= sizeof(ret_message->method) ||
        memchr(method->text.data, '\0', method->text.size) != NULL)
        return gb_err_set(err, GB_EINVALID, "method must be a string of at most %zu bytes",
                          sizeof(ret_message->method) - 1);
    memcpy(ret_message->method, method->text.data, method->text.size);
    ret_message->kind = id != NULL ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION;
    return message_read_params(value, ret_message, err);
}

void message_release(struct message *message)
{
    gb_buf_release(&message->id);
}

void message_put_implementation(struct gb_json_out *out, const char *key, enum revision revision)
{
    gb_json_object(out, key);
    gb_json_put_str(out, "name", "glassbell");
    if (revision >= REVISION_2025_06_18)
        gb_json_put_str(out, "title", "Glassbell: code in microVMs");
    gb_json_put_str(out, "version", GB_VERSION);
    gb_json_end(out);
}

void message_begin_result(struct gb_json_out *out, struct gb_buf *line, struct gb_bytes id,
                          enum revision revision)
{
    *out = (struct gb_json_out){.buf = line};
    gb_json_object(out, NULL);
    gb_json_put_str(out, "jsonrpc", "2.0");
    gb_json_put_raw(out, "id", id);
    gb_json_object(out, "result");
    if (revision < REVISION_2026_07_28)
        return;
    gb_json_put_str(out, "resultType", "complete");
    gb_json_object(out, "_meta");
    message_put_implementation(out, "io.modelcontextprotocol/serverInfo", revision);
    gb_json_end(out);
}

void message_end_result(struct gb_json_out *out)
{
    gb_json_end(out);
    gb_json_end(out);
    gb_buf_add_u8(out->buf, '\n');
}

void message_begin_notification(struct gb_json_out *out, struct gb_buf *line, const char *method)
{
    *out = (struct gb_json_out){.buf = line};
    gb_json_object(out, NULL);
    gb_json_put_str(out, "jsonrpc", "2.0");
    gb_json_put_str(out, "method", method);
    gb_json_object(out, "params");
}

void message_end_notification(struct gb_json_out *out)
{
    message_end_result(out);
}

void message_add_error(struct gb_buf *line, struct gb_bytes id, int code, const char *message,
                       const struct gb_bytes *requested)
{
    struct gb_json_out out = {.buf = line};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "jsonrpc", "2.0");
    if (id.size > 0)
        gb_json_put_raw(&out, "id", id);
    else
        gb_json_put_null(&out, "id"); /* as JSON-RPC requires */
    gb_json_object(&out, "error");
    gb_json_put_i64(&out, "code", code);
    gb_json_put_str(&out, "message", message);
    if (requested != NULL) {
        gb_json_object(&out, "data");
        gb_json_array(&out, "supported");
        for (size_t i = 0; i < REVISION_COUNT; i++)
            gb_json_put_str(&out, NULL, revision_names[i]);
        gb_json_end(&out);
        gb_json_put(&out, "requested", *requested);
        gb_json_end(&out);
    }
    gb_json_end(&out);
    gb_json_end(&out);
    gb_buf_add_u8(line, '\n');
}
