/* SPDX-License-Identifier: Apache-2.0 */
/* Events for watchers. The core and the parts write events; the part with the hook `tell_event`
 * knows their receivers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "rpc/json.h"

struct gb_server;
struct hosted;

/* The kinds of events that the core sends; NULL-terminated. */
extern const char *const event_core_kinds[];

/* An event being written. */
struct event {
    struct gb_server *server;
    const char *kind;
    const char *session; /* NULL: about no session */
    void *to;            /* the only watcher to send it to; NULL: all who want it */
    struct gb_buf body;
    struct gb_json_out out; /* inside `params`, after `kind` and `session` */
};

/* Begins an event with the current time. Returns false if it has no receiver: then do not call
 * event_end(). @hosted NULL: about no session. */
bool event_begin(struct event *event, struct gb_server *server, const char *kind,
                 const struct hosted *hosted);
/* The same about a session of which only the id may be left, or NULL. */
bool event_begin_about(struct event *event, struct gb_server *server, const char *kind,
                       const char *session);
/* Begins an event with that time (wall clock) for one watcher, whatever it subscribed to. */
void event_begin_for(struct event *event, struct gb_server *server, const char *kind,
                     const struct hosted *hosted, uint64_t at_ns, void *to);
/* Completes and sends it. */
void event_end(struct event *event);
