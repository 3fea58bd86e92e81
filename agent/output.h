/* SPDX-License-Identifier: Apache-2.0 */
/* A cell's output: from its pipes into streams, subject to the cell's limits, the streams' windows
 * and the port's queue. A stream starts with the first byte and ends with the pipe. */
#pragma once

#include "cell.h"

/* Creates the pipe and watches it. 0 or -errno. */
int output_open(struct output *output, struct cell *cell, enum gb_output which);

/* Closes our end of the pipe; writers get SIGPIPE from then on. No-op if it is closed. */
void output_close(struct output *output);

/* Watches the pipe for input if something may be sent, else waits until it may. */
void output_watch(struct output *output);

/* Reads and sends what is available and allowed, so that what follows is reported after it. */
void output_flush(struct output *output);

/* The worker is done: reads what the pipe holds now. If that cannot be sent immediately (credit,
 * the port's queue), output_watch() resumes later, and cell_output_settled() is called at the end.
 * Closes nothing: a cell that has ended closes its pipes once it is no longer waited for. */
void output_drain(struct output *output);

/* For stdout and stderr streams (agent/stream.c), whose user is the output. */
void output_fill(void *arg, struct gb_mux_stream *stream);
void output_credited(void *arg, struct gb_mux_stream *stream);
/* The host does not need it any more: further output is dropped. */
void output_refused(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* The host needs it again. */
void output_want(struct output *output);

/* In cell.c: a draining cell's stream has delivered all foreground output. */
void cell_output_settled(struct cell *cell);
