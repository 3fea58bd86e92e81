/* SPDX-License-Identifier: Apache-2.0 */
/* The tools offered to models: one table from which the JSON schemas are generated (schema.h),
 * arguments validated, and the parameters of the socket's methods built (arguments.h).
 *
 * A tool is a method of the socket with a name and arguments that models get right: seconds instead
 * of milliseconds, a language instead of an image. Arguments are validated as strictly as on the
 * socket: unknown or duplicate ones, wrong types and values out of range are errors, with messages
 * that help the model to correct them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "language/language.h"
#include "mcp/revision.h"
#include "rpc/json.h"

enum { TRIES_MAX = 8 }; /* copies of a session that `try` uses at once */

/* How the method's result becomes the tool's. */
enum tool_answer {
    ANSWER_CELL,
    ANSWER_OPENED,
    ANSWER_FILE,
    ANSWER_WRITTEN,
    ANSWER_ENTRIES,
    ANSWER_SESSIONS,
    ANSWER_DONE,
    ANSWER_REWOUND,
    ANSWER_TRIED, /* the forks that it returns run the codes first (try.h) */
    ANSWER_COUNT
};

enum argument_type {
    ARGUMENT_TEXT,     /* string of at most @max bytes */
    ARGUMENT_NAME,     /* the same, but not empty and without NUL */
    ARGUMENT_LANGUAGE, /* the same; the schema lists the languages */
    ARGUMENT_SECONDS,  /* number from @min to @max, milliseconds on the socket */
    ARGUMENT_INTEGER,
    ARGUMENT_CHOICE,     /* one of @choices */
    ARGUMENT_EXECUTABLE, /* true: permission bits 0755 */
    ARGUMENT_ENV,        /* object of strings, at most @max of them */
    ARGUMENT_PACKAGES,   /* array of at most @max names */
    ARGUMENT_CODES,      /* array of 1 to @max texts; their number on the socket */
    ARGUMENT_TYPE_COUNT
};

struct argument {
    const char *name;
    const char *wire; /* the method's parameter; NULL: not sent */
    enum argument_type type;
    bool required;
    double min, max;
    int64_t standard; /* INTEGER: the default; 0: the server's */
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
    const struct field *fields;       /* the same */
    bool read_only, destructive, idempotent;
    bool runs_code;       /* output can be streamed, and errors tell whether it ran */
    bool takes_standards; /* takes image, memory and others from the command line */
    uint64_t deadline_ms; /* 0: limited by the code's time-out */
};

/* Arguments that affect how the result is presented. */
struct tool_options {
    int64_t max_output; /* bytes of each stream to pass on */
    int64_t offset, length;
    int64_t timeout_ms;          /* of `try`; 0: the session's */
    const struct gb_json *codes; /* of `try`; borrows from the arguments */
    bool whole_image;            /* read_file of a file named like an image: all of it or nothing */
    char session[GB_NAME_MAX + 1], path[GB_PATH_MAX + 1];
};

/* Defaults from the command line for new sessions. */
struct tool_standards {
    const char *image; /* NULL: the server's */
    const char *owner;
    int64_t memory_mb; /* 0: the image's */
    int64_t idle_ms;   /* -1: the server's */
    bool has_network;
    /* `network` and `secrets` as members of an object; empty: neither. Models cannot choose them.
     */
    struct gb_bytes access;
};

extern const struct tool tools[];
size_t tools_count(void);
/* NULL if there is no such tool. */
const struct tool *tools_find(struct gb_bytes name);
