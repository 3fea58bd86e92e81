/* SPDX-License-Identifier: Apache-2.0 */
/* A cell's output on its way to the connection that sent the cell and to watchers; also output
 * after the cell's end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/cells/state.h"

/* ---- notifications to the connection that sent the cell ---- */
void output_send(struct connection *connection, const struct hosted *hosted, uint32_t cell,
                 enum gb_output stream, struct gb_bytes bytes, bool background);
/* An interactive cell has started; its program waits for standard input, or no longer does. */
void output_send_started(struct connection *connection, const struct hosted *hosted, uint32_t cell);
void output_send_waiting(struct connection *connection, const struct hosted *hosted, uint32_t cell,
                         bool on);

/* ---- events ---- */
void output_tell(const struct hosted *hosted, uint32_t cell, enum gb_output stream,
                 struct gb_bytes bytes, bool background);
/* For a new watcher: the output so far of running cells; of long output only the end. */
void output_replay(struct hosted *hosted, void *to);

/* Returns the whole characters of what @tail held back before plus @bytes; holds back the rest. May
 * use @joined. */
struct gb_bytes tail_join(struct tail *tail, struct gb_bytes bytes, struct gb_buf *joined);

/* ---- after the cell's end ---- */
void follower_add(struct connection *connection, struct hosted *hosted, uint32_t cell);
void follower_free(struct follower *follower);
/* Output of a cell that has ended: sent to its follower, else kept for the next reply. */
void background_output(struct hosted *hosted, uint32_t cell, enum gb_output stream,
                       struct gb_bytes bytes);
void background_release(struct hosted *hosted);
/* Writes `background`, unless it is empty, and clears it. */
void background_put(struct gb_json_out *out, struct hosted *hosted);
