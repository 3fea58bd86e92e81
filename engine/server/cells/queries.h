/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a session's interpreter other than cells: standard input, interrupts, completion. */
#pragma once

#include "server/core/part.h"

handler_fn query_stdin, query_interrupt, query_complete, query_is_complete, query_describe;
