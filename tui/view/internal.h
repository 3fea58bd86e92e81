/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parts of the session view. */
#pragma once

#include "show/filter.h"
#include "view/files.h"
#include "view/pane.h"
#include "view/reach.h"
#include "view/shells.h"
#include "view/timeline.h"
#include "view/trail.h"
#include "view/session_view.h"
#include "view/stream.h"

enum tab {
    TAB_CELLS,
    TAB_OUTPUT,
    TAB_FILES,
    TAB_STATS,
    TAB_PAST,
    TAB_NETWORK,
    TAB_SHELLS,
    TAB_COUNT
};
#define TABS_TEXT "cells, output, files, stats, past, net or shells"

enum { SAVE_NAME_MAX = 64 };

/* A step towards something that is not loaded yet. */
struct seek {
    uint64_t call;         /* 0: none in progress */
    struct gb_timer *turn; /* continues the walk in the next loop iteration */
    uint32_t cell;         /* that is requested, or whose output is being loaded */
    int direction;         /* of the search: 1 or -1 */
    bool around;           /* it must not wrap around again */
    bool wrapped;          /* it has wrapped around */
    uint64_t left;         /* start of the output before the loaded part arrived */
    struct stream_place place;
};

/* What is being saved (save.c). */
struct save {
    uint64_t call; /* 0: nothing */
    uint32_t cell;
    size_t figure;                /* from 1; 0: the output */
    const struct save_type *type; /* of the figure */
    bool show;                    /* it is for a viewer, in a folder of its own */
    bool may_open;                /* the figure is a picture of its type */
    char *path;
    struct local *local;
    uint64_t read, written; /* bytes of the journal, and of the file */
    uint64_t left_out;      /* bytes of the output that the journal does not have */
    struct filter filter;   /* of output for a pager */
};
/* What the user wants to save: see above. */
struct save_what {
    uint32_t cell;
    size_t figure;
    const struct save_type *type;
    char name[SAVE_NAME_MAX]; /* of a file for it */
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
    uint32_t files_at; /* the last cell when the files were requested */
    struct store_listener listener;
    uint64_t connection;           /* the connection that the following members belong to */
    int64_t subscription;          /* 0: none */
    uint64_t subscribing, history; /* calls */
    bool every_kind;  /* subscribed to events of all kinds: the server does not know some of ours */
    uint32_t part_of; /* the cell of which a part of the output was requested; 0: none */
    uint32_t coming;  /* cells before this one were requested; 0: none */
    struct seek seek;
    struct {
        uint64_t call;       /* 0: none in progress */
        uint64_t refreshing; /* likewise, of what is loaded */
        uint64_t loading;    /* likewise, of all, to show only them */
        uint32_t cell, from; /* cell: of the note that is being typed; from: where the next
                              * bookmark is looked for */
        bool up, around;     /* around: from the other end already */
        bool stale;          /* a reply may have undone what an event said */
    } bookmark;
    struct trail trail;
    uint64_t trail_call;                  /* 0: none in progress */
    char trail_error[GB_ERR_MESSAGE_MAX]; /* why there is no list; empty: there is one */
    struct timeline timeline;
    struct reach_tab reach;
    struct shells shells;
    struct save save;
    struct save_what save_what; /* for which a path is being asked */
    bool trail_stale; /* the list of checkpoints may have changed since it was requested */
    uint64_t back_to; /* the checkpoint that the user is asked about */
    bool history_done, history_unsupported;
    struct region region; /* as last arranged */
    int pane_y;
    bool autofocus; /* start with the prompt focused */
    bool ran;       /* a cell was run from here */
    /* While the display is frozen. */
    struct {
        bool on, followed, known;
        const struct card *top; /* where it stood; only compared */
        size_t top_row;
        struct session session; /* as it was; known: there is one */
    } still;
};

/* The top view, if it is a session's. */
struct session_view *session_view_top(struct tui *tui);
/* The session in the store, or NULL. */
struct session *session_view_session(const struct session_view *self);
/* The same for its figures: while the display is frozen, as it was then. */
const struct session *session_view_figures(const struct session_view *self);
void session_view_set_tab(struct session_view *self, enum tab tab);
const char *session_view_tab_name(enum tab tab);
/* Focuses the prompt. False, and reports why, if that is not allowed. */
bool session_view_type(struct session_view *self);
void session_view_leave(struct session_view *self);
void session_view_run_type(struct tui *tui, const struct words *words);
void session_view_run_shell(struct tui *tui, const struct words *words);
/* Whether the user may change the session. False: reported. */
bool session_view_may_act(const struct session_view *self);
/* The files that are shown: the session's, or those of a moment of its past. */
struct files *session_view_files(struct session_view *self);
/* How pictures are drawn on this terminal. */
void session_view_figure_look(const struct session_view *self, struct picture_look *look);
/* Folds or unfolds a cell, or the group of undone cells that it begins. */
void session_view_fold(struct session_view *self, struct card *card);
/* Ends the search; the position stays. */
void session_view_end_search(struct session_view *self);

/* link.c: what the server sends. */
void session_link_open(struct session_view *self);
void session_link_close(struct session_view *self);
/* Called before each frame: starts over after a reconnection. */
void session_link_check(struct session_view *self);
void session_link_want(void *arg, struct card *card);
bool session_link_want_part(void *arg, struct card *card, enum part_wish wish);
/* Cancels requests for what is visible; they are made again if needed. */
void session_link_drop(struct session_view *self);
bool session_link_want_between(void *arg, uint32_t after, uint32_t before);

/* seek.c: moving to cells and matches that are not loaded yet. Each call replaces the previous
 * one. */
void seek_cell(struct session_view *self, uint32_t number);
void seek_top(struct session_view *self);
/* The next match of the search; reports if there is none. */
void seek_next(struct session_view *self, int direction);
void seek_open(struct session_view *self);
void seek_close(struct session_view *self);
bool seek_active(const struct session_view *self);
/* True: a seek was in progress. */
bool seek_stop(struct session_view *self);
/* Asks the journal for the next cell containing the text: with a number below (upwards) or above
 * @from. */
void seek_ask(struct session_view *self, uint32_t from);

/* bookmark.c. The connection is new: what was requested on the last one is void. */
void bookmark_forget(struct session_view *self);
/* Events may have been missed: asks which of the loaded cells have a bookmark or a note. */
void bookmark_refresh(struct session_view *self);
/* Before a frame: refreshes them if an answer may have undone what an event said. */
void bookmark_check(struct session_view *self);
/* Shows all cells again: true if only annotated ones were shown. */
bool bookmark_back(struct session_view *self);
/* A cell got a bookmark or a note, or lost it. */
void bookmark_on_annotated(struct session_view *self, uint32_t cell);
void bookmark_close(struct session_view *self);

/* travel.c: the session's past. */
/* The connection is new: what was requested on the last one is void. */
void travel_forget(struct session_view *self);
/* Requests the list of checkpoints. */
void travel_refresh(struct session_view *self);
void travel_event(struct session_view *self, const struct store_event *event);
void travel_close(struct session_view *self);
/* Asks, and takes the session back to that checkpoint. */
void travel_ask_rewind(struct session_view *self, const struct trail_point *point);
void travel_run_undo(struct tui *tui, const struct words *words);
void travel_run_redo(struct tui *tui, const struct words *words);
void travel_run_rewind(struct tui *tui, const struct words *words);
void travel_run_fork(struct tui *tui, const struct words *words);
void travel_run_checkpoint(struct tui *tui, const struct words *words);

/* save.c */
void save_run(struct tui *tui, const struct words *words);
void save_run_show(struct tui *tui, const struct words *words);
/* The connection is lost: what was being saved is not. */
void save_forget(struct session_view *self);
void save_close(struct session_view *self);

/* tabs.c */
void tabs_draw(const struct session_view *self, struct region row);
/* A click on column @at of their line. */
void tabs_click(struct session_view *self, int at);
void tabs_run(struct tui *tui, const struct words *words);
void tabs_run_next(struct tui *tui, const struct words *words);
void tabs_run_previous(struct tui *tui, const struct words *words);

/* The rows of the tabs for the table of a context. */
#define TAB_ROW(name, help, key, context)                                                          \
    {                                                                                              \
        name, "", help, key, NULL, context, ARGUMENT_NONE, tabs_run                                \
    }
#define TAB_ROWS(context)                                                                          \
    {"tab", "NAME", "show " TABS_TEXT, NULL, NULL, context, ARGUMENT_NONE, tabs_run},              \
        TAB_ROW("tab cells", "the cells", "1", context),                                           \
        TAB_ROW("tab output", "what they printed, alone", "2", context),                           \
        TAB_ROW("tab files", "the files of the session", "3", context),                            \
        TAB_ROW("tab stats", "what the session takes, and took", "4", context),                    \
        TAB_ROW("tab past", "the moments that it can go back to, and how it was then", "5",        \
                context),                                                                          \
        TAB_ROW("tab net", "its ports and connections", "6", context),                             \
        TAB_ROW("tab shells", "programs at terminals in it", "7", context),                        \
        {"tab-next", "", "the next tab", "]", "tab", context, ARGUMENT_NONE, tabs_run_next},       \
    {                                                                                              \
        "tab-previous", "", "the tab before", "[", NULL, context, ARGUMENT_NONE, tabs_run_previous \
    }

/* timeline.c: the tab of the past. */
void timeline_open(struct session_view *self);
void timeline_close(struct session_view *self);
/* The connection is new: the fork ended with the last one. */
void timeline_forget(struct session_view *self);
void timeline_arrange(struct session_view *self, struct region region);
void timeline_ask(struct session_view *self);
/* Goes back one step: true if there was one. */
bool timeline_back(struct session_view *self);
/* A turn of the wheel. */
void timeline_wheel(struct session_view *self, int x, long rows);
/* Whether files of a moment are shown. */
bool timeline_shows_files(const struct session_view *self);
/* The row of the list under the cursor; the number of checkpoints: the present. */
size_t timeline_row(const struct session_view *self);
/* timeline_draw.c */
struct timeline_regions {
    struct region list, head, cells, files;
};
void timeline_split(const struct timeline *timeline, struct region region,
                    struct timeline_regions *ret_regions);
void timeline_draw(const struct session_view *self, struct region region, bool focused);

/* reach_tab.c: the tab of the network. */
/* Reads what is new, if anything is. */
void reach_refresh(struct session_view *self);
void reach_on_event(struct session_view *self, const struct store_event *event);
/* The connection is new: what was requested on the last one is void. */
void reach_forget(struct session_view *self);
void reach_close_tab(struct session_view *self);
void reach_arrange(struct session_view *self, struct region region);
void reach_move(struct session_view *self, long rows);
/* The questions that wait, oldest first; NULL: none. */
const struct question *reach_questions(const struct session_view *self);
size_t reach_count(const struct session_view *self);
void reach_item(const struct session_view *self, size_t index, struct reach_item *ret_item);
/* reach_draw.c */
struct reach_regions {
    struct region head, headings, list, details;
};
void reach_split(struct region region, struct reach_regions *ret_regions);
void reach_draw(const struct session_view *self, struct region region, bool focused);

/* shells.c: the tab of the programs at terminals. */
void shells_open(struct session_view *self);
void shells_close(struct session_view *self);
/* Reads the list, if it may have changed. */
void shells_refresh(struct session_view *self);
void shells_on_event(struct session_view *self, const struct store_event *event);
/* The connection is new: nothing is watched on it. */
void shells_forget(struct session_view *self);
/* The tab is not shown any more. */
void shells_leave(struct session_view *self);
void shells_arrange(struct session_view *self, struct region region);
/* Watches the terminal under the cursor. */
void shells_ask(struct session_view *self);
void shells_move(struct session_view *self, long rows);
/* The index of the one under the cursor, and itself; NULL: there is none. */
size_t shells_row(const struct session_view *self);
const struct shell *shells_selected(const struct session_view *self);
/* shells_draw.c */
struct shells_regions {
    struct region list, head, screen;
};
void shells_split(const struct shells *shells, struct region region,
                  struct shells_regions *ret_regions);
void shells_draw(const struct session_view *self, struct region region, bool focused);

/* stats.c: statistics of the session. */
void session_stats_draw(const struct session_view *self, struct region region);
