/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this module. Private. */
#pragma once

#include "base/limits.h"
#include "guest/guest.h"
#include "wire/mux.h"

/* The running cell. */
struct guest_cell {
    uint32_t number;                 /* 0: none */
    uint64_t room[2];                /* bytes of stdout and stderr that it may still send */
    struct gb_mux_stream *output[2]; /* likewise; NULL: not opened, or ended */
    bool paused;
};

/* Bytes that a user supplies in pieces, for the host's half of a stream. */
struct guest_feed {
    struct gb_mux_stream *stream; /* NULL: not opened, or over */
    uint64_t given, sent;         /* totals in bytes */
    bool ended;                   /* the end was given */
    struct gb_list pieces;        /* struct guest_piece, not settled yet */
};

struct guest_settings_state {
    void (*done)(void *arg, const struct gb_err *err); /* NULL: no CONFIGURE in progress */
    void *arg;
    bool exact_clock;
    unsigned tries;
    bool late; /* the clock was wrong at the last check */
};

struct gb_guest {
    struct gb_loop *loop;
    const char *name;
    struct gb_guest_events events;
    void *arg;

    struct gb_vm *vm; /* NULL: none */
    const struct gb_image *image;
    bool listens;
    bool held;    /* nothing is sent to it */
    bool stopped; /* and its CPUs are stopped */
    bool restored;
    uint32_t generation;           /* the interpreter's, from the last READY; 0: none yet */
    size_t log_bytes;              /* logged so far */
    gb_vm_done_fn *operation_done; /* for load, hold or resume */
    void *operation_arg;
    struct gb_deferred refuse; /* for hold */
    struct gb_err refusal;     /* its error */
    bool anew;                 /* for resume */
    bool strange;              /* HELD, and has streams of another conversation, which end when it
                                * is resumed */

    struct gb_list requests; /* in order; unsent ones come last */
    uint32_t request_count, next_id;
    size_t waiting_bytes; /* of unsent requests */
    struct gb_timer *request_timer;

    struct guest_settings_state settings;

    struct gb_mux mux; /* of the VM's port */
    struct gb_buf out; /* frames to be sent by guest_flush() */
    struct guest_cell cell;
    struct guest_feed input;  /* the cell's standard input; without a stream: it takes none */
    uint32_t cells_begun;     /* the last one sent */
    struct gb_list terminals; /* struct gb_terminal */
    uint32_t terminals_begun;
    struct gb_timer *cell_timer;

    struct gb_list uploads, downloads;
    struct gb_list told;                     /* settled pieces of feeds */
    struct gb_deferred tell, tell_downloads; /* called from the loop */
    uint32_t transfer_count;                 /* pieces of uploads, and downloads, not reported
                                              * yet */
    struct gb_timer *transfer_timer;
    bool in_mux;    /* it is calling callbacks: what they send is sent afterwards */
    uint64_t calls; /* counted so far */
    bool moved;     /* something that others may have waited for has been sent, or never will be */
    bool going_on;  /* guest_go_on() does nothing: it is at work, or a request has to come alone */
};

/* ---- guest.c ---- */

/* The guest violated the protocol, as @err says. */
void guest_violation(struct gb_guest *guest, const struct gb_err *err);
void guest_unasked(struct gb_guest *guest, const struct gb_frame *frame);

/* Streams that the guest may know do not belong to this conversation. */
void guest_begin_anew(struct gb_guest *guest);
/* Load, hold or resume has ended. */
void guest_operation_end(struct gb_guest *guest, const struct gb_err *err);
extern const struct gb_vm_events guest_vm_events;

/* Sends `out`, and the data of streams that have credit. Does nothing while the guest is held. */
void guest_flush(struct gb_guest *guest);
/* The rest of a stream is not needed. */
void guest_give_up(struct gb_mux_stream *stream);

/* ---- request.c ---- */

bool guest_is_answer(const struct gb_frame *frame);
/* Sends a request without fields, whose answer is OK; as gb_guest_request() does. */
int guest_order(struct gb_guest *guest, enum gb_guest_type type, gb_vm_done_fn *done, void *arg,
                struct gb_err *err);
/* Handles an answer. */
int guest_answer(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err);
/* Sends waiting requests. */
void guest_send_waiting(struct gb_guest *guest);
/* Sends those that need not wait for others; without guest_flush(). */
void guest_requests_send(struct gb_guest *guest);
/* Whether a request about files made before @call is waiting. */
bool guest_requests_hold(const struct gb_guest *guest, uint64_t call);
/* Whether a request was sent and has not been answered. */
bool guest_is_asked(const struct gb_guest *guest);
void guest_request_expired(void *arg);
/* The guest gets another VM: silently drops HOLD and RESUME requests sent to the previous one,
 * which will not answer them. */
void guest_requests_forget_rest(struct gb_guest *guest);

/* ---- cell.c ---- */

/* Handles a frame that belongs to a cell, or to nothing. */
int guest_cell_frame(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err);
void guest_cell_late(void *arg);
/* The VM has ended, or was replaced. */
void guest_cells_reset(struct gb_guest *guest);

/* For stdout and stderr streams. */
int guest_output_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                        struct gb_err *err);
int guest_output_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                      struct gb_err *err);
void guest_output_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* ---- feed.c ---- */

void guest_feed_init(struct guest_feed *feed);
/* Adds a piece. @counts: it counts as a request of the user. Calls @done once, from the loop; NULL:
 * nobody waits. */
int guest_feed_give(struct guest_feed *feed, struct gb_bytes bytes, bool counts,
                    gb_vm_done_fn *done, void *arg, struct gb_err *err);
size_t guest_feed_unsent(const struct guest_feed *feed);
/* A turn of its stream. True: nothing is left to send. */
bool guest_feed_fill(struct guest_feed *feed);
/* Completes pieces: those that have been sent; those that the guest has consumed, except the very
 * last; leading empty ones, with the same exception. */
void guest_feed_settle_sent(struct gb_guest *guest, struct guest_feed *feed);
void guest_feed_settle_taken(struct gb_guest *guest, struct guest_feed *feed);
void guest_feed_settle_empty(struct gb_guest *guest, struct guest_feed *feed);
/* Ends all pieces, with @why, or successfully (NULL); drops unsent data. */
void guest_feed_fail(struct gb_guest *guest, struct guest_feed *feed, const struct gb_err *why);
void guest_feed_forget(struct gb_guest *guest, struct guest_feed *feed, const void *arg);
/* Reports what is settled (@arg: the guest), or drops it. */
void guest_feed_tell(void *arg);
void guest_feed_drop(struct gb_guest *guest);

/* ---- stdin.c ---- */

/* For the cell that was just sent. */
void guest_stdin_open(struct gb_guest *guest, uint32_t cell);
/* The cell, or the VM, has ended: unsent pieces end with @why, or as those of a cell that is not
 * running (NULL). */
void guest_stdin_close(struct gb_guest *guest, const struct gb_err *why);
/* For stdin streams. */
void guest_stdin_fill(void *arg, struct gb_mux_stream *stream);
void guest_stdin_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* ---- transfer.c ---- */

/* Whether another piece or download may wait. */
int guest_transfer_check(const struct gb_guest *guest, struct gb_err *err);
/* One more waits for the guest; one has ended (@counts false: it did not count). */
void guest_transfer_begun(struct gb_guest *guest);
void guest_transfer_ended(struct gb_guest *guest, bool counts);
/* When to fail a transfer on which the guest makes no progress. */
uint64_t guest_transfer_deadline(void);
void guest_transfer_expired(void *arg);

/* ---- order.c ---- */

/* Sends what no longer has to wait, if the guest listens; without guest_flush(). */
void guest_go_on(struct gb_guest *guest);

/* ---- upload.c, download.c ---- */

void guest_uploads_open(struct gb_guest *guest);
/* Whether one was completed before @call, and not all of it has been sent. */
bool guest_uploads_hold(const struct gb_guest *guest, uint64_t call);
/* Whether one is partly transferred, even if no request about it is pending. */
bool guest_uploads_are_open(const struct gb_guest *guest);
/* Whether the guest is working on one. */
bool guest_uploads_wait(const struct gb_guest *guest);
size_t guest_uploads_queued(const struct gb_guest *guest);
/* Fails those whose deadline has passed; returns the next deadline, or UINT64_MAX. */
uint64_t guest_uploads_expire(struct gb_guest *guest, uint64_t now_ns);
void guest_uploads_forget(struct gb_guest *guest, const void *arg);
void guest_uploads_fail(struct gb_guest *guest, const struct gb_err *why);

void guest_downloads_open(struct gb_guest *guest);
bool guest_downloads_wait(const struct gb_guest *guest);
uint64_t guest_downloads_expire(struct gb_guest *guest, uint64_t now_ns);
void guest_downloads_forget(struct gb_guest *guest, const void *arg);
void guest_downloads_fail(struct gb_guest *guest, const struct gb_err *why);
/* Reports those that have ended (@arg: the guest), or drops all. */
void guest_downloads_tell(void *arg);
void guest_downloads_drop(struct gb_guest *guest);

/* For upload and download streams. */
void guest_upload_fill(void *arg, struct gb_mux_stream *stream);
void guest_upload_credited(void *arg, struct gb_mux_stream *stream);
int guest_upload_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                      struct gb_err *err);
void guest_upload_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);
int guest_download_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                        struct gb_err *err);
int guest_download_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                        struct gb_err *err);
void guest_download_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* ---- terminal.c: of streams of terminals ---- */

int guest_terminal_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                          struct gb_err *err);
void guest_terminal_fill(void *arg, struct gb_mux_stream *stream);
int guest_terminal_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                        struct gb_err *err);
int guest_terminal_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                        struct gb_err *err);
void guest_terminal_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);
/* Whether a program is running at one, or starting. */
bool guest_terminals_run(const struct gb_guest *guest);
/* Without notifying anybody. */
void guest_terminals_release(struct gb_guest *guest);
