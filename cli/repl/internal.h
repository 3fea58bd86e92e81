/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the REPL. */
#pragma once

#include <stdbool.h>

#include "cli/app.h"
#include "show/cell.h"

enum {
    REPL_DISPLAYS_MAX = 64,
    REPL_KEY_DEADLINE_MS = 1000, /* for queries to the guest caused by keys */
};

struct display {
    unsigned number; /* 0: none */
    char *mime;
    struct gb_buf data;
};

/* Our own session, while it is being opened. */
struct opening {
    bool busy;
    struct gb_timer *timer; /* of the spinner; NULL: none */
    uint64_t since_ns;
    unsigned step;
    bool due;   /* at the next turn */
    bool shown; /* the spinner has a line of its own */
};

/* What other clients do in the session. */
struct follow {
    bool off;              /* not wanted */
    struct others *others; /* NULL: not followed */
    struct gb_timer *timer;
    bool gathering;  /* it runs for events that have come */
    uint64_t call;   /* that subscribes; 0: none */
    uint64_t number; /* of the subscription; 0: none yet */
};

struct repl {
    struct app *app;
    const struct args *args;
    const char *named; /* the session that was asked for; NULL: one of our own */
    const char *image; /* as requested */
    char *session;     /* NULL: being opened */
    char *language;
    const struct gb_language *known; /* the language's record; never NULL once the language is
                                      * known */
    char *accel;                     /* the server's, safe for a terminal; NULL: not told */
    bool emulated;                   /* which is no security boundary */
    struct opening opening;
    struct follow follow;
    bool owned; /* we opened it and close it */
    bool tty;   /* interactive: a terminal */
    bool colours, raw;
    bool quit, failed, stopped;
    int ended_by;
    struct console *console; /* NULL: none, or not yet */
    /* The latest query to the guest; call 0: none. */
    struct {
        uint64_t call, question;
        char *text; /* to be sent when there is a session; NULL: nothing */
        size_t cursor;
    } ask_complete, ask_matches, ask_description;
    /* The running cell. */
    const char *code; /* borrowed */
    bool running, done;
    bool unheld; /* it has printed too much to wait for the end of somebody else's */
    unsigned interrupts;
    struct show show;
    struct show_target targets[2]; /* standard output, standard error */
    struct gb_buf text[2];         /* their buffers, until written */
    struct gb_buf timing;          /* remark about the last cell's time */
    struct display displays[REPL_DISPLAYS_MAX];
    unsigned display_count; /* total */
};

/* ---- opening.c ---- */
/* Asks for our own session, without waiting. False: an option is wrong, which was reported. */
bool repl_start_opening(struct repl *repl);
/* Waits for the session. False: there is none; either it could not be opened, which was reported
 * and ends the REPL, or Ctrl-C ended the wait and it is still being opened. */
bool repl_wait_opened(struct repl *repl);
/* The REPL leaves: whoever closes the connection now also ends what it was opening. */
void repl_end_opening(struct repl *repl);

/* Whether @text is one of our commands. */
bool repl_is_command(const char *text);
/* Calls @each with the name of every command, with its colon. */
void repl_command_names(void (*each)(void *arg, const char *name), void *arg);
/* True if @text was one of our commands (`:name …`): it has been executed. */
bool repl_command(struct repl *repl, const char *text);

/* Runs a cell and shows its results; returns when it has ended. */
void repl_run_cell(struct repl *repl, const char *code);
/* Runs the content of standard input, cell by cell. */
void repl_pipe(struct repl *repl);

/* A call that Ctrl-C does not abort. */
bool repl_call(struct repl *repl, const char *method, struct gb_buf *params, app_use *use,
               void *arg);

/* Writes what has been rendered, unless it has to wait for the end of somebody else's cell. */
void repl_flush(struct repl *repl);

/* ---- follow.c: what other clients do. All are no-ops where the session is not followed ---- */
/* At a terminal, unless it is not wanted. Needs the session and its language. */
void repl_follow_begin(struct repl *repl);
void repl_follow_end(struct repl *repl);
/* Takes the parameters of an event. */
void repl_follow_event(struct repl *repl, const struct gb_json *params);
/* A cell of ours was sent; it has started; it has ended, or there will be no answer. */
void repl_follow_sent(struct repl *repl);
void repl_follow_started(struct repl *repl, uint32_t cell);
void repl_follow_ended(struct repl *repl);
/* Whether the output of our cell has to wait. */
bool repl_follow_holds(const struct repl *repl);
/* Shows what has happened, now. */
void repl_follow_show(struct repl *repl);

/* ---- ask.c: what is asked of the guest for what is typed ---- */
/* Whether @text is a request to leave: exit(), quit, … */
bool repl_is_farewell(const char *text);
/* Whether @text is a complete cell; waits for the answer. */
bool repl_is_complete(struct repl *repl, const char *text);
/* Hooks for the console; @arg is the REPL. */
bool repl_ask_if_complete(void *arg, uint64_t question, const char *text);
void repl_ask_matches(void *arg, uint64_t question, const char *text, size_t cursor);
void repl_ask_description(void *arg, uint64_t question, const char *text);
/* No more answers will come. */
void repl_forget_asks(struct repl *repl);
/* There is a session now: sends what waited for it. If that is nothing, makes the guest load what
 * its first answers need, while the user reads the header. */
void repl_send_asks(struct repl *repl);
