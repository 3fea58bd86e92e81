/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual machines as QEMU offers them: everything that differs between architectures, between
 * QEMU's machine types and between accelerators, as tables. vm/qemu.c composes command lines from
 * them and names none of it itself.
 *
 * A machine is a row for an architecture of guests; microvm.c and virt.c hold one each. What the
 * installed QEMU lacks is not in the tables as version numbers: QEMU is asked for the properties of
 * its CPU (inspect.h of the module vm), and a feature whose name it does not know is not named to
 * it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum gb_accel { GB_ACCEL_UNKNOWN, GB_ACCEL_KVM, GB_ACCEL_HVF, GB_ACCEL_TCG, GB_ACCEL_COUNT };

/* "kvm", "hvf", "tcg": QEMU's names and ours; "unknown". Static. */
const char *gb_accel_name(enum gb_accel accel);
/* What people call it: "KVM", "HVF", "emulation". Static. */
const char *gb_accel_title(enum gb_accel accel);
/* GB_ACCEL_UNKNOWN when @name is none. */
enum gb_accel gb_accel_find(const char *name);
/* The guest's instructions run on the processor, and the processor keeps guests apart. */
bool gb_accel_is_hardware(enum gb_accel accel);
/* The value of QEMU's option -accel. Static. */
const char *gb_accel_option(enum gb_accel accel);
/* Memory that QEMU takes for it beside the guest's and its own, in MB: translated code. */
uint32_t gb_accel_memory_mb(enum gb_accel accel);

/* A feature of processors by QEMU's name for it, and why guests go without: the end of a sentence.
 */
struct gb_cpu_feature {
    const char *name, *why;
};

/* A feature that is switched off under some accelerators. */
struct gb_cpu_rule {
    struct gb_cpu_feature feature;
    unsigned accels; /* bits: 1 << enum gb_accel */
};

enum { GB_CPU_FEATURES_MAX = 16 };

struct gb_machine {
    const char *name;         /* QEMU's name: "microvm" */
    const char *architecture; /* of its guests, as uname(2) names it: "x86_64" */

    const char *qemu; /* QEMU's program, and Debian's package of it */
    const char *qemu_package;
    const char *options;                       /* of -M, behind the name */
    const char *accel_options[GB_ACCEL_COUNT]; /* more of them; NULL: none */

    /* A file of QEMU's that is named by -bios, and Debian's package of it. NULL: QEMU starts the
     * kernel itself. */
    const char *firmware, *firmware_package;

    const char *console; /* the kernel's name for the first serial port */
    const char *virtio;  /* the transport, as the end of a device's name: "virtio-rng-" and this */
    bool has_tsc;        /* guests measure time by the host's counter (counter.h) */

    const char *cpu_type; /* QEMU's type, whose properties are the names it knows */
    const char *cpu_model[GB_ACCEL_COUNT];  /* of -cpu */
    const char *cpu_always[GB_ACCEL_COUNT]; /* behind the model; NULL: nothing */
    const struct gb_cpu_rule *cpu_rules;
    size_t cpu_rule_count; /* at most GB_CPU_FEATURES_MAX */
};

extern const struct gb_machine gb_machine_microvm; /* x86-64 */
extern const struct gb_machine gb_machine_virt;    /* arm64 */

/* The machine whose guests run on this program's own architecture, and may so be accelerated. */
const struct gb_machine *gb_machine_native(void);
/* By the architecture of the guests; NULL: there is none. */
const struct gb_machine *gb_machine_find(const char *architecture);

/* Adds what the guest's kernel is told on its command line, each with a space behind it. */
void gb_machine_add_kernel_options(struct gb_buf *line, const struct gb_machine *machine);
