/* SPDX-License-Identifier: Apache-2.0 */
/* What the launcher tells the server on GUARD_FD_STATUS, a line each: see guard/guard.h. */
#pragma once

#include "guard/launcher/options.h"
#include "guard/stages.h"

enum { EXIT_LAUNCHER = 125 };

/* Writes one line, small enough to be atomic. */
void status_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Tells an error, -errno, and exits. */
__attribute__((noreturn)) void status_give_up(const char *what, int r);
/* Tells the outcome of @stage, 0 or -errno, with details in @what, which may be "". Exits if it
 * failed and is required. */
void status_stage(const struct guard_options *options, enum gb_guard_stage stage, int r,
                  const char *what);
