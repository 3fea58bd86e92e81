/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/machine.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

/* ---- accelerators ---- */

#define TB_SIZE "128"

static const struct {
    const char *name, *title, *option;
    uint32_t memory_mb;
} accels[] = {
    [GB_ACCEL_UNKNOWN] = {"unknown", "unknown", "", 0},
    [GB_ACCEL_KVM] = {"kvm", "KVM", "kvm", 0},
    [GB_ACCEL_HVF] = {"hvf", "HVF", "hvf", 0},
    /* The default tb-size is 1 GiB. There is one virtual CPU, so one thread. */
    [GB_ACCEL_TCG] = {"tcg", "emulation", "tcg,thread=single,tb-size=" TB_SIZE, 128},
};
static_assert(ARRAY_SIZE(accels) == GB_ACCEL_COUNT, "a row for each accelerator");

const char *gb_accel_name(enum gb_accel accel)
{
    return accels[accel < GB_ACCEL_COUNT ? accel : GB_ACCEL_UNKNOWN].name;
}

const char *gb_accel_title(enum gb_accel accel)
{
    return accels[accel].title;
}

enum gb_accel gb_accel_find(const char *name)
{
    for (enum gb_accel i = GB_ACCEL_UNKNOWN + 1; i < GB_ACCEL_COUNT; i++) {
        if (strcmp(name, accels[i].name) == 0)
            return i;
    }
    return GB_ACCEL_UNKNOWN;
}

bool gb_accel_is_hardware(enum gb_accel accel)
{
    return accel == GB_ACCEL_KVM || accel == GB_ACCEL_HVF;
}

const char *gb_accel_option(enum gb_accel accel)
{
    return accels[accel].option;
}

uint32_t gb_accel_memory_mb(enum gb_accel accel)
{
    return accels[accel].memory_mb;
}

/* ---- machines ---- */

static const struct gb_machine *const machines[] = {&gb_machine_microvm, &gb_machine_virt};

const struct gb_machine *gb_machine_native(void)
{
#if defined(__x86_64__)
    return &gb_machine_microvm;
#elif defined(__aarch64__)
    return &gb_machine_virt;
#else
#error "there is no machine for guests of this architecture: engine/machine"
#endif
}

const struct gb_machine *gb_machine_find(const char *architecture)
{
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
        if (strcmp(machines[i]->architecture, architecture) == 0 ||
            strcmp(machines[i]->debian, architecture) == 0)
            return machines[i];
    }
    return NULL;
}

void gb_machine_add_names(struct gb_buf *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
        gb_buf_addf(text, "%s%s (%s)", i > 0 ? " or " : "", machines[i]->architecture,
                    machines[i]->debian);
}

bool gb_machine_can_use(const struct gb_machine *machine, enum gb_accel accel)
{
    return !gb_accel_is_hardware(accel) || machine == gb_machine_native();
}

/* ---- what the guest's kernel is told ---- */

/* @only: the one machine that needs it; NULL: all. */
static const struct {
    const char *option, *why;
    const struct gb_machine *only;
} kernel_options[] = {
    {"quiet", "each line on the console costs time", NULL},
    {"loglevel=1", "but the last words of a panic are wanted", NULL},
    {"panic=-1", "a panic ends QEMU at once (with -no-reboot)", NULL},
    {"reboot=t", "no probing for a way to reset", &gb_machine_microvm},
    {"no_timer_check", "the timer of a virtual machine works", &gb_machine_microvm},
    {"tsc=reliable", "no watchdog over the clock", &gb_machine_microvm},
    {"mitigations=off", "the guest is one user's; the host protects itself", NULL},
    {"nokaslr", "all clones of a template would share the offset anyway", NULL},
    {"random.trust_cpu=on", "no waiting for entropy at boot; the host reseeds before use", NULL},
    {"cryptomgr.notests", "self-tests cost time", NULL},
    {"audit=0", "nobody reads it", NULL},
    {"lsm=", "no policy is loaded; SELinux and others would look at every file all the same", NULL},
    {"psi=0", "nobody asks for pressure; it is counted at every switch of tasks", NULL},
    {"initcall_blacklist=init_hw_perf_events",
     "there is no PMU; the probe for one leaves a line in the log of a host with KVM",
     &gb_machine_microvm},
    {"init_on_alloc=0", "what a process gets is cleared anyway; all else would be, too", NULL},
};

void gb_machine_add_kernel_options(struct gb_buf *line, const struct gb_machine *machine)
{
    gb_buf_addf(line, "console=%s ", machine->console); /* shows panics */
    for (size_t i = 0; i < ARRAY_SIZE(kernel_options); i++) {
        if (kernel_options[i].only == NULL || kernel_options[i].only == machine)
            gb_buf_addf(line, "%s ", kernel_options[i].option);
    }
}
