/* SPDX-License-Identifier: Apache-2.0 */
/* The host: what all VMs of a process share. QEMU and its version, the accelerator that really
 * works, which isolation can be had, the images, and the registry of running VMs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "guard/guard.h"
#include "loop/loop.h"
#include "machine/machine.h"
#include "vm/image.h"

struct gb_host_config {
    const char *images; /* folder; NULL: $GLASSBELL_IMAGES, then the folders of ARCHITECTURE.md */
    /* Folders that are made, mode 0700: for the registry (NULL: glassbell in $XDG_RUNTIME_DIR, else
     * glassbell-UID in /tmp) and for what is remembered (NULL: glassbell in $XDG_CACHE_HOME, else
     * in
     * ~/.cache, else as `run`). */
    const char *run;
    const char *cache;
    const char *qemu;       /* NULL: $GLASSBELL_QEMU, then the machine's program in $PATH */
    const char *launcher;   /* NULL: beside the running program, then the libexec folder */
    enum gb_accel accel;    /* UNKNOWN: $GLASSBELL_ACCEL, then what a probe finds */
    bool probe_anew;        /* what is remembered of accelerators does not count */
    bool require_isolation; /* a stage that cannot be applied is an error */
};

struct gb_host {
    struct gb_loop *loop;
    const struct gb_machine *machine; /* what its VMs are */
    struct gb_images *images;
    struct gb_list old_images; /* that sessions may still hold: freed with the host */
    char *run, *cache, *qemu, *launcher;
    char *firmware;     /* NULL: the machine needs none */
    char *qemu_version; /* "7.2.22" */
    char *qemu_package; /* what its builder says of it: "Debian 1:7.2+dfsg-7"; may be empty */
    uint32_t cpu_known; /* features that are switched off and that QEMU knows (cpu.h) */
    enum gb_accel accel;
    char *accel_reason;    /* a sentence: why this one */
    uint32_t guard_stages; /* enum gb_guard_stage, as a probe found them to work */
    bool require_isolation;
    bool qemu_sandbox;  /* QEMU has -sandbox */
    uint32_t tsc_khz;   /* of the host's time stamp counter; 0: not known */
    struct gb_list vms; /* those that are not DEAD */
    void (*empty)(void *arg);
    void *empty_arg;
    struct gb_deferred told_empty;
};

/* Finds everything, ends QEMU processes that a dead server of this run folder left behind
 * (registry: pid and start time), and probes accelerator and isolation by booting a tiny guest with
 * a deadline unless the answer is remembered (accel.h). @done is called once,
 * from the loop: with the host (gives) or an error. GB_EIMAGE: no images; GB_EUNSUPPORTED: no QEMU,
 * or an accelerator was asked for that does not work; GB_EPOLICY: isolation was required and cannot
 * be had. */
void gb_host_open(struct gb_loop *loop, const struct gb_host_config *config,
                  void (*done)(void *arg, struct gb_host *host, const struct gb_err *err),
                  void *arg);

/* Finds an image by name or alias, after reading the folder anew when a builder has changed it.
 * NULL when there is none; a folder that cannot be read (half built) leaves what was known. The
 * image stays as long as the host. */
struct gb_image *gb_host_find_image(struct gb_host *host, const char *name);

/* @empty is called once, from the loop, when there is no VM (any more). One may ask at a time. */
void gb_host_when_empty(struct gb_host *host, void (*empty)(void *arg), void *arg);

/* The processor that guests are shown: QEMU's model, what of it is switched off, and what of that
 * this QEMU does not know. */
struct gb_cpu {
    const char *model;
    struct gb_cpu_feature off[GB_CPU_FEATURES_MAX], unknown[GB_CPU_FEATURES_MAX];
    size_t off_count, unknown_count;
};
void gb_host_describe_cpu(const struct gb_host *host, struct gb_cpu *ret_cpu);

/* All VMs must be dead. Accepts NULL. */
void gb_host_free(struct gb_host *host);
