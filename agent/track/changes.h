/* SPDX-License-Identifier: Apache-2.0 */
/* Tracks which regular files below a folder were created, removed or changed.
 *
 * Theory of operation. Every folder of the tree has an inotify watch, so that an idle tree costs
 * nothing: a query is then one read(). Events name a folder and an entry; a query examines each
 * named entry once and compares it with its last known state (inode, size, ctime, and whether an
 * event reported a write, which matters when two writes fall into one tick of the kernel's clock).
 * Contents are never read. A new folder is watched first and then read, so that nothing is missed
 * in between; one that is removed or replaced takes its files with it. If the kernel dropped
 * events, everything is examined.
 *
 * Links are not followed, neither in the tree nor on the way to a file, and do not count as files.
 * Concurrent changes to the tree cause events for the next query, not more work for this one: how
 * much is remembered and examined is bounded, and if that is exceeded the list is reported as
 * incomplete.
 *
 * Not detected: writes through a memory mapping, and through a hard link outside the folder. A
 * change of only mode or owner does not count.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct changes;

/* Starts with the folder @root_fd (borrowed; must stay open), whose present files all count as
 * known. 0 or -errno. */
int changes_new(int root_fd, struct changes **ret_changes);
void changes_free(struct changes *changes);

/* Appends the changes since the last report to the encoded pairs @list (gb_changed_add(), sorted by
 * path) and counts them; at most GB_CHANGED_MAX. False: the list is incomplete. */
bool changes_report(struct changes *changes, struct gb_buf *list, uint32_t *count);

/* Marks the entry @name of the folder @folder_fd, and everything below it, as known: its changes so
 * far are not reported. */
void changes_accept(struct changes *changes, int folder_fd, const char *name);
