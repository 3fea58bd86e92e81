/* SPDX-License-Identifier: Apache-2.0 */
/* Writes and reads one record (record.h) of an open file, block by block: neither needs more memory
 * than two blocks, however large the checkpoint is.
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
    uint64_t at, end; /* offsets in the file: of the record, and of the end of what has been
                       * written */
    struct past_head head;
    struct sha256_ctx sha;
    ZSTD_CCtx *zstd;
    uint8_t *block, *packed;
    size_t filled; /* bytes in the block */
    struct gb_buf sizes;
};

/* Starts a record at @at of @fd (borrowed); sizes in @head are ignored. @device at most
 * PAST_DEVICE_MAX. */
int past_writer_start(struct past_writer *writer, int fd, uint64_t at, const struct past_head *head,
                      const struct gb_page_range *ranges, struct gb_bytes device,
                      struct gb_err *err);
/* Adds the next @count pages of the ranges. */
int past_writer_add(struct past_writer *writer, const uint8_t *pages, size_t count,
                    struct gb_err *err);
/* All pages have been added. The record counts once the file is synced. */
int past_writer_end(struct past_writer *writer, struct past_head *ret_head, struct gb_err *err);
/* Call it in any case, at the end. */
void past_writer_release(struct past_writer *writer);

struct past_reader {
    int fd;
    uint64_t at; /* offset of the next block */
    const struct past_head *head;
    const struct gb_page_range *ranges;
    struct sha256_ctx sha;
    ZSTD_DCtx *zstd;
    uint8_t *block, *packed, *sizes;
    uint32_t blocks;        /* read so far */
    uint32_t left, taken;   /* pages of this block */
    uint32_t range, offset; /* position of the next page */
};

/* Starts reading the record at @at of @fd; @head and @ranges are those read from it, borrowed. Adds
 * the device state to @device, if given. */
int past_reader_start(struct past_reader *reader, int fd, uint64_t at, const struct past_head *head,
                      const struct gb_page_range *ranges, struct gb_buf *device,
                      struct gb_err *err);
/* The next pages, in ascending order: 1, and @ret_data is valid until the next call; 0 at the end,
 * if the digest is correct; -GB_EINVALID: the record is damaged. */
int past_reader_next(struct past_reader *reader, struct gb_page_range *ret_range,
                     const uint8_t **ret_data, struct gb_err *err);
void past_reader_release(struct past_reader *reader);
