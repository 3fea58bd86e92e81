/* SPDX-License-Identifier: Apache-2.0 */
/* The template store: one folder per template, containing `ram`, `state` and `manifest`.
 *
 * Theory of operation. A template's folder is named after the digest of its key. The holder of the
 * lock on NAME.lock builds it as new.NAME; a rename then makes it appear under NAME, complete, or
 * exchanges it for a damaged one. The next holder of the lock removes a new.NAME left by a builder
 * that died.
 *
 * All functions may block on the disk: run them on the thread pool. They access nothing but their
 * arguments.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/surplus.h"
#include "snapshot/manifest.h"

enum { GB_SNAPSHOT_NAME_HEX = 32 };

/* The folder name for a key. */
void gb_snapshot_name(struct gb_bytes key, char ret_name[GB_SNAPSHOT_NAME_HEX + 1]);

/* A template's open files. Zero is not empty: initialise with GB_SNAPSHOT_FILES_NONE. */
struct gb_snapshot_files {
    int ram_fd, state_fd; /* read only */
    uint64_t ram_bytes;   /* of guest memory */
    uint64_t disk_bytes;  /* disk space of both files */
    uint64_t made_at_s;
};
#define GB_SNAPSHOT_FILES_NONE ((struct gb_snapshot_files){-1, -1, 0, 0, 0})
void gb_snapshot_files_release(struct gb_snapshot_files *files);

/* Opens the template with this key and verifies the digests of both files. GB_ENOTFOUND: there is
 * none. GB_EINVALID: there is one, but it must not be used; the message says why. */
int gb_snapshot_open(const char *folder, const char *name, struct gb_bytes key,
                     struct gb_snapshot_files *ret_files, struct gb_err *err);

/* The lock file (lock.h); hold its lock for all of the following. Gives. */
char *gb_snapshot_lock_path(const char *folder, const char *name);

/* Creates an empty new.NAME; under the lock. GB_EDISK if the disk has no space for @bytes. */
int gb_snapshot_begin(const char *folder, const char *name, uint64_t bytes, struct gb_err *err);
/* The paths of the files in new.NAME. Gives. */
char *gb_snapshot_new_path(const char *folder, const char *name, const char *file);
/* Turns new.NAME into the template NAME: punches holes where memory is zero, writes digests and
 * manifest, and syncs everything before the rename. Under the lock. */
int gb_snapshot_publish(const char *folder, const char *name, struct gb_bytes key,
                        struct gb_snapshot_files *ret_files, struct gb_err *err);
/* Removes the template NAME, if there is one. Under the lock. */
void gb_snapshot_remove(const char *folder, const char *name);
/* Removes new.NAME. Under the lock. */
void gb_snapshot_abort(const char *folder, const char *name);

enum { GB_SNAPSHOTS_MAX = 4096 };

/* Removes templates by @limits, and what builders that died have left. Keeps what is being built.
 * Takes the locks that it needs. Adds a line to @text for each removed template. */
void gb_snapshot_evict(const char *folder, const struct gb_surplus_limits *limits,
                       struct gb_buf *text);
/* Marks it as the most recently used. */
void gb_snapshot_touch(const char *folder, const char *name);

/* SHA-256 over the non-zero blocks of @fd and their offsets: holes cost nothing and do not change
 * the digest. */
int gb_snapshot_digest(int fd, char ret_hex[SNAPSHOT_MANIFEST_DIGEST_HEX + 1], struct gb_err *err);
