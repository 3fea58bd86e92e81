/* SPDX-License-Identifier: Apache-2.0 */
/* Resource usage of sessions in the last few minutes, for new watchers.
 *
 * Theory of operation. Each session has a ring with one entry per round. Every FIGURES_MS while
 * there are sessions, a round stores the current values and starts sampling new ones
 * (core/sample.h). Rounds are numbered and have a time, so that an entry which a round skipped is
 * recognised as old.
 */
#pragma once

#include "server/watch/state.h"

void figures_init(struct gb_server *server);
void figures_release(struct gb_server *server);
/* There is a session: start making rounds. */
void figures_begin(struct hosted *hosted);
/* Sends the past rounds to the new watcher @to, fewer if there are many sessions. */
void figures_replay(struct gb_server *server, void *to);
