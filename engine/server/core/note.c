/* SPDX-License-Identifier: Apache-2.0 */
#include "server/core/note.h"

void note_send(struct connection *connection, const char *method, const struct hosted *hosted,
               const struct gb_object *object, const void *info)
{
    struct gb_buf line = {0};
    struct gb_json_out out = {.buf = &line};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "jsonrpc", "2.0");
    gb_json_put_str(&out, "method", method);
    gb_json_object(&out, "params");
    gb_json_put_str(&out, "session", gb_session_id(hosted->session));
    gb_object_write(&out, object, info);
    gb_json_end(&out);
    gb_json_end(&out);
    gb_buf_add_u8(&line, '\n');
    connection_send(connection, &line);
    gb_buf_release(&line);
}
