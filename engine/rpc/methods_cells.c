/* SPDX-License-Identifier: Apache-2.0 */
/* Code: running, input, interrupts, queries. */
#include "model/answer.h"
#include "model/cell.h"
#include "model/words.h"
#include "rows.h"

/* clang-format off */
#define CODE TEXT("code", code, REQUIRED, GB_CODE_MAX, "the source text")
#define PROGRAM                                                                                    \
    TEXT("code", code, 0, GB_CODE_MAX, "the source text; this or `code_base64`, or else `file`"),  \
    BYTES_OF("code_base64", code, GB_CODE_MAX, "the same as bytes, in any encoding that the " \
                                               "language accepts"),                                                          \
    TEXT("file", file, 0, GB_PATH_MAX,                                                             \
         "runs the code as this file of the home, like the language's own command (*Programs*, " \
         "above): with `code` the file is written first, without it the file must exist"),                   \
    BYTES_OF("file_base64", file, GB_PATH_MAX, "the same for a name that is not UTF-8"),   \
    NODE("args", GB_PARAM_NAMES, args, GB_ARGS_MAX, "arguments of the program, after its name"),  \
    NODE("args_base64", GB_PARAM_NAMES, args_base64, GB_ARGS_MAX,                                  \
         "the same as bytes, each in base64; this or `args`"),                                     \
    NAME("name", name, 0, GB_PATH_MAX, "the name of the program: `sys.argv[0]`, `$0`; default " \
                                       "`file`, else `-c` if there are `args`")
#define EXEC_OPTIONS                                                                               \
    {.name = "mode", .type = GB_PARAM_CHOICE, .offset = offsetof(struct gb_params, mode),          \
     .choices = gb_mode_names, .doc = "`kernel`: in the session's interpreter; `process`: in a "    \
     "fresh process of the same language; `shell`: in bash of the same VM"},                       \
    TEXT("stdin", standard_input, 0, GB_STDIN_MAX,                                                 \
         "all of standard input, followed by its end unless `interactive`; default: empty"),     \
    BYTES_OF("stdin_base64", standard_input, GB_STDIN_MAX, "the same as bytes; this or `stdin`"),  \
    BOOL("interactive", interactive, 0, "more standard input may follow with `session.stdin`"),        \
    BOOL("stream", stream, 0, "`cell.output` and `cell.waiting` notifications before the reply"),  \
    INTEGER("max_stdout", max_stdout, 1, GB_OUTPUT_MAX, 0, "bytes kept of stdout; default: the "   \
            "settings' (1 MiB)"),                                                                  \
    INTEGER("max_stderr", max_stderr, 1, GB_OUTPUT_MAX, 0, "bytes kept of stderr; default: the "   \
            "settings' (256 KiB)"),                                                                \
    BOOL("detach", detach, 0, "the cell continues to run when this connection closes")


static const struct gb_param run_params[] = {
    PROGRAM, OPEN_OPTIONS, EXEC_OPTIONS,
    NODE("env", GB_PARAM_STRINGS, env, GB_ENV_COUNT_MAX, "environment variables"),
    INTEGER("timeout_ms", timeout_ms, 1, GB_TIMEOUT_MAX_MS, 0,
            "time limit of the code, without the start of the VM; default: the settings' (30 s)"),
};
static const struct gb_param exec_params[] = {
    SESSION, PROGRAM, EXEC_OPTIONS,
    BOOL("final", final, 0, "the last cell: the interpreter exits after it like a program, "
                            "running its exit hooks, and no other cell is accepted; the files "
                            "stay until the session is closed"),
    NODE("env", GB_PARAM_STRINGS, env, GB_ENV_COUNT_MAX, "environment variables for this cell only"),
    BOOL("rollback", rollback, 1, "if the interpreter has to be killed because of this cell, "
                                  "the session is rolled back to a checkpoint, according to "
                                  "`rollback` in the settings; false: it gets a new interpreter"),
    INTEGER("timeout_ms", timeout_ms, 0, GB_TIMEOUT_MAX_MS, 0,
            "time limit of the code; 0: the session's default"),
    INTEGER("lease_wait_ms", lease_wait_ms, 0, GB_TIMEOUT_MAX_MS, 0,
            "how long to wait while another client holds the session; 0: fail with `held` "
            "immediately"),
};
static const struct gb_param stdin_params[] = {
    SESSION,
    TEXT("text", text, 0, GB_STDIN_MAX, "what the program reads; this or `base64`"),
    BASE64("what the program reads; this or `text`"),
    BOOL("eof", eof, 0, "standard input ends after this"),
    INTEGER("cell", cell, 0, UINT32_MAX, 0,
            "only if this cell is running, else `not_found`; 0: any cell"),
};
static const struct gb_param interrupt_params[] = {SESSION};
static const struct gb_param complete_params[] = {
    SESSION, CODE,
    INTEGER("cursor", cursor, 0, GB_CODE_MAX, -1,
            "cursor position, in code points; default: the end of the code"),
};
static const struct gb_param is_complete_params[] = {SESSION, CODE};
static const struct gb_param describe_params[] = {SESSION, CODE};
static const struct gb_result exec_results[] = {
    {"background", "array", "output of background processes of earlier cells since the last "
                            "reply: {`cell`, `stream`, `text` or `base64`, `dropped`}; absent: "
                            "none"},
    {"notice", "string", "a message left by the client that held the session; absent: none"},
    {"network_refused", "array", "connections and names that were refused since the last "
                                 "reply, as strings, at most eight; absent: none"},
};
static const struct gb_result run_results[] = {
    {"network_refused", "array", "connections and names that were refused, as strings, at most "
                                 "eight; absent: none"},
};

static const struct gb_method rows[] = {
    {.name = "run",
     .doc = "Runs code in a fresh VM that is destroyed afterwards. Answered as soon as the "
            "cell has ended; the VM may end later.",
     PARAMS(run_params), .result = &gb_cell_object, .beside = &gb_start_object,
     RESULTS(run_results),
     .runs_code = true,
     .errors = ERROR(CLOSED) | VM_ERRORS | ERROR(POLICY) | ERROR(UNKNOWN)},
    {.name = "session.exec",
     .doc = "Runs a cell. Cells of one session run in the order in which they arrive. Answered "
            "once, when the cell has ended.",
     PARAMS(exec_params), .result = &gb_cell_object, RESULTS(exec_results),
     .runs_code = true,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(POLICY) | ERROR(HELD) | ERROR(UNKNOWN)},
    {.name = "session.stdin",
     .doc = "Sends standard input to the running `interactive` cell. Answered when the guest "
            "has received it.",
     PARAMS(stdin_params),
     .errors = SESSION_ERRORS | VM_ERRORS},
    {.name = "session.interrupt",
     .doc = "Sends SIGINT to the running cell. The interpreter's state is kept. `not_found` if "
            "no cell is running.",
     PARAMS(interrupt_params),
     .errors = SESSION_ERRORS | VM_ERRORS},
    {.name = "session.complete",
     .doc = "Completions at the cursor. Computed in the guest, even while a cell is running.",
     PARAMS(complete_params), .result = &gb_matches_object,
     .errors = SESSION_ERRORS | VM_ERRORS},
    {.name = "session.is_complete",
     .doc = "Whether the code is complete, or needs another line.",
     PARAMS(is_complete_params), .result = &gb_whole_object,
     .errors = SESSION_ERRORS | VM_ERRORS},
    {.name = "session.describe",
     .doc = "What the name is with which the code ends. Computed in the guest like completions, "
            "from what is there: nothing is called, and properties are not read.",
     PARAMS(describe_params), .result = &gb_description_object,
     .errors = SESSION_ERRORS | VM_ERRORS},
};
/* clang-format on */

const struct gb_method_group gb_methods_cells = {rows, ARRAY_SIZE(rows)};
