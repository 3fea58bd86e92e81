/* SPDX-License-Identifier: Apache-2.0 */
/* The screen as a grid of cells, and functions to paint into it.
 *
 * Theory of operation. A view paints into a region of a grid: pure functions, no terminal. Each
 * frame is painted completely; render.h compares the grid with the terminal's content and sends the
 * difference, dump.c writes it as text. Painting is clipped: nothing is ever painted outside the
 * region, so views need no arithmetic to be safe, and regions without width or height are harmless.
 * Coordinates are relative to the region, columns and rows start at 0, and may be negative or too
 * large.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "screen/style.h"
#include "glyph/glyph.h"

enum { GRID_SIDE_MAX = 1000, GRID_PICTURES_MAX = 32 };

struct cell {
    char text[GLYPH_BYTES]; /* UTF-8; unused bytes are 0 */
    uint8_t size;           /* 0: the right half of the preceding wide cell */
    uint8_t width;
    bool uncertain; /* as in struct glyph */
    struct style style;
};

/* Data that draws a picture (sixel, kitty) with its upper left corner at a cell. It is sent if the
 * picture is new there, or if cells that it covers had to be drawn. */
struct picture {
    int x, y, width, height;
    uint64_t id;            /* same data, same id */
    struct gb_bytes bytes;  /* borrowed until the next frame has been painted */
    struct gb_bytes remove; /* removes it from the screen; empty: drawing over it is enough */
};

struct grid {
    int width, height;
    struct cell *cells;
    bool cursor; /* visible, at: */
    int cursor_x, cursor_y;
    struct picture pictures[GRID_PICTURES_MAX];
    size_t picture_count;
};

/* Embed it, zeroed. Sizes are clamped to 1 … GRID_SIDE_MAX. Clears it. */
void grid_resize(struct grid *grid, int width, int height);
void grid_release(struct grid *grid);
/* Fills it with spaces in ROLE_TEXT, without cursor and pictures. */
void grid_clear(struct grid *grid);

/* A part of a grid to paint into. A value: copy it. */
struct region {
    struct grid *grid;
    int x, y, width, height;
};

struct region region_all(struct grid *grid);
/* The part at @x, @y of @region, clipped to it. A negative width or height counts from the far
 * edge: -1 is "up to the edge". */
struct region region_part(struct region region, int x, int y, int width, int height);
static inline bool region_empty(struct region region)
{
    return region.width <= 0 || region.height <= 0;
}
/* Cuts off the top rows, or the left columns: returns them, and leaves the rest in *region. */
struct region region_cut_top(struct region *region, int rows);
struct region region_cut_bottom(struct region *region, int rows);
struct region region_cut_left(struct region *region, int columns);
struct region region_cut_right(struct region *region, int columns);

/* All text functions return the number of columns used, clipped to the region. One line: control
 * characters, including line feeds, are made visible. A glyph that does not fit completely is left
 * out. */
int paint_text(struct region region, int x, int y, struct style style, struct gb_bytes text);
int paint_str(struct region region, int x, int y, struct style style, const char *text);
int paint_f(struct region region, int x, int y, struct style style, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Paints lines from @y on, broken at spaces, of @columns each; leaves out what is below the region.
 * Returns their number, including those left out. */
int paint_lines(struct region region, int x, int y, int columns, struct style style,
                struct gb_bytes text);
/* At most @columns: longer text ends with "…". */
int paint_cut(struct region region, int x, int y, int columns, struct style style,
              struct gb_bytes text);
/* The same, right-aligned at column x + columns. */
void paint_right(struct region region, int x, int y, int columns, struct style style,
                 struct gb_bytes text);
/* One glyph; halves of wide glyphs that it overwrites become spaces. */
void paint_glyph(struct region region, int x, int y, struct style style, const struct glyph *glyph);

/* Spaces. */
void paint_fill(struct region region, struct style style);
/* Only changes the background. */
void paint_ground(struct region region, colour bg);
void paint_rule(struct region region, int x, int y, int columns, struct style style); /* ─ */
void paint_wall(struct region region, int x, int y, int rows, struct style style);    /* │ */
/* Draws a frame along the region's edge with a title (may be NULL) in its top line. Returns the
 * inside. */
struct region paint_box(struct region region, struct style style, const char *title,
                        struct style title_style);
/* Sets the position of the terminal's cursor; outside the region: hides it. */
void paint_cursor(struct region region, int x, int y);
/* False if there is no room for another one, or it does not fit into the region. */
bool paint_picture(struct region region, const struct picture *picture);

/* Graphs. */
enum graph_signs { GRAPH_BRAILLE, GRAPH_BLOCKS, GRAPH_ASCII };
/* The last values, the newest on the right, between 0 and @top, over the whole region; Braille
 * shows two values per column and four dots per row. Colours depend on the height, unless @top is
 * 0: then the largest value is the top, and the height says nothing about much or little. */
void paint_graph(struct region region, enum graph_signs signs, const float *values, size_t count,
                 float top);
/* Whether such a graph would have the same height everywhere, and so say nothing. */
bool graph_is_flat(struct region region, enum graph_signs signs, const float *values, size_t count,
                   float top);
/* A bar of @columns, filled by @share (0–1). */
void paint_gauge(struct region region, int x, int y, int columns, enum graph_signs signs,
                 double share, struct style full);
