/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading one record (record.h) of an open file, a block at a time: neither needs more
 * memory than two blocks, however large the checkpoint.
 *
 * Both block on the disk. */
#pragma once

#include <nettle/sha2.h>
#include <stdint.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/err.h"
#include "past/record.h"

/* Embed them, zeroed; do not touch their members. */
struct past_writer {
    int fd;
    uint64_t at, end; /* of the record, and of what has been written of it */
    struct past_head head;
    struct sha256_ctx sha;
    ZSTD_CCtx *zstd;
    uint8_t *block, *packed;
    size_t filled; /* bytes of the block */
    struct gb_buf sizes;
};

/* Begins a record at @at of @fd (borrowed): @head needs no sizes. @device at most
 * PAST_DEVICE_MAX. */
int past_writer_start(struct past_writer *writer, int fd, uint64_t at, const struct past_head *head,
                      const struct gb_page_range *ranges, struct gb_bytes device,
                      struct gb_err *err);
/* The next @count pages of the ranges. */
int past_writer_add(struct past_writer *writer, const uint8_t *pages, size_t count,
                    struct gb_err *err);
/* All have been added. The record counts when the file is synced. */
int past_writer_end(struct past_writer *writer, struct past_head *ret_head, struct gb_err *err);
/* In any case, at the end. */
void past_writer_release(struct past_writer *writer);

struct past_reader {
    int fd;
    uint64_t at; /* of the next block */
    const struct past_head *head;
    const struct gb_page_range *ranges;
    struct sha256_ctx sha;
    ZSTD_DCtx *zstd;
    uint8_t *block, *packed, *sizes;
    uint32_t blocks;        /* that have been read */
    uint32_t left, taken;   /* pages of this block */
    uint32_t range, offset; /* where the next page lies */
};

/* Begins to read the record at @at of @fd; @head and @ranges are as they were read from it, and
 * borrowed. Adds the state of the devices to @device, if given. */
int past_reader_start(struct past_reader *reader, int fd, uint64_t at, const struct past_head *head,
                      const struct gb_page_range *ranges, struct gb_buf *device,
                      struct gb_err *err);
/* The next pages, in ascending order: 1, and @ret_data is valid until the next call; 0 at the end,
 * when the digest was found to be right; -GB_EINVALID: the record is damaged. */
int past_reader_next(struct past_reader *reader, struct gb_page_range *ret_range,
                     const uint8_t **ret_data, struct gb_err *err);
void past_reader_release(struct past_reader *reader);
