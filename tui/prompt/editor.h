/* SPDX-License-Identifier: Apache-2.0 */
/* The line editor on a terminal: readline with its own display, driven by our loop.
 *
 * Readline is one global, so there is one editor. Its keys are read outside uv_run(): what a key
 * asks the guest for (completion, "is that all?") may turn the loop until the answer is there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "loop/loop.h"

struct editor_match {
    char *text;
};

struct editor_answer {
    struct editor_match *matches;
    size_t count;
    size_t start, end; /* code points of the whole text that a match replaces */
};

struct editor_hooks {
    /* Whether @text is all; else *ret_indent (gives) goes in front of the next line. */
    bool (*is_complete)(void *arg, const char *text, char **ret_indent);
    /* What may stand at @cursor (code points). The answer is freed by the editor. */
    void (*complete)(void *arg, const char *text, size_t cursor, struct editor_answer *ret_answer);
    /* A turn of the loop: the editor waits for a key. */
    void (*turn)(void *arg);
    void *arg;
};

struct editor_config {
    const char *prompt, *more_prompt;
    const char *history; /* path of the file, or NULL */
    const char *indent;  /* what Tab adds where there is nothing to complete */
    struct editor_hooks hooks;
};

/* Standard input must be a terminal. False when that cannot be set up. */
bool editor_open(struct gb_loop *loop, const struct editor_config *config);

enum editor_end { EDITOR_TEXT, EDITOR_EOF, EDITOR_STOPPED };

/* Reads a cell: one or more lines, without the last newline. @stopped (may be set by a signal's
 * callback) ends it early. Gives *ret_text for EDITOR_TEXT. */
enum editor_end editor_read(const bool *stopped, char **ret_text);

/* Ctrl-C while typing: drops what was typed. For signal callbacks. */
void editor_interrupt(void);
/* The window has another size; we are in the foreground again. */
void editor_resized(void);
void editor_continued(void);

/* Around what is written while a cell is typed: takes the prompt away, and puts it back. Nothing
 * happens when nobody types. */
void editor_step_aside(void);
void editor_step_back(void);

/* While a program waits for input: the next line that is typed goes to @typed (empty: Ctrl-D), in
 * one piece or several. NULL: nobody wants it, what is typed waits for the prompt. Call
 * editor_poll() after each turn. */
void editor_want_line(void (*typed)(void *arg, struct gb_bytes line), void *arg);
void editor_poll(void);

void editor_close(void);
