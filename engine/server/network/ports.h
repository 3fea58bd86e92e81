/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of a guest that are open to programs of this host: `session.port_open` and the like. */
#pragma once

#include <stdint.h>

#include "model/member.h"
#include "rpc/methods.h"

struct hosted;
struct request;

void ports_handle_open(struct request *request, const struct gb_params *params);
void ports_handle_close(struct request *request, const struct gb_params *params);
/* The session's, as a list. Borrows. */
struct gb_items ports_list(struct hosted *hosted);

/* The guest has reported the ports on which programs listen; passed on to watchers, at most ten
 * times a second. */
void ports_on_listening(struct hosted *hosted, const uint16_t *ports, unsigned count);
/* What it has said last, as a list. Borrows. */
struct gb_items ports_listening(struct hosted *hosted);
void ports_release(struct hosted *hosted);
