/* SPDX-License-Identifier: Apache-2.0 */
/* arm64: QEMU's virt. Written from QEMU's documentation (system/arm/virt, system/arm/cpu-features)
 * and tried with QEMU 7.2 under emulation; what was tried is in docs/platforms.md.
 *
 * Differences to microvm: QEMU boots the kernel directly, devices are found through the device tree
 * (also virtio-mmio: there are 32 slots), the serial port is a PL011, and the interrupt controller
 * depends on the accelerator: KVM can only offer the host's. There is always a clock (PL031).
 * Nested virtualisation (EL2) and memory tagging are machine options that are off by default. */
#include <assert.h>

#include "base/mem.h"
#include "machine/machine.h"

enum { TCG = 1u << GB_ACCEL_TCG, KVM = 1u << GB_ACCEL_KVM, HVF = 1u << GB_ACCEL_HVF };

static const struct gb_cpu_rule rules[] = {
    {{"sve", "its registers are kilobytes to save at each switch of tasks"}, TCG},
    {{"sme", "its registers are kilobytes to save at each switch of tasks"}, TCG},
    {{"pmu", "the counters are the host's, and none of a guest's business"}, KVM | HVF | TCG},
};
static_assert(ARRAY_SIZE(rules) <= GB_CPU_FEATURES_MAX, "there is room for all features");

const struct gb_machine gb_machine_virt = {
    .name = "virt",
    .architecture = "aarch64",
    .debian = "arm64",
    .qemu = "qemu-system-aarch64",
    .qemu_package = "qemu-system-arm",
    .options = "acpi=off",
    .accel_options = {[GB_ACCEL_KVM] = "gic-version=host",
                      [GB_ACCEL_HVF] = "gic-version=3",
                      [GB_ACCEL_TCG] = "gic-version=3"},
    .console = "ttyAMA0",
    .virtio = "device",
    .cpu_type = "max-arm-cpu",
    .cpu_model = {[GB_ACCEL_KVM] = "host", [GB_ACCEL_HVF] = "host", [GB_ACCEL_TCG] = "max"},
    /* Emulating the architecture's own pointer authentication cipher is slow. */
    .cpu_always = {[GB_ACCEL_TCG] = "pauth-impdef=on"},
    .cpu_rules = rules,
    .cpu_rule_count = ARRAY_SIZE(rules),
};
