/* SPDX-License-Identifier: Apache-2.0 */
/* The root directory of a VM's process. */
#pragma once

#include "guard/launcher/options.h"

/* Call it in a new mount namespace. Builds a small read-only root with the libraries, the program
 * of @options and the files that it may see, and pivots into it. Returns 0, or -errno and the
 * failed path in *@ret_what. */
int root_enter(const struct guard_options *options, const char **ret_what);
