/* SPDX-License-Identifier: Apache-2.0 */
/* One VM, as shared by vm.c (its life) and operation.c (its monitor). Private. */
#pragma once

#include "guard/guard.h"
#include "loop/loop.h"
#include "platform/process.h"
#include "vm/qmp.h"
#include "vm/state.h"
#include "vm/vm.h"

enum state { STARTING, WAITING, RUNNING, ENDING, DEAD };

enum operation { OP_NONE, OP_STOP, OP_CONT, OP_SAVE, OP_AWAIT, OP_LOAD, OP_ATTACH };

struct gb_vm {
    struct gb_host *host;
    struct gb_list link; /* in host->vms */
    struct gb_vm_events events;
    void *arg;
    void (*reaped)(void *arg);
    void *reaped_arg;
    enum state state;
    uint32_t uid; /* of QEMU; 0: the server's own */
    uint64_t started_ns, hello_ns;
    struct gb_vm_sample sample;     /* as of sampled_ns; 0: none yet */
    uint64_t sampled_ns, looked_ns; /* looked: last attempt, successful or not */

    struct gb_child *launcher;
    int exit_status, exit_signal;
    int lifeline;           /* write end */
    int network_fd;         /* our end of the second port; -1: taken */
    struct gb_process qemu; /* none: not known yet, or ended */
    struct gb_watch *qemu_watch;
    struct gb_timer *timer; /* for boot, load, then the grace period */
    struct gb_guard_report report;

    /* NULL: closed and read to the end. */
    struct gb_stream *status, *errors, *agent, *console;
    struct qmp *qmp;
    struct gb_buf status_text, errors_tail, console_tail;
    struct gb_buf *input; /* of `agent`, while that exists */
    struct gb_deferred end;
    bool qmp_ready, exited, registered, killed;
    bool spoke; /* HELLO came, from this VM or before its state was saved */
    bool ran;   /* was RUNNING */

    char *reason; /* why we killed it; NULL: we did not */

    enum operation operation;
    gb_vm_done_fn *done;
    void *done_arg;
    int operation_fd;        /* the file of OP_SAVE and OP_LOAD */
    struct state_sink *sink; /* NULL: nothing has been saved */
    int64_t fdset;           /* QEMU's: holds the other end of `sink`; valid if that exists */
    struct state_feed *feed; /* of OP_LOAD */
    bool incoming, loaded;   /* of OP_LOAD: the command has been answered; the state has been
                              * loaded */
    struct gb_deferred begin;
    struct gb_err outcome;
};

/* vm.c: checks from the loop whether the VM has ended. */
void vm_check_later(struct gb_vm *vm);

/* operation.c: the monitor's events. */
extern const struct qmp_events operation_qmp_events;

/* operation.c: completes the operation in progress, if any, and notifies its owner. */
void operation_finish(struct gb_vm *vm, const struct gb_err *err);
