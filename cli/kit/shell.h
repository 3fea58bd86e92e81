/* SPDX-License-Identifier: Apache-2.0 */
/* What shells complete by, made from the table of verbs. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/args.h"

/* Completion for the shell @name, which is bash, zsh or fish: verbs, options and their values;
 * sessions, images and languages by asking the program. False: there is none for that shell, and
 * nothing was added. Borrows @verbs, which end with NULL. */
bool shell_completion(struct gb_buf *out, const char *name, const struct verb *const *verbs);
