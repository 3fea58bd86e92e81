/* SPDX-License-Identifier: Apache-2.0 */
/* A grid as bytes for a terminal, by ncurses: the difference to what it shows already.
 *
 * Theory of operation. The cells of a frame that differ from the last one are put into ncurses'
 * window; doupdate() finds the bytes. It writes them to a memory file, from where they are taken
 * whole: a frame is one piece that can be held back when the terminal is slow, and ncurses never
 * touches the terminal, its modes or its signals.
 *
 * What ncurses cannot do, and is done here (measured with ncurses 6.4, render_test.c):
 *
 * - The place after a cluster that terminals measure differently. ncurses takes wcwidth()'s word:
 *   with U+1F469 followed by "z" it writes both in a row, and a terminal that takes the first for
 *   one column shows the rest of the line one column to the left, until it is painted anew. Such
 *   clusters, and those of more characters than CCHARW_MAX (5), go by cluster.h.
 * - Crossed-out text: there is no attribute for it (`smxx` is not read). By cluster.h, too.
 * - Pictures (sixel, kitty): sent behind the cells below them, when one of those was drawn.
 * - Synchronized updates (mode 2026), and the cursor hidden while a frame is drawn.
 * - 24-bit colours where the terminal's own entry has none, and the 256 colours of the palette
 *   beside them: entries of our own, terminfo.h.
 * - One colour of a pair changed alone (colours.h).
 * - Hyperlinks (OSC 8) and the kitty keyboard protocol are not used.
 *
 * ncurses has one current screen in a process: all renderers belong to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "screen/grid.h"
#include "screen/look.h"
#include "screen/terminfo.h"

/* What the terminal can do, as terminfo, the environment and its own replies say. */
struct terminal_abilities {
    enum colour_depth depth;
    bool utf8;                   /* else signs beyond ASCII are replaced */
    bool synchronized;           /* mode 2026 */
    bool sixel, kitty;           /* pictures */
    int cell_width, cell_height; /* pixels; 0: not known */
};

struct renderer;

/* Borrows @terminfo. GB_EUNSUPPORTED when ncurses cannot use its entry. Gives. */
int renderer_open(const struct terminfo *terminfo, struct renderer **ret_renderer,
                  struct gb_err *err);
/* Accepts NULL. */
void renderer_close(struct renderer *renderer);

/* What takes the terminal to a screen of its own, cleared, and what brings it back. */
struct gb_bytes renderer_enter(const struct renderer *renderer);
struct gb_bytes renderer_leave(const struct renderer *renderer);

/* It is not known what the terminal shows: the next frame is sent whole. */
void renderer_forget(struct renderer *renderer);
/* The looks are others than in the last frame. */
void renderer_restyle(struct renderer *renderer);
/* Adds to @out what turns what is shown into @grid. Nothing when there is no difference.
 * @abilities: of the depth of the renderer's terminfo. */
void renderer_frame(struct renderer *renderer, const struct grid *grid, const struct looks *looks,
                    const struct terminal_abilities *abilities, struct gb_buf *out);

/* The grid as text, for tests and `--once`: lines without the spaces at their end. */
void dump_text(const struct grid *grid, struct gb_buf *out);
