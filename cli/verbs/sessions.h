/* SPDX-License-Identifier: Apache-2.0 */
/* A call on each of the sessions named by the words. */
#pragma once

#include "cli/app.h"

/* Calls @method on each named session, after @first (may be NULL) on the same connection. Continues
 * after a failure, which was reported. Returns the exit status. */
int sessions_call(const struct args *args, bool (*first)(struct app *app), const char *method);
