/* SPDX-License-Identifier: Apache-2.0 */
/* A session: one VM at a time, its cells in order of arrival, its files, and its end.
 *
 * Life: STARTING (VM boots, worker warms up) → IDLE ⇄ RUNNING (⇄ WAITING_INPUT) → CLOSED; an IDLE
 * one can be ASLEEP for a while, without a VM. state.h documents the internal states, and who may
 * leave each of them. Cells, file calls, queries and interrupts are accepted from STARTING on: they
 * wait for the worker (cells) or the agent (the rest). Only the death of the VM ends a session;
 * `closed` is called once, when its process has been reaped, after everything in progress has been
 * answered.
 *
 * Reporting failures: err.dispatched in each error says whether the code may have run. What was
 * never sent to the guest fails with GB_ECLOSED, dispatched false; what was sent and not answered
 * with GB_EUNKNOWN, dispatched true.
 *
 * All functions: loop thread only. No callback is made from within a call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "guest/guest.h"
#include "guest/terminal.h"
#include "language/language.h"
#include "model/flags.h"
#include "model/words.h"
#include "vm/host.h"
#include "vm/vm.h"
#include "wire/guest.h"

struct gb_cell;
struct gb_session;

/* NAME=VALUE settings; the strings are NUL-terminated. */
struct gb_env {
    char **names, **values;
    size_t count;
};

/* Adds a copy of a pair, replacing one with the same name. GB_EINVALID if the name is not
 * [A-Za-z_][A-Za-z0-9_]*, or would affect the loader (LD_*, …) or the worker of one of @languages,
 * if the value contains control characters other than tab or is not UTF-8, or if a limit is
 * exceeded. */
int gb_env_add(struct gb_env *env, const struct gb_languages *languages, struct gb_bytes name,
               struct gb_bytes value, struct gb_err *err);
void gb_env_release(struct gb_env *env);

struct gb_session_config {
    struct gb_image *image;   /* borrowed for the session's life */
    uint32_t memory_mb;       /* 0: the image's */
    uint32_t timeout_ms;      /* default for its cells; 0: GB_TIMEOUT_DEFAULT_MS */
    uint64_t idle_ms;         /* close after being idle for this long; 0: never */
    uint64_t lifetime_ms;     /* 0: no limit */
    const struct gb_env *env; /* NULL: none; copied */
    uint32_t cells;           /* its first cell gets the number after this one */
};

/* Where the time of opening went: booting or restoring until the guest could be reached, then the
 * rest. */
struct gb_session_timing {
    uint64_t total_ns, boot_ns, worker_ns;
};

struct gb_session_events {
    /* Called once: the session can run cells (@err NULL), or never will (then `closed` is
     * called). */
    void (*opened)(void *arg, const struct gb_err *err);
    /* The state, the number of cells or the time of expiry has changed. May be NULL. */
    void (*changed)(void *arg);
    /* The last request or file transfer in progress has ended (gb_session_check_rest()). May be
     * NULL. */
    void (*rested)(void *arg);
    /* Output of a finished cell's background process, within the cell's limits. May be NULL. */
    void (*background)(void *arg, uint32_t cell, enum gb_output stream, struct gb_bytes bytes);
    /* The ports of the guest on which programs listen, ascending. May be NULL. */
    void (*listening)(void *arg, const uint16_t *ports, unsigned count);
    /* What provides the network in the guest has ended by itself. May be NULL. */
    void (*network_lost)(void *arg);
    /* It has another VM, which continues from a moment of its past: what is requested of the guest
     * now comes before the cells that wait. Negative, with @err: it cannot do without something
     * that this VM cannot get, which then counts as one that has failed: `stayed` follows. Requests
     * that had waited have been sent to it, and fail; cells wait on. Or it is ASLEEP, and has none:
     * then the result is ignored. May be NULL. */
    int (*moved)(void *arg, struct gb_err *err);
    /* Another VM was to come (gb_session_is_moving()), and did not: it has its own, or is ASLEEP
     * again. May be NULL. */
    void (*stayed)(void *arg);
    /* After gb_session_refuse(): what waited has failed. May be NULL. */
    void (*refused)(void *arg);
    /* The clone has died before the session was open, and before any user's request was sent to it.
     * True: another VM follows, as after gb_session_new(). False, or NULL: the session ends. */
    bool (*lost)(void *arg, const struct gb_err *why);
    /* The interpreter has ended with this cell, whose result is complete and is reported next.
     * True: the session may get another VM in its place: see gb_session_set_aside(). False, or
     * NULL: a new one starts, and its state is lost. */
    bool (*interpreter_lost)(void *arg, const struct gb_cell *cell);
    /* After gb_session_announce(): the next cell is about to be sent. True: it waits until
     * gb_session_send_next(); until then the session counts as at rest if nothing else is in
     * progress. False, or NULL: it is sent. */
    bool (*sending)(void *arg);
    /* It is ASLEEP, and is needed for a request: gb_session_wake() or gb_session_refuse() must
     * follow. May be NULL if it never sleeps. */
    void (*wanted)(void *arg);
    /* It has been IDLE for its idle time. True: it is not closed; instead the user closes it, puts
     * it to sleep, or calls gb_session_rest_anew(). False, or NULL: it ends. */
    bool (*expiring)(void *arg);
    /* Called once and last: the VM has ended. @why has the reason with its kind. */
    void (*closed)(void *arg, const struct gb_err *why);
};

/* Creates a session without a VM: it is STARTING and accepts cells and requests, which wait. It
 * exists until gb_session_free(). One of the next four functions gives it a VM, or ends it.
 * GB_EIMAGE: a file of the image is missing. Gives. */
int gb_session_new(struct gb_host *host, const struct gb_session_config *config,
                   const struct gb_session_events *events, void *arg,
                   struct gb_session **ret_session, struct gb_err *err);
/* A session that was asleep, in another process. */
struct gb_session_restored {
    const char *id;
    uint32_t cells, incarnation;
    uint64_t epoch;
    uint64_t lifetime_left_ms, asleep_left_ms; /* 0: no limit */
};

/* Recreates it: it is ASLEEP, and counts as open; `opened` is not called. GB_EINVALID: not the id
 * of a session. */
int gb_session_restore(struct gb_host *host, const struct gb_session_config *config,
                       const struct gb_session_restored *restored,
                       const struct gb_session_events *events, void *arg,
                       struct gb_session **ret_session, struct gb_err *err);
/* Boots a VM for it. On failure the session still has none; GB_ECLOSED if it is closing. */
int gb_session_boot(struct gb_session *session, struct gb_err *err);
/* Gives it a guest that LISTENS in a clone of its image and memory size, with a ready interpreter
 * that no user has used. Takes @guest, which is configured for the session before any cell; if the
 * session is closing, it is ended. */
void gb_session_adopt(struct gb_session *session, struct gb_guest *guest, enum gb_source source);
/* Gives it a guest that is HELD at a checkpoint of another session, whose cells its own numbers
 * continue. Otherwise the same. It is never replaced. */
void gb_session_fork(struct gb_session *session, struct gb_guest *guest);
/* The configuration of another session like this one. Borrowed. */
struct gb_session_config gb_session_config_of(const struct gb_session *session);
/* No VM is available: ends the session with @err. */
void gb_session_fail(struct gb_session *session, const struct gb_err *err);

/* Ends the session: everything in progress fails, `closed` is called with @reason as its
 * message. */
void gb_session_close(struct gb_session *session, const char *reason);
/* While kept, it does not end when idle. */
void gb_session_keep(struct gb_session *session, bool keep);
/* Only after `closed`. No-op on NULL. */
void gb_session_free(struct gb_session *session);

const char *gb_session_id(const struct gb_session *session); /* unguessable */
enum gb_session_state gb_session_state(const struct gb_session *session);
const struct gb_image *gb_session_image(const struct gb_session *session);
struct gb_vm *gb_session_vm(struct gb_session *session); /* NULL if CLOSED or not given yet */
enum gb_source gb_session_source(const struct gb_session *session);
uint32_t gb_session_cells(const struct gb_session *session);   /* numbered so far */
uint32_t gb_session_waiting(const struct gb_session *session); /* cells not started yet */
/* The last cell that does not wait; 0: none. */
uint32_t gb_session_cells_sent(const struct gb_session *session);
uint32_t gb_session_memory_mb(const struct gb_session *session);
uint64_t gb_session_last_active_ns(const struct gb_session *session); /* monotonic */
/* The same, except that reading from the session (its files, completions) does not count, and that
 * a cell counts when it is sent and when it ends, not while it waits. */
uint64_t gb_session_last_changed_ns(const struct gb_session *session);
/* Monotonic time at which it will end automatically, 0: never. */
uint64_t gb_session_expires_ns(const struct gb_session *session);
/* Incremented whenever the interpreter's state is lost (initially 1). */
uint32_t gb_session_incarnation(const struct gb_session *session);
struct gb_session_timing gb_session_timing(const struct gb_session *session);
/* Whether it ended because it was idle or too old. */
bool gb_session_expired(const struct gb_session *session);

/* ---- rest ---- */

/* 0; or GB_EBUSY, and what is in progress in the session, or that it is not open. */
int gb_session_check_rest(const struct gb_session *session, struct gb_err *err);
/* Brings a session to rest, so that its VM can be examined: cells and requests are accepted, and
 * silently wait. Calls @done once, from the loop; GB_EBUSY: something that only the guest knows is
 * in progress. Refused like gb_session_check_rest(). */
int gb_session_hold(struct gb_session *session, gb_vm_done_fn *done, void *arg, struct gb_err *err);
/* Releases a held session; if that fails, the session ends. @done may be NULL. */
void gb_session_release(struct gb_session *session, gb_vm_done_fn *done, void *arg);
/* Releases a held session with another VM, which continues from one of its checkpoints, and
 * increments the epoch. @guest, taken, is HELD in that VM. On failure @done gets an error, and the
 * session is still at rest with its own VM, or has ended. */
void gb_session_exchange(struct gb_session *session, struct gb_guest *guest, gb_vm_done_fn *done,
                         void *arg);
/* After `interpreter_lost` no cells are sent until gb_session_go_on(); everything else continues.
 * Until then, and as soon as nothing else is in progress, the session can be set aside: it is at
 * rest as if held, but without asking its guest, which will not be needed. GB_EBUSY: something is
 * in progress; `rested` is called when that has ended. Then gb_session_exchange() or
 * gb_session_release() must follow. */
int gb_session_set_aside(struct gb_session *session, struct gb_err *err);
/* @lost: the interpreter's state is lost after all. No-op if the session has ended. */
void gb_session_go_on(struct gb_session *session, bool lost);
/* Ends the VM of a session at rest, which is then ASLEEP: the user can make another VM that
 * continues from this moment. Requests wait, and `wanted` is called. The session ends when it has
 * been asleep for @keep_ms (0: no limit). */
void gb_session_sleep(struct gb_session *session, uint64_t keep_ms);
/* Whether the session can fall asleep without coming to rest. GB_EBUSY: not now, it is moving, or
 * is about to be. */
int gb_session_check_relapse(const struct gb_session *session, struct gb_err *err);
/* Its VM is of no use any more, but the user can make another one of a moment of its past: ends the
 * VM, and with it the programs at its terminals. Then the session is ASLEEP, in a new epoch; the
 * running cell, what waits and all requests fail with @err, and @done is called. Not if the session
 * ends before. */
void gb_session_relapse(struct gb_session *session, const struct gb_err *err, uint64_t keep_ms,
                        gb_vm_done_fn *done, void *arg);
/* Gives a session that is ASLEEP a VM again: @guest, taken, is HELD at the moment at which it was
 * put to sleep. On failure @done gets an error, and the session is still ASLEEP, or has ended. */
void gb_session_wake(struct gb_session *session, struct gb_guest *guest, gb_vm_done_fn *done,
                     void *arg);
/* It cannot be woken now: waiting requests fail with @err, from the loop, and it stays ASLEEP. */
void gb_session_refuse(struct gb_session *session, const struct gb_err *err);
/* Acts as if there was a request. No-op unless it is ASLEEP. */
void gb_session_want(struct gb_session *session);
/* It could not be put to sleep at the end of its idle time: restarts that time. */
void gb_session_rest_anew(struct gb_session *session);
/* Calls `wanted` again if a request waits. No-op unless it is ASLEEP. */
void gb_session_want_if_asked(struct gb_session *session);
bool gb_session_is_asleep(const struct gb_session *session);
/* gb_session_keep() */
bool gb_session_is_kept(const struct gb_session *session);
/* Whether it is at rest, or being brought to rest or released. */
bool gb_session_is_held(const struct gb_session *session);
/* Whether another VM is about to be its own (gb_session_exchange(), gb_session_wake()):
 * gb_session_vm() is that one already, but `moved` or `stayed` decides. */
bool gb_session_is_moving(const struct gb_session *session);
/* How often it was exchanged, plus one. */
uint64_t gb_session_epoch(const struct gb_session *session);

/* ---- cells ---- */

/* Readable by everybody, written only by the session. */
struct gb_cell {
    struct gb_session *session; /* NULL once that is freed */
    uint32_t number;            /* 1, 2, … */
    enum gb_cell_state state;
    enum gb_mode mode;
    struct gb_buf code;
    struct gb_buf file;       /* relative to the home, as given; empty: the code is not a file */
    struct gb_buf argv;       /* each argument followed by a NUL, the program's name first; or
                               * empty */
    struct gb_buf out, error; /* stdout and stderr, within the limits */
    uint64_t dropped_stdout, dropped_stderr;
    struct gb_pairs displays; /* type, data */
    struct gb_buf displays_encoded;
    struct gb_buf value;
    struct gb_pairs changed; /* files of the home: gb_changed_next(), checked before */
    struct gb_buf changed_encoded;
    struct gb_buf note;                    /* the agent's note, usually empty */
    int exit_code;                         /* 0–255, or −1 if it did not exit */
    int signal;                            /* number, or 0 */
    uint32_t flags;                        /* of its outcome: enum gb_cell_flags */
    bool waiting;                          /* while running: its program waits for standard input */
    bool keeps_loss;                       /* the session is not to get another VM because of it */
    uint64_t changed_before_ns;            /* gb_session_last_changed_ns() before it was sent */
    uint64_t queued_ns, started_ns;        /* monotonic; started: 0 until it runs */
    uint64_t started_at_ns;                /* wall clock */
    uint64_t wall_ns, cpu_ns, peak_memory; /* as measured by the guest */
};

struct gb_cell_config {
    enum gb_mode mode;
    bool interactive, final, keeps_loss;
    uint32_t timeout_ms;             /* 0: the session's default */
    uint64_t max_stdout, max_stderr; /* 0: the defaults of limits.h; at most GB_OUTPUT_MAX */
    const struct gb_env *env;        /* NULL: none; for this cell only */
    /* A program in a file: @file is its path relative to the home, and @put says to write @code
     * there first; otherwise the file must exist, and @code is empty. @argv: the program's
     * arguments, its name first, each followed by a NUL; empty: none specified. All copied. */
    struct gb_bytes file, argv;
    bool put;
    struct gb_bytes code, stdin_data; /* copied */
};

struct gb_cell_events {
    /* It is being sent to the guest: from now on it counts as dispatched. May be NULL. */
    void (*started)(void *arg, const struct gb_cell *cell);
    /* A piece of output, already added to cell->out or ->error. May be NULL. */
    void (*output)(void *arg, const struct gb_cell *cell, enum gb_output stream,
                   struct gb_bytes bytes);
    /* cell->waiting, and with it the state WAITING_INPUT, has changed. May be NULL. */
    void (*waiting)(void *arg, const struct gb_cell *cell);
    /* Called once and last. @err NULL: the cell has its result. Otherwise it has none,
     * err->dispatched says whether it may have run, and its output so far is in the cell. The cell
     * stays valid until gb_cell_unref(). */
    void (*done)(void *arg, const struct gb_cell *cell, const struct gb_err *err);
};

/* Queues a cell. Gives one reference. The code may be any bytes: their meaning is up to the
 * language. After a final cell no other is accepted. GB_EINVALID: a bad time-out or limit, invalid
 * arguments. GB_EPOLICY: a file outside the home, a cell after a final one. GB_ECLOSED: the session
 * has ended. GB_EBUSY: 256 cells are waiting. GB_ETOOLARGE if a size exceeds its limit. */
int gb_session_exec(struct gb_session *session, const struct gb_cell_config *config,
                    const struct gb_cell_events *events, void *arg, struct gb_cell **ret_cell,
                    struct gb_err *err);
void gb_cell_unref(struct gb_cell *cell);
/* Moves what a cell that is done has printed to stdout into @ret_out, which is empty. */
void gb_cell_take_out(struct gb_cell *cell, struct gb_buf *ret_out);

/* Backpressure: while held, the guest may only send what its window allows, then the program
 * blocks. */
void gb_cell_hold(struct gb_cell *cell, bool held);
/* Interrupts this cell: a queued one is done immediately (interrupted, exit_code −1, never
 * dispatched), a running one gets SIGINT. */
void gb_cell_interrupt(struct gb_cell *cell);

/* The same for all queued ones. */
void gb_session_drop_queued(struct gb_session *session);

/* ---- requests to the agent: these, and those of query.h ---- */

/* Files, like gb_guest_upload_new(), gb_guest_upload_give(), gb_guest_upload_free() and
 * gb_guest_download(), also while the session is still starting. */
struct gb_guest_upload *gb_session_upload(struct gb_session *session, struct gb_bytes path,
                                          uint32_t mode);
int gb_session_upload_give(struct gb_session *session, struct gb_guest_upload *upload,
                           struct gb_bytes bytes, bool final, gb_vm_done_fn *done, void *arg,
                           struct gb_err *err);
void gb_session_upload_free(struct gb_session *session, struct gb_guest_upload *upload);
int gb_session_download(struct gb_session *session, const struct gb_download *what,
                        struct gb_buf *into, gb_guest_download_fn *done, void *arg,
                        struct gb_err *err);

/* From now on no callback of a request, file or query with this @arg is called. */
void gb_session_forget(struct gb_session *session, void *arg);

/* The guest violated the protocol, as @err says, in something that only its receiver understands:
 * the session ends. @err becomes the error for the requester. */
void gb_session_violation(struct gb_session *session, struct gb_err *err);

/* Bytes queued for the guest: senders of files check this before adding more. */
size_t gb_session_queued(const struct gb_session *session);

/* SIGINT to the running cell; GB_ENOTFOUND if none is running. Does not wait for the guest's
 * answer. While the session is HELD, the first queued cell is interrupted instead. */
int gb_session_interrupt(struct gb_session *session, struct gb_err *err);

/* Whether `sending` is called before each cell. */
void gb_session_announce(struct gb_session *session, bool announce);
/* The cell for which `sending` was called may be sent. No-op unless it waits for that. */
void gb_session_send_next(struct gb_session *session);
/* While delayed, cells wait, even in a session that is just opening; requests do not. It goes on
 * when each call that delays has been followed by one that does not: each caller takes back only
 * its own. */
void gb_session_delay(struct gb_session *session, bool delay);

/* Sends input to the running interactive cell; where none runs, it waits for the next one. @done is
 * called when there is room for more, or with the error. GB_ENOTFOUND if no interactive cell is
 * running, GB_ETOOLARGE if too much is waiting unread. */
int gb_session_stdin(struct gb_session *session, uint32_t number, struct gb_bytes data, bool eof,
                     gb_vm_done_fn *done, void *arg, struct gb_err *err);

/* ---- programs at terminals ---- */

/* Starts one, next to any running cell; until gb_session_terminal_over(), which its user calls
 * once, the session does not end when idle. See gb_terminal_open(); GB_ECLOSED: the session has
 * ended. */
int gb_session_terminal(struct gb_session *session, const struct gb_terminal_config *config,
                        const struct gb_terminal_events *events, void *arg,
                        struct gb_terminal **ret_terminal, struct gb_err *err);
void gb_session_terminal_over(struct gb_session *session);
