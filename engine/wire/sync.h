/* SPDX-License-Identifier: Apache-2.0 */
/* Where a conversation begins in a byte stream that may still carry the rest of an earlier one,
 * whose last frame can be cut anywhere. Both sides send the same random mark before everything
 * else, and drop what comes before the other's. The guest sends it first, the host when it has
 * come: until then a process of the earlier conversation may still read the port in the guest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { GB_SYNC_BYTES = 16 };

/* Zeroed: no mark is expected. */
struct gb_sync {
    uint8_t mark[GB_SYNC_BYTES];
    unsigned left; /* bytes of the mark that are still to come; 0: none, it was found */
};

/* From now on the mark, GB_SYNC_BYTES, is expected. */
void gb_sync_expect(struct gb_sync *sync, const uint8_t *mark);
/* Returns how many of the bytes do not belong to the conversation: all of them unless the mark ends
 * among them. */
size_t gb_sync_drop(struct gb_sync *sync, struct gb_bytes bytes);
