/* SPDX-License-Identifier: Apache-2.0 */
/* Which regular files below a folder have come, gone or changed.
 *
 * Theory of operation. Every folder of the tree has an inotify watch, so that nothing is looked at
 * while nothing happens: asking then costs one read(). News name a folder and an entry; each named
 * entry is looked at once, when somebody asks, and compared with what was known of it (inode, size,
 * time of change, and whether the news were of writing, which two writes within one tick of the
 * kernel's clock would otherwise hide). Contents are never read. A folder that has come is watched
 * first and read then, so that nothing slips through in between; one that is gone, or another one
 * now, takes its files with it. When the kernel dropped news, everything is looked at.
 *
 * Links are not followed, neither in the tree nor on the way to a file, and are no files
 * themselves. Who changes the tree at the same time causes more news for the next time, not more
 * work for this one: how much is remembered and looked at is bounded, and what does not fit is told
 * as a list that is not whole.
 *
 * Not noticed: writing through a memory mapping, and through another name of the same file that is
 * not below the folder. A change of mode or owner alone is none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct changes;

/* Begins with the folder @root_fd (borrows; must stay open), whose files all count as known. 0 or
 * -errno. */
int changes_new(int root_fd, struct changes **ret_changes);
void changes_free(struct changes *changes);

/* Adds what has happened since the last report to the encoded pairs @list (gb_changed_add(), sorted
 * by path) and counts it; at most GB_CHANGED_MAX. False: the list is not whole. */
bool changes_report(struct changes *changes, struct gb_buf *list, uint32_t *count);

/* The entry @name of the folder @folder_fd, and all that is below it, is as it should be: what has
 * happened to it up to now is not reported. */
void changes_accept(struct changes *changes, int folder_fd, const char *name);
