/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by sleep and wake. */
#pragma once

#include "cli/app.h"

extern const struct option rest_options[];

/* Calls @method for the session that the word names. Returns the exit status. */
int rest_run(const struct args *args, const char *method);
