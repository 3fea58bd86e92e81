/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this module. Private. */
#pragma once

#include "base/limits.h"
#include "guest/guest.h"
#include "loop/loop.h"
#include "session/session.h"
#include "session/state.h"
#include "vm/verify.h"

enum {
    SESSION_ID_BYTES = 10,
    CELLS_QUEUED_MAX = 256,
};

/* A cell with its session's private data. gb_cell comes first, so that the two convert. */
struct cell {
    struct gb_cell shown;
    struct gb_list link; /* in session->queue, or in no list */
    uint64_t call;       /* its number in the conversation: earlier calls come first */
    struct gb_cell_events events;
    void *arg;
    unsigned refs; /* the owner's and the session's */
    uint64_t max_stdout, max_stderr;
    uint32_t timeout_ms;
    struct gb_env env;
    struct gb_buf stdin_data;
    bool interactive, final, put, held, interrupt_wanted, started_told;
    size_t display_bytes;
    struct gb_list input; /* standard input that waits with it, see input.c */
    size_t input_bytes;
    bool input_ended;
};

/* What a session needs before it is open, besides a guest that listens. */
enum session_need {
    SESSION_NEEDS_SETTINGS = 1,    /* the answer to CONFIGURE */
    SESSION_NEEDS_INTERPRETER = 2, /* READY; a clone's came before */
    SESSION_NEEDS_DIGESTS = 4,     /* verification of the image's files */
};

/* What is known about the cell that would be sent next. */
enum session_next {
    SESSION_NEXT_UNKNOWN,
    SESSION_NEXT_ANNOUNCED, /* call `sending` from the loop */
    SESSION_NEXT_WAITS,     /* for gb_session_send_next() */
    SESSION_NEXT_ALLOWED,
};

struct gb_session {
    char id[2 * SESSION_ID_BYTES + 3];
    struct gb_host *host;
    struct gb_image *image;
    struct gb_session_events events;
    void *arg;
    uint32_t memory_mb, timeout_ms;
    uint64_t idle_ms, lifetime_ms;
    uint64_t asleep_ms; /* how long it may be asleep; 0: no limit */
    struct gb_env env;

    enum session_state state;      /* only written by session_enter() */
    enum session_state ended_from; /* in ENDING and CLOSED: the previous state */
    unsigned needs;                /* enum session_need */
    struct gb_err why;             /* of the end */
    struct gb_guest *guest;        /* for the session's life, with one VM after the other */
    struct gb_guest *aside;        /* HELD: has the previous VM, until the new one runs */
    gb_vm_done_fn *rest_done;      /* for hold, release and exchange */
    void *rest_arg;
    bool arriving;         /* in `moved`: the VM is its own, unless the user cannot use it */
    struct gb_err unmoved; /* why not, until that VM has ended; code GB_OK: nothing of the kind */
    struct gb_err relapse; /* the same of gb_session_relapse() */
    uint64_t epoch;
    enum gb_source source; /* of the VM */
    struct gb_verify_waiter verify;

    /* Facts besides the state. */
    bool kept;          /* does not end when idle */
    unsigned terminals; /* programs at terminals, which count as activity too */
    bool expired;       /* ended because it was idle, or too old */
    bool final;         /* its last cell has been queued */
    bool asked;         /* a user's request has been sent, or waits */
    bool changed;       /* call `changed` from the loop */
    bool rested;        /* call `rested` from the loop, if it still applies */
    bool wanted;        /* likewise `wanted` */
    int delayed;        /* no cell is sent while it is above 0: see gb_session_delay() */
    bool paused;        /* no cell is sent: it may get another VM, see gb_session_set_aside() */
    bool restarted;     /* while paused: a new interpreter has started */
    bool announces;     /* see gb_session_announce() */
    enum session_next next;

    uint32_t incarnation;  /* the interpreter's, as reported to clients */
    bool loss_counted;     /* the loss of the last interpreter is included in `incarnation` */
    uint32_t cells_before; /* its numbers continue from there */
    uint32_t cells_numbered, queued_count;
    size_t queued_bytes; /* of the cells in `queue` */
    uint32_t user_requests;
    uint64_t opened_at_ns, last_active_ns, last_changed_ns, lifetime_end_ns;
    uint64_t asleep_end_ns; /* if it is asleep; 0: never */
    struct gb_err refusal;  /* of what waits while it is asleep */
    struct gb_session_timing timing;

    struct gb_list queue;   /* cells not sent yet */
    struct gb_list queries; /* struct session_query, unanswered */
    struct cell *current;   /* the running one */

    struct gb_timer *idle_timer, *lifetime_timer, *prepare_timer;
    struct gb_deferred pump, drop, refuse, end;
};

/* ---- session.c ---- */

/* Enters another state; a transition that is not allowed is our bug. `changed` is called from the
 * loop if clients now see another state. */
void session_enter(struct gb_session *session, enum session_state state);
/* Calls from the loop `changed`, and `started` for the running cell. */
void session_tell_changed(struct gb_session *session);
/* Something in progress has ended: calls `rested` from the loop if that was the last. */
void session_tell_rested(struct gb_session *session);
/* There is a request: if the session is asleep, calls `wanted` from the loop. */
void session_want(struct gb_session *session);
/* ENDING or CLOSED. */
bool session_is_over(const struct gb_session *session);
/* Whether `opened` has been called. */
bool session_was_open(const struct gb_session *session);
/* -GB_ECLOSED and the reason, if it is over. */
int session_check_open(const struct gb_session *session, struct gb_err *err);
/* Something was requested or done: restarts the idle clock. */
void session_touch(struct gb_session *session);
/* The same for what changes nothing in the guest. */
void session_look(struct gb_session *session);
/* The interpreter's state is lost: reported by DONE of the cell that lost it or, without one, by
 * READY of the next interpreter. Counted once. */
void session_state_lost(struct gb_session *session);

/* ---- cell.c: what the guest says of the cell that runs (arg: the session) ---- */

int session_cell_output(void *arg, enum gb_output stream, struct gb_bytes bytes,
                        struct gb_err *err);
int session_cell_display(void *arg, const struct gb_display *display, struct gb_err *err);
int session_cell_waiting(void *arg, bool waiting, struct gb_err *err);
int session_cell_done(void *arg, const struct gb_done *done, struct gb_err *err);

/* Sends the next cell if the session is IDLE; calls `changed`. */
void session_cells_pump(struct gb_session *session);
/* From the loop: calls `started` and `changed`. */
void session_cells_tell(void *arg);
/* The VM has ended: fails the running cell. */
void session_cell_fail(struct gb_session *session, const struct gb_err *why);
/* The same for every cell. */
void session_cells_fail(struct gb_session *session, const struct gb_err *why);
/* Fails those that wait, which will not be sent. */
void session_cells_refuse(struct gb_session *session, const struct gb_err *why);

/* ---- input.c ---- */

/* Standard input for a cell that waits. */
int session_input_keep(struct cell *cell, struct gb_bytes data, bool eof, gb_vm_done_fn *done,
                       void *arg, struct gb_err *err);
/* The cell has been sent: its input follows. */
void session_input_give(struct gb_session *session, struct cell *cell);
/* The cell has ended, for this reason or (NULL) regularly: nobody reads what waits. */
void session_input_fail(struct cell *cell, const struct gb_err *why);
/* No callback with this @arg is called any more. */
void session_input_forget(struct gb_session *session, const void *arg);

/* ---- rest.c ---- */

/* Its VM has failed, while the previous one still exists. */
bool session_rest_failed(struct gb_session *session, const char *reason);
/* Its VM has ended. True: that was to be so, and the session lives on. */
bool session_rest_dead(struct gb_session *session);

/* ---- request.c ---- */

/* A user's request, with a cell in its header. */
int session_request(struct gb_session *session, enum gb_guest_type type, uint32_t cell,
                    const struct gb_fields *table, const void *message, uint64_t deadline_ms,
                    gb_guest_reply_fn *done, void *arg, struct gb_err *err);
/* One has ended. */
void session_request_ended(void *arg, enum gb_guest_type type);

/* ---- query.c ---- */

void session_queries_forget(struct gb_session *session, const void *arg);
/* Without notifying anybody; after the guest. */
void session_queries_free(struct gb_session *session);
