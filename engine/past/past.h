/* SPDX-License-Identifier: Apache-2.0 */
/* The past of a session: checkpoints of its VM on disk, and VMs that continue from one of them.
 *
 * Theory of operation. The user brings the guest to rest; then the device state is saved, a thread
 * copies the pages that may have changed (track.h), and the user is told that the guest may
 * continue. If QEMU may have written to them meanwhile, because something may have arrived for the
 * guest, the device state is saved once more, and all of that is repeated if it has changed.
 * Afterwards a thread compares, packs and appends what was copied to the chain (chain.h). So the
 * guest is stopped for a few ms, longer with more memory to copy.
 *
 * A rewind starts another VM, a clone of the snapshot that the session was made from: while its
 * process waits for device state, the pages of the chain are written into its memory; then it loads
 * the checkpoint's device state. Its guest is HELD, as the session's was at the checkpoint. The
 * current VM belongs to the user, who lets one of the two continue.
 *
 * If there are too many checkpoints, those selected by keep.h are removed.
 *
 * One operation at a time: a second one fails with GB_EBUSY. All functions: loop thread only. No
 * callback is made from within a call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "guest/guest.h"
#include "past/chain.h"
#include "past/keep.h"
#include "snapshot/clone.h"
#include "snapshot/snapshot.h"

struct gb_past;

/* A checkpoint. */
struct gb_past_moment {
    uint64_t seq;    /* its number: 1, 2, … */
    uint64_t parent; /* the previous one; 0: none */
    uint64_t epoch, at_ns;
    uint64_t bytes; /* size on disk */
    uint32_t cell;  /* the last cell that had ended */
    char *name;     /* NULL: none, so it may be removed if there are too many */
};

/* For a session whose VM was made from @snapshot (held). Its chain is the file @path, created when
 * needed, with at most @keep checkpoints. Changes of a VM's memory are found by @way, where it
 * allows it. @disk_fd: what is behind the spare disk of the VM (gb_vm_attach()), taken; -1:
 * nothing. Gives. */
struct gb_past *gb_past_new(struct gb_loop *loop, struct gb_snapshot *snapshot, const char *path,
                            size_t keep, enum gb_memory_way way, int disk_fd);
/* No further callbacks. An operation in progress runs to its end; then the file is removed. No-op
 * on NULL. */
void gb_past_free(struct gb_past *past);
/* The same; calls @gone once nothing of it is left on disk that another process could restore. */
void gb_past_destroy(struct gb_past *past, void (*gone)(void *arg), void *arg);

/* Makes the past outlive this process, as of gb_past_here(), of a session that sleeps, or that is
 * @awake and may be further: stores @note (copied; at most GB_PAST_NOTE_MAX bytes) next to the
 * chain, for gb_past_read_mark() (mark.h). Calls @done once; with an error, there is the mark that
 * there was before. GB_EUNSUPPORTED: it cannot be, because the snapshot is on another file
 * system. */
int gb_past_mark(struct gb_past *past, bool awake, struct gb_bytes note, gb_vm_done_fn *done,
                 void *arg, struct gb_err *err);
/* Whether there is a mark, or may be in a moment. */
bool gb_past_may_be_marked(const struct gb_past *past);
/* There is a mark of a session that sleeps, which does not any more: turns it into that of one that
 * is awake. Calls @done once, when that is on disk; with an error, there still is the former. */
int gb_past_mark_awake(struct gb_past *past, gb_vm_done_fn *done, void *arg, struct gb_err *err);
/* For a new past whose chain exists, with a mark of that kind: the session continues from
 * checkpoint @here. Blocks on the disk, for the heads of its records. */
int gb_past_resume(struct gb_past *past, bool awake, uint64_t here, struct gb_err *err);
/* Names a checkpoint of such a past. No-op if there is none with this number. */
void gb_past_name(struct gb_past *past, uint64_t seq, struct gb_bytes name);
/* Like gb_past_free(), but the files stay if there is a mark. Calls @gone (NULL: nobody is told)
 * when nothing of it is written any more. */
void gb_past_leave(struct gb_past *past, void (*gone)(void *arg), void *arg);

/* Whether an operation is in progress. */
bool gb_past_is_busy(const struct gb_past *past);

/* The existing checkpoints, by number, and the one that the session continues from (0: none).
 * Borrowed until control returns to the loop. */
const struct gb_past_moment *gb_past_moments(const struct gb_past *past, size_t *ret_count);
const struct gb_past_moment *gb_past_find(const struct gb_past *past, uint64_t seq);
uint64_t gb_past_here(const struct gb_past *past);
/* On disk. */
uint64_t gb_past_bytes(const struct gb_past *past);

struct gb_past_taken {
    uint64_t seq;
    uint32_t pages;    /* changed pages */
    uint64_t bytes;    /* size on disk */
    uint64_t pause_ns; /* from the call to `copied` */
};

struct gb_past_take {
    struct gb_vm *vm; /* HELD; stays so until `copied` */
    uint32_t cell;
    uint64_t epoch;
    size_t limit;     /* maximum private memory in bytes; else GB_ETOOLARGE */
    uint64_t most;    /* bytes on disk of all of them: beyond, older ones are removed */
    uint64_t keep;    /* a checkpoint that must not be removed to make room for this one; 0: none */
    const char *name; /* NULL: none. An existing checkpoint with this name loses it. Copied. */
    /* NULL: nothing is sent to the VM, on any port. Otherwise QEMU may write to its memory while it
     * is copied, and then it is copied again, a few times (GB_EBUSY). Returns the VM, or NULL if it
     * is not HELD any more. */
    struct gb_vm *(*held_vm)(void *arg);
    /* Called once each, in this order: the guest may continue; the checkpoint is stored, or @taken
     * is NULL with @err. */
    void (*copied)(void *arg);
    void (*done)(void *arg, const struct gb_past_taken *taken, const struct gb_err *err);
    void *arg;
};

/* Takes a checkpoint. Copies @take. GB_EUNSUPPORTED: this system does not allow access to the VM's
 * memory; the message says why. */
int gb_past_take(struct gb_past *past, const struct gb_past_take *take, struct gb_err *err);

/* The size of what the last one has copied of the VM: kept in memory until `done`. */
uint64_t gb_past_copied_bytes(const struct gb_past *past);

/* Creates a VM that is HELD at checkpoint @seq, in the process of @waiting, a clone of the
 * session's template that waits (taken, whatever the outcome), or in a new one (NULL). @goes_on:
 * for the session itself: a mark of one that sleeps is that of one that is awake when @done is
 * called, unless that fails. False: for a fork. Calls @done once: @clone is READY, and given, and
 * gb_past_settle() must be called next; or NULL with @err. */
int gb_past_return(struct gb_past *past, struct gb_host *host, struct gb_clone *waiting,
                   uint64_t seq, bool goes_on,
                   void (*done)(void *arg, struct gb_clone *clone, const struct gb_err *err),
                   void *arg, struct gb_err *err);
/* Its process. */
struct gb_vm *gb_past_returning_vm(const struct gb_past *past);

/* The session's VM has been ended, and nothing more is to be taken of it: frees what is known about
 * its memory. The session continues from gb_past_here(). No operation must be in progress. */
void gb_past_forget_vm(struct gb_past *past);

/* After a return: whether the session now has that VM. If not, its previous mark, if any, is
 * restored. */
void gb_past_settle(struct gb_past *past, bool returned);
