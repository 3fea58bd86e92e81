/* SPDX-License-Identifier: Apache-2.0 */
/* The prompt below the cells: what is being typed, the guest's help with it, and sending it.
 *
 * There are two drafts: a cell, and a line for a program that waits for standard input. Both are
 * edited in the one prompt (prompt.h), to which the pane is attached while it is focused.
 */
#pragma once

#include "app/tui.h"
#include "editor/prompt.h"
#include "view/cells.h"

struct pane {
    struct tui *tui;
    struct uplink *uplink;
    struct cells *cells;
    char session[CELL_NAME_MAX];
    char language[CELL_NAME_MAX]; /* its name; empty: unknown yet */
    bool focused;                 /* receives the keys */
    bool input;                   /* the text is input for the waiting program */
    struct prompt_draft draft, input_draft;
    struct gb_timer *deadline;
    struct gb_list calls;
    unsigned interrupts; /* sent to the running cell */
};

/* Embed it. Borrows everything. */
void pane_init(struct pane *pane, struct uplink *uplink, struct cells *cells, const char *session);
void pane_release(struct pane *pane);
/* The session's language is known now, by name; the cells have its record. */
void pane_learn(struct pane *pane, const char *language);

void pane_focus(struct pane *pane, bool focused);
/* Switches between editing input for the waiting program and editing a cell. */
void pane_set_input(struct pane *pane, bool input);
/* A key or a paste while it is focused. False: not an editing key. */
bool pane_event(struct pane *pane, const struct input_event *event);
/* Ctrl-C: discards the text, or interrupts the cell. */
void pane_interrupt(struct pane *pane);
/* Runs a cell as if it had been typed. False: no server, which was reported. */
bool pane_run(struct pane *pane, const char *code);
/* Opens $EDITOR on a text, which is then put into the prompt. */
void pane_edit(struct pane *pane, const char *text);

/* The number of rows that it wants. */
int pane_rows(const struct pane *pane, int width, int limit);
void pane_draw(const struct pane *pane, struct region region, bool focused, const char *hint);
/* Painted on top of everything: @all is the view's region, as wide as the pane, @y the row of the
 * pane in it. */
void pane_draw_popup(const struct pane *pane, struct region all, int y);
