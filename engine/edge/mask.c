/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "edge/wipe.h"

bool gb_mask_add(struct gb_mask *mask, struct gb_bytes text, const char *by, uint32_t owners)
{
    struct gb_mask_text *added = &mask->texts[mask->count];
    size_t length = strlen(by);

    for (size_t i = 0; i < mask->count; i++) {
        if (mask->texts[i].size == text.size &&
            memcmp(mask->texts[i].text, text.data, text.size) == 0) {
            mask->texts[i].owners |= owners;
            return true;
        }
    }
    if (mask->count == GB_MASK_TEXTS_MAX || text.size == 0 || text.size > GB_MASK_TEXT_MAX)
        return false;
    *added = (struct gb_mask_text){.text = xmalloc(text.size),
                                   .replacement = xmalloc(text.size),
                                   .size = text.size,
                                   .owners = owners,
                                   .next = mask->first[text.data[0]]};
    memcpy(added->text, text.data, text.size);
    memset(added->replacement, '*', text.size);
    memcpy(added->replacement, by, MIN(length, text.size));
    mask->first[text.data[0]] = (uint16_t)++mask->count;
    return true;
}

void gb_mask_release(struct gb_mask *mask)
{
    for (size_t i = 0; i < mask->count; i++) {
        gb_wipe(mask->texts[i].text, mask->texts[i].size);
        free(mask->texts[i].text);
        free(mask->texts[i].replacement);
    }
    *mask = (struct gb_mask){0};
}

void gb_mask_tail_release(struct gb_mask_tail *tail)
{
    gb_wipe_buf(&tail->bytes);
    tail->done = 0;
}

static size_t mask_longest(const struct gb_mask *mask, uint32_t owners)
{
    size_t longest = 0;

    for (size_t i = 0; i < mask->count; i++) {
        if ((mask->texts[i].owners & owners) != 0)
            longest = MAX(longest, mask->texts[i].size);
    }
    return longest;
}

/* The longest text at the front of @at, which is not empty; NULL: none is there. */
static const struct gb_mask_text *mask_match(const struct gb_mask *mask, uint32_t owners,
                                             struct gb_bytes at)
{
    const struct gb_mask_text *best = NULL;

    for (uint16_t next = mask->first[at.data[0]]; next != 0;) {
        const struct gb_mask_text *text = &mask->texts[next - 1];

        next = text->next;
        if ((text->owners & owners) != 0 && text->size <= at.size &&
            (best == NULL || best->size < text->size) &&
            memcmp(text->text, at.data, text->size) == 0)
            best = text;
    }
    return best;
}

void gb_mask_feed(const struct gb_mask *mask, uint32_t owners, struct gb_mask_tail *tail,
                  struct gb_bytes bytes, bool final, struct gb_buf *out)
{
    const size_t longest = mask_longest(mask, owners),
                 keep = final || longest == 0 ? 0 : longest - 1;
    struct gb_buf *held = &tail->bytes;
    size_t at = tail->done, end;
    uint8_t *text;

    if (bytes.size > 0)
        gb_buf_add(held, bytes.data, bytes.size);
    if (held->size <= keep)
        return;
    /* A text that begins before `end` is there as a whole, or is none. */
    end = held->size - keep;
    text = held->memory + held->start;
    while (at < end && longest > 0) {
        const struct gb_mask_text *found =
            mask_match(mask, owners, (struct gb_bytes){text + at, held->size - at});

        if (found != NULL)
            memcpy(text + at, found->replacement, found->size);
        at += found != NULL ? found->size : 1;
    }
    gb_buf_add(out, text, end);
    gb_wipe(text, end);
    gb_buf_consume(held, end);
    tail->done = MAX(at, end) - end;
}
