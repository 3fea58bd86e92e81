/* SPDX-License-Identifier: Apache-2.0 */
/* Builders: VMs that make layers. */
#pragma once

#include "server/packages/state.h"

/* The layer that a session waits for is there, open as @fd (borrowed), or (with @err) will never
 * be. */
typedef void build_ready_fn(struct hosted *hosted, const struct layer *layer, int fd,
                            const struct gb_err *err);

/* @hosted waits for the layer with that key, which is being made from now on: @ready follows,
 * unless build_leave() comes before. */
void build_join(struct hosted *hosted, const char *key, const char *index, build_ready_fn *ready);
void build_leave(struct hosted *hosted);

/* For sessions that are builders: their guest runs; their VM is gone; they have ended. */
void build_on_opened(struct hosted *builder);
void build_on_closed(struct hosted *builder, const struct gb_err *why);
void build_on_ended(struct hosted *builder);
