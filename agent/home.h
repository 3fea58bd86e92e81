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

/* The removal of a folder with everything in it, in steps that take some milliseconds. Not
 * recursive: subfolders are moved up until they are empty, so depth costs nothing. */
struct removal {
    int folder_fd;         /* borrowed: the folder that it is in */
    const char *name;      /* borrowed: its name there */
    int fd;                /* the folder itself; -1: @name is not a folder, or it is over */
    unsigned steps, moved; /* operations and moves so far */
    unsigned allowed;      /* operations that are left in this step */
};

/* Removes the entry @name of the folder; the rest of a folder that is not empty is left to
 * home_removal_step(). 0: it is gone; 1: there is more; -errno: nothing was removed. */
int home_removal_begin(struct removal *removal, int folder_fd, const char *name);
/* 1: there is more; otherwise it has finished: 0, or -errno, and what is left stays. -EBUSY: it is
 * refilled as fast as it is emptied. */
int home_removal_step(struct removal *removal);
/* Of one that is not over. */
void home_removal_abandon(struct removal *removal);

/* Fills @err from an errno of the calls above: escapes and missing permissions become policy, lack
 * of space too_large. Returns the negative code. */
int home_error(struct gb_err *err, int sys_errno, const char *what);
