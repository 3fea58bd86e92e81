/* SPDX-License-Identifier: Apache-2.0 */
/* How two moments differ, of one session or of two. Bytes borrow from whoever built the struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

enum {
    GB_DIFF_CHANGES_MAX = 2000, /* of variables, and of files */
    GB_DIFF_CELLS_MAX = 400,
    GB_DIFF_REMARKS_MAX = 16,
};

/* A variable at one of them. */
struct gb_diff_value {
    struct gb_bytes type, repr;
    uint32_t flags; /* none */
};

/* What a cell had printed. */
struct gb_diff_output {
    struct gb_bytes out, err, value; /* the beginnings; value NULL pointer: none */
    uint32_t flags;                  /* enum gb_diff_output_flags */
};

enum gb_diff_output_flags { GB_DIFF_OUTPUT_OK = 1 << 0 };

/* Of the three structs below. */
enum gb_diff_change_flags {
    GB_DIFF_HAS_BEFORE = 1 << 0,
    GB_DIFF_HAS_AFTER = 1 << 1,
    GB_DIFF_PATH_BASE64 = 1 << 2,
};

struct gb_diff_variable {
    struct gb_bytes name;
    uint8_t change; /* enum gb_change */
    struct gb_diff_value before, after;
    uint32_t flags;
};

struct gb_diff_file {
    struct gb_bytes path;
    uint8_t change; /* enum gb_change */
    uint32_t flags;
};

struct gb_diff_cell {
    uint32_t cell;
    uint8_t change; /* enum gb_change */
    struct gb_diff_output before, after;
    uint32_t flags;
};

/* One of the two. */
struct gb_diff_moment {
    struct gb_bytes session, language;
    uint64_t seq;
    uint32_t cell;
    uint32_t flags; /* none */
};

enum gb_diff_flags {
    GB_DIFF_COMPLETE = 1 << 0,
    GB_DIFF_HAS_VARIABLES = 1 << 1,
    GB_DIFF_HAS_FILES = 1 << 2,
    GB_DIFF_HAS_CELLS = 1 << 3,
};

/* `session.diff` */
struct gb_diff_info {
    struct gb_diff_moment before, after;
    struct gb_items variables; /* struct gb_diff_variable */
    struct gb_items files;     /* struct gb_diff_file */
    struct gb_items cells;     /* struct gb_diff_cell */
    struct gb_names remarks;
    uint64_t took_us;
    uint32_t flags; /* enum gb_diff_flags */
};

extern const struct gb_object gb_diff_value_object, gb_diff_output_object, gb_diff_variable_object,
    gb_diff_file_object, gb_diff_cell_object, gb_diff_moment_object, gb_diff_object;
