/* SPDX-License-Identifier: Apache-2.0 */
/* A cell, as the server sends it, the journal stores it and clients read it. Bytes borrow from
 * whoever built the struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/flags.h"
#include "model/member.h"

struct gb_cell_info {
    struct gb_bytes session; /* its id */
    uint32_t number;         /* 1, 2, … */
    uint32_t incarnation;    /* of the session */
    uint8_t state;           /* enum gb_cell_state */
    uint8_t mode;            /* enum gb_mode */
    uint32_t flags;          /* enum gb_cell_flags */
    int64_t exit_code;       /* 0–255, or −1 if it did not exit */
    uint32_t signal;         /* number, or 0 */
    uint32_t error;          /* enum gb_code if it has no result */
    uint64_t started_at_ns;  /* wall clock; 0: it never ran */
    uint64_t wall_ns, cpu_ns, peak_memory;
    uint64_t rolled_back; /* the checkpoint; with GB_CELL_ROLLED_BACK */
    uint32_t rolled_back_cell, rolled_back_lost;
    uint64_t dropped_stdout, dropped_stderr;     /* bytes of output that were dropped */
    uint64_t stdout_bytes, stderr_bytes, offset; /* with GB_CELL_HAS_SIZES, GB_CELL_HAS_PART */
    struct gb_bytes client, image, code, out, err, value, note, message, prompt;
    struct gb_bytes file, argv; /* of a program; argv: each argument followed by a NUL, the name
                                 * first */
    struct gb_items displays;   /* struct gb_display_info */
    struct gb_items files;      /* struct gb_file_info */
    struct gb_bytes annotation, annotator; /* with GB_CELL_ANNOTATED: a person's note; empty: none;
                                            * the client that changed it last; empty: unnamed */
    uint64_t annotated_at_ns;
    struct gb_bytes pace;  /* timing of the output: gb_pace_next() */
    const void *pace_json; /* the same in a client */
};

/* A figure or other rich output. */
struct gb_display_info {
    struct gb_bytes mime, data;
    uint64_t size;  /* in bytes; set where the data is absent */
    uint32_t flags; /* enum gb_display_flags */
};

enum gb_display_flags {
    GB_DISPLAY_HAS_DATA = 1 << 0,
    GB_DISPLAY_HAS_SIZE = 1 << 1,
    GB_DISPLAY_BASE64 = 1 << 2, /* the data is in base64 */
};

/* A file that a cell changed. */
struct gb_file_info {
    struct gb_bytes path; /* below the home */
    uint8_t change;       /* enum gb_change */
    uint64_t size;        /* current size; 0 if removed */
    uint32_t flags;       /* enum gb_file_info_flags */
};

enum gb_file_info_flags { GB_FILE_INFO_BASE64 = 1 << 0 };

extern const struct gb_object gb_cell_object, gb_display_object, gb_file_info_object;

/* Makes it brief, as in events: drops the output and the data of displays, keeping their sizes, and
 * truncates code and value. */
void gb_cell_make_brief(struct gb_cell_info *cell);
/* Truncates the code to at most @most bytes, never splitting a character. */
void gb_cell_cut_code(struct gb_cell_info *cell, size_t most);
