/* SPDX-License-Identifier: Apache-2.0 */
/* A cell for a person: its head, its code behind prompts, what it printed, its value, figures and
 * files, and how it ended.
 *
 * There is one renderer, and who uses it has a target for our own lines and one for each stream:
 * `log` has one for all of them, `watch` and the prompt one for each descriptor. A target says how
 * text may look there. Pure: text is added to the buffers of the targets, which the caller empties.
 * The front end paints its cards itself, by the line and as far as they are in sight; what it says
 * of a cell comes from the same facts, words and outcomes (facts.h, words.h, outcome.h).
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "language/language.h"
#include "model/cell.h"
#include "rpc/json.h"
#include "show/filter.h"

/* Zeroed but for what is chosen. */
struct show_target {
    struct gb_buf *out;
    bool terminal;
    bool colour; /* SGR sequences of our own, and those of programs */
    bool exact;  /* code and output byte for byte, for a file or a pipe */
    struct filter filter;
};

/* Likewise. Borrows the targets, which may be the same one, and the languages. */
struct show {
    struct show_target *ours, *streams[2]; /* standard output and error of the cell */
    const struct gb_languages *languages;  /* whose prompts stand in front of code; NULL: none */
    bool head;                             /* the line above a cell, and what is below its output */
    bool code, output;
    bool prompt; /* at a prompt: the value as its language shows it, and no more than the value */
    bool in_stderr, in_line;
};

/* One after the other: the beginning with the code, any pieces of output, the end. @language is
 * that of the session, by name, and may be empty. The end tells the value, changed files and what
 * went wrong. */
void show_begin(struct show *show, const struct gb_cell_info *cell, struct gb_bytes language);
void show_piece(struct show *show, bool is_stderr, struct gb_bytes bytes);
void show_end(struct show *show, const struct gb_cell_info *cell);
/* The end of the output alone: what waits in the filters, and the line that was left open. */
void show_end_output(struct show *show);
/* All of a cell that has ended. */
void show_cell(struct show *show, const struct gb_cell_info *cell, struct gb_bytes language);
/* What the event `session.rewound` says, for show_note(). */
void show_rewound(struct gb_buf *to, const struct gb_json *event);
/* A line of our own between cells. */
void show_note(struct show *show, const char *text);
/* "display image/png, 8 B". */
void show_display(struct gb_buf *to, const struct gb_display_info *display);
/* How it ended when it did not end well, with the error that it has instead of a result; adds
 * nothing when it did. */
void show_trouble(struct gb_buf *to, const struct gb_cell_info *cell);
