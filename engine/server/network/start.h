/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the guest's side of the network, and the conversation with it, in each VM that the session
 * has. */
#pragma once

#include "base/err.h"
#include "net/policy.h"

struct hosted;

/* Gives the session a network that allows nothing to anybody yet: `net` of its state, with the
 * content of @policy, which is moved. */
void start_make(struct hosted *hosted, struct gb_policy *policy);
/* Begins a conversation with the session's guest, which is told to turn the network on or, if it is
 * not, to start what ports need. If the guest refuses later, the session relapses
 * (hosted_relapse()). The session must have a VM. While it is about to get another one, nothing
 * happens: start_moved() or start_stayed() follows, and does it. */
int start_join(struct hosted *hosted, struct gb_err *err);
/* There is a conversation, and the network was turned on or off: tells the guest. */
int start_turn(struct hosted *hosted, struct gb_err *err);
/* The session has another VM, or none: all connections are broken, and the next conversation
 * begins. On failure it is as before. */
int start_moved(struct hosted *hosted, struct gb_err *err);
/* It was to get another VM, and has not: begins a conversation if there is none. */
void start_stayed(struct hosted *hosted);
/* What provides the network in the guest has ended by itself: the same, but not too often. */
void start_lost(struct hosted *hosted);
void start_release(struct hosted *hosted);
