/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at terminals. */
#include "model/answer.h"
#include "model/terminal.h"
#include "rows.h"

/* clang-format off */
#define TERMINAL INTEGER("terminal", terminal, 1, UINT32_MAX, 0, "its number, as `session.terminal` said; required")
#define SIZE                                                                                       \
    INTEGER("rows", rows, 1, GB_TERMINAL_ROWS_MAX, 24, "of the client's screen"),                  \
    INTEGER("columns", columns, 1, GB_TERMINAL_COLUMNS_MAX, 80, "of the client's screen")

static const struct gb_param open_params[] = {
    SESSION,
    NODE("args", GB_PARAM_NAMES, args, GB_ARGS_MAX,
         "the program, looked for in `PATH`, and its arguments; default: the user's shell"),
    NODE("env", GB_PARAM_STRINGS, env, GB_ENV_COUNT_MAX,
         "environment variables of this program only; `TERM` is `xterm-256color` otherwise"),
    SIZE,
};
static const struct gb_param attach_params[] = {
    SESSION, TERMINAL, SIZE,
    BOOL("watch", watch, 0, "only look; else what is typed comes from this client from now on, and the terminal gets its size"),
};
static const struct gb_param input_params[] = {
    SESSION, TERMINAL,
    TEXT("text", text, 0, GB_TERMINAL_INPUT_MAX, "what is typed; this or `base64`"),
    BASE64("what is typed; this or `text`"),
};
static const struct gb_param resize_params[] = {SESSION, TERMINAL, SIZE};
static const struct gb_param one_params[] = {SESSION, TERMINAL};
static const struct gb_param list_params[] = {SESSION};
static const struct gb_param recording_params[] = {
    SESSION, TERMINAL,
    INTEGER("offset", offset, 0, UINT32_MAX, 0, "where to begin"),
    INTEGER("length", length, 1, GB_CAST_READ_MAX, GB_CAST_READ_MAX, "bytes at most"),
};
static const struct gb_method rows[] = {
    {.name = "session.terminal",
     .doc = "Starts a program at a terminal of its own, beside whatever cell runs, and attaches to it. "
            "The program goes on when its clients have gone.",
     PARAMS(open_params), .result = &gb_terminal_number_object,
     .runs_code = true,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(POLICY) | ERROR(HELD) | ERROR(UNKNOWN)},
    {.name = "terminal.attach",
     .doc = "Shows a terminal to this connection, from what it shows now: `terminal.output` until "
            "`terminal.ended`, `terminal.detach` or the end of the connection.",
     PARAMS(attach_params),
     .errors = SESSION_ERRORS | ERROR(HELD)},
    {.name = "terminal.input",
     .doc = "Types at a terminal. Answered when there is room for more.",
     PARAMS(input_params),
     .errors = SESSION_ERRORS | ERROR(HELD)},
    {.name = "terminal.resize",
     .doc = "The client's screen has another size, and so has the terminal when this client types at it.",
     PARAMS(resize_params),
     .errors = SESSION_ERRORS},
    {.name = "terminal.detach",
     .doc = "Nothing more of the terminal is told to this connection.",
     PARAMS(one_params),
     .errors = SESSION_ERRORS},
    {.name = "terminal.close",
     .doc = "Hangs up: the program gets SIGHUP, and SIGKILL 2 s later. Of one that has ended, forgets it.",
     PARAMS(one_params),
     .errors = SESSION_ERRORS | ERROR(HELD)},
    {.name = "terminal.list",
     .doc = "The programs at terminals of a session: those that run, and the last 16 that have ended. "
            "A session that has ended has none.",
     PARAMS(list_params), .result = &gb_terminals_object,
     .errors = SESSION_ERRORS},
    {.name = "terminal.recording",
     .doc = "Reads a piece of the recording of a terminal, in the format asciicast v2; the session may "
            "have ended. Fewer bytes than `length` are no error: go by `eof`.",
     PARAMS(recording_params), .result = &gb_piece_object,
     .holds = offsetof(struct gb_params, length),
     .errors = SESSION_ERRORS},
};
/* clang-format on */

const struct gb_method_group gb_methods_terminal = {rows, ARRAY_SIZE(rows)};
