/* SPDX-License-Identifier: Apache-2.0 */
/* The programs that `run` and `exec` are given: read, checked against the options, and run. */
#pragma once

#include "execute/execute.h"

enum { PROGRAM_TIME_MAX_S = 86400 };

/* The sources are named by the options and by the words from @first_word on; @session_name NULL:
 * each gets a VM of its own. @config: what the verb has decided, the rest is filled in. Returns the
 * status to exit with. */
int program_run(const struct args *args, struct execute_config *config, size_t first_word,
                const char *session_name);
