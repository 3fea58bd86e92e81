/* SPDX-License-Identifier: Apache-2.0 */
/* The line editor on a terminal that scrolls: what prompt_view() tells, as bytes for it.
 *
 * Theory of operation. What is typed is a block of rows below all that was printed before. Each
 * painting lays the text out in rows anew, compares them with those that the terminal shows, and
 * writes what differs, so that a character at the end of a line is that character. Rows of one long
 * line are joined by the terminal's own wrapping: it copies them as one line, and wraps them anew
 * when its size changes. Of a text with more rows than the terminal has, those around the cursor
 * are in sight; redisplay_finish() writes all of them, so that they scroll up as a whole.
 *
 * Pure: bytes are added to @out, and the caller writes them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "editor/prompt.h"
#include "highlight/highlight.h"

enum { REDISPLAY_MATCHES_MAX = 8 /* rows of matches in sight */ };

struct redisplay_look {
    int columns, rows;                  /* of the terminal */
    const char *first, *more;           /* prompts: of the first line, of further ones */
    const struct gb_language *language; /* what it is coloured by; NULL: by none */
    bool colour;                        /* else weight and reverse video only */
    bool dumb; /* it knows no sequence: the row of the cursor is rewritten */
};

/* A row that the terminal shows. */
struct redisplay_row {
    struct gb_buf cells; /* of redisplay.c */
    int columns;
    bool goes_on; /* the next row is of the same line */
};

/* Embed it, zeroed: nothing is shown, and the cursor is in the first column of an empty row. */
struct redisplay {
    struct redisplay_row *rows;
    size_t count;
    int x, y;     /* the cursor */
    int columns;  /* of the terminal when it was painted */
    bool cut;     /* there are more rows of text than are in sight */
    bool dumb;    /* the terminal knows no sequence */
    bool matches; /* dumb: they have been written */
};

/* Shows @view, with the cursor where it is, the suggestion behind it and the matches below. */
void redisplay_paint(struct redisplay *redisplay, const struct redisplay_look *look,
                     const struct prompt_view *view, struct gb_buf *out);
/* Shows all of the text and nothing else, and goes to a new row below it. */
void redisplay_finish(struct redisplay *redisplay, const struct redisplay_look *look,
                      const struct prompt_view *view, struct gb_buf *out);
/* Takes what is shown away: the cursor is in the first column, and all below is empty. */
void redisplay_erase(struct redisplay *redisplay, struct gb_buf *out);
/* The same when the terminal has got another size and has wrapped the rows anew. */
void redisplay_resized(struct redisplay *redisplay, const struct redisplay_look *look,
                       struct gb_buf *out);
/* Somebody else has written to the terminal: nothing of what it shows is ours. */
void redisplay_forget(struct redisplay *redisplay);
void redisplay_release(struct redisplay *redisplay);
