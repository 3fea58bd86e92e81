/* SPDX-License-Identifier: Apache-2.0 */
/* Workers: the interpreter processes, their start, their end, and their two channels. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "loop.h"
#include "parse/control.h"

struct agent;

enum worker_state {
    WORKER_DOWN,     /* no process; worker_start() leaves it */
    WORKER_STARTING, /* a process that has not said READY; messages may be queued for it */
    WORKER_READY,    /* takes cells and queries */
    WORKER_LEAVING,  /* has closed its cell channel or was killed; its death is still to come */
};

struct channel {
    struct source source; /* fd -1 when closed */
    struct worker *worker;
    enum control_channel kind;
    struct gb_buf in, out;
    /* Descriptors that go with the byte at @fds_at of @out; the first is -1 when there are none.
     * Borrowed from the cell until they are sent. */
    int fds[3];
    size_t fds_at;
};

struct worker {
    struct agent *agent;
    const char *name; /* folder below WORKER_ROOT; static, or the boot's */
    enum worker_state state;
    pid_t pid;
    struct channel cell, query;
    struct deadline start; /* READY has to come until then; then SETTLED */
    uint64_t started_ns, ready_ns;
    uint32_t generation; /* how many came to be ready */
    uint32_t settings;   /* the agent's count at the time of the last SETTINGS or of the start */
    unsigned failures;   /* starts in a row that ended before READY */
    bool oom;            /* its end was the OOM killer's doing */
    bool interrupted;    /* a SIGINT was sent since the last CELL */
    char note[GB_ERR_MESSAGE_MAX]; /* why the agent killed it; empty otherwise */
};

void worker_init(struct worker *worker, struct agent *agent, const char *name);

/* Starts a process for a worker that is down. A start that fails, also later before READY, is
 * reported through service_start_failed(). */
void worker_start(struct worker *worker);

/* Queues messages; sent at once as far as the socket takes them. */
void worker_send(struct worker *worker, enum control_channel kind, enum control_type type,
                 const struct gb_fields *fields, const void *message);

/* The same for an encoded CELL and its descriptors, which stay the caller's and must stay open
 * until cell_dispatched(). */
void worker_send_cell(struct worker *worker, struct gb_bytes message, const int fds[3]);

/* Sends SETTINGS when the worker has not seen the newest. */
void worker_settle(struct worker *worker, struct gb_bytes entropy);

/* To its process group, less what earlier cells have left in it; harmless when it is down. */
void worker_signal(struct worker *worker, int signal);

/* SIGKILL to its process group and to itself, wherever it is. Its death is still to come, but waits
 * for nobody. */
void worker_kill(struct worker *worker);

/* Kills the group because of what the worker did or did not do; the sentence goes to the cell. */
void worker_condemn(struct worker *worker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A worker whose work is done: nothing that it says is listened to any more. */
void worker_leaves(struct worker *worker);

/* Ends a worker that leaves, when nothing else is to be done; its children may go on. */
void worker_dismiss(struct worker *worker);

/* Ends a worker that leaves as soon as the kernel can: somebody waits for the next one. */
void worker_hurry(struct worker *worker);

/* Reads its cell channel again when the port's queue allows that. */
void worker_resume(struct worker *worker);

/* The process has ended with this wait status: closes the channels; the worker is down. What was
 * still in the cell channel has been served before. */
void worker_reaped(struct worker *worker, int status);
