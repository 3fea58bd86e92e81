/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/tools.h"

#include "base/limits.h"
#include "base/mem.h"
#include "model/words.h"

enum {
    OUTPUT_STANDARD = 32u << 10,
    OUTPUT_MAX = 1u << 20,
    READ_STANDARD = 64u << 10,
    READ_MAX = 1u << 20,
    ENTRIES_STANDARD = 1000,
    OPEN_DEADLINE_MS = 1000000, /* packages may have to be fetched */
    FILE_DEADLINE_MS = 120000,
    DEADLINE_MS = 30000,
    PAST_DEADLINE_MS = 180000
};

#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define SESSION                                                                                    \
    {                                                                                              \
        .name = "session", .wire = "session", .type = ARGUMENT_NAME, .required = true, .min = 1,   \
        .max = GB_NAME_MAX, .doc = "the handle returned by open_session",                          \
    }
#define PATH(needed, what)                                                                         \
    {                                                                                              \
        .name = "path", .wire = "path", .type = ARGUMENT_NAME, .required = needed, .min = 1,       \
        .max = GB_PATH_MAX, .doc = what,                                                           \
    }
#define CODE                                                                                       \
    {                                                                                              \
        .name = "code", .wire = "code", .type = ARGUMENT_TEXT, .required = true,                   \
        .max = GB_CODE_MAX, .doc = "the source text",                                              \
    }
#define LANGUAGE                                                                                   \
    {                                                                                              \
        .name = "language", .wire = "image", .type = ARGUMENT_LANGUAGE, .min = 1,                  \
        .max = GB_NAME_MAX,                                                                        \
        .doc = "a language, or the name of an image of this server. Default: " GB_IMAGE_DEFAULT    \
               ", unless this program was started with another image",                             \
    }
#define TIMEOUT(what)                                                                              \
    {                                                                                              \
        .name = "timeout_s", .wire = "timeout_ms", .type = ARGUMENT_SECONDS, .min = 0.001,         \
        .max = 86400, .doc = what,                                                                 \
    }
#define STDIN                                                                                      \
    {                                                                                              \
        .name = "stdin", .wire = "stdin", .type = ARGUMENT_TEXT, .max = GB_STDIN_MAX,              \
        .doc = "standard input of the program",                                                    \
    }
#define ENV(what)                                                                                  \
    {                                                                                              \
        .name = "env", .wire = "env", .type = ARGUMENT_ENV, .max = GB_ENV_COUNT_MAX, .doc = what,  \
    }
#define MEMORY                                                                                     \
    {                                                                                              \
        .name = "memory_mb", .wire = "memory_mb", .type = ARGUMENT_INTEGER, .min = 64,             \
        .max = 1048576, .doc = "memory of the VM in MiB; default: the image's",                    \
    }
#define PACKAGES                                                                                   \
    {                                                                                              \
        .name = "packages", .wire = "packages", .type = ARGUMENT_PACKAGES, .max = GB_PACKAGES_MAX, \
        .doc = "packages of the language that the code imports, each as NAME or NAME==VERSION; "   \
               "they are fetched once, which may take minutes, and the code needs no network",     \
    }
#define MAX_OUTPUT                                                                                 \
    {                                                                                              \
        .name = "max_output", .type = ARGUMENT_INTEGER, .min = 256, .max = OUTPUT_MAX,             \
        .standard = OUTPUT_STANDARD,                                                               \
        .doc = "maximum number of bytes of each of stdout and stderr to return; of a longer "      \
               "stream, the beginning and the end (default 32768)",                                \
    }

static const struct argument run_arguments[] = {
    CODE,
    LANGUAGE,
    TIMEOUT("time limit in seconds (default 30)"),
    STDIN,
    ENV("environment variables"),
    PACKAGES,
    MEMORY,
    MAX_OUTPUT,
    END,
};
static const struct argument open_arguments[] = {
    LANGUAGE,
    {
        .name = "key",
        .wire = "key",
        .type = ARGUMENT_NAME,
        .min = 1,
        .max = GB_NAME_MAX,
        .doc = "attaches to the session that was opened with this key, or opens one; `created` "
               "and `reason` say which, and whether earlier state was lost",
    },
    {
        .name = "label",
        .wire = "label",
        .type = ARGUMENT_NAME,
        .min = 1,
        .max = GB_NAME_MAX,
        .doc = "a name for people",
    },
    TIMEOUT("default time limit of each piece of code in seconds (default 30)"),
    {
        .name = "idle_s",
        .wire = "idle_ms",
        .type = ARGUMENT_SECONDS,
        .max = 31622400,
        .doc = "the session is closed after being idle for this long; 0: never (default 1800, "
               "unless the server was started with another value)",
    },
    {
        .name = "lifetime_s",
        .wire = "lifetime_ms",
        .type = ARGUMENT_SECONDS,
        .max = 31622400,
        .doc = "the session is closed this long after it was opened; 0: no limit (default)",
    },
    ENV("environment variables of the session"),
    PACKAGES,
    MEMORY,
    END,
};
static const struct argument exec_arguments[] = {
    SESSION,
    CODE,
    {
        .name = "mode",
        .wire = "mode",
        .type = ARGUMENT_CHOICE,
        .choices = gb_mode_names,
        .doc = "kernel (default): in the session's interpreter, which keeps names and imports; "
               "process: in a fresh process of the same language; shell: bash commands in the "
               "same VM",
    },
    TIMEOUT("time limit in seconds (default: the session's)"),
    STDIN,
    ENV("environment variables for this piece of code only"),
    MAX_OUTPUT,
    END,
};
static const struct argument read_arguments[] = {
    SESSION,
    PATH(true, "relative to the home /home/user"),
    {
        .name = "offset",
        .wire = "offset",
        .type = ARGUMENT_INTEGER,
        .max = 1125899906842624,
        .doc = "offset in bytes (default 0)",
    },
    {
        .name = "length",
        .wire = "length",
        .type = ARGUMENT_INTEGER,
        .min = 1,
        .max = READ_MAX,
        .standard = READ_STANDARD,
        .doc = "maximum number of bytes (default 65536)",
    },
    END,
};
static const struct argument write_arguments[] = {
    SESSION,
    PATH(true, "relative to the home /home/user; missing parent folders are created"),
    {
        .name = "text",
        .wire = "text",
        .type = ARGUMENT_TEXT,
        .max = GB_LINE_MAX,
        .doc = "the content of the file; this or base64",
    },
    {
        .name = "base64",
        .wire = "base64",
        .type = ARGUMENT_TEXT,
        .max = GB_LINE_MAX,
        .doc = "the same, for content that is not UTF-8 text",
    },
    {
        .name = "executable",
        .wire = "mode",
        .type = ARGUMENT_EXECUTABLE,
        .doc = "whether it can be run as a program (default false)",
    },
    END,
};
static const struct argument list_arguments[] = {
    SESSION,
    PATH(false, "a folder, relative to the home /home/user; default: the home"),
    {
        .name = "after",
        .wire = "after",
        .type = ARGUMENT_TEXT,
        .max = GB_FILE_NAME_MAX,
        .doc = "only names that sort after this one; this or next",
    },
    {
        .name = "next",
        .wire = "next",
        .type = ARGUMENT_NAME,
        .min = 1,
        .max = GB_PATH_MAX,
        .doc = "continues a list that had `more`: its `next`",
    },
    {
        .name = "limit",
        .wire = "limit",
        .type = ARGUMENT_INTEGER,
        .min = 1,
        .max = 10000,
        .standard = ENTRIES_STANDARD,
        .doc = "maximum number of entries (default 1000)",
    },
    END,
};
static const struct argument undo_arguments[] = {
    SESSION,
    {
        .name = "steps",
        .wire = "cells",
        .type = ARGUMENT_INTEGER,
        .min = -1000,
        .max = 1000,
        .standard = 1,
        .doc = "how many calls of exec to undo (default 1); negative: how many of those that "
               "were undone last to redo",
    },
    END,
};
static const struct argument try_arguments[] = {
    SESSION,
    {
        .name = "codes",
        .wire = "count",
        .type = ARGUMENT_CODES,
        .required = true,
        .min = 1,
        .max = TRIES_MAX,
        .doc = "the source text of each alternative",
    },
    {
        .name = "timeout_s",
        .type = ARGUMENT_SECONDS,
        .min = 0.001,
        .max = 86400,
        .doc = "time limit of each in seconds (default: the session's)",
    },
    MAX_OUTPUT,
    END,
};
static const struct argument session_arguments[] = {SESSION, END};
static const struct argument no_arguments[] = {END};

#define ERROR_FIELD                                                                                \
    {                                                                                              \
        "error", "object",                                                                         \
            "only if the call failed: `kind`, `message`, `dispatched` (the code may have run), "   \
            "`retryable`"                                                                          \
    }
#define CELL_FIELDS                                                                                \
    {"exit_code", "integer|null", "0-255; null: it did not exit"},                                 \
        {"signal", "string|null", "the signal that ended it, such as SIGKILL"},                    \
        {"stdout", "string", "what it printed"},                                                   \
        {"stderr", "string", "what it printed to stderr"},                                         \
        {"truncated", "object", "`stdout`, `stderr`: numbers of bytes that were left out"},        \
        {"value", "string", "repr of the last expression; absent: none"},                          \
        {"displays", "array", "figures and the like: {`mime`, `bytes`}; images come as content"},  \
        {"files", "array", "files that it changed: {`path`, `change`, `size`}"},                   \
        {"background", "array", "output of background processes of earlier code"},                 \
        {"timed_out", "boolean", "it exceeded its time limit"},                                    \
        {"interrupted", "boolean", "it was interrupted"},                                          \
        {"oom", "boolean", "the VM ran out of memory"},                                            \
        {"state_lost", "boolean", "a new interpreter was started: names and imports are lost"},    \
        {"note", "string", "what went wrong, or what else is to be known: earlier calls undone"},  \
        {"network_refused", "array", "connections and names that its network does not allow"},     \
        {"notice", "string", "a message from a person who used the session"},                      \
        {"wall_ms", "number", "wall-clock time"}, {"cpu_ms", "number", "CPU time"},                \
    {                                                                                              \
        "peak_memory_bytes", "integer", "peak memory use"                                          \
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
    {"created", "boolean", "false: a session with this key existed"},
    {"incarnation", "integer", "1, incremented whenever the state of this key is lost"},
    {"reason", "string", "attached, or why it was created: new, expired, crashed, closed"},
    {"source", "string", "where its VM came from"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field read_fields[] = {
    {"path", "string", "as requested"},
    {"offset", "integer", "offset of this piece"},
    {"size", "integer", "size of the whole file"},
    {"eof", "boolean", "whether the file ends here"},
    {"next_offset", "integer", "offset of the next piece; absent at the end"},
    {"text", "string", "the content, if it is UTF-8"},
    {"base64", "string", "the content, if it is neither UTF-8 nor an image"},
    {"mime", "string", "the type of an image, which is returned as content"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field write_fields[] = {
    {"path", "string", "as given"},
    {"size", "integer", "size of the file"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field list_fields[] = {
    {"path", "string", "the folder"},
    {"entries", "array", "{`name`, `type`, `size`, `mtime`, `mode`}, sorted by name"},
    {"more", "boolean", "there are more entries: ask again with `next`"},
    {"next", "string", "only with `more`: the value of `next` for the next call"},
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
    {"cell", "integer", "the session is in the state after this cell; 0: before the first"},
    {"from_cell", "integer", "the last cell before that"},
    {"epoch", "integer", "1, incremented each time that the session is taken back"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field tried_fields[] = {
    {"session", "string", "the handle"},
    {"results", "array",
     "one for each of `codes`, in order, with the fields of exec, or with `error` if it could "
     "not be run"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};
static const struct field done_fields[] = {
    {"session", "string", "the handle"},
    ERROR_FIELD,
    {NULL, NULL, NULL},
};

const struct tool tools[] = {
    {
        .name = "run_code",
        .title = "Run code in a fresh VM",
        .doc = "Runs code in a fresh microVM that is destroyed afterwards, and returns its "
               "output, the value of its last expression, figures and the exit code. Nothing "
               "is kept between calls. For several steps that build on each other, or to "
               "transfer files, use open_session and exec.",
        .method = "run",
        .answer = ANSWER_CELL,
        .arguments = run_arguments,
        .fields = run_fields,
        .runs_code = true,
        .takes_standards = true,
    },
    {
        .name = "open_session",
        .title = "Open a session",
        .doc = "Opens a session: a microVM with an interpreter that keeps names, imports and "
               "files between calls of exec. Returns its handle, which the other tools need. "
               "The session outlives this conversation, until it is closed or has been idle "
               "for `idle_s` (30 minutes).",
        .method = "session.open",
        .answer = ANSWER_OPENED,
        .arguments = open_arguments,
        .fields = open_fields,
        .takes_standards = true,
        .deadline_ms = OPEN_DEADLINE_MS,
    },
    {
        .name = "exec",
        .title = "Run code in a session",
        .doc = "Runs code in a session and returns its output, the value of its last "
               "expression, figures and the exit code. Names, imports and files of earlier "
               "code are available. Calls on one session run one after the other; while a "
               "person has taken it over, a call waits for up to 45 seconds. After a time-out "
               "the state is kept if possible; see `state_lost`.",
        .method = "session.exec",
        .answer = ANSWER_CELL,
        .arguments = exec_arguments,
        .fields = exec_fields,
        .runs_code = true,
    },
    {
        .name = "read_file",
        .title = "Read a file",
        .doc = "Reads a file of a session, or a piece of it. Images are returned as images.",
        .method = "file.read",
        .answer = ANSWER_FILE,
        .arguments = read_arguments,
        .fields = read_fields,
        .read_only = true,
        .idempotent = true,
        .deadline_ms = FILE_DEADLINE_MS,
    },
    {
        .name = "write_file",
        .title = "Write a file",
        .doc = "Writes a file into a session. It replaces an existing file of that name, and "
               "appears complete or not at all.",
        .method = "file.write",
        .answer = ANSWER_WRITTEN,
        .arguments = write_arguments,
        .fields = write_fields,
        .destructive = true,
        .idempotent = true,
        .deadline_ms = FILE_DEADLINE_MS,
    },
    {
        .name = "list_files",
        .title = "List a folder",
        .doc = "Lists the entries of a folder of a session.",
        .method = "file.list",
        .answer = ANSWER_ENTRIES,
        .arguments = list_arguments,
        .fields = list_fields,
        .read_only = true,
        .idempotent = true,
        .deadline_ms = FILE_DEADLINE_MS,
    },
    {
        .name = "list_sessions",
        .title = "List sessions",
        .doc = "Lists the open sessions that were opened through these tools.",
        .method = "session.list",
        .answer = ANSWER_SESSIONS,
        .arguments = no_arguments,
        .fields = sessions_fields,
        .read_only = true,
        .idempotent = true,
        .deadline_ms = DEADLINE_MS,
    },
    {
        .name = "close_session",
        .title = "Close a session",
        .doc = "Closes a session: its VM, its names and its files are destroyed. Close "
               "sessions that you no longer need.",
        .method = "session.close",
        .answer = ANSWER_DONE,
        .arguments = session_arguments,
        .fields = done_fields,
        .destructive = true,
        .idempotent = true,
        .deadline_ms = DEADLINE_MS,
    },
    {
        .name = "interrupt",
        .title = "Interrupt running code",
        .doc = "Interrupts the code that a session is running, like Ctrl-C. Names and files "
               "are kept, and the call of exec that started it returns.",
        .method = "session.interrupt",
        .answer = ANSWER_DONE,
        .arguments = session_arguments,
        .fields = done_fields,
        .deadline_ms = DEADLINE_MS,
    },
    {
        .name = "undo",
        .title = "Undo code in a session",
        .doc = "Takes a session back to its state just before the last call of exec: names, "
               "imports, running programs and all files, including those written since. "
               "Nothing is run again. Effects outside the session are not undone. A state may "
               "not have been saved, because a file was being transferred, because it was too "
               "large, or because it is too old: then nothing changes, and the error (`gone`) "
               "names the nearest saved one.",
        .method = "session.rewind",
        .answer = ANSWER_REWOUND,
        .arguments = undo_arguments,
        .fields = rewound_fields,
        .destructive = true,
        .deadline_ms = PAST_DEADLINE_MS,
    },
    {
        .name = "try",
        .title = "Try alternatives in copies of a session",
        .doc = "Runs several pieces of code at the same time, each in a copy of the present "
               "session with its names, imports and files, and returns all results. The copies "
               "are discarded, and the session is not changed: run the best one with exec.",
        .method = "session.fork",
        .answer = ANSWER_TRIED,
        .arguments = try_arguments,
        .fields = tried_fields,
        .read_only = true,
        .deadline_ms = PAST_DEADLINE_MS,
    },
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
