/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the prompt share: the global state beside readline's, keys, pop-up. */
#pragma once

#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "editor/complete.h"
#include "editor/history.h"
#include "editor/prompt.h"

enum {
    PROMPT_KEY_MAX = 64,
    PROMPT_AHEAD_MAX = 64 << 10, /* bytes of keys typed while Enter waits */
};

/* readline has one history; those of other languages wait here. */
struct prompt_history {
    struct prompt_history *next;
    char *language, *path;
    HISTORY_STATE *state; /* NULL: it is the one in use */
};

struct prompt {
    bool ready;
    bool shows_mode, pastes; /* wishes of ~/.inputrc that are the painter's */
    FILE *nowhere;
    const struct prompt_hooks *hooks; /* NULL: nobody has it */
    void *arg;
    struct prompt_draft *draft;
    const char *unit; /* one level of indentation */
    struct prompt_history *histories, *at;
    const char *history; /* path of the file in use, or NULL */
    struct gb_buf key;   /* what is left of the key that readline takes */
    struct gb_buf ahead;
    struct gb_buf asked;
    uint64_t question; /* the last one */
    bool waiting;      /* Enter, for the answer */
    bool accept;       /* Enter is to be taken */
    char *kept;        /* what could not be sent, until readline has emptied its line; NULL */
    /* The pop-up; @match_start is a byte of the text. */
    struct prompt_match *matches;
    char **owned; /* their strings, two each */
    size_t match_count, selected, match_start;
    uint64_t match_question; /* 0: none is awaited */
    bool match_again;        /* the pop-up follows what is typed */
    /* Moving through history. */
    bool in_history, by_prefix;
};

extern struct prompt prompt;

/* keys.c */
void prompt_bind_keys(void);
/* popup.c */
void prompt_close_popup(void);
/* Asks the guest what fits at the cursor; @again: for a pop-up that is open. */
void prompt_ask_matches(bool again);
/* A key while the pop-up is open. True: it was for the pop-up. */
bool prompt_popup_key(struct gb_bytes key);
/* prompt.c */
/* True: there is nothing to ask, an empty line. */
bool prompt_ask_complete(void);
const char *prompt_suggestion(void);
