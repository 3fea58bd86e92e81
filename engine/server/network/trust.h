/* SPDX-License-Identifier: Apache-2.0 */
/* The authorities that programs in a guest trust beside the public ones: the session's own, for the
 * hosts of its secrets, and, where a preset lets it reach this host's package index, those that
 * this host trusts (net/anchor.h). */
#pragma once

#include "rpc/methods.h"
#include "session/session.h"

struct gb_server;
struct hosted;

/* Tells programs that bring their own certificates along where the guest's are, unless the client
 * has said so. */
int trust_add_env(const struct gb_languages *languages, struct gb_env *env, struct gb_err *err);
/* For `session.open`: whether the host has authorities of its own, which such a session needs. */
bool trust_is_wanted(const struct gb_server *server, const struct gb_params *params);

/* Tells the guest, before any cell that waits. @authority: the session's own; may be empty. No-op
 * if there is nothing to tell. The session of a guest that refuses relapses (hosted_relapse()). */
int trust_tell(struct hosted *hosted, struct gb_bytes authority, struct gb_err *err);
