/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell repl: an interactive session at a prompt. */
#pragma once

#include "cli/args.h"

/* Returns the exit status. */
int repl_run(const struct args *args);
