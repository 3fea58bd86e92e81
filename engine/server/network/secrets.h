/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of a session: which it may use, the placeholders in its environment, and the process that
 * puts the values in (edge.h). */
#pragma once

#include "net/net.h"
#include "rpc/methods.h"
#include "session/session.h"

struct gb_server;
struct hosted;
struct network_secrets;
struct request;

/* The secrets of `session.open`: whether the settings have them, and one session can have all. */
int secrets_check(struct gb_server *server, const struct gb_params *params, bool has_network,
                  struct gb_err *err);
/* Adds the placeholders, and where programs find certificates, to the session's environment.
 * @inspected: its network has rules with `inspect`. */
int secrets_add_env(struct gb_server *server, const struct gb_params *params, bool inspected,
                    struct gb_env *env, struct gb_err *err);
/* Stores them with the session, whose environment has them, and the hosts that its network says to
 * inspect. */
void secrets_take(struct hosted *hosted, const struct gb_params *params);
/* For another server: appends their names, each followed by a space; there: checks, stores them. */
void secrets_save(struct hosted *hosted, struct gb_buf *names);
int secrets_check_saved(struct gb_server *server, struct gb_bytes names, struct gb_err *err);
void secrets_load(struct hosted *hosted, struct gb_bytes names);
/* Gives a session the secrets of @origin, whose placeholders it has in its environment. */
void secrets_fork(struct hosted *hosted, struct hosted *origin);
/* GB_EINVALID if @policy says to inspect other hosts than the session was opened with. */
int secrets_check_policy(struct hosted *hosted, const struct gb_policy *policy, struct gb_err *err);
/* Their names, separated by spaces. */
void secrets_put_names(struct hosted *hosted, struct gb_buf *names);
/* Starts what puts them in, and inspects; no-op if there is nothing to do, or it is asleep. */
void secrets_start(struct hosted *hosted);
/* The session is open: tells its guest which authority to trust, before any cell. */
void secrets_on_open(struct hosted *hosted);
/* The session's own authority, as PEM; empty: none, or not yet. */
struct gb_bytes secrets_authority(struct hosted *hosted);
/* It has another VM. On failure that cannot be used. */
int secrets_on_moved(struct hosted *hosted, struct gb_err *err);
/* It has none: what is not ready is begun anew with the next one. */
void secrets_on_asleep(struct hosted *hosted);
/* For gb_net_events.diverted; @arg is the struct hosted. */
int secrets_divert(void *arg, const struct gb_net_news *news, int socket);
void secrets_release(struct hosted *hosted);

/* secret.list */
void secrets_handle_list(struct request *request, const struct gb_params *params);
