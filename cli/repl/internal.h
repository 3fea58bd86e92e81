/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the REPL share. */
#pragma once

#include <stdbool.h>

#include "cli/app.h"
#include "show/cell.h"

enum {
    REPL_DISPLAYS_MAX = 64,
    REPL_KEY_DEADLINE_MS = 1000, /* for what a key asks the guest */
};

struct display {
    unsigned number; /* 0: none */
    char *mime;
    struct gb_buf data;
};

struct repl {
    struct app *app;
    const struct args *args;
    const char *image; /* as it was asked for */
    char *session, *language;
    const struct gb_language *known; /* what is known of the language; never NULL once it is told */
    bool owned;                      /* opened here, closed here */
    bool tty;                        /* a person types */
    bool colours, raw;
    bool quit, failed, stopped;
    int ended_by;
    struct console *console; /* NULL: there is none, or not yet */
    /* What was asked for it last; call 0: nothing. */
    struct {
        uint64_t call, question;
    } ask_complete, ask_matches;
    /* The cell that runs. */
    bool running, done;
    unsigned interrupts;
    struct show show;
    struct show_target targets[2]; /* standard output, standard error */
    struct gb_buf text[2];         /* theirs, until it is written */
    struct gb_buf timing;          /* a sentence on the last cell */
    struct display displays[REPL_DISPLAYS_MAX];
    unsigned display_count; /* ever */
};

/* Opens a session of our own; false when it failed, which was told. */
bool repl_open_session(struct repl *repl);

/* Whether @text is one of our commands. */
bool repl_is_command(const char *text);
/* Calls @each with the name of every command, with its colon. */
void repl_command_names(void (*each)(void *arg, const char *name), void *arg);
/* True when @text was one of our commands (`:name …`): it has been done. */
bool repl_command(struct repl *repl, const char *text);

/* Runs a cell and shows what it gives; returns when it has ended. */
void repl_run_cell(struct repl *repl, const char *code);
/* Runs what standard input holds, cell by cell. */
void repl_pipe(struct repl *repl);

/* A call that a Ctrl-C does not end. */
bool repl_call(struct repl *repl, const char *method, struct gb_buf *params, app_use *use,
               void *arg);

/* ---- ask.c: what is asked of the guest for what is typed ---- */
/* Whether @text says that one wants to leave: exit(), quit, … */
bool repl_is_farewell(const char *text);
/* Whether @text is a whole cell; waits for the answer. */
bool repl_is_complete(struct repl *repl, const char *text);
/* Hooks of the console; @arg is the REPL. */
bool repl_ask_if_complete(void *arg, uint64_t question, const char *text);
void repl_ask_matches(void *arg, uint64_t question, const char *text, size_t cursor);
/* No answer comes any more. */
void repl_forget_asks(struct repl *repl);
/* Lets the guest load what its first answer needs, while a person reads the header. */
void repl_warm_guest(struct repl *repl);
