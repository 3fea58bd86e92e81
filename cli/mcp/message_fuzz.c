/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the client: the message, and its arguments by the table of each tool, whose parameters
 * must be JSON again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mcp/arguments.h"
#include "mcp/message.h"
#include "mcp/tools.h"

static void read_arguments(const struct tool *tool, const struct gb_json *arguments)
{
    const struct tool_standards standards = {
        .image = "shell", .owner = "fuzz", .memory_mb = 128, .idle_ms = 1000};
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    struct gb_json_doc doc = {0};
    struct tool_options options;
    struct gb_err err = {0};

    gb_json_object(&out, NULL);
    if (arguments_read(tool, arguments, &standards, &out, &options, &err) == 0) {
        gb_json_end(&out);
        assert(gb_json_parse(&doc, params.memory + params.start, params.size, SIZE_MAX, &err) == 0);
        assert(doc.nodes[0].type == GB_JSON_OBJECT);
    } else {
        assert(err.message[0] != '\0');
    }
    gb_json_release(&doc);
    gb_buf_release(&params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *line = malloc(size + 1);
    struct gb_json_doc doc = {0};
    struct message message;
    struct gb_err err = {0};

    if (line == NULL)
        return 0;
    memcpy(line, data, size);
    if (gb_json_parse(&doc, line, size, GB_REQUEST_NODES_MAX, &err) == 0) {
        if (message_read(&doc.nodes[0], &message, &err) == 0 && message.params != NULL)
            for (size_t i = 0; i < tools_count(); i++)
                read_arguments(&tools[i], gb_json_member(message.params, "arguments"));
        message_release(&message);
    }
    gb_json_release(&doc);
    free(line);
    return 0;
}
