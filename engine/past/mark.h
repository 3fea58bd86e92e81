/* SPDX-License-Identifier: Apache-2.0 */
/* The files next to a chain with which a past outlives its process: `.note` (`.waking` while
 * the session is woken), `.ram`, `.state`.
 *
 * All functions block on the disk. They access nothing but their arguments. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "snapshot/store.h"

enum { GB_PAST_NOTE_MAX = 1 << 20 };

/* Writes the mark of the chain at @path, and waits until it is on disk; on failure there is none.
 * GB_EUNSUPPORTED: the files of the snapshot cannot be linked there. */
int past_mark_write(const char *path, const struct gb_snapshot_files *files, struct gb_bytes note,
                    struct gb_err *err);
/* Renames the note, and waits until that is on disk: the mark is gone. On failure it remains. */
int past_mark_set_aside(const char *path, struct gb_err *err);
/* Ends that: the mark exists again, unless this returns false; or its note is removed. */
bool past_mark_put_back(const char *path);
void past_mark_forget(const char *path);

/* Reads a mark that another process has left: adds the note to @note, and opens the snapshot's
 * files. GB_EINVALID: they are not files that only this user can change. */
int gb_past_read_mark(const char *path, struct gb_buf *note, struct gb_snapshot_files *ret_files,
                      struct gb_err *err);
/* Removes the chain at @path with its mark, which does not come back after a power cut. */
void gb_past_remove(const char *path);
