/* SPDX-License-Identifier: Apache-2.0 */
/* The guest: one conversation with the agent in a VM.
 *
 * All communication between the engine and an agent is here: requests with their answers and
 * deadlines, ping, settings, cells with their output under flow control, hold and resume. Sessions,
 * clones of snapshots, VMs of the pool and the template builder differ in what they request and in
 * what they do with the answers. Frames end here, but for the answers that session/query.c gives
 * types (gb_guest_request()).
 *
 * Life: without a VM (requests wait) → a VM starts (a boot, or a process that waits for state; they
 * still wait) → LISTENS (HELLO arrived, or the state was loaded: requests are sent immediately) ⇄
 * HELD → `dead`, after which it has no VM again and may get another one.
 *
 * Reporting failures. The guest is hostile: any violation of docs/guest.md is reported once by
 * `failed`, with a complete message, and the user kills the VM or gives it up. A request is
 * answered exactly once: by the guest, by its deadline, or by gb_guest_fail_requests(); or never,
 * if it was forgotten or the conversation freed. err.dispatched in its error says whether the
 * request may have been executed: false for one that was never sent.
 *
 * All functions: loop thread only. No callback is made from within a call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"
#include "vm/vm.h"
#include "wire/guest.h"
#include "wire/stream_kinds.h"

struct gb_guest;

/* NULL members: the event is dropped, or passed to `unasked` if that applies. Those that return int
 * return 0, or fill @err for an error that only they can detect: `failed` is then called. */
struct gb_guest_events {
    /* The agent of a booting VM has sent HELLO. */
    void (*listens)(void *arg);
    /* The interpreter of the image's language has started. @replaced: it is not the one of the
     * previous READY (or there was none). */
    void (*ready)(void *arg, bool replaced);
    /* A piece of the running cell's output, within its limits and its window. */
    int (*output)(void *arg, enum gb_output stream, struct gb_bytes bytes, struct gb_err *err);
    int (*display)(void *arg, const struct gb_display *display, struct gb_err *err);
    int (*waiting)(void *arg, bool waiting, struct gb_err *err);
    /* The running cell has ended: another may be sent. Exit code, signal and the list of changed
     * files have been checked. */
    int (*done)(void *arg, const struct gb_done *done, struct gb_err *err);
    /* The ports on which programs listen, ascending; reported also if that has not changed. */
    void (*listening)(void *arg, const uint16_t *ports, unsigned count);
    /* What NETWORK_ON or NETWORK_START has started in the guest has ended by itself. */
    void (*network_lost)(void *arg);
    /* Output of a process that an earlier cell left behind. */
    void (*background)(void *arg, uint32_t cell, enum gb_output stream, struct gb_bytes bytes);
    /* A request has ended in any way; called before its callback. */
    void (*request_ended)(void *arg, enum gb_guest_type type);
    /* The guest has sent @what (the name of a frame in docs/guest.md; static), and nobody expected
     * it: an answer to no request, a READY, a frame of a cell other than the running one. */
    void (*unasked)(void *arg, const char *what);
    /* The guest violated the protocol, or did not end a cell in time. */
    void (*failed)(void *arg, const struct gb_err *err);
    /* The VM has been reaped and freed. Requests stay until they are failed or forgotten. The
     * conversation may be freed from here. */
    void (*dead)(void *arg, const struct gb_err *why);
};

/* @name precedes the guest's log messages (at most GB_GUEST_LOGS_MAX bytes per VM); borrowed. NULL:
 * they are not logged. Gives. */
struct gb_guest *gb_guest_new(struct gb_loop *loop, const char *name,
                              const struct gb_guest_events *events, void *arg);
/* Forgets all requests. Its VM must have ended, if it had one. No-op on NULL. */
void gb_guest_free(struct gb_guest *guest);

/* ---- its VM ---- */

/* Starts a VM, for a conversation that has none. On failure it still has none. */
int gb_guest_start(struct gb_guest *guest, struct gb_host *host, const struct gb_vm_config *config,
                   struct gb_err *err);
/* Loads device state into a VM started with `incoming`: it LISTENS at @done, and READY is not
 * repeated. @held: the guest was HELD when it was saved, and is HELD again. Calls @done once, from
 * the loop. */
void gb_guest_load(struct gb_guest *guest, const char *state_path, bool held, gb_vm_done_fn *done,
                   void *arg);
/* Moves the VM of @from, which LISTENS, into a conversation without one. Requests waiting here are
 * sent after the next CONFIGURE. Takes @from: requests made there are forgotten. */
void gb_guest_adopt(struct gb_guest *guest, struct gb_guest *from);
/* The same for a HELD guest, which stays HELD. It has run cells up to number @cells, whose programs
 * may still print. */
void gb_guest_adopt_held(struct gb_guest *guest, struct gb_guest *from, uint32_t cells);
/* From now on the events go to another user, who owns the conversation. */
void gb_guest_hand_over(struct gb_guest *guest, const struct gb_guest_events *events, void *arg);
/* Borrowed; NULL if there is none. */
struct gb_vm *gb_guest_vm(const struct gb_guest *guest);
/* Whether a request made now is sent immediately. */
bool gb_guest_listens(const struct gb_guest *guest);
/* Ends the VM: only `dead` will be called. No-op without a VM. */
void gb_guest_kill(struct gb_guest *guest, const char *reason);

/* ---- rest ---- */

/* 0, or GB_EBUSY and what is in progress in the guest, which prevents bringing it to rest. A partly
 * transferred file is in progress, however long the next part takes. */
int gb_guest_check_rest(const struct gb_guest *guest, struct gb_err *err);
/* For a template: a guest that LISTENS, without output in progress, must answer a ping with its
 * interpreter running, and then its CPUs are stopped for good; requests wait. Calls @done once,
 * from the loop: GB_EBUSY if a cell is running or a request is in progress, and then nothing has
 * changed. The VM may be saved at @done. */
void gb_guest_freeze(struct gb_guest *guest, gb_vm_done_fn *done, void *arg);

/* Brings a guest that LISTENS to rest, whatever is running in it: the agent stops sending at a
 * frame boundary, then its CPUs are stopped. While it is HELD, requests wait. @done as above;
 * GB_EBUSY also if a transfer is only partly done. */
void gb_guest_hold(struct gb_guest *guest, gb_vm_done_fn *done, void *arg);
/* Lets a HELD guest continue, and sends waiting requests. @anew: it continues from this moment a
 * second time, so the kernel gets different random numbers than the first time. Sets its clock.
 * Calls @done once, from the loop; on failure it is still HELD, or dead. */
void gb_guest_resume(struct gb_guest *guest, bool anew, gb_vm_done_fn *done, void *arg);
/* Stops sending to a guest that LISTENS, without telling it: it counts as HELD, until it is
 * resumed, or exchanged and ended. Precondition: gb_guest_check_rest(). */
void gb_guest_silence(struct gb_guest *guest);
/* The programs of cells up to this number may print in the VM that it has now. */
void gb_guest_knows_cells(struct gb_guest *guest, uint32_t cells);
/* Exchanges the VMs of two conversations whose guests are HELD, or one of which has ended. Waiting
 * requests stay. All streams known to the guests have ended; @guest knows the cells of both. */
void gb_guest_exchange(struct gb_guest *guest, struct gb_guest *other);

/* ---- requests ---- */

enum { GB_GUEST_REQUESTS_MAX = 1024 }; /* unanswered */

/* @done: called once, from the loop. @frame: the answer (borrowed for the call), or NULL with
 * @err. */
typedef void gb_guest_reply_fn(void *arg, const struct gb_frame *frame, const struct gb_err *err);

/* Sends a request with the message of @table (both NULL: none). The answer has the type given in
 * docs/guest.md; anything else has been turned into an error. @deadline_ms 0: the default for the
 * type. @done NULL: the answer is dropped. GB_EBUSY: too many requests, or bytes, are already
 * waiting for the guest. */
int gb_guest_request(struct gb_guest *guest, enum gb_guest_type type, uint32_t cell,
                     const struct gb_fields *table, const void *message, uint64_t deadline_ms,
                     gb_guest_reply_fn *done, void *arg, struct gb_err *err);
/* From now on no callback with this @arg is called. */
void gb_guest_forget(struct gb_guest *guest, const void *arg);
/* Ends all requests with GB_ECLOSED and the message of @why. */
void gb_guest_fail_requests(struct gb_guest *guest, const struct gb_err *why);
/* The same with the kind of @why. */
void gb_guest_refuse_requests(struct gb_guest *guest, const struct gb_err *why);
/* Ends all requests without notifying anybody. */
void gb_guest_drop_requests(struct gb_guest *guest);
/* Bytes queued for the guest. */
size_t gb_guest_queued(const struct gb_guest *guest);

typedef void gb_guest_pong_fn(void *arg, const struct gb_pong *pong, const struct gb_err *err);
/* Like a request. */
int gb_guest_ping(struct gb_guest *guest, uint64_t deadline_ms, gb_guest_pong_fn *done, void *arg,
                  struct gb_err *err);

/* ---- files ---- */

/* A file being sent to the guest's home in pieces. It appears complete with the last one, or not at
 * all. */
struct gb_guest_upload;
/* @mode: permission bits; 0: the default. Gives. Nothing is sent before the first piece. */
struct gb_guest_upload *gb_guest_upload_new(struct gb_guest *guest, struct gb_bytes path,
                                            uint32_t mode);
/* Sends another piece, which is copied; @final: the last one. Calls @done once, from the loop: when
 * the guest has written it, or, for the last one, when the file is in place; or with an error,
 * which then also fails the other pieces. Fails immediately if the upload has failed before, and
 * with GB_EBUSY if too much is waiting. */
int gb_guest_upload_give(struct gb_guest_upload *upload, struct gb_bytes bytes, bool final,
                         gb_vm_done_fn *done, void *arg, struct gb_err *err);
/* An unfinished upload leaves nothing behind, and its pieces fail. Call it before freeing the
 * conversation. No-op on NULL. */
void gb_guest_upload_free(struct gb_guest_upload *upload);

/* @end NULL: it failed, for the reason in @err, and the data received is useless. */
typedef void gb_guest_download_fn(void *arg, const struct gb_download_end *end,
                                  const struct gb_err *err);
/* Appends a part of a file (at most `length` bytes) to @into, which must stay valid until @done,
 * called once, from the loop; gb_guest_forget() releases it earlier. */
int gb_guest_download(struct gb_guest *guest, const struct gb_download *what, struct gb_buf *into,
                      gb_guest_download_fn *done, void *arg, struct gb_err *err);

/* ---- the order of calls ---- */

/* Numbers a call that is made now but sent later. Requests, uploads and downloads do this
 * themselves. */
uint64_t gb_guest_call(struct gb_guest *guest);
/* Whether it has to wait: a file completed before it, or an earlier request about files, has not
 * been sent. `request_ended` is called when that changes. */
bool gb_guest_is_behind(const struct gb_guest *guest, uint64_t call);

/* ---- settings ---- */

struct gb_guest_settings {
    const char *hostname, *machine_id; /* NULL: the guest keeps its own */
    struct gb_pairs env;
    /* The clock of a restored guest is checked, and set again while it is late. */
    bool exact_clock;
    bool resumed; /* RESUME has brought random numbers: no more are sent, because interpreters would
                   * then reseed their own generators */
};

/* Sends CONFIGURE, with random bytes and the current time, and then the waiting requests. One at a
 * time. Calls @done once, from the loop. */
int gb_guest_configure(struct gb_guest *guest, const struct gb_guest_settings *settings,
                       void (*done)(void *arg, const struct gb_err *err), void *arg,
                       struct gb_err *err);

/* ---- cells ---- */

/* Sends a cell to a guest that LISTENS and runs none; @number increases from cell to cell. A guest
 * that does not end it within some time after its time-out has `failed`. */
void gb_guest_exec(struct gb_guest *guest, uint32_t number, const struct gb_exec *cell);
/* More standard input for the running cell, which was sent as interactive. @done: called once, from
 * the loop, when all of it has been sent, or cannot be sent any more. GB_ENOTFOUND: no cell is
 * running. GB_EINVALID: the end was given before. GB_ETOOLARGE: too much is waiting unread. */
int gb_guest_stdin(struct gb_guest *guest, struct gb_bytes data, bool eof, gb_vm_done_fn *done,
                   void *arg, struct gb_err *err);
/* While paused, the guest may only send what the running cell's window allows; then the program
 * blocks. Every cell starts unpaused. */
void gb_guest_pause_output(struct gb_guest *guest, bool paused);

/* Has the interpreters load what the image lists, before a template is saved. Calls @done once,
 * from the loop, as for a request. */
int gb_guest_prepare(struct gb_guest *guest, gb_vm_done_fn *done, void *arg, struct gb_err *err);

/* Has the guest go through all that it takes to have a network, before a session has it. Likewise.
 */
int gb_guest_rehearse_network(struct gb_guest *guest, gb_vm_done_fn *done, void *arg,
                              struct gb_err *err);

/* Cells to run in a guest before a user's first cell (warmup.c). */
enum gb_warmup {
    GB_WARMUP_TEMPLATE, /* before it is saved */
    GB_WARMUP_POOL,     /* after it was restored, before a session gets it */
    GB_WARMUP_COUNT
};
/* The number of its cells, from the record of the image's language. */
unsigned gb_guest_warmup_count(const struct gb_guest *guest, enum gb_warmup warmup);

/* Sends cell @index of a warm-up, like gb_guest_exec(), under a number that no session reaches.
 * False: there is none. */
bool gb_guest_warm_up(struct gb_guest *guest, enum gb_warmup warmup, unsigned index);
/* Adds the cells of a warm-up in lines: a template made with other cells is a different one. */
void gb_warmup_describe(const struct gb_image *image, enum gb_warmup warmup, struct gb_buf *text);
