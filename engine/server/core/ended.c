/* SPDX-License-Identifier: Apache-2.0 */
#include "ended.h"

#include <stdlib.h>

#include "base/mem.h"

void ended_add(struct ended_ring *ring, const char *id, const char *key, uint32_t incarnation,
               enum gb_end end, const struct gb_err *why)
{
    struct ended *ended = &ring->sessions[ring->next];

    ring->next = (ring->next + 1) % GB_ENDED_MAX;
    free(ended->id);
    free(ended->key);
    ended->id = xstrdup(id);
    ended->key = key == NULL ? NULL : xstrdup(key);
    ended->incarnation = incarnation;
    ended->end = end;
    ended->why = *why;
}

static const struct ended *ended_newest(const struct ended_ring *ring, struct gb_bytes name,
                                        bool by_key)
{
    for (size_t i = 0; i < GB_ENDED_MAX; i++) {
        size_t at = (ring->next + GB_ENDED_MAX - 1 - i) % GB_ENDED_MAX;
        const struct ended *ended = &ring->sessions[at];
        const char *text = by_key ? ended->key : ended->id;

        if (text != NULL && gb_bytes_equal(name, text))
            return ended;
    }
    return NULL;
}

const struct ended *ended_by_id(const struct ended_ring *ring, struct gb_bytes id)
{
    return ended_newest(ring, id, false);
}

const struct ended *ended_by_key(const struct ended_ring *ring, struct gb_bytes key)
{
    return ended_newest(ring, key, true);
}

void ended_forget_id(struct ended_ring *ring, struct gb_bytes id)
{
    for (size_t i = 0; i < GB_ENDED_MAX; i++) {
        struct ended *ended = &ring->sessions[i];

        if (ended->id != NULL && gb_bytes_equal(id, ended->id))
            free(TAKE_PTR(ended->id));
    }
}

void ended_release(struct ended_ring *ring)
{
    for (size_t i = 0; i < GB_ENDED_MAX; i++) {
        free(ring->sessions[i].id);
        free(ring->sessions[i].key);
    }
}
