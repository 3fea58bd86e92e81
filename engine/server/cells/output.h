/* SPDX-License-Identifier: Apache-2.0 */
/* What cells print, on its way to the connection that sent the cell and to those who watch; and
 * what a cell prints after its end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/cells/state.h"

/* ---- notifications to the connection that sent the cell ---- */
void output_send(struct connection *connection, const struct hosted *hosted, uint32_t cell,
                 enum gb_output stream, struct gb_bytes bytes, bool background);
/* An interactive cell begins; its program waits for standard input, or no longer does. */
void output_send_started(struct connection *connection, const struct hosted *hosted, uint32_t cell);
void output_send_waiting(struct connection *connection, const struct hosted *hosted, uint32_t cell,
                         bool on);

/* ---- events ---- */
void output_tell(const struct hosted *hosted, uint32_t cell, enum gb_output stream,
                 struct gb_bytes bytes, bool background);
/* For a new watcher: what the cells that run have printed so far, the end of it where it is much.
 */
void output_replay(struct hosted *hosted, void *to);

/* The part of @bytes that makes whole characters, with what @tail held back before; the rest is
 * held back. May use @joined. */
struct gb_bytes tail_join(struct tail *tail, struct gb_bytes bytes, struct gb_buf *joined);

/* ---- after the cell's end ---- */
void follower_add(struct connection *connection, struct hosted *hosted, uint32_t cell);
void follower_free(struct follower *follower);
/* Output of a cell that has ended: to its follower, else kept for the next reply. */
void background_output(struct hosted *hosted, uint32_t cell, enum gb_output stream,
                       struct gb_bytes bytes);
void background_release(struct hosted *hosted);
/* `background`, unless there is nothing; it has then been told. */
void background_put(struct gb_json_out *out, struct hosted *hosted);
