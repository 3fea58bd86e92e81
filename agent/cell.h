/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: one piece of code each, with its own pipes.
 *
 * A cell is prepared in advance (its pipes are open and watched), runs in a worker, drains, and
 * then is either over or lingers: a process that it started still holds a pipe, and what that
 * writes later is sent to the host as output of this cell, under the same limits.
 *
 *   WAITING   EXEC has arrived, the worker is not ready yet
 *   RUNNING   the worker has the code and the descriptors; the time-out runs
 *   DRAINING  the worker is done; what the pipes held then is still being read
 *   OVER      DONE has been queued
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "loop.h"
#include "base/limits.h"
#include "wire/guest.h"
#include "wire/mux.h"

struct agent;
struct cell;
struct control_message;
struct worker;

enum { LINGERING_MAX = 32 };

enum cell_state { CELL_WAITING, CELL_RUNNING, CELL_DRAINING, CELL_OVER };

/* stdout or stderr of a cell. */
struct output {
    struct source source; /* the read end; fd -1 after end of file */
    struct cell *cell;
    struct gb_mux_stream *stream; /* NULL: nothing has been sent yet, or nothing more will be */
    enum gb_output which;
    int write_fd;     /* the worker's end, until it has been passed to the worker */
    uint64_t allowed; /* bytes that may still be sent before the limit */
    uint64_t refused; /* `allowed` at the time when the host refused the stream */
    uint64_t dropped;
    uint32_t drained; /* bytes read since the worker was done */
    uint32_t owed;    /* bytes in the pipe at that moment */
    bool settled;     /* DRAINING: all foreground output has been read */
    bool ended;       /* no writer is left and the pipe is empty */
};

struct cell {
    struct gb_list link; /* in the list of lingering cells */
    struct agent *agent;
    enum cell_state state;
    uint32_t id, request;
    uint8_t mode;
    bool final;  /* its worker's process exits with it */
    bool ending; /* and its code has ended: the process's exit is the cell's result */
    struct worker *worker;
    struct gb_buf message; /* the encoded CELL, until it is sent */
    struct output out, err;
    bool waits; /* as last reported by WAITING */

    struct source stdin_source; /* our end of standard input; fd -1: /dev/null or ended */
    int stdin_read_fd;          /* the worker's end, until it has been passed to the worker */
    struct gb_buf stdin_data;
    size_t stdin_given;                 /* bytes at its front that came with EXEC */
    bool stdin_ends;                    /* end of file after stdin_data */
    struct gb_mux_stream *stdin_stream; /* further input; NULL: not opened, or ended */

    uint32_t timeout_ms;
    struct deadline timeout;
    struct deadline nudge; /* set after a SIGINT without visible effect; the interval before the
                            * next one is nudge_ns */
    uint64_t nudge_ns;
    bool timed_out, interrupted, killed;
    /* A SIGINT for the previous cell may still be pending. Until the worker reports that it has
     * discarded it, it would also discard one for this cell, so that one is owed. */
    bool unbegun, sigint_owed;
    uint64_t came_ns, started_ns, cpu_before, peak_before, oom_before;
    struct gb_done done;
    struct gb_buf value, note, changed; /* the members of done point into these */
};

/* A cell with watched pipes, for the next EXEC; NULL if descriptors or memory ran out. */
struct cell *cell_prepare(struct agent *agent);

/* Disposes of a cell after DONE: it lingers, or is closed and freed. */
void cell_retire(struct cell *cell);

/* Requests from the host. */
void cell_exec(struct agent *agent, const struct gb_frame *frame, const struct gb_exec *exec);
/* Ends a cell for which there is not even memory to start it. */
void cell_refuse(struct agent *agent, const struct gb_frame *frame, const char *note);
void cell_interrupt(struct agent *agent, const struct gb_frame *frame,
                    const struct gb_interrupt_request *request);

/* For stdin streams (agent/stream.c), which the host opens after the EXEC of an interactive
 * cell. */
int cell_stdin_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                      struct gb_err *err);
int cell_stdin_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                    struct gb_err *err);
int cell_stdin_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                    struct gb_err *err);
void cell_stdin_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* Events from the workers. */
void cell_worker_ready(struct agent *agent, struct worker *worker);
void cell_dispatched(struct agent *agent);
void cell_message(struct agent *agent, struct worker *worker,
                  const struct control_message *message);
void cell_worker_died(struct agent *agent, struct worker *worker, int status);
bool cell_runs_in(const struct agent *agent, const struct worker *worker);

/* Ends the cell that waits for @worker, which could not be started. */
void cell_worker_unavailable(struct agent *agent, const struct worker *worker);

/* The VM was restored to an earlier moment: the output that ended cells had sent went to another
 * host, and this one needs it again. */
void cell_live_again(struct agent *agent);

/* What the cell that runs showed was dropped. */
void cell_display_dropped(struct agent *agent, const struct worker *worker);

/* The port's queue has room again. */
void cell_resume_output(struct agent *agent);
