/* SPDX-License-Identifier: Apache-2.0 */
/* The root directory of a VM's process. */
#pragma once

#include "guard/launcher/options.h"

/* In a mount namespace of its own: makes a small read-only root of the libraries, @options' program
 * and the files that it may see, and moves into it. Returns 0 or -errno, and in *@ret_what the path
 * that failed. */
int root_enter(const struct guard_options *options, const char **ret_what);
