/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal without a screen: what a program prints at it, interpreted and kept as a grid, and
 * what a real terminal has to be sent to show that grid.
 *
 * Why: a guest's bytes never reach the terminal of a person. They end here, and what leaves is made
 * of the grid by the view, so a terminal is sent nothing but text, colours, movements and modes of
 * a short list. Titles, clipboards, links, queries of the terminal, pictures and the like are
 * dropped. It also follows that a program may go on while nobody looks, that who comes back sees
 * what there is, and that a slow reader is sent the newest screen and not all that has been before.
 *
 * What is understood is what the terminfo entry xterm-256color promises, and 24-bit colours; no
 * reflow. Any bytes may be fed: everything is bounded (parameters, marks on a character, replies),
 * and costs at most in proportion to the bytes and the size of the grid.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct gb_vt;

enum { GB_VT_HISTORY = 500 /* lines that are kept when they have left at the top */ };

/* Sizes are 1 to GB_TERMINAL_ROWS_MAX and GB_TERMINAL_COLUMNS_MAX, here and below. Gives. */
struct gb_vt *gb_vt_new(unsigned rows, unsigned columns);
void gb_vt_free(struct gb_vt *vt);
void gb_vt_feed(struct gb_vt *vt, struct gb_bytes bytes);
void gb_vt_resize(struct gb_vt *vt, unsigned rows, unsigned columns);
unsigned gb_vt_rows(const struct gb_vt *vt);
unsigned gb_vt_columns(const struct gb_vt *vt);
/* What the program is to read: answers to what it asked of its terminal. The caller takes them
 * away. */
struct gb_buf *gb_vt_replies(struct gb_vt *vt);
/* The rows as text, without the blanks at their ends, for tests and for logs. */
void gb_vt_text(const struct gb_vt *vt, struct gb_buf *out);

/* One terminal that shows a grid. It may be of another size: then it shows the part around the
 * cursor. */
struct gb_vt_view;

struct gb_vt_view *gb_vt_view_new(unsigned rows, unsigned columns);
void gb_vt_view_free(struct gb_vt_view *view);
/* The terminal has another size, or its screen was lost: the next painting is a whole one. */
void gb_vt_view_resize(struct gb_vt_view *view, unsigned rows, unsigned columns);
/* Adds what the terminal has to be sent; nothing when it shows what there is. The first painting
 * moves what the terminal has shown so far out of the way, not away. Lines that have left the grid
 * at its top leave the terminal likewise, into its own history, as long as they are kept. */
void gb_vt_view_paint(struct gb_vt_view *view, const struct gb_vt *vt, struct gb_buf *out);
/* Adds what leaves the terminal as it was met, with the cursor below what is shown. */
void gb_vt_view_end(struct gb_vt_view *view, struct gb_buf *out);
