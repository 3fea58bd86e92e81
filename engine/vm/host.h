/* SPDX-License-Identifier: Apache-2.0 */
/* The host: what all VMs of a process share. QEMU and its version, the accelerator that works, the
 * isolation stages that work, the images, and the registry of running VMs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "guard/guard.h"
#include "loop/loop.h"
#include "machine/machine.h"
#include "platform/memory.h"
#include "vm/image.h"

struct gb_host_config {
    const char *images; /* folder; NULL, as in the next four: where find.h and base/paths.h say */
    /* Folders that are created with mode 0700: for the registry, and for cached results. */
    const char *run;
    const char *cache;
    const char *qemu;
    const char *launcher;
    enum gb_accel accel;    /* UNKNOWN: $GLASSBELL_ACCEL, then the result of a probe */
    bool probe_anew;        /* ignore cached accelerator results */
    bool require_isolation; /* fail if any stage cannot be applied */
};

struct gb_host {
    struct gb_loop *loop;
    const struct gb_machine *machine; /* the machine type of its VMs, by $GLASSBELL_GUEST_ARCH */
    struct gb_images *images;
    struct gb_list old_images; /* in use by sessions, perhaps: freed with the host */
    char *run, *cache, *qemu, *launcher;
    char *firmware;     /* NULL: not needed by the machine */
    char *qemu_version; /* "7.2.22" */
    char *qemu_package; /* its builder's version string: "Debian 1:7.2+dfsg-7"; may be empty */
    uint32_t cpu_known; /* features that are switched off and known to QEMU (cpu.h) */
    enum gb_accel accel;
    char *accel_reason;          /* a sentence: why this one was chosen */
    enum gb_memory_way tracking; /* how changes of a VM's memory are found */
    uint32_t guard_stages;       /* bits of enum gb_guard_stage that a probe found to work */
    bool require_isolation;
    bool qemu_sandbox;  /* QEMU has -sandbox */
    uint32_t tsc_khz;   /* of the host's time stamp counter; 0: unknown */
    struct gb_list vms; /* those that are not DEAD */
    void (*empty)(void *arg);
    void *empty_arg;
    struct gb_deferred told_empty;
};

/* Finds everything, kills QEMU processes left behind by a dead server of this run folder (registry:
 * pid and start time), and probes accelerator and isolation by booting a tiny guest with a
 * deadline, unless the result is cached (accel.h). Calls @done once, from the loop: with the host
 * (gives) or an error. GB_EIMAGE: no images; GB_EUNSUPPORTED: no QEMU, or the requested accelerator
 * does not work; GB_EPOLICY: isolation was required but is not available. */
void gb_host_open(struct gb_loop *loop, const struct gb_host_config *config,
                  void (*done)(void *arg, struct gb_host *host, const struct gb_err *err),
                  void *arg);

/* Finds an image by name or alias, rereading the folder if a builder has changed it. NULL if there
 * is none; if the folder cannot be read (half built), the previous images stay. The image lives as
 * long as the host. */
struct gb_image *gb_host_find_image(struct gb_host *host, const char *name);

/* Calls @empty once, from the loop, when no VM is left. Only one caller at a time. */
void gb_host_when_empty(struct gb_host *host, void (*empty)(void *arg), void *arg);

/* The guests' CPU: QEMU's model, the features switched off, and those of them that this QEMU does
 * not know. */
struct gb_cpu {
    const char *model;
    struct gb_cpu_feature off[GB_CPU_FEATURES_MAX], unknown[GB_CPU_FEATURES_MAX];
    size_t off_count, unknown_count;
};
void gb_host_describe_cpu(const struct gb_host *host, struct gb_cpu *ret_cpu);

/* All VMs must be dead. No-op on NULL. */
void gb_host_free(struct gb_host *host);
