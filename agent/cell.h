/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: one piece of code each, with pipes of its own.
 *
 * A cell is made ahead of time (pipes, watched), runs in a worker, drains, and then either is over
 * or lingers: somebody that it started still holds a pipe, and what they write later goes to the
 * host as output of this cell, under the same caps.
 *
 *   WAITING   EXEC has come, the worker is not ready yet
 *   RUNNING   the worker has the code and the descriptors; the time-out counts
 *   DRAINING  the worker is done; what the pipes held at that time is still on its way
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
    struct source source; /* the read end; fd -1 at the end of the stream */
    struct cell *cell;
    struct gb_mux_stream *stream; /* NULL: nothing has been sent yet, or nothing will be any more */
    enum gb_output which;
    int write_fd;     /* the worker's end, until it has been sent */
    uint64_t allowed; /* bytes that may still be sent under the cap */
    uint64_t refused; /* likewise, when the host did not want them any more */
    uint64_t dropped;
    uint32_t drained; /* bytes read since the worker was done */
    bool settled;     /* DRAINING: all foreground output has been read */
    bool ended;       /* no writer is left and nothing to read */
};

struct cell {
    struct gb_list link; /* in the lingering list */
    struct agent *agent;
    enum cell_state state;
    uint32_t id, request;
    uint8_t mode;
    bool final;  /* its worker's process ends with it */
    bool ending; /* and its code has: what the process comes to is the cell's end */
    struct worker *worker;
    struct gb_buf message; /* the encoded CELL, until it is sent */
    struct output out, err;
    bool waits; /* as WAITING said last */

    struct source stdin_source; /* our end of standard input; fd -1: /dev/null or ended */
    int stdin_read_fd;          /* the worker's end, until it has been sent */
    struct gb_buf stdin_data;
    size_t stdin_given;                 /* of it, what came with EXEC: the front */
    bool stdin_ends;                    /* end of file behind stdin_data */
    struct gb_mux_stream *stdin_stream; /* more of it; NULL: not opened, or over */

    uint32_t timeout_ms;
    struct deadline timeout;
    struct deadline nudge; /* after a SIGINT that shows no effect; the next one after nudge_ns */
    uint64_t nudge_ns;
    bool timed_out, interrupted, killed;
    /* A SIGINT may be left over from the cell before. Until the worker has said that it has
     * forgotten it, one for this cell would be forgotten with it: it is owed. */
    bool unbegun, sigint_owed;
    uint64_t came_ns, started_ns, cpu_before, peak_before, oom_before;
    struct gb_done done;
    struct gb_buf value, note, changed; /* behind those of done */
};

/* A cell with pipes that are watched, for the next EXEC; NULL when there are no descriptors or no
 * memory left. */
struct cell *cell_prepare(struct agent *agent);

/* What remains of a cell after DONE: joins the lingering ones, or is closed and freed. */
void cell_retire(struct cell *cell);

/* Requests of the host. */
void cell_exec(struct agent *agent, const struct gb_frame *frame, const struct gb_exec *exec);
void cell_interrupt(struct agent *agent, const struct gb_frame *frame,
                    const struct gb_interrupt_request *request);

/* Of streams stdin (agent/stream.c), which the host opens behind the EXEC of an interactive cell.
 */
int cell_stdin_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                      struct gb_err *err);
int cell_stdin_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                    struct gb_err *err);
int cell_stdin_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                    struct gb_err *err);
void cell_stdin_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* News of the workers. */
void cell_worker_ready(struct agent *agent, struct worker *worker);
void cell_dispatched(struct agent *agent);
void cell_message(struct agent *agent, struct worker *worker,
                  const struct control_message *message);
void cell_worker_died(struct agent *agent, struct worker *worker, int status);
bool cell_runs_in(const struct agent *agent, const struct worker *worker);

/* Ends the cell that waits for @worker, which cannot be started. */
void cell_worker_unavailable(struct agent *agent, const struct worker *worker);

/* A moment is lived once more: what was sent of ended cells is another host's, and what they print
 * now is wanted. */
void cell_live_again(struct agent *agent);

/* The port's queue has room again. */
void cell_resume_output(struct agent *agent);
