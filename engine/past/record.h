/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints as they lie on the disk: what a session's memory and devices were at one moment, told
 * as the pages that differ from the checkpoint before.
 *
 * A record is
 *
 *     head       PAST_HEAD bytes, little-endian, closed by a CRC-32C of its own
 *     ranges     head.ranges × (first page, count), both u32: ascending, none touches the next
 *     device     head.device_packed bytes: the state of the devices, zstd
 *     blocks     head.blocks × zstd, each of PAST_BLOCK_PAGES pages but for the last
 *     sizes      head.blocks × u32: of the packed blocks
 *     digest     SHA-256 of everything between it and the head, then of the head
 *
 * The head says how long all of it is, so that a chain of records is walked by heads alone; pages
 * are believed when the digest is right. Each head has the random key of its file: behind damage,
 * the next record is looked for by the key, which no guest knows. All bytes are those of a file and
 * so foreign: what is out of range is an error.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "platform/memory.h"

enum {
    PAST_PAGE = GB_PAGE,
    PAST_BLOCK_PAGES = 256, /* 1 MiB: what is packed in one piece */
    PAST_HEAD = 96,
    PAST_KEY_AT = 8, /* in a head; 8 bytes */
    PAST_DIGEST = 32,
    PAST_DEVICE_MAX = 1 << 20,       /* bytes; QEMU's microvm has some 17,000 */
    PAST_PAGES_MAX = 64 << (30 - 12) /* of a guest's memory: 64 GiB */
};

struct past_head {
    uint64_t key;           /* of the file */
    uint64_t seq;           /* > 0; rises within a chain */
    uint64_t parent;        /* the checkpoint that the pages are to be laid over; 0: the base */
    uint64_t epoch;         /* of the session when it was taken */
    uint64_t at_ns;         /* wall clock */
    uint32_t cell;          /* the last one that had finished */
    uint32_t memory_pages;  /* of the guest */
    uint32_t ranges, pages; /* how many are told */
    uint32_t device_size, device_packed;
    uint32_t blocks;
    uint64_t blocks_packed; /* bytes */
};

/* Writes PAST_HEAD bytes. */
void past_head_write(const struct past_head *head, uint8_t *bytes);

/* Reads what past_head_write() wrote, and nothing else; it is the caller who knows the key.
 * -GB_EINVALID. */
int past_head_read(const uint8_t *bytes, struct past_head *ret_head, struct gb_err *err);

/* Of the whole record. */
uint64_t past_record_size(const struct past_head *head);
/* Where its parts begin. */
uint64_t past_device_at(const struct past_head *head);
uint64_t past_blocks_at(const struct past_head *head);
uint64_t past_sizes_at(const struct past_head *head);

/* Writes head->ranges × 8 bytes. */
void past_ranges_write(const struct gb_page_range *ranges, size_t count, uint8_t *bytes);

/* Reads them into @ranges, of which there is room for head->ranges: in order, within the memory, as
 * many pages as the head says. -GB_EINVALID. */
int past_ranges_read(const struct past_head *head, const uint8_t *bytes,
                     struct gb_page_range *ranges, struct gb_err *err);

/* How many pages of a block: the last one has the rest. */
uint32_t past_block_pages(const struct past_head *head, uint32_t block);
