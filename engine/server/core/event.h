/* SPDX-License-Identifier: Apache-2.0 */
/* What happens, told to whoever watches. The core and the parts write events; who wants them is the
 * business of the part with the hook `tell_event`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "rpc/json.h"

struct gb_server;
struct hosted;

/* The kinds that the core tells; ends with NULL. */
extern const char *const event_core_kinds[];

/* An event that is being written. */
struct event {
    struct gb_server *server;
    const char *kind;
    const char *session; /* NULL: of no session */
    void *to;            /* the only watcher that it is for; NULL: all who want it */
    struct gb_buf body;
    struct gb_json_out out; /* inside of `params`, behind `kind` and `session` */
};

/* Begins an event of now. False, and nothing to end, when nobody wants to hear of it. @hosted NULL:
 * of no session. */
bool event_begin(struct event *event, struct gb_server *server, const char *kind,
                 const struct hosted *hosted);
/* Begins an event of that time (wall clock) for one watcher, whatever it wants. */
void event_begin_for(struct event *event, struct gb_server *server, const char *kind,
                     const struct hosted *hosted, uint64_t at_ns, void *to);
/* Completes and tells it. */
void event_end(struct event *event);
