/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this module share. Not for others. */
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

/* A cell with what only its session sees. gb_cell is first, so that the two convert. */
struct cell {
    struct gb_cell shown;
    struct gb_list link; /* in session->queue, or nowhere */
    uint64_t call;       /* as the conversation counts: it comes behind those before it */
    struct gb_cell_events events;
    void *arg;
    unsigned refs; /* the owner's and the session's */
    uint64_t max_stdout, max_stderr;
    uint32_t timeout_ms;
    struct gb_env env;
    struct gb_buf stdin_data;
    bool interactive, final, put, held, interrupt_wanted, started_told;
    size_t display_bytes;
};

/* What a session needs before it is open, beside a guest that listens. */
enum session_need {
    SESSION_NEEDS_SETTINGS = 1,    /* CONFIGURE is answered */
    SESSION_NEEDS_INTERPRETER = 2, /* READY; a clone's was there before us */
    SESSION_NEEDS_DIGESTS = 4,     /* the image's files are those of its manifest */
};

struct gb_session {
    char id[2 * SESSION_ID_BYTES + 3];
    struct gb_host *host;
    struct gb_image *image;
    struct gb_session_events events;
    void *arg;
    uint32_t memory_mb, timeout_ms;
    uint64_t idle_ms, lifetime_ms;
    struct gb_env env;

    enum session_state state;      /* only session_enter() writes it */
    enum session_state ended_from; /* ENDING and CLOSED: the state before */
    unsigned needs;                /* enum session_need */
    struct gb_err why;             /* of the end */
    struct gb_guest *guest;        /* for the session's life, over one VM after the other */
    struct gb_guest *aside;        /* HELD: with the VM before, until the new one goes on */
    gb_vm_done_fn *rest_done;      /* of hold, release and exchange */
    void *rest_arg;
    uint64_t epoch;
    enum gb_source source; /* of the VM */
    struct gb_verify_waiter verify;

    /* Facts beside the state. */
    bool kept;          /* does not end for being idle */
    unsigned terminals; /* programs at them, which are a use of it likewise */
    bool expired;       /* ended for being idle, or too old */
    bool final;         /* its last cell has been queued */
    bool asked;         /* a request of a user has been sent, or waits */
    bool changed;       /* to be told from the loop */
    bool rested;        /* likewise, if it is so then */

    uint32_t incarnation; /* of the interpreter, as we tell it */
    bool loss_counted;    /* the loss of the last interpreter is in `incarnation` */
    uint32_t cells_numbered, queued_count;
    size_t queued_bytes; /* of the cells in `queue` */
    uint32_t user_requests;
    uint64_t opened_at_ns, last_active_ns, lifetime_end_ns;
    struct gb_session_timing timing;

    struct gb_list queue; /* cells not yet sent */
    struct cell *current; /* the one that runs */

    struct gb_timer *idle_timer, *lifetime_timer, *prepare_timer;
    struct gb_deferred pump, drop, end;
};

/* ---- session.c ---- */

/* Goes to another state; one that is not allowed is our bug. `changed` is told from the loop when
 * clients see another state now. */
void session_enter(struct gb_session *session, enum session_state state);
/* `changed` is told from the loop, and `started` of the cell that runs. */
void session_tell_changed(struct gb_session *session);
/* What was under way has ended: `rested` is told from the loop if nothing else is. */
void session_tell_rested(struct gb_session *session);
/* ENDING or CLOSED. */
bool session_is_over(const struct gb_session *session);
/* Whether `opened` has been told. */
bool session_was_open(const struct gb_session *session);
/* -GB_ECLOSED and why, when it is over. */
int session_check_open(const struct gb_session *session, struct gb_err *err);
/* Something was asked for or done: the idle clock starts again. */
void session_touch(struct gb_session *session);
/* The interpreter's state is gone: DONE of the cell that lost it says so, or, without one, READY of
 * the next interpreter. Counted once. */
void session_state_lost(struct gb_session *session);

/* ---- cell.c: what the guest says of the cell that runs (arg: the session) ---- */

int session_cell_output(void *arg, enum gb_output stream, struct gb_bytes bytes,
                        struct gb_err *err);
int session_cell_display(void *arg, const struct gb_display *display, struct gb_err *err);
int session_cell_waiting(void *arg, bool waiting, struct gb_err *err);
int session_cell_done(void *arg, const struct gb_done *done, struct gb_err *err);

/* Sends the next cell when the session is IDLE; tells that it has changed. */
void session_cells_pump(struct gb_session *session);
/* From the loop: tells `started` and `changed`. */
void session_cells_tell(void *arg);
/* The VM is gone: every cell is done with an error. */
void session_cells_fail(struct gb_session *session, const struct gb_err *why);

/* ---- rest.c ---- */

/* Its VM has to go: the one before is there still. */
bool session_rest_failed(struct gb_session *session, const char *reason);

/* ---- request.c ---- */

/* A request of a user, with a cell in its header. */
int session_request(struct gb_session *session, enum gb_guest_type type, uint32_t cell,
                    const struct gb_fields *table, const void *message, uint64_t deadline_ms,
                    gb_guest_reply_fn *done, void *arg, struct gb_err *err);
/* One has ended. */
void session_request_ended(void *arg, enum gb_guest_type type);
