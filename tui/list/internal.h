/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parts of the list. */
#pragma once

#include "app/tui.h"
#include "list/list.h"
#include "list/rows.h"
#include "store/ref.h"

enum { LIST_MARGIN = 3 }; /* columns before the first one: mark and attention */

struct list_view {
    struct view view;
    struct rows rows;
    struct rows_config config;
    char filter_text[FILTER_LINE_MAX], filter_bad[GB_ERR_MESSAGE_MAX];
    char filter_last[FILTER_LINE_MAX]; /* the previous one was removed */
    bool at_group;                     /* the cursor is on the head of a group */
    struct session_ref at;             /* the session, else */
    char at_name[STORE_NAME_MAX];      /* the group's name */
    size_t at_line, first;
    /* As last arranged: */
    struct region state, table, pane; /* the filter's line, heading and rows, the pane */
    bool beside;                      /* the pane is next to the table, otherwise below it */
    int y;                            /* of the view */
    struct layout layout;
    uint32_t columns;            /* chosen by the user, one bit each; 0: default */
    const struct session *shown; /* in the pane; NULL: none */
    bool preview_on, covered;
    struct gb_timer *rest;
    struct session_ref landing; /* a session opened here, until its view has been entered */
    struct gb_timer *land;
    struct view *preview;
    bool preview_shown; /* in the pane */
    struct session_ref preview_of;
    struct session *frozen; /* copies, while the display is frozen */
    size_t frozen_count;
};

struct list_view *list_of_tui(struct tui *tui);
void list_build(struct list_view *list);
/* The position of the cursor; moves it if its session is gone. */
size_t list_index(struct list_view *list);
void list_go(struct list_view *list, size_t index);
/* Whether the cursor is on a visible row: a filter may leave none. */
bool list_at(struct list_view *list);
/* The session at the cursor; NULL: the head of a group, or nothing. Commands never act on sessions
 * that are not shown. */
struct session *list_selected(struct list_view *list);
/* The session of a row as it is now, which may be a frozen copy; NULL: it is gone. */
struct session *list_live(const struct session *shown);
/* How many are marked, and how many of them had a row in the last frame. */
size_t list_marked(const struct list_view *list);
size_t list_marked_shown(const struct list_view *list);
/* Shows what fits. */
void list_set_filter(struct list_view *list, const char *text);
/* The command `new`. */
void list_run_new(struct tui *tui, const struct words *words);
/* Goes to the prompt of the session that was opened here. */
void list_on_landing(void *arg);
void list_preview(struct list_view *list, bool on);

/* The pane next to or below the table. */
void list_arrange_details(struct list_view *list);
void list_draw_details(const struct list_view *list);
