/* SPDX-License-Identifier: Apache-2.0 */
/* Shell completion, generated from the table of verbs. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/args.h"

/* Writes the completion script for the shell @name (bash, zsh or fish): verbs, options and their
 * values; sessions, images and languages are queried from the program. False: unknown shell,
 * nothing was written. Borrows @verbs, which is NULL-terminated. */
bool shell_completion(struct gb_buf *out, const char *name, const struct verb *const *verbs);
