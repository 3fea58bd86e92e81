/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share: the loop, the connection to the server, and how failures are told. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "cli/args.h"
#include "cli/place.h"
#include "client/client.h"
#include "language/language.h"

/* Exit statuses of our own; a program's own status is passed on. */
enum { EXIT_USAGE = 2, EXIT_TIMED_OUT = 124, EXIT_GLASSBELL = 125 };

struct app {
    uv_loop_t *uv;
    struct gb_loop *loop;
    struct gb_client *client;
    struct gb_client_events events; /* of the verb; may be changed at any time */
    void *arg;
    struct gb_languages languages; /* those of the server, from its answer to hello */
    bool greeted;                  /* it has answered, or cannot */
};

/* Begins to connect as the options say (cli/kit/place.h), under the name "glassbell VERB VERSION".
 * Ends the process when they name no server. */
void app_open(struct app *app, const struct args *args);
/* What the server runs; waits for its answer, which was asked for at the beginning. None when it
 * cannot be asked: then the next call tells why. Good until app_close(). */
const struct gb_languages *app_languages(struct app *app);
/* The language that -l names; NULL without it, and when there is none of that name, which was told:
 * then *@ret_good is false. */
const struct gb_language *app_language(struct app *app, const struct args *args, bool *ret_good);
/* Without a connection. */
void app_open_loop(struct app *app);
/* Ends the connection. */
void app_close(struct app *app);
/* The end of the process: does not wait for a thread that still tries to connect, which the C
 * library's own way out would do. */
_Noreturn void app_exit(int status);
/* One round of the loop. */
void app_turn(struct app *app);

/* A call that the verb waits for: @use gets the result, from within. False when it failed, which
 * was told. @use may be NULL. */
typedef void app_use(void *arg, const struct gb_json *result);
bool app_call(struct app *app, const char *method, struct gb_buf *params, uint64_t deadline_ms,
              app_use *use, void *arg);
/* The same of a method that wants a session and nothing else. */
bool app_call_on(struct app *app, const char *method, const char *session, uint64_t deadline_ms,
                 app_use *use, void *arg);
/* The same, and nobody waits for it: @reply (may be NULL) gets the answer. */
void app_send_on(struct app *app, const char *method, const char *session, uint64_t deadline_ms,
                 gb_reply_cb *reply, void *arg);

/* Finds the id of a session by an unambiguous beginning of its id, its key or its label. Gives, or
 * NULL, which was told. */
char *app_find_session(struct app *app, const char *name);

/* "glassbell: sentence" to standard error; escapes control characters. */
void app_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void app_say_error(const struct gb_call_error *error);
void app_say_err(const struct gb_err *err);
/* Says it with the usage line of the verb; returns EXIT_USAGE. */
int app_wrong_use(const struct args *args, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
