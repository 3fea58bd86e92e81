/* SPDX-License-Identifier: Apache-2.0 */
/* The front end, as the verbs start it. */
#pragma once

#include "cli/app.h"

/* At the list of sessions, or (@session not NULL) at one of them, with which it ends. Returns the
 * status to exit with. */
int front_run(const struct args *args, const char *session);
/* Prints glassbell-keys(7). */
int front_print_manual(void);
