/* SPDX-License-Identifier: Apache-2.0 */
/* The files next to a chain with which a past outlives its process: `.note` (`.awake` while
 * the session is awake, or is woken), `.ram`, `.state`, `.layer`.
 *
 * All functions block on the disk. They access nothing but their arguments. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "snapshot/store.h"

enum { GB_PAST_NOTE_MAX = 1 << 20 };

/* Writes the mark of the chain at @path, of a session that sleeps or is @awake, and waits until it
 * is on disk. It replaces an earlier one; if it fails there is none, or that one still.
 * GB_EUNSUPPORTED: the files of the snapshot cannot be linked there. */
int past_mark_write(const char *path, const struct gb_snapshot_files *files, bool awake,
                    struct gb_bytes note, struct gb_err *err);
/* Before that: keeps what is behind the spare disk of the session's VMs (-1: nothing) for
 * gb_past_open_layer(). It is a link: on another file system, or when that has been removed
 * already, nothing is kept. GB_EDISK. */
int past_mark_layer(const char *path, int disk_fd, struct gb_err *err);
/* The mark of a session that sleeps becomes that of one that is awake, and waits until that is on
 * disk. If it fails, there still is the former. */
int past_mark_wake(const char *path, struct gb_err *err);
/* The reverse, without waiting. False: it has failed. */
bool past_mark_lull(const char *path);

/* 1: there is a mark, and of which kind; 0: there is none. -GB_E…: that cannot be told now, so the
 * chain has to stay. */
int gb_past_has_mark(const char *path, bool *ret_awake, struct gb_err *err);
/* Reads one of that kind, which another process has left: adds the note to @note, and opens the
 * snapshot's files. GB_EINVALID: they are not files that only this user can change. */
int gb_past_read_mark(const char *path, bool awake, struct gb_buf *note,
                      struct gb_snapshot_files *ret_files, struct gb_err *err);
/* What is kept of the spare disk: a descriptor; -1: nothing. */
int gb_past_open_layer(const char *path);
/* Removes the chain at @path with its mark, which does not come back after a power cut. */
void gb_past_remove(const char *path);
