/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this module share. Not for others. */
#pragma once

#include "base/limits.h"
#include "guest/guest.h"
#include "wire/mux.h"

/* The cell that runs. */
struct guest_cell {
    uint32_t number;                 /* 0: none */
    uint64_t room[2];                /* bytes of stdout and stderr that it may still send */
    struct gb_mux_stream *output[2]; /* likewise; NULL: not opened, or ended */
    bool paused;
};

/* Standard input of the cell that runs. */
struct guest_stdin {
    struct gb_mux_stream *stream; /* NULL: it takes none, or nobody reads it any more */
    struct gb_buf data;           /* to be sent */
    uint64_t taken, sent;         /* bytes, in all */
    bool ended;                   /* the end was given */
    struct gb_list pieces;        /* struct guest_piece, not told yet */
    struct gb_deferred tell;
};

struct guest_settings_state {
    void (*done)(void *arg, const struct gb_err *err); /* NULL: no CONFIGURE is under way */
    void *arg;
    bool exact_clock;
    unsigned tries;
    bool late; /* the clock was not right the last time */
};

struct gb_guest {
    struct gb_loop *loop;
    const char *name;
    struct gb_guest_events events;
    void *arg;

    struct gb_vm *vm; /* NULL: none */
    const struct gb_image *image;
    bool listens;
    bool held;    /* nothing is said to it */
    bool stopped; /* and its CPUs stand still */
    bool restored;
    uint32_t generation;           /* of the interpreter, as READY said last; 0: not heard of */
    size_t log_bytes;              /* that the log has taken */
    gb_vm_done_fn *operation_done; /* of load, hold or resume */
    void *operation_arg;
    struct gb_deferred refuse; /* of hold */
    bool anew;                 /* of resume */

    struct gb_list requests; /* in the order of asking: those not sent are the last */
    uint32_t request_count, next_id;
    size_t waiting_bytes; /* of requests that are not sent */
    struct gb_timer *request_timer;

    struct guest_settings_state settings;

    struct gb_mux mux; /* of the VM's port */
    struct gb_buf out; /* frames that leave with guest_flush() */
    struct guest_cell cell;
    struct guest_stdin input;
    uint32_t cells_begun; /* the last that was sent */
    struct gb_timer *cell_timer;
};

/* ---- guest.c ---- */

/* The guest broke the protocol, as @err says. */
void guest_violation(struct gb_guest *guest, const struct gb_err *err);
void guest_unasked(struct gb_guest *guest, const struct gb_frame *frame);

/* What the guest may know of streams is none of this conversation. */
void guest_begin_anew(struct gb_guest *guest);
/* Load, hold or resume has ended. */
void guest_operation_end(struct gb_guest *guest, const struct gb_err *err);
extern const struct gb_vm_events guest_vm_events;

/* Sends what is in `out`, and what streams have to send and may. Nothing while it is held. */
void guest_flush(struct gb_guest *guest);

/* ---- request.c ---- */

bool guest_is_answer(const struct gb_frame *frame);
/* An answer. */
int guest_answer(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err);
/* Sends what waits. */
void guest_send_waiting(struct gb_guest *guest);
/* Whether a request was sent and has not been answered. */
bool guest_is_asked(const struct gb_guest *guest);
void guest_request_expired(void *arg);

/* ---- cell.c ---- */

/* A frame that belongs to a cell, or to nothing. */
int guest_cell_frame(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err);
void guest_cell_late(void *arg);
/* The VM is gone, or was replaced. */
void guest_cells_reset(struct gb_guest *guest);

/* Of streams stdout and stderr. */
int guest_output_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                        struct gb_err *err);
int guest_output_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                      struct gb_err *err);
void guest_output_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* ---- stdin.c ---- */

void guest_stdin_init(struct gb_guest *guest);
/* For the cell that was just sent. */
void guest_stdin_open(struct gb_guest *guest, uint32_t cell);
/* The cell has ended, or the VM: pieces that were not sent end with @why, or as those of a cell
 * that does not run (NULL). */
void guest_stdin_close(struct gb_guest *guest, const struct gb_err *why);
/* The same at the end of all requests: tells at once, from the loop. */
void guest_stdin_fail(struct gb_guest *guest, const struct gb_err *why);
void guest_stdin_forget(struct gb_guest *guest, const void *arg);
/* Without a word to anybody. */
void guest_stdin_release(struct gb_guest *guest);
/* Of streams stdin. */
void guest_stdin_fill(void *arg, struct gb_mux_stream *stream);
void guest_stdin_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);
