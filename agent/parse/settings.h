/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of CONFIGURE. */
#pragma once

#include "base/err.h"
#include "wire/guest.h"

/* Host name: 1 to 63 letters, digits, '-' and '.'; machine id: 32 hexadecimal digits; environment:
 * names of letters, digits and '_' that do not start with a digit, values without NUL. An empty
 * host name or id means no change. 0 or -GB_EINVALID. */
int settings_check(const struct gb_configure *configure, struct gb_err *err);

/* Only the environment, also used for that of a single cell. */
int settings_check_env(const struct gb_pairs *env, struct gb_err *err);
