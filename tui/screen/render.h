/* SPDX-License-Identifier: Apache-2.0 */
/* Renders a grid to terminal output with ncurses, as the difference to the last frame.
 *
 * Theory of operation. The cells that differ from the last frame are put into ncurses' window, and
 * doupdate() computes the output. It writes to a memory file, from which the output is taken as a
 * whole: so a frame is one piece that can be held back when the terminal is slow, and ncurses never
 * touches the terminal, its modes or its signals.
 *
 * What ncurses cannot do is done here (measured with ncurses 6.4, render_test.c):
 *
 * - Clusters whose width terminals disagree about. ncurses trusts wcwidth(): it writes U+1F469
 *   followed by "z" in a row, and a terminal that gives the first one column shows the rest of the
 *   line one column too far left until it is repainted. Such clusters, and those of more than
 *   CCHARW_MAX (5) characters, are handled by cluster.h.
 * - Crossed-out text, for which there is no attribute (`smxx` is not read); also in cluster.h.
 * - Pictures (sixel, kitty): sent after the cells that they cover, if any of those was drawn.
 * - Synchronized updates (mode 2026), and hiding the cursor while a frame is drawn.
 * - 24-bit colours together with the 256-colour palette where the terminal's own entry lacks them:
 *   entries of our own, terminfo.h.
 * - Changing only one colour of a pair (colours.h).
 * - Hyperlinks (OSC 8) and the kitty keyboard protocol are not used.
 *
 * ncurses has one current screen per process: all renderers belong to one thread.
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

/* The terminal's abilities, from terminfo, the environment and its own replies. */
struct terminal_abilities {
    enum colour_depth depth;
    bool utf8;                   /* else non-ASCII symbols are replaced */
    bool synchronized;           /* mode 2026 */
    bool sixel, kitty;           /* pictures */
    int cell_width, cell_height; /* pixels; 0: unknown */
};

struct renderer;

/* Borrows @terminfo. GB_EUNSUPPORTED if ncurses cannot use its entry. Gives. */
int renderer_open(const struct terminfo *terminfo, struct renderer **ret_renderer,
                  struct gb_err *err);
/* No-op on NULL. */
void renderer_close(struct renderer *renderer);

/* The sequences that switch to a cleared alternate screen, and back. */
struct gb_bytes renderer_enter(const struct renderer *renderer);
struct gb_bytes renderer_leave(const struct renderer *renderer);

/* The screen's content is unknown: the next frame is sent in full. */
void renderer_forget(struct renderer *renderer);
/* The looks have changed since the last frame. */
void renderer_restyle(struct renderer *renderer);
/* Appends to @out what changes the screen to @grid; nothing if there is no difference. @abilities:
 * with the depth of the renderer's terminfo. */
void renderer_frame(struct renderer *renderer, const struct grid *grid, const struct looks *looks,
                    const struct terminal_abilities *abilities, struct gb_buf *out);

/* The grid as text, for tests and `--once`: lines without trailing spaces. */
void dump_text(const struct grid *grid, struct gb_buf *out);
