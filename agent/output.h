/* SPDX-License-Identifier: Apache-2.0 */
/* The output of a cell: from its pipes to the port, under cap, credit and the port's queue. */
#pragma once

#include "cell.h"

/* Makes the pipe and watches it. 0 or -errno. */
int stream_open(struct stream *stream, struct cell *cell, enum gb_output which);

/* Ends the stream for us; writers get SIGPIPE from then on. Harmless when it is closed. */
void stream_close(struct stream *stream);

/* Reads when there is something and it may be sent, or waits for the leave to. */
void stream_watch(struct stream *stream);

/* Reads what is there and may be sent, so that what follows is told behind it. */
void stream_flush(struct stream *stream);

/* The worker is done: reads what the pipe holds now. When that is not possible at once (credit, the
 * port's queue), stream_watch() lets it go on, and the end is told by cell_stream_settled(). Closes
 * nothing: a cell that is over closes its pipes when nobody waits for it any more. */
void stream_drain(struct stream *stream);

/* In cell.c: a stream of a draining cell has delivered its foreground output. */
void cell_stream_settled(struct cell *cell);
