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
    BYTES_OF("code_base64", code, GB_CODE_MAX, "the same as bytes, in whatever encoding "  \
              "the language knows them"),                                                          \
    TEXT("file", file, 0, GB_PATH_MAX,                                                             \
         "runs the code as this file of the home, as the language's own command does (*Programs*, " \
         "above): with `code` the file is made, without it it has to be there"),                   \
    BYTES_OF("file_base64", file, GB_PATH_MAX, "the same for a name that is not UTF-8"),   \
    NODE("args", GB_PARAM_NAMES, args, GB_ARGS_MAX, "arguments of the program, behind its name"),  \
    NODE("args_base64", GB_PARAM_NAMES, args_base64, GB_ARGS_MAX,                                  \
         "the same as bytes, each in base64; this or `args`"),                                     \
    NAME("name", name, 0, GB_PATH_MAX, "what the program is called: `sys.argv[0]`, `$0`; default "  \
         "`file`, else `-c` when there are `args`")
#define EXEC_OPTIONS                                                                               \
    {.name = "mode", .type = GB_PARAM_CHOICE, .offset = offsetof(struct gb_params, mode),          \
     .choices = gb_mode_names, .doc = "`kernel`: in the session's interpreter; `process`: in a "    \
     "fresh process of the same language; `shell`: in bash of the same VM"},                       \
    TEXT("stdin", standard_input, 0, GB_STDIN_MAX,                                                 \
         "standard input given at once; its end follows unless `interactive`; default empty"),     \
    BOOL("interactive", interactive, 0, "more standard input may come by `session.stdin`"),        \
    BOOL("stream", stream, 0, "`cell.output` and `cell.waiting` notifications before the reply"),  \
    INTEGER("max_stdout", max_stdout, 1, GB_OUTPUT_MAX, 0, "bytes kept of stdout; default: the "   \
            "settings' (1 MiB)"),                                                                  \
    INTEGER("max_stderr", max_stderr, 1, GB_OUTPUT_MAX, 0, "bytes kept of stderr; default: the "   \
            "settings' (256 KiB)"),                                                                \
    BOOL("detach", detach, 0, "the cell goes on when this connection closes")


static const struct gb_param run_params[] = {
    PROGRAM, OPEN_OPTIONS, EXEC_OPTIONS,
    NODE("env", GB_PARAM_STRINGS, env, GB_ENV_COUNT_MAX, "environment variables"),
    INTEGER("timeout_ms", timeout_ms, 1, GB_TIMEOUT_MAX_MS, 0,
            "of the code; the start of the VM does not count; default: the settings' (30 s)"),
};
static const struct gb_param exec_params[] = {
    SESSION, PROGRAM, EXEC_OPTIONS,
    BOOL("final", final, 0, "the last cell: the interpreter ends with it as a program does, its exit "
         "hooks and all, and no other follows; the files stay until the session is closed"),
    NODE("env", GB_PARAM_STRINGS, env, GB_ENV_COUNT_MAX, "environment variables of this cell only"),
    BOOL("rollback", rollback, 1, "if the interpreter has to be killed with this cell, the session goes back "
         "to a checkpoint, as `rollback` in the settings says; false: it gets a new interpreter"),
    INTEGER("timeout_ms", timeout_ms, 0, GB_TIMEOUT_MAX_MS, 0,
            "time for the code; 0: the session's default"),
    INTEGER("lease_wait_ms", lease_wait_ms, 0, GB_TIMEOUT_MAX_MS, 0,
            "how long to wait while another client holds the session; 0: `held` at once"),
};
static const struct gb_param stdin_params[] = {
    SESSION,
    TEXT("text", text, 0, GB_STDIN_MAX, "what the program reads; this or `base64`"),
    BASE64("what the program reads; this or `text`"),
    BOOL("eof", eof, 0, "the end of standard input follows"),
    INTEGER("cell", cell, 0, UINT32_MAX, 0,
            "only when this cell runs, else `not_found`; 0: whichever runs"),
};
static const struct gb_param interrupt_params[] = {SESSION};
static const struct gb_param complete_params[] = {
    SESSION, CODE,
    INTEGER("cursor", cursor, 0, GB_CODE_MAX, -1,
            "where to complete, in code points; default: the end of the code"),
};
static const struct gb_param is_complete_params[] = {SESSION, CODE};
static const struct gb_result exec_results[] = {
    {"background", "array", "what background processes of earlier cells printed since the last "
     "reply: {`cell`, `stream`, `text` or `base64`, `dropped`}; absent when nothing"},
    {"notice", "string", "what who held the session left to be told; absent: nothing"},
    {"network_refused", "array", "strings: connections and names that were refused since the last "
     "reply, at most eight; absent: none"},
};

static const struct gb_method rows[] = {
    {.name = "run",
     .doc = "Runs code in a fresh VM that is destroyed after. The reply comes as soon as the cell is "
            "done; the VM goes meanwhile.",
     PARAMS(run_params), .result = &gb_cell_object, .beside = &gb_start_object,
     .runs_code = true,
     .errors = ERROR(CLOSED) | VM_ERRORS | ERROR(POLICY) | ERROR(UNKNOWN)},
    {.name = "session.exec",
     .doc = "Runs a cell. Cells of one session run in the order of their arrival. Answered once, when it has ended.",
     PARAMS(exec_params), .result = &gb_cell_object, RESULTS(exec_results),
     .runs_code = true,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(POLICY) | ERROR(HELD) | ERROR(UNKNOWN)},
    {.name = "session.stdin",
     .doc = "Feeds the running `interactive` cell. Answered when the guest has taken it.",
     PARAMS(stdin_params),
     .errors = SESSION_ERRORS | VM_ERRORS},
    {.name = "session.interrupt",
     .doc = "Sends SIGINT to the running cell; kept state is kept. `not_found` when none runs.",
     PARAMS(interrupt_params),
     .errors = SESSION_ERRORS | VM_ERRORS},
    {.name = "session.complete",
     .doc = "What could stand at the cursor; computed in the guest, also while a cell runs.",
     PARAMS(complete_params), .result = &gb_matches_object,
     .errors = SESSION_ERRORS | VM_ERRORS},
    {.name = "session.is_complete",
     .doc = "Whether the code can be run as it is, or a next line belongs to it.",
     PARAMS(is_complete_params), .result = &gb_whole_object,
     .errors = SESSION_ERRORS | VM_ERRORS},
};
/* clang-format on */

const struct gb_method_group gb_methods_cells = {rows, ARRAY_SIZE(rows)};
