/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/sync.h"

#include <string.h>

void gb_sync_expect(struct gb_sync *sync, const uint8_t *mark)
{
    memcpy(sync->mark, mark, GB_SYNC_BYTES);
    sync->left = GB_SYNC_BYTES;
}

/* How many bytes at the end of the first @found of the mark are its beginning too, fewer than all.
 */
static unsigned sync_fall_back(const uint8_t *mark, unsigned found)
{
    unsigned count = found - 1;

    while (count > 0 && memcmp(mark, mark + (found - count), count) != 0)
        count--;
    return count;
}

size_t gb_sync_drop(struct gb_sync *sync, struct gb_bytes bytes)
{
    unsigned found = GB_SYNC_BYTES - sync->left;
    size_t at = 0;

    for (; at < bytes.size && found < GB_SYNC_BYTES; at++) {
        while (found > 0 && sync->mark[found] != bytes.data[at])
            found = sync_fall_back(sync->mark, found);
        if (sync->mark[found] == bytes.data[at])
            found++;
    }
    sync->left = GB_SYNC_BYTES - found;
    return at;
}
