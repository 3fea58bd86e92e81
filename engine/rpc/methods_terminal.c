/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at terminals. */
#include "model/answer.h"
#include "model/terminal.h"
#include "rows.h"

/* clang-format off */
#define TERMINAL                                                                                   \
    INTEGER("terminal", terminal, 1, UINT32_MAX, 0,                                                \
            "its number, from the reply to `session.terminal`; required")
#define SIZE                                                                                       \
    INTEGER("rows", rows, 1, GB_TERMINAL_ROWS_MAX, 24, "size of the client's screen"),                  \
    INTEGER("columns", columns, 1, GB_TERMINAL_COLUMNS_MAX, 80, "size of the client's screen")

static const struct gb_param open_params[] = {
    SESSION,
    NODE("args", GB_PARAM_NAMES, args, GB_ARGS_MAX,
         "the program, searched in `PATH`, and its arguments; default: the user's shell"),
    NODE("env", GB_PARAM_STRINGS, env, GB_ENV_COUNT_MAX,
         "environment variables for this program only; `TERM` defaults to `xterm-256color`"),
    SIZE,
};
static const struct gb_param attach_params[] = {
    SESSION, TERMINAL, SIZE,
    BOOL("watch", watch, 0, "only watch; otherwise this client types from now on, and the "
                            "terminal takes its size"),
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
    INTEGER("length", length, 1, GB_CAST_READ_MAX, GB_CAST_READ_MAX, "at most this many bytes"),
};
static const struct gb_method rows[] = {
    {.name = "session.terminal",
     .doc = "Starts a program at its own terminal, next to any running cell, and attaches to "
            "it. The program continues to run after its clients have disconnected.",
     PARAMS(open_params), .result = &gb_terminal_number_object,
     .runs_code = true,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(POLICY) | ERROR(HELD) | ERROR(UNKNOWN)},
    {.name = "terminal.attach",
     .doc = "Shows a terminal to this connection, beginning with its present contents: "
            "`terminal.output` until `terminal.ended`, `terminal.detach` or the end of the "
            "connection.",
     PARAMS(attach_params),
     .errors = SESSION_ERRORS | ERROR(HELD)},
    {.name = "terminal.input",
     .doc = "Sends input to a terminal. Answered when there is room for more.",
     PARAMS(input_params),
     .errors = SESSION_ERRORS | ERROR(HELD)},
    {.name = "terminal.resize",
     .doc = "Reports the new size of the client's screen. The terminal takes it if this client "
            "types at it.",
     PARAMS(resize_params),
     .errors = SESSION_ERRORS},
    {.name = "terminal.detach",
     .doc = "Stops showing a terminal to this connection.",
     PARAMS(one_params),
     .errors = SESSION_ERRORS},
    {.name = "terminal.close",
     .doc = "Hangs up: the program gets SIGHUP, and SIGKILL 2 s later. Removes a terminal "
            "whose program has ended.",
     PARAMS(one_params),
     .errors = SESSION_ERRORS | ERROR(HELD)},
    {.name = "terminal.list",
     .doc = "The programs at terminals of a session: the running ones, and the last 16 that "
            "have ended. An ended session has none.",
     PARAMS(list_params), .result = &gb_terminals_object,
     .errors = SESSION_ERRORS},
    {.name = "terminal.recording",
     .doc = "Reads a piece of a terminal's recording, in asciicast v2 format; the session may "
            "have ended. It may return fewer bytes than `length`; only `eof` marks the end.",
     PARAMS(recording_params), .result = &gb_piece_object,
     .holds = offsetof(struct gb_params, length),
     .errors = SESSION_ERRORS},
};
/* clang-format on */

const struct gb_method_group gb_methods_terminal = {rows, ARRAY_SIZE(rows)};
