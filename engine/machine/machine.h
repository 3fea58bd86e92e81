/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual machines as QEMU offers them: tables of everything that differs between architectures,
 * between QEMU's machine types and between accelerators. vm/qemu.c builds command lines from them
 * and contains none of it itself.
 *
 * There is one table per guest architecture, in microvm.c and virt.c. Differences between QEMU
 * versions are not in the tables: QEMU is asked for the properties of its CPU (inspect.h of the
 * module vm), and a feature that it does not know is left out of the command line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum gb_accel { GB_ACCEL_UNKNOWN, GB_ACCEL_KVM, GB_ACCEL_HVF, GB_ACCEL_TCG, GB_ACCEL_COUNT };

/* "kvm", "hvf", "tcg": QEMU's names and ours; "unknown". Static. */
const char *gb_accel_name(enum gb_accel accel);
/* The name for people: "KVM", "HVF", "emulation". Static. */
const char *gb_accel_title(enum gb_accel accel);
/* GB_ACCEL_UNKNOWN if there is no such accelerator. */
enum gb_accel gb_accel_find(const char *name);
/* Whether the guest's instructions run on the processor, which then isolates guests. */
bool gb_accel_is_hardware(enum gb_accel accel);
/* The value of QEMU's option -accel. Static. */
const char *gb_accel_option(enum gb_accel accel);
/* Memory in MB that QEMU needs for this accelerator beside the guest's memory and its own:
 * translated code. */
uint32_t gb_accel_memory_mb(enum gb_accel accel);

/* A CPU feature by its QEMU name, and why guests do not get it: the end of a sentence. */
struct gb_cpu_feature {
    const char *name, *why;
};

/* A CPU feature that is switched off under some accelerators. */
struct gb_cpu_rule {
    struct gb_cpu_feature feature;
    unsigned accels; /* bits: 1 << enum gb_accel */
};

enum { GB_CPU_FEATURES_MAX = 16 };

struct gb_machine {
    const char *name;         /* QEMU's name: "microvm" */
    const char *architecture; /* of its guests, in the notation of uname(2): "x86_64" */
    const char *debian;       /* the same in that of Debian: "amd64" */

    const char *qemu; /* QEMU's program, and the Debian package that contains it */
    const char *qemu_package;
    const char *options;                       /* options of -M, after the name */
    const char *accel_options[GB_ACCEL_COUNT]; /* further options; NULL: none */

    /* A firmware file of QEMU's for -bios, and the Debian package that contains it. NULL: QEMU
     * boots the kernel directly. */
    const char *firmware, *firmware_package;

    const char *console; /* the kernel's name for the first serial port */
    const char *virtio;  /* suffix of device names for this transport: "virtio-rng-" and this */
    bool has_tsc;        /* guests keep time by the host's counter (counter.h) */

    const char *cpu_type; /* QEMU's type; its properties are the feature names that it knows */
    const char *cpu_model[GB_ACCEL_COUNT];  /* of -cpu */
    const char *cpu_always[GB_ACCEL_COUNT]; /* after the model; NULL: nothing */
    const struct gb_cpu_rule *cpu_rules;
    size_t cpu_rule_count; /* at most GB_CPU_FEATURES_MAX */
};

extern const struct gb_machine gb_machine_microvm; /* x86-64 */
extern const struct gb_machine gb_machine_virt;    /* arm64 */

/* The machine whose guests have this program's own architecture and can therefore be
 * accelerated. */
const struct gb_machine *gb_machine_native(void);
/* By guest architecture, in either notation; NULL: none. */
const struct gb_machine *gb_machine_find(const char *architecture);
/* All architectures, for a sentence: "x86_64 (amd64) or …". */
void gb_machine_add_names(struct gb_buf *text);
/* Whether guests of @machine can run under @accel here: hardware only runs those of its own
 * architecture. */
bool gb_machine_can_use(const struct gb_machine *machine, enum gb_accel accel);

/* Adds the kernel's command line options, each followed by a space. */
void gb_machine_add_kernel_options(struct gb_buf *line, const struct gb_machine *machine);
