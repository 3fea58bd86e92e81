/* SPDX-License-Identifier: Apache-2.0 */
/* What host, VMs and guests use, as an event once a second while somebody wants it. */
#pragma once

#include "server/watch/state.h"

void samples_init(struct gb_server *server);
void samples_release(struct gb_server *server);
void samples_run(struct gb_server *server, bool on);
