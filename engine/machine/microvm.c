/* SPDX-License-Identifier: Apache-2.0 */
/* x86-64: QEMU's microvm, which has neither PCI nor legacy devices except those requested. */
#include <assert.h>

#include "base/mem.h"
#include "machine/machine.h"

enum { TCG = 1u << GB_ACCEL_TCG, KVM = 1u << GB_ACCEL_KVM, HVF = 1u << GB_ACCEL_HVF };

/* The five features that declare string instructions fast belong together. Under emulation such an
 * instruction processes one byte per iteration; and with `fsrm` but without `erms`, Linux 6.1 never
 * returns from its memmove() of a few bytes. QEMU 7.2 under emulation has only the first. */
#define SLOW "string instructions are not fast when they are emulated"
#define NESTED "a guest has no virtual machines, and no way to that part of the host's kernel"

static const struct gb_cpu_rule rules[] = {
    {{"erms", SLOW}, TCG},
    {{"fsrm", SLOW}, TCG},
    {{"fzrm", SLOW}, TCG},
    {{"fsrs", SLOW}, TCG},
    {{"fsrc", SLOW}, TCG},
    {{"smap", "each copy from user space would change the mode, and the TLB, twice"}, TCG},
    {{"pku", "it is one more register to switch"}, TCG},
    {{"la57", "it is a fifth level in every page walk"}, TCG},
    {{"svm", NESTED}, KVM | HVF | TCG},
    {{"vmx", NESTED}, KVM | HVF | TCG},
    {{"pmu", "the counters are the host's, and none of a guest's business"}, KVM | HVF},
};
static_assert(ARRAY_SIZE(rules) <= GB_CPU_FEATURES_MAX, "there is room for all features");

const struct gb_machine gb_machine_microvm = {
    .name = "microvm",
    .architecture = "x86_64",
    .debian = "amd64",
    .qemu = "qemu-system-x86_64",
    .qemu_package = "qemu-system-x86",
    .options = "x-option-roms=off,isa-serial=on,rtc=on,acpi=on",
    /* With the default firmware some versions hang if there are no option ROMs (QEMU 10.0). */
    .firmware = "qboot.rom",
    .firmware_package = "qemu-system-data",
    .console = "ttyS0",
    .virtio = "device", /* virtio-mmio, found through ACPI */
    .has_tsc = true,
    .cpu_type = "max-x86_64-cpu",
    .cpu_model = {[GB_ACCEL_KVM] = "host", [GB_ACCEL_HVF] = "host", [GB_ACCEL_TCG] = "max"},
    /* Without svm, QEMU 7.2 omits the leaves that report cache and address sizes. */
    .cpu_always = {[GB_ACCEL_TCG] = "min-xlevel=0x80000008"},
    .cpu_rules = rules,
    .cpu_rule_count = ARRAY_SIZE(rules),
};
