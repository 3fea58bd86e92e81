/* SPDX-License-Identifier: Apache-2.0 */
/* The warm pool: VMs that are ready in advance, so that opening a session only takes one from a
 * queue and pings it.
 *
 * Theory of operation. A *line* holds the VMs of one kind: an image with a memory size, for
 * sessions with a network or for those without. The former have rehearsed one, and never have a
 * floor; where none is ready, a session with a network takes one of the latter. (Packages and
 * secrets are no part of a kind: a VM gets them when a session has it.) A line aims for a number of
 * ready VMs, its *target*, between floor and ceiling, according to demand (demand.h): it follows
 * the largest recent burst of requests, and opening one session now and then costs no spare VM. A
 * floor is kept from the start, without any demand.
 *
 * Behind the ready VMs, processes wait for a template's state (`-incoming defer`): a request that
 * finds no ready VM gets one of these and saves the start of a process.
 *
 * VMs are added only with capacity that admission can spare. A ready VM is checked from time to
 * time, and again before it is handed out: it must answer a ping. One that dies, does not answer,
 * or sends anything unsolicited is ended and replaced; after a failure the line waits before it
 * tries again, longer each time. VMs are removed one at a time when the target falls, when a
 * request needs the capacity, or when their image has been rebuilt.
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

/* Numbers of VMs, for one kind or for every kind without sizes of its own. */
struct gb_pool_sizes {
    unsigned floor, ceiling; /* a floor above the ceiling raises the ceiling */
    unsigned waiting;        /* waiting processes behind them, while the target is above 0 */
};

/* What VMs of the pool are like, and what a session needs. */
struct gb_pool_kind {
    const struct gb_image *image;
    uint32_t memory_mb;
    bool networked; /* for a session with a network */
};

struct gb_pool_config {
    struct gb_pool_sizes sizes;
    uint64_t half_life_ms; /* of demand */
};

/* Borrows all three, which must outlive it. @changed (may be NULL) is called from the loop when a
 * value of gb_pool_next() has changed, once for several changes. Gives. */
struct gb_pool *gb_pool_new(struct gb_host *host, struct gb_templates *templates,
                            struct gb_admission *admission, const struct gb_pool_config *config,
                            void (*changed)(void *arg), void *arg);
/* Sets new sizes, and forgets those of gb_pool_size(), which have to be set again. */
void gb_pool_configure(struct gb_pool *pool, const struct gb_pool_config *config);
/* Sets the sizes of the VMs of an image with this memory size. */
void gb_pool_size(struct gb_pool *pool, const struct gb_image *image, uint32_t memory_mb,
                  const struct gb_pool_sizes *sizes);
/* Ends all VMs and starts no more. Takes in progress are never completed. */
void gb_pool_stop(struct gb_pool *pool);
/* VMs that are still dying free themselves: keep the loop running. No-op on NULL. */
void gb_pool_free(struct gb_pool *pool);

struct gb_templates *gb_pool_templates(struct gb_pool *pool);
struct gb_admission *gb_pool_admission(struct gb_pool *pool);

/* A request for a VM. Embed it, zeroed; do not touch its members. */
struct gb_pool_take {
    struct pool_clone *clone;     /* being pinged; NULL: not waiting */
    struct gb_snapshot *template; /* the guest's, at `done`: to be taken together with the guest */
    struct pool_line *line;
    void (*done)(void *arg, struct gb_guest *guest, struct gb_slot *slot);
    void *arg;
};

/* Takes a VM. True: @done will be called once, from the loop, with a guest that has just answered a
 * ping and its slot (gives both, and `template` of @take; call gb_guest_adopt() before returning to
 * the loop), or with NULL if none answered. False: none is ready. Both count as demand. */
bool gb_pool_take(struct gb_pool *pool, const struct gb_pool_kind *kind, struct gb_pool_take *take,
                  void (*done)(void *arg, struct gb_guest *guest, struct gb_slot *slot), void *arg);
/* No-op if it is not waiting. */
void gb_pool_cancel(struct gb_pool_take *take);

/* Takes a WAITING clone and its slot (gives both); call gb_clone_hand_over() before returning to
 * the loop. NULL: there is none. */
struct gb_clone *gb_pool_take_waiting(struct gb_pool *pool, const struct gb_pool_kind *kind,
                                      struct gb_slot **ret_slot);

/* The same for a clone of @template, of any kind; it has not failed. */
struct gb_clone *gb_pool_take_waiting_of(struct gb_pool *pool, const struct gb_snapshot *template,
                                         struct gb_slot **ret_slot);

struct gb_pool_status {
    struct gb_pool_kind kind;
    unsigned ready, target, floor, ceiling;
    unsigned starting; /* being restored and warmed up */
    unsigned waiting;
    uint64_t hits, misses, lost; /* taken; none available; died or stopped answering */
};

struct gb_pool_vm {
    struct gb_vm *vm; /* borrowed until control returns to the loop */
    const struct gb_image *image;
    uint32_t memory_mb;
    enum gb_pool_vm_state state;
};

/* Iterates over the VMs of all lines, likewise. */
bool gb_pool_next_vm(struct gb_pool *pool, size_t *at, struct gb_pool_vm *ret_vm);

/* Iterates over the lines: start with *@at = 0. False: no more. */
bool gb_pool_next(struct gb_pool *pool, size_t *at, struct gb_pool_status *ret_status);
