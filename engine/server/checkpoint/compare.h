/* SPDX-License-Identifier: Apache-2.0 */
/* Compares what two guests have printed about their variables and files, and the output of cells.
 * Guests are not trusted: each line is parsed strictly, and lines that are not as they should be
 * are left out. Knows no sessions; may be used in any thread.
 *
 * A list that could not be had is not compared. One that was cut is known up to its last name, so
 * two are compared up to the smaller of these. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/cell.h"
#include "model/diff.h"

enum {
    COMPARE_THINGS_MAX = 20000,  /* in a list */
    COMPARE_BYTES_MAX = 4 << 20, /* of the differences of two lists */
    COMPARE_TEXT_MAX = 4000,     /* bytes of a value that are told */
    COMPARE_OUTPUT_MAX = 1000,   /* bytes of a stream that are told */
    COMPARE_CELLS_MAX = 200,     /* of one moment */
    COMPARE_DIGEST = 32,         /* bytes */
};

/* Lists the files of the home with their digests. Links are not files, and not followed. */
extern const char compare_files_code[];

/* A variable, or a file. Borrows from what was printed. */
struct compare_thing {
    struct gb_bytes name;
    struct gb_bytes type; /* of a variable; empty: a file */
    struct gb_bytes text; /* its value, or its digest */
};

/* Zeroed: empty. */
struct compare_list {
    struct compare_thing *list; /* by name */
    size_t count, capacity;
    bool good; /* it was had, up to where it was cut */
    bool cut;  /* there were more */
};

/* Parses @printed, which is modified, and must outlive the list. @good: the code ended well; @cut:
 * it had printed more. Where memory runs out, the list counts as cut. */
void compare_read_variables(struct compare_list *list, struct gb_buf *printed, bool good, bool cut);
void compare_read_files(struct compare_list *list, struct gb_buf *printed, bool good, bool cut);
void compare_list_release(struct compare_list *list);
/* The order of names: below 0, 0, above 0. */
int compare_bytes(struct gb_bytes a, struct gb_bytes b);

struct compare_changes {
    struct compare_change {
        const struct compare_thing *before, *after; /* NULL: there was none */
    } * list;
    size_t count;
    struct gb_bytes
        known; /* nothing is said about what follows this name; data NULL: nothing does */
    bool many; /* there are more differences than fit */
};

/* How @b differs from @a; borrows from both. */
void compare_lists(const struct compare_list *a, const struct compare_list *b,
                   struct compare_changes *ret_changes);

/* The cells that led to a moment, and what they had printed. Zeroed: none. */
struct compare_cells {
    struct compare_cell {
        uint32_t number;
        bool is_known; /* its result was read, and there is something to tell: */
        bool ok;
        char *out, *err, *value;        /* the beginnings; value NULL: none */
        uint8_t digest[COMPARE_DIGEST]; /* of all of it */
    } list[COMPARE_CELLS_MAX];          /* newest first */
    size_t count;
    bool cut; /* there were more */
};

/* Adds one that is older than the others. False: there is no room. */
bool compare_cells_add(struct compare_cells *cells, uint32_t number);
/* Nothing of it has been read yet. Drops the cells up to this one. */
void compare_cells_drop_until(struct compare_cells *cells, uint32_t cell);
/* The same for two moments of one session: drops those that led to both. */
void compare_cells_drop_common(struct compare_cells *a, struct compare_cells *b);
/* Takes a record, unless the cell is none of them. */
void compare_cells_take(struct compare_cells *cells, const struct gb_cell_info *record);
void compare_cells_release(struct compare_cells *cells);
/* The next difference, by number, from *@a_left and *@b_left on (at first the counts); false: no
 * more. */
bool compare_cells_next(const struct compare_cells *a, const struct compare_cells *b,
                        size_t *a_left, size_t *b_left, struct gb_diff_cell *ret_cell);
