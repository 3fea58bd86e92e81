/* SPDX-License-Identifier: Apache-2.0 */
/* The Seatbelt profile of QEMU: what it may do, as a program in Apple's language for that; and its
 * arguments, which have to name files as the profile does. */
#pragma once

#include <stdbool.h>

#include "guard/launcher/options.h"

/* Replaces the program and the files in @options by their real paths, which is what rules are
 * compared with. -errno, with the path in *@ret_what. */
int profile_resolve(struct guard_options *options, const char **ret_what);

/* Replaces each %{NAME} in the program's arguments by the file's path, as QEMU reads it there. A
 * file that is only to be read, and that QEMU would open for writing as well, gets the options for
 * that (QEMU 8.2). False if a name is unknown or memory runs out. */
bool profile_place_files(struct guard_options *options);

/* For QEMU: its program, libraries and firmware, the files of @options, and nothing else; NULL:
 * memory runs out. Gives. */
char *profile_for_program(const struct guard_options *options);
