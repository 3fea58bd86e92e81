/* SPDX-License-Identifier: Apache-2.0 */
#include "past/chain.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "machine/crc32c.h"
#include "past/pack.h"
#include "past/private.h"
#include "platform/file.h"
#include "platform/random.h"

/* The start of a file: these, the key of its records, the lowest unused number when it was created,
 * and a checksum over all that. */
static const uint8_t chain_magic[8] = {'G', 'B', 'C', 'H', 'A', 'I', 'N', 1};

enum {
    CHAIN_KEY_AT = 8,
    CHAIN_NEXT_AT = 16,
    CHAIN_CRC_AT = PAST_CHAIN_START - 4,
    CHAIN_WINDOW = 1 << 20, /* the unit for searching for a head */
    CHAIN_STRAYS_MAX = 1024 /* keys that begin no record: more is not damage, but malice */
};

static void chain_put(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t chain_get(const uint8_t *at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

void gb_chain_close(struct gb_chain *chain)
{
    if (chain == NULL)
        return;
    for (size_t i = 0; i < chain->count; i++)
        free(chain->entries[i].ranges);
    free(chain->entries);
    free(chain->path);
    (void)gb_close(chain->fd);
    free(chain);
}

void past_chain_closep(struct gb_chain **chain)
{
    gb_chain_close(*chain);
}

const struct gb_chain_entry *gb_chain_entries(const struct gb_chain *chain, size_t *ret_count)
{
    *ret_count = chain->count;
    return chain->entries;
}

uint64_t gb_chain_bytes(const struct gb_chain *chain)
{
    return chain->end;
}

struct gb_chain_entry *past_chain_find(const struct gb_chain *chain, uint64_t seq)
{
    size_t low = 0, high = chain->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (chain->entries[middle].head.seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < chain->count && chain->entries[low].head.seq == seq ? chain->entries + low : NULL;
}

const struct gb_chain_entry *gb_chain_find(const struct gb_chain *chain, uint64_t seq)
{
    return past_chain_find(chain, seq);
}

bool gb_chain_is_sound(const struct gb_chain *chain, uint64_t seq)
{
    const struct gb_chain_entry *entry = NULL;

    while (seq != 0) { /* a parent's number is lower */
        const struct gb_chain_entry *child = entry;

        entry = past_chain_find(chain, seq);
        if (entry == NULL || entry->damaged ||
            (child != NULL && child->head.memory_pages != entry->head.memory_pages))
            return false;
        seq = entry->head.parent;
    }
    return true;
}

int past_chain_add(struct gb_chain *chain, const struct past_head *head, uint64_t at,
                   struct gb_page_range *ranges, struct gb_err *err)
{
    if (chain->count == chain->capacity) {
        size_t capacity = 2 * chain->capacity + 16;
        void *entries = realloc(chain->entries, capacity * sizeof(*chain->entries));

        if (entries == NULL) {
            free(ranges);
            return gb_err_set(err, GB_ECAPACITY, "no memory for the list of checkpoints");
        }
        chain->entries = entries;
        chain->capacity = capacity;
    }
    chain->entries[chain->count++] =
        (struct gb_chain_entry){.head = *head, .at = at, .ranges = ranges};
    chain->ranges += head->ranges;
    return 0;
}

static bool chain_is_full(const struct gb_chain *chain, size_t ranges)
{
    return chain->count >= GB_CHAIN_RECORDS_MAX || ranges > GB_CHAIN_RANGES_MAX - chain->ranges;
}

/* 1: all was read; 0: the file ends before that; else a disk error. */
static int chain_read_at(const struct gb_chain *chain, uint64_t at, void *data, size_t size,
                         struct gb_err *err)
{
    uint8_t *to = data;

    while (size > 0) {
        ssize_t n = pread(chain->fd, to, size, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return gb_err_sys(err, errno, "cannot read %s", chain->path);
        if (n == 0)
            return 0;
        to += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return 1;
}

/* Opening. */

/* 1: a complete record starts at @at, and has been added to the list; 0: none. */
static int chain_scan_record(struct gb_chain *chain, uint64_t at, uint64_t file_end,
                             struct gb_err *err)
{
    const uint64_t last = chain->count > 0 ? chain->entries[chain->count - 1].head.seq : 0;
    uint8_t bytes[PAST_HEAD];
    _cleanup_(freep) struct gb_page_range *ranges = NULL;
    _cleanup_(freep) uint8_t *encoded = NULL;
    struct past_head head;
    int r = chain_read_at(chain, at, bytes, sizeof(bytes), err);

    if (r <= 0)
        return r;
    if (past_head_read(bytes, &head, NULL) < 0 || head.key != chain->key || head.seq <= last ||
        past_record_size(&head) > file_end - at)
        return 0;
    if (chain_is_full(chain, head.ranges))
        return gb_err_set(err, GB_EINVALID, "%s has too many checkpoints", chain->path);
    ranges = try_calloc(head.ranges + 1, sizeof(*ranges));
    encoded = try_calloc(head.ranges * sizeof(*ranges) + 1, 1);
    if (ranges == NULL || encoded == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory for the list of checkpoints");
    r = chain_read_at(chain, at + PAST_HEAD, encoded, head.ranges * sizeof(*ranges), err);
    if (r <= 0)
        return r;
    r = past_ranges_read(&head, encoded, ranges, NULL);
    if (r == 0)
        r = past_chain_add(chain, &head, at, TAKE_PTR(ranges), err);
    else
        return 0;
    return r < 0 ? r : 1;
}

/* The next possible position of a head of this file, from @at on; @file_end: none. */
static int chain_search(const struct gb_chain *chain, uint64_t at, uint64_t file_end,
                        uint64_t *ret_at, struct gb_err *err)
{
    _cleanup_(freep) uint8_t *window = xmalloc(CHAIN_WINDOW);
    uint8_t key[8];

    chain_put(key, chain->key, sizeof(key));
    at += PAST_KEY_AT;
    while (at + sizeof(key) <= file_end) {
        size_t size = (size_t)MIN((uint64_t)CHAIN_WINDOW, file_end - at);
        int r = chain_read_at(chain, at, window, size, err);
        const uint8_t *found;

        if (r < 0)
            return r;
        if (r == 0)
            break; /* somebody has cut the file */
        found = memmem(window, size, key, sizeof(key));
        if (found != NULL) {
            *ret_at = at + (uint64_t)(found - window) - PAST_KEY_AT;
            return 0;
        }
        at += size - (sizeof(key) - 1);
    }
    *ret_at = file_end;
    return 0;
}

/* Whether the newest record, whose writer may have died, is complete: 1, 0, or an error. */
static int chain_check_last(const struct gb_chain *chain, struct gb_err *err)
{
    const struct gb_chain_entry *last = chain->entries + chain->count - 1;
    struct past_reader reader;
    struct gb_page_range range;
    const uint8_t *data;
    int r = past_reader_start(&reader, chain->fd, last->at, &last->head, last->ranges, NULL, err);

    while (r >= 0 && (r = past_reader_next(&reader, &range, &data, err)) > 0)
        ;
    past_reader_release(&reader);
    if (r == -GB_EINVALID)
        return 0;
    return r < 0 ? r : 1;
}

/* Fills the list and finds the position for the next record. */
static int chain_scan(struct gb_chain *chain, uint64_t file_end, struct gb_err *err)
{
    uint64_t at = PAST_CHAIN_START;
    unsigned strays = 0;
    int r;

    chain->end = PAST_CHAIN_START;
    while (at < file_end) {
        r = chain_scan_record(chain, at, file_end, err);
        if (r > 0)
            at = chain->end = at + past_record_size(&chain->entries[chain->count - 1].head);
        else if (r == 0 && strays++ == CHAIN_STRAYS_MAX)
            r = gb_err_set(err, GB_EINVALID, "%s is damaged in too many places", chain->path);
        else if (r == 0)
            r = chain_search(chain, at + 1, file_end, &at, err);
        if (r < 0)
            return r;
    }
    /* Nothing readable follows chain->end. */
    if (chain->count > 0)
        chain->next = MAX(chain->next, chain->entries[chain->count - 1].head.seq + 1);
    return 0;
}

/* Drops the last record if it is incomplete. */
static int chain_drop_incomplete(struct gb_chain *chain, struct gb_err *err)
{
    int r = chain->count == 0 ? 1 : chain_check_last(chain, err);

    if (r != 0)
        return r < 0 ? r : 0;
    chain->count--;
    chain->end = chain->entries[chain->count].at;
    chain->ranges -= chain->entries[chain->count].head.ranges;
    free(chain->entries[chain->count].ranges);
    return 0;
}

int past_chain_sync(const struct gb_chain *chain)
{
    return chain->durable ? gb_file_sync_data(chain->fd) : 0;
}

int past_chain_begin(struct gb_chain *chain, struct gb_err *err)
{
    uint8_t start[PAST_CHAIN_START] = {0};
    int r;

    memcpy(start, chain_magic, sizeof(chain_magic));
    chain_put(start + CHAIN_KEY_AT, chain->key, sizeof(chain->key));
    chain_put(start + CHAIN_NEXT_AT, chain->next, sizeof(chain->next));
    chain_put(start + CHAIN_CRC_AT, gb_crc32c(0, start, CHAIN_CRC_AT), 4);
    if (lseek(chain->fd, 0, SEEK_SET) < 0 ||
        gb_fd_write_full(chain->fd, start, sizeof(start)) != (ssize_t)sizeof(start))
        return gb_err_sys(err, errno, "cannot write %s", chain->path);
    r = past_chain_sync(chain);
    if (r < 0)
        return gb_err_sys(err, -r, "cannot write %s to the disk", chain->path);
    chain->end = PAST_CHAIN_START;
    return 0;
}

static int chain_make(struct gb_chain *chain, struct gb_err *err)
{
    int r = gb_random_fill(&chain->key, sizeof(chain->key));

    if (r < 0)
        return gb_err_sys(err, -r, "cannot get a random number");
    chain->next = 1;
    return past_chain_begin(chain, err);
}

/* The key of the file: in its start, and also in its first record. */
static int chain_read_start(struct gb_chain *chain, struct gb_err *err)
{
    uint8_t bytes[PAST_CHAIN_START + PAST_HEAD] = {0};
    struct past_head head;
    int r = chain_read_at(chain, 0, bytes, sizeof(bytes), err);

    if (r < 0)
        return r;
    if (chain_get(bytes + CHAIN_CRC_AT, 4) == gb_crc32c(0, bytes, CHAIN_CRC_AT) &&
        memcmp(bytes, chain_magic, sizeof(chain_magic)) == 0) {
        chain->key = chain_get(bytes + CHAIN_KEY_AT, sizeof(chain->key));
        chain->next = MAX(1, chain_get(bytes + CHAIN_NEXT_AT, sizeof(chain->next)));
        return 0;
    }
    if (past_head_read(bytes + PAST_CHAIN_START, &head, NULL) == 0) {
        chain->key = head.key;
        return 0;
    }
    return gb_err_set(err, GB_EINVALID, "%s does not begin as a chain of checkpoints", chain->path);
}

int past_chain_open_file(const char *path, int flags, struct gb_chain **ret_chain,
                         uint64_t *ret_size, struct gb_err *err)
{
    _cleanup_(past_chain_closep) struct gb_chain *chain = xcalloc(1, sizeof(*chain));
    struct stat info;

    chain->path = xstrdup(path);
    chain->fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags, 0600);
    if (chain->fd < 0 || fstat(chain->fd, &info) < 0)
        return gb_err_sys(err, errno, "cannot open %s", path);
    if (!S_ISREG(info.st_mode) || info.st_uid != geteuid())
        return gb_err_set(err, GB_EINVALID, "%s is not a file of ours", path);
    *ret_size = (uint64_t)info.st_size;
    *ret_chain = TAKE_PTR(chain);
    return 0;
}

int gb_chain_open(const char *path, bool durable, struct gb_chain **ret_chain, struct gb_err *err)
{
    _cleanup_(past_chain_closep) struct gb_chain *chain = NULL;
    uint64_t size;
    int r = past_chain_open_file(path, O_CREAT, &chain, &size, err);

    if (r < 0)
        return r;
    chain->durable = durable;
    if (size < PAST_CHAIN_START) { /* new, or its writer died immediately */
        r = chain_make(chain, err);
    } else {
        r = chain_read_start(chain, err);
        if (r == 0)
            r = chain_scan(chain, size, err);
        if (r == 0)
            r = chain_drop_incomplete(chain, err);
        if (r == 0 && chain->end < size && ftruncate(chain->fd, (off_t)chain->end) < 0)
            r = gb_err_sys(err, errno, "cannot cut %s", path);
    }
    if (r == 0)
        *ret_chain = TAKE_PTR(chain);
    return r;
}

int gb_chain_open_heads(const char *path, bool durable, struct gb_chain **ret_chain,
                        struct gb_err *err)
{
    _cleanup_(past_chain_closep) struct gb_chain *chain = NULL;
    uint64_t size;
    int r = past_chain_open_file(path, 0, &chain, &size, err);

    if (r == 0 && size < PAST_CHAIN_START)
        r = gb_err_set(err, GB_EINVALID, "%s does not begin as a chain of checkpoints", path);
    if (r == 0)
        r = chain_read_start(chain, err);
    if (r == 0)
        r = chain_scan(chain, size, err);
    if (r < 0)
        return r;
    chain->durable = durable;
    chain->has_rest = chain->end < size;
    *ret_chain = TAKE_PTR(chain);
    return 0;
}

/* Appending. */

static uint32_t chain_count_pages(const struct gb_page_range *ranges, size_t count)
{
    uint32_t pages = 0;

    for (size_t i = 0; i < count; i++) {
        assert(ranges[i].count > 0 &&
               (i == 0 || ranges[i].first > ranges[i - 1].first + ranges[i - 1].count));
        pages += ranges[i].count;
    }
    return pages;
}

/* Removes what is half written. */
static int chain_undo(const struct gb_chain *chain, int r)
{
    int saved = errno;

    if (ftruncate(chain->fd, (off_t)chain->end) < 0)
        gb_debug("a chain cannot be cut; its next opening does it: %s", strerror(errno));
    errno = saved;
    return r;
}

static int chain_write(struct gb_chain *chain, const struct gb_chain_checkpoint *checkpoint,
                       struct past_head *head, struct gb_err *err)
{
    struct past_writer writer;
    int r = past_writer_start(&writer, chain->fd, chain->end, head, checkpoint->ranges,
                              checkpoint->device, err);

    if (r == 0)
        r = past_writer_add(&writer, checkpoint->pages, head->pages, err);
    if (r == 0)
        r = past_writer_end(&writer, head, err);
    past_writer_release(&writer);
    if (r < 0)
        return r;
    r = past_chain_sync(chain);
    return r < 0 ? gb_err_sys(err, -r, "cannot write a checkpoint to the disk") : 0;
}

int gb_chain_append(struct gb_chain *chain, const struct gb_chain_checkpoint *checkpoint,
                    uint64_t *ret_seq, struct gb_err *err)
{
    const size_t n = checkpoint->n_ranges;
    struct past_head head = {
        .key = chain->key,
        .seq = chain->next,
        .parent = checkpoint->parent,
        .epoch = checkpoint->epoch,
        .at_ns = checkpoint->at_ns,
        .cell = checkpoint->cell,
        .memory_pages = checkpoint->memory_pages,
        .ranges = (uint32_t)n,
        .pages = chain_count_pages(checkpoint->ranges, n),
    };
    _cleanup_(freep) struct gb_page_range *ranges = NULL;
    int r;

    assert(checkpoint->device.size > 0 && checkpoint->device.size <= PAST_DEVICE_MAX);
    if (checkpoint->parent != 0 && past_chain_find(chain, checkpoint->parent) == NULL)
        return gb_err_set(err, GB_ENOTFOUND, "there is no checkpoint %ju",
                          (uintmax_t)checkpoint->parent);
    if (chain_is_full(chain, n))
        return gb_err_set(err, GB_ETOOLARGE, "a session has too many checkpoints");
    ranges = try_calloc(n + 1, sizeof(*ranges));
    if (ranges == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory for a checkpoint");
    if (n > 0)
        memcpy(ranges, checkpoint->ranges, n * sizeof(*ranges));
    if (chain->has_rest && ftruncate(chain->fd, (off_t)chain->end) < 0)
        return gb_err_sys(err, errno, "cannot cut %s", chain->path);
    chain->has_rest = false;
    r = chain_write(chain, checkpoint, &head, err);
    if (r == 0)
        r = past_chain_add(chain, &head, chain->end, TAKE_PTR(ranges), err);
    if (r < 0)
        return chain_undo(chain, r);
    chain->end += past_record_size(&head);
    chain->next = head.seq + 1;
    *ret_seq = head.seq;
    return 0;
}

/* Reading. */

/* Pages already returned from a newer checkpoint. */
struct chain_seen {
    uint8_t *bits;
    gb_chain_pages_fn *pages;
    void *arg;
};

static bool chain_see(struct chain_seen *seen, uint32_t page)
{
    const uint8_t bit = (uint8_t)(1u << page % 8);
    bool is_new = (seen->bits[page / 8] & bit) == 0;

    seen->bits[page / 8] |= bit;
    return is_new;
}

/* Passes on the part of @range that is new, in runs. */
static int chain_give(struct chain_seen *seen, struct gb_page_range range, const uint8_t *data,
                      struct gb_err *err)
{
    for (uint32_t i = 0; i < range.count;) {
        struct gb_page_range run = {range.first + i, 0};
        const uint8_t *from = data + (size_t)i * PAST_PAGE;
        int r = 0;

        while (i < range.count && chain_see(seen, range.first + i)) {
            run.count++;
            i++;
        }
        if (run.count > 0)
            r = seen->pages(seen->arg, run, from, err);
        else
            i++;
        if (r < 0)
            return r;
    }
    return 0;
}

static int chain_read_entry(struct gb_chain *chain, struct gb_chain_entry *entry,
                            struct chain_seen *seen, struct gb_buf *device, struct gb_err *err)
{
    struct past_reader reader;
    struct gb_page_range range;
    const uint8_t *data;
    int given = 0, r;

    r = past_reader_start(&reader, chain->fd, entry->at, &entry->head, entry->ranges, device, err);
    while (r >= 0 && given >= 0 && (r = past_reader_next(&reader, &range, &data, err)) > 0)
        given = chain_give(seen, range, data, err);
    past_reader_release(&reader);
    entry->damaged = entry->damaged || r == -GB_EINVALID;
    return given < 0 ? given : r;
}

int gb_chain_read(struct gb_chain *chain, uint64_t seq, gb_chain_pages_fn *pages, void *arg,
                  struct gb_buf *device, struct gb_err *err)
{
    struct gb_chain_entry *entry = past_chain_find(chain, seq);
    const uint32_t memory_pages = entry != NULL ? entry->head.memory_pages : 0;
    _cleanup_(freep) uint8_t *bits = try_calloc(memory_pages / 8 + 1, 1);
    struct chain_seen seen = {bits, pages, arg};

    if (entry == NULL)
        return gb_err_set(err, GB_ENOTFOUND, "there is no checkpoint %ju", (uintmax_t)seq);
    if (bits == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory to read a checkpoint");
    for (;;) {
        uint64_t parent = entry->head.parent;
        int r;

        if (entry->damaged)
            return gb_err_set(err, GB_EINVALID, "checkpoint %ju is damaged",
                              (uintmax_t)entry->head.seq);
        if (entry->head.memory_pages != memory_pages)
            return gb_err_set(err, GB_EINVALID, "checkpoint %ju is of another memory",
                              (uintmax_t)entry->head.seq);
        r = chain_read_entry(chain, entry, &seen, entry->head.seq == seq ? device : NULL, err);
        if (r < 0 || parent == 0)
            return r;
        entry = past_chain_find(chain, parent);
        if (entry == NULL)
            return gb_err_set(err, GB_EINVALID, "checkpoint %ju is damaged: its record is lost",
                              (uintmax_t)parent);
    }
}
