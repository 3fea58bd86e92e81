/* SPDX-License-Identifier: Apache-2.0 */
/* The warm pool: VMs that are ready before anybody asks, so that an open is a queue's pop and a
 * ping.
 *
 * Theory of operation. A *line* holds the VMs of one kind: an image with a memory size. (The
 * network will be the third part of a kind; so far there is but one, none.) A line wants a number
 * of ready VMs, its *target*: between floor and ceiling, by the demand that was seen. Demand is the
 * number of requests in the last second or two; its peak counts and fades, by half in each
 * half-life. A single request is no demand, so who opens one session now and then pays for no spare
 * VM; from the second on the pool follows the largest burst of late. A floor is kept from the
 * start, without any demand.
 *
 * Behind the ready ones processes wait for a template's state (`-incoming defer`): who finds no
 * ready VM gets one of these and is spared the start of a process.
 *
 * A VM is filled in only by what admission can spare, is checked now and then, and again before it
 * is handed out: it has to answer a ping. One that is killed, does not answer, or says what nobody
 * asked for is ended and replaced; after a failure the line waits before it tries again, longer
 * each time. VMs go one at a time when the target falls, when room is needed for a request, or when
 * their image has been built anew.
 *
 * All functions: loop thread only. No callback is made from within a call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "capacity/admission.h"
#include "snapshot/clone.h"
#include "capacity/templates.h"
#include "model/words.h"
#include "vm/host.h"

struct gb_pool;
struct pool_clone;
struct pool_line;

enum { GB_POOL_SIZE_MAX = 1024 };

/* How many VMs; of one kind, or of every kind that has no sizes of its own. */
struct gb_pool_sizes {
    unsigned floor, ceiling; /* a floor above the ceiling is the ceiling too */
    unsigned waiting;        /* processes that wait behind them, while the target is above 0 */
};

struct gb_pool_config {
    struct gb_pool_sizes sizes;
    uint64_t half_life_ms; /* of demand */
};

/* Borrows all three, which must outlive it. @changed (may be NULL): a figure of gb_pool_next() has
 * changed; from the loop, once for many. Gives. */
struct gb_pool *gb_pool_new(struct gb_host *host, struct gb_templates *templates,
                            struct gb_admission *admission, const struct gb_pool_config *config,
                            void (*changed)(void *arg), void *arg);
/* Other sizes: those of gb_pool_size() are forgotten, and given again. */
void gb_pool_configure(struct gb_pool *pool, const struct gb_pool_config *config);
/* The sizes of one kind. */
void gb_pool_size(struct gb_pool *pool, const struct gb_image *image, uint32_t memory_mb,
                  const struct gb_pool_sizes *sizes);
/* Ends all VMs and starts no more. Who waits for one hears no more of it. */
void gb_pool_stop(struct gb_pool *pool);
/* What still dies goes by itself: let the loop run. Accepts NULL. */
void gb_pool_free(struct gb_pool *pool);

struct gb_templates *gb_pool_templates(struct gb_pool *pool);
struct gb_admission *gb_pool_admission(struct gb_pool *pool);

/* Somebody who takes a VM. Embed it, zeroed; do not touch its members. */
struct gb_pool_take {
    struct pool_clone *clone;     /* that is being asked; NULL: does not wait */
    struct gb_snapshot *template; /* of the guest, at `done`: who takes that takes this */
    struct pool_line *line;
    void (*done)(void *arg, struct gb_guest *guest, struct gb_slot *slot);
    void *arg;
};

/* Takes a VM. True: @done will be called once, from the loop, with a guest that has just answered
 * and its slot (gives both, and `template` of @take; gb_guest_adopt() before the return to the
 * loop), or with NULL when none answered. False: none is ready. Both count as demand. */
bool gb_pool_take(struct gb_pool *pool, const struct gb_image *image, uint32_t memory_mb,
                  struct gb_pool_take *take,
                  void (*done)(void *arg, struct gb_guest *guest, struct gb_slot *slot), void *arg);
/* Harmless when it does not wait. */
void gb_pool_cancel(struct gb_pool_take *take);

/* A clone that is WAITING, with its slot; gb_clone_hand_over() before the return to the loop.
 * NULL: there is none. Gives both. */
struct gb_clone *gb_pool_take_waiting(struct gb_pool *pool, const struct gb_image *image,
                                      uint32_t memory_mb, struct gb_slot **ret_slot);

struct gb_pool_status {
    const struct gb_image *image;
    uint32_t memory_mb;
    unsigned ready, target, floor, ceiling;
    unsigned starting; /* restored and warmed up */
    unsigned waiting;
    uint64_t hits, misses, lost; /* taken; not there; died or fell silent */
};

struct gb_pool_vm {
    struct gb_vm *vm; /* borrowed until the return to the loop */
    const struct gb_image *image;
    uint32_t memory_mb;
    enum gb_pool_vm_state state;
};

/* The VMs of all lines, likewise. */
bool gb_pool_next_vm(struct gb_pool *pool, size_t *at, struct gb_pool_vm *ret_vm);

/* The lines, one after the other: begin with *@at = 0. False: no more. */
bool gb_pool_next(struct gb_pool *pool, size_t *at, struct gb_pool_status *ret_status);
