/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches a session's interpreter beside cells: standard input, interrupts, completion. */
#pragma once

#include "server/core/part.h"

handler_fn query_stdin, query_interrupt, query_complete, query_is_complete;
