/* SPDX-License-Identifier: Apache-2.0 */
/* The line editor of the front end and of `repl`: readline without a terminal.
 *
 * Theory of operation. Readline is global, so there is only one prompt; a view attaches itself
 * together with its draft, and takes the draft back when it detaches. The caller passes keys in,
 * one complete key at a time. Readline outputs nothing: prompt_view() returns what to show (text,
 * cursor, pop-up, suggestion, search), and the caller paints it.
 *
 * If a key requires a query to the guest (is the cell complete? what are the completions?), it goes
 * out through a hook with a number, and the answer comes in through prompt_completeness() or
 * prompt_matches(); answers with any but the latest number are dropped. What the selected match is
 * (prompt_description()) is asked after that, one match at a time: nobody waits for it. While Enter
 * waits for its answer, further keys are queued, so that type-ahead stays in order;
 * prompt_expired() makes Enter decide without an answer.
 *
 * Readline leaves some functions by longjmp, so functions bound to keys must not own anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "editor/complete.h"

enum {
    PROMPT_TEXT_MAX = 1 << 20, /* limit for a cell, typed or pasted */
    PROMPT_MATCHES_MAX = 500,
    PROMPT_DEADLINE_MS = 250, /* time for the guest to say whether a cell is complete */
};

struct prompt_hooks {
    /* Asks whether @text is a complete cell: answer with prompt_completeness(). */
    void (*ask_complete)(void *arg, uint64_t question, const char *text);
    /* Asks for completions at @cursor (in code points): answer with prompt_matches(). */
    void (*ask_matches)(void *arg, uint64_t question, const char *text, size_t cursor);
    /* Asks what the name is with which @text ends, for the selected match: answer with
     * prompt_description(), also when nothing can be told. One at a time. May be NULL. */
    void (*ask_description)(void *arg, uint64_t question, const char *text);
    /* Submits a cell, without trailing blank lines. False: it could not be sent, and stays in the
     * prompt. */
    bool (*submit)(void *arg, const char *text);
    /* Ctrl-D on an empty prompt. */
    void (*eof)(void *arg);
    /* The user wants to edit the text elsewhere (C-x C-e, v): return it with prompt_set_text(). May
     * be NULL. */
    void (*edit)(void *arg, const char *text);
    /* The user wants to clear the screen (C-l). May be NULL. */
    void (*clear)(void *arg);
};

/* The state that a view keeps while it is detached. Zeroed at first. */
struct prompt_draft {
    char *text;
    size_t cursor;
};

void prompt_draft_release(struct prompt_draft *draft);

/* Attaches a view: @name selects the history (a language's name; "" for input to programs), @indent
 * is one level of indentation. Borrows everything except @draft, whose text moves into the prompt.
 * Detaches the previous view first. */
void prompt_attach(const struct prompt_hooks *hooks, void *arg, const char *history,
                   const char *indent, struct prompt_draft *draft);
/* Detaches @arg, if it is attached: what was typed moves into the draft. */
void prompt_detach(void *arg);
/* Tells the history of a language (as for prompt_attach()) how the cell with this text ended: "ok",
 * or a word or two for the failure. A search shows it. */
void prompt_ended(const char *history, struct gb_bytes text, const char *verdict);
/* Whether @arg is attached. */
bool prompt_is_attached(const void *arg);
/* Call it at program exit. */
void prompt_release(void);

/* One complete key as sent by a terminal (1 byte, a UTF-8 sequence, an escape sequence). */
void prompt_key(struct gb_bytes key);
/* Inserts text as one undoable step. False: it would exceed PROMPT_TEXT_MAX. */
bool prompt_paste(struct gb_bytes text);
/* Replaces the whole text. */
void prompt_set_text(const char *text);
/* Ctrl-C: discards the text. False if there was none. */
bool prompt_clear(void);

/* Enter is waiting for an answer: call prompt_expired() after PROMPT_DEADLINE_MS. */
bool prompt_waits(void);
void prompt_expired(void);
/* @indent is inserted at the start of the next line if the cell is not complete. */
void prompt_completeness(uint64_t question, bool complete, const char *indent);

struct prompt_match {
    const char *text;
    const char *kind; /* "function", …; may be empty */
};

/* @matches replace the text from code point @start to the cursor. Borrowed. */
void prompt_matches(uint64_t question, const struct prompt_match *matches, size_t count,
                    size_t start);

/* The parameters of what is selected, and the first line of its documentation; plain text,
 * borrowed; NULL or empty: not known. */
void prompt_description(uint64_t question, const char *signature, const char *summary);

enum prompt_mode { PROMPT_EMACS, PROMPT_VI_INSERT, PROMPT_VI_COMMAND };

/* What to paint. Borrowed until the next call. */
struct prompt_view {
    const char *text;       /* may contain several lines */
    size_t size, cursor;    /* bytes */
    const char *search;     /* "(reverse-i-search, exit 1)`x': " instead of the prompt; NULL */
    const char *suggestion; /* the continuation suggested from the history; NULL */
    enum prompt_mode mode;
    /* The pop-up is shown below the character at byte @start of the text. */
    const struct prompt_match *matches;
    size_t match_count, selected, start;
    /* Of the selected one; "" while not known. */
    const char *signature, *summary;
    bool describes; /* the pop-up has had one: keep room for it */
    bool waits;
    /* Settings of ~/.inputrc: show-mode-in-prompt, enable-bracketed-paste. */
    bool shows_mode, pastes;
};

void prompt_view(struct prompt_view *ret_view);
