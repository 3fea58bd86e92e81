/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot: what a VM was at one moment, in two files: its memory (`ram`) and the state of its
 * devices (`state`).
 *
 * The files never change. A VM that is made of a snapshot (clone.h) maps the memory copy-on-write,
 * so that all of them share what they do not write to; a VM that is to become one has its memory in
 * the file from its start, and is saved while it stands still (save.h). Snapshots that outlive the
 * process lie in a store (store.h), under the digest of everything that made them, and are found
 * there by other servers of the same user (lock.h). Who uses a snapshot holds its files open, so
 * that they may be removed from the store at any time.
 *
 * This module knows VMs and files. It knows neither sessions nor why there are snapshots:
 * templates, from which sessions get their VMs, are made in engine/capacity.
 *
 * All functions: loop thread only.
 */
#pragma once

#include <stdint.h>

#include "snapshot/store.h"
#include "vm/image.h"

/* Read the members, do not set them. */
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
/* The last one closes the files. Accepts NULL. */
void gb_snapshot_unref(struct gb_snapshot *snapshot);
