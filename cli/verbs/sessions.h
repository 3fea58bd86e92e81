/* SPDX-License-Identifier: Apache-2.0 */
/* A call on each of the sessions that the words name. */
#pragma once

#include "cli/app.h"

/* Calls @method on each session that is named; @first (may be NULL) before that, on the same
 * connection. Goes on after a failure, which was told. Returns the status to exit with. */
int sessions_call(const struct args *args, bool (*first)(struct app *app), const char *method);
