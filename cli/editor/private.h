/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parts of the prompt: global state in addition to readline's, keys, pop-up. */
#pragma once

#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "editor/complete.h"
#include "editor/history.h"
#include "editor/prompt.h"

enum {
    PROMPT_KEY_MAX = 64,
    PROMPT_AHEAD_MAX = 64 << 10, /* bytes of type-ahead while Enter waits */
};

/* Readline has only one history; those of other languages are kept here. */
struct prompt_history {
    struct prompt_history *next;
    char *language, *path;
    HISTORY_STATE *state; /* NULL: currently in readline */
    struct history_ends ends;
};

struct prompt {
    bool ready;
    bool shows_mode, pastes; /* settings in ~/.inputrc that concern the painter */
    FILE *nowhere;
    const struct prompt_hooks *hooks; /* NULL: detached */
    void *arg;
    struct prompt_draft *draft;
    const char *unit; /* one level of indentation */
    struct prompt_history *histories, *at;
    const char *history; /* path of the current file, or NULL */
    struct gb_buf key;   /* rest of the key sequence that readline is reading */
    struct gb_buf ahead;
    struct gb_buf asked;
    uint64_t question; /* the latest number */
    bool waiting;      /* Enter is waiting for the answer */
    bool accept;       /* Enter is to be accepted */
    char *kept;        /* text that could not be sent, until readline has cleared its line; NULL */
    /* The pop-up; @match_start is a byte offset in the text. */
    struct prompt_match *matches;
    char **owned; /* their strings, two each */
    size_t match_count, selected, match_start;
    uint64_t match_question;   /* 0: no answer is awaited */
    bool match_again;          /* the pop-up is updated as the user types */
    char *signature, *summary; /* of the selected match; NULL: not known */
    bool describes;            /* one was known since the pop-up opened */
    uint64_t described;        /* the latest question about a match */
    uint64_t describing;       /* the one that is not answered yet; 0: none */
    bool describe_again;       /* its answer is for what is no longer selected */
    /* While moving through the history. */
    bool in_history, by_prefix;
    struct gb_buf search; /* what stands before the text while searching */
};

extern struct prompt prompt;

/* keys.c */
void prompt_bind_keys(void);
/* popup.c */
void prompt_close_popup(void);
/* Asks the guest for completions at the cursor; @again: to update an open pop-up. */
void prompt_ask_matches(bool again);
/* Nobody will answer the last question about a match. */
void prompt_forget_description(void);
/* A key while the pop-up is open. True: the pop-up has handled it. */
bool prompt_popup_key(struct gb_bytes key);
/* prompt.c */
/* True: an empty line, nothing to ask. */
bool prompt_ask_complete(void);
const char *prompt_suggestion(void);
