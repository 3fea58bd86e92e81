/* SPDX-License-Identifier: Apache-2.0 */
/* What a cell prints, as lines on a screen: a small interpreter and a bounded store.
 *
 * Theory of operation. A program's bytes are hostile: nothing of them reaches the terminal. They
 * are interpreted here: UTF-8 in units (unit.h), \n \r \t \b, SGR (16, 256 and 24-bit colours),
 * erase in line, erase below, and cursor movement within the last TEXT_ROWS_MAX lines of the same
 * stream, which is what progress bars use. Every other control sequence is swallowed whole, within
 * limits; nothing is ever answered. What is left is lines of clean UTF-8 with runs of style.
 *
 * stdout and stderr share the order of lines but are interpreted apart: each has its cursor, its
 * colours and the line that it writes now. A line joins the store when it is ended; the open lines
 * of both streams stand behind the stored ones, so a progress bar on stderr stays at the bottom
 * while stdout scrolls. A cursor that moves up takes stored lines of its stream back, as long as
 * they are the last.
 *
 * Stored lines are compact: 8 bytes, 12 per run of style, and the text, in blocks of at most 64
 * KiB. When the limit is passed the oldest block goes; text_dropped() tells how many lines that
 * were. A line of more than TEXT_COLUMNS_MAX columns goes on in the next one, marked as its
 * continuation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "text/style.h"

enum {
    TEXT_COLUMNS_MAX = 1024,   /* of a stored line */
    TEXT_ROWS_MAX = 32,        /* that a cursor can move up */
    TEXT_PARAMS_MAX = 24,      /* of a control sequence; more: it is swallowed */
    TEXT_STRING_MAX = 1 << 20, /* bytes of a control string (OSC, DCS, …) that are swallowed */
    TEXT_TAB = 8,
};

enum text_stream { TEXT_STDOUT, TEXT_STDERR, TEXT_STREAM_COUNT };

/* From byte @at of a line on, until the next run. Before the first run: the default style. */
struct text_run {
    uint16_t at;
    uint8_t attributes;
    uint8_t pad;
    uint32_t fg, bg;
};

/* A line, borrowed until the next call for this text. */
struct text_line {
    struct gb_bytes bytes; /* clean UTF-8, without control characters; cut it by unit_next() */
    const struct text_run *runs;
    uint16_t run_count;
    uint16_t columns;
    enum text_stream stream;
    bool ascii;     /* a byte is a column */
    bool continues; /* the one before, which was too long */
    bool open;      /* not ended yet */
};

struct text;

/* Keeps at most about @limit bytes of lines. Gives. */
struct text *text_new(size_t limit);
void text_free(struct text *text);

/* Interprets the next bytes of a stream. */
void text_feed(struct text *text, enum text_stream stream, struct gb_bytes bytes);
/* Both streams have ended: what was open is stored. More may follow (a background process). */
void text_end(struct text *text);
void text_clear(struct text *text);

size_t text_lines(const struct text *text);     /* kept, open ones too */
uint64_t text_dropped(const struct text *text); /* lines that were kept once */
/* Bytes of a stream that were fed. */
uint64_t text_fed(const struct text *text, enum text_stream stream);
/* The byte at which the first stored line begins, of all that was fed to its stream; about, where a
 * cursor went back over what stood there. */
uint64_t text_origin(const struct text *text, enum text_stream *ret_stream);
size_t text_bytes(const struct text *text); /* memory that the lines take */
/* Drops the oldest lines until at most @limit bytes are kept (as far as whole blocks allow). */
void text_trim(struct text *text, size_t limit);

/* Line @index, 0 is the oldest kept; false: there is none. */
bool text_line(struct text *text, size_t index, struct text_line *ret_line);

/* ---- rows: lines as they are wrapped ---- */

/* Rows that all lines take when wrapped at @width columns (0: not wrapped, a row each). Counted
 * block by block and remembered for the last width. */
size_t text_rows(struct text *text, unsigned width);
/* The line that row @row belongs to, and which of its rows that is. False: beyond the end. */
bool text_locate(struct text *text, unsigned width, size_t row, size_t *ret_line,
                 unsigned *ret_part);
/* The first row of a line. */
size_t text_row_of(struct text *text, unsigned width, size_t line);
/* Rows of one line; at least 1. */
unsigned text_line_rows(const struct text_line *line, unsigned width);
/* The bytes of row @part of a line: *ret_from .. *ret_to. */
void text_line_part(const struct text_line *line, unsigned width, unsigned part, size_t *ret_from,
                    size_t *ret_to);
/* The style at byte @at of a line. */
struct text_style text_style_at(const struct text_line *line, size_t at);

/* ---- rows that a search finds ---- */

/* Looks for something in lines. What it found is remembered for each block, until the block changes
 * or another filter comes, so that a long text is gone through once. */
struct text_filter {
    /* The first match at or behind byte @from. */
    bool (*finds)(const void *arg, struct gb_bytes line, size_t from, size_t *ret_start);
    const void *arg;
    uint32_t key;  /* another one for another pattern; not 0 */
    size_t budget; /* bytes that may be looked at, about; what is remembered costs nothing */
    bool rest;     /* set where that was too little: more may be found */
};

enum text_search { TEXT_FOUND, TEXT_NONE, TEXT_PAUSED };

/* The next row at or behind (@direction 1), at or before (-1) row *@row in which a match begins.
 * TEXT_PAUSED: the budget is used up, *@row says where to go on. */
enum text_search text_find(struct text *text, unsigned width, struct text_filter *filter,
                           int direction, size_t *row);
/* How many rows there are in which a match begins. */
size_t text_found(struct text *text, unsigned width, struct text_filter *filter);
/* The same of those before row @row. */
size_t text_found_before(struct text *text, unsigned width, struct text_filter *filter, size_t row);
/* The row of number @index of them. False: there is none. */
bool text_found_row(struct text *text, unsigned width, struct text_filter *filter, size_t index,
                    size_t *ret_row);

/* Adds the text of all lines to @out, a newline behind each that is ended. @stream
 * TEXT_STREAM_COUNT: of both. */
void text_copy(struct text *text, enum text_stream stream, struct gb_buf *out);
