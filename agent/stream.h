/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of the port: which file of the agent is the user of each kind, and their turns. */
#pragma once

#include "wire/mux.h"

struct agent;

void stream_init(struct agent *agent);
/* Lets those who have something to send take turns, until the port's queue is full. */
void stream_turns(struct agent *agent);
/* Whether more could be sent at once: nothing but the end of the round is waited for. */
bool stream_goes_on(struct agent *agent);
/* A frame of a stream. */
void stream_frame(struct agent *agent, const struct gb_frame *frame);
