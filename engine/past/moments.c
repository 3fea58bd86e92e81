/* SPDX-License-Identifier: Apache-2.0 */
#include "past/moments.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void past_moments_release(struct past_moments *moments)
{
    for (size_t i = 0; i < moments->count; i++)
        free(moments->list[i].name);
    free(moments->list);
    *moments = (struct past_moments){0};
}

struct gb_past_moment *past_moments_find(const struct past_moments *moments, uint64_t seq)
{
    for (size_t i = 0; i < moments->count; i++)
        if (moments->list[i].seq == seq)
            return moments->list + i;
    return NULL;
}

void past_moments_read(struct past_moments *moments, const struct gb_chain *chain)
{
    struct past_moments now = {0};
    const struct gb_chain_entry *entries = gb_chain_entries(chain, &now.count);

    now.list = xcalloc(now.count + 1, sizeof(*now.list));
    for (size_t i = 0; i < now.count; i++) {
        const struct past_head *head = &entries[i].head;
        struct gb_past_moment *before = past_moments_find(moments, head->seq);

        now.list[i] = (struct gb_past_moment){.seq = head->seq,
                                              .parent = head->parent,
                                              .epoch = head->epoch,
                                              .at_ns = head->at_ns,
                                              .bytes = past_record_size(head),
                                              .cell = head->cell};
        if (before != NULL)
            now.list[i].name = TAKE_PTR(before->name);
    }
    past_moments_release(moments);
    *moments = now;
}

void past_moments_name(struct past_moments *moments, uint64_t seq, char *name)
{
    for (size_t i = 0; i < moments->count; i++) {
        struct gb_past_moment *moment = moments->list + i;

        if (moment->seq == seq || (moment->name != NULL && strcmp(moment->name, name) == 0))
            free(TAKE_PTR(moment->name));
        if (moment->seq == seq)
            moment->name = xstrdup(name);
    }
    free(name);
}
