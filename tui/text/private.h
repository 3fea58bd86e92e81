/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the store (store.c) and the interpreter (feed.c) of a text. */
#pragma once

#include "text/unit.h"
#include "text/text.h"

enum {
    BLOCK_SIZE = 64 << 10,
    BLOCK_FIRST_SIZE = 512, /* most cells print little */
    UTF8_MAX = 4,
};

/* Precedes each stored line; runs and bytes follow, padded to 4. */
struct record {
    uint16_t size, runs, columns;
    uint8_t flags;
    uint8_t pad;
};

enum { RECORD_STDERR = 1, RECORD_CONTINUES = 2, RECORD_ASCII = 4 };

struct block {
    uint8_t *data;
    uint32_t used, capacity, lines;
    uint32_t rows_width, rows; /* total of all lines at that width; rows_width UINT32_MAX:
                                * unknown */
    uint32_t found_key, found_width, found; /* rows that match a filter; found_key 0: unknown */
    uint64_t origin[2]; /* start of its first line of each stream, in bytes fed */
};

/* A column of an open line. The second column of a wide unit has unit.size 0. */
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
    PARSE_INTERMEDIATE, /* ESC and 0x20–0x2f: a final byte ends it */
    PARSE_CSI,
    PARSE_CSI_IGNORE, /* unsupported or too long: skip to its final byte */
    PARSE_STRING,     /* OSC, DCS, SOS, PM, APC: skip to BEL or ST */
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
    bool osc; /* the control string is an OSC: a newline ends it too */
    uint32_t string_size;
    uint16_t params[TEXT_PARAMS_MAX];
    uint32_t joined; /* bit i: a colon preceded params[i] */
    uint8_t param_count;
    uint8_t partial[UTF8_MAX];
    uint8_t partial_size;
    uint64_t at;    /* offset of the current byte, of all bytes fed */
    uint64_t ended; /* offset after the last stored line */
};

struct text {
    struct block *blocks;
    size_t block_count, block_capacity;
    size_t lines, bytes, limit; /* totals */
    uint64_t dropped;
    uint32_t recent[TEXT_ROWS_MAX]; /* offsets of the last lines in the last block */
    unsigned recent_count;
    /* A position from which to continue: where line @at_index starts. */
    size_t at_block, at_index, at_line;
    uint32_t at_offset;
    bool at_valid;
    struct gb_buf open;         /* an open line as last returned */
    struct text_around *around; /* around.c; NULL: nothing was found yet */
    struct feed feeds[TEXT_STREAM_COUNT];
};

/* Stores a row, and clears it. */
void text_store_row(struct text *text, enum text_stream stream, struct row *row);
/* Stores a line of printable ASCII in a single style. */
void text_store_ascii(struct text *text, enum text_stream stream, struct gb_bytes bytes,
                      struct text_style style);
/* Removes the last stored line and puts it into @row (which is empty). False: that is not possible
 * for this stream. */
bool text_unstore(struct text *text, enum text_stream stream, struct row *row);

/* The rows of all its lines. */
uint32_t text_block_rows(struct block *block, unsigned width);
/* The end of the row that starts at byte @from; @width is not 0. */
size_t text_row_end(const struct text_line *line, unsigned width, size_t from);

/* The place at @column, below TEXT_COLUMNS_MAX; fills the line with blanks up to it. */
struct place *row_place(struct row *row, unsigned column);
void row_release(struct row *row);

/* No-op on NULL. */
void text_around_free(struct text_around *around);

/* Initialises a feed. */
void feed_init(struct feed *feed);
void feed_release(struct feed *feed);
bool feed_is_open(const struct feed *feed);
