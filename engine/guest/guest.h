/* SPDX-License-Identifier: Apache-2.0 */
/* The guest: one conversation with the agent in a VM.
 *
 * Everything that the engine says to an agent is said here: requests with their answers and
 * deadlines, ping, settings, cells with their output under credit, hold and resume. Sessions,
 * clones of snapshots, the VMs of the pool and the builder of templates differ in what they say and
 * in what they make of the answers, which is theirs to decide; none of them makes or reads a frame.
 *
 * Life: without a VM (requests wait) → a VM starts (boot, or a process that waits for state; they
 * still wait) → LISTENS (HELLO came, or the state was loaded: requests are sent at once) ⇄ HELD →
 * `dead`, after which it is without a VM again and may get another one.
 *
 * Truth about failures. The guest is hostile: whatever breaks docs/guest.md is told once by
 * `failed`, with a whole sentence, and the user kills the VM or gives it up. A request is answered
 * exactly once: by the guest, by its deadline, or by gb_guest_fail_requests(); or never, when it
 * was forgotten or the conversation freed. Its error says in err.dispatched whether what was asked
 * for may have been done: a request that never left says false.
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

/* NULL members: what it would tell is dropped, but where `unasked` takes it. Those that return int
 * return 0, or fill @err for what only they can see to be wrong: then `failed` follows. */
struct gb_guest_events {
    /* The agent of a VM that boots has said HELLO. */
    void (*listens)(void *arg);
    /* The interpreter of the image's language has started. @replaced: it is not the one of the
     * READY before (or there was none). */
    void (*ready)(void *arg, bool replaced);
    /* A piece of the running cell's output, within its caps and its window. */
    int (*output)(void *arg, enum gb_output stream, struct gb_bytes bytes, struct gb_err *err);
    int (*display)(void *arg, const struct gb_display *display, struct gb_err *err);
    int (*waiting)(void *arg, bool waiting, struct gb_err *err);
    /* The running cell has ended: another may be sent. Exit code, signal and the list of changed
     * files were checked. */
    int (*done)(void *arg, const struct gb_done *done, struct gb_err *err);
    /* What a process that an earlier cell has left behind prints. */
    void (*background)(void *arg, uint32_t cell, enum gb_output stream, struct gb_bytes bytes);
    /* A request has ended, however: before its callback. */
    void (*request_ended)(void *arg, enum gb_guest_type type);
    /* Nobody waits for this frame, or nobody listens to it: an answer to no request, a READY, what
     * belongs to another cell than the one that runs. */
    void (*unasked)(void *arg, const struct gb_frame *frame);
    /* The guest broke the protocol, or did not end a cell in time. */
    void (*failed)(void *arg, const struct gb_err *err);
    /* The VM has been reaped and is freed. Requests stay until they are failed or forgotten. The
     * conversation may be freed from here. */
    void (*dead)(void *arg, const struct gb_err *why);
};

/* @name stands before what the guest says for the log (at most GB_GUEST_LOGS_MAX bytes a VM); it is
 * borrowed. NULL: nothing of it is logged. Gives. */
struct gb_guest *gb_guest_new(struct gb_loop *loop, const char *name,
                              const struct gb_guest_events *events, void *arg);
/* Requests are forgotten. There must be no VM (any more). Accepts NULL. */
void gb_guest_free(struct gb_guest *guest);

/* ---- its VM ---- */

/* Starts one, for a conversation without. On failure there is still none. */
int gb_guest_start(struct gb_guest *guest, struct gb_host *host, const struct gb_vm_config *config,
                   struct gb_err *err);
/* Loads device state into a VM that was started with `incoming`: it LISTENS at @done, and READY is
 * not said again. @held: it is a guest that was HELD when it was saved, and is so again. @done
 * once, from the loop. */
void gb_guest_load(struct gb_guest *guest, const char *state_path, bool held, gb_vm_done_fn *done,
                   void *arg);
/* Moves the VM of @from, which LISTENS, into a conversation without one. What waits here is sent
 * behind the next CONFIGURE. Takes @from: what was asked there is forgotten. */
void gb_guest_adopt(struct gb_guest *guest, struct gb_guest *from);
/* The events go to another user from now on, who has the conversation. */
void gb_guest_hand_over(struct gb_guest *guest, const struct gb_guest_events *events, void *arg);
/* Borrowed; NULL: there is none. */
struct gb_vm *gb_guest_vm(const struct gb_guest *guest);
/* Whether what is asked now is sent at once. */
bool gb_guest_listens(const struct gb_guest *guest);
/* Ends the VM: nothing but `dead` is told any more. Harmless without one. */
void gb_guest_kill(struct gb_guest *guest, const char *reason);

/* ---- rest ---- */

/* 0, or GB_EBUSY and what is under way in the guest: then it cannot be brought to rest. A file of
 * which a part is in the guest is under way, however long the next part takes. */
int gb_guest_check_rest(const struct gb_guest *guest, struct gb_err *err);
/* For a template: a guest that LISTENS, and in which nothing prints, has to answer a ping, with its
 * interpreter there, and then its CPUs are halted for good; requests wait. @done once, from the
 * loop: GB_EBUSY when a cell runs or a request is under way, and nothing has changed. The VM may be
 * saved at @done. */
void gb_guest_freeze(struct gb_guest *guest, gb_vm_done_fn *done, void *arg);

/* Brings a guest that LISTENS to rest whatever runs in it: the agent falls silent behind a whole
 * frame, then its CPUs are halted. While it is HELD requests wait. @done as above; GB_EBUSY also
 * when something is half way in the guest. */
void gb_guest_hold(struct gb_guest *guest, gb_vm_done_fn *done, void *arg);
/* Lets a guest that is HELD go on, and sends what waited. @anew: it lives this moment once more, so
 * the kernel gets other random numbers than it had the first time. Its clock is set. @done once,
 * from the loop; when that fails it is HELD still, or dead. */
void gb_guest_resume(struct gb_guest *guest, bool anew, gb_vm_done_fn *done, void *arg);
/* Two conversations whose guests are HELD, or one of them gone, exchange their VMs. What waits to
 * be asked stays. Whatever the guests knew of streams has ended; @guest knows the cells of both. */
void gb_guest_exchange(struct gb_guest *guest, struct gb_guest *other);

/* ---- requests ---- */

enum { GB_GUEST_REQUESTS_MAX = 1024 }; /* that are not answered */

/* @done: once, from the loop. @frame: the answer (borrows for the call), or NULL with @err. */
typedef void gb_guest_reply_fn(void *arg, const struct gb_frame *frame, const struct gb_err *err);

/* Asks with the message of @table (both NULL: none). The answer is of the type that docs/guest.md
 * names; anything else was turned into an error. @deadline_ms 0: what is usual for the type.
 * @done NULL: nobody listens. GB_EBUSY: too many requests, or bytes, wait for the guest already. */
int gb_guest_request(struct gb_guest *guest, enum gb_guest_type type, uint32_t cell,
                     const struct gb_fields *table, const void *message, uint64_t deadline_ms,
                     gb_guest_reply_fn *done, void *arg, struct gb_err *err);
/* No callback with this @arg comes from now on. */
void gb_guest_forget(struct gb_guest *guest, const void *arg);
/* Ends all requests with GB_ECLOSED and the sentence of @why. */
void gb_guest_fail_requests(struct gb_guest *guest, const struct gb_err *why);
/* Ends all requests without a word to who asked. */
void gb_guest_drop_requests(struct gb_guest *guest);
/* Bytes that wait for the guest. */
size_t gb_guest_queued(const struct gb_guest *guest);

typedef void gb_guest_pong_fn(void *arg, const struct gb_pong *pong, const struct gb_err *err);
/* As a request. */
int gb_guest_ping(struct gb_guest *guest, uint64_t deadline_ms, gb_guest_pong_fn *done, void *arg,
                  struct gb_err *err);

/* ---- files ---- */

/* A file on its way into the guest's home, in pieces. It appears whole with the last one, or not at
 * all. */
struct gb_guest_upload;
/* @mode: permission bits; 0: the default. Gives. Nothing is said before the first piece. */
struct gb_guest_upload *gb_guest_upload_new(struct gb_guest *guest, struct gb_bytes path,
                                            uint32_t mode);
/* A piece more, which is copied; @final: the last one. @done once, from the loop: when the guest
 * has written it, or, of the last one, when the file is there; or why not, and then the other
 * pieces end with that, too. Fails at once when it has failed before, and with GB_EBUSY when too
 * much waits. */
int gb_guest_upload_give(struct gb_guest_upload *upload, struct gb_bytes bytes, bool final,
                         gb_vm_done_fn *done, void *arg, struct gb_err *err);
/* What is not finished leaves nothing behind, and its pieces fail. Before the conversation is
 * freed. Accepts NULL. */
void gb_guest_upload_free(struct gb_guest_upload *upload);

/* @end NULL: it failed, as @err says, and what has come is of no use. */
typedef void gb_guest_download_fn(void *arg, const struct gb_download_end *end,
                                  const struct gb_err *err);
/* Adds a piece of a file (at most `length` bytes) to @into, which stays the caller's until @done,
 * once, from the loop; gb_guest_forget() gives it back before. */
int gb_guest_download(struct gb_guest *guest, const struct gb_download *what, struct gb_buf *into,
                      gb_guest_download_fn *done, void *arg, struct gb_err *err);

/* ---- the order of calls ---- */

/* Counts a call that is made now, for whoever sends it later. Requests, uploads and downloads do it
 * themselves. */
uint64_t gb_guest_call(struct gb_guest *guest);
/* Whether it has to wait: a file that was finished before it, or a request about files, has not
 * left. `request_ended` comes when that has changed. */
bool gb_guest_is_behind(const struct gb_guest *guest, uint64_t call);

/* ---- settings ---- */

struct gb_guest_settings {
    const char *hostname, *machine_id; /* NULL: the guest keeps its own */
    struct gb_pairs env;
    /* The clock of a guest that was restored is looked at, and set again while it is late. */
    bool exact_clock;
};

/* Sends CONFIGURE, with random bytes and the time of now, and behind it what waited. One at a time.
 * @done once, from the loop. */
int gb_guest_configure(struct gb_guest *guest, const struct gb_guest_settings *settings,
                       void (*done)(void *arg, const struct gb_err *err), void *arg,
                       struct gb_err *err);

/* ---- cells ---- */

/* Sends a cell to a guest that LISTENS and runs none; @number grows from cell to cell. A guest that
 * does not end it a good while after its time-out has `failed`. */
void gb_guest_exec(struct gb_guest *guest, uint32_t number, const struct gb_exec *cell);
/* More standard input for the cell that runs, which was sent as interactive. @done: once, from the
 * loop, when all of it has left, or when it cannot any more. GB_ENOTFOUND: no cell runs.
 * GB_EINVALID: the end was given before. GB_ETOOLARGE: too much waits unread. */
int gb_guest_stdin(struct gb_guest *guest, struct gb_bytes data, bool eof, gb_vm_done_fn *done,
                   void *arg, struct gb_err *err);
/* While paused the guest may send only what the window of the running cell allows; then the program
 * waits. Every cell begins unpaused. */
void gb_guest_pause_output(struct gb_guest *guest, bool paused);

/* What is run in a guest before a user's first cell (warmup.c). */
enum gb_warmup {
    GB_WARMUP_TEMPLATE, /* before it is saved */
    GB_WARMUP_POOL,     /* after it was restored, before anybody has it */
    GB_WARMUP_COUNT
};
/* How many cells it has, by the record of the image's language. */
unsigned gb_guest_warmup_count(const struct gb_guest *guest, enum gb_warmup warmup);

/* Sends cell @index of a warm-up, as gb_guest_exec(), under a number that no session comes to.
 * False: there is none. */
bool gb_guest_warm_up(struct gb_guest *guest, enum gb_warmup warmup, unsigned index);
/* Adds the cells of a warm-up in lines: a template that was made with other cells is not the same.
 */
void gb_warmup_describe(const struct gb_image *image, enum gb_warmup warmup, struct gb_buf *text);
