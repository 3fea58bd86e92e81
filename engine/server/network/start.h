/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the guest's side of the network, and the conversation with it. */
#pragma once

#include "base/err.h"
#include "wire/guest.h"

struct hosted;

/* 0; or GB_EBUSY: there is no conversation, and none can begin now, since the VM is being left for
 * another one, or the session is asleep. */
int start_check(struct hosted *hosted, struct gb_err *err);
/* Creates the conversation if there is none, with the policy in the state, and sends @type:
 * NETWORK_ON, or NETWORK_START, which gives programs no way out. If the guest refuses later, the
 * session is closed. Call start_check() first. */
int start_network(struct hosted *hosted, enum gb_guest_type type, struct gb_err *err);
/* Sends a request about the network that has no parameters. */
int start_request(struct hosted *hosted, enum gb_guest_type type, struct gb_err *err);
