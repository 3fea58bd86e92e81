/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is told when there is no capacity for its session: what is missing, and which
 * sessions could be closed. */
#pragma once

#include "base/err.h"
#include "model/capacity.h"

struct gb_server;
struct hosted;
struct request;

/* Answers @request, whose session got no VM. */
void shortage_refuse(struct hosted *hosted, struct request *request, const struct gb_err *err);
/* What is told of the room that there is. */
void shortage_describe(struct gb_admission_info *info, const struct gb_server *server);
