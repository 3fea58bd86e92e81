/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal of `repl`. While a cell is typed it is raw: keys go to the line editor
 * (editor/prompt.h), whose rows are painted below what was printed before. While a cell runs it is
 * the kernel's, and a line is read only when the program waits for one: what is typed ahead stays
 * in the kernel for whoever wants it.
 *
 * There is one line editor, so there is one console.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "language/language.h"
#include "loop/loop.h"

struct console_hooks {
    /* Whether @text is a whole cell. True: it is. False: prompt_completeness() or prompt_expired()
     * tells it, through console_answered(). */
    bool (*ask_complete)(void *arg, uint64_t question, const char *text);
    /* What may stand at @cursor (code points): prompt_matches() tells it, now or later. */
    void (*ask_matches)(void *arg, uint64_t question, const char *text, size_t cursor);
    /* A turn of the loop: the console waits for a key. */
    void (*turn)(void *arg);
    /* Something that was asked for with a key failed; the cursor is in an empty row. */
    void (*say)(void *arg, const struct gb_err *err);
    void *arg;
};

struct console_config {
    const char *history;                /* which one: the language's name */
    const struct gb_language *language; /* prompts, colours, indentation */
    bool colour;
    unsigned patience_ms; /* for an answer to ask_complete() */
    struct console_hooks hooks;
};

struct console;

/* Standard input and output must be a terminal. NULL when that cannot be opened again (errno).
 * Borrows @config and what is in it. Gives. */
struct console *console_new(struct gb_loop *loop, const struct console_config *config);
/* Accepts NULL. The terminal has its old modes. */
void console_free(struct console *console);

enum console_end { CONSOLE_TEXT, CONSOLE_EOF, CONSOLE_STOPPED };

/* Reads a cell, turning the loop. @stopped (may be set by any callback) ends it early. Gives
 * *ret_text for CONSOLE_TEXT. */
enum console_end console_read(struct console *console, const bool *stopped, char **ret_text);

/* Something that the editor asked for has been told. */
void console_answered(struct console *console);

/* Ctrl-C while a cell is typed: drops it. For signal callbacks, as the next two. */
void console_interrupt(struct console *console);
/* The window has another size; we are in the foreground again. */
void console_resized(struct console *console);
void console_continued(struct console *console);

/* Around what is written while a cell is typed: takes what is typed away, and puts it back. Nothing
 * happens when nobody types, or @console is NULL. */
void console_step_aside(struct console *console);
void console_step_back(struct console *console);

/* While a program waits for input: the next line that is typed goes to @typed (empty: Ctrl-D), in
 * one piece or several. NULL: nobody wants it, and it waits for the prompt. */
void console_want_line(struct console *console, void (*typed)(void *arg, struct gb_bytes line),
                       void *arg);
