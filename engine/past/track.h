/* SPDX-License-Identifier: Apache-2.0 */
/* What has changed in a VM's memory since it was last looked at.
 *
 * Theory of operation. A VM that was made of a snapshot maps it copy-on-write: pages that are not
 * its own are as in the snapshot. Of its own ones, the track keeps a hash of what each was at the
 * last look, and gives those that differ. The first time, a page is compared with the snapshot: a
 * third of what a young session has written is what was there before.
 *
 * A look has two halves. While the VM stands still, gb_track_look() copies its pages, which is all
 * that the pause is long for. When it runs on, gb_track_sort() finds out what of it is new.
 *
 * The hash is XXH3 of 128 bits with a random seed (https://xxhash.com): a guest that finds two
 * pages of one hash spoils its own past and nobody else's.
 *
 * All functions may take as long as copying and hashing the pages does: run them on the thread
 * pool, one at a time for a track. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "platform/memory.h"

struct gb_track;

/* For a memory of @pages whose other pages are in @base_fd (borrowed, for reading). NULL: no
 * memory. Gives. */
struct gb_track *gb_track_new(uint32_t pages, int base_fd);
/* Accepts NULL. */
void gb_track_free(struct gb_track *track);

/* Copies what @memory has of its own, at most @limit bytes (GB_ETOOLARGE above). */
int gb_track_look(struct gb_track *track, const struct gb_memory *memory, size_t limit,
                  struct gb_err *err);

/* What the last look found. Borrowed until the next one. */
struct gb_track_changes {
    const struct gb_page_range *ranges; /* ascending, none touches the next */
    size_t n_ranges;
    uint32_t pages;
    const uint8_t *data; /* of the pages, one behind the other */
};

/* Sorts out which of the pages changed since the last look that was committed. */
int gb_track_sort(struct gb_track *track, struct gb_track_changes *ret_changes, struct gb_err *err);

/* The process has got these pages, which are in the past already: only what differs is new. */
void gb_track_learn(struct gb_track *track, struct gb_page_range range, const uint8_t *data);

/* What was found is on the disk: the next look is compared with it. Without this call, after a
 * failure, the next look gives the pages again. */
void gb_track_commit(struct gb_track *track);

/* What was copied is not needed any more: gives the memory back. */
void gb_track_rest(struct gb_track *track);
