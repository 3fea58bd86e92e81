/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "vt/private.h"

const struct vt_cell vt_blank = {.width = 1};

/* ---- lines ---- */

static struct vt_line line_new(unsigned columns)
{
    struct vt_line line = {xcalloc(columns, sizeof(*line.cells)), columns};

    for (unsigned i = 0; i < columns; i++)
        line.cells[i] = vt_blank;
    return line;
}

struct vt_line *vt_lines_new(unsigned rows, unsigned columns)
{
    struct vt_line *lines = xcalloc(rows, sizeof(*lines));

    for (unsigned i = 0; i < rows; i++)
        lines[i] = line_new(columns);
    return lines;
}

void vt_lines_free(struct vt_line *lines, unsigned rows)
{
    if (lines == NULL)
        return;
    for (unsigned i = 0; i < rows; i++)
        free(lines[i].cells);
    free(lines);
}

/* Erased cells get the pen's background. */
static struct vt_cell erased(const struct gb_vt *vt)
{
    struct vt_cell cell = vt_blank;

    cell.pen.bg = vt->cursor.pen.bg;
    return cell;
}

/* If a wide character would be split in front of @column, blanks both halves. */
static void line_split(struct vt_line *line, unsigned column)
{
    if (column == 0 || column >= line->columns || line->cells[column].width != 0)
        return;
    for (unsigned i = column - 1; i <= column; i++) {
        struct vt_pen pen = line->cells[i].pen;

        line->cells[i] = vt_blank;
        line->cells[i].pen = pen;
    }
}

static void line_fill(struct vt_line *line, unsigned from, unsigned to, const struct vt_cell *cell)
{
    line_split(line, from);
    line_split(line, to);
    for (unsigned i = from; i < to; i++)
        line->cells[i] = *cell;
}

void vt_erase(struct gb_vt *vt, unsigned row, unsigned from, unsigned to)
{
    const struct vt_cell cell = erased(vt);

    if (from >= to)
        return;
    to = MIN(to, vt->columns);
    line_fill(&vt->lines[row], from, to, &cell);
    vt->work += to - MIN(from, to);
}

/* ---- scrolling ---- */

/* Stores a line that scrolls off, and returns a replacement. */
static struct vt_line history_add(struct gb_vt *vt, struct vt_line line)
{
    struct vt_line *place = &vt->history[vt->scrolled++ % GB_VT_HISTORY];
    struct vt_line old = *place;

    *place = line;
    if (old.columns == vt->columns)
        return old;
    free(old.cells);
    return line_new(vt->columns);
}

static void lines_reverse(struct vt_line *lines, unsigned count)
{
    for (unsigned i = 0; i < count / 2; i++) {
        struct vt_line line = lines[i];

        lines[i] = lines[count - 1 - i];
        lines[count - 1 - i] = line;
    }
}

/* Moves the first @by lines behind the others. */
static void lines_rotate(struct vt_line *lines, unsigned count, unsigned by)
{
    lines_reverse(lines, by);
    lines_reverse(lines + by, count - by);
    lines_reverse(lines, count);
}

void vt_scroll_up(struct gb_vt *vt, unsigned top, unsigned bottom, unsigned count)
{
    const struct vt_cell cell = erased(vt);
    struct vt_line *lines = &vt->lines[top];
    const unsigned rows = bottom - top + 1;

    count = MIN(count, rows);
    for (unsigned i = 0; i < count; i++) {
        if (top == 0 && !vt->alternate)
            lines[i] = history_add(vt, lines[i]);
        line_fill(&lines[i], 0, vt->columns, &cell);
    }
    lines_rotate(lines, rows, count);
    vt->work += rows + (uint64_t)count * vt->columns;
}

void vt_scroll_down(struct gb_vt *vt, unsigned top, unsigned bottom, unsigned count)
{
    const struct vt_cell cell = erased(vt);
    struct vt_line *lines = &vt->lines[top];
    const unsigned rows = bottom - top + 1;

    count = MIN(count, rows);
    lines_rotate(lines, rows, rows - count);
    for (unsigned i = 0; i < count; i++)
        line_fill(&lines[i], 0, vt->columns, &cell);
    vt->work += rows + (uint64_t)count * vt->columns;
}

void vt_index(struct gb_vt *vt)
{
    vt->cursor.wrap_waits = false;
    if (vt->cursor.row == vt->bottom)
        vt_scroll_up(vt, vt->top, vt->bottom, 1);
    else if (vt->cursor.row + 1 < vt->rows)
        vt->cursor.row++;
}

void vt_reverse_index(struct gb_vt *vt)
{
    vt->cursor.wrap_waits = false;
    if (vt->cursor.row == vt->top)
        vt_scroll_down(vt, vt->top, vt->bottom, 1);
    else if (vt->cursor.row > 0)
        vt->cursor.row--;
}

/* ---- characters ---- */

void vt_shift(struct gb_vt *vt, unsigned count, bool insert)
{
    struct vt_line *line = &vt->lines[vt->cursor.row];
    unsigned at = vt->cursor.column, left = vt->columns - at;
    const struct vt_cell cell = erased(vt);

    count = MIN(count, left);
    vt->work += left;
    line_split(line, at);
    line_split(line, insert ? vt->columns - count : at + count);
    if (insert) {
        memmove(&line->cells[at + count], &line->cells[at], (left - count) * sizeof(cell));
        line_fill(line, at, at + count, &cell);
    } else {
        memmove(&line->cells[at], &line->cells[at + count], (left - count) * sizeof(cell));
        for (unsigned i = vt->columns - count; i < vt->columns; i++)
            line->cells[i] = cell;
    }
    vt->cursor.wrap_waits = false;
}

void vt_put(struct gb_vt *vt, const struct vt_cell *glyph)
{
    struct vt_cursor *cursor = &vt->cursor;
    struct vt_cell cell = *glyph;
    struct vt_line *line;

    vt->work++;
    if (cell.width > vt->columns)
        return;
    if ((cursor->wrap_waits || cursor->column + cell.width > vt->columns) &&
        (vt->modes & VT_WRAP) != 0) {
        vt_index(vt);
        cursor->column = 0;
    }
    cursor->column = MIN(cursor->column, vt->columns - cell.width);
    if ((vt->modes & VT_INSERT) != 0)
        vt_shift(vt, cell.width, true);
    line = &vt->lines[cursor->row];
    cell.pen = cursor->pen;
    line_split(line, cursor->column);
    line_split(line, cursor->column + cell.width);
    line->cells[cursor->column] = cell;
    if (cell.width == 2)
        line->cells[cursor->column + 1] = (struct vt_cell){.pen = cell.pen};
    cursor->column += cell.width;
    cursor->wrap_waits = cursor->column == vt->columns;
    if (cursor->wrap_waits)
        cursor->column--;
    vt->last = *glyph;
}

bool vt_join(struct gb_vt *vt, struct gb_bytes mark)
{
    unsigned column = vt->cursor.column - (vt->cursor.wrap_waits ? 0 : 1);
    struct vt_line *line = &vt->lines[vt->cursor.row];
    uint8_t text[GLYPH_BYTES + 4];
    struct glyph glyph;
    struct vt_cell *cell;

    if (vt->cursor.column == 0 && !vt->cursor.wrap_waits)
        return false;
    if (line->cells[column].width == 0 && column > 0)
        column--;
    cell = &line->cells[column];
    if (cell->size == 0)
        return false;
    memcpy(text, cell->text, cell->size);
    memcpy(text + cell->size, mark.data, mark.size);
    if (glyph_next((struct gb_bytes){text, cell->size + mark.size}, &glyph) !=
            cell->size + mark.size ||
        glyph.width != cell->width)
        return false;
    memset(cell->text, 0, sizeof(cell->text));
    memcpy(cell->text, glyph.text, glyph.size);
    cell->size = glyph.size;
    return true;
}

/* ---- the cursor ---- */

void vt_move(struct gb_vt *vt, long row, long column)
{
    vt->cursor.row = (unsigned)MAX(0, MIN(row, (long)vt->rows - 1));
    vt->cursor.column = (unsigned)MAX(0, MIN(column, (long)vt->columns - 1));
    vt->cursor.wrap_waits = false;
}

void vt_tab(struct gb_vt *vt)
{
    unsigned column = vt->cursor.column;

    do
        column++;
    while (column < vt->columns && (vt->tabs[column / 8] & (1U << (column % 8))) == 0);
    vt->cursor.column = MIN(column, vt->columns - 1);
}

void vt_back_tab(struct gb_vt *vt)
{
    unsigned column = vt->cursor.column;

    if (column > 0)
        column--;
    while (column > 0 && (vt->tabs[column / 8] & (1U << (column % 8))) == 0)
        column--;
    vt_move(vt, (long)vt->cursor.row, (long)column);
}

void vt_reset_tabs(struct gb_vt *vt)
{
    memset(vt->tabs, 1, sizeof(vt->tabs)); /* every eighth column */
}

void vt_save_cursor(struct gb_vt *vt)
{
    vt->saved[vt->alternate] = vt->cursor;
    vt->saved[vt->alternate].origin = (vt->modes & VT_ORIGIN) != 0;
}

void vt_restore_cursor(struct gb_vt *vt)
{
    const struct vt_cursor *saved = &vt->saved[vt->alternate];
    bool waits = saved->wrap_waits;

    vt->cursor = *saved;
    vt->modes = saved->origin ? vt->modes | VT_ORIGIN : vt->modes & ~(uint32_t)VT_ORIGIN;
    vt_move(vt, (long)saved->row, (long)saved->column);
    vt->cursor.wrap_waits = waits && vt->cursor.column == vt->columns - 1;
}

/* ---- screens ---- */

void vt_set_alternate(struct gb_vt *vt, bool on, bool erase)
{
    struct vt_line *lines = vt->lines;

    if (on != vt->alternate) {
        vt->lines = vt->other;
        vt->other = lines;
        vt->alternate = on;
    }
    if (on && erase)
        for (unsigned row = 0; row < vt->rows; row++)
            vt_erase(vt, row, 0, vt->columns);
}

void vt_reset(struct gb_vt *vt)
{
    vt_set_alternate(vt, false, false);
    vt->cursor = (struct vt_cursor){0};
    vt->saved[0] = vt->saved[1] = vt->cursor;
    vt->top = 0;
    vt->bottom = vt->rows - 1;
    vt->modes = VT_WRAP | VT_CURSOR;
    vt->shape = 0;
    vt->last = (struct vt_cell){0};
    vt_reset_tabs(vt);
    for (unsigned row = 0; row < vt->rows; row++)
        vt_erase(vt, row, 0, vt->columns);
}

/* Copies what fits; a wide character that would be split is blanked. */
static void lines_copy(struct vt_line *to, unsigned rows, struct vt_line *from, unsigned from_rows)
{
    for (unsigned row = 0; row < MIN(rows, from_rows); row++) {
        unsigned columns = MIN(to[row].columns, from[row].columns);

        line_split(&from[row], columns);
        memcpy(to[row].cells, from[row].cells, columns * sizeof(struct vt_cell));
    }
}

static struct vt_line *lines_resized(struct vt_line *lines, unsigned rows, unsigned new_rows,
                                     unsigned new_columns, unsigned dropped)
{
    struct vt_line *resized = vt_lines_new(new_rows, new_columns);

    lines_copy(resized, new_rows, lines + dropped, rows - dropped);
    vt_lines_free(lines, rows);
    return resized;
}

void gb_vt_resize(struct gb_vt *vt, unsigned rows, unsigned columns)
{
    struct vt_cursor *of_main = vt->alternate ? &vt->saved[0] : &vt->cursor;
    unsigned main_dropped = of_main->row >= rows ? of_main->row - rows + 1 : 0;
    unsigned dropped = vt->cursor.row >= rows ? vt->cursor.row - rows + 1 : 0;

    if (rows == vt->rows && columns == vt->columns)
        return;
    main_dropped = MIN(main_dropped, vt->rows - 1);
    if (!vt->alternate) /* the program's output is kept, as if it had scrolled */
        for (unsigned i = 0; i < main_dropped; i++) {
            struct vt_line copy = line_new(vt->columns);

            memcpy(copy.cells, vt->lines[i].cells, vt->columns * sizeof(*copy.cells));
            free(history_add(vt, copy).cells);
        }
    vt->lines = lines_resized(vt->lines, vt->rows, rows, columns, dropped);
    vt->other = lines_resized(vt->other, vt->rows, rows, columns, vt->alternate ? main_dropped : 0);
    if (vt->alternate)
        vt->saved[0].row -= MIN(vt->saved[0].row, main_dropped);
    vt->rows = rows;
    vt->columns = columns;
    vt->top = 0;
    vt->bottom = rows - 1;
    vt_move(vt, (long)vt->cursor.row - (long)dropped, (long)vt->cursor.column);
}

/* ---- life ---- */

struct gb_vt *gb_vt_new(unsigned rows, unsigned columns)
{
    struct gb_vt *vt = xcalloc(1, sizeof(*vt));

    vt->rows = rows;
    vt->columns = columns;
    vt->lines = vt_lines_new(rows, columns);
    vt->other = vt_lines_new(rows, columns);
    vt_reset(vt);
    return vt;
}

void gb_vt_free(struct gb_vt *vt)
{
    if (vt == NULL)
        return;
    vt_lines_free(vt->lines, vt->rows);
    vt_lines_free(vt->other, vt->rows);
    for (size_t i = 0; i < GB_VT_HISTORY; i++)
        free(vt->history[i].cells);
    gb_buf_release(&vt->replies);
    free(vt);
}

unsigned gb_vt_rows(const struct gb_vt *vt)
{
    return vt->rows;
}

unsigned gb_vt_columns(const struct gb_vt *vt)
{
    return vt->columns;
}

struct gb_buf *gb_vt_replies(struct gb_vt *vt)
{
    return &vt->replies;
}

void gb_vt_look(const struct gb_vt *vt, unsigned row, unsigned column, struct gb_vt_look *ret_look)
{
    const struct vt_cell *cell = &vt->lines[row].cells[column];

    *ret_look = (struct gb_vt_look){
        .text = {(const uint8_t *)cell->text, cell->size},
        .width = cell->width,
        .fg = cell->pen.fg,
        .bg = cell->pen.bg,
        .attributes = cell->pen.attributes,
    };
}

bool gb_vt_cursor(const struct gb_vt *vt, unsigned *ret_row, unsigned *ret_column)
{
    *ret_row = vt->cursor.row;
    *ret_column = vt->cursor.column;
    return (vt->modes & VT_CURSOR) != 0;
}

static bool cell_is_space(const struct vt_cell *cell)
{
    return cell->width == 1 && (cell->size == 0 || cell->text[0] == ' ');
}

void gb_vt_text(const struct gb_vt *vt, struct gb_buf *out)
{
    for (unsigned row = 0; row < vt->rows; row++) {
        const struct vt_line *line = &vt->lines[row];
        unsigned end = vt->columns;

        while (end > 0 && cell_is_space(&line->cells[end - 1]))
            end--;
        for (unsigned i = 0; i < end; i++) {
            const struct vt_cell *cell = &line->cells[i];

            if (cell->width > 0)
                gb_buf_add(out, cell->size > 0 ? cell->text : " ", MAX(cell->size, 1));
        }
        gb_buf_adds(out, "\n");
    }
}
