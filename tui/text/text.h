/* SPDX-License-Identifier: Apache-2.0 */
/* A cell's output as lines on a screen: a small interpreter and a bounded store.
 *
 * Theory of operation. A program's output is hostile: none of it reaches the terminal directly. It
 * is interpreted here: UTF-8 in units (unit.h), \n \r \t \b, SGR (16, 256 and 24-bit colours),
 * erase in line, erase below, and cursor movement within the last TEXT_ROWS_MAX lines of the same
 * stream, which is what progress bars use. All other control sequences are skipped, within limits;
 * nothing is ever answered. The result is lines of clean UTF-8 with runs of style.
 *
 * stdout and stderr share one sequence of lines but are interpreted separately: each has its
 * cursor, its colours and its current line. A line is stored when it ends; the open lines of both
 * streams come after the stored ones, so that a progress bar on stderr stays at the bottom while
 * stdout scrolls. A cursor that moves up takes stored lines of its stream back, if they are the
 * last ones.
 *
 * Stored lines are compact: 8 bytes, 12 per run of style, and the text, in blocks of at most 64
 * KiB. When the limit is exceeded the oldest block is dropped; text_dropped() returns how many
 * lines have been. A line of more than TEXT_COLUMNS_MAX columns continues in the next one, which is
 * marked as its continuation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "text/style.h"

enum {
    TEXT_COLUMNS_MAX = 1024,   /* of a stored line */
    TEXT_ROWS_MAX = 32,        /* how far up a cursor can move */
    TEXT_PARAMS_MAX = 24,      /* of a control sequence; one with more is skipped */
    TEXT_STRING_MAX = 1 << 20, /* bytes of a control string (OSC, DCS, …) to skip */
    TEXT_TAB = 8,
};

enum text_stream { TEXT_STDOUT, TEXT_STDERR, TEXT_STREAM_COUNT };

/* Applies from byte @at of a line to the next run. Before the first run: the default style. */
struct text_run {
    uint16_t at;
    uint8_t attributes;
    uint8_t pad;
    uint32_t fg, bg;
};

/* A line, borrowed until the next call for this text. */
struct text_line {
    struct gb_bytes bytes; /* clean UTF-8, without control characters; split it with unit_next() */
    const struct text_run *runs;
    uint16_t run_count;
    uint16_t columns;
    enum text_stream stream;
    bool ascii;     /* one byte per column */
    bool continues; /* the previous line, which was too long */
    bool open;      /* not ended yet */
};

struct text;

/* Keeps at most about @limit bytes of lines. Gives. */
struct text *text_new(size_t limit);
void text_free(struct text *text);

/* Interprets the next bytes of a stream. */
void text_feed(struct text *text, enum text_stream stream, struct gb_bytes bytes);
/* Both streams have ended: stores the open lines. More may follow (from a background process). */
void text_end(struct text *text);
void text_clear(struct text *text);

size_t text_lines(const struct text *text);     /* kept lines, including open ones */
uint64_t text_dropped(const struct text *text); /* lines no longer kept */
/* Bytes fed to a stream. */
uint64_t text_fed(const struct text *text, enum text_stream stream);
/* Offset of the first stored line in the bytes fed to its stream; approximate where the cursor
 * moved back over text. */
uint64_t text_origin(const struct text *text, enum text_stream *ret_stream);
size_t text_bytes(const struct text *text); /* memory used by the lines */
/* Drops the oldest lines until at most @limit bytes are kept (as far as possible in whole
 * blocks). */
void text_trim(struct text *text, size_t limit);

/* Line @index, 0 is the oldest kept; false: none. */
bool text_line(struct text *text, size_t index, struct text_line *ret_line);

/* ---- rows: lines as they are wrapped ---- */

/* The number of rows of all lines wrapped at @width columns (0: not wrapped, one row each). Counted
 * per block and cached for the last width. */
size_t text_rows(struct text *text, unsigned width);
/* The line that row @row belongs to, and the row's index within it. False: past the end. */
bool text_locate(struct text *text, unsigned width, size_t row, size_t *ret_line,
                 unsigned *ret_part);
/* The first row of a line. */
size_t text_row_of(struct text *text, unsigned width, size_t line);
/* The rows of one line; at least 1. */
unsigned text_line_rows(const struct text_line *line, unsigned width);
/* The bytes of row @part of a line: *ret_from .. *ret_to. */
void text_line_part(const struct text_line *line, unsigned width, unsigned part, size_t *ret_from,
                    size_t *ret_to);
/* The style at byte @at of a line. */
struct text_style text_style_at(const struct text_line *line, size_t at);

/* ---- rows that a search finds ---- */

/* A search in lines. Results are cached per block until the block changes or another filter is
 * used, so that a long text is only searched once. */
struct text_filter {
    /* The first match at or after byte @from. */
    bool (*finds)(const void *arg, struct gb_bytes line, size_t from, size_t *ret_start);
    const void *arg;
    uint32_t key;  /* different for each pattern; not 0 */
    size_t budget; /* approximate number of bytes that may be examined; cached results cost
                    * nothing */
    bool rest;     /* set if the budget was too small: there may be further matches */
};

enum text_search { TEXT_FOUND, TEXT_NONE, TEXT_PAUSED };

/* The next row at or after (@direction 1), or at or before (-1), row *@row in which a match starts.
 * TEXT_PAUSED: the budget is used up; continue at *@row. */
enum text_search text_find(struct text *text, unsigned width, struct text_filter *filter,
                           int direction, size_t *row);
/* The number of rows in which a match starts. */
size_t text_found(struct text *text, unsigned width, struct text_filter *filter);
/* The number of those before row @row. */
size_t text_found_before(struct text *text, unsigned width, struct text_filter *filter, size_t row);
/* Such row number @index. False: there is none. */
bool text_found_row(struct text *text, unsigned width, struct text_filter *filter, size_t index,
                    size_t *ret_row);

/* The number of lines that match, or that have one that does among the @around lines before them or
 * after them, also one that is no longer kept. They are found once, and those of new lines as these
 * come. */
size_t text_shown(struct text *text, struct text_filter *filter, unsigned around);
/* Such line number @index. False: there is none. */
bool text_shown_line(struct text *text, struct text_filter *filter, unsigned around, size_t index,
                     size_t *ret_line);

/* Appends the text of all lines to @out, with a newline after each ended one. @stream
 * TEXT_STREAM_COUNT: both. */
void text_copy(struct text *text, enum text_stream stream, struct gb_buf *out);
