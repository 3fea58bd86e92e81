/* SPDX-License-Identifier: Apache-2.0 */
/* The files next to a chain with which a past outlives its process: `.note`, `.ram`, `.state`.
 *
 * All functions block on the disk. They access nothing but their arguments. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "snapshot/store.h"

enum { GB_PAST_NOTE_MAX = 1 << 20 };

/* Writes the mark of the chain at @path, and waits until it is on disk. GB_EUNSUPPORTED: the files
 * of the snapshot cannot be linked there. */
int past_mark_write(const char *path, const struct gb_snapshot_files *files, struct gb_bytes note,
                    struct gb_err *err);
/* Removes the note, or everything. */
void past_mark_remove_note(const char *path);
void past_mark_remove(const char *path);

/* Reads a mark that another process has left: adds the note to @note, and opens the snapshot's
 * files. */
int gb_past_read_mark(const char *path, struct gb_buf *note, struct gb_snapshot_files *ret_files,
                      struct gb_err *err);
/* Removes the chain at @path with its mark. */
void gb_past_remove(const char *path);
