/* SPDX-License-Identifier: Apache-2.0 */
/* Cells for a person at a terminal: `glassbell log`. Pure, like document.h. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "show/filter.h"
#include "rpc/json.h"

/* Zeroed but for what is chosen. */
struct show {
    struct gb_buf *out;
    bool colour; /* SGR sequences of our own, and those of programs */
    bool head;   /* the line above a cell and the one below it */
    bool code, output;
    bool exact;           /* code and output byte for byte, for a file or a pipe */
    struct filter filter; /* of the stream that is being shown */
    bool in_stderr, in_line;
};

/* One after the other: the beginning with the code, any pieces of output, the end. @language may be
 * empty. The end tells `value`, changed files and what went wrong. */
void show_begin(struct show *show, const struct gb_json *cell, struct gb_bytes language);
void show_piece(struct show *show, bool is_stderr, struct gb_bytes bytes);
void show_end(struct show *show, const struct gb_json *cell);
/* All of a cell that has ended. */
void show_cell(struct show *show, const struct gb_json *cell, struct gb_bytes language);
/* A line of our own between cells. */
void show_note(struct show *show, const char *text);
