/* SPDX-License-Identifier: Apache-2.0 */
/* Paints the line editor on a scrolling terminal: turns prompt_view() into output for it.
 *
 * Theory of operation. The edited text is a block of rows below everything printed before. Each
 * repaint lays the text out in rows, compares them with those on the terminal, and writes only the
 * differences, so that typing at the end of a line outputs just that character. The rows of a long
 * line are joined by the terminal's own wrapping: it copies them as one line, and rewraps them when
 * its size changes. If the text has more rows than the terminal, those around the cursor are shown;
 * redisplay_finish() writes all of them, so that they scroll up as a whole.
 *
 * Pure: output is appended to @out, and the caller writes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "editor/prompt.h"
#include "highlight/highlight.h"

enum { REDISPLAY_MATCHES_MAX = 8 /* visible rows of matches */ };

struct redisplay_look {
    int columns, rows;                  /* of the terminal */
    const char *first, *more;           /* prompts for the first line and for further lines */
    const struct gb_language *language; /* for highlighting; NULL: none */
    bool colour;                        /* else only weight and reverse video */
    bool dumb;                          /* no escape sequences: rewrites the row of the cursor */
    const char *note;                   /* a row below everything; NULL: none, as if `dumb` */
};

/* A row on the terminal. */
struct redisplay_row {
    struct gb_buf cells; /* private to redisplay.c */
    int columns;
    bool goes_on; /* the next row continues the same line */
};

/* Embed it, zeroed: nothing is shown, and the cursor is in the first column of an empty row. */
struct redisplay {
    struct redisplay_row *rows;
    size_t count;
    int x, y;     /* the cursor */
    int columns;  /* of the terminal at the last repaint */
    bool cut;     /* not all rows of the text are visible */
    bool dumb;    /* the terminal has no escape sequences */
    bool matches; /* dumb: they have been printed */
};

/* Shows @view, with its cursor, the suggestion after it, and below it the matches, what the
 * selected one is, and the note. */
void redisplay_paint(struct redisplay *redisplay, const struct redisplay_look *look,
                     const struct prompt_view *view, struct gb_buf *out);
/* Shows the whole text and nothing else, and moves to a new row below it. */
void redisplay_finish(struct redisplay *redisplay, const struct redisplay_look *look,
                      const struct prompt_view *view, struct gb_buf *out);
/* Erases everything shown: the cursor is then in the first column, and everything below is
 * empty. */
void redisplay_erase(struct redisplay *redisplay, struct gb_buf *out);
/* The same after the terminal was resized and has rewrapped the rows. */
void redisplay_resized(struct redisplay *redisplay, const struct redisplay_look *look,
                       struct gb_buf *out);
/* Something else has written to the terminal: forget what was shown. */
void redisplay_forget(struct redisplay *redisplay);
void redisplay_release(struct redisplay *redisplay);
