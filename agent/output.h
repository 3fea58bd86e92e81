/* SPDX-License-Identifier: Apache-2.0 */
/* The output of a cell: from its pipes into streams, under its caps, the windows of the streams and
 * the port's queue. A stream begins with the first byte and ends with the pipe. */
#pragma once

#include "cell.h"

/* Makes the pipe and watches it. 0 or -errno. */
int output_open(struct output *output, struct cell *cell, enum gb_output which);

/* Ends the stream for us; writers get SIGPIPE from then on. Harmless when it is closed. */
void output_close(struct output *output);

/* Reads when there is something and it may be sent, or waits for the leave to. */
void output_watch(struct output *output);

/* Reads what is there and may be sent, so that what follows is told behind it. */
void output_flush(struct output *output);

/* The worker is done: reads what the pipe holds now. When that is not possible at once (credit, the
 * port's queue), output_watch() lets it go on, and the end is told by cell_output_settled(). Closes
 * nothing: a cell that is over closes its pipes when nobody waits for it any more. */
void output_drain(struct output *output);

/* Of streams stdout and stderr (agent/stream.c), whose user is the output. */
void output_fill(void *arg, struct gb_mux_stream *stream);
void output_credited(void *arg, struct gb_mux_stream *stream);
/* Nobody wants it any more: what is still written is dropped. */
void output_refused(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* It is wanted again. */
void output_want(struct output *output);

/* In cell.c: a stream of a draining cell has delivered its foreground output. */
void cell_output_settled(struct cell *cell);
