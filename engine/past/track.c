/* SPDX-License-Identifier: Apache-2.0 */
#include "past/track.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/mem.h"
#include "platform/random.h"

/* Of a page's content; zeroed: it was not private before, and is as in the base. */
struct track_hash {
    uint64_t low, high;
};

/* A page that the last look found to be new. */
struct track_news {
    uint32_t page;
    struct track_hash hash;
};

struct gb_track {
    uint32_t pages;
    int base_fd;
    uint64_t seed;
    enum gb_memory_way way;
    bool is_watched, verifies;
    uint8_t *pending; /* a bit for each page that may have changed since the last commit */
    bool has_pending;
    struct track_hash *known; /* for each page */
    struct gb_buf looked;     /* ranges copied by the last look */
    struct gb_buf changed;    /* those of them that changed */
    struct gb_buf news;       /* struct track_news, of all pages with a new hash */
    uint8_t *data;
    size_t capacity; /* of data */
};

struct gb_track *gb_track_new(uint32_t pages, int base_fd, enum gb_memory_way way)
{
    struct gb_track *track = xcalloc(1, sizeof(*track));

    track->pages = pages;
    track->base_fd = base_fd;
    track->way = way;
    track->known = try_calloc(pages, sizeof(*track->known));
    track->pending = try_calloc(pages / 8 + 1, 1);
    if (track->known == NULL || track->pending == NULL ||
        gb_random_fill(&track->seed, sizeof(track->seed)) < 0) {
        gb_track_free(track);
        return NULL;
    }
    return track;
}

void gb_track_verify(struct gb_track *track)
{
    track->verifies = true;
}

void gb_track_free(struct gb_track *track)
{
    if (track == NULL)
        return;
    free(track->known);
    free(track->pending);
    free(track->data);
    gb_buf_release(&track->looked);
    gb_buf_release(&track->changed);
    gb_buf_release(&track->news);
    free(track);
}

static const struct gb_page_range *track_ranges(const struct gb_buf *buf, size_t *ret_count)
{
    /* Allocated by malloc() and nothing consumed: aligned. */
    *ret_count = buf->size / sizeof(struct gb_page_range);
    return (const void *)gb_buf_data(buf);
}

static uint64_t track_count(const struct gb_buf *buf)
{
    size_t count;
    const struct gb_page_range *ranges = track_ranges(buf, &count);
    uint64_t pages = 0;

    for (size_t i = 0; i < count; i++)
        pages += ranges[i].count;
    return pages;
}

/* Room for @size bytes. Memory for a large look is freed by the next small one. */
static int track_reserve(struct gb_track *track, size_t size, struct gb_err *err)
{
    if (size <= track->capacity && size >= track->capacity / 4)
        return 0;
    free(track->data);
    track->capacity = 0;
    track->data = malloc(size + 1);
    if (track->data == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory for %zu bytes of a checkpoint", size);
    track->capacity = size;
    return 0;
}

static bool track_is_pending(const struct gb_track *track, uint32_t page)
{
    return (track->pending[page / 8] & 1u << page % 8) != 0;
}

static void track_add_pending(struct gb_track *track, const struct gb_buf *buf)
{
    size_t count;
    const struct gb_page_range *ranges = track_ranges(buf, &count);

    for (size_t i = 0; i < count; i++)
        for (uint32_t page = ranges[i].first; page - ranges[i].first < ranges[i].count; page++)
            track->pending[page / 8] |= (uint8_t)(1u << page % 8);
    track->has_pending = track->has_pending || count > 0;
}

static int track_add(struct gb_buf *buf, uint32_t page, struct gb_err *err)
{
    struct gb_page_range range = {page, 1};

    if (buf->size > 0) {
        struct gb_page_range *last = (void *)(buf->memory + buf->start + buf->size - sizeof(range));

        if (last->first + last->count == page) {
            last->count++;
            return 0;
        }
    }
    if (!gb_buf_try_add(buf, &range, sizeof(range), SIZE_MAX))
        return gb_err_set(err, GB_ECAPACITY, "no memory for the pages of a checkpoint");
    return 0;
}

/* All private pages, and everything that is written from now on will be known: first followed, then
 * found, because the process may write to more pages meanwhile. */
static int track_find_all(struct gb_track *track, const struct gb_memory *memory,
                          struct gb_err *err)
{
    const bool is_watched =
        track->way != GB_MEMORY_BY_CONTENT && gb_memory_watch(memory, track->way, NULL) == 0;
    int r = gb_memory_private(memory, &track->looked, err);

    track_add_pending(track, &track->looked);
    track->is_watched = is_watched && r == 0;
    return r;
}

/* Sets `looked`. What is pending stays so if the look fails later. */
static int track_find(struct gb_track *track, const struct gb_memory *memory, struct gb_err *err)
{
    const bool had_pending = track->has_pending;

    if (!track->is_watched)
        return track_find_all(track, memory, err);
    if (gb_memory_changed(memory, track->way, &track->looked, NULL) < 0) {
        gb_buf_clear(&track->looked);
        return track_find_all(track, memory, err);
    }
    track_add_pending(track, &track->looked);
    if (track->verifies) {
        gb_buf_clear(&track->looked);
        return gb_memory_private(memory, &track->looked, err);
    }
    if (!had_pending)
        return 0;
    gb_buf_clear(&track->looked);
    for (uint32_t page = 0; page < track->pages; page++)
        if (track_is_pending(track, page) && track_add(&track->looked, page, err) < 0)
            return -GB_ECAPACITY;
    return 0;
}

int gb_track_look(struct gb_track *track, const struct gb_memory *memory, size_t limit,
                  struct gb_err *err)
{
    const struct gb_page_range *ranges;
    uint64_t size;
    size_t count;
    int r;

    assert(memory->pages == track->pages);
    gb_buf_clear(&track->looked);
    gb_buf_clear(&track->changed);
    gb_buf_clear(&track->news);
    r = track_find(track, memory, err);
    size = track_count(&track->looked) * GB_PAGE;
    if (r == 0 && size > limit)
        r = gb_err_set(err, GB_ETOOLARGE, "a checkpoint would copy %ju MB, more than %zu MB",
                       (uintmax_t)(size >> 20), limit >> 20);
    if (r == 0)
        r = track_reserve(track, (size_t)size, err);
    ranges = track_ranges(&track->looked, &count);
    if (r == 0)
        r = gb_memory_read(memory, ranges, count, track->data, err);
    if (r < 0)
        gb_buf_clear(&track->looked);
    return r;
}

void gb_track_distrust(struct gb_track *track)
{
    /* Its bits are read, and then cleared. */
    if (track->way == GB_MEMORY_BY_SOFT_DIRTY)
        track->is_watched = false;
}

uint64_t gb_track_copied(const struct gb_track *track)
{
    return track_count(&track->looked) * GB_PAGE;
}

static struct track_hash track_hash(const struct gb_track *track, const uint8_t *page)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(page, GB_PAGE, track->seed);

    /* Never equal to that of an unknown page. */
    return (struct track_hash){hash.low64 | 1, hash.high64};
}

/* Whether the page equals that in the base: 1, 0, or an error. */
static int track_is_base(const struct gb_track *track, uint32_t page, const uint8_t *content,
                         struct gb_err *err)
{
    uint8_t base[GB_PAGE] = {0};
    size_t got = 0;

    while (got < sizeof(base)) {
        ssize_t n = pread(track->base_fd, base + got, sizeof(base) - got,
                          (off_t)page * GB_PAGE + (off_t)got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return gb_err_sys(err, n < 0 ? errno : EIO, "cannot read the base of a session");
        got += (size_t)n;
    }
    return memcmp(base, content, sizeof(base)) == 0;
}

/* 1: the page has changed; 0: it has not; or an error. */
static int track_judge(struct gb_track *track, uint32_t page, const uint8_t *content,
                       struct gb_err *err)
{
    const struct track_hash *known = track->known + page;
    struct track_news news = {page, track_hash(track, content)};
    int same = 0;

    if (known->low == news.hash.low && known->high == news.hash.high)
        return 0;
    if (known->low == 0)
        same = track_is_base(track, page, content, err);
    if (same < 0)
        return same;
    if (track->verifies && !same && !track_is_pending(track, page))
        return gb_err_set(err, GB_EINTERNAL, "page %u has changed, and was not found by %s",
                          (unsigned)page, gb_memory_way_name(track->way));
    if (!gb_buf_try_add(&track->news, &news, sizeof(news), SIZE_MAX))
        return gb_err_set(err, GB_ECAPACITY, "no memory for the pages of a checkpoint");
    return !same;
}

int gb_track_sort(struct gb_track *track, struct gb_track_changes *ret_changes, struct gb_err *err)
{
    const struct gb_page_range *ranges;
    const uint8_t *from = track->data;
    uint8_t *to = track->data;
    uint32_t pages = 0;
    size_t count;

    ranges = track_ranges(&track->looked, &count);
    for (size_t i = 0; i < count; i++) {
        for (uint32_t page = ranges[i].first; page - ranges[i].first < ranges[i].count; page++) {
            int r = track_judge(track, page, from, err);

            if (r > 0 && track_add(&track->changed, page, err) < 0)
                r = -GB_ECAPACITY;
            if (r < 0)
                return r;
            if (r > 0) {
                if (to != from)
                    memcpy(to, from, GB_PAGE);
                to += GB_PAGE;
                pages++;
            }
            from += GB_PAGE;
        }
    }
    gb_buf_clear(&track->looked); /* they are mixed up now */
    *ret_changes = (struct gb_track_changes){.pages = pages, .data = track->data};
    ret_changes->ranges = track_ranges(&track->changed, &ret_changes->n_ranges);
    return 0;
}

void gb_track_learn(struct gb_track *track, struct gb_page_range range, const uint8_t *data)
{
    assert(range.first < track->pages && range.count <= track->pages - range.first);
    for (uint32_t i = 0; i < range.count; i++)
        track->known[range.first + i] = track_hash(track, data + (size_t)i * GB_PAGE);
}

void gb_track_commit(struct gb_track *track)
{
    const struct track_news *news = (const void *)gb_buf_data(&track->news);

    for (size_t i = 0; i < track->news.size / sizeof(*news); i++)
        track->known[news[i].page] = news[i].hash;
    gb_buf_clear(&track->news);
    memset(track->pending, 0, track->pages / 8 + 1);
    track->has_pending = false;
}

void gb_track_rest(struct gb_track *track)
{
    free(track->data);
    track->data = NULL;
    track->capacity = 0;
    gb_buf_release(&track->looked);
    gb_buf_release(&track->changed);
    gb_buf_release(&track->news);
}
