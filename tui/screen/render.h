/* SPDX-License-Identifier: Apache-2.0 */
/* A grid as bytes for a terminal: the difference to what it shows already.
 *
 * Why not through the curses library: what is written has to be one piece that can be held back
 * when the terminal is slow (a frame is then left out, and the loop never waits), 24-bit colours
 * need no private terminfo entries, and the column after a sign that terminals measure differently
 * is set anew, so that a cluster can never shift the rest of a line. Terminfo tells what the
 * terminal can.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "screen/grid.h"

enum colour_depth { DEPTH_MONO, DEPTH_16, DEPTH_256, DEPTH_RGB, DEPTH_COUNT };

/* What the terminal can do, as terminfo, the environment and its own replies say. */
struct terminal_abilities {
    enum colour_depth depth;
    bool utf8;                   /* else signs beyond ASCII are replaced */
    bool synchronized;           /* mode 2026 */
    bool sixel, kitty;           /* pictures */
    int cell_width, cell_height; /* pixels; 0: not known */
};

/* What a role looks like. */
struct look {
    colour fg, bg; /* COLOUR_NONE: the terminal's */
    uint8_t attributes;
};

/* The looks of all roles. */
struct looks {
    struct look roles[ROLE_COUNT];
};

enum { PICTURE_REMOVE_MAX = 64 };

struct renderer {
    struct grid shown;                                  /* what the terminal shows */
    bool known;                                         /* it does */
    char remove[GRID_PICTURES_MAX][PICTURE_REMOVE_MAX]; /* takes the shown pictures off again */
};

/* Embed it, zeroed. */
void renderer_release(struct renderer *renderer);
/* The terminal shows who knows what: the next frame is sent whole. */
void renderer_forget(struct renderer *renderer);
/* Adds to @out what turns what is shown into @grid. Nothing when there is no difference. */
void renderer_frame(struct renderer *renderer, const struct grid *grid, const struct looks *looks,
                    const struct terminal_abilities *abilities, struct gb_buf *out);

/* The nearest colour that @depth has. */
colour colour_reduce(colour c, enum colour_depth depth);
/* Red, green and blue of a colour of the palette of 256. */
uint32_t colour_of_index(unsigned index);

/* The grid as text, for tests and `--once`: lines without the spaces at their end. */
void dump_text(const struct grid *grid, struct gb_buf *out);
