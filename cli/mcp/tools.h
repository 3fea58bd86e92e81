/* SPDX-License-Identifier: Apache-2.0 */
/* The tools that models are offered: one table from which the JSON schemas are written, the
 * arguments are checked, and the parameters of the socket's method are made.
 *
 * A tool is a method of the socket under a name and with arguments that a model gets right: seconds
 * instead of milliseconds, a language instead of an image. Arguments are read as strictly as the
 * socket reads: an unknown one, one given twice, a wrong type or a value out of range is an error
 * whose sentence lets the model do better.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "mcp/revision.h"
#include "rpc/json.h"

/* What becomes of the method's result. */
enum tool_answer {
    ANSWER_CELL,
    ANSWER_OPENED,
    ANSWER_FILE,
    ANSWER_WRITTEN,
    ANSWER_ENTRIES,
    ANSWER_SESSIONS,
    ANSWER_DONE,
    ANSWER_COUNT
};

enum argument_type {
    ARGUMENT_TEXT,    /* string of at most @max bytes */
    ARGUMENT_NAME,    /* the same, not empty, no NUL */
    ARGUMENT_SECONDS, /* number from @min to @max, milliseconds on the socket */
    ARGUMENT_INTEGER,
    ARGUMENT_CHOICE,     /* one of @choices */
    ARGUMENT_EXECUTABLE, /* true: permission bits 0755 */
    ARGUMENT_ENV,        /* object of strings, at most @max of them */
    ARGUMENT_TYPE_COUNT
};

struct argument {
    const char *name;
    const char *wire; /* the method's parameter; NULL: stays here */
    enum argument_type type;
    bool required;
    double min, max;
    int64_t standard; /* INTEGER: when it is absent; 0: the server's own */
    const char *const *choices;
    const char *doc;
};

/* A field of structuredContent, for the output schema. */
struct field {
    const char *name, *type, *doc;
};

struct tool {
    const char *name, *title, *doc;
    const char *method;
    enum tool_answer answer;
    const struct argument *arguments; /* ends with a NULL name */
    const struct field *fields;       /* likewise */
    bool read_only, destructive, idempotent;
    bool runs_code;       /* output can be streamed, and failures tell whether it ran */
    bool takes_standards; /* image, memory and the like of the command line */
    uint64_t deadline_ms; /* 0: the time for the code is the limit */
};

/* What the answer has to know of the arguments. */
struct tool_options {
    int64_t max_output; /* bytes of each stream that are handed on */
    int64_t offset, length;
    bool whole_image; /* read_file of what is named like an image: all of it or nothing */
    char session[GB_NAME_MAX + 1], path[GB_PATH_MAX + 1];
};

/* What the command line sets for sessions that are opened. */
struct tool_standards {
    const char *image; /* NULL: the server's */
    const char *owner;
    int64_t memory_mb; /* 0: the image's */
    int64_t idle_ms;   /* -1: the server's */
};

extern const struct tool tools[];
size_t tools_count(void);
/* NULL when there is none of that name. */
const struct tool *tools_find(struct gb_bytes name);

/* The result of tools/list without what comes around it: "tools" from @start on, at most @page of
 * them, and "nextCursor" when there are more. */
void tools_write_list(struct gb_json_out *out, enum revision revision, size_t start, size_t page);

/* Reads @arguments (NULL: none) and writes the parameters of the method, without its braces. @err
 * is GB_EINVALID or GB_ETOOLARGE. */
int tools_read_arguments(const struct tool *tool, const struct gb_json *arguments,
                         const struct tool_standards *standards, struct gb_json_out *params,
                         struct tool_options *ret_options, struct gb_err *err);
