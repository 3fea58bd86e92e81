/* SPDX-License-Identifier: Apache-2.0 */
/* Cards stacked vertically: what is visible, the selection, following the end. */
#pragma once

#include "view/card.h"

struct stream {
    struct cells *cells;
    struct card_look look;
    struct search search;
    bool follow;                       /* keep the end visible */
    const struct card *top, *selected; /* may be freed: check before use */
    size_t top_row;                    /* row of `top` that is the first visible one */
    int height;                        /* as last arranged */
    const struct card *match;          /* the card of the current match */
    size_t match_row;
    struct {
        bool valid, known;
        uint64_t change;
        const struct card *match;
        size_t row, at, count;
        int width;
        bool hide, annotated;
        unsigned around;
        uint32_t key;
    } counted; /* matches, as last counted */
    struct {
        const struct card *card;
        struct card_place place;
    } rows[GRID_SIDE_MAX]; /* what each visible row shows; card NULL: nothing */
    bool moved;            /* since a part of an output was requested */
    bool unfinished;       /* there was more to examine than a frame allows; the next one
                            * continues */
    /* Called by stream_ask(): to request the output of a card that is away, another part of one
     * (true: requested), and cells missing between two numbers (likewise). */
    void (*want)(void *arg, struct card *card);
    bool (*want_part)(void *arg, struct card *card, enum part_wish wish);
    bool (*want_between)(void *arg, uint32_t after, uint32_t before);
    void *arg;
};

/* Embed it. Borrows @cells. */
void stream_init(struct stream *stream, struct cells *cells);
/* Each frame takes three steps. Determines what is visible in a region of this size, and searches
 * as much as a frame allows. Requests nothing. */
void stream_arrange(struct stream *stream, int width, int height, double now);
/* Paints that: its content is fixed by now. */
void stream_draw(const struct stream *stream, struct region region, bool focused);
/* Requests what is visible but not loaded. */
void stream_ask(struct stream *stream);

/* The position in a card while a part of its output is being replaced. */
struct stream_hold {
    struct card *card;
    size_t top, begin, end,
        rows; /* rows: of the first visible one, of the edges of the part, total */
};
/* Call these before and after replacing the part, so that what is visible stays in place. @card:
 * the one whose request was answered. */
void stream_hold(struct stream *stream, struct card *card, struct stream_hold *ret_hold);
void stream_release(struct stream *stream, const struct stream_hold *hold, enum part_wish wish);

/* Scrolls; negative @rows: up. */
void stream_scroll(struct stream *stream, long rows);
void stream_page(struct stream *stream, int direction);
void stream_to_top(struct stream *stream);
void stream_to_end(struct stream *stream);
/* Selects the next (1) or previous (-1) cell and makes it visible. */
void stream_step(struct stream *stream, int direction);
/* The selected cell; NULL if there is none. */
struct card *stream_selected(const struct stream *stream);
void stream_select(struct stream *stream, const struct card *card);
/* The position of a search. */
struct stream_place {
    struct card *card;   /* may be freed: look it up before use */
    size_t row;          /* to examine next */
    bool done;           /* nothing more in the loaded part of the card */
    bool known;          /* the cell is known to contain the text: load the rest of it */
    bool deep;           /* a further part of its output was loaded */
    bool passed;         /* all of it has been examined */
    enum part_wish wish; /* the part of its output to load next */
    bool paused;         /* rows up to this one have been examined, with the card shown whole: */
    size_t resume;
    int width; /* the number of rows then */
};

enum stream_found {
    STREAM_FOUND,
    STREAM_UNSURE, /* the card at this position is not fully loaded: see its wish */
    STREAM_GAP,    /* cells that are not loaded follow */
    STREAM_END,    /* no further card */
    STREAM_PAUSED, /* enough for one loop iteration: continue from the position */
};

/* Starts from the last match, or from what is visible. */
void stream_begin(struct stream *stream, int direction, struct stream_place *ret_place);
/* Moves to the next row that matches, or to where that cannot be determined, or as far as one loop
 * iteration allows. There must be a card. */
enum stream_found stream_walk(struct stream *stream, int direction, struct stream_place *place);
/* Makes the match visible. */
void stream_show(struct stream *stream, const struct stream_place *place);
/* Counts matches, as far as a frame allows. */
void stream_count(struct stream *stream);
/* The index of the current match and their number, as last counted; false if unknown: not
 * everything is loaded, or the count is not finished. */
bool stream_counted(const struct stream *stream, size_t *ret_at, size_t *ret_count);
/* Selects the cell at row @y. False: there is none. */
bool stream_point(struct stream *stream, int y);
/* The same for a click; on the line of undone cells it shows or hides them. True: it hit a head
 * line. */
bool stream_click(struct stream *stream, int y);
