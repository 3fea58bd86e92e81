/* SPDX-License-Identifier: Apache-2.0 */
/* Tracks what has changed in a VM's memory since the last look.
 *
 * Theory of operation. A VM made from a snapshot maps it copy-on-write: pages that are not private
 * are as in the snapshot. For the private ones, the track stores a hash of each at the last look,
 * and returns those that differ. The first time, a page is compared with the snapshot: a third of
 * what a young session has written equals what was there before.
 *
 * Reading and hashing all private pages takes the longer the more a session has ever used. So where
 * the system can tell which pages were written to (platform/memory.h), a look takes only those,
 * and those of earlier looks that were not committed; it also finds pages that were written with
 * the content that they had, which the hash sorts out. The first look at a VM takes all.
 *
 * QEMU writes to the memory of a VM that stands still what arrives for its ports, as far as the
 * guest has room for it. A look during which it does so is of no moment, and has to be
 * repeated.
 *
 * A look has two halves. While the VM is stopped, gb_track_look() copies its pages, which is all
 * that the pause has to cover. After it continues, gb_track_sort() determines which of them are
 * new.
 *
 * The hash is XXH3 with 128 bits and a random seed (https://xxhash.com): a guest that finds two
 * pages with the same hash damages only its own past.
 *
 * All functions may take as long as copying and hashing the pages does: run them on the thread
 * pool, one at a time per track. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "platform/memory.h"

struct gb_track;

/* For a memory of @pages whose other pages are in @base_fd (borrowed, for reading), and of which
 * changes are found by @way, if the process allows it. NULL: out of memory. Gives. */
struct gb_track *gb_track_new(uint32_t pages, int base_fd, enum gb_memory_way way);
/* From now on each look compares all private pages, and fails if a page had changed that @way would
 * not have found. */
void gb_track_verify(struct gb_track *track);
/* No-op on NULL. */
void gb_track_free(struct gb_track *track);

/* Copies the private pages of @memory that may have changed, at most @limit bytes (GB_ETOOLARGE
 * above). */
int gb_track_look(struct gb_track *track, const struct gb_memory *memory, size_t limit,
                  struct gb_err *err);

/* The process has written to its memory during the last look, which is to be repeated: what it
 * wrote may not be found by the way that is used. */
void gb_track_distrust(struct gb_track *track);

/* The number of bytes that the last look copied. */
uint64_t gb_track_copied(const struct gb_track *track);

/* The result of the last look. Borrowed until the next one. */
struct gb_track_changes {
    const struct gb_page_range *ranges; /* ascending, adjacent ranges merged */
    size_t n_ranges;
    uint32_t pages;
    const uint8_t *data; /* of the pages, concatenated */
};

/* Determines which of the pages changed since the last committed look. */
int gb_track_sort(struct gb_track *track, struct gb_track_changes *ret_changes, struct gb_err *err);

/* The process has been given these pages, which are in the past already: only differences from them
 * are new. */
void gb_track_learn(struct gb_track *track, struct gb_page_range range, const uint8_t *data);

/* The result is on disk: the next look is compared with it. Without this call, after a failure, the
 * next look returns the pages again. */
void gb_track_commit(struct gb_track *track);

/* The copied pages are no longer needed: frees them. */
void gb_track_rest(struct gb_track *track);
