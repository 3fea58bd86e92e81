/* SPDX-License-Identifier: Apache-2.0 */
/* The line editor of the front end and of `repl`: readline without a terminal.
 *
 * Theory of operation. Readline is one global, so there is one prompt; who types into it (a view)
 * attaches itself with its draft, and takes the draft back when it leaves. Keys come from the
 * caller, one whole key at a time; output goes nowhere: what is to be seen (text, cursor, pop-up,
 * suggestion, search) is told by prompt_view() and painted by the caller.
 *
 * What a key has to ask the guest for (is this all? what fits here?) goes out through a hook with a
 * number, and comes back through prompt_completeness() or prompt_matches(); answers to other
 * numbers than the last are dropped. While Enter waits for its answer further keys are queued, so
 * what is typed ahead lands in the right order; prompt_expired() makes it decide by itself.
 *
 * Readline leaves some functions by longjmp: functions bound to keys own nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "editor/complete.h"

enum {
    PROMPT_TEXT_MAX = 1 << 20, /* of a cell that is typed or pasted */
    PROMPT_MATCHES_MAX = 500,
    PROMPT_DEADLINE_MS = 250, /* for the guest to say whether a cell is whole */
};

struct prompt_hooks {
    /* Whether @text is a whole cell: an answer is due to prompt_completeness(). */
    void (*ask_complete)(void *arg, uint64_t question, const char *text);
    /* What may stand at @cursor (code points): an answer may come to prompt_matches(). */
    void (*ask_matches)(void *arg, uint64_t question, const char *text, size_t cursor);
    /* A cell, without the blank lines at its end. False: it could not be sent, and stays typed. */
    bool (*submit)(void *arg, const char *text);
    /* Ctrl-D with nothing typed. */
    void (*eof)(void *arg);
    /* The text is to be edited elsewhere (C-x C-e, v): prompt_set_text() brings it back. May be
     * NULL. */
    void (*edit)(void *arg, const char *text);
    /* The screen is to be cleared (C-l). May be NULL. */
    void (*clear)(void *arg);
};

/* What a view leaves behind when it loses the prompt. Zeroed at first. */
struct prompt_draft {
    char *text;
    size_t cursor;
};

void prompt_draft_release(struct prompt_draft *draft);

/* Gives the prompt to a view: its history is that of this name from now on (a language's; "": lines
 * for programs), and @indent one level. Borrows all but @draft, whose text moves into the prompt.
 * Whoever had it is detached first. */
void prompt_attach(const struct prompt_hooks *hooks, void *arg, const char *history,
                   const char *indent, struct prompt_draft *draft);
/* Takes it away from @arg, if it has it: the draft gets what was typed. */
void prompt_detach(void *arg);
/* Whether @arg has it. */
bool prompt_is_attached(const void *arg);
/* At the end of the program. */
void prompt_release(void);

/* One whole key as a terminal sends it (1 byte, a UTF-8 sequence, an escape sequence). */
void prompt_key(struct gb_bytes key);
/* Inserts, as one step that can be undone. False: it would be longer than PROMPT_TEXT_MAX. */
bool prompt_paste(struct gb_bytes text);
/* Replaces all. */
void prompt_set_text(const char *text);
/* Ctrl-C: drops what was typed. False when there was nothing. */
bool prompt_clear(void);

/* Enter waits for an answer: prompt_expired() is to be called after PROMPT_DEADLINE_MS. */
bool prompt_waits(void);
void prompt_expired(void);
/* @indent goes in front of the next line of a cell that is not whole. */
void prompt_completeness(uint64_t question, bool complete, const char *indent);

struct prompt_match {
    const char *text;
    const char *kind; /* "function", …; may be empty */
};

/* @matches replace the code points @start up to the cursor. Borrowed. */
void prompt_matches(uint64_t question, const struct prompt_match *matches, size_t count,
                    size_t start);

enum prompt_mode { PROMPT_EMACS, PROMPT_VI_INSERT, PROMPT_VI_COMMAND };

/* What is to be painted. Borrowed until the next call. */
struct prompt_view {
    const char *text;       /* may have many lines */
    size_t size, cursor;    /* bytes */
    const char *search;     /* "(reverse-i-search)`x': " instead of the prompt; NULL */
    const char *suggestion; /* what history would put behind the text; NULL */
    enum prompt_mode mode;
    /* The pop-up: stands below the code point at byte @start of the text. */
    const struct prompt_match *matches;
    size_t match_count, selected, start;
    bool waits;
    bool shows_mode,
        pastes; /* what ~/.inputrc wants: show-mode-in-prompt, enable-bracketed-paste */
};

void prompt_view(struct prompt_view *ret_view);
