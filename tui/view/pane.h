/* SPDX-License-Identifier: Apache-2.0 */
/* The prompt below the cells: what is typed, what is asked of the guest for it, and what is sent.
 *
 * It has two drafts: a cell, and a line for a program that waits for standard input. Both are typed
 * into the one prompt that there is (prompt.h), which the pane has while it is focused.
 */
#pragma once

#include "app/tui.h"
#include "editor/prompt.h"
#include "view/cells.h"

struct pane {
    struct tui *tui;
    struct cells *cells;
    char session[CELL_NAME_MAX];
    char language[CELL_NAME_MAX]; /* its name; empty: not told yet */
    bool focused;                 /* the keys go here */
    bool input;                   /* what is typed is for the program that waits */
    struct prompt_draft draft, input_draft;
    struct gb_timer *deadline;
    struct gb_list calls;
    unsigned interrupts; /* of the cell that runs */
};

/* Embed it. Borrows all. */
void pane_init(struct pane *pane, struct tui *tui, struct cells *cells, const char *session);
void pane_release(struct pane *pane);
/* The language of the session is told, by its name; the cells know what is known of it. */
void pane_learn(struct pane *pane, const char *language);

void pane_focus(struct pane *pane, bool focused);
/* What is typed now is for the program that waits, or a cell again. */
void pane_set_input(struct pane *pane, bool input);
/* A key or a paste while it is focused. False: not for an editor. */
bool pane_event(struct pane *pane, const struct input_event *event);
/* Ctrl-C: drops what was typed, or interrupts. */
void pane_interrupt(struct pane *pane);
/* Runs a cell as if it had been typed. False: there is no server, which was told. */
bool pane_run(struct pane *pane, const char *code);
/* Opens $EDITOR on a text that then comes into the prompt. */
void pane_edit(struct pane *pane, const char *text);

/* Rows that it wants. */
int pane_rows(const struct pane *pane, int width, int limit);
void pane_draw(const struct pane *pane, struct region region, bool focused, const char *hint);
/* Over everything else: @all is the region of the view, as wide as the pane, @y the row of the pane
 * in it. */
void pane_draw_popup(const struct pane *pane, struct region all, int y);
