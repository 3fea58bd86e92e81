/* SPDX-License-Identifier: Apache-2.0 */
/* A session's checkpoints on disk: one append-only file of records (record.h).
 *
 * Theory of operation. A checkpoint contains the pages that differ from its parent's, so the
 * checkpoints of a session form a tree over its base, the snapshot that its VM was made from. The
 * memory at a checkpoint is read by walking from it to the base, and using the first version found
 * of each page.
 *
 * A record counts once it is complete: if a process dies while appending, the next opening finds
 * the incomplete record and cuts it off. Nothing else is ever cut off: a damaged record in the
 * middle stays, and invalidates only those based on it.
 *
 * gb_chain_compact() removes checkpoints: it writes those to keep into a new file (pages of a
 * removed one that a later one needs are moved into that one), and replaces the old file by a
 * rename.
 *
 * All functions may block on the disk: run them on the thread pool, one at a time per chain. They
 * access nothing but their arguments.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "past/record.h"

enum {
    GB_CHAIN_RECORDS_MAX = 65536,   /* per chain; callers compact long before */
    GB_CHAIN_RANGES_MAX = 16 << 20, /* of all of them, kept in memory: 128 MiB */
};

struct gb_chain;

/* The parameters of a new checkpoint. */
struct gb_chain_checkpoint {
    uint64_t parent, epoch, at_ns;
    uint32_t cell, memory_pages;
    const struct gb_page_range *ranges; /* ascending, adjacent ranges merged */
    size_t n_ranges;
    const uint8_t *pages;   /* the pages of the ranges, concatenated */
    struct gb_bytes device; /* the device state, at most PAST_DEVICE_MAX */
};

/* An existing checkpoint. */
struct gb_chain_entry {
    struct past_head head;
    uint64_t at;  /* offset in the file */
    bool damaged; /* its digest was wrong: neither it nor those based on it can be read */
    struct gb_page_range *ranges;
};

/* Opens the chain in the file @path, creating it if it does not exist (0600). @durable: appended
 * records survive a power cut; otherwise only the death of the process. Cuts off an incomplete
 * record at the end. GB_EINVALID: not a chain, or too large. Gives. */
int gb_chain_open(const char *path, bool durable, struct gb_chain **ret_chain, struct gb_err *err);
/* Opens one that exists, reading no more than the heads of its records, and leaves the file as it
 * is. Whether the last record is complete shows when it is read; what follows it is cut off by the
 * next append. */
int gb_chain_open_heads(const char *path, bool durable, struct gb_chain **ret_chain,
                        struct gb_err *err);
/* No-op on NULL. */
void gb_chain_close(struct gb_chain *chain);

/* Appends a checkpoint, waits until it is on disk, and returns its number. On failure
 * (GB_EDISK: the disk is full) the chain is unchanged. GB_ENOTFOUND: the parent does not
 * exist. */
int gb_chain_append(struct gb_chain *chain, const struct gb_chain_checkpoint *checkpoint,
                    uint64_t *ret_seq, struct gb_err *err);

/* All checkpoints, by number. Borrowed until the chain changes. */
const struct gb_chain_entry *gb_chain_entries(const struct gb_chain *chain, size_t *ret_count);
/* NULL if there is none with this number. */
const struct gb_chain_entry *gb_chain_find(const struct gb_chain *chain, uint64_t seq);
/* Whether it exists, and so does everything that it is based on, none of which is known to be
 * damaged. */
bool gb_chain_is_sound(const struct gb_chain *chain, uint64_t seq);
/* Of the file. */
uint64_t gb_chain_bytes(const struct gb_chain *chain);

/* Takes pages @first … of a memory: `count` pages at @data. A negative result stops reading. */
typedef int gb_chain_pages_fn(void *arg, struct gb_page_range range, const uint8_t *data,
                              struct gb_err *err);

/* Passes on each page that differs from the base as it was at checkpoint @seq, each once, in no
 * particular order, and adds the device state to @device. The data is only valid if the call
 * succeeds: each digest is verified after its record has been read. GB_EINVALID: damaged, and
 * marked as such; the message says which checkpoint. GB_ENOTFOUND. */
int gb_chain_read(struct gb_chain *chain, uint64_t seq, gb_chain_pages_fn *pages, void *arg,
                  struct gb_buf *device, struct gb_err *err);

/* Removes all checkpoints except those for which @keep (called once for each) returns true. Damaged
 * ones are removed, with those based on them. Takes 20 MB, however many there are: where many are
 * removed in a row, in several passes. If it fails, no other one has been removed. */
int gb_chain_compact(struct gb_chain *chain,
                     bool (*keep)(void *arg, const struct gb_chain_entry *entry), void *arg,
                     struct gb_err *err);
