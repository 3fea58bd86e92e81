/* SPDX-License-Identifier: Apache-2.0 */
/* What sessions used in the last minutes, for whoever begins to watch.
 *
 * Theory of operation. The ring of each session has one entry a round. A round notes what is known
 * then, and has it all read anew (core/sample.h), every FIGURES_MS while there are sessions. Rounds
 * have numbers and a time each, so that an entry which a round has left out is seen to be an old
 * one.
 */
#pragma once

#include "server/watch/state.h"

void figures_init(struct gb_server *server);
void figures_release(struct gb_server *server);
/* There is a session: rounds are made from now on. */
void figures_begin(struct hosted *hosted);
/* Tells the new watcher @to of the rounds before, fewer where there are many sessions. */
void figures_replay(struct gb_server *server, void *to);
