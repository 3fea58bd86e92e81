/* SPDX-License-Identifier: Apache-2.0 */
/* Renders a cell for people: its head, its code after prompts, its output, value, figures and
 * files, and how it ended.
 *
 * This is the only renderer for scrolling output. Its user supplies a target for our own lines and
 * one for each stream: `log` uses one for all, `watch` and the prompt one per descriptor. A target
 * defines how text may look there. Pure: text is added to the targets' buffers, which the caller
 * drains. The front end paints its cards itself, a line at a time and only where visible, but from
 * the same facts, words and outcomes (facts.h, words.h, outcome.h).
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "language/language.h"
#include "model/cell.h"
#include "rpc/json.h"
#include "show/filter.h"

/* Zero it and set what is needed. */
struct show_target {
    struct gb_buf *out;
    bool terminal;
    bool colour; /* pass on SGR sequences, ours and those of programs */
    bool exact;  /* code and output byte for byte, for a file or a pipe */
    struct filter filter;
};

/* Zero it and set what is needed. Borrows the languages and the targets, which may be identical. */
struct show {
    struct show_target *ours, *streams[2]; /* the cell's standard output and standard error */
    const struct gb_languages *languages;  /* supplies the prompts in front of code; NULL: none */
    bool head;                             /* show the line above a cell and the summary below its
                                            * output */
    bool code, output;
    bool prompt; /* at a prompt: only the value, as its language shows it */
    bool brief;  /* with `head` and `prompt`: between the cells of the person at the prompt. The
                  * head has no time, some displays are enough, changed files are not listed */
    bool in_stderr, in_line; /* private: of the last piece of output */
};

/* Call in order: the beginning with the code, any pieces of output, the end. @language is the name
 * of the session's language and may be empty. The end shows the value, changed files and what went
 * wrong. */
void show_begin(struct show *show, const struct gb_cell_info *cell, struct gb_bytes language);
void show_piece(struct show *show, bool is_stderr, struct gb_bytes bytes);
void show_end(struct show *show, const struct gb_cell_info *cell);
/* Ends only the output: flushes the filters and completes an unfinished line. */
void show_end_output(struct show *show);
/* Renders a finished cell. */
void show_cell(struct show *show, const struct gb_cell_info *cell, struct gb_bytes language);
/* A piece as the event and the notification `cell.output` have it. */
void show_output(struct show *show, const struct gb_json *params);
/* What the event `session.rewound` says, for show_note(): where the session is now (0: at its
 * beginning). */
void show_rewound(struct gb_buf *to, uint32_t cell);
/* A line of our own between cells. */
void show_note(struct show *show, const char *text);
/* "display image/png, 8 B". */
void show_display(struct gb_buf *to, const struct gb_display_info *display);
/* Says how a cell failed, with the error that it has instead of a result; adds nothing if it did
 * not fail. */
void show_trouble(struct gb_buf *to, const struct gb_cell_info *cell);
