/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of what CONFIGURE brings. */
#pragma once

#include "base/err.h"
#include "wire/guest.h"

/* Host name: letters, digits, '-' and '.', 1 to 63 of them; machine id: 32 hexadecimal digits;
 * environment: names of letters, digits and '_', not beginning with a digit, no NUL in values.
 * Empty names are left as they are. 0 or -GB_EINVALID. */
int settings_check(const struct gb_configure *configure, struct gb_err *err);

/* The environment part, also for that of a single cell. */
int settings_check_env(const struct gb_pairs *env, struct gb_err *err);
