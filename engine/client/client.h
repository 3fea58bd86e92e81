/* SPDX-License-Identifier: Apache-2.0 */
/* A client of the server's socket (protocol.md), on the caller's loop; or of the server of another
 * machine, whose link is the same but that it may be lost in between.
 *
 * Theory of operation. gb_client_new() begins to connect and, unless that is switched off, to start
 * the server. Calls may be made at once: they are sent when the connection stands. Each call gets
 * its answer exactly once, never from within gb_client_call(): a result, the server's error, or an
 * error of our own when the deadline has passed or the connection is gone. Errors of our own tell
 * the truth about the request: of one that may have left the outcome is unknown, and `dispatched`
 * is true of it when it runs code.
 *
 * What the server says is parsed strictly: lines of at most GB_REPLY_MAX, UTF-8, JSON-RPC 2.0
 * objects, ids that were asked for. Anything else ends the connection. A result that is not what
 * the method's table says (rpc/methods.h) is an error of our own, GB_EINTERNAL with what is wrong:
 * it comes from a server of another version, or from none, and who asked sees nothing of it. At
 * most GB_REQUESTS_MAX calls are under way; gb_client_queued() tells how many bytes have not left,
 * and gb_client_pause() stops reading.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"
#include "rpc/json.h"

struct gb_client;

struct gb_call_error {
    int rpc_code;                     /* as JSON-RPC has it */
    enum gb_code code;                /* GB_EINTERNAL for a kind that this client does not know */
    char kind[32];                    /* "not_found", … */
    char message[GB_ERR_MESSAGE_MAX]; /* a sentence; foreign text: escape it before it is shown */
    bool dispatched;                  /* the code may have run */
    bool retryable;
    const struct gb_json *data; /* what the server said with it, or NULL; borrowed for the call */
};

/* @result is NULL exactly when @error is not. Both are borrowed for the call. */
typedef void gb_reply_cb(void *arg, const struct gb_json *result,
                         const struct gb_call_error *error);

struct gb_client_events {
    /* A notification of the server. @params is an object, or NULL; borrowed. May be NULL. */
    void (*notified)(void *arg, const char *method, const struct gb_json *params);
    /* Once: the connection could not be made or has ended; all calls have been answered. May be
     * NULL. Not called after gb_client_free(). */
    void (*closed)(void *arg, const struct gb_err *why);
};

struct gb_client_config {
    const char *host;    /* an address (client/host.h); NULL: this machine */
    const char *socket;  /* NULL: by the rule of the protocol */
    const char *program; /* started as the server when nobody listens; NULL: never */
    bool ask;            /* ssh may ask at our terminal */
    size_t reply_bytes;  /* of one line of the server, at most; 0: GB_REPLY_MAX */
};

/* Gives. */
struct gb_client *gb_client_new(struct gb_loop *loop, const struct gb_client_config *config,
                                const struct gb_client_events *events, void *arg);
/* Calls that are under way are forgotten: no callback is made from now on. May be called from a
 * callback of the client's own. Accepts NULL. */
void gb_client_free(struct gb_client *client);

/* @params is an object in JSON, or NULL for none; it is empty after. @deadline_ms 0: none. @reply
 * may be NULL. Returns the number of the call, for gb_client_forget(). */
uint64_t gb_client_call(struct gb_client *client, const char *method, struct gb_buf *params,
                        uint64_t deadline_ms, gb_reply_cb *reply, void *arg);
/* The answer of this call will not be told. */
void gb_client_forget(struct gb_client *client, uint64_t call);
/* It will be told to another one. */
void gb_client_redirect(struct gb_client *client, uint64_t call, gb_reply_cb *reply, void *arg);

size_t gb_client_calls(const struct gb_client *client);  /* under way */
size_t gb_client_queued(const struct gb_client *client); /* bytes that have not left */
void gb_client_pause(struct gb_client *client, bool paused);
