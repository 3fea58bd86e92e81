/* SPDX-License-Identifier: Apache-2.0 */
/* `session.annotate`: bookmarks and notes that people give to cells. */
#pragma once

#include "rpc/methods.h"

struct gb_journal;
struct gb_server;
struct request;

extern const char *const annotate_event_kinds[];

/* @journal NULL: there is none. */
void annotate_handle(struct request *request, const struct gb_params *params,
                     struct gb_journal *journal);
