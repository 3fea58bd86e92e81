/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal emulator without a screen: interprets a program's output, stores it as a grid, and
 * computes what a real terminal has to be sent to show that grid.
 *
 * Why: a guest's bytes must never reach a person's terminal. They end here, and output is generated
 * from the grid by the view, so a terminal gets only text, colours, cursor movements and modes from
 * a short list. Titles, clipboard access, links, terminal queries, pictures and others are dropped.
 * As a consequence, a program can continue while nobody watches, a client that comes back sees the
 * current screen, and a slow reader is sent the latest screen instead of everything before it.
 *
 * It supports what the terminfo entry xterm-256color promises, and 24-bit colours; no reflow.
 * Accepts arbitrary bytes: everything is bounded (parameters, marks on a character, replies), and
 * a caller that shares its thread chooses how much is done at a time: a few bytes may change every
 * cell of the grid.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct gb_vt;

enum { GB_VT_HISTORY = 500 /* lines kept after scrolling off the top */ };

/* Sizes are 1 to GB_TERMINAL_ROWS_MAX and GB_TERMINAL_COLUMNS_MAX, here and below. Gives. */
struct gb_vt *gb_vt_new(unsigned rows, unsigned columns);
void gb_vt_free(struct gb_vt *vt);
void gb_vt_feed(struct gb_vt *vt, struct gb_bytes bytes);
/* Feeds bytes until their work exceeds @most: a byte counts one, and so does each cell that it
 * changes or moves. Adds the work done to *@ret_work, which is at most one grid above @most.
 * Returns how many bytes were taken, at least one. */
size_t gb_vt_feed_some(struct gb_vt *vt, struct gb_bytes bytes, uint64_t most, uint64_t *ret_work);
void gb_vt_resize(struct gb_vt *vt, unsigned rows, unsigned columns);
unsigned gb_vt_rows(const struct gb_vt *vt);
unsigned gb_vt_columns(const struct gb_vt *vt);
/* Input for the program: replies to its terminal queries. The caller consumes it. */
struct gb_buf *gb_vt_replies(struct gb_vt *vt);
enum vt_attribute {
    VT_BOLD = 1,
    VT_FAINT = 2,
    VT_ITALIC = 4,
    VT_UNDERLINE = 8,
    VT_BLINK = 16,
    VT_REVERSE = 32,
    VT_HIDDEN = 64,
    VT_STRIKE = 128,
};

/* Colours: 0 the terminal's default, else one of these plus a number. */
enum { VT_INDEXED = 1 << 24, VT_RGB = 1 << 25 };

/* A cell of the grid, for whoever paints it. */
struct gb_vt_look {
    struct gb_bytes text; /* of one character with its marks; empty: a blank. Borrowed until the
                           * next change */
    unsigned width;       /* columns: 1 or 2; 0: the second half of the previous one */
    uint32_t fg, bg;
    uint32_t attributes; /* enum vt_attribute */
};
void gb_vt_look(const struct gb_vt *vt, unsigned row, unsigned column, struct gb_vt_look *ret_look);
/* Where the cursor is. False: it is hidden. */
bool gb_vt_cursor(const struct gb_vt *vt, unsigned *ret_row, unsigned *ret_column);
/* The rows as text without trailing blanks, for tests and logs. */
void gb_vt_text(const struct gb_vt *vt, struct gb_buf *out);

/* A terminal that shows a grid. If its size differs, it shows the part around the cursor. */
struct gb_vt_view;

struct gb_vt_view *gb_vt_view_new(unsigned rows, unsigned columns);
void gb_vt_view_free(struct gb_vt_view *view);
/* The terminal was resized, or its screen was lost: the next update is complete. */
void gb_vt_view_resize(struct gb_vt_view *view, unsigned rows, unsigned columns);
/* Adds what the terminal has to be sent; nothing if it is up to date. The first update scrolls the
 * terminal's previous content away, without erasing it. Lines that have scrolled off the grid also
 * scroll off the terminal, into its own history, as long as they are kept. */
void gb_vt_view_paint(struct gb_vt_view *view, const struct gb_vt *vt, struct gb_buf *out);
/* Adds what restores the terminal's state, with the cursor below the content. */
void gb_vt_view_end(struct gb_vt_view *view, struct gb_buf *out);
