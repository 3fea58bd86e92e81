/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the guest's side of the network, and the conversation with it. */
#pragma once

#include "base/err.h"
#include "session/query.h"

struct hosted;

/* 0; or GB_EBUSY: there is no conversation, and none can begin now, because the VM is being
 * replaced, or the session is asleep. */
int start_check(struct hosted *hosted, struct gb_err *err);
/* Creates the conversation if there is none, with the policy in the state, and tells the guest. If
 * the guest refuses later, the session is closed. Call start_check() first. */
int start_network(struct hosted *hosted, enum gb_session_network how, struct gb_err *err);
/* Tells the guest only. */
int start_request(struct hosted *hosted, enum gb_session_network how, struct gb_err *err);
