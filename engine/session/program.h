/* SPDX-License-Identifier: Apache-2.0 */
/* What a cell may specify about a program in a file, and about its arguments. */
#pragma once

#include "base/err.h"
#include "session/session.h"

/* Whether the file, the arguments and the code of @config are consistent. Pure. -GB_EINVALID,
 * -GB_ETOOLARGE; -GB_EPOLICY for a path that leads out of the home (the guest checks symbolic
 * links). */
int program_check(const struct gb_cell_config *config, struct gb_err *err);
