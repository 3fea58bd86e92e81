/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the verbs: the loop, the connection to the server, and error reporting. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "cli/args.h"
#include "cli/place.h"
#include "cli/preparing.h"
#include "client/client.h"
#include "language/language.h"

/* Our own exit statuses; a program's status is passed through. */
enum { EXIT_USAGE = 2, EXIT_TIMED_OUT = 124, EXIT_GLASSBELL = 125 };

struct gb_hello_info;

struct app {
    uv_loop_t *uv;
    struct gb_loop *loop;
    struct gb_client *client;
    struct gb_client_events events; /* the verb's; may be changed at any time */
    void *arg;
    struct gb_languages languages; /* the server's, from its answer to hello */
    bool greeted;                  /* it has answered, or failed to */
    struct preparing preparing;    /* what the server does before the session can start */
    /* Gets that answer, if it is one; set it after app_open(), with `arg`. NULL: nobody. */
    void (*on_hello)(void *arg, const struct gb_hello_info *hello);
};

/* Starts connecting according to the options (cli/kit/place.h), as client "glassbell VERB VERSION".
 * Exits the process if they name no valid server. */
void app_open(struct app *app, const struct args *args);
/* The server's languages; waits for the answer to the hello sent at the start. Empty if that
 * failed: the next call then reports why. Valid until app_close(). */
const struct gb_languages *app_languages(struct app *app);
/* The language given by -l; NULL if there is no -l or no such language, which was reported: then
 * *@ret_good is false. */
const struct gb_language *app_language(struct app *app, const struct args *args, bool *ret_good);
/* Without a connection. */
void app_open_loop(struct app *app);
/* Closes the connection. */
void app_close(struct app *app);
/* Exits the process without waiting for a thread that is still trying to connect, as exit()
 * would. */
_Noreturn void app_exit(int status);
/* One iteration of the loop. */
void app_turn(struct app *app);

/* Makes a call and waits for it: calls @use with the result. False if it failed, which was
 * reported. @use may be NULL. */
typedef void app_use(void *arg, const struct gb_json *result);
bool app_call(struct app *app, const char *method, struct gb_buf *params, uint64_t deadline_ms,
              app_use *use, void *arg);
/* The same for a method whose only parameter is a session. */
bool app_call_on(struct app *app, const char *method, const char *session, uint64_t deadline_ms,
                 app_use *use, void *arg);
/* The same without waiting: @reply (may be NULL) gets the answer. */
void app_send_on(struct app *app, const char *method, const char *session, uint64_t deadline_ms,
                 gb_reply_cb *reply, void *arg);

/* Finds a session by an unambiguous prefix of its id, its key or its label and returns its id.
 * Gives, or NULL, which was reported. */
char *app_find_session(struct app *app, const char *name);

/* Prints "glassbell: message" to standard error; escapes control characters. */
void app_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void app_say_error(const struct gb_call_error *error);
void app_say_err(const struct gb_err *err);
/* The same with the verb's usage line; returns EXIT_USAGE. */
int app_wrong_use(const struct args *args, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
