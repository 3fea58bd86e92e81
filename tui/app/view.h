/* SPDX-License-Identifier: Apache-2.0 */
/* What fills the screen below the header: a view. The list of sessions is the first one; a session
 * is pushed above it and popped again.
 *
 * A view embeds struct view as its first member. It paints its whole region in each frame from what
 * it holds; it wants a frame with tui_redraw(). Keys come to `key` first (an editor takes them
 * all there); what it leaves alone is looked up in the table of commands.
 */
#pragma once

#include "command/command.h"
#include "input/parser.h"
#include "screen/grid.h"

/* Keys that are no commands, for the bar; ends with a NULL key. */
struct bar_key {
    const char *key, *word;
};

struct tui;
struct view;

struct view_ops {
    /* Before a frame: takes in what has changed, and asks the server for what that needs. May be
     * NULL. */
    void (*update)(struct view *view);
    /* The region of the frame that comes: settles what of it is in sight. Sends nothing. May be
     * NULL. */
    void (*arrange)(struct view *view, struct region region);
    /* Paints what was arranged for this region; @focused: the keys go to it. Nothing else: no
     * request, no change of what it shows. */
    void (*draw)(const struct view *view, struct region region, bool focused);
    /* After a frame that it was drawn in: asks the server for what was in sight and is not here.
     * May be NULL. */
    void (*ask)(struct view *view);
    /* An event before any command sees it (KEY, PASTE, MOUSE with x and y relative to the region
     * that was drawn last). True: done with. May be NULL. */
    bool (*event)(struct view *view, const struct input_event *event);
    /* The context whose commands and keys are on now. */
    enum context (*context)(const struct view *view);
    /* What the breadcrumb says. */
    void (*title)(const struct view *view, struct gb_buf *out);
    /* A second line of the header's: the lease of a session and the like; may be NULL, and may add
     * nothing. Returns its role. */
    enum role (*banner)(const struct view *view, struct gb_buf *out);
    /* The id of the session that commands about a session are meant for; NULL: none. May be NULL.
     */
    const char *(*session)(const struct view *view);
    /* One step back inside of it: true when there was one. May be NULL. */
    bool (*back)(struct view *view);
    /* The name of the command that matters most right now: it comes first in the bar of keys. NULL:
     * none. May be NULL. */
    const char *(*urgent)(const struct view *view);
    /* Keys of its own that are on now (of an editor), behind those of commands; NULL: none. May be
     * NULL. */
    const struct bar_key *(*keys)(const struct view *view);
    /* Whether the command does something where one is now, and so has its place in the bar. NULL:
     * all do. */
    bool (*has)(const struct view *view, const struct command *command);
    /* It is shown again, or covered; may be NULL. */
    void (*shown)(struct view *view, bool shown);
    /* Frees it. */
    void (*free)(struct view *view);
};

struct view {
    const struct view_ops *ops;
    struct tui *tui;
    struct view *below; /* in the stack of the front end */
};
