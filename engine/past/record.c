/* SPDX-License-Identifier: Apache-2.0 */
#include "past/record.h"

#include <string.h>

#include "machine/crc32c.h"

/* "GBPAST", a version, and a byte that text does not contain. */
static const uint8_t record_magic[8] = {'G', 'B', 'P', 'A', 'S', 'T', 1, 0xff};

enum { RECORD_RANGE = 8, RECORD_SIZE = 4, RECORD_CRC_AT = PAST_HEAD - 4, RECORD_EMPTY_AT = 84 };

/* The numbers in a head, in file order, as a table used in both directions. */
#define RECORD_FIELDS(U64, U32)                                                                    \
    U64(key)                                                                                       \
    U64(seq)                                                                                       \
    U64(parent)                                                                                    \
    U64(epoch)                                                                                     \
    U64(at_ns)                                                                                     \
    U64(blocks_packed)                                                                             \
    U32(cell)                                                                                      \
    U32(memory_pages)                                                                              \
    U32(ranges)                                                                                    \
    U32(pages)                                                                                     \
    U32(device_size)                                                                               \
    U32(device_packed)                                                                             \
    U32(blocks)

static uint8_t *record_put(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static uint64_t record_get(const uint8_t **at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value |= (uint64_t) * (*at)++ << (8 * i);
    return value;
}

void past_head_write(const struct past_head *head, uint8_t *bytes)
{
    uint8_t *at = bytes + sizeof(record_magic);

    memset(bytes, 0, PAST_HEAD);
    memcpy(bytes, record_magic, sizeof(record_magic));
#define PUT_U64(name) at = record_put(at, head->name, 8);
#define PUT_U32(name) at = record_put(at, head->name, 4);
    RECORD_FIELDS(PUT_U64, PUT_U32)
#undef PUT_U64
#undef PUT_U32
    (void)record_put(bytes + RECORD_CRC_AT, gb_crc32c(0, bytes, RECORD_CRC_AT), 4);
}

static uint32_t record_blocks(uint32_t pages)
{
    return (pages + PAST_BLOCK_PAGES - 1) / PAST_BLOCK_PAGES;
}

/* A packed block never exceeds zstd's own bound, which is less than this. */
static uint64_t record_packed_max(uint32_t blocks)
{
    return (uint64_t)blocks * 2 * PAST_BLOCK_PAGES * PAST_PAGE;
}

static bool record_is_sane(const struct past_head *head)
{
    return head->seq > 0 && head->parent < head->seq && head->memory_pages > 0 &&
           head->memory_pages <= PAST_PAGES_MAX && head->pages <= head->memory_pages &&
           head->ranges <= head->pages && (head->ranges == 0) == (head->pages == 0) &&
           head->blocks == record_blocks(head->pages) && head->device_size > 0 &&
           head->device_size <= PAST_DEVICE_MAX && head->device_packed > 0 &&
           head->device_packed <= 2 * PAST_DEVICE_MAX &&
           head->blocks_packed <= record_packed_max(head->blocks) &&
           head->blocks_packed >= head->blocks;
}

int past_head_read(const uint8_t *bytes, struct past_head *ret_head, struct gb_err *err)
{
    const uint8_t *at = bytes + RECORD_CRC_AT, zeros[RECORD_CRC_AT - RECORD_EMPTY_AT] = {0};

    if (record_get(&at, 4) != gb_crc32c(0, bytes, RECORD_CRC_AT) ||
        memcmp(bytes, record_magic, sizeof(record_magic)) != 0 ||
        memcmp(bytes + RECORD_EMPTY_AT, zeros, sizeof(zeros)) != 0)
        return gb_err_set(err, GB_EINVALID, "no checkpoint begins here");
    *ret_head = (struct past_head){0};
    at = bytes + sizeof(record_magic);
#define GET_U64(name) ret_head->name = record_get(&at, 8);
#define GET_U32(name) ret_head->name = (uint32_t)record_get(&at, 4);
    RECORD_FIELDS(GET_U64, GET_U32)
#undef GET_U64
#undef GET_U32
    if (!record_is_sane(ret_head))
        return gb_err_set(err, GB_EINVALID, "the head of a checkpoint contradicts itself");
    return 0;
}

uint64_t past_device_at(const struct past_head *head)
{
    return PAST_HEAD + (uint64_t)head->ranges * RECORD_RANGE;
}

uint64_t past_blocks_at(const struct past_head *head)
{
    return past_device_at(head) + head->device_packed;
}

uint64_t past_sizes_at(const struct past_head *head)
{
    return past_blocks_at(head) + head->blocks_packed;
}

uint64_t past_record_size(const struct past_head *head)
{
    return past_sizes_at(head) + (uint64_t)head->blocks * RECORD_SIZE + PAST_DIGEST;
}

uint32_t past_block_pages(const struct past_head *head, uint32_t block)
{
    uint32_t before = block * PAST_BLOCK_PAGES;

    return head->pages - before < PAST_BLOCK_PAGES ? head->pages - before : PAST_BLOCK_PAGES;
}

void past_ranges_write(const struct gb_page_range *ranges, size_t count, uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++) {
        bytes = record_put(bytes, ranges[i].first, 4);
        bytes = record_put(bytes, ranges[i].count, 4);
    }
}

int past_ranges_read(const struct past_head *head, const uint8_t *bytes,
                     struct gb_page_range *ranges, struct gb_err *err)
{
    uint64_t pages = 0, behind = 0; /* the last range */

    for (uint32_t i = 0; i < head->ranges; i++) {
        struct gb_page_range range;

        range.first = (uint32_t)record_get(&bytes, 4);
        range.count = (uint32_t)record_get(&bytes, 4);
        if (range.count == 0 || (i > 0 && range.first <= behind) ||
            (uint64_t)range.first + range.count > head->memory_pages)
            return gb_err_set(err, GB_EINVALID, "the pages of a checkpoint are out of order");
        behind = (uint64_t)range.first + range.count;
        pages += range.count;
        ranges[i] = range;
    }
    if (pages != head->pages)
        return gb_err_set(err, GB_EINVALID, "a checkpoint has %ju pages, and not %u",
                          (uintmax_t)pages, head->pages);
    return 0;
}
