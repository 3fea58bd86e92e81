/* SPDX-License-Identifier: Apache-2.0 */
/* Removing checkpoints: those to keep are written into a new file. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "past/pack.h"
#include "past/private.h"

/* How many are merged into one at a time; each takes two blocks of memory. */
enum { COMPACT_SOURCES_MAX = 8 };

/* What happens to a checkpoint. */
struct compact_fate {
    bool is_sound, stays;
    size_t parent;   /* index + 1 of the next one kept on the way to the base; 0: the base */
    unsigned behind; /* how many are removed between it and that one */
};

/* The numbers of those to keep, ascending. */
struct compact_kept {
    uint64_t *seqs;
    size_t count;
};

/* One of the checkpoints whose pages are merged into a new record. */
struct compact_source {
    struct past_reader reader;
    struct gb_chain_entry *entry;
    struct gb_page_range range; /* the current one; count 0: no more */
    const uint8_t *data;
};

struct compact_merge {
    struct compact_source *sources; /* newest first */
    size_t count;
};

static int compact_compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

static bool compact_wants(const struct compact_kept *kept, uint64_t seq)
{
    return bsearch(&seq, kept->seqs, kept->count, sizeof(seq), compact_compare) != NULL;
}

/* Parents have lower numbers, so each is decided before its children. If too many are to be removed
 * in a row, some of them stay, and *@ret_more is set. */
static struct compact_fate *compact_decide(const struct gb_chain *chain,
                                           const struct compact_kept *kept, bool *ret_more)
{
    struct compact_fate *fates = try_calloc(chain->count + 1, sizeof(*fates));

    *ret_more = false;
    for (size_t i = 0; fates != NULL && i < chain->count; i++) {
        const struct gb_chain_entry *entry = chain->entries + i;
        const struct gb_chain_entry *parent = past_chain_find(chain, entry->head.parent);
        const size_t at = parent != NULL ? (size_t)(parent - chain->entries) : 0;
        struct compact_fate *fate = fates + i;

        fate->is_sound = !entry->damaged;
        if (entry->head.parent != 0) {
            fate->is_sound = fate->is_sound && parent != NULL && fates[at].is_sound &&
                             parent->head.memory_pages == entry->head.memory_pages;
            fate->parent = fate->is_sound && fates[at].stays ? at + 1 : fates[at].parent;
            fate->behind = fates[at].stays ? 0 : fates[at].behind + 1;
        }
        fate->stays = fate->is_sound && compact_wants(kept, entry->head.seq);
        if (fate->is_sound && !fate->stays && fate->behind + 1 >= COMPACT_SOURCES_MAX)
            fate->stays = *ret_more = true;
    }
    return fates;
}

static void compact_merge_release(struct compact_merge *merge)
{
    for (size_t i = 0; i < merge->count; i++)
        past_reader_release(&merge->sources[i].reader);
    free(merge->sources);
    *merge = (struct compact_merge){0};
}

static int compact_advance(struct compact_source *source, struct gb_err *err)
{
    int r = past_reader_next(&source->reader, &source->range, &source->data, err);

    if (r == 0)
        source->range = (struct gb_page_range){0};
    source->entry->damaged = source->entry->damaged || r == -GB_EINVALID;
    return r;
}

/* Opens @entry and all those between it and @parent (0: the base). The device state is its own. */
static int compact_merge_start(struct compact_merge *merge, const struct gb_chain *chain,
                               struct gb_chain_entry *entry, uint64_t parent, struct gb_buf *device,
                               struct gb_err *err)
{
    size_t count = 0;
    int r = 0;

    for (struct gb_chain_entry *at = entry; at != NULL && at->head.seq != parent;
         at = past_chain_find(chain, at->head.parent))
        count++;
    merge->sources = try_calloc(count, sizeof(*merge->sources));
    if (merge->sources == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory to join checkpoints");
    for (size_t i = 0; r >= 0 && i < count; i++) {
        struct compact_source *source = merge->sources + i;

        source->entry = entry;
        r = past_reader_start(&source->reader, chain->fd, entry->at, &entry->head, entry->ranges,
                              i == 0 ? device : NULL, err);
        entry->damaged = entry->damaged || r == -GB_EINVALID;
        merge->count++;
        if (r >= 0)
            r = compact_advance(source, err);
        entry = past_chain_find(chain, entry->head.parent);
    }
    return r < 0 ? r : 0;
}

/* Copies the next page of any of them, in its newest version: 1; 0: no more. */
static int compact_merge_next(struct compact_merge *merge, uint8_t *page, struct gb_err *err)
{
    const struct compact_source *newest = NULL;
    uint32_t number;

    for (size_t i = 0; i < merge->count; i++) {
        const struct compact_source *source = merge->sources + i;

        if (source->range.count > 0 &&
            (newest == NULL || source->range.first < newest->range.first))
            newest = source;
    }
    if (newest == NULL)
        return 0;
    number = newest->range.first;
    memcpy(page, newest->data, PAST_PAGE);
    for (size_t i = 0; i < merge->count; i++) {
        struct compact_source *source = merge->sources + i;
        int r = 1;

        if (source->range.count == 0 || source->range.first != number)
            continue;
        source->range.first++;
        source->range.count--;
        source->data += PAST_PAGE;
        if (source->range.count == 0)
            r = compact_advance(source, err);
        if (r < 0)
            return r;
    }
    return 1;
}

/* The pages of all sources, each once, in order. The heads give the maximum number. Gives. */
static struct gb_page_range *compact_unite(const struct compact_merge *merge, uint32_t memory_pages,
                                           struct past_head *head)
{
    _cleanup_(freep) uint8_t *bits = try_calloc(memory_pages / 8 + 1, 1);
    struct gb_page_range *ranges;
    uint32_t most = 0, end = 0;

    for (size_t i = 0; bits != NULL && i < merge->count; i++) {
        const struct gb_chain_entry *entry = merge->sources[i].entry;

        most += entry->head.ranges;
        if (entry->head.ranges > 0)
            end = MAX(end, entry->ranges[entry->head.ranges - 1].first +
                               entry->ranges[entry->head.ranges - 1].count);
        for (uint32_t j = 0; j < entry->head.ranges; j++) {
            for (uint32_t k = 0; k < entry->ranges[j].count; k++) {
                const uint32_t page = entry->ranges[j].first + k;

                bits[page / 8] |= (uint8_t)(1u << page % 8);
            }
        }
    }
    ranges = bits != NULL ? try_calloc((size_t)most + 1, sizeof(*ranges)) : NULL;
    head->ranges = head->pages = 0;
    for (uint32_t page = 0, run = 0; ranges != NULL && page < end; page++) {
        if ((bits[page / 8] & 1u << page % 8) == 0) {
            run = 0;
            continue;
        }
        if (run++ == 0)
            ranges[head->ranges++].first = page;
        ranges[head->ranges - 1].count = run;
        head->pages++;
    }
    return ranges;
}

static int compact_write_merged(struct gb_chain *into, struct compact_merge *merge,
                                struct past_head *head, const struct gb_page_range *ranges,
                                struct gb_bytes device, struct gb_err *err)
{
    struct past_writer writer;
    uint8_t page[PAST_PAGE];
    int r = past_writer_start(&writer, into->fd, into->end, head, ranges, device, err);
    int more = 1;

    while (r == 0 && (more = compact_merge_next(merge, page, err)) > 0)
        r = past_writer_add(&writer, page, 1, err);
    if (r == 0)
        r = more < 0 ? more : past_writer_end(&writer, head, err);
    past_writer_release(&writer);
    return r;
}

/* Writes @entry after the content of @into, based on @parent. */
static int compact_put(struct gb_chain *into, const struct gb_chain *chain,
                       struct gb_chain_entry *entry, uint64_t parent, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf device = {0};
    _cleanup_(compact_merge_release) struct compact_merge merge = {0};
    _cleanup_(freep) struct gb_page_range *ranges = NULL;
    struct past_head head = entry->head;
    int r = compact_merge_start(&merge, chain, entry, parent, &device, err);

    if (r < 0)
        return r;
    head.parent = parent;
    ranges = compact_unite(&merge, head.memory_pages, &head);
    if (ranges == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory to join checkpoints");
    r = compact_write_merged(into, &merge, &head, ranges, gb_buf_bytes(&device), err);
    if (r == 0)
        r = past_chain_add(into, &head, into->end, TAKE_PTR(ranges), err);
    if (r == 0)
        into->end += past_record_size(&head);
    return r;
}

static int compact_put_all(struct gb_chain *into, struct gb_chain *chain,
                           const struct compact_fate *fates, struct gb_err *err)
{
    int r = past_chain_begin(into, err);

    for (size_t i = 0; r == 0 && i < chain->count; i++) {
        size_t parent = fates[i].parent;

        if (fates[i].stays)
            r = compact_put(into, chain, chain->entries + i,
                            parent > 0 ? chain->entries[parent - 1].head.seq : 0, err);
    }
    if (r < 0)
        return r;
    r = past_chain_sync(into);
    return r < 0 ? gb_err_sys(err, -r, "cannot write checkpoints to the disk") : 0;
}

static int compact_sync_folder(const char *path, struct gb_err *err)
{
    _cleanup_(freep) char *copy = xstrdup(path);
    _cleanup_(closep) int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return gb_err_sys(err, errno, "cannot sync the folder of %s", path);
    return 0;
}

/* @from replaces the chain, and its file the file. */
static int compact_put_in_place(struct gb_chain *chain, struct gb_chain *from, struct gb_err *err)
{
    struct gb_chain old = *chain;

    if (rename(from->path, chain->path) < 0)
        return gb_err_sys(err, errno, "cannot put %s into its place", from->path);
    *chain = *from;
    chain->path = old.path;
    old.path = from->path;
    *from = old; /* closed by the caller */
    return chain->durable ? compact_sync_folder(chain->path, err) : 0;
}

/* One pass. -GB_EINVALID: a checkpoint was found to be damaged, and marked as such. *@ret_more:
 * another one is needed. */
static int compact_try(struct gb_chain *chain, const char *path, const struct compact_kept *kept,
                       bool *ret_more, struct gb_err *err)
{
    _cleanup_(freep) struct compact_fate *fates = compact_decide(chain, kept, ret_more);
    _cleanup_(past_chain_closep) struct gb_chain *into = NULL;
    uint64_t size;
    int r;

    if (fates == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory to sort out checkpoints");
    (void)unlink(path); /* left by a process that died */
    r = past_chain_open_file(path, O_CREAT | O_EXCL, &into, &size, err);
    if (r < 0)
        return r;
    into->durable = chain->durable;
    into->key = chain->key;
    into->next = chain->next;
    r = compact_put_all(into, chain, fates, err);
    return r == 0 ? compact_put_in_place(chain, into, err) : r;
}

static size_t compact_count_damaged(const struct gb_chain *chain)
{
    size_t count = 0;

    for (size_t i = 0; i < chain->count; i++)
        count += chain->entries[i].damaged;
    return count;
}

int gb_chain_compact(struct gb_chain *chain,
                     bool (*keep)(void *arg, const struct gb_chain_entry *entry), void *arg,
                     struct gb_err *err)
{
    _cleanup_(freep) char *path = xasprintf("%s.new", chain->path);
    _cleanup_(freep) uint64_t *seqs = try_calloc(chain->count + 1, sizeof(*seqs));
    struct compact_kept kept = {.seqs = seqs};
    size_t damaged;
    bool more;
    int r;

    if (seqs == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory to sort out checkpoints");
    for (size_t i = 0; i < chain->count; i++)
        if (keep(arg, chain->entries + i))
            seqs[kept.count++] = chain->entries[i].head.seq;
    do {
        damaged = compact_count_damaged(chain);
        r = compact_try(chain, path, &kept, &more, err);
    } while ((r == 0 && more) || (r == -GB_EINVALID && compact_count_damaged(chain) > damaged));
    if (r < 0)
        (void)unlink(path);
    return r;
}
