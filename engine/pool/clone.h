/* SPDX-License-Identifier: Apache-2.0 */
/* A clone: a QEMU process that waits for a template's device state, loads it, and answers.
 *
 * Life: WAITING (the process stands in `-incoming defer`, its RAM is the template's, copied on
 * write) → LOADING → READY (the guest runs and has answered a ping) → taken, or freed.
 * It has not been configured: until it is, it is the template's twin in every random number.
 *
 * All functions: loop thread only. No callback is made from within a call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pool/admission.h"
#include "vm/vm.h"

struct gb_clone;

/* What clones are made from: open files of the store. Shared by all that use it. */
struct gb_template {
    unsigned refs;
    const struct gb_image *image;
    uint32_t memory_mb;
    int ram_fd, state_fd;
    uint64_t ram_bytes, disk_bytes; /* guest memory; what the files take on the disk */
    uint64_t made_at_s;             /* Unix time */
};

struct gb_template *gb_template_ref(struct gb_template *template);
/* Accepts NULL. */
void gb_template_unref(struct gb_template *template);

struct gb_clone_events {
    /* It is READY. */
    void (*ready)(void *arg);
    /* The process has ended, the state cannot be loaded, or the guest does not answer. At any time
     * before the take; then only gb_clone_free() is left. */
    void (*failed)(void *arg, const struct gb_err *err);
};

/* Starts the process, which has a share in @slot. Holds @template until the process has ended.
 * Gives. */
int gb_clone_start(struct gb_host *host, struct gb_template *template, struct gb_slot *slot,
                   const struct gb_clone_events *events, void *arg, struct gb_clone **ret_clone,
                   struct gb_err *err);
/* Another one hears the events of a WAITING clone from now on. */
void gb_clone_hand_over(struct gb_clone *clone, const struct gb_clone_events *events, void *arg);
/* Loads and pings as soon as the process can; once. */
void gb_clone_load(struct gb_clone *clone);

/* Hands the VM of a READY clone over; the caller calls gb_vm_hand_over() before it returns to the
 * loop. The clone is gone. Gives. */
struct gb_vm *gb_clone_take(struct gb_clone *clone);

/* Borrowed; NULL when it is dead. */
struct gb_vm *gb_clone_vm(const struct gb_clone *clone);
struct gb_template *gb_clone_template(const struct gb_clone *clone);

/* Ends a clone that nobody takes: its process is killed, and the rest goes when it has been reaped.
 * No callback is made any more. Accepts NULL. */
void gb_clone_free(struct gb_clone *clone);
