/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/tools.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "model/words.h"

enum {
    OUTPUT_STANDARD = 32u << 10,
    OUTPUT_MAX = 1u << 20,
    READ_STANDARD = 64u << 10,
    READ_MAX = 1u << 20,
    IMAGE_READ_MAX = 4u << 20,
    ENTRIES_STANDARD = 1000,
    OPEN_DEADLINE_MS = 300000,
    FILE_DEADLINE_MS = 120000,
    DEADLINE_MS = 30000,
    PAST_DEADLINE_MS = 180000,
    ARGUMENTS_MAX = 32,
    EXECUTABLE_MODE = 0755
};

/* ---- the tables ---- */

#define END                                                                                        \
    {                                                                                              \
        NULL, NULL, ARGUMENT_TYPE_COUNT, false, 0, 0, 0, NULL, NULL                                \
    }
#define SESSION                                                                                    \
    {                                                                                              \
        "session", "session", ARGUMENT_NAME, true, 1, GB_NAME_MAX, 0, NULL,                        \
            "the handle that open_session gave"                                                    \
    }
#define PATH(needed, what)                                                                         \
    {                                                                                              \
        "path", "path", ARGUMENT_NAME, needed, 1, GB_PATH_MAX, 0, NULL, what                       \
    }
#define CODE                                                                                       \
    {                                                                                              \
        "code", "code", ARGUMENT_TEXT, true, 0, GB_CODE_MAX, 0, NULL, "the source text"            \
    }
#define LANGUAGE                                                                                   \
    {                                                                                              \
        "language", "image", ARGUMENT_LANGUAGE, false, 1, GB_NAME_MAX, 0, NULL,                    \
            "a language or the name of an image of this server. Without it: " GB_IMAGE_DEFAULT     \
            ", unless this program was started with another image"                                 \
    }
#define TIMEOUT(what)                                                                              \
    {                                                                                              \
        "timeout_s", "timeout_ms", ARGUMENT_SECONDS, false, 0.001, 86400, 0, NULL, what            \
    }
#define STDIN                                                                                      \
    {                                                                                              \
        "stdin", "stdin", ARGUMENT_TEXT, false, 0, GB_STDIN_MAX, 0, NULL,                          \
            "what the program reads on standard input"                                             \
    }
#define ENV(what)                                                                                  \
    {                                                                                              \
        "env", "env", ARGUMENT_ENV, false, 0, GB_ENV_COUNT_MAX, 0, NULL, what                      \
    }
#define MEMORY                                                                                     \
    {                                                                                              \
        "memory_mb", "memory_mb", ARGUMENT_INTEGER, false, 64, 1048576, 0, NULL,                   \
            "memory of the VM in MiB; default: the image's"                                        \
    }
#define MAX_OUTPUT                                                                                 \
    {                                                                                              \
        "max_output", NULL, ARGUMENT_INTEGER, false, 256, OUTPUT_MAX, OUTPUT_STANDARD, NULL,       \
            "bytes of each of stdout and stderr that are handed back; of a longer stream the "     \
            "beginning and the end are (default 32768)"                                            \
    }

static const struct argument run_arguments[] = {
    CODE,
    LANGUAGE,
    TIMEOUT("time for the code in seconds (default 30)"),
    STDIN,
    ENV("environment variables"),
    MEMORY,
    MAX_OUTPUT,
    END,
};
static const struct argument open_arguments[] = {
    LANGUAGE,
    {"key", "key", ARGUMENT_NAME, false, 1, GB_NAME_MAX, 0, NULL,
     "attaches to the session that was opened with this key, or opens one; `created` and "
     "`reason` tell which, and whether earlier state was lost"},
    {"label", "label", ARGUMENT_NAME, false, 1, GB_NAME_MAX, 0, NULL, "a name for people"},
    TIMEOUT("default time for each piece of code in seconds (default 30)"),
    {"idle_s", "idle_ms", ARGUMENT_SECONDS, false, 0, 31622400, 0, NULL,
     "the session closes itself when it was not used for so long; 0: never (default 1800, unless "
     "the server was started with another)"},
    {"lifetime_s", "lifetime_ms", ARGUMENT_SECONDS, false, 0, 31622400, 0, NULL,
     "and so long after it was opened in any case; 0: no limit (default)"},
    ENV("environment variables of the session"),
    MEMORY,
    END,
};
static const struct argument exec_arguments[] = {
    SESSION,
    CODE,
    {"mode", "mode", ARGUMENT_CHOICE, false, 0, 0, 0, gb_mode_names,
     "kernel (default): in the session's interpreter, where names and imports stay; process: in a "
     "fresh process of the same language; shell: bash commands in the same VM"},
    TIMEOUT("time for the code in seconds (default: the session's)"),
    STDIN,
    ENV("environment variables for this piece of code only"),
    MAX_OUTPUT,
    END,
};
static const struct argument read_arguments[] = {
    SESSION,
    PATH(true, "relative to the home /home/user"),
    {"offset", "offset", ARGUMENT_INTEGER, false, 0, 1125899906842624, 0, NULL,
     "where to begin, in bytes (default 0)"},
    {"length", "length", ARGUMENT_INTEGER, false, 1, READ_MAX, READ_STANDARD, NULL,
     "how many bytes at most (default 65536)"},
    END,
};
static const struct argument write_arguments[] = {
    SESSION,
    PATH(true, "relative to the home /home/user; folders above it are made"),
    {"text", "text", ARGUMENT_TEXT, false, 0, GB_LINE_MAX, 0, NULL,
     "what the file is to hold; this or base64"},
    {"base64", "base64", ARGUMENT_TEXT, false, 0, GB_LINE_MAX, 0, NULL,
     "the same for bytes that are not UTF-8 text"},
    {"executable", "mode", ARGUMENT_EXECUTABLE, false, 0, 0, 0, NULL,
     "it may be run as a program (default false)"},
    END,
};
static const struct argument list_arguments[] = {
    SESSION,
    PATH(false, "a folder, relative to the home /home/user; default: the home"),
    {"after", "after", ARGUMENT_TEXT, false, 0, GB_FILE_NAME_MAX, 0, NULL,
     "only names that sort behind this one; this or next"},
    {"next", "next", ARGUMENT_NAME, false, 1, GB_PATH_MAX, 0, NULL,
     "to go on with a list that had `more`: its `next`"},
    {"limit", "limit", ARGUMENT_INTEGER, false, 1, 10000, ENTRIES_STANDARD, NULL,
     "at most so many entries (default 1000)"},
    END,
};
static const struct argument undo_arguments[] = {
    SESSION,
    {"steps", "cells", ARGUMENT_INTEGER, false, -1000, 1000, 1, NULL,
     "how many calls of exec are taken back (default 1); negative: forward again, by so many of "
     "those that were undone last"},
    END,
};
static const struct argument try_arguments[] = {
    SESSION,
    {"codes", "count", ARGUMENT_CODES, true, 1, TRIES_MAX, 0, NULL,
     "the alternatives: the source text of each"},
    {"timeout_s", NULL, ARGUMENT_SECONDS, false, 0.001, 86400, 0, NULL,
     "time for each in seconds (default: the session's)"},
    MAX_OUTPUT,
    END,
};
static const struct argument session_arguments[] = {SESSION, END};
static const struct argument no_arguments[] = {END};

#define ERROR_FIELD                                                                                \
    {                                                                                              \
        "error", "object",                                                                         \
            "only when the call failed: `kind`, `message`, `dispatched` (the code may have run), " \
            "`retryable`"                                                                          \
    }
#define CELL_FIELDS                                                                                \
    {"exit_code", "integer|null", "0-255; null: it did not exit"},                                 \
        {"signal", "string|null", "what ended it, as SIGKILL"},                                    \
        {"stdout", "string", "what it printed"},                                                   \
        {"stderr", "string", "what it printed to stderr"},                                         \
        {"truncated", "object", "`stdout`, `stderr`: bytes that are left out here"},               \
        {"value", "string", "repr of the last expression; absent: none"},                          \
        {"displays", "array", "figures and the like: {`mime`, `bytes`}; images come as content"},  \
        {"files", "array", "files that it changed: {`path`, `change`, `size`}"},                   \
        {"background", "array", "what background processes of earlier code printed since"},        \
        {"timed_out", "boolean", "its time was over"},                                             \
        {"interrupted", "boolean", "it was interrupted"},                                          \
        {"oom", "boolean", "the VM had no memory left"},                                           \
        {"state_lost", "boolean", "the interpreter is a new one: names and imports are gone"},     \
        {"note", "string", "a sentence about what went wrong"},                                    \
        {"notice", "string", "what a person who used the session leaves word of"},                 \
        {"wall_ms", "number", "time that it took"}, {"cpu_ms", "number", "CPU time"},              \
    {                                                                                              \
        "peak_memory_bytes", "integer", "memory that it took at most"                              \
    }

static const struct field run_fields[] = {CELL_FIELDS, ERROR_FIELD, {NULL, NULL, NULL}};
static const struct field exec_fields[] = {
    {"session", "string", "the handle"},
    {"cell", "integer", "1, 2, ... in its session"},
    CELL_FIELDS,
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field open_fields[] = {
    {"session", "string", "the handle for all other tools"},
    {"created", "boolean", "false: there was one with this key"},
    {"incarnation", "integer", "1, and one more whenever the state of this key was lost"},
    {"reason", "string", "attached, or why it was created: new, expired, crashed, closed"},
    {"source", "string", "where its VM came from"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field read_fields[] = {
    {"path", "string", "as it was asked for"},
    {"offset", "integer", "where this begins"},
    {"size", "integer", "of the whole file"},
    {"eof", "boolean", "the file ends here"},
    {"next_offset", "integer", "read on from here; absent at the end"},
    {"text", "string", "the contents, when they are UTF-8"},
    {"base64", "string", "the contents, when they are not and no image"},
    {"mime", "string", "of an image, which comes as content"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field write_fields[] = {
    {"path", "string", "as it was given"},
    {"size", "integer", "of the file"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field list_fields[] = {
    {"path", "string", "the folder"},
    {"entries", "array", "{`name`, `type`, `size`, `mtime`, `mode`}, sorted by name"},
    {"more", "boolean", "there are further entries: ask again with `next`"},
    {"next", "string", "only with `more`: what to give as `next` then"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field sessions_fields[] = {
    {"sessions", "array",
     "{`session`, `key`, `label`, `image`, `language`, `state`, `cells`, `created_at`, "
     "`last_active_at`, `expires_at`, `memory_mb`}"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field rewound_fields[] = {
    {"session", "string", "the handle"},
    {"cell", "integer", "the session is as it was after this one; 0: before the first"},
    {"from_cell", "integer", "the last one before that"},
    {"epoch", "integer", "1, and one more for each time that the session was taken back"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field tried_fields[] = {
    {"session", "string", "the handle"},
    {"results", "array",
     "one for each of `codes`, in their order, with the fields of exec; or `error` for one that "
     "could not be run"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field done_fields[] = {
    {"session", "string", "the handle"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};

const struct tool tools[] = {
    {"run_code", "Run code in a fresh VM",
     "Runs code in a fresh microVM that is destroyed afterwards, and returns what it printed, the "
     "value of its last expression, figures and the exit code. Nothing is kept between calls. For "
     "several steps that build on each other, or to bring files in and out, use open_session and "
     "exec.",
     "run", ANSWER_CELL, run_arguments, run_fields, false, false, false, true, true, 0},
    {"open_session", "Open a session",
     "Opens a session: a microVM with an interpreter whose names, imports and files stay between "
     "calls of exec. Returns its handle, which all other tools want. The session outlives this "
     "conversation until it is closed or was not used for `idle_s` (30 minutes).",
     "session.open", ANSWER_OPENED, open_arguments, open_fields, false, false, false, false, true,
     OPEN_DEADLINE_MS},
    {"exec", "Run code in a session",
     "Runs code in a session and returns what it printed, the value of its last expression, "
     "figures and the exit code. Names, imports and files of earlier code are there. Calls on one "
     "session run one after the other; while a person has taken it over a call waits, for up to 45 "
     "seconds. After a time-out the state is kept where that was "
     "possible; `state_lost` tells.",
     "session.exec", ANSWER_CELL, exec_arguments, exec_fields, false, false, false, true, false, 0},
    {"read_file", "Read a file",
     "Reads a file of a session, or a piece of it. Images come as images.", "file.read",
     ANSWER_FILE, read_arguments, read_fields, true, false, true, false, false, FILE_DEADLINE_MS},
    {"write_file", "Write a file",
     "Writes a file into a session. It replaces a file of that name, and appears whole or not at "
     "all.",
     "file.write", ANSWER_WRITTEN, write_arguments, write_fields, false, true, true, false, false,
     FILE_DEADLINE_MS},
    {"list_files", "List a folder", "Lists the entries of a folder of a session.", "file.list",
     ANSWER_ENTRIES, list_arguments, list_fields, true, false, true, false, false,
     FILE_DEADLINE_MS},
    {"list_sessions", "List sessions",
     "Lists the open sessions that were opened through these tools.", "session.list",
     ANSWER_SESSIONS, no_arguments, sessions_fields, true, false, true, false, false, DEADLINE_MS},
    {"close_session", "Close a session",
     "Closes a session: its VM, its names and its files are gone. Close what you no longer need.",
     "session.close", ANSWER_DONE, session_arguments, done_fields, false, true, true, false, false,
     DEADLINE_MS},
    {"interrupt", "Interrupt running code",
     "Interrupts what a session runs, as Ctrl-C does. Names and files are kept, and the call of "
     "exec that started it returns.",
     "session.interrupt", ANSWER_DONE, session_arguments, done_fields, false, false, false, false,
     false, DEADLINE_MS},
    {"undo", "Undo code in a session",
     "Takes a session back to how it was right before the last call of exec: names, imports, files "
     "and programs that run, also files that were written since. Nothing is run again. What has "
     "left the machine stays as it is. A moment may not have been kept, because a file was under "
     "way then, the state was too large, or it is too long ago: then nothing happens, and the "
     "error "
     "(`gone`) names the nearest one.",
     "session.rewind", ANSWER_REWOUND, undo_arguments, rewound_fields, false, true, false, false,
     false, PAST_DEADLINE_MS},
    {"try", "Try alternatives in copies of a session",
     "Runs several pieces of code at the same time, each in a copy of the session as it is now, "
     "with its names, imports and files, and returns all results. The copies are thrown away, and "
     "the session is not touched: run the best one with exec.",
     "session.fork", ANSWER_TRIED, try_arguments, tried_fields, true, false, false, false, false,
     PAST_DEADLINE_MS},
};

size_t tools_count(void)
{
    return ARRAY_SIZE(tools);
}

const struct tool *tools_find(struct gb_bytes name)
{
    for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
        if (gb_bytes_equal(name, tools[i].name))
            return &tools[i];
    return NULL;
}

/* ---- the schemas ---- */

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

static void tool_write_tool(struct gb_json_out *out, const struct tool *tool,
                            enum revision revision, const struct gb_languages *languages)
{
    gb_json_object(out, NULL);
    gb_json_put_str(out, "name", tool->name);
    if (revision >= REVISION_2025_06_18)
        gb_json_put_str(out, "title", tool->title);
    gb_json_put_str(out, "description", tool->doc);
    tool_write_input_schema(out, tool, languages);
    if (revision >= REVISION_2025_06_18)
        tool_write_output_schema(out, tool);
    if (revision >= REVISION_2025_03_26) {
        gb_json_object(out, "annotations");
        gb_json_put_str(out, "title", tool->title);
        gb_json_put_bool(out, "readOnlyHint", tool->read_only);
        gb_json_put_bool(out, "destructiveHint", tool->destructive);
        gb_json_put_bool(out, "idempotentHint", tool->idempotent);
        gb_json_put_bool(out, "openWorldHint", false); /* the VMs have no network */
        gb_json_end(out);
    }
    gb_json_end(out);
}

void tools_write_list(struct gb_json_out *out, enum revision revision,
                      const struct gb_languages *languages, size_t start, size_t page)
{
    size_t end = MIN(start + page, ARRAY_SIZE(tools));
    char cursor[24];

    gb_json_array(out, "tools");
    for (size_t i = start; i < end; i++)
        tool_write_tool(out, &tools[i], revision, languages);
    gb_json_end(out);
    if (end < ARRAY_SIZE(tools)) {
        (void)snprintf(cursor, sizeof(cursor), "%zu", end);
        gb_json_put_str(out, "nextCursor", cursor);
    }
}

/* ---- the arguments ---- */

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

static void tool_put_read_length(struct gb_json_out *params, struct tool_options *options)
{
    if (options->length > 0)
        return;
    options->whole_image = options->offset == 0 && tool_named_like_an_image(options->path);
    options->length = options->whole_image ? IMAGE_READ_MAX : READ_STANDARD;
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
    gb_json_put_str(params, "owner", standards->owner);
}

int tools_read_arguments(const struct tool *tool, const struct gb_json *arguments,
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
        tool_put_read_length(params, ret_options);
    if (tool->takes_standards)
        tool_put_standards(tool, standards, given, params);
    else if (tool->answer == ANSWER_SESSIONS)
        gb_json_put_str(params, "owner", standards->owner);
    if (tool->answer == ANSWER_OPENED) /* for `undo` */
        gb_json_put_str(params, "checkpoints", "idle");
    else if (tool->answer == ANSWER_TRIED)
        gb_json_put_bool(params, "bound", true);
    return 0;
}
