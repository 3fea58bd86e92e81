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
    int height;                        /* as last drawn */
    const struct card *match;          /* what the search stands at */
    size_t match_row;
    struct {
        const struct card *card;
        size_t row;
    } rows[GRID_SIDE_MAX]; /* what each row in sight shows */
    bool moved;            /* since a part of an output was asked for */
    /* Asked while drawing: for the output of a card that is away, for another part of one (true: it
     * comes), for cells before the first. */
    void (*want)(void *arg, struct card *card);
    bool (*want_part)(void *arg, struct card *card, enum part_wish wish);
    void (*want_older)(void *arg, uint32_t first);
    void *arg;
};

/* Embed it. Borrows @cells. */
void stream_init(struct stream *stream, struct cells *cells);
void stream_draw(struct stream *stream, struct region region, bool focused, double now);

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
/* The next match in @direction; false: there is none. */
bool stream_find(struct stream *stream, int direction);
/* A click on row @y. True: it was on a head line. */
bool stream_click(struct stream *stream, int y);
