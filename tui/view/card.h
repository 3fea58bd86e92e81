/* SPDX-License-Identifier: Apache-2.0 */
/* A cell as a card: the number of its rows, and each row.
 *
 * A card consists of its head line (state, number, author, figures), the code, the output with
 * stderr marked, the value, pictures, remarks, the files that it changed, and an empty line. The
 * first three columns are ours: guest text is never painted there, so no output can imitate a card.
 * Of undone cells (trail.h) only a line for all of them is shown, unless they are revealed.
 */
#pragma once

#include "screen/grid.h"
#include "view/cells.h"
#include "view/picture.h"
#include "view/search.h"
#include "view/trail.h"

enum {
    CARD_GUTTER = 3,
    CARD_AROUND_MAX = 50, /* lines shown around one that matches */
    CARD_CODE_SHOWN = 16, /* rows of code shown unless it is expanded */
};

/* How cards are shown. */
struct card_look {
    int width;
    const struct gb_language *language; /* NULL: no highlighting */
    bool wrap;                          /* else long lines are truncated */
    bool times;                         /* show the time of day */
    bool output_only;                   /* a thin head line, no code */
    bool hide;                          /* show only lines that match @search */
    unsigned around;                    /* with it: so many lines before and after each, too */
    bool annotated;                     /* show only cells with a bookmark or a note */
    bool marks;                         /* some card is marked as one to return to */
    const struct trail_way *way;        /* only the cells that led to a moment, none of them folded
                                         * away as undone; NULL: all */
    struct picture_look figures;
    struct search *search;          /* its filter limits how much may be examined per frame */
    colour ground, ground_selected; /* of head lines */
    double now;                     /* Unix seconds */
};

/* The content of a card's row. */
enum card_part {
    CARD_PART_UNDONE, /* the line above a group of undone cells */
    CARD_PART_HEAD,
    CARD_PART_REMARK, /* a person's note */
    CARD_PART_CODE,
    CARD_PART_CODE_MORE, /* this many rows of code are not shown */
    CARD_PART_AWAY,      /* the output is only in the journal */
    CARD_PART_EARLIER,   /* earlier output is not loaded */
    CARD_PART_OUTPUT,
    CARD_PART_LATER, /* later output is not loaded */
    CARD_PART_VALUE,
    CARD_PART_DISPLAY,
    CARD_PART_NOTE,
    CARD_PART_FILES,
    CARD_PART_GAP,
    CARD_PART_COUNT
};

size_t card_rows(const struct card *card, const struct card_look *look);

/* The row where a part starts, or would start. */
size_t card_part_row(const struct card *card, const struct card_look *look, enum card_part part);
/* The row of a line of output. */
size_t card_line_row(const struct card *card, const struct card_look *look, size_t line);
/* Whether a part has rows. */
bool card_has(const struct card *card, const struct card_look *look, enum card_part part);

/* What a row contains, determined once per frame. */
struct card_place {
    enum card_part part;
    size_t row;     /* within the part */
    size_t line;    /* of its text; SIZE_MAX: no line */
    unsigned piece; /* index of the row within the line */
    bool is_around; /* it is shown because of a line near it that matches */
    bool is_torn;   /* lines that are not shown are before it */
};

/* Looks up row @row, below card_rows(), and prepares its content for painting. */
void card_find(struct card *card, const struct card_look *look, size_t row,
               struct card_place *ret_place);
/* Paints it on the first row of @region, which is as wide as the look says; a picture may extend
 * into the rows below. */
void card_draw(const struct card *card, const struct card_look *look, struct region region,
               const struct card_place *place, bool selected);

/* The next row at or after (@direction 1), or at or before (-1), row *@row that matches the search.
 * Examines as much as the search's filter allows (TEXT_PAUSED: continue at *@row). */
enum text_search card_search(const struct card *card, const struct card_look *look, int direction,
                             size_t *row);
/* How many matching rows there are before row @row (SIZE_MAX: in the card), as far as the filter
 * allows; in code all rows count, visible or not. */
size_t card_found(const struct card *card, const struct card_look *look, size_t row);

/* The symbol for its state, and its role. */
void card_sign(const struct card *card, const char **ret_sign, enum role *ret_role);
