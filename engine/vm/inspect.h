/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of QEMU and of this machine before the first VM. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"

/* What QEMU told. */
struct inspected_qemu {
    char version[32];   /* "7.2.22" */
    char package[300];  /* what its builder says of it; may be empty */
    bool sandbox;       /* it has -sandbox */
    uint32_t cpu_known; /* features of cpu.h that it knows */
};

/* Runs @qemu without a machine, and asks. @done is called once, from the loop; @found is borrowed,
 * NULL with an error: GB_EUNSUPPORTED. */
void inspect_qemu(struct gb_loop *loop, const char *qemu,
                  void (*done)(void *arg, const struct inspected_qemu *found,
                               const struct gb_err *err),
                  void *arg);

/* Version and package in the monitor's greeting. False when there is no version. */
bool inspect_read_greeting(const cJSON *greeting, struct inspected_qemu *found);

/* The rate of the time stamp counter, from a start to now: some milliseconds should lie between.
 * 0 where there is no such counter. */
struct inspect_tsc {
    uint64_t ns, ticks;
};
void inspect_tsc_start(struct inspect_tsc *start);
uint32_t inspect_tsc_khz(const struct inspect_tsc *start);

/* What the answer to "which accelerator works" depends on besides QEMU and the images, and what the
 * state of a guest under it does: the host's kernel and processor, as one line. @features: with all
 * that KVM hands on to a guest, whose names and models are often not to be told apart by the
 * processor's name: its features, its microcode, whether virtualisation is nested. Gives. */
char *inspect_machine(bool features);

/* Adds the processor to @text, by the first one in @cpuinfo, which is /proc/cpuinfo or the
 * beginning of it. The order of its features makes no difference. */
void inspect_add_processor(struct gb_buf *text, struct gb_bytes cpuinfo, bool features);
/* Adds what the modules of KVM below @folder (/sys/module) say of nested virtualisation. */
void inspect_add_nested(struct gb_buf *text, const char *folder);

/* The id of this boot of the host; empty when it cannot be told. Gives. */
char *inspect_boot(void);
