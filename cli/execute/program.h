/* SPDX-License-Identifier: Apache-2.0 */
/* The programs given to `run` and `exec`: reads them, checks them against the options, and runs
 * them. */
#pragma once

#include "execute/execute.h"

enum { PROGRAM_TIME_MAX_S = 86400 };

/* The options and the words from @first_word on name the sources; @session_name NULL: each gets its
 * own VM. @config: what the verb has set; the rest is filled in. Returns the exit status. */
int program_run(const struct args *args, struct execute_config *config, size_t first_word,
                const char *session_name);
