/* SPDX-License-Identifier: Apache-2.0 */
/* A client of the server's socket (protocol.md), on the caller's loop. The server may run on
 * another machine; the only difference is that the link can break.
 *
 * Theory of operation. gb_client_new() starts connecting and, unless disabled, starts the server.
 * Calls may be made immediately; they are sent once the connection is up. Each call is answered
 * exactly once, never from within gb_client_call(): with a result, with the server's error, or with
 * a local error when the deadline passes or the connection is lost. Local errors are honest about
 * the request: if it may have been sent, its outcome is unknown, and `dispatched` is set if it runs
 * code.
 *
 * Replies are parsed strictly: lines of at most GB_REPLY_MAX, UTF-8, JSON-RPC 2.0 objects, ids that
 * we sent. Anything else ends the connection. A result that does not match the method's table
 * (rpc/methods.h) becomes a local GB_EINTERNAL that says what is wrong, since it comes from a
 * server of another version or from something that is no server; the caller never sees the result.
 * At most GB_REQUESTS_MAX calls are in flight; gb_client_queued() returns the number of unsent
 * bytes, and gb_client_pause() stops reading.
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
    int rpc_code;                     /* the JSON-RPC code */
    enum gb_code code;                /* GB_EINTERNAL if this client does not know the kind */
    char kind[32];                    /* "not_found", … */
    char message[GB_ERR_MESSAGE_MAX]; /* a sentence; untrusted: escape it before display */
    bool dispatched;                  /* the code may have run */
    bool retryable;
    const struct gb_json *data; /* the server's error data, or NULL; borrowed for the call */
};

/* Exactly one of @result and @error is NULL. Both are borrowed for the call. */
typedef void gb_reply_cb(void *arg, const struct gb_json *result,
                         const struct gb_call_error *error);

struct gb_client_events {
    /* A notification from the server. @params is an object or NULL, borrowed. May be NULL. */
    void (*notified)(void *arg, const char *method, const struct gb_json *params);
    /* Called once, when connecting failed or the connection has ended and all calls have been
     * answered. May be NULL. Not called after gb_client_free(). */
    void (*closed)(void *arg, const struct gb_err *why);
};

struct gb_client_config {
    int connected;       /* a connection to a server of this process (takes), and all members up to
                          * `ask` are ignored; 0: none */
    const char *host;    /* an address (client/remote.h); NULL: this machine */
    const char *socket;  /* NULL: found as the protocol defines it */
    const char *program; /* run to start the server if nobody listens; NULL: never */
    bool ask;            /* ssh may prompt on our terminal */
    size_t reply_bytes;  /* limit on a line from the server; 0: GB_REPLY_MAX */
    uint64_t first_call; /* the number of its first call; 0: 1. A client that replaces another one
                          * goes on with its numbers, so that no late gb_client_forget() is taken to
                          * be about one of its own */
};

/* Gives. */
struct gb_client *gb_client_new(struct gb_loop *loop, const struct gb_client_config *config,
                                const struct gb_client_events *events, void *arg);
/* Drops all calls in flight; no callback is called from now on. May be called from within one of
 * the client's callbacks. No-op on NULL. */
void gb_client_free(struct gb_client *client);

/* The same, but first fails all calls in flight, from within: those that were not sent for the
 * reason @why. `closed` is not called. */
void gb_client_give_up(struct gb_client *client, const struct gb_err *why);

/* Ends the connection: from within, fails the calls in flight, those that were not sent for the
 * reason @why, and calls `closed`. No-op if it has ended or is not up yet. */
void gb_client_end(struct gb_client *client, const struct gb_err *why);

/* @params is a JSON object, or NULL for none; the buffer is empty afterwards. @deadline_ms 0: none.
 * @reply may be NULL. Returns the call's number, for gb_client_forget(). */
uint64_t gb_client_call(struct gb_client *client, const char *method, struct gb_buf *params,
                        uint64_t deadline_ms, gb_reply_cb *reply, void *arg);
/* The number that the next call gets. */
uint64_t gb_client_next_call(const struct gb_client *client);
/* Discards the answer to this call. */
void gb_client_forget(struct gb_client *client, uint64_t call);
/* Delivers the answer to another callback. */
void gb_client_redirect(struct gb_client *client, uint64_t call, gb_reply_cb *reply, void *arg);

size_t gb_client_calls(const struct gb_client *client);  /* calls in flight */
size_t gb_client_queued(const struct gb_client *client); /* unsent bytes */
void gb_client_pause(struct gb_client *client, bool paused);
