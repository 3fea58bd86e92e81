/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as the server manages them.
 *
 * Theory of operation. A hosted session is created with its session and freed after the session's
 * `closed`, which comes after everything in progress in the session has ended. Before that it may
 * be *closing*: told to end, but its VM has not been reaped; it accepts no calls and no longer
 * counts for its key. Requests that wait for it are in two queues: openers, answered by `opened`,
 * and closers, answered by `closed`. Its end is remembered for a while (ended.h).
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

/* The moment that a session was forked from. */
struct origin {
    char *session; /* its id; NULL: the session was not forked */
    uint64_t checkpoint;
    uint32_t cell; /* the last cell that had ended there */
};

/* Members are read-only for callers. */
struct hosted {
    struct gb_list link; /* in server->sessions */
    struct gb_server *server;
    struct gb_session *session;
    struct gb_start start;     /* the start of its VM */
    char *key, *label, *owner; /* NULL: none */
    char *client;              /* the client that opened it; NULL: unnamed */
    struct origin origin;
    char *packages;     /* a line for each that is mounted, with its digest; NULL: none */
    int disk_fd;        /* what is behind the spare disk of its VMs; -1: nothing */
    char *layer;        /* the name of that for another server; NULL: nothing */
    const char *reason; /* why it was created */
    enum gb_end end;    /* why it ends, if `end_known` or `ended` */
    bool opened, closing, run, end_known;
    bool for_part; /* a part has opened it: it counts for no quota */
    bool left;     /* it ends, and what is kept of it is for the next server: hosted_is_left() */
    bool died;     /* it has ended because its VM did, by itself */
    bool ended;    /* the session is closed; this only waits, see hosted_delay_end() */
    struct gb_err why;           /* valid if `ended`, and in `session_closed` */
    uint32_t incarnation_before; /* of the previous sessions with this key */
    uint32_t cells_before;       /* so many were sent by earlier servers: none of them runs */
    uint64_t opened_ns, created_at_ns;
    struct gb_list openers, closers; /* requests, linked by `wait` */
    size_t cells;                    /* in progress, including their recording */
    size_t delays;                   /* hosted_delay_end() */
    unsigned preparing;              /* hosted_delay_ready() */
    size_t prepared;                 /* how many parts have been asked: session_preparing */
    uint64_t wait_ms;                /* for capacity */
    bool networked;                  /* it has a network, or will have one */
    bool has_status;                 /* the last status from the guest */
    uint64_t guest_total, guest_used;
    alignas(max_align_t) char part_memory[];
};

/* Creates a session that is not in the registry yet; the caller sets names and `run`. */
int hosted_new(struct gb_server *server, const struct gb_session_config *config,
               struct hosted **ret_hosted, struct gb_err *err);
/* The same for one that is asleep, and was left by another server. */
int hosted_restore(struct gb_server *server, const struct gb_session_config *config,
                   const struct gb_session_restored *restored, struct hosted **ret_hosted,
                   struct gb_err *err);
/* Registers it; its VMs will be clones of @origin (held). */
void hosted_begin_asleep(struct hosted *hosted, struct gb_snapshot *origin);
/* Registers it and begins to start its VM, waiting at most @wait_ms for capacity. */
void hosted_begin(struct hosted *hosted, uint64_t wait_ms);
/* After a part's `session_preparing`: asks the next one, and then begins to start the VM. */
void hosted_go_on(struct hosted *hosted);
/* From within `session_opened`: its VM runs, but nobody is told yet that it is open; or now. */
void hosted_delay_ready(struct hosted *hosted);
void hosted_allow_ready(struct hosted *hosted);
/* Registers it; the caller makes its VM: see gb_start_begin_made(). */
void hosted_begin_made(struct hosted *hosted, uint64_t wait_ms, struct gb_snapshot *origin,
                       void (*make)(void *arg), void *arg);
/* No-op if it is closing. If it is already ending for another reason, that reason is reported. */
void hosted_close(struct hosted *hosted, enum gb_end end, const char *reason);

/* Its VM cannot get what it needs besides, for this reason: without that it must not go on. If
 * there is a moment of its past from which it can continue later, it falls asleep there, soon;
 * otherwise it is closed. No-op if it is closing. */
void hosted_relapse(struct hosted *hosted, const char *reason);

/* The open session with that id; fails with GB_ENOTFOUND or GB_ECLOSED and the reason. */
struct hosted *hosted_find(struct gb_server *server, struct gb_bytes id, struct gb_err *err);
/* In any state; NULL: none. */
struct hosted *hosted_lookup(struct gb_server *server, struct gb_bytes id);
struct hosted *hosted_by_key(struct gb_server *server, struct gb_bytes key, bool closing);

uint32_t hosted_incarnation(const struct hosted *hosted);

/* Whether it ends because the server does, and for no other reason. So does one whose VM dies once
 * the server has been told to end: whatever ends the server, a login or the host that ends, sends
 * its signal to all processes. */
bool hosted_is_left(const struct hosted *hosted);

/* A cell is in progress until its end has been recorded and reported. The end of the last cell
 * frees a session that has ended, so @hosted may be freed by the call. */
void hosted_add_cell(struct hosted *hosted);
void hosted_drop_cell(struct hosted *hosted);

/* Something has to finish before the end of the session is reported to watchers and to the clients
 * that have closed it; it has finished, and @hosted may be freed by the call. */
void hosted_delay_end(struct hosted *hosted);
void hosted_allow_end(struct hosted *hosted);

/* Stores the guest's status. */
void hosted_take_status(struct hosted *hosted, const struct gb_status *status);

/* Answers session.open. */
void hosted_reply_opened(struct request *request, const struct hosted *hosted, bool created);
/* Writes a session object. @until_ns: see sample_of(). */
void hosted_put(struct gb_json_out *out, struct hosted *hosted, uint64_t until_ns);
/* How its VM was started, as members of the result of `run`. */
void hosted_put_start(struct gb_json_out *out, const struct hosted *hosted);
