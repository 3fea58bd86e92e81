/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the view of a session, among themselves. */
#pragma once

#include "view/files.h"
#include "view/pane.h"
#include "view/session_view.h"
#include "view/stream.h"

enum tab { TAB_CELLS, TAB_OUTPUT, TAB_FILES, TAB_STATS, TAB_COUNT };

/* A step to what is not here yet. */
struct seek {
    uint64_t call;         /* 0: none is under way */
    struct gb_timer *turn; /* the walk goes on in the next turn */
    uint32_t cell;         /* that is asked for, or whose output is read */
    int direction;         /* of a search: 1 or -1 */
    bool around;           /* it must not go on at the other end again */
    bool wrapped;          /* it has gone on there */
    uint64_t left;         /* of the output, before the part that is read came */
    struct stream_place place;
};

struct session_view {
    struct view view;
    char id[STORE_NAME_MAX];
    bool preview;
    enum tab tab;
    struct cells cells;
    struct stream stream; /* of the cells, and of the output alone */
    struct pane pane;
    struct files files;
    uint32_t files_at; /* the last cell when the files were asked for */
    struct store_listener listener;
    uint64_t connection;           /* the one that what follows belongs to */
    int64_t subscription;          /* 0: none */
    uint64_t subscribing, history; /* calls */
    uint32_t part_of;              /* the cell that a part of the output is asked of; 0: none */
    uint32_t coming;               /* cells in front of this one were asked for; 0: none */
    struct seek seek;
    bool history_done, history_unsupported;
    struct region region; /* as last arranged */
    int pane_y;
    bool autofocus; /* the first thing to do is typing */
    bool ran;       /* a cell was run from here */
};

/* The view on top, when it is one of a session. */
struct session_view *session_view_top(struct tui *tui);
/* The session in the store, or NULL. */
struct session *session_view_session(const struct session_view *self);
void session_view_set_tab(struct session_view *self, enum tab tab);
/* The keys go to the prompt. False, and told why, where that must not be. */
bool session_view_type(struct session_view *self);
void session_view_leave(struct session_view *self);
/* Nothing is looked for any more; one stays where one is. */
void session_view_end_search(struct session_view *self);

/* link.c: what the server tells. */
void session_link_open(struct session_view *self);
void session_link_close(struct session_view *self);
/* Before each frame: begins again when the connection was made anew. */
void session_link_check(struct session_view *self);
void session_link_want(void *arg, struct card *card);
bool session_link_want_part(void *arg, struct card *card, enum part_wish wish);
/* Forgets what was asked for because it is in sight; it is asked for again. */
void session_link_drop(struct session_view *self);
bool session_link_want_between(void *arg, uint32_t after, uint32_t before);

/* seek.c: to cells and matches that are not here yet. Each takes the place of the one before. */
void seek_cell(struct session_view *self, uint32_t number);
void seek_top(struct session_view *self);
/* The next match of the search; it is told when there is none. */
void seek_next(struct session_view *self, int direction);
void seek_open(struct session_view *self);
void seek_close(struct session_view *self);
bool seek_active(const struct session_view *self);
/* True: something was on its way. */
bool seek_stop(struct session_view *self);
/* Asks the journal for the next cell that has the text: with numbers below (upwards) or above
 * @from. */
void seek_ask(struct session_view *self, uint32_t from);

/* stats.c: figures of the session. */
void session_stats_draw(const struct session_view *self, struct region region);
