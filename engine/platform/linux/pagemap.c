/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/pagemap.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* From <linux/fs.h>, which is older than the kernel on some systems. */
struct pagemap_region {
    uint64_t start, end, categories;
};
struct pagemap_scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define PAGEMAP_SCAN_ _IOWR('f', 16, struct pagemap_scan)
enum { PAGEMAP_PROTECT = 1 << 0, PAGEMAP_CHECK_ASYNC = 1 << 1 }; /* flags */
enum {
    PAGE_IS_WRITTEN = 1 << 1,
    PAGE_IS_FILE = 1 << 2,
    PAGE_IS_PRESENT = 1 << 3,
    PAGE_IS_SWAPPED = 1 << 4
};

/* An entry of the file. */
#define PAGEMAP_DIRTY (UINT64_C(1) << 55)
#define PAGEMAP_FILE (UINT64_C(1) << 61)
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)

enum { PAGEMAP_REGIONS = 512, PAGEMAP_ENTRIES = 4096 };

/* Adds a range, or extends the last one. */
static int pagemap_add(struct gb_buf *ranges, size_t begin, uint32_t first, uint32_t count)
{
    struct gb_page_range range = {first, count};

    if (ranges->size > begin) {
        struct gb_page_range last;
        uint8_t *at = ranges->memory + ranges->start + ranges->size - sizeof(last);

        memcpy(&last, at, sizeof(last));
        if (last.first + last.count == first) {
            last.count += count;
            memcpy(at, &last, sizeof(last));
            return 0;
        }
    }
    return gb_buf_try_add(ranges, &range, sizeof(range), SIZE_MAX) ? 0 : -ENOMEM;
}

/* @also: categories that the pages have as well. */
static int pagemap_scan_for(int fd, uint64_t start, uint32_t pages, uint64_t flags, uint64_t also,
                            struct gb_buf *ranges)
{
    struct pagemap_region regions[PAGEMAP_REGIONS];
    const size_t begin = ranges->size;
    struct pagemap_scan scan = {
        .size = sizeof(scan),
        .flags = flags,
        .start = start,
        .end = start + (uint64_t)pages * GB_PAGE,
        .vec = (uintptr_t)regions,
        .vec_len = PAGEMAP_REGIONS,
        .category_inverted = PAGE_IS_FILE,
        .category_mask = PAGE_IS_FILE | also,
        .category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
        .return_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
    };

    while (scan.start < scan.end) {
        int n = ioctl(fd, PAGEMAP_SCAN_, &scan);
        int r = 0;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        for (int i = 0; r == 0 && i < n; i++)
            r = pagemap_add(ranges, begin, (uint32_t)((regions[i].start - start) / GB_PAGE),
                            (uint32_t)((regions[i].end - regions[i].start) / GB_PAGE));
        if (r < 0)
            return r;
        if (scan.walk_end <= scan.start)
            return -EIO; /* without progress we would loop for ever */
        scan.start = scan.walk_end;
    }
    return 0;
}

int pagemap_scan(int fd, uint64_t start, uint32_t pages, struct gb_buf *ranges)
{
    return pagemap_scan_for(fd, start, pages, 0, 0, ranges);
}

int pagemap_scan_written(int fd, uint64_t start, uint32_t pages, struct gb_buf *ranges)
{
    return pagemap_scan_for(fd, start, pages, PAGEMAP_PROTECT | PAGEMAP_CHECK_ASYNC,
                            PAGE_IS_WRITTEN, ranges);
}

static bool pagemap_is_private(uint64_t entry)
{
    return (entry & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) != 0 && (entry & PAGEMAP_FILE) == 0;
}

/* Private pages that have all bits of @also. */
static int pagemap_read_for(int fd, uint64_t start, uint32_t pages, uint64_t also,
                            struct gb_buf *ranges)
{
    uint64_t entries[PAGEMAP_ENTRIES];
    const size_t begin = ranges->size;

    for (uint32_t at = 0; at < pages;) {
        size_t most = pages - at < PAGEMAP_ENTRIES ? pages - at : PAGEMAP_ENTRIES;
        off_t place = (off_t)((start / GB_PAGE + at) * sizeof(entries[0]));
        ssize_t n = pread(fd, entries, most * sizeof(entries[0]), place);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if ((size_t)n < sizeof(entries[0]))
            return -EIO; /* the process has ended */
        for (size_t i = 0; i < (size_t)n / sizeof(entries[0]); i++, at++) {
            const bool found = pagemap_is_private(entries[i]) && (entries[i] & also) == also;
            int r = found ? pagemap_add(ranges, begin, at, 1) : 0;

            if (r < 0)
                return r;
        }
    }
    return 0;
}

int pagemap_read(int fd, uint64_t start, uint32_t pages, struct gb_buf *ranges)
{
    return pagemap_read_for(fd, start, pages, 0, ranges);
}

int pagemap_read_dirty(int fd, uint64_t start, uint32_t pages, struct gb_buf *ranges)
{
    return pagemap_read_for(fd, start, pages, PAGEMAP_DIRTY, ranges);
}
