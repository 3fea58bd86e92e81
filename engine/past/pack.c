/* SPDX-License-Identifier: Apache-2.0 */
#include "past/pack.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    PACK_LEVEL = 1, /* of zstd: checkpoints are written often, and read rarely */
    PACK_BLOCK = PAST_BLOCK_PAGES * PAST_PAGE,
    PACK_SIZE = 4, /* of an entry in the sizes */
};

static int pack_write(struct past_writer *writer, const void *data, size_t size, struct gb_err *err)
{
    const uint8_t *at = data;

    sha256_update(&writer->sha, size, data);
    while (size > 0) {
        ssize_t n = pwrite(writer->fd, at, size, (off_t)writer->end);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return gb_err_sys(err, errno, "cannot write a checkpoint");
        at += n;
        size -= (size_t)n;
        writer->end += (uint64_t)n;
    }
    return 0;
}

static int pack_compress(struct past_writer *writer, const void *data, size_t size,
                         size_t *ret_packed, struct gb_err *err)
{
    size_t packed = ZSTD_compressCCtx(writer->zstd, writer->packed, ZSTD_compressBound(PACK_BLOCK),
                                      data, size, PACK_LEVEL);

    if (ZSTD_isError(packed) != 0)
        return gb_err_set(err, GB_EINTERNAL, "cannot pack a checkpoint: %s",
                          ZSTD_getErrorName(packed));
    *ret_packed = packed;
    return pack_write(writer, writer->packed, packed, err);
}

int past_writer_start(struct past_writer *writer, int fd, uint64_t at, const struct past_head *head,
                      const struct gb_page_range *ranges, struct gb_bytes device,
                      struct gb_err *err)
{
    size_t size = (size_t)(past_device_at(head) - PAST_HEAD), packed = 0;
    _cleanup_(freep) uint8_t *encoded = try_calloc(size + 1, 1);
    int r;

    *writer = (struct past_writer){.fd = fd, .at = at, .end = at + PAST_HEAD, .head = *head};
    sha256_init(&writer->sha);
    writer->zstd = ZSTD_createCCtx();
    writer->block = malloc(PACK_BLOCK);
    writer->packed = malloc(ZSTD_compressBound(PACK_BLOCK));
    if (encoded == NULL || writer->zstd == NULL || writer->block == NULL || writer->packed == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory to write a checkpoint");
    past_ranges_write(ranges, head->ranges, encoded);
    r = pack_write(writer, encoded, size, err);
    if (r == 0)
        r = pack_compress(writer, device.data, device.size, &packed, err);
    writer->head.device_size = (uint32_t)device.size;
    writer->head.device_packed = (uint32_t)packed;
    writer->head.blocks_packed = 0;
    writer->head.blocks = 0;
    return r;
}

static int pack_flush(struct past_writer *writer, struct gb_err *err)
{
    size_t packed;
    int r = pack_compress(writer, writer->block, writer->filled, &packed, err);

    if (r < 0)
        return r;
    gb_buf_add_u32(&writer->sizes, (uint32_t)packed);
    writer->head.blocks_packed += packed;
    writer->head.blocks++;
    writer->filled = 0;
    return 0;
}

int past_writer_add(struct past_writer *writer, const uint8_t *pages, size_t count,
                    struct gb_err *err)
{
    size_t size = count * PAST_PAGE;

    while (size > 0) {
        size_t part = MIN(size, PACK_BLOCK - writer->filled);
        int r = 0;

        memcpy(writer->block + writer->filled, pages, part);
        writer->filled += part;
        pages += part;
        size -= part;
        if (writer->filled == PACK_BLOCK)
            r = pack_flush(writer, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int past_writer_end(struct past_writer *writer, struct past_head *ret_head, struct gb_err *err)
{
    uint8_t head[PAST_HEAD], digest[PAST_DIGEST];
    int r = writer->filled > 0 ? pack_flush(writer, err) : 0;

    if (r == 0)
        r = pack_write(writer, gb_buf_data(&writer->sizes), writer->sizes.size, err);
    if (r < 0)
        return r;
    past_head_write(&writer->head, head);
    sha256_update(&writer->sha, sizeof(head), head);
    sha256_digest(&writer->sha, sizeof(digest), digest);
    r = pack_write(writer, digest, sizeof(digest), err);
    writer->end = writer->at;
    if (r == 0)
        r = pack_write(writer, head, sizeof(head), err);
    *ret_head = writer->head;
    return r;
}

void past_writer_release(struct past_writer *writer)
{
    (void)ZSTD_freeCCtx(writer->zstd);
    free(writer->block);
    free(writer->packed);
    gb_buf_release(&writer->sizes);
    *writer = (struct past_writer){.fd = -1};
}

static int pack_damaged(const struct past_reader *reader, const char *what, struct gb_err *err)
{
    return gb_err_set(err, GB_EINVALID, "checkpoint %ju is damaged: %s",
                      (uintmax_t)reader->head->seq, what);
}

/* Reports a disk error as such; a premature end is damage. */
static int pack_read(const struct past_reader *reader, uint64_t at, void *data, size_t size,
                     struct gb_err *err)
{
    uint8_t *to = data;

    while (size > 0) {
        ssize_t n = pread(reader->fd, to, size, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return gb_err_sys(err, errno, "cannot read checkpoint %ju",
                              (uintmax_t)reader->head->seq);
        if (n == 0)
            return pack_damaged(reader, "its end is missing", err);
        to += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

static uint32_t pack_size_of(const struct past_reader *reader, uint32_t block)
{
    const uint8_t *at = reader->sizes + (size_t)block * PACK_SIZE;

    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int pack_read_sizes(struct past_reader *reader, uint64_t record, struct gb_err *err)
{
    const struct past_head *head = reader->head;
    size_t size = (size_t)head->blocks * PACK_SIZE;
    uint64_t sum = 0;
    int r;

    reader->sizes = malloc(size + 1);
    if (reader->sizes == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory to read a checkpoint");
    r = pack_read(reader, record + past_sizes_at(head), reader->sizes, size, err);
    if (r < 0)
        return r;
    for (uint32_t i = 0; i < head->blocks; i++) {
        uint32_t packed = pack_size_of(reader, i);

        if (packed > ZSTD_compressBound(PACK_BLOCK))
            return pack_damaged(reader, "a block is too large", err);
        sum += packed;
    }
    return sum == head->blocks_packed ? 0 : pack_damaged(reader, "its blocks have no end", err);
}

/* Unpacks @packed bytes at @at, which must yield @size bytes. */
static int pack_expand(struct past_reader *reader, uint64_t at, size_t packed, uint8_t *data,
                       size_t size, struct gb_err *err)
{
    int r = pack_read(reader, at, reader->packed, packed, err);

    if (r < 0)
        return r;
    sha256_update(&reader->sha, packed, reader->packed);
    if (ZSTD_decompressDCtx(reader->zstd, data, size, reader->packed, packed) != size)
        return pack_damaged(reader, "a block cannot be unpacked", err);
    return 0;
}

static int pack_read_device(struct past_reader *reader, uint64_t record, struct gb_buf *device,
                            struct gb_err *err)
{
    const struct past_head *head = reader->head;
    _cleanup_(freep) uint8_t *packed = try_calloc(head->device_packed, 1);
    _cleanup_(freep) uint8_t *state = try_calloc(head->device_size, 1);
    int r;

    if (packed == NULL || state == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory to read a checkpoint");
    r = pack_read(reader, record + past_device_at(head), packed, head->device_packed, err);
    if (r < 0)
        return r;
    sha256_update(&reader->sha, head->device_packed, packed);
    if (ZSTD_decompressDCtx(reader->zstd, state, head->device_size, packed, head->device_packed) !=
        head->device_size)
        return pack_damaged(reader, "the state of its devices cannot be unpacked", err);
    if (device != NULL && !gb_buf_try_add(device, state, head->device_size, SIZE_MAX))
        return gb_err_set(err, GB_ECAPACITY, "no memory to read a checkpoint");
    return 0;
}

int past_reader_start(struct past_reader *reader, int fd, uint64_t at, const struct past_head *head,
                      const struct gb_page_range *ranges, struct gb_buf *device, struct gb_err *err)
{
    size_t size = (size_t)(past_device_at(head) - PAST_HEAD);
    _cleanup_(freep) uint8_t *encoded = try_calloc(size + 1, 1);
    int r;

    *reader = (struct past_reader){.fd = fd, .head = head, .ranges = ranges};
    sha256_init(&reader->sha);
    reader->zstd = ZSTD_createDCtx();
    reader->block = malloc(PACK_BLOCK);
    reader->packed = malloc(ZSTD_compressBound(PACK_BLOCK));
    if (encoded == NULL || reader->zstd == NULL || reader->block == NULL || reader->packed == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory to read a checkpoint");
    r = pack_read(reader, at + PAST_HEAD, encoded, size, err);
    if (r == 0) {
        sha256_update(&reader->sha, size, encoded);
        r = pack_read_sizes(reader, at, err);
    }
    if (r == 0)
        r = pack_read_device(reader, at, device, err);
    reader->at = at + past_blocks_at(head);
    return r;
}

static int pack_next_block(struct past_reader *reader, struct gb_err *err)
{
    uint32_t packed = pack_size_of(reader, reader->blocks);
    int r;

    reader->left = past_block_pages(reader->head, reader->blocks);
    reader->taken = 0;
    r = pack_expand(reader, reader->at, packed, reader->block, (size_t)reader->left * PAST_PAGE,
                    err);
    reader->at += packed;
    reader->blocks++;
    return r;
}

/* The reader is after the last block: the sizes, which it has, and the digest follow. */
static int pack_check_digest(struct past_reader *reader, struct gb_err *err)
{
    size_t size = (size_t)reader->head->blocks * PACK_SIZE;
    uint8_t head[PAST_HEAD], digest[PAST_DIGEST], found[PAST_DIGEST];
    int r = pack_read(reader, reader->at + size, found, sizeof(found), err);

    if (r < 0)
        return r;
    past_head_write(reader->head, head);
    sha256_update(&reader->sha, size, reader->sizes);
    sha256_update(&reader->sha, sizeof(head), head);
    sha256_digest(&reader->sha, sizeof(digest), digest);
    if (memcmp(digest, found, sizeof(digest)) != 0)
        return pack_damaged(reader, "its digest does not match", err);
    return 0;
}

int past_reader_next(struct past_reader *reader, struct gb_page_range *ret_range,
                     const uint8_t **ret_data, struct gb_err *err)
{
    const struct gb_page_range *range = reader->ranges + reader->range;
    uint32_t count;
    int r;

    if (reader->left == 0 && reader->blocks == reader->head->blocks)
        return pack_check_digest(reader, err);
    if (reader->left == 0 && (r = pack_next_block(reader, err)) < 0)
        return r;
    count = MIN(reader->left, range->count - reader->offset);
    *ret_range = (struct gb_page_range){range->first + reader->offset, count};
    *ret_data = reader->block + (size_t)reader->taken * PAST_PAGE;
    reader->taken += count;
    reader->left -= count;
    reader->offset += count;
    if (reader->offset == range->count) {
        reader->range++;
        reader->offset = 0;
    }
    return 1;
}

void past_reader_release(struct past_reader *reader)
{
    (void)ZSTD_freeDCtx(reader->zstd);
    free(reader->block);
    free(reader->packed);
    free(reader->sizes);
    *reader = (struct past_reader){.fd = -1};
}
