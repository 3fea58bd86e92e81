/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static void tool_write_number(struct gb_json_out *out, const char *key, double number)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%.15g", number);
    gb_json_put_raw(out, key, gb_bytes_str(text));
}

/* The languages of the server come after the sentence, which is all if they are not known. */
static void tool_write_doc(struct gb_json_out *out, const struct argument *argument,
                           const struct gb_languages *languages)
{
    _cleanup_(gb_buf_release) struct gb_buf doc = {0};

    gb_buf_adds(&doc, argument->doc);
    if (argument->type == ARGUMENT_LANGUAGE && languages != NULL && languages->count > 0) {
        gb_buf_adds(&doc, ". Its languages: ");
        gb_languages_add_names(languages, &doc);
    }
    gb_json_put(out, "description", gb_buf_bytes(&doc));
}

static void tool_write_argument(struct gb_json_out *out, const struct argument *argument,
                                const struct gb_languages *languages)
{
    gb_json_object(out, argument->name);
    switch (argument->type) {
    case ARGUMENT_SECONDS:
    case ARGUMENT_INTEGER:
        gb_json_put_str(out, "type", argument->type == ARGUMENT_INTEGER ? "integer" : "number");
        tool_write_number(out, "minimum", argument->min);
        tool_write_number(out, "maximum", argument->max);
        break;
    case ARGUMENT_EXECUTABLE:
        gb_json_put_str(out, "type", "boolean");
        break;
    case ARGUMENT_PACKAGES:
    case ARGUMENT_CODES:
        gb_json_put_str(out, "type", "array");
        gb_json_object(out, "items");
        gb_json_put_str(out, "type", "string");
        gb_json_end(out);
        gb_json_put_u64(out, "minItems", (uint64_t)argument->min);
        gb_json_put_u64(out, "maxItems", (uint64_t)argument->max);
        break;
    case ARGUMENT_ENV:
        gb_json_put_str(out, "type", "object");
        gb_json_object(out, "additionalProperties");
        gb_json_put_str(out, "type", "string");
        gb_json_end(out);
        break;
    default:
        gb_json_put_str(out, "type", "string");
        break;
    }
    if (argument->choices != NULL) {
        gb_json_array(out, "enum");
        for (size_t i = 0; argument->choices[i] != NULL; i++)
            gb_json_put_str(out, NULL, argument->choices[i]);
        gb_json_end(out);
    }
    tool_write_doc(out, argument, languages);
    gb_json_end(out);
}

static void tool_write_input_schema(struct gb_json_out *out, const struct tool *tool,
                                    const struct gb_languages *languages)
{
    const struct argument *argument;

    gb_json_object(out, "inputSchema");
    gb_json_put_str(out, "type", "object");
    gb_json_object(out, "properties");
    for (argument = tool->arguments; argument->name != NULL; argument++)
        tool_write_argument(out, argument, languages);
    gb_json_end(out);
    gb_json_array(out, "required");
    for (argument = tool->arguments; argument->name != NULL; argument++)
        if (argument->required)
            gb_json_put_str(out, NULL, argument->name);
    gb_json_end(out);
    gb_json_put_bool(out, "additionalProperties", false);
    gb_json_end(out);
}

/* "integer|null" becomes an array of two types. */
static void tool_write_type(struct gb_json_out *out, const char *type)
{
    const char *bar = strchr(type, '|');

    if (bar == NULL) {
        gb_json_put_str(out, "type", type);
        return;
    }
    gb_json_array(out, "type");
    gb_json_put(out, NULL, (struct gb_bytes){(const uint8_t *)type, (size_t)(bar - type)});
    gb_json_put_str(out, NULL, bar + 1);
    gb_json_end(out);
}

/* Nothing is required: a failure only has `error`, and the protocol requires it to conform too. */
static void tool_write_output_schema(struct gb_json_out *out, const struct tool *tool)
{
    gb_json_object(out, "outputSchema");
    gb_json_put_str(out, "type", "object");
    gb_json_object(out, "properties");
    for (const struct field *field = tool->fields; field->name != NULL; field++) {
        gb_json_object(out, field->name);
        tool_write_type(out, field->type);
        gb_json_put_str(out, "description", field->doc);
        gb_json_end(out);
    }
    gb_json_end(out);
    gb_json_end(out);
}

static bool tool_takes_packages(const struct tool *tool)
{
    for (const struct argument *argument = tool->arguments; argument->name != NULL; argument++)
        if (argument->type == ARGUMENT_PACKAGES)
            return true;
    return false;
}

static bool tool_runs(const struct tool *tool)
{
    return tool->runs_code || tool->answer == ANSWER_TRIED;
}

static void tool_write_tool(struct gb_json_out *out, const struct tool *tool,
                            const struct schema_world *world)
{
    const enum revision revision = world->revision;
    const bool reaches = world->has_network && tool_runs(tool);

    gb_json_object(out, NULL);
    gb_json_put_str(out, "name", tool->name);
    if (revision >= REVISION_2025_06_18)
        gb_json_put_str(out, "title", tool->title);
    gb_json_put_str(out, "description", tool->doc);
    tool_write_input_schema(out, tool, world->languages);
    if (revision >= REVISION_2025_06_18)
        tool_write_output_schema(out, tool);
    if (revision >= REVISION_2025_03_26) {
        gb_json_object(out, "annotations");
        gb_json_put_str(out, "title", tool->title);
        gb_json_put_bool(out, "readOnlyHint", tool->read_only && !reaches);
        gb_json_put_bool(out, "destructiveHint", tool->destructive);
        gb_json_put_bool(out, "idempotentHint", tool->idempotent);
        /* Packages come from somewhere, too. */
        gb_json_put_bool(out, "openWorldHint", tool_takes_packages(tool) || reaches);
        gb_json_end(out);
    }
    gb_json_end(out);
}

void schema_write_tools(struct gb_json_out *out, const struct schema_world *world, size_t start,
                        size_t page)
{
    size_t end = MIN(start + page, tools_count());
    char cursor[24];

    gb_json_array(out, "tools");
    for (size_t i = start; i < end; i++)
        tool_write_tool(out, &tools[i], world);
    gb_json_end(out);
    if (end < tools_count()) {
        (void)snprintf(cursor, sizeof(cursor), "%zu", end);
        gb_json_put_str(out, "nextCursor", cursor);
    }
}
