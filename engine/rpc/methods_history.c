/* SPDX-License-Identifier: Apache-2.0 */
/* Session history, from the journal. */
#include "model/answer.h"
#include "model/network.h"
#include "rows.h"

/* clang-format off */
static const struct gb_param history_params[] = {
    SESSION,
    INTEGER("after", after_cell, 0, UINT32_MAX, 0, "only cells with larger numbers"),
    INTEGER("before", before_cell, 0, UINT32_MAX, 0,
            "only cells with smaller numbers, newest first; 0: no limit, oldest first"),
    INTEGER("limit", limit, 1, 1000, 100, "at most this many cells"),
    NAME("find", find, 0, GB_FIND_MAX,
         "only cells with this text in their code, output, value or error; ASCII letters match "
         "in either case unless the text contains a capital letter, and colours are ignored"),
    BOOL("annotated", annotated, 0, "only cells with a bookmark or a note"),
    BOOL("output", output, 1, "false: in brief, as in events"),
    INTEGER("length", length, 1, GB_HISTORY_PIECE_MAX, 0,
            "only this many bytes of each cell's output, `stdout` followed by `stderr`; "
            "default: all of it, or none if `output` is false"),
    INTEGER("offset", offset, -OFFSET_MAX, OFFSET_MAX, 0,
            "with `length`: the offset of that part; negative: counted from the end"),
};

static const struct gb_param network_log_params[] = {
    SESSION,
    INTEGER("after", after_record, 0, INT64_MAX >> 10, 0, "only records with larger numbers"),
    INTEGER("limit", limit, 1, 1000, 100, "at most this many"),
};

static const struct gb_param annotate_params[] = {
    SESSION,
    {.name = "cell", .type = GB_PARAM_INTEGER, .offset = offsetof(struct gb_params, cell),
     .required = REQUIRED, .min = 1, .max = UINT32_MAX, .doc = "its number"},
    {.name = "bookmark", .type = GB_PARAM_SWITCH, .offset = offsetof(struct gb_params, bookmark),
     .doc = "whether it has a bookmark; default: as before"},
    TEXT("note", note, 0, GB_ANNOTATION_MAX,
         "a line of text without control characters; empty: removes it; default: as before"),
};

static const struct gb_method rows[] = {
    {.name = "session.annotate",
     .doc = "Gives a cell of a session, open or ended, a bookmark or a note, or removes them: for "
            "people, whoever holds the session. Answered when the journal has it; whoever "
            "watches gets `cell.annotated`.",
     PARAMS(annotate_params), .errors = SESSION_ERRORS | ERROR(UNSUPPORTED) | ERROR(CAPACITY)},
    {.name = "session.history",
     .doc = "The cells of a session, open or ended, for as long as the journal has them.",
     PARAMS(history_params), .result = &gb_history_object,
     .errors = SESSION_ERRORS | ERROR(UNSUPPORTED)},
    {.name = "session.network_log",
     .doc = "How the network of a session, open or ended, was used, for as long as the journal "
            "has it: each connection when it has ended, what was refused, and who set which "
            "rules.",
     PARAMS(network_log_params), .result = &gb_network_log_object,
     .errors = SESSION_ERRORS | ERROR(UNSUPPORTED)},
};
/* clang-format on */

const struct gb_method_group gb_methods_history = {rows, ARRAY_SIZE(rows)};
