/* SPDX-License-Identifier: Apache-2.0 */
/* The front end: the loop, the terminal, the connection, the stack of views; and what views may ask
 * of it. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/view.h"
#include "client/client.h"
#include "client/client.h"
#include "loop/loop.h"
#include "screen/render.h"
#include "store/store.h"
#include "theme/theme.h"

struct tui;

struct tui_config {
    const char *host;       /* an address (client/host.h); NULL: this machine */
    const char *socket;     /* NULL: by the rule of the protocol */
    const char *program;    /* starts the server when none runs; NULL: never */
    const char *settings;   /* the file; NULL: by the rule */
    const char *session;    /* the id of a session to begin in; NULL: the list */
    bool exit_with_session; /* leaving that session leaves the program */
    const char *theme;      /* NULL: as the settings say */
    /* What stands above this module is handed down. The first view, shown at the bottom of the
     * stack; the view of a session, made for its id; and the same to be painted as a preview that
     * never gets keys (both NULL: there is none). All give. */
    struct view *(*first_view)(struct tui *tui);
    struct view *(*session_view)(struct tui *tui, const char *id);
    struct view *(*session_preview)(struct tui *tui, const char *id);
    const struct command *const *tables; /* of their commands; ends with NULL */
};

/* Runs on the caller's loop until the person leaves. Returns the exit status of the program, or a
 * failure with @err: the terminal cannot be used. */
int tui_run(uv_loop_t *uv, struct gb_loop *loop, const struct tui_config *config,
            struct gb_err *err);

/* The commands that are known everywhere. */
extern const struct command global_commands[];

/* ---- for views ---- */

struct store *tui_store(struct tui *tui);
struct gb_loop *tui_loop(struct tui *tui);
const struct theme *tui_theme(struct tui *tui);
/* The look of @role on the ground of another: for words in a bar or a pop-up. */
struct style tui_on(struct tui *tui, enum role role, enum role ground);
const struct terminal_abilities *tui_abilities(struct tui *tui);
enum graph_signs tui_signs(struct tui *tui);
/* Wall clock, Unix seconds: read once a frame. */
double tui_now(struct tui *tui);
/* The display stands still: views go on taking events in, and paint what they last showed. */
bool tui_frozen(struct tui *tui);

/* A frame soon: at once after a key, else at most some tens a second. */
void tui_redraw(struct tui *tui);
/* Edits a file in the person's editor, as outside_run() does: the terminal is given away and taken
 * back, and the whole screen is painted again. */
int tui_edit(struct tui *tui, const char *path);
/* The terminal's clipboard (OSC 52). False when it is too large (TUI_COPY_MAX). */
enum { TUI_COPY_MAX = 1 << 20 };
bool tui_copy(struct tui *tui, struct gb_bytes text);

/* A call to the server, as gb_client_call; 0 when there is no connection: @reply is then not
 * called. What a view that goes away still waits for it has to forget. */
uint64_t tui_call(struct tui *tui, const char *method, struct gb_buf *params, uint64_t deadline_ms,
                  gb_reply_cb *reply, void *arg);
void tui_forget(struct tui *tui, uint64_t call);
/* Ends a subscription of the connection there is: the number that the server gave it, or 0 and the
 * call that is still to bring it. */
void tui_unsubscribe(struct tui *tui, int64_t subscription, uint64_t call);
/* Whether there is a server that answers. */
bool tui_is_up(const struct tui *tui);
/* How good the isolation of the server's VMs is, in words, with a sign in front. False: it has not
 * been told. */
bool isolation_text(const struct server *server, char *text, size_t room);
/* Why there is none, and what to do about it; NULL while it is there or looked for at first. */
const char *tui_no_server(const struct tui *tui);
/* For what takes a client by itself; NULL when there is none. */
struct gb_client *tui_client(struct tui *tui);
/* Rises with every connection that is begun: what was subscribed to on another one is gone. */
uint64_t tui_connection(struct tui *tui);
/* A call on a session of which only failure is told: {"session": @session}. */
void tui_call_on(struct tui *tui, const char *method, const char *session, const char *done);

/* The line of messages. */
enum message { MESSAGE_PLAIN, MESSAGE_GOOD, MESSAGE_WARNING, MESSAGE_ERROR };
void tui_say(struct tui *tui, enum message kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void tui_say_error(struct tui *tui, const char *what, const struct gb_call_error *error);
/* Asks for a line (a note, a file name) at the place of the `:` line; @done gets NULL when it was
 * left. @start may be NULL. */
typedef void tui_asked_cb(void *arg, const char *line);
void tui_ask(struct tui *tui, const char *question, const char *start, tui_asked_cb *done,
             void *arg);
/* The same for a path of this machine, with completion of what there is. What comes out is for
 * tui_local_path(). */
void tui_ask_path(struct tui *tui, const char *question, const char *start, tui_asked_cb *done,
                  void *arg);
/* The path that was typed, with the home for a ~ at its beginning. Gives. */
char *tui_local_path(const char *typed);
/* The same for what is looked for; the line begins empty, and earlier ones come back with Up.
 * @changed is called with each change of the line (may be NULL), @done at the end. */
enum tui_recall { RECALL_FILTER, RECALL_SEARCH, RECALL_COUNT };
typedef void tui_changed_cb(void *arg, const char *line);
void tui_ask_live(struct tui *tui, enum tui_recall recall, tui_changed_cb *changed,
                  tui_asked_cb *done, void *arg);
/* Asks whether to; @done is called only for a yes. */
void tui_confirm(struct tui *tui, const char *question, void (*done)(void *arg), void *arg);

/* Closes the session when the time to think better of it is over: true, and tui_say_closing() tells
 * of all of them. False: it is closed now, because it was about to be, or there is no such time. */
bool tui_close_session(struct tui *tui, struct session *session);
void tui_say_closing(struct tui *tui);

/* Runs a line as if it had been typed behind `:`; it is shown. */
void tui_command(struct tui *tui, const char *line);
/* Begins such a line for the person, with what can stand behind it to choose from; @first of it is
 * chosen already. */
void tui_ask_command(struct tui *tui, const char *start, const char *first);
/* The key that a command has now, for texts: "T", or ":lease". */
void tui_key_of(struct tui *tui, enum context context, const char *command,
                char name[KEY_NAME_MAX]);

/* Shows the view of the session @id, in the place of that of another one. Not to be called from the
 * code of such a view. */
void tui_open_session(struct tui *tui, const char *id);
/* Frees the view on top, unless it is the last. Callable from the view's own code: it goes at the
 * end of the turn. */
void tui_pop(struct tui *tui);
struct view *tui_top(struct tui *tui);
/* The first view, wherever it is in the stack. */
struct view *tui_first(struct tui *tui);
const struct tui_config *tui_config(struct tui *tui);
void tui_quit(struct tui *tui);
