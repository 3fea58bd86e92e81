/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the REPL share. */
#pragma once

#include <stdbool.h>

#include "cli/app.h"
#include "show/cell.h"

enum { REPL_DISPLAYS_MAX = 64 };

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
    bool owned; /* opened here, closed here */
    bool tty;   /* a person types */
    bool colours, raw;
    bool quit, failed, stopped;
    int ended_by;
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

/* True when @text was one of our commands (`:name …`): it has been done. */
bool repl_command(struct repl *repl, const char *text);

/* Asks the guest whether @text is a whole cell; @arg is the REPL. *ret_indent (may be NULL; gives)
 * goes in front of the next line. */
bool repl_ask_complete(void *arg, const char *text, char **ret_indent);
/* Whether @text says that one wants to leave: exit(), quit, … */
bool repl_is_farewell(const char *text);
/* Runs a cell and shows what it gives; returns when it has ended. */
void repl_run_cell(struct repl *repl, const char *code);
/* Runs what standard input holds, cell by cell. */
void repl_pipe(struct repl *repl);

/* A call that a Ctrl-C does not end. */
bool repl_call(struct repl *repl, const char *method, struct gb_buf *params, app_use *use,
               void *arg);
