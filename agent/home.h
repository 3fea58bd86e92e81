/* SPDX-License-Identifier: Apache-2.0 */
/* Below the user's home as the user: resolving paths, and what the kernel's refusals mean. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "parse/path.h"

/* Makes the calls that follow with the user's rights, or the agent's again. */
void home_as_user(bool on);

/* Opens @path beneath @home_fd with openat2(). A descriptor or -errno. */
int home_open(int home_fd, const char *path, int flags, mode_t mode);

/* As home_open(O_PATH | O_DIRECTORY), making folders that are missing. */
int home_open_parents(int home_fd, const char *path);

/* Removes the entry @name of the folder and, if it is a folder, all that is in it. No recursion:
 * folders are moved up until they are empty, so depth costs nothing. 0 or -errno; -EBUSY when it
 * fills up again as quickly as it is emptied. */
int home_remove_tree(int folder_fd, const char *name);

/* Fills @err from an errno of the calls above: escapes and missing rights are policy, no room is
 * too_large. Returns the negative code. */
int home_error(struct gb_err *err, int sys_errno, const char *what);
