/* SPDX-License-Identifier: Apache-2.0 */
/* A cell as a card: how many rows it takes, and each row of it.
 *
 * A card is its head line (state, number, author, figures), the code, the output with stderr apart,
 * the value, figures, remarks, the files that it changed, and an empty line. The first three
 * columns belong to us: nothing of a guest is ever painted there, so no output can look like a
 * card.
 */
#pragma once

#include "screen/grid.h"
#include "view/cells.h"
#include "view/picture.h"
#include "view/search.h"

enum {
    CARD_GUTTER = 3,
    CARD_CODE_SHOWN = 16, /* rows of code until it is asked for whole */
};

/* How cards are shown. */
struct card_look {
    int width;
    const struct gb_language *language; /* NULL: nothing is coloured */
    bool wrap;                          /* else long lines are cut */
    bool times;                         /* with the time of day */
    bool output_only;                   /* a thin head line, no code */
    bool hide;                          /* only lines that @search finds */
    struct picture_look figures;
    struct search *search; /* what it may look at while a frame is painted is in its filter */
    colour ground, ground_selected; /* of head lines */
    double now;                     /* Unix seconds */
};

/* What a row of a card shows. */
enum card_part {
    CARD_PART_HEAD,
    CARD_PART_CODE,
    CARD_PART_CODE_MORE, /* so many rows of code are not shown */
    CARD_PART_AWAY,      /* the output is in the journal */
    CARD_PART_EARLIER,   /* what was printed before is not here */
    CARD_PART_OUTPUT,
    CARD_PART_LATER, /* nor is what was printed behind it */
    CARD_PART_VALUE,
    CARD_PART_DISPLAY,
    CARD_PART_NOTE,
    CARD_PART_FILES,
    CARD_PART_GAP,
    CARD_PART_COUNT
};

size_t card_rows(const struct card *card, const struct card_look *look);

/* The row at which a part begins, or would. */
size_t card_part_row(const struct card *card, const struct card_look *look, enum card_part part);
/* The row of a line of the output. */
size_t card_line_row(const struct card *card, const struct card_look *look, size_t line);
/* Whether a part has rows. */
bool card_has(const struct card *card, const struct card_look *look, enum card_part part);

/* What a row is, found once for each frame. */
struct card_place {
    enum card_part part;
    size_t row;     /* within the part */
    size_t line;    /* of its text; SIZE_MAX: it has none */
    unsigned piece; /* the row within the line */
};

/* Finds row @row, below card_rows(), and readies what it shows to be painted. */
void card_find(struct card *card, const struct card_look *look, size_t row,
               struct card_place *ret_place);
/* Paints it into the first row of @region, which is as wide as the look says; a figure may reach
 * into those below. */
void card_draw(const struct card *card, const struct card_look *look, struct region region,
               const struct card_place *place, bool selected);

/* The next row at or behind (@direction 1), or at or before (-1) row *@row that the search finds.
 * It looks at as much as the search's filter allows (TEXT_PAUSED: *@row says where to go on). */
enum text_search card_search(const struct card *card, const struct card_look *look, int direction,
                             size_t *row);
/* How many rows before row @row (SIZE_MAX: of the card) the search finds, within what its filter
 * allows; of code all rows count, whether they are shown or not. */
size_t card_found(const struct card *card, const struct card_look *look, size_t row);

/* The symbol of its state, and the role of it. */
void card_sign(const struct card *card, const char **ret_sign, enum role *ret_role);
