/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by undo, redo and rewind: taking a session to another moment of its past. */
#pragma once

#include "cli/app.h"
#include "rpc/json.h"

/* Options of all three: rows for their tables. */
#define OPTION_INTERRUPT                                                                           \
    {                                                                                              \
        .letter = 'i', .name = "interrupt", .kind = ARG_NONE,                                      \
        .help = "interrupt the running cell and drop waiting ones, instead of waiting for them"    \
    }
#define OPTION_JSON_RESULT                                                                         \
    {                                                                                              \
        .name = "json", .kind = ARG_NONE, .help = "the result as JSON"                             \
    }

/* Adds the moment to the parameters; false: it is invalid, which was reported. */
typedef bool back_put(const struct args *args, struct gb_json_out *out);

/* The first word names the session. Returns the exit status. */
int back_run(const struct args *args, back_put *put);
/* The second word as a number of steps; 1 if absent. @sign: of the parameter. */
bool back_put_steps(const struct args *args, struct gb_json_out *out, int sign);
