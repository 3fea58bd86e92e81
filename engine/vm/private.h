/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this module. */
#pragma once

#include "vm/qemu.h"
#include "vm/vm.h"

/* QEMU's own filter, in addition to the launcher's. */
#define QEMU_SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

/* gb_vm_start() for any accelerator, and without an image for a probe: such a guest sends HELLO and
 * does nothing else. */
int vm_start(struct gb_host *host, enum gb_accel accel, const struct gb_vm_config *config,
             const struct gb_vm_events *events, void *arg, struct gb_vm **ret_vm,
             struct gb_err *err);

/* It is DEAD and no longer in the host's list. */
void host_vm_gone(struct gb_host *host);

/* The registry: one file per VM in <run>/vms, so that the next server finds what a crash left
 * behind. Records @launcher and @qemu with their start times. */
int registry_add(const char *run, pid_t launcher, pid_t qemu, struct gb_err *err);
void registry_remove(const char *run, pid_t launcher);
/* Kills what dead servers left behind and removes their files. *@ret_killed counts the
 * processes. */
int registry_reap(const char *run, unsigned *ret_killed, struct gb_err *err);

/* Parses the text of a registry file. False if it is invalid. */
struct registry_entry {
    struct registry_process {
        pid_t pid;
        uint64_t start; /* from gb_process_started() */
    } server, launcher, qemu;
};
bool registry_parse(struct gb_bytes text, struct registry_entry *ret_entry);

/* The end of a QEMU output stream, for error messages. */
enum { TAIL_MAX = 4096 };
void tail_add(struct gb_buf *tail, struct gb_bytes text);
/* Adds to @buf why the guest ended, judging by its console: a panic's line, or the last line. */
void tail_describe(struct gb_buf *buf, struct gb_bytes console);
/* Adds the last non-empty line of @text, escaped. False if there is none. */
bool tail_last_line(struct gb_buf *buf, struct gb_bytes text);
