/* SPDX-License-Identifier: Apache-2.0 */
/* Admission: which requests get a VM, and when. A slot is the capacity for one QEMU process, from
 * before it is started until it has been reaped.
 *
 * Theory of operation. What a VM costs. A clone maps its template's memory copy-on-write, so an
 * idle one uses far less than its memory size; but it *may* use all of it at any time. A slot is
 * therefore charged what an idle VM of its kind was measured to use (its *base*), plus a share of
 * what it could use beyond that: one in `overcommit` VMs is expected to be full. The size of the
 * base, and how it was measured, is with the constants in admission.c.
 *
 * Four gates, all of which must be open:
 *   memory   the charges of all slots fit into the budget (the limit of the control group or the
 *            host's memory, minus a reserve);
 *   VMs      there are not too many VMs per CPU: even an idle one uses some CPU time;
 *   starts   not too many VMs per CPU are starting: more would only slow each other down;
 *   now      the host's free memory, minus what starting VMs will still use, exceeds the reserve
 *            plus the base, and the host is not stalling on memory (pressure stall information):
 *            other processes use this host too.
 *
 * Requests queue in order of arrival and never overtake each other, so that small VMs do not starve
 * a large one. The gates are checked again when a slot changes, and, while somebody waits for
 * memory that is free now, by a timer: the host does not notify us when other processes free
 * memory. VMs that nobody has requested (the warm pool) are only admitted while the queue is empty,
 * and have to make room when it is not.
 *
 * All functions: loop thread only. No callback is made from within a call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "loop/loop.h"
#include "model/words.h"
#include "platform/budget.h"
#include "vm/host.h"
#include "vm/vm.h"

struct gb_admission;

struct gb_admission_config {
    uint64_t memory_bytes;  /* the budget; 0: from control group and host, minus the reserve */
    uint64_t reserve_bytes; /* of the host's memory, left to other processes */
    double overcommit;      /* at least 1 */
    double cpus;            /* 0: from affinity and control group */
    double vms_per_cpu, starts_per_cpu;
    double pressure_percent; /* above it nothing is admitted; 100: ignored */
    size_t waiting_max;
};

/* Takes @budget. Gives. */
struct gb_admission *gb_admission_new(struct gb_loop *loop, struct gb_budget *budget,
                                      const struct gb_admission_config *config);
/* Takes effect from now on; granted slots stay. */
void gb_admission_configure(struct gb_admission *admission,
                            const struct gb_admission_config *config);
/* The queue must be empty. Slots may outlive it. No-op on NULL. */
void gb_admission_free(struct gb_admission *admission);

/* ---- slots ---- */

/* What a VM is expected to use. */
struct gb_charge {
    uint64_t base_bytes; /* while idle */
    uint64_t full_bytes; /* at most: its memory plus QEMU's own */
};

/* The measured values for a VM of this size. @clone: its memory is a template's. */
struct gb_charge gb_charge_of(enum gb_accel accel, uint32_t memory_mb, bool clone);

struct gb_slot;

struct gb_slot *gb_slot_ref(struct gb_slot *slot);
/* The last reference frees it, so that a waiting request may get it. No-op on NULL. */
void gb_slot_unref(struct gb_slot *slot);
/* The process of @vm holds a reference to it until it has been reaped. */
void gb_slot_hold(struct gb_slot *slot, struct gb_vm *vm);
/* Its VM has started, or never will: it no longer counts as starting. May be called again. */
void gb_slot_settle(struct gb_slot *slot);
/* Its VM is not what was expected (a boot instead of a clone): charges the slot for what it is,
 * even beyond the budget. */
void gb_slot_charge(struct gb_slot *slot, const struct gb_charge *charge);

/* ---- asking ---- */

/* A queued request. Embed it, zeroed; do not touch its members. */
struct gb_ticket {
    struct gb_list link;
    struct gb_admission *admission; /* NULL: not queued */
    struct gb_charge charge;
    uint64_t since_ns, deadline_ns;
    enum gb_shortage shortage; /* the shortage for which it was refused */
    void (*done)(void *arg, struct gb_slot *slot, const struct gb_err *err);
    void *arg;
};

/* Requests a slot. 1: *@ret_slot is it (gives). 0: @done will be called once, from the loop, with a
 * slot (gives) or, after @wait_ms, with GB_ECAPACITY and a message that says which gate is closed.
 * Negative: GB_ECAPACITY, if the request can never be met, the queue is full, or @wait_ms is 0. */
int gb_admission_ask(struct gb_admission *admission, const struct gb_charge *charge,
                     uint64_t wait_ms, struct gb_ticket *ticket,
                     void (*done)(void *arg, struct gb_slot *slot, const struct gb_err *err),
                     void *arg, struct gb_slot **ret_slot, struct gb_err *err);
/* No-op if it is not queued. */
void gb_ticket_cancel(struct gb_ticket *ticket);

/* Grants a slot unconditionally. Gives. */
struct gb_slot *gb_admission_force(struct gb_admission *admission, const struct gb_charge *charge);

/* For VMs that nobody has requested: a slot if there is capacity and the queue is empty, else NULL.
 * Gives. */
struct gb_slot *gb_admission_spare(struct gb_admission *admission, const struct gb_charge *charge);

/* Registers the owner of spare slots. @give is called when a request waits, and ends one of its VMs
 * if it can (true: a slot will be freed); @room is called when there may be capacity for more. */
void gb_admission_set_spare(struct gb_admission *admission, bool (*give)(void *arg),
                            void (*room)(void *arg), void *arg);

/* ---- memory beside the VMs ---- */

/* Memory of the server's own that is used for a moment, and charged like a VM's. Embed it, zeroed;
 * do not touch its members. */
struct gb_loan {
    struct gb_list link;
    struct gb_admission *admission; /* NULL: none */
    uint64_t bytes;
};

/* How many bytes could be used now: within the budget, and with the reserve left to others.
 * UINT64_MAX: nothing is known about the host's memory. */
uint64_t gb_admission_room(struct gb_admission *admission);
/* Charges @bytes, even beyond the budget. There must be no loan. */
void gb_loan_take(struct gb_loan *loan, struct gb_admission *admission, uint64_t bytes);
/* No-op if there is none. It may outlive its admission. */
void gb_loan_return(struct gb_loan *loan);

/* ---- looking ---- */

struct gb_admission_status {
    uint64_t memory_budget, memory_used; /* charges */
    bool memory_by_group, cpus_by_group; /* the source of the budget */
    double cpus;
    size_t vms, vms_max, starting, starts_max, waiting;
    uint64_t memory_available, memory_reserve;
    bool has_pressure;
    double pressure;
    uint64_t granted, queued, refused; /* since the start */
    enum gb_shortage shortage;         /* what the first in the queue waits for */
};

void gb_admission_status(struct gb_admission *admission, struct gb_admission_status *ret_status);
