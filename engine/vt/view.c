/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. A view stores what its terminal shows in a grid of its own. Painting sends
 * the differences, row by row. If the grid has scrolled, the terminal is scrolled too: lines that
 * scroll off its top are first updated to those in the grid's history, so that the terminal's own
 * history is right; after that the rows differ only a little.
 *
 * Movements are absolute, and each run of cells starts with one, so that a terminal which disagrees
 * about the width of a character is wrong for only one run.
 */
#include <stdlib.h>
#include <string.h>

#include "vt/private.h"

struct gb_vt_view {
    unsigned rows, columns;
    struct vt_line *lines;            /* what the terminal shows; NULL: unknown */
    bool begun;                       /* something has been painted */
    bool alternate;                   /* the last painted value */
    unsigned first_row, first_column; /* first row and column of the grid that the terminal shows */
    unsigned grid_rows, grid_columns;
    uint64_t scrolled;
    struct vt_pen pen;
    bool pen_known;
    uint32_t modes;
    unsigned shape;
    unsigned row, column; /* position of the cursor, if known */
    bool cursor_known;
};

enum { VIEW_MODES_MET = VT_WRAP | VT_CURSOR };

struct gb_vt_view *gb_vt_view_new(unsigned rows, unsigned columns)
{
    struct gb_vt_view *view = xcalloc(1, sizeof(*view));

    view->rows = rows;
    view->columns = columns;
    view->modes = VIEW_MODES_MET;
    return view;
}

static void view_forget(struct gb_vt_view *view)
{
    vt_lines_free(view->lines, view->rows);
    view->lines = NULL;
    view->pen_known = view->cursor_known = false;
}

void gb_vt_view_free(struct gb_vt_view *view)
{
    if (view == NULL)
        return;
    view_forget(view);
    free(view);
}

void gb_vt_view_resize(struct gb_vt_view *view, unsigned rows, unsigned columns)
{
    view_forget(view);
    view->rows = rows;
    view->columns = columns;
}

/* ---- pens ---- */

static void put_colour(struct gb_buf *out, uint32_t colour, unsigned base)
{
    if ((colour & VT_RGB) != 0)
        gb_buf_addf(out, ";%u;2;%u;%u;%u", base + 8, (colour >> 16) & 255, (colour >> 8) & 255,
                    colour & 255);
    else if ((colour & VT_INDEXED) == 0)
        return;
    else if ((colour & 255) < 8)
        gb_buf_addf(out, ";%u", base + (colour & 255));
    else if ((colour & 255) < 16)
        gb_buf_addf(out, ";%u", base + 60 + (colour & 255) - 8);
    else
        gb_buf_addf(out, ";%u;5;%u", base + 8, colour & 255);
}

static void put_pen(struct gb_vt_view *view, const struct vt_pen *pen, struct gb_buf *out)
{
    static const uint8_t numbers[] = {1, 2, 3, 4, 5, 7, 8, 9}; /* indexed by attribute bits */

    if (view->pen_known && memcmp(&view->pen, pen, sizeof(*pen)) == 0)
        return;
    gb_buf_adds(out, "\033[0");
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if ((pen->attributes & (1U << i)) != 0)
            gb_buf_addf(out, ";%u", numbers[i]);
    put_colour(out, pen->fg, 30);
    put_colour(out, pen->bg, 40);
    gb_buf_adds(out, "m");
    view->pen = *pen;
    view->pen_known = true;
}

/* ---- rows ---- */

static void put_move(struct gb_vt_view *view, unsigned row, unsigned column, struct gb_buf *out)
{
    if (view->cursor_known && view->row == row && view->column == column)
        return;
    gb_buf_addf(out, "\033[%u;%uH", row + 1, column + 1);
    view->row = row;
    view->column = column;
    view->cursor_known = true;
}

static bool cells_are_same(const struct vt_cell *a, const struct vt_cell *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* The cell at @column of the grid's line; blank if there is none, or only half of one. */
static const struct vt_cell *cell_at(const struct vt_line *line, unsigned first, unsigned column,
                                     unsigned columns)
{
    const struct vt_cell *cell;

    if (line == NULL || first + column >= line->columns)
        return &vt_blank;
    cell = &line->cells[first + column];
    if ((cell->width == 0 && column == 0) || (cell->width == 2 && column + 1 >= columns))
        return &vt_blank;
    return cell;
}

/* Blanks to the end of the row cost three bytes. */
static unsigned blank_from(const struct vt_line *line, unsigned first, unsigned columns)
{
    unsigned from = columns;

    while (from > 0 && cells_are_same(cell_at(line, first, from - 1, columns), &vt_blank))
        from--;
    return from;
}

static void paint_row(struct gb_vt_view *view, unsigned row, const struct vt_line *line,
                      struct gb_buf *out)
{
    struct vt_cell *shown = view->lines[row].cells;
    unsigned columns = view->columns, blank = blank_from(line, view->first_column, columns);

    for (unsigned column = 0; column < columns; column++) {
        const struct vt_cell *cell = cell_at(line, view->first_column, column, columns);

        if (cells_are_same(cell, &shown[column]))
            continue;
        /* The second half of a character that is repainted with its first half. */
        if (cell->width == 0) {
            column--;
            cell = cell_at(line, view->first_column, column, columns);
        }
        put_move(view, row, column, out);
        put_pen(view, column >= blank ? &vt_blank.pen : &cell->pen, out);
        if (column >= blank) {
            gb_buf_adds(out, "\033[K");
            for (; column < columns; column++)
                shown[column] = vt_blank;
            return;
        }
        gb_buf_add(out, cell->size > 0 ? cell->text : " ", MAX(cell->size, 1));
        memcpy(&shown[column], cell, cell->width * sizeof(*cell));
        /* What this has split is not known any more. */
        if (column + cell->width < columns && shown[column + cell->width].width == 0)
            shown[column + cell->width].size = UINT16_MAX;
        if (column > 0 && shown[column].width > 0 && shown[column - 1].width == 2)
            shown[column - 1].size = UINT16_MAX;
        column += cell->width - 1U;
        view->column += cell->width;
        /* Terminals disagree about the cursor's position after the last column, and about the width
         * of unusual characters. */
        view->cursor_known = view->column < columns && cell->size == 1 && cell->width == 1;
    }
}

/* ---- what belongs to the whole screen ---- */

static void put_modes(struct gb_vt_view *view, uint32_t modes, unsigned shape, struct gb_buf *out)
{
    for (size_t i = 0; i < VT_MODE_ROWS; i++) {
        uint32_t bit = vt_modes[i].mode;

        if (vt_modes[i].passed_on && (modes & bit) != (view->modes & bit))
            gb_buf_addf(out, "\033[?%u%c", vt_modes[i].number, (modes & bit) != 0 ? 'h' : 'l');
    }
    if ((modes & VT_KEYPAD) != (view->modes & VT_KEYPAD))
        gb_buf_adds(out, (modes & VT_KEYPAD) != 0 ? "\033=" : "\033>");
    if (shape != view->shape)
        gb_buf_addf(out, "\033[%u q", shape);
    view->modes = modes;
    view->shape = shape;
}

/* Clears the screen, so that its content is known. What was there before scrolls off the top,
 * once. */
static void view_clear(struct gb_vt_view *view, struct gb_buf *out)
{
    if (!view->begun) {
        gb_buf_addf(out, "\033[%u;1H", view->rows);
        for (unsigned i = 0; i < view->rows; i++)
            gb_buf_adds(out, "\n");
    }
    gb_buf_adds(out, "\033[0m\033[H\033[2J");
    view->begun = true;
    view->lines = vt_lines_new(view->rows, view->columns);
    view->pen = (struct vt_pen){0};
    view->pen_known = view->cursor_known = true;
    view->row = view->column = 0;
}

/* Scrolls the terminal as the grid has scrolled. */
static void view_scroll(struct gb_vt_view *view, const struct gb_vt *vt, struct gb_buf *out)
{
    uint64_t oldest = vt->scrolled > GB_VT_HISTORY ? vt->scrolled - GB_VT_HISTORY : 0;
    uint64_t line = MAX(view->scrolled, oldest);

    for (; line < vt->scrolled; line++) {
        struct vt_line top = view->lines[0];

        paint_row(view, 0, &vt->history[line % GB_VT_HISTORY], out);
        put_pen(view, &vt_blank.pen, out);
        put_move(view, view->rows - 1, 0, out);
        gb_buf_adds(out, "\n");
        memmove(&view->lines[0], &view->lines[1], (view->rows - 1) * sizeof(top));
        for (unsigned i = 0; i < view->columns; i++)
            top.cells[i] = vt_blank;
        view->lines[view->rows - 1] = top;
    }
    view->scrolled = vt->scrolled;
}

/* Chooses the part of a larger grid to show: the one with the cursor. */
static void view_choose(struct gb_vt_view *view, const struct gb_vt *vt)
{
    unsigned row = vt->cursor.row, column = vt->cursor.column;

    if (row < view->first_row || vt->rows <= view->rows)
        view->first_row = vt->rows <= view->rows ? 0 : row;
    if (row >= view->first_row + view->rows)
        view->first_row = row - view->rows + 1;
    if (column < view->first_column || vt->columns <= view->columns)
        view->first_column = vt->columns <= view->columns ? 0 : column;
    if (column >= view->first_column + view->columns)
        view->first_column = column - view->columns + 1;
}

void gb_vt_view_paint(struct gb_vt_view *view, const struct gb_vt *vt, struct gb_buf *out)
{
    bool same_size = view->rows == vt->rows && view->columns == vt->columns;
    size_t before = out->size;
    uint32_t hidden = view->modes & ~(uint32_t)VT_CURSOR;

    view_choose(view, vt);
    if (view->lines == NULL)
        view_clear(view, out);
    if (same_size && !vt->alternate && !view->alternate)
        view_scroll(view, vt, out);
    if (!vt->alternate)
        view->scrolled = vt->scrolled;
    view->alternate = vt->alternate;
    for (unsigned row = 0; row < view->rows; row++)
        paint_row(view, row,
                  view->first_row + row < vt->rows ? &vt->lines[view->first_row + row] : NULL, out);
    if (out->size > before && (view->modes & vt->modes & VT_CURSOR) != 0) {
        /* Hide the cursor while painting. */
        struct gb_buf all = {0};

        gb_buf_adds(&all, "\033[?25l");
        gb_buf_add(&all, gb_buf_data(out) + before, out->size - before);
        out->size = before;
        gb_buf_add(out, gb_buf_data(&all), all.size);
        gb_buf_release(&all);
        view->modes = hidden;
    }
    put_move(view, vt->cursor.row - view->first_row, vt->cursor.column - view->first_column, out);
    put_modes(view, vt->modes, vt->shape, out);
}

void gb_vt_view_end(struct gb_vt_view *view, struct gb_buf *out)
{
    unsigned last = view->row;

    if (!view->begun)
        return;
    if (view->lines != NULL)
        for (unsigned row = last; row < view->rows; row++)
            if (blank_from(&view->lines[row], 0, view->columns) > 0)
                last = row;
    put_modes(view, VIEW_MODES_MET, 0, out);
    gb_buf_addf(out, "\033[0m\033[%u;1H\r\n", last + 1);
    view_forget(view);
}
