/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications to one connection about its own requests; events are for watchers
 * (core/event.h). */
#pragma once

#include "base/buf.h"
#include "rpc/object.h"
#include "server/core/connection.h"
#include "server/core/hosted.h"

/* Sends the notification @method about a session. Its members are those of @info, a struct of
 * @object. */
void note_send(struct connection *connection, const char *method, const struct hosted *hosted,
               const struct gb_object *object, const void *info);
