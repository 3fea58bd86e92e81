/* SPDX-License-Identifier: Apache-2.0 */
/* The front end, as started by the verbs. */
#pragma once

#include "cli/app.h"

/* Starts with the list of sessions, or (@session not NULL) with that session, and then ends with
 * it. Returns the exit status. */
int front_run(const struct args *args, const char *session);
/* Prints glassbell-keys(7). */
int front_print_manual(void);
