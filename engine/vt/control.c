/* SPDX-License-Identifier: Apache-2.0 */
/* The effects of control characters and sequences on the grid. What has no row here is ignored. */
#include <string.h>

#include "vt/private.h"

const struct vt_mode_row vt_modes[VT_MODE_ROWS] = {
    {1, VT_APP_CURSOR, true},   {6, VT_ORIGIN, false},  {7, VT_WRAP, false},
    {25, VT_CURSOR, true},      {1000, VT_MOUSE, true}, {1002, VT_MOUSE_DRAG, true},
    {1003, VT_MOUSE_ALL, true}, {1004, VT_FOCUS, true}, {1006, VT_MOUSE_SGR, true},
    {2004, VT_PASTE, true},     {66, VT_KEYPAD, false}, /* passed on as ESC = and ESC > */
};

unsigned vt_param(const struct gb_vt *vt, unsigned index, unsigned standard)
{
    const struct vt_parser *parser = &vt->parser;

    return index < parser->count && parser->params[index] > 0 ? parser->params[index] : standard;
}

static void reply(struct gb_vt *vt, const char *text)
{
    (void)!gb_buf_try_add(&vt->replies, text, strlen(text), VT_REPLIES_MAX);
}

/* ---- single characters ---- */

void vt_control(struct gb_vt *vt, uint8_t byte)
{
    struct vt_cursor *cursor = &vt->cursor;

    switch (byte) {
    case '\b':
        vt_move(vt, (long)cursor->row, (long)cursor->column - 1);
        break;
    case '\t':
        vt_tab(vt);
        break;
    case '\n':
    case '\v':
    case '\f':
        vt_index(vt);
        break;
    case '\r':
        vt_move(vt, (long)cursor->row, 0);
        break;
    case 0x0e:
    case 0x0f:
        cursor->shift = byte == 0x0e ? 1 : 0;
        break;
    default:
        break;
    }
}

static void next_line(struct gb_vt *vt)
{
    vt_index(vt);
    vt->cursor.column = 0;
}

static void set_tab(struct gb_vt *vt)
{
    vt->tabs[vt->cursor.column / 8] |= (uint8_t)(1U << (vt->cursor.column % 8));
}

void vt_escape(struct gb_vt *vt, uint8_t final)
{
    const uint8_t between = vt->parser.between;

    if (between == '(' || between == ')')
        vt->cursor.lines[between == ')'] = final == '0';
    if (between != 0)
        return;
    switch (final) {
    case '7':
        vt_save_cursor(vt);
        break;
    case '8':
        vt_restore_cursor(vt);
        break;
    case '=':
        vt->modes |= VT_KEYPAD;
        break;
    case '>':
        vt->modes &= ~(uint32_t)VT_KEYPAD;
        break;
    case 'D':
        vt_index(vt);
        break;
    case 'E':
        next_line(vt);
        break;
    case 'H':
        set_tab(vt);
        break;
    case 'M':
        vt_reverse_index(vt);
        break;
    case 'c':
        vt_reset(vt);
        break;
    default:
        break;
    }
}

/* ---- colours and attributes ---- */

/* A colour after 38 or 48 at @index; returns the index of its last parameter. */
static unsigned read_colour(struct gb_vt *vt, unsigned index, uint32_t *colour)
{
    const struct vt_parser *parser = &vt->parser;
    unsigned kind = vt_param(vt, index + 1, 0), at = index + 2;
    bool parts = index + 1 < parser->count && parser->part[index + 1];

    if (kind == 5 && at < parser->count) {
        *colour = VT_INDEXED | MIN(parser->params[at], 255U);
        return at;
    }
    if (kind != 2)
        return MIN(index + 1, parser->count);
    /* With colons, a colour space may come first: 38:2::r:g:b. */
    if (parts && at + 3 < parser->count && parser->part[at + 3])
        at++;
    if (at + 2 >= parser->count)
        return parser->count;
    *colour = VT_RGB;
    for (unsigned i = 0; i < 3; i++)
        *colour |= MIN(parser->params[at + i], 255U) << (16 - 8 * i);
    return at + 2;
}

/* Attributes with one number each, on and off. */
static const struct {
    uint8_t on, off;
    uint8_t attribute;
} attributes[] = {
    {1, 22, VT_BOLD},      {2, 22, VT_FAINT},  {3, 23, VT_ITALIC},
    {4, 24, VT_UNDERLINE}, {5, 25, VT_BLINK},  {7, 27, VT_REVERSE},
    {8, 28, VT_HIDDEN},    {9, 29, VT_STRIKE}, {21, 24, VT_UNDERLINE},
};

static void select_attribute(struct vt_pen *pen, unsigned number)
{
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        if (attributes[i].on == number)
            pen->attributes |= attributes[i].attribute;
        else if (attributes[i].off == number)
            pen->attributes &= ~(uint32_t)attributes[i].attribute;
    }
}

static void select_one(struct vt_pen *pen, unsigned number)
{
    if (number == 0)
        *pen = (struct vt_pen){0};
    else if (number >= 30 && number <= 37)
        pen->fg = VT_INDEXED | (number - 30);
    else if (number >= 90 && number <= 97)
        pen->fg = VT_INDEXED | (number - 90 + 8);
    else if (number == 39)
        pen->fg = 0;
    else if (number >= 40 && number <= 47)
        pen->bg = VT_INDEXED | (number - 40);
    else if (number >= 100 && number <= 107)
        pen->bg = VT_INDEXED | (number - 100 + 8);
    else if (number == 49)
        pen->bg = 0;
    else
        select_attribute(pen, number);
}

void vt_select_pen(struct gb_vt *vt)
{
    const struct vt_parser *parser = &vt->parser;
    struct vt_pen *pen = &vt->cursor.pen;
    uint32_t other; /* 58: the colour of the underline, which is ignored */

    if (parser->count == 0)
        *pen = (struct vt_pen){0};
    for (unsigned i = 0; i < parser->count; i++) {
        unsigned number = parser->params[i];

        if (number == 38 || number == 48 || number == 58) {
            i = read_colour(vt, i, number == 38 ? &pen->fg : number == 48 ? &pen->bg : &other);
        } else if (number == 4 && i + 1 < parser->count && parser->part[i + 1]) {
            select_attribute(pen, parser->params[++i] == 0 ? 24 : 4); /* 4:3 and similar */
        } else if (!parser->part[i]) {
            select_one(pen, number);
        }
    }
}

/* ---- erasing ---- */

static void erase_line(struct gb_vt *vt)
{
    unsigned how = vt_param(vt, 0, 0), at = vt->cursor.column;

    if (how <= 2)
        vt_erase(vt, vt->cursor.row, how == 0 ? at : 0, how == 1 ? at + 1 : vt->columns);
}

static void erase_display(struct gb_vt *vt)
{
    unsigned how = vt_param(vt, 0, 0), row = vt->cursor.row;

    if (how > 2)
        return;
    if (how < 2)
        erase_line(vt);
    for (unsigned i = how == 0 ? row + 1 : 0; i < (how == 1 ? row : vt->rows); i++)
        vt_erase(vt, i, 0, vt->columns);
}

static void repeat(struct gb_vt *vt)
{
    const struct vt_cell last = vt->last;
    unsigned count = MIN(vt_param(vt, 0, 1), vt->columns); /* no terminfo user needs more */

    for (unsigned i = 0; i < count && last.size > 0; i++)
        vt_put(vt, &last);
}

/* Deleted lines have not scrolled off, and do not go into the history. */
static void delete_lines(struct gb_vt *vt, unsigned row)
{
    bool alternate = vt->alternate;

    vt->alternate = true;
    vt_scroll_up(vt, row, vt->bottom, vt_param(vt, 0, 1));
    vt->alternate = alternate;
}

static void insert_lines(struct gb_vt *vt, bool insert)
{
    unsigned row = vt->cursor.row;

    if (row < vt->top || row > vt->bottom)
        return;
    vt->cursor.column = 0;
    vt->cursor.wrap_waits = false;
    if (insert)
        vt_scroll_down(vt, row, vt->bottom, vt_param(vt, 0, 1));
    else
        delete_lines(vt, row);
}

/* ---- modes ---- */

static void set_private_mode(struct gb_vt *vt, unsigned number, bool on)
{
    for (size_t i = 0; i < VT_MODE_ROWS; i++)
        if (vt_modes[i].number == number)
            vt->modes = on ? vt->modes | vt_modes[i].mode : vt->modes & ~(uint32_t)vt_modes[i].mode;
    if (number == 6)
        vt_move(vt, on ? (long)vt->top : 0, 0);
    if ((number == 1049 && on) || number == 1048) {
        if (on)
            vt_save_cursor(vt);
        else
            vt_restore_cursor(vt);
    }
    if (number == 47 || number == 1047 || number == 1049)
        vt_set_alternate(vt, on, number != 47);
    if (number == 1049 && !on)
        vt_restore_cursor(vt);
}

static void set_modes(struct gb_vt *vt, bool on)
{
    for (unsigned i = 0; i < vt->parser.count; i++) {
        unsigned number = vt->parser.params[i];

        if (vt->parser.marker == '?')
            set_private_mode(vt, number, on);
        else if (number == 4)
            vt->modes = on ? vt->modes | VT_INSERT : vt->modes & ~(uint32_t)VT_INSERT;
    }
}

static void set_region(struct gb_vt *vt)
{
    unsigned top = vt_param(vt, 0, 1), bottom = MIN(vt_param(vt, 1, vt->rows), vt->rows);

    if (top >= bottom)
        return;
    vt->top = top - 1;
    vt->bottom = bottom - 1;
    vt_move(vt, (vt->modes & VT_ORIGIN) != 0 ? (long)vt->top : 0, 0);
}

static void soft_reset(struct gb_vt *vt)
{
    vt->modes = (vt->modes & ~(uint32_t)(VT_ORIGIN | VT_INSERT | VT_APP_CURSOR | VT_KEYPAD)) |
                VT_WRAP | VT_CURSOR;
    vt->top = 0;
    vt->bottom = vt->rows - 1;
    vt->cursor.pen = (struct vt_pen){0};
    vt->cursor.lines[0] = vt->cursor.lines[1] = false;
    vt->cursor.shift = 0;
    vt->saved[vt->alternate] = (struct vt_cursor){0};
}

static void clear_tabs(struct gb_vt *vt)
{
    if (vt_param(vt, 0, 0) == 3)
        memset(vt->tabs, 0, sizeof(vt->tabs));
    else if (vt_param(vt, 0, 0) == 0)
        vt->tabs[vt->cursor.column / 8] &= (uint8_t) ~(1U << (vt->cursor.column % 8));
}

static void answer_status(struct gb_vt *vt)
{
    struct gb_buf text = {0};
    unsigned top = (vt->modes & VT_ORIGIN) != 0 ? vt->top : 0;
    unsigned row = MAX(vt->cursor.row, top) - top; /* a restored cursor may be above */

    if (vt_param(vt, 0, 0) == 5)
        gb_buf_adds(&text, "\033[0n");
    else if (vt_param(vt, 0, 0) == 6)
        gb_buf_addf(&text, "\033[%u;%uR", row + 1, vt->cursor.column + 1);
    if (text.size > 0)
        reply(vt, gb_buf_str(&text));
    gb_buf_release(&text);
}

/* ---- the table of sequences ---- */

/* Moves by rows and columns, clamped to the margins if it starts between them. */
static void move_by(struct gb_vt *vt, long rows, long columns)
{
    const struct vt_cursor *cursor = &vt->cursor;
    bool inside = cursor->row >= vt->top && cursor->row <= vt->bottom;
    long row = (long)cursor->row + rows;

    if (inside)
        row = MAX((long)vt->top, MIN(row, (long)vt->bottom));
    vt_move(vt, row, (long)cursor->column + columns);
}

static void move_to(struct gb_vt *vt, long row, long column)
{
    if ((vt->modes & VT_ORIGIN) != 0)
        row = MIN(row + (long)vt->top, (long)vt->bottom);
    vt_move(vt, row, column);
}

static void csi_move(struct gb_vt *vt, uint8_t final)
{
    const long n = (long)vt_param(vt, 0, 1), column = (long)vt->cursor.column;

    switch (final) {
    case 'A':
    case 'F':
        move_by(vt, -n, final == 'F' ? -column : 0);
        break;
    case 'B':
    case 'e':
    case 'E':
        move_by(vt, n, final == 'E' ? -column : 0);
        break;
    case 'C':
    case 'a':
        move_by(vt, 0, n);
        break;
    case 'D':
        move_by(vt, 0, -n);
        break;
    case 'G':
    case '`':
        vt_move(vt, (long)vt->cursor.row, n - 1);
        break;
    case 'd':
        move_to(vt, n - 1, column);
        break;
    default: /* H, f */
        move_to(vt, n - 1, (long)vt_param(vt, 1, 1) - 1);
    }
}

static void csi_edit(struct gb_vt *vt, uint8_t final)
{
    const unsigned n = vt_param(vt, 0, 1);

    switch (final) {
    case 'I':
        for (unsigned i = 0; i < MIN(n, vt->columns); i++)
            vt_tab(vt);
        break;
    case 'Z':
        for (unsigned i = 0; i < MIN(n, vt->columns); i++)
            vt_back_tab(vt);
        break;
    case 'J':
        erase_display(vt);
        break;
    case 'K':
        erase_line(vt);
        break;
    case 'L':
    case 'M':
        insert_lines(vt, final == 'L');
        break;
    case '@':
    case 'P':
        vt_shift(vt, n, final == '@');
        break;
    case 'S':
        vt_scroll_up(vt, vt->top, vt->bottom, n);
        break;
    case 'T':
        vt_scroll_down(vt, vt->top, vt->bottom, n);
        break;
    case 'X':
        vt_erase(vt, vt->cursor.row, vt->cursor.column, vt->cursor.column + MIN(n, vt->columns));
        break;
    default: /* b */
        repeat(vt);
    }
}

static void csi_state(struct gb_vt *vt, uint8_t final)
{
    switch (final) {
    case 'c':
        if (vt_param(vt, 0, 0) == 0)
            reply(vt, "\033[?62;22c"); /* a VT220 with colours */
        break;
    case 'g':
        clear_tabs(vt);
        break;
    case 'm':
        vt_select_pen(vt);
        break;
    case 'n':
        answer_status(vt);
        break;
    case 'r':
        set_region(vt);
        break;
    case 's':
        vt_save_cursor(vt);
        break;
    case 'u':
        vt_restore_cursor(vt);
        break;
    default:
        break;
    }
}

void vt_csi(struct gb_vt *vt, uint8_t final)
{
    const struct vt_parser *parser = &vt->parser;

    if (parser->between == ' ' && final == 'q' && parser->marker == 0)
        vt->shape = MIN(vt_param(vt, 0, 0), 6U);
    else if (parser->between == '!' && final == 'p' && parser->marker == 0)
        soft_reset(vt);
    else if (parser->between != 0)
        return;
    else if ((final == 'h' || final == 'l') && (parser->marker == 0 || parser->marker == '?'))
        set_modes(vt, final == 'h');
    else if (parser->marker == '>' && final == 'c')
        reply(vt, "\033[>1;0;0c");
    else if (parser->marker == '?' && (final == 'J' || final == 'K'))
        csi_edit(vt, final); /* there is no protection here */
    else if (parser->marker != 0)
        return;
    else if (strchr("ABCDEFGHade`f", final) != NULL)
        csi_move(vt, final);
    else if (strchr("@IJKLMPSTXZb", final) != NULL)
        csi_edit(vt, final);
    else
        csi_state(vt, final);
}
