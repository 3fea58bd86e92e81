/* SPDX-License-Identifier: Apache-2.0 */
/* Session history, from the journal. */
#include "model/answer.h"
#include "model/network.h"
#include "rows.h"

/* clang-format off */
static const struct gb_param history_params[] = {
    SESSION,
    INTEGER("after", after_cell, 0, UINT32_MAX, 0, "cells with larger numbers"),
    INTEGER("before", before_cell, 0, UINT32_MAX, 0,
            "cells with smaller numbers, the newest first; 0: no limit, and the oldest first"),
    INTEGER("limit", limit, 1, 1000, 100, "at most so many cells"),
    NAME("find", find, 0, GB_FIND_MAX,
         "only cells that have this text in their code, their output, their value or the reason "
         "why there is none; letters of ASCII match in either case, unless it has a capital one, "
         "and colours do not matter"),
    BOOL("output", output, 1, "false: briefly, as in events"),
    INTEGER("length", length, 1, GB_HISTORY_PIECE_MAX, 0,
            "of each cell's output, `stdout` first and `stderr` behind it, only so many bytes; "
            "default: all of it, or with `output` false nothing"),
    INTEGER("offset", offset, -OFFSET_MAX, OFFSET_MAX, 0,
            "with `length`: where these begin; negative: so far before the end"),
};

static const struct gb_param network_log_params[] = {
    SESSION,
    INTEGER("after", after_record, 0, INT64_MAX >> 10, 0, "records with larger numbers"),
    INTEGER("limit", limit, 1, 1000, 100, "at most so many"),
};

static const struct gb_method rows[] = {
    {.name = "session.history",
     .doc = "The cells of a session, open or not, as long as the journal has them.",
     PARAMS(history_params), .result = &gb_history_object,
     .errors = SESSION_ERRORS | ERROR(UNSUPPORTED)},
    {.name = "session.network_log",
     .doc = "What the session's network was used for, open or not, as long as the journal has it: "
            "each connection when it has ended, what was refused, and who set which rules.",
     PARAMS(network_log_params), .result = &gb_network_log_object,
     .errors = SESSION_ERRORS | ERROR(UNSUPPORTED)},
};
/* clang-format on */

const struct gb_method_group gb_methods_history = {rows, ARRAY_SIZE(rows)};
