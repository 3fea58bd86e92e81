/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as the server keeps them.
 *
 * Theory of operation. A hosted session is made with its session and goes with the session's
 * `closed`, which the session tells after everything that was under way in it. Until then it may be
 * *closing*: asked to end, but with a VM that has not been reaped; it takes no calls any more and
 * no longer counts for its key. Those who wait for it stand in two queues: openers, answered by
 * `opened`, and closers, answered by `closed`. What remains is remembered for a while (ended.h).
 */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "capacity/start.h"
#include "model/words.h"
#include "rpc/json.h"
#include "session/session.h"

struct gb_server;
struct request;

/* Read the members. */
struct hosted {
    struct gb_list link; /* in server->sessions */
    struct gb_server *server;
    struct gb_session *session;
    struct gb_start start;     /* of its VM */
    char *key, *label, *owner; /* NULL: none */
    char *client;              /* who opened it; NULL: it gave no name */
    const char *reason;        /* why it was made */
    enum gb_end end;           /* why it ends, once `end_known` or `ended` */
    bool opened, closing, run, end_known;
    bool ended;                  /* the session is closed; what is left of it waits for its cells */
    struct gb_err why;           /* then */
    uint32_t incarnation_before; /* of earlier sessions with the key */
    uint64_t opened_ns, created_at_ns;
    struct gb_list openers, closers; /* requests, by `wait` */
    size_t cells;                    /* under way, their records included */
    bool has_status;                 /* what the guest said last */
    uint64_t guest_total, guest_used;
    alignas(max_align_t) char part_memory[];
};

/* Makes a session that is not in the registry yet; the caller sets names and `run`. */
int hosted_new(struct gb_server *server, const struct gb_session_config *config,
               struct hosted **ret_hosted, struct gb_err *err);
/* Enters it and begins to start its VM, for which it waits at most so long. */
void hosted_begin(struct hosted *hosted, uint64_t wait_ms);
void hosted_close(struct hosted *hosted, enum gb_end end, const char *reason);

/* The open session of that id; fails with GB_ENOTFOUND or GB_ECLOSED and the reason. */
struct hosted *hosted_find(struct gb_server *server, struct gb_bytes id, struct gb_err *err);
/* Whatever its state; NULL: none. */
struct hosted *hosted_lookup(struct gb_server *server, struct gb_bytes id);
struct hosted *hosted_by_key(struct gb_server *server, struct gb_bytes key, bool closing);

uint32_t hosted_incarnation(const struct hosted *hosted);

/* A cell is under way; it is gone when its end is recorded and told. A session that has ended goes
 * with its last cell, so @hosted may be gone after. */
void hosted_add_cell(struct hosted *hosted);
void hosted_drop_cell(struct hosted *hosted);

/* What its guest says of itself; a frame that is not what it should be ends the session. */
void hosted_take_status(struct hosted *hosted, const struct gb_frame *frame);

/* Answers session.open. */
void hosted_reply_opened(struct request *request, const struct hosted *hosted, bool created);
/* A session object. @until_ns: as for sample_of(). */
void hosted_put(struct gb_json_out *out, struct hosted *hosted, uint64_t until_ns);
/* How its VM was started, as members of the reply to `run`. */
void hosted_put_start(struct gb_json_out *out, const struct hosted *hosted);
