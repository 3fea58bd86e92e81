/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/arguments.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum { IMAGE_READ_MAX = 4u << 20, ARGUMENTS_MAX = 32, EXECUTABLE_MODE = 0755 };

static int tool_wrong_type(const struct argument *argument, const char *expected,
                           const struct gb_json *value, struct gb_err *err)
{
    return gb_err_set(err, GB_EINVALID, "%s must be %s, and is %s", argument->name, expected,
                      gb_json_type_name(value->type));
}

static int tool_read_string(const struct argument *argument, const struct gb_json *value,
                            struct gb_err *err)
{
    if (value->type != GB_JSON_STRING)
        return tool_wrong_type(argument, "a string", value, err);
    if ((double)value->text.size > argument->max)
        return gb_err_set(err, GB_ETOOLARGE, "%s has %zu bytes; the limit is %.0f", argument->name,
                          value->text.size, argument->max);
    if (argument->type == ARGUMENT_TEXT)
        return 0;
    if (value->text.size == 0)
        return gb_err_set(err, GB_EINVALID, "%s must not be empty", argument->name);
    if (memchr(value->text.data, '\0', value->text.size) != NULL)
        return gb_err_set(err, GB_EINVALID, "%s must not contain a NUL", argument->name);
    return 0;
}

static int tool_put_number(const struct argument *argument, const struct gb_json *value,
                           struct gb_json_out *params, int64_t *ret_integer, struct gb_err *err)
{
    double number;
    int64_t integer = 0;

    if (value->type != GB_JSON_NUMBER)
        return tool_wrong_type(argument, "a number", value, err);
    number = gb_json_number(value);
    if (argument->type == ARGUMENT_INTEGER && !gb_json_integer(value, &integer))
        return gb_err_set(err, GB_EINVALID, "%s must be an integer", argument->name);
    if (!(number >= argument->min && number <= argument->max))
        return gb_err_set(err, GB_EINVALID, "%s must be between %.15g and %.15g", argument->name,
                          argument->min, argument->max);
    if (argument->type == ARGUMENT_SECONDS)
        integer = (int64_t)ceil(number * 1000);
    if (argument->wire != NULL)
        gb_json_put_i64(params, argument->wire, integer);
    *ret_integer = integer;
    return 0;
}

static int tool_put_choice(const struct argument *argument, const struct gb_json *value,
                           struct gb_json_out *params, struct gb_err *err)
{
    struct gb_buf all = {0};
    int r;

    if (value->type != GB_JSON_STRING)
        return tool_wrong_type(argument, "a string", value, err);
    for (size_t i = 0; argument->choices[i] != NULL; i++) {
        if (gb_bytes_equal(value->text, argument->choices[i])) {
            gb_json_put(params, argument->wire, value->text);
            gb_buf_release(&all);
            return 0;
        }
        gb_buf_addf(&all, "%s%s", i == 0 ? "" : ", ", argument->choices[i]);
    }
    r = gb_err_set(err, GB_EINVALID, "%s must be one of: %s", argument->name, gb_buf_str(&all));
    gb_buf_release(&all);
    return r;
}

static int tool_put_env(const struct argument *argument, const struct gb_json *value,
                        struct gb_json_out *params, struct gb_err *err)
{
    const struct gb_json *child;

    if (value->type != GB_JSON_OBJECT)
        return tool_wrong_type(argument, "an object", value, err);
    if (value->count > argument->max)
        return gb_err_set(err, GB_ETOOLARGE, "%s has %" PRIu32 " values; the limit is %.0f",
                          argument->name, value->count, argument->max);
    child = gb_json_first(value);
    for (uint32_t i = 0; i < value->count; i++, child = gb_json_next(child))
        if (child->type != GB_JSON_STRING)
            return gb_err_set(err, GB_EINVALID, "the values of %s must be strings, and one is %s",
                              argument->name, gb_json_type_name(child->type));
    gb_json_object(params, argument->wire);
    child = gb_json_first(value);
    for (uint32_t i = 0; i < value->count; i++, child = gb_json_next(child))
        gb_json_put_named(params, child->key, child->text);
    gb_json_end(params);
    return 0;
}

static int tool_put_codes(const struct argument *argument, const struct gb_json *value,
                          struct gb_json_out *params, struct gb_err *err)
{
    const struct gb_json *child;

    if (value->type != GB_JSON_ARRAY)
        return tool_wrong_type(argument, "an array", value, err);
    if (value->count < argument->min || value->count > argument->max)
        return gb_err_set(err, GB_EINVALID, "%s must have %.0f to %.0f elements, and has %" PRIu32,
                          argument->name, argument->min, argument->max, value->count);
    child = gb_json_first(value);
    for (uint32_t i = 0; i < value->count; i++, child = gb_json_next(child)) {
        if (child->type != GB_JSON_STRING)
            return gb_err_set(err, GB_EINVALID, "%s must be strings, and one is %s", argument->name,
                              gb_json_type_name(child->type));
        if (child->text.size > GB_CODE_MAX)
            return gb_err_set(err, GB_ETOOLARGE, "one of %s has %zu bytes; the limit is %d",
                              argument->name, child->text.size, GB_CODE_MAX);
    }
    gb_json_put_u64(params, argument->wire, value->count);
    return 0;
}

/* What is no package is told by the server. */
static int tool_put_packages(const struct argument *argument, const struct gb_json *value,
                             struct gb_json_out *params, struct gb_err *err)
{
    const struct gb_json *child;

    if (value->type != GB_JSON_ARRAY)
        return tool_wrong_type(argument, "an array", value, err);
    if (value->count > argument->max)
        return gb_err_set(err, GB_ETOOLARGE, "%s has %" PRIu32 " elements; the limit is %.0f",
                          argument->name, value->count, argument->max);
    child = gb_json_first(value);
    for (uint32_t i = 0; i < value->count; i++, child = gb_json_next(child))
        if (child->type != GB_JSON_STRING)
            return gb_err_set(err, GB_EINVALID, "%s must be strings, and one is %s", argument->name,
                              gb_json_type_name(child->type));
    gb_json_array(params, argument->wire);
    child = gb_json_first(value);
    for (uint32_t i = 0; i < value->count; i++, child = gb_json_next(child))
        gb_json_put(params, NULL, child->text);
    gb_json_end(params);
    return 0;
}

static int tool_put_argument(const struct argument *argument, const struct gb_json *value,
                             struct gb_json_out *params, int64_t *ret_integer, struct gb_err *err)
{
    int r;

    switch (argument->type) {
    case ARGUMENT_TEXT:
    case ARGUMENT_NAME:
    case ARGUMENT_LANGUAGE:
        r = tool_read_string(argument, value, err);
        if (r == 0)
            gb_json_put(params, argument->wire, value->text);
        return r;
    case ARGUMENT_SECONDS:
    case ARGUMENT_INTEGER:
        return tool_put_number(argument, value, params, ret_integer, err);
    case ARGUMENT_CHOICE:
        return tool_put_choice(argument, value, params, err);
    case ARGUMENT_EXECUTABLE:
        if (value->type != GB_JSON_BOOL)
            return tool_wrong_type(argument, "true or false", value, err);
        if (value->truth)
            gb_json_put_u64(params, argument->wire, EXECUTABLE_MODE);
        return 0;
    case ARGUMENT_ENV:
        return tool_put_env(argument, value, params, err);
    case ARGUMENT_PACKAGES:
        return tool_put_packages(argument, value, params, err);
    case ARGUMENT_CODES:
        return tool_put_codes(argument, value, params, err);
    case ARGUMENT_TYPE_COUNT:
        break;
    }
    assert(false);
    return 0;
}

static size_t tool_find_argument(const struct tool *tool, struct gb_bytes name)
{
    size_t i = 0;

    while (tool->arguments[i].name != NULL && !gb_bytes_equal(name, tool->arguments[i].name))
        i++;
    return i;
}

static int tool_unknown_argument(const struct tool *tool, struct gb_bytes name, struct gb_err *err)
{
    struct gb_buf all = {0};
    int r;

    for (const struct argument *argument = tool->arguments; argument->name != NULL; argument++)
        gb_buf_addf(&all, "%s%s", all.size == 0 ? "" : ", ", argument->name);
    r = gb_err_set(err, GB_EINVALID, "%s has no argument \"%.*s\"; it takes %s", tool->name,
                   (int)MIN(name.size, (size_t)64), (const char *)name.data,
                   all.size == 0 ? "none" : gb_buf_str(&all));
    gb_buf_release(&all);
    return r;
}

static void tool_keep_name(const struct argument *argument, struct gb_bytes text,
                           struct tool_options *options)
{
    bool path = strcmp(argument->name, "path") == 0;

    assert(text.size <= (path ? GB_PATH_MAX : GB_NAME_MAX));
    if (path)
        memcpy(options->path, text.data, text.size);
    else if (strcmp(argument->name, "session") == 0)
        memcpy(options->session, text.data, text.size);
}

/* Handles an argument or, with @value NULL, its absence. */
static int tool_take_argument(const struct argument *argument, const struct gb_json *value,
                              struct gb_json_out *params, struct tool_options *options,
                              struct gb_err *err)
{
    int64_t integer = argument->standard;
    int r = 0;

    if (value != NULL)
        r = tool_put_argument(argument, value, params, &integer, err);
    else if (integer != 0 && argument->wire != NULL && strcmp(argument->name, "length") != 0)
        gb_json_put_i64(params, argument->wire, integer);
    if (strcmp(argument->name, "max_output") == 0)
        options->max_output = integer;
    else if (strcmp(argument->name, "offset") == 0)
        options->offset = integer;
    else if (strcmp(argument->name, "length") == 0)
        options->length = value != NULL ? integer : 0;
    else if (strcmp(argument->name, "timeout_s") == 0)
        options->timeout_ms = value != NULL ? integer : 0;
    else if (argument->type == ARGUMENT_CODES)
        options->codes = value;
    else if (r == 0 && value != NULL && argument->type == ARGUMENT_NAME)
        tool_keep_name(argument, value->text, options);
    return r;
}

static bool tool_named_like_an_image(const char *path)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".gif", ".webp"};

    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        size_t size = strlen(endings[i]), all = strlen(path);

        if (all > size && strcasecmp(path + all - size, endings[i]) == 0)
            return true;
    }
    return false;
}

static void tool_put_read_length(const struct tool *tool, struct gb_json_out *params,
                                 struct tool_options *options)
{
    const struct argument *length =
        &tool->arguments[tool_find_argument(tool, gb_bytes_str("length"))];

    if (options->length > 0)
        return;
    options->whole_image = options->offset == 0 && tool_named_like_an_image(options->path);
    options->length = options->whole_image ? IMAGE_READ_MAX : length->standard;
    gb_json_put_i64(params, "length", options->length);
}

static void tool_put_standards(const struct tool *tool, const struct tool_standards *standards,
                               const bool *given, struct gb_json_out *params)
{
    if (standards->image != NULL && !given[tool_find_argument(tool, gb_bytes_str("language"))])
        gb_json_put_str(params, "image", standards->image);
    if (standards->memory_mb > 0 && !given[tool_find_argument(tool, gb_bytes_str("memory_mb"))])
        gb_json_put_i64(params, "memory_mb", standards->memory_mb);
    if (standards->idle_ms >= 0 && tool->answer == ANSWER_OPENED &&
        !given[tool_find_argument(tool, gb_bytes_str("idle_s"))])
        gb_json_put_i64(params, "idle_ms", standards->idle_ms);
    if (standards->access.size > 0)
        gb_json_put_raw(params, NULL, standards->access);
    gb_json_put_str(params, "owner", standards->owner);
}

int arguments_read(const struct tool *tool, const struct gb_json *arguments,
                   const struct tool_standards *standards, struct gb_json_out *params,
                   struct tool_options *ret_options, struct gb_err *err)
{
    bool given[ARGUMENTS_MAX] = {false};
    const struct gb_json *child;
    int r = 0;

    *ret_options = (struct tool_options){0};
    if (arguments != NULL && arguments->type != GB_JSON_OBJECT)
        return gb_err_set(err, GB_EINVALID, "arguments must be an object, and is %s",
                          gb_json_type_name(arguments->type));
    child = arguments == NULL ? NULL : gb_json_first(arguments);
    for (uint32_t i = 0; arguments != NULL && i < arguments->count; i++) {
        size_t at = tool_find_argument(tool, child->key);

        if (tool->arguments[at].name == NULL)
            return tool_unknown_argument(tool, child->key, err);
        if (given[at])
            return gb_err_set(err, GB_EINVALID, "%s is given twice", tool->arguments[at].name);
        if (child->type != GB_JSON_NULL) { /* null: treated as absent */
            given[at] = true;
            r = tool_take_argument(&tool->arguments[at], child, params, ret_options, err);
        }
        if (r < 0)
            return r;
        child = gb_json_next(child);
    }
    for (size_t i = 0; tool->arguments[i].name != NULL; i++) {
        if (!given[i] && tool->arguments[i].required)
            return gb_err_set(err, GB_EINVALID, "%s needs the argument %s", tool->name,
                              tool->arguments[i].name);
        if (!given[i])
            (void)tool_take_argument(&tool->arguments[i], NULL, params, ret_options, NULL);
    }
    if (tool->answer == ANSWER_FILE)
        tool_put_read_length(tool, params, ret_options);
    if (tool->takes_standards)
        tool_put_standards(tool, standards, given, params);
    else if (tool->answer == ANSWER_SESSIONS)
        gb_json_put_str(params, "owner", standards->owner);
    if (tool->answer == ANSWER_OPENED) /* for `undo` */
        gb_json_put_str(params, "checkpoints", "cell");
    else if (tool->answer == ANSWER_TRIED)
        gb_json_put_bool(params, "bound", true);
    return 0;
}
