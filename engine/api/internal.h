/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the library share.
 *
 * Theory of operation. An engine runs a server without a socket (server/core/server.h) on the
 * caller's loop, and is a client of it, in the same process: each session has a connection, so that
 * its calls, its cells and its notifications are its own, and so has the engine, for
 * glassbell_call(). Whatever a session can do is thus there once, in the server's parts, and with
 * the same checks.
 *
 * Every call of the public functions is one *call* here, which lives until its callback. After
 * glassbell_session_close() or the end of a session its wrapper is kept until its calls have been
 * answered.
 *
 * Layers: call.c (calls and errors) < cells.c, files.c, network.c < open.c (a session's life) <
 * past.c, engine.c.
 */
#pragma once

#include "glassbell.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "client/client.h"
#include "loop/loop.h"
#include "rpc/json.h"
#include "settings/settings.h"

struct gb_host;
struct gb_server;

/* Strings that live until a callback has returned. */
struct api_texts {
    struct gb_list chunks;
};

/* A copy with a NUL behind it; NULL for a NULL pointer. */
const char *api_text(struct api_texts *texts, struct gb_bytes text);
void api_texts_init(struct api_texts *texts);
void api_texts_release(struct api_texts *texts);

struct glassbell {
    struct gb_loop *loop;
    struct gb_host *host;
    struct gb_server *server;
    struct gb_client *client; /* for glassbell_call() */
    struct gb_list sessions;  /* struct glassbell_session */
    char *store;
    void (*notified)(void *arg, const char *method, const char *params);
    void *arg; /* of glassbell_open() */
    bool closing;
    /* A session was removed from the list. */
    void (*on_session_gone)(struct glassbell *engine);

    /* engine.c */
    bool ending;               /* the server was told to end */
    glassbell_open_fn *opened; /* while it is being opened */
    struct gb_settings settings;
    void (*closed)(void *arg);
    void *closed_arg;
    struct gb_err err; /* of an opening that failed */
    bool has_ended;    /* the server has */
    size_t refused;    /* calls that will fail from the loop */
    struct gb_deferred deferred;
};

/* Who is told what happens to a session: of struct glassbell_session_options. */
struct api_callbacks {
    void (*closed)(void *arg, struct glassbell_session *session, const struct glassbell_error *why);
    void (*question)(void *arg, struct glassbell_session *session,
                     const struct glassbell_question *question);
    void (*listening)(void *arg, struct glassbell_session *session, const uint16_t *ports,
                      size_t count);
    void *arg;
};

struct glassbell_session {
    struct gb_list link; /* in the engine's */
    struct glassbell *engine;
    struct gb_client *client;
    char *id;        /* NULL: not open yet */
    char source[16]; /* where its VM came from */
    bool keeps;      /* it has a key */
    bool open;       /* its user has got it */
    bool dropped;    /* its user has closed it, or knows that it has ended */
    bool closing;    /* `session.close` was sent */
    struct api_callbacks callbacks;
    uint64_t asked;                /* the newest question that was told */
    size_t calls;                  /* under way, and all cells */
    struct gb_list cells;          /* that wait: struct api_cell (cells.c) */
    struct api_cell *cell;         /* that is with the server */
    size_t cell_count, cell_bytes; /* of those that wait */
    struct gb_err err;             /* why it has no connection */
    struct gb_deferred deferred;
};

/* ---- call.c ---- */

struct api_call;
/* Tells the user. Exactly one of @result and @error is NULL. */
typedef void api_read_fn(struct api_call *call, const struct gb_json *result,
                         const struct glassbell_error *error);
typedef void api_any_fn(void);

struct api_call {
    struct glassbell_session *session;
    api_read_fn *read;
    api_any_fn *done; /* the user's callback, of the type that @read knows */
    void *arg;        /* the user's */
    struct gb_err err;
    struct gb_deferred deferred;
};

/* The error as the library's users see it: one of ours, and one that the server has told. They
 * borrow their texts. */
struct glassbell_error api_face(const struct gb_err *err);
struct glassbell_error api_told(const struct gb_call_error *error);

/* Begins the parameters of a call about @session (NULL: none). */
void api_begin(struct gb_json_out *out, struct gb_buf *buf,
               const struct glassbell_session *session);
/* Ends them and makes the call. @done may be NULL if @read allows that. */
void api_call(struct glassbell_session *session, const char *method, struct gb_json_out *params,
              api_read_fn *read, api_any_fn *done, void *arg);
/* The same with parameters that are complete; releases them. */
void api_call_with(struct glassbell_session *session, const char *method, struct gb_buf *params,
                   api_read_fn *read, api_any_fn *done, void *arg);
/* A call that fails, from the loop, with @err. */
void api_fail(struct glassbell_session *session, const struct gb_err *err, api_read_fn *read,
              api_any_fn *done, void *arg);
/* Ignores the answer. */
api_read_fn api_read_nothing;
/* Tells a glassbell_done_fn. */
api_read_fn api_read_done;

/* From the loop: frees a dropped session when nothing of it is under way. */
void api_settle(struct glassbell_session *session);
/* "…", …, NULL as an array; NULL: nothing. */
void api_put_strings(struct gb_json_out *out, const char *key, const char *const *strings);

/* "NAME=value", …, NULL as an object `env`; NULL: nothing. */
int api_put_env(struct gb_json_out *out, const char *const *lines, struct gb_err *err);

/* ---- cells.c ---- */

/* A piece of output of the session's cell: the notification. */
void api_cells_output(struct glassbell_session *session, const struct gb_json *params);
/* The session is dropped: those that wait fail, from the loop. */
void api_cells_drop(struct glassbell_session *session);

/* ---- network.c ---- */

struct gb_question_info;
struct glassbell_question api_question(const struct gb_question_info *info,
                                       struct api_texts *texts);
/* The parameter `network` of a call; GB_EINVALID if both are given. */
int api_put_policy(struct gb_json_out *out, const char *network, const char *const *rules,
                   struct gb_err *err);

/* ---- open.c ---- */

/* A session that is not open yet. */
struct glassbell_session *api_session_new(struct glassbell *engine,
                                          const struct api_callbacks *callbacks);
/* It has this id: watches it, then calls @opened like that of glassbell_session_open(). */
void api_session_watch(struct glassbell_session *session, struct gb_bytes id,
                       glassbell_session_fn *opened, void *arg);
/* Its engine ends: begins to close it, unless it is to be kept. True: there is something to wait
 * for. */
bool api_session_end(struct glassbell_session *session);
