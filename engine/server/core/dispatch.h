/* SPDX-License-Identifier: Apache-2.0 */
/* From a line to the handler of its method. */
#pragma once

#include "server/core/connection.h"
#include "server/core/part.h"

extern const struct connection_handlers dispatch_handlers;

/* Registers these methods with the server. */
void dispatch_add(struct gb_server *server, const struct method_handler *handlers);
