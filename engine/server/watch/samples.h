/* SPDX-License-Identifier: Apache-2.0 */
/* Resource usage of host, VMs and guests, as one event per second while anybody wants it. */
#pragma once

#include "server/watch/state.h"

void samples_init(struct gb_server *server);
void samples_release(struct gb_server *server);
void samples_run(struct gb_server *server, bool on);
