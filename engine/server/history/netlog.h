/* SPDX-License-Identifier: Apache-2.0 */
/* session.network_log: the journal's records of a session's network. */
#pragma once

#include "server/core/part.h"

struct gb_journal;

/* @journal NULL: there is none. */
void netlog_handle(struct request *request, const struct gb_params *params,
                   struct gb_journal *journal);
