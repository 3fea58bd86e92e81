/* SPDX-License-Identifier: Apache-2.0 */
/* What a cell may say about a program that is a file, and about its arguments. */
#pragma once

#include "base/err.h"
#include "session/session.h"

/* Whether the file, the arguments and the code of @config go together. A pure function.
 * -GB_EINVALID, -GB_ETOOLARGE; -GB_EPOLICY for a path that leads out of the home (what symbolic
 * links do to it is the guest's to judge). */
int program_check(const struct gb_cell_config *config, struct gb_err *err);
