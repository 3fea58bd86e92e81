/* SPDX-License-Identifier: Apache-2.0 */
/* The past of a session, for its cards: the checkpoints to which it can be rewound, and the cells
 * that are undone. Does not paint.
 *
 * Theory of operation. The server's list of checkpoints is read anew whenever one was taken or the
 * session was rewound, because older ones may have been dropped meanwhile. A card has a mark if
 * there is a checkpoint of the moment after its cell. Undone cells that follow each other are a
 * group: it is shown as one line, above its first card, and its cards below that only on request.
 */
#pragma once

#include "view/cells.h"

enum {
    TRAIL_POINTS_MAX = 10000, /* as many as a session may have */
    TRAIL_LANES_MAX = 3,
};

/* A checkpoint. */
struct trail_point {
    uint64_t seq, parent; /* parent 0: none */
    uint32_t cell;        /* the last one that had ended; 0: none */
    double at;            /* Unix time */
    uint64_t bytes;       /* that it takes on disk */
    char *name;           /* that it was given; NULL: none. Untrusted text */
    bool past;            /* the present state follows it */
    uint8_t lane;         /* 0 if it does; else how deep its branch is, at most TRAIL_LANES_MAX */
    bool asked;           /* its cell was requested from the journal */
};

struct trail_points {
    struct trail_point *points; /* by number */
    size_t count, capacity;
    uint64_t here; /* the one that the session follows; 0: none */
};

struct trail {
    struct trail_points now, next; /* next: being read */
    uint64_t change;               /* increases with each new list */
};

/* The cells that led to a moment. */
struct trail_range {
    uint32_t first, last;
};
struct trail_way {
    bool present; /* all that are not undone, whatever the ranges */
    struct trail_range *ranges;
    size_t count;
};

void trail_release(struct trail *trail);
/* Reads a page of `session.checkpoints`, the first if none is being read. Returns the number after
 * which to continue; 0: that was the last one. */
uint64_t trail_read(struct trail *trail, const struct gb_json *result);
/* Drops what has been read of an incomplete list. */
void trail_drop(struct trail *trail);
/* The newest checkpoint of the moment after a cell; NULL: none. */
const struct trail_point *trail_find(const struct trail *trail, uint32_t cell);
/* The checkpoint of a number; NULL: none. */
const struct trail_point *trail_find_number(const struct trail *trail, uint64_t seq);

/* Determines the cells that led to checkpoint @seq; 0: to the present. A cell belongs to the first
 * checkpoint after it, so where checkpoints have been dropped it may be counted to a later branch.
 * Embed @way, zeroed. */
void trail_find_way(const struct trail *trail, uint64_t seq, struct trail_way *way);
void trail_release_way(struct trail_way *way);
bool trail_way_has(const struct trail_way *way, const struct card *card);

/* Marks the cards that one can return to. */
void trail_mark(const struct trail *trail, struct cells *cells);
/* The event `session.rewound`: which cells are undone from now on. @at: Unix time. */
void trail_rewound(struct cells *cells, const struct gb_json *params, double at);
/* Determines the groups of undone cells: call it after any change to the cards. */
void trail_group(struct cells *cells);
/* Shows or hides the cards of the group that @card belongs to. */
void trail_reveal(struct cells *cells, const struct card *card, bool shown);

/* "14:02", and the day if it is not today. */
void trail_clock_text(double at, double now, char *text, size_t room);
/* The line above a group: which cells, and when. */
void trail_group_text(const struct card *first, double now, char *text, size_t room);

/* What a rewind to @point takes back, as a question: which cells, and how many files they changed.
 */
void trail_question(const struct trail *trail, const struct cells *cells,
                    const struct trail_point *point, struct gb_buf *text);
