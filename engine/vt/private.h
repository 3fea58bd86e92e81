/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this module. Private. */
#pragma once

#include "base/limits.h"
#include "base/mem.h"
#include "glyph/glyph.h"
#include "vt/vt.h"

enum {
    VT_PARAMS_MAX = 32,
    VT_PARAM_MAX = 65535,
    VT_REPLIES_MAX = 4096,
};

struct vt_pen {
    uint32_t fg, bg;
    uint32_t attributes; /* enum vt_attribute */
};

struct vt_cell {
    char text[GLYPH_BYTES]; /* unused bytes are 0; size 0: a blank */
    uint16_t size;
    uint16_t width; /* 1, 2, or 0: the second half of the previous one */
    struct vt_pen pen;
};

/* Modes set by programs; those with a row in vt_modes are passed on to terminals. */
enum vt_mode {
    VT_APP_CURSOR = 1 << 0,
    VT_ORIGIN = 1 << 1,
    VT_WRAP = 1 << 2,
    VT_CURSOR = 1 << 3,
    VT_INSERT = 1 << 4,
    VT_KEYPAD = 1 << 5,
    VT_MOUSE = 1 << 6,
    VT_MOUSE_DRAG = 1 << 7,
    VT_MOUSE_ALL = 1 << 8,
    VT_MOUSE_SGR = 1 << 9,
    VT_FOCUS = 1 << 10,
    VT_PASTE = 1 << 11,
};

struct vt_mode_row {
    unsigned number; /* of CSI ? number h */
    enum vt_mode mode;
    bool passed_on;
};

enum { VT_MODE_ROWS = 11 };
extern const struct vt_mode_row vt_modes[VT_MODE_ROWS];

struct vt_cursor {
    unsigned row, column;
    bool wrap_waits; /* after the last column: the next character goes on the next row */
    struct vt_pen pen;
    bool origin;
    bool lines[2]; /* G0, G1: line drawing characters */
    unsigned shift;
};

struct vt_line {
    struct vt_cell *cells;
    unsigned columns;
};

enum vt_state { VT_GROUND, VT_ESCAPE, VT_ESCAPE_MORE, VT_CSI, VT_CSI_IGNORE, VT_STRING };

struct vt_parser {
    enum vt_state state;
    uint8_t marker, between; /* one of <=>?, an intermediate byte; 0: none */
    uint32_t params[VT_PARAMS_MAX];
    bool part[VT_PARAMS_MAX]; /* a colon precedes it */
    unsigned count;
    bool any;           /* the last parameter is not empty */
    bool string_escape; /* the string may be about to end */
    uint8_t pending[4]; /* of an incomplete character */
    unsigned pending_size;
};

struct gb_vt {
    unsigned rows, columns;
    struct vt_line *lines, *other; /* the current screen; the main screen while the alternate one is
                                    * shown */
    bool alternate;
    struct vt_cursor cursor, saved[2];
    unsigned top, bottom; /* of the scrolling region, inclusive */
    uint32_t modes;       /* enum vt_mode */
    unsigned shape;       /* of the cursor: DECSCUSR */
    uint8_t tabs[GB_TERMINAL_COLUMNS_MAX / 8 + 1];
    struct vt_cell last; /* for REP; size 0: none */
    struct vt_parser parser;
    struct vt_line history[GB_VT_HISTORY]; /* a ring: line n is at n modulo its length */
    uint64_t scrolled;                     /* lines that have scrolled off the main screen */
    struct gb_buf replies;
    uint64_t work; /* bytes fed, and cells changed or moved for them */
};

/* ---- screen.c ---- */

extern const struct vt_cell vt_blank;

struct vt_line *vt_lines_new(unsigned rows, unsigned columns);
void vt_lines_free(struct vt_line *lines, unsigned rows);

void vt_put(struct gb_vt *vt, const struct vt_cell *glyph);
/* Adds a mark to the character before the cursor; false if there is none that can take it. */
bool vt_join(struct gb_vt *vt, struct gb_bytes mark);
void vt_erase(struct gb_vt *vt, unsigned row, unsigned from, unsigned to); /* [from, to) */
void vt_scroll_up(struct gb_vt *vt, unsigned top, unsigned bottom, unsigned count);
void vt_scroll_down(struct gb_vt *vt, unsigned top, unsigned bottom, unsigned count);
void vt_shift(struct gb_vt *vt, unsigned count, bool insert); /* characters at the cursor */
void vt_index(struct gb_vt *vt);
void vt_reverse_index(struct gb_vt *vt);
void vt_move(struct gb_vt *vt, long row, long column); /* clamped to the grid */
void vt_tab(struct gb_vt *vt);
void vt_back_tab(struct gb_vt *vt);
void vt_reset_tabs(struct gb_vt *vt);
void vt_save_cursor(struct gb_vt *vt);
void vt_restore_cursor(struct gb_vt *vt);
void vt_set_alternate(struct gb_vt *vt, bool on, bool erase);
void vt_reset(struct gb_vt *vt);

/* ---- control.c ---- */

void vt_control(struct gb_vt *vt, uint8_t byte);
void vt_escape(struct gb_vt *vt, uint8_t final);
void vt_csi(struct gb_vt *vt, uint8_t final);
void vt_select_pen(struct gb_vt *vt);
/* Parameter @index; @standard if absent or 0. */
unsigned vt_param(const struct gb_vt *vt, unsigned index, unsigned standard);
