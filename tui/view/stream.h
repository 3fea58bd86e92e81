/* SPDX-License-Identifier: Apache-2.0 */
/* Cards one under the other: what is in sight, where one stands, following the end. */
#pragma once

#include "view/card.h"

struct stream {
    struct cells *cells;
    struct card_look look;
    struct search search;
    bool follow;                       /* the end stays in sight */
    const struct card *top, *selected; /* may be gone: checked before use */
    size_t top_row;                    /* of `top`, in the first row in sight */
    int height;                        /* as last arranged */
    const struct card *match;          /* what the search stands at */
    size_t match_row;
    struct {
        bool valid, known;
        uint64_t change;
        const struct card *match;
        size_t row, at, count;
        int width;
        bool hide;
        uint32_t key;
    } counted; /* the matches, as counted last */
    struct {
        const struct card *card;
        struct card_place place;
    } rows[GRID_SIDE_MAX]; /* what each row in sight shows; card NULL: nothing */
    bool moved;            /* since a part of an output was asked for */
    bool unfinished;       /* there was more to look at than a frame may; the next one goes on */
    /* For stream_ask(): for the output of a card that is away, for another part of one (true: it
     * comes), for cells between two numbers that are not here (likewise). */
    void (*want)(void *arg, struct card *card);
    bool (*want_part)(void *arg, struct card *card, enum part_wish wish);
    bool (*want_between)(void *arg, uint32_t after, uint32_t before);
    void *arg;
};

/* Embed it. Borrows @cells. */
void stream_init(struct stream *stream, struct cells *cells);
/* Each frame in three steps. What is in sight in a region of this size: looks at as much of what is
 * searched as a frame may. Asks for nothing. */
void stream_arrange(struct stream *stream, int width, int height, double now);
/* Paints that: everything that it shows has been settled. */
void stream_draw(const struct stream *stream, struct region region, bool focused);
/* Asks for what is in sight and not here. */
void stream_ask(struct stream *stream);

/* Where one stands in a card, while a part of its output is exchanged. */
struct stream_hold {
    struct card *card;
    size_t top, begin, end,
        rows; /* rows: of the first in sight, of the edges of the part, of all */
};
/* Around the exchange: what is in sight stays there. @card: the one whose wish is fulfilled. */
void stream_hold(struct stream *stream, struct card *card, struct stream_hold *ret_hold);
void stream_release(struct stream *stream, const struct stream_hold *hold, enum part_wish wish);

/* Moves what is in sight; @rows negative: up. */
void stream_scroll(struct stream *stream, long rows);
void stream_page(struct stream *stream, int direction);
void stream_to_top(struct stream *stream);
void stream_to_end(struct stream *stream);
/* Selects the next (1) or previous (-1) cell and brings it into sight. */
void stream_step(struct stream *stream, int direction);
/* The cell that stands under the cursor; NULL when there is none. */
struct card *stream_selected(const struct stream *stream);
void stream_select(struct stream *stream, const struct card *card);
/* Where a search stands. */
struct stream_place {
    struct card *card;   /* may be gone: looked for before use */
    size_t row;          /* to be looked at next */
    bool done;           /* nothing more in what is here of the card */
    bool known;          /* it has the text, so what is not here of it is to be read */
    bool deep;           /* a part of its output was read behind another */
    bool passed;         /* there is no more of it than was looked at */
    enum part_wish wish; /* what of its output is next, and not here */
    bool paused;         /* rows up to this one were looked at, in a card shown whole: */
    size_t resume;
    int width; /* of rows then */
};

enum stream_found {
    STREAM_FOUND,
    STREAM_UNSURE, /* the card at the place is not all here: the place has the wish */
    STREAM_GAP,    /* behind it there are cells that are not here */
    STREAM_END,    /* behind it there is no card */
    STREAM_PAUSED, /* that was enough for one turn: go on from the place */
};

/* From the last match, or from what is in sight. */
void stream_begin(struct stream *stream, int direction, struct stream_place *ret_place);
/* On to the next row that the search finds, or to where that cannot be said, or as far as one turn
 * of the loop may take. There has to be a card. */
enum stream_found stream_walk(struct stream *stream, int direction, struct stream_place *place);
/* Brings what was found into sight. */
void stream_show(struct stream *stream, const struct stream_place *place);
/* Counts matches, as far as a frame may. */
void stream_count(struct stream *stream);
/* Which match one stands at, and how many there are, as counted; false where that is not known: not
 * all is here, or the count is not finished. */
bool stream_counted(const struct stream *stream, size_t *ret_at, size_t *ret_count);
/* A click on row @y. True: it was on a head line. */
bool stream_click(struct stream *stream, int y);
