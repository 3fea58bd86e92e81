/* SPDX-License-Identifier: Apache-2.0 */
/* The front end: the loop, the terminal, the connections, the stack of views; and the functions for
 * views. Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/uplink.h"
#include "app/view.h"
#include "client/client.h"
#include "loop/loop.h"
#include "screen/render.h"
#include "store/store.h"
#include "theme/theme.h"

struct tui;

struct tui_server {
    const char *name;   /* for people, and for commands: without spaces, each a different one */
    const char *host;   /* an address (client/remote.h); NULL: this machine */
    const char *socket; /* NULL: found as the protocol defines it */
};

struct tui_config {
    const struct tui_server *servers;
    size_t server_count;    /* from 1 to TUI_SERVERS_MAX */
    const char *again;      /* the path of this program; NULL: unknown */
    const char *program;    /* run to start the server if there is none; NULL: never */
    const char *settings;   /* the file; NULL: the default one */
    const char *session;    /* the id of the initial session, on the first server; NULL: the list */
    bool exit_with_session; /* leaving that session exits the program */
    const char *theme;      /* NULL: from the settings */
    /* Constructors of views, which are above this module. The first view, at the bottom of the
     * stack; the view of a session, by its id; and the same as a preview that never gets keys (both
     * NULL: none). All give. */
    struct view *(*first_view)(struct tui *tui);
    struct view *(*session_view)(struct uplink *uplink, const char *id);
    struct view *(*session_preview)(struct uplink *uplink, const char *id);
    const struct command *const *tables; /* of their commands; NULL-terminated */
};

/* Runs on the caller's loop until the user leaves. Returns the exit status, or a failure with @err:
 * the terminal cannot be used. */
int tui_run(uv_loop_t *uv, struct gb_loop *loop, const struct tui_config *config,
            struct gb_err *err);

/* The commands that are available everywhere. */
extern const struct command global_commands[];

/* ---- for views ---- */

struct gb_loop *tui_loop(struct tui *tui);
const struct theme *tui_theme(struct tui *tui);
/* The look of @role on the background of another: for words in a bar or a pop-up. */
struct style tui_on(struct tui *tui, enum role role, enum role ground);
const struct terminal_abilities *tui_abilities(struct tui *tui);
enum graph_signs tui_signs(struct tui *tui);
/* Wall clock in Unix seconds: read once per frame. */
double tui_now(struct tui *tui);
/* The display is frozen: views keep handling events, and paint what they showed last. */
bool tui_frozen(struct tui *tui);

/* Requests a frame: immediately after a key, else at most some tens per second. */
void tui_redraw(struct tui *tui);
/* Edits a file in the user's editor, like outside_run(): releases the terminal, takes it back, and
 * repaints the whole screen. */
int tui_edit(struct tui *tui, const char *path);
/* Runs `glassbell VERB WORDS…` on that server at our terminal, in the same way. */
int tui_run_verb(struct uplink *uplink, const char *verb, const char *const *words, size_t count);
/* Runs a program and its arguments at our terminal, in the same way. */
int tui_run_program(struct tui *tui, const char *const *argv);
/* Copies to the terminal's clipboard (OSC 52). False if it is too large (TUI_COPY_MAX). */
enum { TUI_COPY_MAX = 1 << 20 };
bool tui_copy(struct tui *tui, struct gb_bytes text);

/* Describes the isolation of the server's VMs, with a symbol in front. False: unknown yet. */
bool isolation_text(const struct server *server, char *text, size_t room);

/* The message line. */
enum message { MESSAGE_PLAIN, MESSAGE_GOOD, MESSAGE_WARNING, MESSAGE_ERROR };
void tui_say(struct tui *tui, enum message kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void tui_say_error(struct tui *tui, const char *what, const struct gb_call_error *error);
/* Asks for a line (a note, a file name) in place of the `:` line; @done gets NULL if the user
 * cancels. @start may be NULL. */
typedef void tui_asked_cb(void *arg, const char *line);
void tui_ask(struct tui *tui, const char *question, const char *start, tui_asked_cb *done,
             void *arg);
/* The same for a local path, with completion. Pass the result to tui_local_path(). */
void tui_ask_path(struct tui *tui, const char *question, const char *start, tui_asked_cb *done,
                  void *arg);
/* The typed path, with a leading ~ replaced by the home. Gives. */
char *tui_local_path(const char *typed);
/* The same for a search or a filter; the line is initially empty, and Up recalls earlier ones.
 * @changed is called with each change of the line (may be NULL), @done at the end. */
enum tui_recall { RECALL_FILTER, RECALL_SEARCH, RECALL_COUNT };
typedef void tui_changed_cb(void *arg, const char *line);
void tui_ask_live(struct tui *tui, enum tui_recall recall, tui_changed_cb *changed,
                  tui_asked_cb *done, void *arg);
/* Asks for confirmation; @done is only called for yes. */
void tui_confirm(struct tui *tui, const char *question, void (*done)(void *arg), void *arg);
struct question;
/* Asks what becomes of a connection of the session that waits, and tells the server. */
void tui_decide(struct uplink *uplink, const char *session, const struct question *question);

/* Closes the session after the grace period: true. False: it is closed now, because it was already
 * pending, or there is no grace period; or not at all, because there is no link to its server.
 * tui_say_closing() reports all that are pending, and those that were not closed since the last
 * call. */
bool tui_close_session(struct tui *tui, struct session *session);
void tui_say_closing(struct tui *tui);
/* What is about to close stays open, which is reported. False: nothing is. */
bool tui_undo_closing(struct tui *tui);

/* Forks the session after @cell or from checkpoint @seq (negative and 0: neither), else as it is
 * now, and reports the result. */
void tui_fork(struct uplink *uplink, const char *session, int64_t cell, uint64_t seq);

/* Runs a line as if it had been typed after `:`; it is shown. */
void tui_command(struct tui *tui, const char *line);
/* Starts such a line for the user, with completions to choose from; the first @first are already
 * selected. */
void tui_ask_command(struct tui *tui, const char *start, const char *first);
/* The key currently bound to a command, for texts: "T", or ":lease". */
void tui_key_of(struct tui *tui, enum context context, const char *command,
                char name[KEY_NAME_MAX]);

/* Shows the view of the session @id of that server, replacing that of another one. Must not be
 * called from such a view's code. */
void tui_open_session(struct uplink *uplink, const char *id);
/* Shows @view directly above the first one, instead of all others. Takes. The same restriction. */
void tui_show_over_first(struct tui *tui, struct view *view);
/* Frees the top view, unless it is the last. May be called from the view's own code: it is freed at
 * the end of the loop iteration. */
void tui_pop(struct tui *tui);
struct view *tui_top(struct tui *tui);
/* The first view, wherever it is in the stack. */
struct view *tui_first(struct tui *tui);
const struct tui_config *tui_config(struct tui *tui);
void tui_quit(struct tui *tui);
