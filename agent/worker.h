/* SPDX-License-Identifier: Apache-2.0 */
/* Workers: the interpreter processes, how they start and end, and their two channels. */
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
    WORKER_DOWN,     /* no process; left by worker_start() */
    WORKER_STARTING, /* the process has not sent READY; messages may be queued for it */
    WORKER_READY,    /* accepts cells and queries */
    WORKER_LEAVING,  /* has closed its cell channel or was killed, but has not been reaped */
};

struct channel {
    struct source source; /* fd -1 when closed */
    struct worker *worker;
    enum control_channel kind;
    struct gb_buf in, out;
    size_t dropping; /* bytes still to come of a display for which there is no memory */
    /* Descriptors to send with the byte at @fds_at of @out; the first is -1 if there are none.
     * Borrowed from the cell until they are sent. */
    int fds[3];
    size_t fds_at;
};

struct worker {
    struct agent *agent;
    const char *name; /* folder below WORKER_ROOT; static, or in struct boot */
    enum worker_state state;
    pid_t pid;
    struct channel cell, query;
    struct deadline start; /* deadline for READY, then for SETTLED */
    uint64_t started_ns, ready_ns;
    uint32_t generation;           /* how many processes have become ready */
    uint32_t settings;             /* the agent's counter at the last SETTINGS, or at the start */
    unsigned failures;             /* consecutive starts that failed before READY */
    bool oom;                      /* the OOM killer ended it */
    bool interrupted;              /* a SIGINT was sent since the last CELL */
    char note[GB_ERR_MESSAGE_MAX]; /* why the agent killed it; else empty */
};

void worker_init(struct worker *worker, struct agent *agent, const char *name);

/* Starts a process for a worker that is DOWN. A failure, even a later one before READY, is reported
 * through service_start_failed(). */
void worker_start(struct worker *worker);

/* Queues messages and sends immediately as much as the socket accepts. */
void worker_send(struct worker *worker, enum control_channel kind, enum control_type type,
                 const struct gb_fields *fields, const void *message);

/* The same for an encoded CELL and its descriptors, which the caller owns and keeps open until
 * cell_dispatched(). */
void worker_send_cell(struct worker *worker, struct gb_bytes message, const int fds[3]);

/* Sends SETTINGS if the worker does not have the newest. */
void worker_settle(struct worker *worker, struct gb_bytes entropy);

/* Signals its process group, except processes left over from earlier cells; no-op if it is down. */
void worker_signal(struct worker *worker, int signal);

/* SIGKILL to its process group and to the process itself, in whatever group it is. It is reaped
 * later; nothing waits for that. */
void worker_kill(struct worker *worker);

/* Kills the group because of the worker's misbehaviour; the message becomes the cell's note. */
void worker_condemn(struct worker *worker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The worker is finished: ignore everything that it sends from now on. */
void worker_leaves(struct worker *worker);

/* Ends a leaving worker; called when the agent has nothing else to do. Its children continue. */
void worker_dismiss(struct worker *worker);

/* Ends a leaving worker as fast as the kernel can: a caller waits for the next one. */
void worker_hurry(struct worker *worker);

/* Reads its cell channel again, now that the port's queue has room. */
void worker_resume(struct worker *worker);

/* The process has ended with this wait status: closes the channels; the worker is DOWN. The rest of
 * the cell channel has been handled before. */
void worker_reaped(struct worker *worker, int status);
