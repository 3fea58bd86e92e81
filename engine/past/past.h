/* SPDX-License-Identifier: Apache-2.0 */
/* The past of a session: moments at which its VM stood still, kept on the disk, and VMs that live
 * on from one of them.
 *
 * Theory of operation. Its user brings the guest to rest; then a checkpoint is: the state of the
 * devices is saved, the pages that the VM has of its own are copied in a thread, and the user is
 * told that the guest may go on. What was copied is compared, packed and appended to the chain
 * (chain.h) behind that, in a thread again. So the guest stands still for a few ms, and longer the
 * more memory is its own.
 *
 * A return begins with another VM, a clone of the snapshot that the session was made of: while its
 * process waits for device state, the pages of the chain are laid into its memory; then it loads
 * the state of the checkpoint. It is HELD, as the session's was then. The VM that there is belongs
 * to the user, who lets one of the two go on.
 *
 * When there is too much, the checkpoints that keep.h picks are forgotten.
 *
 * One thing at a time: who asks for more gets GB_EBUSY. All functions: loop thread only. No
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
    uint64_t parent; /* that which it follows; 0: none */
    uint64_t epoch, at_ns;
    uint64_t bytes; /* on the disk */
    uint32_t cell;  /* the last one that had ended */
    char *name;     /* NULL: none, and it may be forgotten when there are too many */
};

/* For a session whose VM was made of @snapshot (held). Its chain is the file @path, which is made
 * when it is needed. Gives. */
struct gb_past *gb_past_new(struct gb_loop *loop, struct gb_snapshot *snapshot, const char *path,
                            struct keep_limits limits);
/* No callback is made from now on. What is under way goes on to its end; then the file is removed.
 * Accepts NULL. */
void gb_past_free(struct gb_past *past);

/* Whether something is under way. */
bool gb_past_is_busy(const struct gb_past *past);

/* The checkpoints that there are, by number, and that which the session follows (0: none). Borrowed
 * until the return to the loop. */
const struct gb_past_moment *gb_past_moments(const struct gb_past *past, size_t *ret_count);
const struct gb_past_moment *gb_past_find(const struct gb_past *past, uint64_t seq);
uint64_t gb_past_here(const struct gb_past *past);
/* On the disk. */
uint64_t gb_past_bytes(const struct gb_past *past);

struct gb_past_taken {
    uint64_t seq;
    uint32_t pages;    /* that changed */
    uint64_t bytes;    /* on the disk */
    uint64_t pause_ns; /* from the call to `copied` */
};

struct gb_past_take {
    struct gb_vm *vm; /* HELD; stays so until `copied` */
    uint32_t cell;
    uint64_t epoch;
    size_t limit;     /* bytes of its own that it may have: else GB_ETOOLARGE */
    uint64_t keep;    /* a checkpoint that is not to be forgotten for this one; 0: none */
    const char *name; /* NULL: none. Another checkpoint of this name loses it. Copied. */
    /* Once each, in this order: the guest may go on; it is kept, or @taken is NULL with @err. */
    void (*copied)(void *arg);
    void (*done)(void *arg, const struct gb_past_taken *taken, const struct gb_err *err);
    void *arg;
};

/* Takes a checkpoint. @take is copied. GB_EUNSUPPORTED: this system does not let us look into the
 * VM; the message says why. */
int gb_past_take(struct gb_past *past, const struct gb_past_take *take, struct gb_err *err);

/* Makes a VM that is HELD at checkpoint @seq. @done once: @clone is READY, and given, and
 * gb_past_settle() has to follow; or NULL with @err. */
int gb_past_return(struct gb_past *past, struct gb_host *host, uint64_t seq,
                   void (*done)(void *arg, struct gb_clone *clone, const struct gb_err *err),
                   void *arg, struct gb_err *err);
/* The process that was started for it. */
struct gb_vm *gb_past_returning_vm(const struct gb_past *past);

/* After a return: the session has that VM now, or it has not. */
void gb_past_settle(struct gb_past *past, bool returned);
