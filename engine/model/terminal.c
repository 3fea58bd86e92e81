/* SPDX-License-Identifier: Apache-2.0 */
#include "model/terminal.h"

#include "base/limits.h"

/* clang-format off */
#define TERMINAL(field_, ...) GB_MEMBER(struct gb_terminal_info, field_, __VA_ARGS__)
#define NUMBER                                                                                     \
    TERMINAL(number, "terminal", GB_U32, GB_ALWAYS, .doc = "its number in this session")
#define END                                                                                        \
    TERMINAL(exit_code, "exit_code", GB_I64, GB_NULLABLE, .max = 255,                              \
             .unless = GB_TERMINAL_RUNNING | GB_TERMINAL_LOST,                                     \
             .doc = "exit code of an ended program; null: ended by a signal"),                                   \
    TERMINAL(signal, "signal", GB_SIGNAL, GB_NULLABLE,                                             \
             .unless = GB_TERMINAL_RUNNING | GB_TERMINAL_LOST,                                     \
             .doc = "that ended it; null: none"),                                                  \
    TERMINAL(message, "message", GB_TEXT, GB_OPTIONAL,                                             \
             .doc = "why its outcome is unknown: the VM ended first")

static const struct gb_member terminal_members[] = {
    NUMBER,
    TERMINAL(args, "args", GB_NAMES, GB_ALWAYS,
             .doc = "the program and its arguments; empty: the user's shell"),
    TERMINAL(rows, "rows", GB_U32, GB_ALWAYS, .max = GB_TERMINAL_ROWS_MAX, .doc = "of its screen"),
    TERMINAL(columns, "columns", GB_U32, GB_ALWAYS, .max = GB_TERMINAL_COLUMNS_MAX,
             .doc = "of its screen"),
    TERMINAL(started_at_ns, "started_at", GB_SECONDS, GB_ALWAYS, .doc = "when it was started"),
    TERMINAL(clients, "clients", GB_U32, GB_ALWAYS, .doc = "clients attached to it"),
    TERMINAL(typed_by, "typed_by", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX,
             .doc = "the client that types at it; null: none, or unnamed"),
    TERMINAL(flags, "running", GB_BOOL, GB_ALWAYS, .bit = GB_TERMINAL_RUNNING,
             .doc = "it has not ended"),
    END,
};
static const struct gb_member number_members[] = {NUMBER};
static const struct gb_member end_members[] = {NUMBER, END};
#define SCREEN(field_, ...) GB_MEMBER(struct gb_screen_info, field_, __VA_ARGS__)
#define SCREEN_NUMBER                                                                              \
    SCREEN(number, "terminal", GB_U32, GB_ALWAYS, .doc = "its number in this session")

static const struct gb_member screen_members[] = {
    SCREEN_NUMBER,
    SCREEN(data, "text", GB_PAIR, GB_ALWAYS, .base64 = GB_SCREEN_BASE64,
           .doc = "what to send to a terminal of the requested size to show its contents"),
};
static const struct gb_member taken_members[] = {
    SCREEN_NUMBER,
    SCREEN(by, "by", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX,
           .doc = "the client that types at it now; null: unnamed"),
};
static const struct gb_member terminals_members[] = {
    GB_MEMBER(struct gb_terminals_info, terminals, "terminals", GB_LIST, GB_ALWAYS,
              .object = &gb_terminal_object, .doc = "ordered by number"),
};

const struct gb_object
    gb_terminal_object = {GB_OBJECT_TABLE("terminal", struct gb_terminal_info, terminal_members)},
    gb_terminal_number_object = {
        GB_OBJECT_TABLE("terminal_number", struct gb_terminal_info, number_members)},
    gb_terminal_end_object = {
        GB_OBJECT_TABLE("terminal_end", struct gb_terminal_info, end_members)},
    gb_screen_object = {GB_OBJECT_TABLE("terminal_output", struct gb_screen_info, screen_members)},
    gb_taken_object = {GB_OBJECT_TABLE("terminal_taken", struct gb_screen_info, taken_members)},
    gb_terminals_object = {
        GB_OBJECT_TABLE("terminals", struct gb_terminals_info, terminals_members)};
/* clang-format on */
