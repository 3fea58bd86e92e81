/* SPDX-License-Identifier: Apache-2.0 */
/* What a client may request from the server: which images, how much memory, how many sessions and
 * cells; and opening a session from request parameters. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "rpc/methods.h"
#include "server/core/connection.h"
#include "server/core/hosted.h"

/* Opens a session from the parameters of `session.open` or, with @run, of `run`. */
int open_session(struct connection *connection, const struct gb_params *params, bool run,
                 struct hosted **ret_hosted, struct gb_err *err);
/* The same for a part, on behalf of @client (NULL: unnamed), whose quota it does not count for. */
int open_for_part(struct gb_server *server, const char *client, const struct gb_params *params,
                  struct hosted **ret_hosted, struct gb_err *err);
/* Makes a session that is to continue from a moment of @parent's past, like it in everything but
 * key, lease and, if @label is given, label; it counts as one that this client opens. It is not in
 * the registry yet: hosted_begin_made(). */
int open_fork(struct connection *connection, const struct hosted *parent, const char *label,
              const struct origin *origin, struct hosted **ret_hosted, struct gb_err *err);
/* By name or alias, default python; NULL with a message that says what to do. */
struct gb_image *open_image(const struct gb_server *server, struct gb_bytes name,
                            struct gb_err *err);
int open_check_memory(int64_t memory_mb, struct gb_err *err);
/* Adds the members of @object (NULL: nothing). */
int open_env(const struct gb_server *server, const struct gb_json *object, struct gb_env *env,
             struct gb_err *err);
/* Whether this client may have one more cell in progress, counting those that wait for a lease. */
int open_check_cells(const struct connection *connection, struct gb_err *err);
