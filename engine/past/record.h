/* SPDX-License-Identifier: Apache-2.0 */
/* The format of checkpoints on disk: a session's memory and devices at one moment, as the pages
 * that differ from the previous checkpoint.
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
 * The head contains the total size, so a chain of records can be walked by reading only heads;
 * pages are trusted if the digest is correct. Each head contains the random key of its file: after
 * damage, the next record is found by the key, which no guest knows. A file's bytes are untrusted:
 * anything out of range is an error.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "platform/memory.h"

enum {
    PAST_PAGE = GB_PAGE,
    PAST_BLOCK_PAGES = 256, /* 1 MiB: the unit of compression */
    PAST_HEAD = 96,
    PAST_KEY_AT = 8, /* offset in a head; 8 bytes */
    PAST_DIGEST = 32,
    PAST_DEVICE_MAX = 1 << 20,       /* bytes; QEMU's microvm has some 17,000 */
    PAST_PAGES_MAX = 64 << (30 - 12) /* of a guest's memory: 64 GiB */
};

struct past_head {
    uint64_t key;           /* of the file */
    uint64_t seq;           /* > 0; increases within a chain */
    uint64_t parent;        /* the checkpoint that the pages are based on; 0: the base */
    uint64_t epoch;         /* of the session at that time */
    uint64_t at_ns;         /* wall clock */
    uint32_t cell;          /* the last cell that had finished */
    uint32_t memory_pages;  /* of the guest */
    uint32_t ranges, pages; /* how many this record contains */
    uint32_t device_size, device_packed;
    uint32_t blocks;
    uint64_t blocks_packed; /* bytes */
};

/* Writes PAST_HEAD bytes. */
void past_head_write(const struct past_head *head, uint8_t *bytes);

/* Parses what past_head_write() wrote, and nothing else; the caller checks the key.
 * -GB_EINVALID. */
int past_head_read(const uint8_t *bytes, struct past_head *ret_head, struct gb_err *err);

/* Of the whole record. */
uint64_t past_record_size(const struct past_head *head);
/* Offsets of its parts. */
uint64_t past_device_at(const struct past_head *head);
uint64_t past_blocks_at(const struct past_head *head);
uint64_t past_sizes_at(const struct past_head *head);

/* Writes head->ranges × 8 bytes. */
void past_ranges_write(const struct gb_page_range *ranges, size_t count, uint8_t *bytes);

/* Parses them into @ranges, which has room for head->ranges: in order, within the memory, with the
 * head's total of pages. -GB_EINVALID. */
int past_ranges_read(const struct past_head *head, const uint8_t *bytes,
                     struct gb_page_range *ranges, struct gb_err *err);

/* The number of pages in a block: the last one has the rest. */
uint32_t past_block_pages(const struct past_head *head, uint32_t block);
