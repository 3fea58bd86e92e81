/* SPDX-License-Identifier: Apache-2.0 */
/* What the store (store.c) and the interpreter (feed.c) of a text share. */
#pragma once

#include "text/unit.h"
#include "text/text.h"

enum {
    BLOCK_SIZE = 64 << 10,
    BLOCK_FIRST_SIZE = 512, /* most cells print little */
    UTF8_MAX = 4,
};

/* In front of each stored line; runs and bytes follow, padded to 4. */
struct record {
    uint16_t size, runs, columns;
    uint8_t flags;
    uint8_t pad;
};

enum { RECORD_STDERR = 1, RECORD_CONTINUES = 2, RECORD_ASCII = 4 };

struct block {
    uint8_t *data;
    uint32_t used, capacity, lines;
    uint32_t rows_width, rows; /* of all lines at that width; rows_width UINT32_MAX: unknown */
    uint32_t found_key, found_width, found; /* rows that a filter finds; found_key 0: unknown */
    uint64_t origin[2]; /* where its first line of a stream begins, in bytes fed */
};

/* A place of an open line. The second column of a wide unit has unit.size 0. */
struct place {
    struct unit unit;
    struct text_style style;
};

struct row {
    struct place *places;
    uint16_t columns, capacity;
    bool continues;
};

enum parse_state {
    PARSE_GROUND,
    PARSE_ESCAPE,       /* after ESC */
    PARSE_INTERMEDIATE, /* ESC and 0x20–0x2f: one final byte ends it */
    PARSE_CSI,
    PARSE_CSI_IGNORE, /* not ours, or too long: to its final byte */
    PARSE_STRING,     /* OSC, DCS, SOS, PM, APC: to BEL or ST */
    PARSE_STRING_ESCAPE,
    PARSE_STATE_COUNT
};

struct feed {
    struct row rows[TEXT_ROWS_MAX];
    unsigned row_count; /* at least 1 */
    unsigned row, column;
    struct text_style style;
    struct unit_cutter cutter;
    enum parse_state state;
    bool osc; /* the control string is an OSC: a newline ends it, too */
    uint32_t string_size;
    uint16_t params[TEXT_PARAMS_MAX];
    uint32_t joined; /* bit i: params[i] came behind a colon */
    uint8_t param_count;
    uint8_t partial[UTF8_MAX];
    uint8_t partial_size;
    uint64_t at;    /* the byte that is read, of all that were fed */
    uint64_t ended; /* the one behind the last line that was stored */
};

struct text {
    struct block *blocks;
    size_t block_count, block_capacity;
    size_t lines, bytes, limit; /* stored */
    uint64_t dropped;
    uint32_t recent[TEXT_ROWS_MAX]; /* offsets of the last lines of the last block */
    unsigned recent_count;
    /* Where line @at_index begins, to go on from. */
    size_t at_block, at_index, at_line;
    uint32_t at_offset;
    bool at_valid;
    struct gb_buf open; /* an open line as it was last given out */
    struct feed feeds[TEXT_STREAM_COUNT];
};

/* Stores a row, and empties it. */
void text_store_row(struct text *text, enum text_stream stream, struct row *row);
/* Stores a line of printable ASCII in one style. */
void text_store_ascii(struct text *text, enum text_stream stream, struct gb_bytes bytes,
                      struct text_style style);
/* Takes the last stored line back into @row (empty). False: there is none of this stream that can
 * be had. */
bool text_unstore(struct text *text, enum text_stream stream, struct row *row);

/* Rows of all its lines. */
uint32_t text_block_rows(struct block *block, unsigned width);
/* The end of the row that begins at byte @from; @width is not 0. */
size_t text_row_end(const struct text_line *line, unsigned width, size_t from);

/* The place at @column, with blanks up to it; @column below TEXT_COLUMNS_MAX. */
struct place *row_place(struct row *row, unsigned column);
void row_release(struct row *row);

/* Starts a feed anew. */
void feed_init(struct feed *feed);
void feed_release(struct feed *feed);
bool feed_is_open(const struct feed *feed);
