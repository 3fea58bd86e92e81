/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell repl: a session at a prompt. */
#pragma once

#include "cli/args.h"

/* Returns the status to exit with. */
int repl_run(const struct args *args);
