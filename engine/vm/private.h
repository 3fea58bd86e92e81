/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this module share. */
#pragma once

#include "vm/qemu.h"
#include "vm/vm.h"

/* QEMU's own filter, on top of the launcher's. */
#define QEMU_SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

/* gb_vm_start() for any accelerator, and without an image for a probe: such a guest says HELLO and
 * does nothing else. */
int vm_start(struct gb_host *host, enum gb_accel accel, const struct gb_vm_config *config,
             const struct gb_vm_events *events, void *arg, struct gb_vm **ret_vm,
             struct gb_err *err);

/* It is DEAD, and no longer in the host's list. */
void host_vm_gone(struct gb_host *host);

/* The registry: one file a VM in <run>/vms, so that a server that comes after a crash finds what is
 * left. Notes @launcher and @qemu with their start times. */
int registry_add(const char *run, pid_t launcher, pid_t qemu, struct gb_err *err);
void registry_remove(const char *run, pid_t launcher);
/* Kills what dead servers left and removes its files. *@ret_killed processes were ended. */
int registry_reap(const char *run, unsigned *ret_killed, struct gb_err *err);

/* A registry file's text. False when it is none. */
struct registry_entry {
    struct registry_process {
        pid_t pid;
        uint64_t start; /* gb_process_started() */
    } server, launcher, qemu;
};
bool registry_parse(struct gb_bytes text, struct registry_entry *ret_entry);

/* QEMU's last words: the end of what a stream of its said. */
enum { TAIL_MAX = 4096 };
void tail_add(struct gb_buf *tail, struct gb_bytes text);
/* Adds why the guest ended to @buf, judging by its console: a panic's line, or the last line. */
void tail_describe(struct gb_buf *buf, struct gb_bytes console);
/* Adds the last line of @text that is not empty, escaped. False when there is none. */
bool tail_last_line(struct gb_buf *buf, struct gb_bytes text);
