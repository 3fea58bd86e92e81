/* SPDX-License-Identifier: Apache-2.0 */
/* The server's own log as events. */
#pragma once

#include "server/watch/state.h"

void log_init(struct gb_server *server);
void log_release(struct gb_server *server);
/* Starts or stops listening to the log. */
void log_watch(struct gb_server *server, bool on);
