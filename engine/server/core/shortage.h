/* SPDX-License-Identifier: Apache-2.0 */
/* The error for a client whose session cannot get a VM: which resource is short, and which sessions
 * could be closed. */
#pragma once

#include "base/err.h"
#include "model/capacity.h"

struct gb_server;
struct hosted;
struct request;

/* Fails @request, whose session got no VM. */
void shortage_refuse(struct hosted *hosted, struct request *request, const struct gb_err *err);
/* Describes the available capacity. */
void shortage_describe(struct gb_admission_info *info, const struct gb_server *server);
