/* SPDX-License-Identifier: Apache-2.0 */
#include "admission.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define MB (UINT64_C(1) << 20)

enum {
    READ_AGE_MS = 100, /* maximum age of a reading of the host */
    AGAIN_MS = 500,    /* interval of readings while somebody waits */
    VMS_MIN = 4,       /* however small the host is */
    STARTS_MIN = 2,
};

/* What an idle VM uses on the host (PSS), measured on Debian 12 with QEMU 7.2 under TCG, guests of
 * 192 MB, after one cell:
 *   cold boot  210 MB (shell), 233 MB (Python), 310 MB (JavaScript): all that the boot has touched,
 *              and 95 MB of translated code. A guest of 512 MB takes the same.
 *   clone      35 MB and less: the pages that it has changed, and what it has translated since.
 *   full       347 MB for a guest of 192 MB that has used all of its memory: 155 MB more than that,
 *              of which 128 MB are the translation cache at its bound (tb-size in vm/qemu.c).
 * Under KVM nothing is translated; QEMU's own use there was not measured, and is assumed to be that
 * of TCG without its cache. */
enum {
    CLONE_MB = 36,
    BOOT_MB = 240,
    QEMU_TCG_MB = 160,
    QEMU_KVM_MB = 32,
};

struct gb_slot {
    struct gb_admission *admission; /* NULL once that has been freed */
    struct gb_list link;            /* in admission->slots */
    unsigned refs;
    struct gb_charge charge;
    bool settled;
};

struct gb_admission {
    struct gb_loop *loop;
    struct gb_budget *budget;
    struct gb_admission_config config;
    struct gb_list slots, waiting, loans;
    size_t slot_count, starting, waiting_count;
    struct gb_budget_reading reading;
    uint64_t read_ns; /* 0: never */
    struct gb_deferred pump;
    struct gb_timer *again, *deadline;
    bool (*give)(void *arg);
    void (*room)(void *arg);
    void *arg;
    uint64_t granted, queued, refused;
};

struct gb_charge gb_charge_of(enum gb_accel accel, uint32_t memory_mb, bool clone)
{
    uint64_t own = gb_accel_is_hardware(accel) ? QEMU_KVM_MB : QEMU_TCG_MB;
    uint64_t full = memory_mb + own, base = clone ? CLONE_MB : BOOT_MB;

    return (struct gb_charge){MIN(base, full) * MB, full * MB};
}

/* ---- figures ---- */

static uint64_t admission_charged(const struct gb_admission *admission,
                                  const struct gb_charge *charge)
{
    double beyond = (double)(charge->full_bytes - charge->base_bytes);

    return charge->base_bytes + (uint64_t)(beyond / admission->config.overcommit);
}

static uint64_t admission_memory_used(const struct gb_admission *admission)
{
    const struct gb_slot *slot;
    const struct gb_loan *loan;
    uint64_t used = 0;

    GB_LIST_FOREACH(slot, &admission->slots, link)
        used += admission_charged(admission, &slot->charge);
    GB_LIST_FOREACH(loan, &admission->loans, link)
        used += loan->bytes;
    return used;
}

/* What the VMs that are starting will have used when they are up. */
static uint64_t admission_promised(const struct gb_admission *admission)
{
    const struct gb_slot *slot;
    uint64_t sum = 0;

    GB_LIST_FOREACH(slot, &admission->slots, link)
        if (!slot->settled)
            sum += slot->charge.base_bytes;
    return sum;
}

static const struct gb_budget_reading *admission_read_host(struct gb_admission *admission)
{
    uint64_t now = gb_loop_now_ns();

    if (admission->read_ns == 0 || now - admission->read_ns >= READ_AGE_MS * GB_NS_PER_MS) {
        gb_budget_read(admission->budget, &admission->reading);
        admission->read_ns = now;
    }
    return &admission->reading;
}

static uint64_t admission_memory_budget(const struct gb_admission *admission)
{
    uint64_t limit = admission->reading.memory_limit, reserve = admission->config.reserve_bytes;

    if (admission->config.memory_bytes > 0)
        return admission->config.memory_bytes;
    if (limit == 0)
        return UINT64_MAX; /* nothing is known: free memory decides, if that is known */
    return limit - MIN(limit, reserve);
}

static double admission_cpus_of(const struct gb_admission *admission)
{
    return admission->config.cpus > 0 ? admission->config.cpus : admission->reading.cpus;
}

static size_t admission_times_cpus(const struct gb_admission *admission, double factor,
                                   size_t least)
{
    double number = admission_cpus_of(admission) * factor;

    return number < (double)least ? least : number > 1e6 ? 1000000 : (size_t)number;
}

static size_t admission_vms_max(const struct gb_admission *admission)
{
    return admission_times_cpus(admission, admission->config.vms_per_cpu, VMS_MIN);
}

static size_t admission_starts_max(const struct gb_admission *admission)
{
    return admission_times_cpus(admission, admission->config.starts_per_cpu, STARTS_MIN);
}

/* Which gate is shut. @spare: leaves room for one more of its kind, so that the next request does
 * not have to wait for the end of a VM. */
static enum gb_shortage admission_find_shortage(struct gb_admission *admission,
                                                const struct gb_charge *charge, bool spare)
{
    const struct gb_budget_reading *host = admission_read_host(admission);
    uint64_t wanted = admission_charged(admission, charge),
             budget = admission_memory_budget(admission);
    uint64_t used = admission_memory_used(admission), soon = admission_promised(admission);
    uint64_t reserve = admission->config.reserve_bytes + charge->base_bytes;
    size_t more = spare ? 2 : 1;

    if (used > budget || wanted * more > budget - used)
        return GB_SHORTAGE_MEMORY;
    if (admission->slot_count + more > admission_vms_max(admission))
        return GB_SHORTAGE_VMS;
    if (admission->starting + more > admission_starts_max(admission))
        return GB_SHORTAGE_STARTS;
    if (host->memory_available != UINT64_MAX &&
        (host->memory_available < soon || host->memory_available - soon < reserve))
        return GB_SHORTAGE_AVAILABLE;
    if (host->has_pressure && admission->config.pressure_percent < 100 &&
        host->pressure >= admission->config.pressure_percent)
        return GB_SHORTAGE_PRESSURE;
    return GB_SHORTAGE_NONE;
}

/* ---- words ---- */

static unsigned long long admission_mb(uint64_t bytes)
{
    return (unsigned long long)((bytes + MB / 2) / MB);
}

/* What is short, how much was requested, how much there is, and how much of it is in use. */
static int admission_say(struct gb_admission *admission, enum gb_shortage shortage,
                         const struct gb_charge *charge, uint64_t waited_ms, struct gb_err *err)
{
    const struct gb_budget_reading *host = &admission->reading;
    char waited[48] = "";

    if (waited_ms > 0)
        (void)snprintf(waited, sizeof(waited), " (waited %.1f s)", (double)waited_ms / 1000);
    switch (shortage) {
    case GB_SHORTAGE_MEMORY:
        return gb_err_set(err, GB_ECAPACITY,
                          "there is no memory for another VM%s: it is charged %llu MB, and %llu MB "
                          "of the budget of %llu MB (%s) are in use by %zu VMs",
                          waited, admission_mb(admission_charged(admission, charge)),
                          admission_mb(admission_memory_used(admission)),
                          admission_mb(admission_memory_budget(admission)),
                          admission->config.memory_bytes > 0 ? "from the settings"
                          : host->memory_by_group            ? "from the control group"
                                                             : "from the host's memory",
                          admission->slot_count);
    case GB_SHORTAGE_VMS:
        return gb_err_set(err, GB_ECAPACITY,
                          "there are no CPUs for another VM%s: %zu VMs run, and %.4g CPUs are "
                          "enough for %zu",
                          waited, admission->slot_count, admission_cpus_of(admission),
                          admission_vms_max(admission));
    case GB_SHORTAGE_STARTS:
        return gb_err_set(err, GB_ECAPACITY,
                          "no other VM can be started now%s: %zu are starting, and %.4g CPUs are "
                          "enough for %zu at a time",
                          waited, admission->starting, admission_cpus_of(admission),
                          admission_starts_max(admission));
    case GB_SHORTAGE_AVAILABLE:
        return gb_err_set(
            err, GB_ECAPACITY,
            "the host has too little free memory for another VM%s: it takes %llu MB, "
            "%llu MB are reserved for others, and %llu MB are free, of which VMs that "
            "are starting will take %llu MB",
            waited, admission_mb(charge->base_bytes), admission_mb(admission->config.reserve_bytes),
            admission_mb(host->memory_available), admission_mb(admission_promised(admission)));
    case GB_SHORTAGE_PRESSURE:
        return gb_err_set(err, GB_ECAPACITY,
                          "the host is short of memory%s: processes waited for it during %.4g %% "
                          "of the last ten seconds, and no VM is started from %.4g %% on",
                          waited, host->pressure, admission->config.pressure_percent);
    case GB_SHORTAGE_NONE:
    case GB_SHORTAGE_COUNT:
        break;
    }
    return gb_err_set(err, GB_ECAPACITY, "other requests for a VM are waiting already%s", waited);
}

/* ---- slots ---- */

static void admission_on_pump(void *arg);

static void admission_pump_later(struct gb_admission *admission)
{
    gb_loop_defer(admission->loop, &admission->pump, admission_on_pump, admission);
}

static struct gb_slot *admission_new_slot(struct gb_admission *admission,
                                          const struct gb_charge *charge)
{
    struct gb_slot *slot = xcalloc(1, sizeof(*slot));

    slot->admission = admission;
    slot->refs = 1;
    slot->charge = *charge;
    gb_list_add_tail(&admission->slots, &slot->link);
    admission->slot_count++;
    admission->starting++;
    return slot;
}

struct gb_slot *gb_slot_ref(struct gb_slot *slot)
{
    slot->refs++;
    return slot;
}

void gb_slot_unref(struct gb_slot *slot)
{
    if (slot == NULL || --slot->refs > 0)
        return;
    gb_slot_settle(slot);
    if (slot->admission != NULL) {
        gb_list_remove(&slot->link);
        slot->admission->slot_count--;
        slot->admission->read_ns = 0; /* the host has more free memory now */
        admission_pump_later(slot->admission);
    }
    free(slot);
}

static void admission_on_reaped(void *arg)
{
    gb_slot_unref(arg);
}

void gb_slot_hold(struct gb_slot *slot, struct gb_vm *vm)
{
    gb_vm_on_reaped(vm, admission_on_reaped, gb_slot_ref(slot));
}

void gb_slot_settle(struct gb_slot *slot)
{
    if (slot->settled)
        return;
    slot->settled = true;
    if (slot->admission == NULL)
        return;
    slot->admission->starting--;
    slot->admission->read_ns = 0; /* its usage is no longer an estimate, but can be measured */
    admission_pump_later(slot->admission);
}

void gb_slot_charge(struct gb_slot *slot, const struct gb_charge *charge)
{
    slot->charge = *charge;
    if (slot->admission != NULL)
        admission_pump_later(slot->admission);
}

/* ---- the queue ---- */

static void admission_leave(struct gb_ticket *ticket)
{
    gb_list_remove(&ticket->link);
    ticket->admission->waiting_count--;
    ticket->admission = NULL;
}

/* The timer runs to the nearest deadline. */
static void admission_arm_deadline(struct gb_admission *admission)
{
    const struct gb_ticket *ticket;
    uint64_t now = gb_clock_mono_ns(), first = UINT64_MAX;

    GB_LIST_FOREACH(ticket, &admission->waiting, link)
        first = MIN(first, ticket->deadline_ns);
    if (first == UINT64_MAX)
        gb_timer_stop(admission->deadline);
    else
        gb_timer_start(admission->deadline,
                       first <= now ? 0 : (first - now + GB_NS_PER_MS - 1) / GB_NS_PER_MS);
}

static void admission_on_deadline(void *arg)
{
    struct gb_admission *admission = arg;
    uint64_t now = gb_clock_mono_ns();

    for (;;) {
        struct gb_ticket *ticket, *due = NULL;
        struct gb_err err = {0};
        struct gb_list *first = admission->waiting.next;
        enum gb_shortage shortage;

        GB_LIST_FOREACH(ticket, &admission->waiting, link)
            if (due == NULL && ticket->deadline_ns <= now)
                due = ticket;
        if (due == NULL)
            break;
        /* Those behind the first wait for what the first one waits for. */
        ticket = container_of(first, struct gb_ticket, link);
        shortage = admission_find_shortage(admission, &ticket->charge, false);
        (void)admission_say(admission, shortage, &ticket->charge,
                            (now - due->since_ns) / GB_NS_PER_MS, &err);
        admission_leave(due);
        due->shortage = shortage;
        admission->refused++;
        due->done(due->arg, NULL, &err);
    }
    admission_arm_deadline(admission);
    admission_pump_later(admission);
}

static void admission_on_again(void *arg)
{
    admission_on_pump(arg);
}

/* Admits requests that can be admitted, in order. */
static void admission_on_pump(void *arg)
{
    struct gb_admission *admission = arg;
    enum gb_shortage shortage = GB_SHORTAGE_NONE;

    while (!gb_list_empty(&admission->waiting)) {
        struct gb_ticket *ticket = container_of(admission->waiting.next, struct gb_ticket, link);
        struct gb_slot *slot;

        shortage = admission_find_shortage(admission, &ticket->charge, false);
        if (shortage != GB_SHORTAGE_NONE)
            break;
        slot = admission_new_slot(admission, &ticket->charge);
        admission_leave(ticket);
        admission->granted++;
        ticket->done(ticket->arg, slot, NULL);
    }
    admission_arm_deadline(admission);
    gb_timer_stop(admission->again);
    if (shortage == GB_SHORTAGE_NONE) {
        if (admission->room != NULL)
            admission->room(admission->arg);
        return;
    }
    if (shortage == GB_SHORTAGE_AVAILABLE || shortage == GB_SHORTAGE_PRESSURE)
        gb_timer_start(admission->again, AGAIN_MS);
    if (admission->give != NULL && shortage != GB_SHORTAGE_STARTS)
        (void)admission->give(admission->arg);
}

int gb_admission_ask(struct gb_admission *admission, const struct gb_charge *charge,
                     uint64_t wait_ms, struct gb_ticket *ticket,
                     void (*done)(void *arg, struct gb_slot *slot, const struct gb_err *err),
                     void *arg, struct gb_slot **ret_slot, struct gb_err *err)
{
    enum gb_shortage shortage = GB_SHORTAGE_NONE;
    bool first = gb_list_empty(&admission->waiting);

    assert(ticket->admission == NULL);
    (void)admission_read_host(admission);
    if (admission_charged(admission, charge) > admission_memory_budget(admission)) {
        admission->refused++;
        ticket->shortage = GB_SHORTAGE_MEMORY;
        return gb_err_set(
            err, GB_ECAPACITY,
            "this VM could never be started here: it is charged %llu MB, and the whole "
            "budget is %llu MB",
            admission_mb(admission_charged(admission, charge)),
            admission_mb(admission_memory_budget(admission)));
    }
    if (first)
        shortage = admission_find_shortage(admission, charge, false);
    if (first && shortage == GB_SHORTAGE_NONE) {
        admission->granted++;
        *ret_slot = admission_new_slot(admission, charge);
        return 1;
    }
    if (wait_ms == 0 || admission->waiting_count >= admission->config.waiting_max) {
        admission->refused++;
        ticket->shortage = shortage;
        return admission_say(admission, shortage, charge, 0, err);
    }
    ticket->admission = admission;
    ticket->charge = *charge;
    ticket->since_ns = gb_clock_mono_ns();
    ticket->deadline_ns = ticket->since_ns + wait_ms * GB_NS_PER_MS;
    ticket->done = done;
    ticket->arg = arg;
    gb_list_add_tail(&admission->waiting, &ticket->link);
    admission->waiting_count++;
    admission->queued++;
    admission_pump_later(admission); /* requests spare slots, starts the timers */
    return 0;
}

void gb_ticket_cancel(struct gb_ticket *ticket)
{
    struct gb_admission *admission = ticket->admission;

    if (admission == NULL)
        return;
    admission_leave(ticket);
    admission_pump_later(admission);
}

struct gb_slot *gb_admission_force(struct gb_admission *admission, const struct gb_charge *charge)
{
    return admission_new_slot(admission, charge);
}

struct gb_slot *gb_admission_spare(struct gb_admission *admission, const struct gb_charge *charge)
{
    if (!gb_list_empty(&admission->waiting) ||
        admission_find_shortage(admission, charge, true) != GB_SHORTAGE_NONE)
        return NULL;
    return admission_new_slot(admission, charge);
}

void gb_admission_set_spare(struct gb_admission *admission, bool (*give)(void *arg),
                            void (*room)(void *arg), void *arg)
{
    admission->give = give;
    admission->room = room;
    admission->arg = arg;
}

/* ---- memory beside the VMs ---- */

uint64_t gb_admission_room(struct gb_admission *admission)
{
    const struct gb_budget_reading *host = admission_read_host(admission);
    const uint64_t budget = admission_memory_budget(admission);
    const uint64_t used = admission_memory_used(admission);
    const uint64_t taken = admission_promised(admission) + admission->config.reserve_bytes;
    const uint64_t room = budget == UINT64_MAX ? budget : budget - MIN(budget, used);

    if (host->memory_available == UINT64_MAX)
        return room;
    return MIN(room, host->memory_available - MIN(host->memory_available, taken));
}

void gb_loan_take(struct gb_loan *loan, struct gb_admission *admission, uint64_t bytes)
{
    assert(loan->admission == NULL);
    loan->admission = admission;
    loan->bytes = bytes;
    gb_list_add_tail(&admission->loans, &loan->link);
}

void gb_loan_return(struct gb_loan *loan)
{
    struct gb_admission *admission = loan->admission;

    if (admission == NULL)
        return;
    gb_list_remove(&loan->link);
    loan->admission = NULL;
    admission->read_ns = 0; /* the host has more free memory now */
    admission_pump_later(admission);
}

/* ---- life ---- */

struct gb_admission *gb_admission_new(struct gb_loop *loop, struct gb_budget *budget,
                                      const struct gb_admission_config *config)
{
    struct gb_admission *admission = xcalloc(1, sizeof(*admission));

    admission->loop = loop;
    admission->budget = budget;
    admission->config = *config;
    gb_list_init(&admission->slots);
    gb_list_init(&admission->waiting);
    gb_list_init(&admission->loans);
    admission->again = gb_timer_new(loop, admission_on_again, admission);
    admission->deadline = gb_timer_new(loop, admission_on_deadline, admission);
    (void)admission_read_host(admission);
    return admission;
}

void gb_admission_configure(struct gb_admission *admission,
                            const struct gb_admission_config *config)
{
    admission->config = *config;
    admission_pump_later(admission);
}

void gb_admission_free(struct gb_admission *admission)
{
    struct gb_slot *slot;
    struct gb_loan *loan;

    if (admission == NULL)
        return;
    assert(gb_list_empty(&admission->waiting));
    GB_LIST_FOREACH(loan, &admission->loans, link) {
        gb_list_remove(&loan->link);
        loan->admission = NULL;
    }
    GB_LIST_FOREACH(slot, &admission->slots, link) {
        gb_list_remove(&slot->link);
        slot->admission = NULL;
    }
    gb_loop_undefer(&admission->pump);
    gb_timer_free(admission->again);
    gb_timer_free(admission->deadline);
    gb_budget_free(admission->budget);
    free(admission);
}

void gb_admission_status(struct gb_admission *admission, struct gb_admission_status *ret_status)
{
    const struct gb_budget_reading *host = admission_read_host(admission);
    struct gb_list *first = admission->waiting.next;

    *ret_status = (struct gb_admission_status){
        .memory_budget = admission_memory_budget(admission),
        .memory_used = admission_memory_used(admission),
        .memory_by_group = admission->config.memory_bytes == 0 && host->memory_by_group,
        .cpus_by_group = admission->config.cpus == 0 && host->cpus_by_group,
        .cpus = admission_cpus_of(admission),
        .vms = admission->slot_count,
        .vms_max = admission_vms_max(admission),
        .starting = admission->starting,
        .starts_max = admission_starts_max(admission),
        .waiting = admission->waiting_count,
        .memory_available = host->memory_available,
        .memory_reserve = admission->config.reserve_bytes,
        .has_pressure = host->has_pressure,
        .pressure = host->pressure,
        .granted = admission->granted,
        .queued = admission->queued,
        .refused = admission->refused,
    };
    if (admission->waiting_count > 0)
        ret_status->shortage = admission_find_shortage(
            admission, &container_of(first, struct gb_ticket, link)->charge, false);
}
