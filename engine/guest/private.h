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

/* Bytes that a user gives in pieces, for the host's half of a stream. */
struct guest_feed {
    struct gb_mux_stream *stream; /* NULL: not opened, or over */
    uint64_t given, sent;         /* bytes, in all */
    bool ended;                   /* the end was given */
    struct gb_list pieces;        /* struct guest_piece, not settled yet */
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
    struct gb_err refusal;     /* then */
    bool anew;                 /* of resume */
    bool strange; /* HELD, and knows none of the streams here: that is told with RESUME */

    struct gb_list requests; /* in the order of asking: those not sent are the last */
    uint32_t request_count, next_id;
    size_t waiting_bytes; /* of requests that are not sent */
    struct gb_timer *request_timer;

    struct guest_settings_state settings;

    struct gb_mux mux; /* of the VM's port */
    struct gb_buf out; /* frames that leave with guest_flush() */
    struct guest_cell cell;
    struct guest_feed input;  /* standard input of the cell; without a stream: it takes none */
    uint32_t cells_begun;     /* the last that was sent */
    struct gb_list terminals; /* struct gb_terminal */
    uint32_t terminals_begun;
    struct gb_timer *cell_timer;

    struct gb_list uploads, downloads;
    struct gb_list told;                     /* pieces of feeds that are settled */
    struct gb_deferred tell, tell_downloads; /* from the loop */
    uint32_t transfer_count;                 /* pieces of uploads, and downloads, not told yet */
    struct gb_timer *transfer_timer;
    bool in_mux;    /* it makes callbacks: what they send leaves behind them */
    uint64_t calls; /* that were counted */
    bool moved;     /* what others may have waited for has left, or will not */
    bool going_on;
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

/* Sends what is in `out`, and what streams have to send and may. While the guest is held it stays.
 */
void guest_flush(struct gb_guest *guest);
/* Nobody here wants what is left of a stream. */
void guest_give_up(struct gb_mux_stream *stream);

/* ---- request.c ---- */

bool guest_is_answer(const struct gb_frame *frame);
/* An answer. */
int guest_answer(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err);
/* Sends what waits. */
void guest_send_waiting(struct gb_guest *guest);
/* Those that need not wait for others; without guest_flush(). */
void guest_requests_send(struct gb_guest *guest);
/* Whether one about files waits that came before @call. */
bool guest_requests_hold(const struct gb_guest *guest, uint64_t call);
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

/* ---- feed.c ---- */

void guest_feed_init(struct guest_feed *feed);
/* A piece more. @counts: as a request of the user. @done once, from the loop; NULL: nobody listens.
 */
int guest_feed_give(struct guest_feed *feed, struct gb_bytes bytes, bool counts,
                    gb_vm_done_fn *done, void *arg, struct gb_err *err);
size_t guest_feed_unsent(const struct guest_feed *feed);
/* A turn of its stream. True: nothing is left to send. */
bool guest_feed_fill(struct guest_feed *feed);
/* Pieces have come to a good end: those that have left; those that the guest has consumed, but for
 * the last one of all; the first ones of no bytes, with the same exception. */
void guest_feed_settle_sent(struct gb_guest *guest, struct guest_feed *feed);
void guest_feed_settle_taken(struct gb_guest *guest, struct guest_feed *feed);
void guest_feed_settle_empty(struct gb_guest *guest, struct guest_feed *feed);
/* All pieces have ended, with @why, or well (NULL); what has not left is dropped. */
void guest_feed_fail(struct gb_guest *guest, struct guest_feed *feed, const struct gb_err *why);
void guest_feed_forget(struct gb_guest *guest, struct guest_feed *feed, const void *arg);
/* Tells what is settled now (@arg: the guest), or drops it. */
void guest_feed_tell(void *arg);
void guest_feed_drop(struct gb_guest *guest);

/* ---- stdin.c ---- */

/* For the cell that was just sent. */
void guest_stdin_open(struct gb_guest *guest, uint32_t cell);
/* The cell has ended, or the VM: pieces that were not sent end with @why, or as those of a cell
 * that does not run (NULL). */
void guest_stdin_close(struct gb_guest *guest, const struct gb_err *why);
/* Of streams stdin. */
void guest_stdin_fill(void *arg, struct gb_mux_stream *stream);
void guest_stdin_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* ---- transfer.c ---- */

/* Whether a piece or a download more may wait. */
int guest_transfer_check(const struct gb_guest *guest, struct gb_err *err);
/* One more waits for the guest; one has ended (@counts false: it was none of them). */
void guest_transfer_begun(struct gb_guest *guest);
void guest_transfer_ended(struct gb_guest *guest, bool counts);
/* When a guest that does nothing more about one has failed at it. */
uint64_t guest_transfer_deadline(void);
void guest_transfer_expired(void *arg);

/* ---- order.c ---- */

/* Lets go what waits for nothing any more, when the guest listens; without guest_flush(). */
void guest_go_on(struct gb_guest *guest);

/* ---- upload.c, download.c ---- */

void guest_uploads_open(struct gb_guest *guest);
/* Whether one was finished before @call, and the guest has not been told all of it. */
bool guest_uploads_hold(const struct gb_guest *guest, uint64_t call);
/* Whether one is half way in the guest, though nothing may be asked about it now. */
bool guest_uploads_are_open(const struct gb_guest *guest);
/* Whether the guest works at one. */
bool guest_uploads_wait(const struct gb_guest *guest);
size_t guest_uploads_queued(const struct gb_guest *guest);
/* Those whose time is over fail; returns when that of the next is, or UINT64_MAX. */
uint64_t guest_uploads_expire(struct gb_guest *guest, uint64_t now_ns);
void guest_uploads_forget(struct gb_guest *guest, const void *arg);
void guest_uploads_fail(struct gb_guest *guest, const struct gb_err *why);

void guest_downloads_open(struct gb_guest *guest);
bool guest_downloads_wait(const struct gb_guest *guest);
uint64_t guest_downloads_expire(struct gb_guest *guest, uint64_t now_ns);
void guest_downloads_forget(struct gb_guest *guest, const void *arg);
void guest_downloads_fail(struct gb_guest *guest, const struct gb_err *why);
/* Tells those that have ended (@arg: the guest), or drops all. */
void guest_downloads_tell(void *arg);
void guest_downloads_drop(struct gb_guest *guest);

/* Of streams upload and download. */
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
/* Whether a program is at one, or begins. */
bool guest_terminals_run(const struct gb_guest *guest);
/* Without a word to anybody. */
void guest_terminals_release(struct gb_guest *guest);
