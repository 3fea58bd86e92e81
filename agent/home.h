/* SPDX-License-Identifier: Apache-2.0 */
/* File access below the user's home with the user's rights: path resolution and error mapping. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "parse/path.h"

/* Switches the file system identity to the user, or back to the agent. */
void home_as_user(bool on);

/* Opens @path beneath @home_fd with openat2(). A descriptor or -errno. */
int home_open(int home_fd, const char *path, int flags, mode_t mode);

/* Like home_open(O_PATH | O_DIRECTORY), creating missing folders. */
int home_open_parents(int home_fd, const char *path);

/* Removes the entry @name of the folder and, if it is a folder, everything in it. Not recursive:
 * subfolders are moved up until they are empty, so depth costs nothing. 0 or -errno; -EBUSY if it
 * is refilled as fast as it is emptied. */
int home_remove_tree(int folder_fd, const char *name);

/* Fills @err from an errno of the calls above: escapes and missing permissions become policy, lack
 * of space too_large. Returns the negative code. */
int home_error(struct gb_err *err, int sys_errno, const char *what);
