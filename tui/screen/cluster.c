/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/cluster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CURSOR_SAVE                                                                                \
    "\x1b"                                                                                         \
    "7"
#define CURSOR_RESTORE                                                                             \
    "\x1b"                                                                                         \
    "8"
#define WRAP_OFF "\x1b[?7l"
#define WRAP_ON "\x1b[?7h"
#define STRIKE_ON "\x1b[9m"
#define STRIKE_OFF "\x1b[29m"

enum {
    SIGN_BYTES = 4,   /* of a plane 15 character in UTF-8 */
    SIGN_LEAD = 0xf3, /* its first byte, which characters of no other assigned plane have */
    CAPACITY_FIRST = 64,
};

void clusters_release(struct clusters *clusters)
{
    free(clusters->items);
    free(clusters->slots);
    *clusters = (struct clusters){0};
}

void clusters_clear(struct clusters *clusters)
{
    clusters->count = 0;
    if (clusters->slot_count > 0)
        memset(clusters->slots, 0, clusters->slot_count * sizeof(*clusters->slots));
}

static size_t cluster_hash(const struct cluster *cluster)
{
    uint64_t words[2], hash;

    static_assert(sizeof(words) == sizeof(cluster->text), "the text is two words");
    memcpy(words, cluster->text, sizeof(words));
    hash = (words[0] ^ cluster->flags) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 32 ^ words[1]) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 32 ^ cluster->picture) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 32);
}

/* The slot of an equal cluster, or where to insert it. */
static size_t cluster_slot(const struct clusters *clusters, const struct cluster *cluster)
{
    size_t slot = cluster_hash(cluster) & (clusters->slot_count - 1);

    while (clusters->slots[slot] != 0 &&
           memcmp(&clusters->items[clusters->slots[slot] - 1], cluster, sizeof(*cluster)) != 0)
        slot = (slot + 1) & (clusters->slot_count - 1);
    return slot;
}

/* Doubles the size, so that at most half of the slots are used. */
static void clusters_grow(struct clusters *clusters)
{
    struct cluster *items;

    clusters->capacity = MAX(2 * clusters->capacity, (size_t)CAPACITY_FIRST);
    clusters->slot_count = 2 * clusters->capacity;
    items = xcalloc(clusters->capacity, sizeof(*items));
    if (clusters->count > 0)
        memcpy(items, clusters->items, clusters->count * sizeof(*items));
    free(clusters->items);
    clusters->items = items;
    free(clusters->slots);
    clusters->slots = xcalloc(clusters->slot_count, sizeof(*clusters->slots));
    for (size_t i = 0; i < clusters->count; i++)
        clusters->slots[cluster_slot(clusters, &clusters->items[i])] = (uint32_t)i + 1;
}

wchar_t cluster_sign(struct clusters *clusters, const struct cluster *cluster)
{
    size_t slot;

    if (clusters->count == clusters->capacity && clusters->count < CLUSTERS_MAX)
        clusters_grow(clusters);
    slot = cluster_slot(clusters, cluster);
    if (clusters->slots[slot] == 0) {
        if (clusters->count == CLUSTERS_MAX)
            return 0;
        clusters->items[clusters->count++] = *cluster;
        clusters->slots[slot] = (uint32_t)clusters->count;
    }
    return (wchar_t)(CLUSTER_FIRST + clusters->slots[slot] - 1);
}

/* The cluster whose character is at @bytes; NULL: none. */
static const struct cluster *cluster_at(const struct clusters *clusters, struct gb_bytes bytes)
{
    size_t index;

    if (bytes.size < SIGN_BYTES || bytes.data[0] != SIGN_LEAD || bytes.data[1] < 0xb0)
        return NULL;
    index = (size_t)(bytes.data[1] & 0x0f) << 12 | (size_t)(bytes.data[2] & 0x3f) << 6 |
            (bytes.data[3] & 0x3f);
    return index < clusters->count ? &clusters->items[index] : NULL;
}

static void cluster_expand(const struct cluster *cluster, bool *struck, struct gb_buf *out)
{
    bool strike = (cluster->flags & CLUSTER_STRUCK) != 0;

    if (strike != *struck)
        gb_buf_adds(out, strike ? STRIKE_ON : STRIKE_OFF);
    *struck = strike;
    if ((cluster->flags & CLUSTER_HELD) != 0)
        gb_buf_adds(out, CURSOR_SAVE);
    if ((cluster->flags & CLUSTER_WIDE) != 0)
        gb_buf_adds(out, "  " CURSOR_RESTORE);
    if ((cluster->flags & CLUSTER_EDGE) != 0)
        gb_buf_adds(out, WRAP_OFF);
    gb_buf_add(out, cluster->text, cluster->size);
    if ((cluster->flags & CLUSTER_EDGE) != 0)
        gb_buf_adds(out, WRAP_ON);
    if ((cluster->flags & CLUSTER_HELD) != 0)
        gb_buf_adds(out, CURSOR_RESTORE);
    if ((cluster->flags & (CLUSTER_HELD | CLUSTER_RIGHT)) != 0)
        gb_buf_adds(out, "\x1b[C");
}

void clusters_expand(const struct clusters *clusters, struct gb_bytes bytes, struct gb_buf *out,
                     void (*drawn)(void *arg, uint64_t picture), void *arg)
{
    bool struck = false;

    while (bytes.size > 0) {
        const struct cluster *cluster = cluster_at(clusters, bytes);
        size_t used = SIGN_BYTES;

        if (cluster != NULL) {
            cluster_expand(cluster, &struck, out);
            if (cluster->picture != 0 && drawn != NULL)
                drawn(arg, cluster->picture);
        } else {
            const uint8_t *next = memchr(bytes.data + 1, SIGN_LEAD, bytes.size - 1);

            used = next != NULL ? (size_t)(next - bytes.data) : bytes.size;
            if (struck)
                gb_buf_adds(out, STRIKE_OFF);
            struck = false;
            gb_buf_add(out, bytes.data, used);
        }
        bytes.data += used;
        bytes.size -= used;
    }
    if (struck)
        gb_buf_adds(out, STRIKE_OFF);
}
