/* SPDX-License-Identifier: Apache-2.0 */
/* A view fills the screen below the header. The list of sessions is the first one; a session is
 * pushed on top of it and popped again.
 *
 * A view embeds struct view as its first member. It paints its whole region in each frame from its
 * own state; it requests a frame with tui_redraw(). Keys go to `key` first (an editor takes them
 * all); keys that it does not handle are looked up in the table of commands.
 */
#pragma once

#include "command/command.h"
#include "input/parser.h"
#include "screen/grid.h"

/* Keys that are not commands, for the bar; ends with a NULL key. */
struct bar_key {
    const char *key, *word;
};

struct session;
struct tui;
struct uplink;
struct view;

/* What the palette offers: a text to find it by, what it is, a note, and the line that leads
 * there. */
typedef void view_offer_cb(void *arg, const char *text, const char *kind, const char *note,
                           const char *line);

struct view_ops {
    /* Before a frame: handles changes, and requests from the server what they require. May be
     * NULL. */
    void (*update)(struct view *view);
    /* For the region of the next frame: determines what is visible. Sends nothing. May be NULL. */
    void (*arrange)(struct view *view, struct region region);
    /* Paints what was arranged for this region; @focused: it receives the keys. Nothing else: no
     * requests, no changes to what it shows. */
    void (*draw)(const struct view *view, struct region region, bool focused);
    /* After a frame in which it was drawn: requests from the server what was visible but not
     * loaded. May be NULL. */
    void (*ask)(struct view *view);
    /* An event before commands see it (KEY, PASTE, MOUSE with x and y relative to the region drawn
     * last). True: handled. May be NULL. */
    bool (*event)(struct view *view, const struct input_event *event);
    /* The context whose commands and keys currently apply. */
    enum context (*context)(const struct view *view);
    /* The text of the breadcrumb. */
    void (*title)(const struct view *view, struct gb_buf *out);
    /* A second header line, such as a session's lease; may be NULL, and may add nothing. Returns
     * its role. */
    enum role (*banner)(const struct view *view, struct gb_buf *out);
    /* The line of a command that leads to where it stands, for ways.c; may be NULL, and may add
     * nothing. */
    void (*place)(const struct view *view, struct gb_buf *out);
    /* The session to which commands about a session apply; NULL: none. May be NULL. */
    struct session *(*session)(const struct view *view);
    /* Goes back one step within the view: true if there was one. May be NULL. */
    bool (*back)(struct view *view);
    /* The name of the most important command at the moment: it comes first in the key bar. NULL:
     * none. May be NULL. */
    const char *(*urgent)(const struct view *view);
    /* Its own keys that currently apply (an editor's), after those of commands; NULL: none. May be
     * NULL. */
    const struct bar_key *(*keys)(const struct view *view);
    /* Whether the command has an effect at the moment, and therefore belongs in the bar. NULL: all
     * do. */
    bool (*has)(const struct view *view, const struct command *command);
    /* Offers to the palette what is in it. May be NULL. */
    void (*offer)(struct view *view, view_offer_cb *add, void *arg);
    /* It is shown again, or covered; may be NULL. */
    void (*shown)(struct view *view, bool shown);
    /* Frees it. */
    void (*free)(struct view *view);
};

struct view {
    const struct view_ops *ops;
    struct tui *tui;
    struct uplink *uplink; /* of the session that it is about; NULL: about no single one */
    struct view *below;    /* in the front end's stack */
};
