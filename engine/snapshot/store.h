/* SPDX-License-Identifier: Apache-2.0 */
/* The template store: one folder for each template, `ram`, `state` and `manifest` in it.
 *
 * Theory of operation. A template's folder is named after the digest of its key. It is made as
 * new.NAME by whoever holds the lock on NAME.lock, and appears under NAME by one rename, whole; a
 * damaged one is exchanged for a good one likewise. Nobody changes a file of a template; those who
 * use one hold its files open, so that it may be removed at any time. What a builder that died left
 * in new.NAME is removed by the next holder of the lock.
 *
 * All functions may block on the disk: run them on the thread pool. They touch nothing but their
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

/* The name for a key. */
void gb_snapshot_name(struct gb_bytes key, char ret_name[GB_SNAPSHOT_NAME_HEX + 1]);

/* A template's open files. Zero is not empty: begin with GB_SNAPSHOT_FILES_NONE. */
struct gb_snapshot_files {
    int ram_fd, state_fd; /* read only */
    uint64_t ram_bytes;   /* of guest memory */
    uint64_t disk_bytes;  /* that both take on the disk */
    uint64_t made_at_s;
};
#define GB_SNAPSHOT_FILES_NONE ((struct gb_snapshot_files){-1, -1, 0, 0, 0})
void gb_snapshot_files_release(struct gb_snapshot_files *files);

/* Opens the template of this key and compares the digests of both files. GB_ENOTFOUND: there is
 * none. GB_EINVALID: there is one, and it must not be used; the message says why. */
int gb_snapshot_open(const char *folder, const char *name, struct gb_bytes key,
                     struct gb_snapshot_files *ret_files, struct gb_err *err);

/* The file whose lock (lock.h) has to be held for all that follows. Gives. */
char *gb_snapshot_lock_path(const char *folder, const char *name);

/* Makes an empty new.NAME; under the lock. GB_ECAPACITY when the disk has no room for @bytes. */
int gb_snapshot_begin(const char *folder, const char *name, uint64_t bytes, struct gb_err *err);
/* The paths of the files in new.NAME. Gives. */
char *gb_snapshot_new_path(const char *folder, const char *name, const char *file);
/* Turns new.NAME into the template NAME: holes where the memory is zero, digests, manifest, all on
 * the disk before the rename. Under the lock. */
int gb_snapshot_publish(const char *folder, const char *name, struct gb_bytes key,
                        struct gb_snapshot_files *ret_files, struct gb_err *err);
/* Removes the template NAME, if there is one. Under the lock. */
void gb_snapshot_remove(const char *folder, const char *name);
/* Removes new.NAME. Under the lock. */
void gb_snapshot_abort(const char *folder, const char *name);

enum { GB_SNAPSHOTS_MAX = 4096 };

/* Removes templates as @limits say, and what builders that died have left. What somebody builds
 * stays. Takes the locks that it needs. Adds a line to @text for each template that it removed. */
void gb_snapshot_evict(const char *folder, const struct gb_surplus_limits *limits,
                       struct gb_buf *text);
/* It is in use: it is the youngest now. */
void gb_snapshot_touch(const char *folder, const char *name);

/* SHA-256 over the blocks of @fd that are not zero, with their places: holes cost nothing and make
 * no difference. */
int gb_snapshot_digest(int fd, char ret_hex[SNAPSHOT_MANIFEST_DIGEST_HEX + 1], struct gb_err *err);
