/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot: the state of a VM at one moment in two files: its memory (`ram`) and its device state
 * (`state`).
 *
 * The files never change. A VM restored from a snapshot (clone.h) maps the memory copy-on-write, so
 * that all clones share the pages that they do not write; a VM that is to become a snapshot has its
 * memory in the file from its start and is saved while it is at rest (save.h). Snapshots that
 * outlive the process are in a store (store.h), under the digest of everything that they depend on,
 * where other servers of the same user find them (lock.h). Users of a snapshot keep its files open,
 * so that it may be removed from the store at any time.
 *
 * This module knows VMs and files, but neither sessions nor the purpose of a snapshot:
 * engine/capacity builds the templates from which sessions get their VMs.
 *
 * All functions: loop thread only.
 */
#pragma once

#include <stdint.h>

#include "snapshot/store.h"
#include "vm/image.h"

/* Members are read-only for callers. */
struct gb_snapshot {
    unsigned refs;
    const struct gb_image *image; /* borrowed */
    uint32_t memory_mb;
    struct gb_snapshot_files files;
};

/* Takes @files. Gives one reference. */
struct gb_snapshot *gb_snapshot_new(const struct gb_image *image, uint32_t memory_mb,
                                    struct gb_snapshot_files *files);
struct gb_snapshot *gb_snapshot_ref(struct gb_snapshot *snapshot);
/* The last reference closes the files. No-op on NULL. */
void gb_snapshot_unref(struct gb_snapshot *snapshot);
