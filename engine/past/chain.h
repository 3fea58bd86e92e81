/* SPDX-License-Identifier: Apache-2.0 */
/* A session's checkpoints on the disk: one file of records (record.h), append-only.
 *
 * Theory of operation. A checkpoint tells the pages that differ from its parent's, so that the
 * checkpoints of a session are a tree over its base, which is the snapshot that its VM was made of.
 * What memory was at a checkpoint is read by walking from it to the base and taking of each page
 * the first that one meets.
 *
 * A record counts from the moment at which it is whole: when a process dies while it appends, the
 * rest of a record is found at the next opening, and cut off. Nothing else is ever cut: a record
 * that is damaged in the middle stays, and takes with it only those that were laid over it.
 *
 * Checkpoints are forgotten by gb_chain_compact(), which writes those that are to stay into a new
 * file (the pages of a forgotten one that a later one needs go into that one) and puts it into the
 * place of the old one by one rename.
 *
 * All functions may block on the disk: run them on the thread pool, one at a time for a chain. They
 * touch nothing but their arguments.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "past/record.h"

enum {
    GB_CHAIN_RECORDS_MAX = 65536,   /* of a chain; whoever appends compacts long before */
    GB_CHAIN_RANGES_MAX = 16 << 20, /* of all of them, which are kept in memory: 128 MiB */
};

struct gb_chain;

/* What is asked of a new checkpoint. */
struct gb_chain_checkpoint {
    uint64_t parent, epoch, at_ns;
    uint32_t cell, memory_pages;
    const struct gb_page_range *ranges; /* ascending, none touches the next */
    size_t n_ranges;
    const uint8_t *pages;   /* of the ranges, one behind the other */
    struct gb_bytes device; /* the state of the devices, at most PAST_DEVICE_MAX */
};

/* A checkpoint that is there. */
struct gb_chain_entry {
    struct past_head head;
    uint64_t at;  /* in the file */
    bool damaged; /* its digest was found to be wrong: neither it nor what lies over it is read */
    struct gb_page_range *ranges;
};

/* Opens the chain in the file @path, which is made when it is not there (0600). @durable: what has
 * been appended outlives a power cut, too; else a process that dies, and no more. The rest of a
 * record at its end that is not whole is cut off. GB_EINVALID: it is no file of ours, or too much.
 * Gives. */
int gb_chain_open(const char *path, bool durable, struct gb_chain **ret_chain, struct gb_err *err);
/* Accepts NULL. */
void gb_chain_close(struct gb_chain *chain);

/* Appends a checkpoint and waits until it is on the disk; its number is returned. When that fails
 * (GB_ECAPACITY: the disk is full) the chain is as it was. GB_ENOTFOUND: the parent is not there.
 */
int gb_chain_append(struct gb_chain *chain, const struct gb_chain_checkpoint *checkpoint,
                    uint64_t *ret_seq, struct gb_err *err);

/* All of them, by number. Borrowed until the chain changes. */
const struct gb_chain_entry *gb_chain_entries(const struct gb_chain *chain, size_t *ret_count);
/* NULL: there is none of this number. */
const struct gb_chain_entry *gb_chain_find(const struct gb_chain *chain, uint64_t seq);
/* Of the file. */
uint64_t gb_chain_bytes(const struct gb_chain *chain);

/* Takes pages @first … of a memory: `count` pages at @data. Negative ends the reading. */
typedef int gb_chain_pages_fn(void *arg, struct gb_page_range range, const uint8_t *data,
                              struct gb_err *err);

/* Gives each page that differs from the base as it was at checkpoint @seq, each once, in no
 * particular order, and adds the state of the devices to @device. What was given is to be believed
 * only when the call succeeds: each digest is compared when its record has been read. GB_EINVALID:
 * damaged, and noted as such, the message says which checkpoint. GB_ENOTFOUND. */
int gb_chain_read(struct gb_chain *chain, uint64_t seq, gb_chain_pages_fn *pages, void *arg,
                  struct gb_buf *device, struct gb_err *err);

/* Forgets all checkpoints but those for which @keep says true. Those that are damaged go, with what
 * lies over them. The old file stays in use when this fails. */
int gb_chain_compact(struct gb_chain *chain,
                     bool (*keep)(void *arg, const struct gb_chain_entry *entry), void *arg,
                     struct gb_err *err);
