/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this module share. Not for others. */
#pragma once

#include "base/limits.h"
#include "loop/loop.h"
#include "session/session.h"
#include "vm/verify.h"

enum {
    SESSION_ID_BYTES = 10,
    CELLS_QUEUED_MAX = 256,
    REQUESTS_MAX = 1024,
    PRINTING_MAX = 40, /* cells that the agent lets print, and more */
    CREDIT_BATCH = GB_OUTPUT_WINDOW / 4,
};

/* A cell with what only its session sees. gb_cell is first, so that the two convert. */
struct cell {
    struct gb_cell pub;  /* what the session shows of it */
    struct gb_list link; /* in session->queue, or nowhere */
    struct gb_cell_events events;
    void *arg;
    unsigned refs; /* the owner's and the session's */
    uint64_t max_stdout, max_stderr;
    uint32_t timeout_ms;
    struct gb_env env;
    struct gb_buf stdin_data;
    bool interactive, final, put, held, interrupt_wanted, started_told;
    size_t uncredited, display_bytes;
};

/* A cell that has ended and still prints, by the processes that it left behind. */
struct printing {
    uint32_t cell; /* 0: none */
    uint64_t uncredited;
};

/* A frame that went to the agent and has not been answered. */
struct request {
    struct gb_list link; /* in session->requests */
    uint32_t id;
    enum gb_guest_type type;
    gb_reply_fn *done; /* NULL: nobody listens any more */
    void *arg;
    uint64_t deadline_ns;
    bool looks_only; /* no sign of life of the user: the idle clock goes on */
};

struct gb_session {
    char id[2 * SESSION_ID_BYTES + 3];
    struct gb_host *host;
    struct gb_vm *vm; /* NULL once it is dead */
    struct gb_image *image;
    struct gb_session_events events;
    void *arg;
    uint32_t memory_mb, timeout_ms;
    uint64_t idle_ms, lifetime_ms;
    struct gb_env env;

    enum gb_session_state state;
    /* HELLO came, CONFIGURE was answered, the worker is READY, the image is the right one. */
    bool running, configured, ready, verified, verifying;
    struct gb_verify_waiter verify;
    bool opened_told, closing, kept, expired;
    bool final; /* its last cell has been queued */
    bool asked; /* a request of a user has been sent, or waits */
    enum gb_source source;
    unsigned clock_tries;             /* how often a clone's clock was set */
    bool clock_late;                  /* and that it was not right the last time */
    struct gb_err why;                /* of the end */
    uint32_t incarnation, generation; /* of the interpreter: what we tell, what READY said last */
    bool loss_counted;                /* the loss of the last interpreter is in `incarnation` */
    uint32_t cells_numbered, cells_begun, queued_count; /* begun: the last that was sent */
    size_t queued_bytes;                                /* of the cells in `queue` */
    size_t log_bytes;                                   /* that the guest's log has taken */
    uint64_t opened_at_ns, last_active_ns, lifetime_end_ns;
    struct gb_session_timing timing;

    struct gb_list queue;                   /* cells not yet sent */
    struct cell *current;                   /* the one that runs */
    struct printing printing[PRINTING_MAX]; /* the one that printed last in front */
    struct gb_list requests;
    uint32_t request_count, next_id;
    uint32_t user_requests; /* those that are not looks_only */
    struct gb_buf early;    /* frames from before HELLO */

    struct gb_timer *idle_timer, *lifetime_timer, *cell_timer, *request_timer, *ready_timer;
    struct gb_deferred pump, drop, end;
    bool changed;
};

/* ---- session.c ---- */

/* Something was asked for or done: the idle clock starts again. */
void session_touch(struct gb_session *session);
/* Sets the state by what is going on, and tells `changed` from the loop. */
void session_update(struct gb_session *session);
/* The interpreter's state is gone: DONE of the cell that lost it says so, or, without one, READY of
 * the next interpreter. Counted once. */
void session_state_lost(struct gb_session *session);
/* Sends frames now, or once the agent says HELLO. */
void session_send(struct gb_session *session, struct gb_buf *frames);

/* ---- cell.c ---- */

/* Sends the next cell when the session can run one; tells `started`. From the loop. */
void cell_pump(struct gb_session *session);
/* Ends the queued cells that were interrupted. From the loop. */
void cell_drop_interrupted(void *arg);
/* A frame that belongs to a cell, or to nothing. */
int cell_frame(struct gb_session *session, const struct gb_frame *frame, struct gb_err *err);
/* The VM is gone: every cell is done with an error. */
void cell_fail_all(struct gb_session *session, const struct gb_err *why);

/* ---- printing.c ---- */

/* @cell has ended with so much of its window taken. */
void printing_begin(struct gb_session *session, uint32_t cell, uint64_t uncredited);
/* Output of a cell that has ended. */
void printing_output(struct gb_session *session, const struct gb_frame *frame);
void send_credit(struct gb_session *session, uint32_t cell, uint64_t bytes);

/* ---- request.c ---- */

bool request_is_answer(const struct gb_frame *frame);
int request_answer(struct gb_session *session, const struct gb_frame *frame, struct gb_err *err);
void request_fail_all(struct gb_session *session, const struct gb_err *why);
/* Nobody is told: they were the session's own. */
void request_drop_all(struct gb_session *session);
/* The deadline of the oldest one has come. */
void request_expired(void *arg);
/* Sends one with a cell in its header. */
int request_send(struct gb_session *session, enum gb_guest_type type, uint32_t cell,
                 const struct gb_fields *table, const void *message, uint64_t deadline_ms,
                 gb_reply_fn *done, void *arg, struct gb_err *err);
