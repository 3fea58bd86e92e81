/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests get a VM, and when: a slot is the room of one QEMU process, from before it is
 * started until it has been reaped.
 *
 * Theory of operation. What a VM costs. A clone maps its template's memory copy-on-write, so an
 * idle one takes far less than its memory; it *may* take all of it at any time. A slot is therefore
 * charged what an idle VM of its kind was measured to take (its *base*), and a share of what it
 * could take beyond that: one in `overcommit` VMs is expected to be full. How large the base is,
 * and how it was measured, stands at the constants in admission.c.
 *
 * Four gates, all of which have to be open:
 *   memory   the charges of all slots within the budget (the limit of the control group or the
 *            host's memory, less a reserve that is left alone);
 *   VMs      not more VMs than so many for each CPU: an idle one takes some of it too;
 *   starts   not more VMs starting at a time than so many for each CPU: more of them would only
 * make each of them slower; now      what the host has free right now, less what the VMs that are
 * starting will take, is more than the reserve and the base; and the host does not stand still for
 * memory (pressure-stall information). Others use this host too.
 *
 * Who asks waits in the order of asking; nobody overtakes, so that a large VM is not starved by
 * small ones. The gates are looked at again when a slot changes, and, as long as somebody waits for
 * what is free now, by a timer: the host tells nobody when others give memory back. VMs that nobody
 * asked for (the warm pool) come in only when nobody waits, and have to go when somebody does.
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
    uint64_t memory_bytes;  /* the budget; 0: by control group and host, less the reserve */
    uint64_t reserve_bytes; /* of the host's memory, for others */
    double overcommit;      /* at least 1 */
    double cpus;            /* 0: by affinity and control group */
    double vms_per_cpu, starts_per_cpu;
    double pressure_percent; /* at which nobody comes in; 100: never mind */
    size_t waiting_max;
};

/* Takes @budget. Gives. */
struct gb_admission *gb_admission_new(struct gb_loop *loop, struct gb_budget *budget,
                                      const struct gb_admission_config *config);
/* From now on; who has a slot keeps it. */
void gb_admission_configure(struct gb_admission *admission,
                            const struct gb_admission_config *config);
/* Nobody may wait any more. Slots may outlive it. Accepts NULL. */
void gb_admission_free(struct gb_admission *admission);

/* ---- slots ---- */

/* What a VM is expected to take. */
struct gb_charge {
    uint64_t base_bytes; /* when it idles */
    uint64_t full_bytes; /* at most: its memory, and QEMU's own */
};

/* The measured figures for a VM of this size. @clone: its memory is a template's. */
struct gb_charge gb_charge_of(enum gb_accel accel, uint32_t memory_mb, bool clone);

struct gb_slot;

struct gb_slot *gb_slot_ref(struct gb_slot *slot);
/* The last one frees it, and a waiting request may get it. Accepts NULL. */
void gb_slot_unref(struct gb_slot *slot);
/* The process of @vm has a share in it until it has been reaped. */
void gb_slot_hold(struct gb_slot *slot, struct gb_vm *vm);
/* Its VM has come up, or never will: it no longer counts as starting. Harmless when repeated. */
void gb_slot_settle(struct gb_slot *slot);
/* Its VM is not what was expected (a boot instead of a clone): it is charged for what it is,
 * whatever there is. */
void gb_slot_charge(struct gb_slot *slot, const struct gb_charge *charge);

/* ---- asking ---- */

/* A request that waits. Embed it, zeroed; do not touch its members. */
struct gb_ticket {
    struct gb_list link;
    struct gb_admission *admission; /* NULL: does not wait */
    struct gb_charge charge;
    uint64_t since_ns, deadline_ns;
    enum gb_shortage shortage; /* what was short when it was refused */
    void (*done)(void *arg, struct gb_slot *slot, const struct gb_err *err);
    void *arg;
};

/* Asks for a slot. 1: *@ret_slot is it (gives). 0: @done will be called once, from the loop, with a
 * slot (gives) or, after @wait_ms, with GB_ECAPACITY and a sentence that says which gate is closed.
 * Negative: GB_ECAPACITY when it could never be had, when too many wait, or at once when @wait_ms
 * is 0. */
int gb_admission_ask(struct gb_admission *admission, const struct gb_charge *charge,
                     uint64_t wait_ms, struct gb_ticket *ticket,
                     void (*done)(void *arg, struct gb_slot *slot, const struct gb_err *err),
                     void *arg, struct gb_slot **ret_slot, struct gb_err *err);
/* Harmless when it does not wait. */
void gb_ticket_cancel(struct gb_ticket *ticket);

/* A slot, whatever there is. Gives. */
struct gb_slot *gb_admission_force(struct gb_admission *admission, const struct gb_charge *charge);

/* For VMs that nobody asked for: a slot when there is room and nobody waits, else NULL. Gives. */
struct gb_slot *gb_admission_spare(struct gb_admission *admission, const struct gb_charge *charge);

/* Who has spare slots: @give is called when somebody waits, and ends one of its VMs if it can
 * (true: a slot will come free); @room when there may be room for more. */
void gb_admission_set_spare(struct gb_admission *admission, bool (*give)(void *arg),
                            void (*room)(void *arg), void *arg);

/* ---- looking ---- */

struct gb_admission_status {
    uint64_t memory_budget, memory_used; /* charges */
    bool memory_by_group, cpus_by_group; /* where the budget comes from */
    double cpus;
    size_t vms, vms_max, starting, starts_max, waiting;
    uint64_t memory_available, memory_reserve;
    bool has_pressure;
    double pressure;
    uint64_t granted, queued, refused; /* since the start */
    enum gb_shortage shortage;         /* what the first of those who wait waits for */
};

void gb_admission_status(struct gb_admission *admission, struct gb_admission_status *ret_status);
