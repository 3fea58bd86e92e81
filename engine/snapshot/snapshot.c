/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/snapshot.h"

#include <stdlib.h>

#include "base/mem.h"

struct gb_snapshot *gb_snapshot_new(const struct gb_image *image, uint32_t memory_mb,
                                    struct gb_snapshot_files *files)
{
    struct gb_snapshot *snapshot = xcalloc(1, sizeof(*snapshot));

    snapshot->refs = 1;
    snapshot->image = image;
    snapshot->memory_mb = memory_mb;
    snapshot->files = *files;
    *files = GB_SNAPSHOT_FILES_NONE;
    return snapshot;
}

struct gb_snapshot *gb_snapshot_ref(struct gb_snapshot *snapshot)
{
    snapshot->refs++;
    return snapshot;
}

void gb_snapshot_unref(struct gb_snapshot *snapshot)
{
    if (snapshot == NULL || --snapshot->refs > 0)
        return;
    gb_snapshot_files_release(&snapshot->files);
    free(snapshot);
}
