/* SPDX-License-Identifier: Apache-2.0 */
/* What a client may ask of the server: which images, how much memory, how many sessions and cells;
 * and opening a session by its parameters. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "rpc/methods.h"
#include "server/core/connection.h"
#include "server/core/hosted.h"

/* Opens a session as `session.open` or, with @run, as `run` says. */
int open_session(struct connection *connection, const struct gb_params *params, bool run,
                 struct hosted **ret_hosted, struct gb_err *err);
/* By name or alias, or python; NULL with what to do about it. */
struct gb_image *open_image(const struct gb_server *server, struct gb_bytes name,
                            struct gb_err *err);
int open_check_memory(int64_t memory_mb, struct gb_err *err);
/* Adds the members of @object (NULL: none). */
int open_env(const struct gb_server *server, const struct gb_json *object, struct gb_env *env,
             struct gb_err *err);
/* Whether this client may have one more cell under way, those that wait for a lease included. */
int open_check_cells(const struct connection *connection, struct gb_err *err);
