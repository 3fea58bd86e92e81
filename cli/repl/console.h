/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal of `repl`. While a cell is being edited it is raw: keys go to the line editor
 * (editor/prompt.h), whose rows are painted below the earlier output. While a cell runs, the
 * kernel's line discipline is in charge, and a line is only read when the program waits for one:
 * type-ahead stays in the kernel for whoever reads it.
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
    /* Asks whether @text is a complete cell. True: it is. False: prompt_completeness() or
     * prompt_expired() will tell, followed by console_answered(). */
    bool (*ask_complete)(void *arg, uint64_t question, const char *text);
    /* Asks for completions at @cursor: answered by prompt_matches(), now or later. */
    void (*ask_matches)(void *arg, uint64_t question, const char *text, size_t cursor);
    /* Asks what the name is with which @text ends: answered by prompt_description(). */
    void (*ask_description)(void *arg, uint64_t question, const char *text);
    /* Runs an iteration of the loop: the console waits for a key. */
    void (*turn)(void *arg);
    /* Reports that something requested by a key failed; the cursor is in an empty row. */
    void (*say)(void *arg, const struct gb_err *err);
    void *arg;
};

struct console_config {
    const char *history;                /* its name: the language's */
    const struct gb_language *language; /* prompts, colours, indentation */
    bool colour;
    unsigned patience_ms; /* time to answer ask_complete() */
    struct console_hooks hooks;
};

struct console;

/* Standard input and output must be a terminal. NULL if it cannot be reopened (errno). Borrows
 * @config and what it points to. Gives. */
struct console *console_new(struct gb_loop *loop, const struct console_config *config);
/* Restores the terminal's modes. No-op on NULL. */
void console_free(struct console *console);

enum console_end { CONSOLE_TEXT, CONSOLE_EOF, CONSOLE_STOPPED };

/* Reads a cell, running the loop. @stopped (may be set by any callback) ends it early. Gives
 * *ret_text for CONSOLE_TEXT. */
enum console_end console_read(struct console *console, const bool *stopped, char **ret_text);

/* Call it after answering one of the editor's questions. */
void console_answered(struct console *console);

/* Nobody can answer yet: ask_complete() has any time until this is called with false. No-op on
 * NULL. */
void console_be_patient(struct console *console, bool patient);

/* Ctrl-C while editing a cell: discards it. For signal callbacks, like the next two. */
void console_interrupt(struct console *console);
/* The window was resized; we are in the foreground again. */
void console_resized(struct console *console);
void console_continued(struct console *console);

/* Bracket output written while a cell is being edited: erase the editor's rows, and repaint them.
 * No-op if nothing is being edited, or @console is NULL. */
void console_step_aside(struct console *console);
void console_step_back(struct console *console);

/* Whether the terminal has the modes that we gave it: not while the shell has us in the background.
 * True if nothing is being edited, or @console is NULL. */
bool console_is_ours(const struct console *console);
/* Prints @text, whole lines, above what is being edited, in one write; just prints it if nothing
 * is, or @console is NULL. */
void console_print(struct console *console, const struct gb_buf *text);
/* Whether the terminal obeys no escape sequences. */
bool console_is_dumb(void);

/* Shows @note (copied) below what is being edited; NULL: no longer. False: nothing is being edited,
 * or @console is NULL, and it is not shown. */
bool console_note(struct console *console, const char *note);

/* While a program waits for input: passes the next line typed to @typed (empty: Ctrl-D), in one or
 * more pieces. NULL: it is not used, and is kept for the prompt. */
void console_want_line(struct console *console, void (*typed)(void *arg, struct gb_bytes line),
                       void *arg);
