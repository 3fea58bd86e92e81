/* SPDX-License-Identifier: Apache-2.0 */
/* The manual page of the front end's keys and commands: glassbell-keys(7). */
#pragma once

#include "base/buf.h"
#include "command/command.h"

/* Writes all rows, context by context, as mdoc; folds long lines. */
void command_manual(const struct command_tables *tables, struct gb_buf *out);
